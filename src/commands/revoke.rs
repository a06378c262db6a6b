//! `patctl revoke`: named tokens, or a leaked one, for good.

use super::context::Context;
use super::{present, stdout_failed, terminal_failed, tokens};
use crate::cli::{Format, Revoke, TokenSource};
use crate::config::Settings;
use crate::domain::id::IdPrefix;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Pat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::look::LookError;
use crate::service::revoke::{self, Revoked};
use crate::service::verify::identify;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::wire;
use std::io::{self, BufRead, BufReader};

pub fn run(args: &Revoke, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Ids])?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let mut store = cx.open(&settings)?;
    let Some(ids) = ids(args, cx, &settings, &store)? else {
        cx.screen.fail(&Failure::new(Exit::No, "not-found", "this is no token of this database"));
        return Ok(Exit::No);
    };
    let revoked = if args.dry_run {
        revoke::preview(&store, &ids)?
    } else {
        if !args.yes && cx.can_ask() && !confirmed(&ids, cx, &store)? {
            cx.screen.say("nothing was revoked");
            return Ok(Exit::No);
        }
        let actor = (cx.actor)();
        revoke::revoke(&mut store, &cx.act(&policy, &actor), &ids, args.reason.as_ref())?
    };
    answer(cx, &revoked, args.dry_run, policy.expiry_warning).map_err(stdout_failed)?;
    complain(cx, &revoked);
    Ok(if revoked.is_complete() { Exit::Yes } else { Exit::No })
}

/// The ids that were named; `None` for a pasted token whose secret is not one of ours.
fn ids(
    args: &Revoke,
    cx: &mut Context<'_>,
    settings: &Settings,
    store: &SqliteStore,
) -> Result<Option<Vec<IdPrefix>>, Failure> {
    if args.ids_stdin {
        return ids_of_lines(cx).map(Some);
    }
    if !args.token_stdin {
        return Ok(Some(args.ids.clone()));
    }
    let source = TokenSource { token_file: None, token_env: None };
    let Ok(presented) = present::presented(&source, cx)? else { return Ok(None) };
    let policy = settings.policy();
    let actor = (cx.actor)();
    // An id and a checksum can be made up; only a secret that verifies takes its token back.
    let found = identify(store, &cx.act(&policy, &actor), &presented)?;
    Ok(found.map(|pat| vec![IdPrefix::from(pat.id)]))
}

fn ids_of_lines(cx: &mut Context<'_>) -> Result<Vec<IdPrefix>, Failure> {
    let mut ids = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(&mut *cx.stdin).lines()) {
        let line = line.map_err(|e| Failure::new(Exit::Io, "io", format!("stdin: {e}")))?;
        let line = line.trim();
        if !line.is_empty() {
            let id = line.parse::<IdPrefix>();
            ids.push(
                id.map_err(|why| Failure::usage(format!("stdin line {number}: {why}; nothing was revoked")))?,
            );
        }
    }
    if ids.is_empty() {
        return Err(Failure::new(Exit::No, "not-found", "there are no ids on stdin; nothing was revoked"));
    }
    Ok(ids)
}

/// Asks, where there is something to ask about.
fn confirmed(ids: &[IdPrefix], cx: &mut Context<'_>, store: &dyn Store) -> Result<bool, Failure> {
    let preview = revoke::preview(store, ids)?;
    if preview.done.is_empty() {
        return Ok(true);
    }
    for pat in &preview.done {
        cx.screen.say(&format!("  {}", one_line(pat)));
    }
    let question = format!("Revoke {} for good?", tokens(preview.done.len() as u64));
    cx.ask.confirm(&question).map_err(terminal_failed)
}

fn one_line(pat: &Pat) -> String {
    format!("{}  {}  {}", pat.id, pat.user.as_deref().unwrap_or("(any)"), pat.name)
}

fn answer(cx: &mut Context<'_>, revoked: &Revoked, dry_run: bool, warning: Span) -> io::Result<()> {
    match cx.screen.format() {
        Format::Ids => revoked.done.iter().try_for_each(|pat| cx.screen.line(pat.id.as_str()))?,
        Format::Table => {
            let verb = if dry_run { "would revoke" } else { "revoked" };
            for pat in &revoked.done {
                cx.screen.answer(&format!("{verb}  {}", one_line(pat)))?;
            }
            for pat in &revoked.already {
                cx.screen.answer(&format!("revoked before  {}", one_line(pat)))?;
            }
        }
        _ => {
            let now = (cx.clock)();
            cx.screen.json(&as_json(revoked, dry_run, now, warning))?;
        }
    }
    // What was done comes out before what went wrong is told.
    cx.screen.flush()
}

fn complain(cx: &mut Context<'_>, revoked: &Revoked) {
    if cx.screen.format().is_json() {
        return;
    }
    for id in &revoked.unknown {
        cx.screen.fail(&LookError::Unknown(id.clone()).into());
    }
    for (id, candidates) in &revoked.ambiguous {
        cx.screen.fail(&LookError::Ambiguous(id.clone(), candidates.clone()).into());
    }
}

fn as_json(revoked: &Revoked, dry_run: bool, now: Moment, warning: Span) -> wire::Revoked<'_> {
    fn all(pats: &[Pat], now: Moment, warning: Span) -> Vec<wire::Token<'_>> {
        pats.iter().map(|pat| wire::Token::new(pat, now, warning)).collect()
    }
    wire::Revoked {
        dry_run,
        revoked: all(&revoked.done, now, warning),
        already_revoked: all(&revoked.already, now, warning),
        unknown: revoked.unknown.iter().map(IdPrefix::typed).collect(),
        ambiguous: revoked
            .ambiguous
            .iter()
            .map(|(id, candidates)| wire::Ambiguous {
                id: id.typed(),
                candidates: candidates.iter().map(|pat| pat.id.as_str()).collect(),
            })
            .collect(),
    }
}
