//! `patctl revoke`: named tokens, for good.

use super::{Asking, Context, stdout_failed, tokens};
use crate::cli::{Format, Revoke};
use crate::domain::audit::Actor;
use crate::domain::filter::IdPrefix;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Pat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::text;
use crate::service::revoke::{self, Revoked};
use crate::store::{Store, StoreError};
use crate::wire;
use std::io;

pub fn run(
    args: &Revoke,
    cx: &mut Context<'_>,
    asking: &mut Asking<'_>,
    actor: &dyn Fn() -> Actor,
) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Ids])?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let mut store = cx.open(&settings)?;
    let revoked = if args.dry_run {
        revoke::preview(&store, &args.ids)?
    } else {
        if !args.yes && asking.stdin.is_terminal() && !confirmed(args, cx, asking, &store)? {
            cx.screen.say("nothing was revoked");
            return Ok(Exit::No);
        }
        let actor = actor();
        let act = cx.act(&policy, &actor);
        revoke::revoke(&mut store, &act, &args.ids, args.reason.as_ref())?
    };
    answer(cx, &revoked, args.dry_run, policy.expiry_warning).map_err(stdout_failed)?;
    Ok(if revoked.is_complete() { Exit::Yes } else { Exit::No })
}

/// Asks, where there is something to ask about.
fn confirmed(
    args: &Revoke,
    cx: &mut Context<'_>,
    asking: &mut Asking<'_>,
    store: &dyn Store,
) -> Result<bool, Failure> {
    let preview = revoke::preview(store, &args.ids).map_err(|e: StoreError| Failure::from(e))?;
    if preview.done.is_empty() {
        return Ok(true);
    }
    for pat in &preview.done {
        cx.screen.say(&format!("  {}", one_line(pat)));
    }
    let question = format!("Revoke {} for good?", tokens(preview.done.len() as u64));
    asking.ask.confirm(&question).map_err(|e| Failure::new(Exit::Io, "io", format!("the terminal: {e}")))
}

fn one_line(pat: &Pat) -> String {
    format!("{}  {}  {}", pat.id, text::safe(pat.user.as_deref().unwrap_or("(any)")), text::safe(&pat.name))
}

fn answer(cx: &mut Context<'_>, revoked: &Revoked, dry_run: bool, warning: Span) -> io::Result<()> {
    match cx.screen.format() {
        Format::Json => {
            let now = (cx.clock)();
            cx.screen.json(&as_json(revoked, dry_run, now, warning))?;
        }
        Format::Ids => {
            for pat in &revoked.done {
                cx.screen.line(pat.id.as_str())?;
            }
        }
        Format::Table => {
            let verb = if dry_run { "would revoke" } else { "revoked" };
            for pat in &revoked.done {
                cx.screen.answer(&format!("{verb}  {}", one_line(pat)))?;
            }
            for pat in &revoked.already {
                cx.screen.answer(&format!("revoked before  {}", one_line(pat)))?;
            }
        }
    }
    // What was promised comes out before what went wrong is told.
    cx.screen.flush()?;
    complain(cx, revoked);
    Ok(())
}

fn complain(cx: &mut Context<'_>, revoked: &Revoked) {
    if cx.screen.format().is_json() {
        return;
    }
    for id in &revoked.unknown {
        let failure = Failure::new(Exit::No, "not-found", format!("no token has the id {}", id.as_str()));
        cx.screen.fail(&failure);
    }
    for (id, candidates) in &revoked.ambiguous {
        let message =
            format!("{} is the beginning of several ids; type more of the one you mean:", id.as_str());
        let lines: Vec<String> = candidates.iter().map(one_line).collect();
        let failure = Failure::new(Exit::No, "ambiguous", format!("{message}\n{}", lines.join("\n")));
        cx.screen.fail(&failure);
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
        unknown: revoked.unknown.iter().map(IdPrefix::as_str).collect(),
        ambiguous: revoked
            .ambiguous
            .iter()
            .map(|(id, candidates)| wire::Ambiguous {
                id: id.as_str(),
                candidates: candidates.iter().map(|pat| pat.id.as_str()).collect(),
            })
            .collect(),
    }
}
