//! The command line of a plain `verify`, read without the definition of the others: it runs before every request of
//! a service, where the definition costs as much as the look into the database.
//!
//! It knows the plain forms of `verify`'s own options and gives up on everything else, mistakes included; the whole
//! definition reads those and knows what to say. A test compares the two.

use super::request::header;
use super::{
    Cli, Color, Command, Field, Format, Global, OriginArgs, RequestArgs, TokenSource, Verify, values,
};
use crate::domain::place;
use clap::ValueEnum;
use std::ffi::OsString;
use std::path::PathBuf;

/// Reads `patctl verify …`; `None`: the whole definition has to.
pub fn parse(args: &[OsString]) -> Option<Cli> {
    let [_, command, options @ ..] = args else { return None };
    if command != "verify" {
        return None;
    }
    let mut read = Read::default();
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        read.option(option.to_str()?, &mut || rest.next()?.to_str())?;
    }
    read.whole()
}

/// What was given, each at most once.
#[derive(Default)]
struct Read {
    db: Option<PathBuf>,
    config: Option<PathBuf>,
    output: Option<Format>,
    color: Option<Color>,
    quiet: bool,
    define: Vec<(String, String)>,
    token_file: Option<PathBuf>,
    token_env: Option<String>,
    field: Option<Field>,
    batch: bool,
    request: RequestArgs,
    origin: OriginArgs,
}

impl Read {
    fn option<'a>(&mut self, option: &'a str, next: &mut dyn FnMut() -> Option<&'a str>) -> Option<()> {
        match option {
            "-q" | "--quiet" => return flag(&mut self.quiet),
            "--batch" => return flag(&mut self.batch),
            "--body-unseen" => return flag(&mut self.request.body_unseen),
            _ => {}
        }
        let (name, value) = match option.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, value),
            _ if option.starts_with("--") => (option, next().filter(|value| !value.starts_with('-'))?),
            _ => match option.split_at_checked(2)? {
                (name, "") => (name, next().filter(|value| !value.starts_with('-'))?),
                (_, rest) if rest.starts_with('=') => return None,
                (name, rest) => (name, rest),
            },
        };
        // Not every option takes an empty value.
        if value.is_empty() {
            return None;
        }
        let request = &mut self.request;
        match name {
            "--db" => once(&mut self.db, file(value)?),
            "--config" => once(&mut self.config, file(value)?),
            "-o" | "--output" => once(&mut self.output, Format::from_str(value, false).ok()?),
            "--color" => once(&mut self.color, Color::from_str(value, false).ok()?),
            "-D" => {
                self.define.push(values::define(value).ok()?);
                Some(())
            }
            "--token-file" => once(&mut self.token_file, file(value)?),
            "--token-env" => once(&mut self.token_env, value.into()),
            "--field" => once(&mut self.field, Field::from_str(value, false).ok()?),
            "--method" => once(&mut request.method, value.into()),
            "--url" => once(&mut request.url, value.into()),
            "--query" => once(&mut request.query, value.into()),
            "--data" => once(&mut request.data, value.into()),
            "--data-file" => once(&mut request.data_file, file(value)?),
            "--content-type" => once(&mut request.content_type, value.into()),
            "--client" => once(&mut self.origin.client, value.parse().ok()?),
            "--request-id" => once(&mut self.origin.request_id, value.parse().ok()?),
            "--header" => {
                request.headers.push(header(value).ok()?);
                Some(())
            }
            _ => None,
        }
    }

    /// What was read, if its parts go together.
    fn whole(self) -> Option<Cli> {
        let two_places = self.token_file.is_some() && self.token_env.is_some();
        let bodies =
            [self.request.data.is_some(), self.request.data_file.is_some(), self.request.body_unseen];
        let two_bodies = bodies.into_iter().filter(|given| *given).count() > 1;
        let one_of_many = self.token_file.is_some()
            || self.token_env.is_some()
            || self.field.is_some()
            || !self.request.is_empty()
            || !self.origin.is_empty();
        if two_places || two_bodies || (self.batch && one_of_many) {
            return None;
        }
        let global = Global {
            db: self.db,
            config: self.config,
            define: self.define,
            output: self.output.unwrap_or(Format::Table),
            quiet: self.quiet,
            color: self.color.unwrap_or(Color::Auto),
        };
        let source = TokenSource { token_file: self.token_file, token_env: self.token_env };
        let verify = Verify {
            source,
            request: self.request,
            origin: self.origin,
            field: self.field,
            batch: self.batch,
        };
        Some(Cli { global, command: Command::Verify(verify) })
    }
}

fn file(name: &str) -> Option<PathBuf> {
    // A stream is refused where a file is read more than once, in words that this does not know.
    (name != "-" && place::file(name.as_ref()).is_ok()).then(|| name.into())
}

fn flag(flag: &mut bool) -> Option<()> {
    (!std::mem::replace(flag, true)).then_some(())
}

fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use super::super::whole;
    use super::*;
    use proptest::prelude::*;

    fn words(args: &[String]) -> Vec<OsString> {
        ["patctl", "verify"]
            .into_iter()
            .map(str::to_owned)
            .chain(args.iter().cloned())
            .map(Into::into)
            .collect()
    }

    fn word() -> impl Strategy<Value = String> {
        const NAMES: [&str; 25] = [
            "--client",
            "--request-id",
            "--db",
            "--config",
            "-o",
            "--output",
            "--color",
            "-D",
            "--token-file",
            "--token-env",
            "--field",
            "--method",
            "--url",
            "--query",
            "--data",
            "--data-file",
            "--content-type",
            "--header",
            "-q",
            "--quiet",
            "--batch",
            "--body-unseen",
            "-",
            "--",
            "--help",
        ];
        const VALUES: [&str; 15] = [
            "192.0.2.7",
            "",
            "x",
            "json",
            "never",
            "id",
            "a=b",
            "A: b",
            "=",
            "-x",
            "-",
            "--db",
            "é",
            "POST",
            "/a?b=c",
        ];
        (0..NAMES.len(), 0..VALUES.len(), 0..5).prop_map(|(name, value, form)| match form {
            0 => NAMES[name].to_owned(),
            1 => VALUES[value].to_owned(),
            2 => format!("{}={}", NAMES[name], VALUES[value]),
            3 => format!("{}{}", NAMES[name], VALUES[value]),
            _ => format!("{}\u{0}{}", NAMES[name], VALUES[value]),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        /// Wherever it does not give up, the whole definition reads the same.
        #[test]
        fn it_reads_what_the_whole_definition_reads(args in proptest::collection::vec(word(), 0..5)) {
            let args: Vec<String> = args.iter().flat_map(|arg| arg.split('\u{0}')).map(str::to_owned).collect();
            if let Some(cli) = parse(&words(&args)) {
                let other = whole(&words(&args)).map_err(|error| TestCaseError::fail(format!("{args:?}: {error}")))?;
                prop_assert_eq!(format!("{:?}", cli), format!("{:?}", other), "{:?}", args);
            }
        }
    }

    #[test]
    fn the_plain_forms_are_read_here() {
        for line in [
            "",
            "-q",
            "-o json --token-file t",
            "--db d --config c -Da=b -D c=d --method POST --url /a?b=c --header A:b --header B:c --data {}",
            "--output=json --field=user --token-env NAME",
            "--method POST --url /a --body-unseen",
            "--batch --color never",
        ] {
            let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert!(parse(&words(&args)).is_some(), "{line}");
        }
    }
}
