//! `patctl config`: what the settings are, what they mean, and what is wrong with them.

use super::context::Context;
use super::stdout_failed;
use crate::cli::{Config, Format};
use crate::config::keys::{self, KEYS, Key};
use crate::config::{self, ConfigError, Problem, Sources};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::facts;
use crate::output::rows::records;
use crate::wire::{self, Property, Setting};
use std::path::Path;

pub fn run(args: &Config, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    match args {
        Config::Check { file } => check(file.as_deref(), cx),
        Config::Import { files, format } => super::config_import::run(files, *format, cx),
        Config::Show { keys, changed } => show(keys, *changed, cx),
        Config::Keys { keys } => explain(keys, cx),
    }
}

fn check(file: Option<&Path>, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let sources = cx.sources();
    let sources = Sources { file: file.or(sources.file), trusts: file.is_none(), ..sources };
    let read = config::find(&sources)?.map(|path| path.display().to_string());
    let mut problems = match config::examine(&sources) {
        Ok((_, problems)) | Err(ConfigError::Problems(problems)) => problems,
        Err(error) => return Err(error.into()),
    };
    // What cannot be read has been told by now.
    problems.extend(config::misplacements(&sources).unwrap_or_default());
    if cx.screen.format().is_json() {
        let problems: Vec<_> = problems.iter().map(as_json).collect();
        let checked = wire::Checked { ok: problems.is_empty(), file: read, problems };
        cx.screen.json(&checked).map_err(stdout_failed)?;
    } else if problems.is_empty() {
        cx.screen.say(&match read {
            Some(path) => format!("{path} is in order"),
            None => "there is no configuration file; every setting has its default".to_owned(),
        });
    } else {
        for problem in &problems {
            let failure = Failure::new(Exit::Config, "config", problem.to_string());
            cx.screen.fail(&Failure { hint: problem.hint.clone(), ..failure });
        }
    }
    Ok(if problems.is_empty() { Exit::Yes } else { Exit::Config })
}

pub fn as_json(problem: &Problem) -> wire::Problem {
    wire::Problem {
        origin: problem.origin.to_string(),
        message: problem.masked(),
        hint: problem.hint.clone(),
    }
}

/// The properties that were named, or all.
fn named(names: &[String]) -> Result<Vec<&'static Key>, Failure> {
    if names.is_empty() {
        return Ok(KEYS.iter().collect());
    }
    let find = |name: &String| {
        keys::find(name).ok_or_else(|| {
            let failure = Failure::new(Exit::No, "not-found", format!("there is no property '{name}'"));
            match keys::did_you_mean(name) {
                Some(meant) => failure.hint(format!("did you mean '{meant}'?")),
                None => failure.hint("'patctl config keys' lists them all"),
            }
        })
    };
    names.iter().map(find).collect()
}

fn show(names: &[String], only_changed: bool, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl, Format::Csv])?;
    let wanted = named(names)?;
    let settings = cx.settings()?;
    let rows: Vec<Setting<'_>> = settings
        .all()
        .filter(|(key, ..)| wanted.iter().any(|w| w.name == key.name))
        .map(|(key, value, origin)| Setting {
            property: key.name,
            value,
            origin: origin.to_string(),
            default: key.default,
            changed: value != key.default,
        })
        .filter(|row| row.changed || !only_changed)
        .collect();
    let text = |value: Option<&str>| value.unwrap_or("(unset)").to_owned();
    let written = match cx.screen.format() {
        Format::Table => {
            let cells = |row: &Setting<'_>| {
                let default =
                    if row.changed { format!("default: {}", text(row.default)) } else { String::new() };
                [row.property.to_owned(), text(row.value), row.origin.clone(), default]
            };
            let headings = ["PROPERTY", "VALUE", "FROM", "DEFAULT"];
            let style = cx.screen.style;
            facts::wrapped(cx.screen.out(), style, headings, rows.iter().map(cells).collect())
        }
        _ => records(&mut cx.screen, &rows),
    };
    written.map_err(stdout_failed)?;
    Ok(Exit::Yes)
}

fn explain(names: &[String], cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl, Format::Csv])?;
    let keys = named(names)?;
    let written = if cx.screen.format() == Format::Table {
        let cells = |key: &&Key| {
            let default = key.default.unwrap_or("(unset)");
            [key.name.to_owned(), format!("{} [{default}]", key.kind.describe()), key.meaning.to_owned()]
        };
        let style = cx.screen.style;
        let rows = keys.iter().map(cells).collect();
        facts::wrapped(cx.screen.out(), style, ["PROPERTY", "TYPE [DEFAULT]", "MEANING"], rows)
    } else {
        let property = |key: &&'static Key| Property {
            property: key.name,
            r#type: key.kind.describe(),
            default: key.default,
            meaning: key.meaning,
        };
        records(&mut cx.screen, &keys.iter().map(property).collect::<Vec<_>>())
    };
    written.map_err(stdout_failed)?;
    Ok(Exit::Yes)
}
