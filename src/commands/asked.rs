//! What a command was asked about: rules and a request, from flags and files.

use super::context::Context;
use crate::cli::{RequestArgs, RuleArgs, TokenSource};
use crate::config::Settings;
use crate::domain::leak;
use crate::domain::restriction::rule::Subject;
use crate::domain::restriction::{Base, MAX_BODY, MAX_TEXT, Rule, RuleError, Rules, Sent, head};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::output::text;
use std::io::{self, Read};
use std::path::Path;

/// Errors of a rule text that are shown.
const SHOWN: usize = 10;

/// Whether stdin is taken by the token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TokenAt {
    /// It is: nothing else can be read there.
    Stdin,
    /// It is not.
    Elsewhere,
}

impl TokenAt {
    /// Where a token comes from.
    pub fn of(source: &TokenSource) -> Self {
        if source.token_file.is_none() && source.token_env.is_none() { Self::Stdin } else { Self::Elsewhere }
    }
}

/// A rule text and the name of where it comes from.
pub struct Source {
    /// A file, or nothing for the flags.
    name: Option<String>,
    text: String,
}

/// The rule texts of a command line; `None`: none was given.
pub fn rules(args: &RuleArgs, cx: &mut Context<'_>) -> Result<Option<Vec<Source>>, Failure> {
    let mut sources = Vec::new();
    if !args.restrict.is_empty() {
        sources.push(Source { name: None, text: args.restrict.join("\n") });
    }
    if let Some(path) = &args.restrict_file {
        let bytes = file(path, MAX_TEXT, cx)?;
        let name = path.display().to_string();
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::usage(format!("{name} is not UTF-8")).hint("save the rules as UTF-8"))?;
        sources.push(Source { name: Some(name), text });
    }
    Ok(if sources.is_empty() { None } else { Some(sources) })
}

/// The lines of a token as the flags give them, each of them parsed; `None`: no flag was given.
pub fn lines(
    args: &RuleArgs,
    cx: &mut Context<'_>,
    settings: &Settings,
) -> Result<Option<Vec<String>>, Failure> {
    let base = settings.base();
    let Some(sources) = rules(args, cx)? else { return Ok(None) };
    let rules = parse(&sources, base.as_ref(), cx)?;
    let needs_body = |rule: &&Rule| rule.clauses.iter().any(|c| matches!(c.subject, Subject::Json(_)));
    for rule in rules.lines().iter().filter(needs_body) {
        cx.screen.warn(&format!(
            "{} looks into the body, which nginx auth_request and Caddy forward_auth never hand over, and \
             Traefik only with forwardBody: there it allows nothing",
            rule.text
        ));
    }
    Ok(Some(rules.lines().iter().map(|rule| rule.text.clone()).collect()))
}

/// Parses rule texts as one.
pub fn parse(sources: &[Source], base: Option<&Base>, cx: &Context<'_>) -> Result<Rules, Failure> {
    // Each for itself first, so that lines are numbered as they stand where they come from.
    for source in sources {
        Rules::parse(&source.text, base)
            .and_then(|rules| rules.compile())
            .map_err(|errors| refused(source.name.as_deref(), &errors, cx))?;
    }
    let text: Vec<&str> = sources.iter().map(|source| source.text.as_str()).collect();
    Rules::parse(&text.join("\n"), base).map_err(|errors| refused(None, &errors, cx))
}

/// Tells of errors in rules as a compiler does: place, message, the line, a caret.
pub fn refused(name: Option<&str>, errors: &[RuleError], cx: &Context<'_>) -> Failure {
    let json = cx.screen.format().is_json();
    let mut lines = Vec::new();
    for error in errors.iter().take(SHOWN) {
        let place = name.map_or_else(String::new, |name| format!("{name}: "));
        lines.push(format!("{place}{error}"));
        if !json {
            let (line, before) = (text::safe(&error.text), text::safe(error.before()));
            lines.push(format!("    {line}"));
            lines.push(format!("    {}^", " ".repeat(text::width(&before))));
        }
    }
    if errors.len() > SHOWN {
        lines.push(format!("and {} more", errors.len() - SHOWN));
    }
    let failure = Failure::new(Exit::Usage, "rule", lines.join("\n"));
    match errors.first().and_then(|error| in_brackets(&error.text)) {
        Some(rule) => failure.hint(format!("a method stands in brackets: {rule}")),
        None => failure.hint("'patctl man restrictions' explains the language"),
    }
}

/// `GET /x`, as people write a request, as the rule that was meant.
fn in_brackets(text: &str) -> Option<String> {
    let (method, path) = text.trim().split_once(' ')?;
    let path = path.trim_start();
    let is_method = !method.is_empty() && method.bytes().all(|b| b.is_ascii_alphabetic());
    (is_method && path.starts_with('/')).then(|| format!("[{}]{path}", method.to_ascii_lowercase()))
}

/// The request of a command line.
pub fn request(args: &RequestArgs, token: TokenAt, cx: &mut Context<'_>) -> Result<Sent, Failure> {
    let body = match (&args.data, &args.data_file) {
        (Some(text), _) => Some(text.as_bytes().to_vec()),
        (None, Some(path)) if path == Path::new("-") && token == TokenAt::Stdin => {
            return Err(Failure::usage("token and body cannot both be read from stdin")
                .hint("name the token's place with --token-file or --token-env"));
        }
        // One byte more than is accepted tells that there is more.
        (None, Some(path)) => Some(beginning(path, MAX_BODY, cx)?),
        (None, None) => None,
    };
    let sent = Sent {
        method: args.method.clone(),
        url: args.url.clone(),
        query: args.query.clone(),
        body,
        content_type: args.content_type.clone(),
        headers: args.headers.clone(),
        body_unseen: args.body_unseen,
    };
    exposed(args, &sent)?;
    Ok(sent)
}

/// [`request`] for a token that is presented apart from it.
pub fn guarded(args: &RequestArgs, token: TokenAt, cx: &mut Context<'_>) -> Result<Sent, Failure> {
    let authorizes = |(name, _): &(String, String)| {
        ["Authorization", "Proxy-Authorization"].iter().any(|known| head::same_name(name, known))
    };
    if args.headers.iter().any(authorizes) {
        return Err(in_arguments("the Authorization header"));
    }
    request(args, token, cx)
}

/// Refuses a token in an argument list, which every process on the machine can read. It is not repeated.
fn exposed(args: &RequestArgs, sent: &Sent) -> Result<(), Failure> {
    let data = args.data.as_deref().filter(|text| leak::mask(text) != **text).map(|_| "--data");
    sent.exposed().or(data).map_or(Ok(()), |place| Err(in_arguments(place)))
}

fn in_arguments(place: &str) -> Failure {
    let message =
        format!("{place} holds what looks like a token, and arguments are visible to every process");
    Failure::usage(message).hint(
        "leave it out; a token is read from stdin, --token-file or --token-env, a body from --data-file. If it \
         was a live token, revoke it",
    )
}

/// Reads a file, or stdin for `-`, of at most `most` bytes.
pub fn file(path: &Path, most: usize, cx: &mut Context<'_>) -> Result<Vec<u8>, Failure> {
    let bytes = beginning(path, most, cx)?;
    if bytes.len() > most {
        let message = format!("{} has more than {most} bytes", path.display());
        return Err(Failure::usage(message).hint("split it, or hand over the beginning yourself"));
    }
    Ok(bytes)
}

/// Reads at most `most` bytes and one that tells that there are more.
fn beginning(path: &Path, most: usize, cx: &mut Context<'_>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = most as u64 + 1;
    let read = if path == Path::new("-") {
        cx.stdin.take(limit).read_to_end(&mut bytes)
    } else {
        files::named(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map(|_| bytes).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let (exit, kind) = match error.kind() {
        io::ErrorKind::PermissionDenied => (Exit::Permission, "permission"),
        _ => (Exit::Io, "io"),
    };
    Failure::new(exit, kind, format!("{} could not be read: {error}", path.display()))
        .hint("name a readable file, or - for stdin")
        .because_of(error)
}
