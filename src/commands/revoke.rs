//! `patctl revoke`: named tokens, or a leaked one, for good.

use super::context::Context;
use super::present::{self, Refused};
use super::unheard::Unheard;
use super::{stdout_failed, terminal_failed, tokens};
use crate::cli::{Format, Revoke, TokenSource};
use crate::config::Settings;
use crate::domain::id::{IdPrefix, IdPrefixError};
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Pat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::output::when;
use crate::service::Act;
use crate::service::look::LookError;
use crate::service::revoke::{self, Revoked};
use crate::service::twin::Twin;
use crate::service::verify::identify;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::wire;
use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

pub fn run(args: &Revoke, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Ids])?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let mut store = cx.open(&settings)?;
    let ids = match ids(args, cx, &settings, &store)? {
        Ok(ids) => ids,
        Err(none) => {
            cx.screen.fail(&none);
            return Ok(Exit::No);
        }
    };
    let actor = cx.actor()?;
    let act = cx.act(&policy, &actor);
    let revoked = if args.dry_run {
        revoke::preview(&store, &act, &ids, args.family)?
    } else {
        if !args.yes && cx.can_ask() && !confirmed(&ids, args.family, cx, &store, &act)? {
            cx.screen.say("nothing was revoked");
            return Ok(Exit::No);
        }
        revoke::revoke(&mut store, &act, &ids, args.reason.as_ref(), args.family)?
    };
    answer(cx, &revoked, args.dry_run, policy.expiry_warning).map_err(stdout_failed)?;
    warn_of_twins(cx, &revoked.twins, "revoke");
    if !args.dry_run {
        let mut unheard = Unheard::default();
        revoked.done.iter().for_each(|pat| unheard.note(&act, pat));
        unheard.warn(cx);
    }
    complain(cx, &revoked);
    Ok(if revoked.is_complete() { Exit::Yes } else { Exit::No })
}

/// The ids that were named; or that what was pasted is no token, or that its secret is not one of ours.
fn ids(
    args: &Revoke,
    cx: &mut Context<'_>,
    settings: &Settings,
    store: &SqliteStore,
) -> Result<Result<Vec<IdPrefix>, Failure>, Failure> {
    if args.ids_stdin {
        return ids_of_lines(cx, "nothing was revoked").map(Ok);
    }
    if !args.token_stdin {
        return Ok(Ok(args.ids.clone()));
    }
    let source = TokenSource { token_file: None, token_env: None };
    let none = |why: &str| Failure::new(Exit::No, "not-found", why);
    let presented = match present::presented(&source, cx)? {
        Ok(presented) => presented,
        Err(refused) => {
            return Ok(Err(match refused.why() {
                Some(why) => none(&why).hint(Refused::HINT),
                None => none(FOREIGN),
            }));
        }
    };
    let policy = settings.policy();
    let actor = cx.actor()?;
    // An id and a checksum can be made up; only a secret that verifies takes its token back.
    let found = identify(store, &cx.act(&policy, &actor), &presented)?;
    Ok(found.map(|pat| vec![IdPrefix::from(pat.id)]).ok_or_else(|| none(FOREIGN)))
}

/// What is said of a token that is not ours.
const FOREIGN: &str = "this is no token of this database";

/// More ids than any database here has.
const MOST_IDS: usize = 10_000_000;

/// The ids on stdin, one a line; `nothing` says what was not done when they cannot be read.
pub fn ids_of_lines(cx: &mut Context<'_>, nothing: &str) -> Result<Vec<IdPrefix>, Failure> {
    if cx.stdin.is_closed() {
        let message = format!("stdin: it is closed; {nothing}");
        return Err(Failure::new(Exit::Io, "io", message));
    }
    read_ids(&mut *cx.stdin, "stdin", nothing)
}

/// The ids in a file, one a line.
pub fn ids_of_file(file: &Path, nothing: &str) -> Result<Vec<IdPrefix>, Failure> {
    let name = file.display().to_string();
    let io = |e: io::Error| Failure::new(Exit::Io, "io", format!("{name}: {e}; {nothing}")).because_of(&e);
    read_ids(&mut files::named(file).map_err(io)?, &name, nothing)
}

/// Bytes of a line that are looked at: more than a token has.
const LONGEST: usize = 128;

/// Why a line is no id.
fn told(why: IdPrefixError) -> String {
    match why {
        IdPrefixError::WholeToken => {
            "this is a whole token with its secret, where its id is wanted".to_owned()
        }
        IdPrefixError::TooShort => "an id needs at least its first 4 characters".to_owned(),
        IdPrefixError::NotAnId => "this is no id: up to 10 characters of 0-9 and a-z".to_owned(),
    }
}

fn read_ids(from: &mut dyn Read, name: &str, nothing: &str) -> Result<Vec<IdPrefix>, Failure> {
    let io = |e: io::Error| Failure::new(Exit::Io, "io", format!("{name}: {e}; {nothing}")).because_of(&e);
    let mut stdin = BufReader::new(from);
    let (mut ids, mut seen) = (Vec::new(), HashSet::new());
    // Its size is final, so that nothing of a token that came instead of an id stays behind.
    let mut line = Zeroizing::new(Vec::with_capacity(2 * LONGEST));
    for number in 1.. {
        line.zeroize();
        // An id is short; a longer line is something else, and is not read to its end.
        if (&mut stdin).take(LONGEST as u64).read_until(b'\n', &mut line).map_err(io)? == 0 {
            break;
        }
        let fault = |why: &str| {
            Failure::usage(format!("{name} line {number}: {why}; {nothing}"))
                .hint("give ids, one a line, as 'patctl list -o ids' prints them")
        };
        let text = std::str::from_utf8(&line).map_err(|_| fault("this is no text"))?.trim();
        if text.is_empty() {
            continue;
        }
        let id = text.parse::<IdPrefix>().map_err(|why| fault(&told(why)))?;
        if seen.insert(id.as_str().to_owned()) {
            ids.push(id);
        }
        if ids.len() > MOST_IDS {
            return Err(fault("these are too many ids"));
        }
    }
    if ids.is_empty() {
        return Err(Failure::new(Exit::No, "not-found", format!("there are no ids on {name}; {nothing}")));
    }
    Ok(ids)
}

/// Asks, where there is something to ask about.
fn confirmed(
    ids: &[IdPrefix],
    family: bool,
    cx: &mut Context<'_>,
    store: &dyn Store,
    act: &Act<'_>,
) -> Result<bool, Failure> {
    let preview = revoke::preview(store, act, ids, family)?;
    if preview.done.is_empty() {
        return Ok(true);
    }
    for pat in &preview.done {
        cx.screen.say(&format!("  {}", one_line(pat)));
    }
    warn_of_twins(cx, &preview.twins, "revoke");
    let question = format!("Revoke {} for good?", tokens(preview.done.len() as u64));
    cx.ask.confirm(&question).map_err(terminal_failed)
}

/// Names the tokens that go on working because only the other one of their rotation is ended.
pub fn warn_of_twins(cx: &mut Context<'_>, twins: &[Twin], verb: &str) {
    let now = (cx.clock)();
    for Twin { of, pat } in twins {
        let until =
            pat.life.rotated_at.map_or_else(String::new, |at| format!(" until {}", when::both(at, now)));
        let kin = if pat.successor == Some(*of) { "predecessor" } else { "successor" };
        cx.screen.warn(&format!(
            "{} still works{until}: it is the {kin} of {of}; 'patctl {verb} {}' ends it, too, and --family takes both",
            pat.id, pat.id
        ));
    }
}

/// The same for JSON.
pub fn twins<'a>(twins: &'a [Twin], now: Moment, warning: Span) -> Vec<wire::Twin<'a>> {
    let twin = |twin: &'a Twin| wire::Twin {
        twin_of: twin.of.as_str(),
        token: wire::Token::new(&twin.pat, now, warning),
    };
    twins.iter().map(twin).collect()
}

/// A token for a person, in a line.
pub fn one_line(pat: &Pat) -> String {
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
        still_valid: twins(&revoked.twins, now, warning),
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
