//! How cron and systemd are to call patctl: what was named here is named there, since they start it in
//! another directory, with another environment.

use super::context::Context;
use crate::config::{self, Settings};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::invocation::Invocation;
use std::path::{Path, PathBuf};

/// The properties that only say when: their jobs do not read them.
pub const WHEN: [&str; 2] =
    ["atlassian.pats.pruning.schedule.cron", "atlassian.pats.expiry.check.schedule.cron"];

/// A job for a crontab: the database and the configuration are named if they were named here.
pub fn for_cron(job: &str, cx: &Context<'_>) -> Result<Invocation, Failure> {
    let named = |flag: Option<&PathBuf>, variable: &str| {
        flag.cloned().or_else(|| (cx.env)(variable).filter(|v| !v.is_empty()).map(PathBuf::from))
    };
    let config = named(cx.global.config.as_ref(), "PATCTL_CONFIG");
    let db = named(cx.global.db.as_ref(), "PATCTL_DB");
    build(config.as_deref(), db.as_deref(), job, cx)
}

/// A job for a unit, which names everything: its sandbox is made for this database and no other.
pub fn for_systemd(job: &str, settings: &Settings, cx: &Context<'_>) -> Result<Invocation, Failure> {
    let config = config::find(&cx.sources())?;
    build(config.as_deref(), Some(&database(settings, cx)?), job, cx)
}

/// The database, by a path that holds everywhere.
pub fn database(settings: &Settings, cx: &Context<'_>) -> Result<PathBuf, Failure> {
    let path = absolute(&cx.database(settings)?)?;
    // Links in the directory are followed, as the store follows them.
    let real = path.parent().and_then(|directory| directory.canonicalize().ok());
    Ok(real.zip(path.file_name()).map_or_else(|| path.clone(), |(directory, name)| directory.join(name)))
}

fn build(
    config: Option<&Path>,
    db: Option<&Path>,
    job: &str,
    cx: &Context<'_>,
) -> Result<Invocation, Failure> {
    let mut words = vec![text(&(cx.program)().unwrap_or_else(|| "patctl".into()))?];
    for (flag, path) in [("--config", config), ("--db", db)] {
        if let Some(path) = path {
            words.extend([flag.to_owned(), text(&absolute(path)?)?]);
        }
    }
    let defined = cx.global.define.iter().filter(|(key, _)| !WHEN.contains(&key.as_str()));
    for (key, value) in defined {
        words.extend(["-D".to_owned(), format!("{key}={value}")]);
    }
    words.push(job.to_owned());
    Invocation::new(words).ok_or_else(|| impossible("an argument holds a control character"))
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|e| Failure::new(Exit::Io, "io", format!("{}: {e}", path.display())).because_of(&e))
}

/// The text of a path.
pub fn text(path: &Path) -> Result<String, Failure> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| impossible(&format!("the path {} is not UTF-8", path.display())))
}

fn impossible(why: &str) -> Failure {
    Failure::usage(format!("the command cannot be written down: {why}")).hint("name another path")
}
