//! `patctl __complete`: what could stand where the cursor is. Shells ask it at every TAB; it never
//! writes, and where it cannot tell it is silent.

use super::context::Context;
use super::stdout_failed;
use crate::cli::words::{self, Wanted};
use crate::config::keys::KEYS;
use crate::config::{self, Sources};
use crate::domain::filter::{Filter, Order, Sort};
use crate::domain::id;
use crate::domain::text::is_hidden;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::store::sqlite::SqliteStore;
use crate::store::{Query, Read, Store};
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Tells the scripts to complete files.
const FILES: &str = ":files";
/// More candidates than a person reads.
const MOST: u32 = 200;

pub fn run(words: &[OsString], cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut question = words::ask(&words);
    if question.wanted == Wanted::Ids {
        question.prefix = id::fold(&question.prefix).unwrap_or(question.prefix);
    }
    let mut found = std::mem::take(&mut question.candidates);
    match question.wanted {
        Wanted::Nothing => {}
        Wanted::Files => found.push((FILES.to_owned(), String::new())),
        Wanted::Properties { ending } => {
            found.extend(KEYS.iter().map(|key| (format!("{}{ending}", key.name), key.meaning.to_owned())));
        }
        Wanted::Ids | Wanted::Users => found.extend(live(&question, cx)),
    }
    for (candidate, meaning) in found {
        // The shell completes files itself, behind whatever stands before them in the word.
        if candidate == FILES {
            cx.screen.line(&format!("{FILES}\t")).map_err(stdout_failed)?;
            continue;
        }
        let fits = candidate.starts_with(&question.prefix);
        if fits && !candidate.contains(is_hidden) {
            // A tab and a line end are ours; anything else invisible is left out.
            let meaning: String = meaning.chars().filter(|&c| !is_hidden(c)).collect();
            cx.screen.line(&format!("{}{candidate}\t{meaning}", question.before)).map_err(stdout_failed)?;
        }
    }
    Ok(Exit::Yes)
}

/// A path as the shell will pass it on: words that are still being typed have a `~` or a `$HOME` in them.
fn expanded(path: &str, cx: &Context<'_>) -> PathBuf {
    let rest = ["~/", "$HOME/", "${HOME}/"].iter().find_map(|home| path.strip_prefix(home));
    let home = rest.and_then(|rest| (cx.env)("HOME").map(|home| PathBuf::from(home).join(rest)));
    home.unwrap_or_else(|| path.into())
}

/// What the database knows; nothing where it cannot be read.
fn live(question: &words::Question, cx: &mut Context<'_>) -> Vec<(String, String)> {
    let config = question.config.as_deref().map(|path| expanded(path, cx));
    let sources = cx.sources();
    let sources = Sources { file: config.as_deref().or(sources.file), ..sources };
    let settings = config::load(&sources).map(|(settings, _)| settings).unwrap_or_default();
    let named = question.db.as_deref().map(|path| expanded(path, cx));
    let Some(path) = named.or_else(|| cx.database(&settings).ok()) else { return Vec::new() };
    let Ok(store) = SqliteStore::open_to_read(&path) else { return Vec::new() };
    if question.wanted == Wanted::Users {
        let users = store.users(&question.prefix, MOST).unwrap_or_default();
        return users.into_iter().map(|user| (user, String::new())).collect();
    }
    let mut found = Vec::new();
    let mut add = |pat: &crate::domain::pat::Pat| {
        found.push((pat.id.to_string(), format!("{} ({})", pat.name, pat.user.as_deref().unwrap_or("any"))));
    };
    if let Ok(prefix) = question.prefix.parse() {
        store.with_prefix(&prefix, MOST).unwrap_or_default().iter().for_each(add);
        return found;
    }
    // Fewer characters than name a token: the newest that begin so.
    let query = Query {
        filter: &Filter { all: question.all, ..Filter::default() },
        order: Order { sort: Sort::Created, ..Order::default() },
        now: (cx.clock)(),
        expiry_warning: settings.policy().expiry_warning,
        limit: None,
    };
    let mut left = MOST;
    // An error leaves what was found so far.
    let _ = store.list(&query, &mut |pat| {
        if pat.id.as_str().starts_with(&question.prefix) {
            add(pat);
            left -= 1;
        }
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found
}
