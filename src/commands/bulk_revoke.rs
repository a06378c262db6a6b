//! `patctl bulk-revoke`: the tokens that a filter chooses, all of them or none.

use super::context::Context;
use super::{stdout_failed, terminal_failed, tokens};
use crate::cli::BulkRevoke;
use crate::domain::filter::{Filter, Order};
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Pat;
use crate::domain::text::Note;
use crate::domain::token::TokenId;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::rows::Rows;
use crate::output::{choice, progress};
use crate::service::bulk::{self, BulkError, Chosen};
use crate::store::sqlite::SqliteStore;
use crate::store::{Query, Read, Store};
use std::ops::ControlFlow;

/// Tokens that a list to choose from may hold.
const CHOICE: u64 = 500;

pub fn run(args: &BulkRevoke, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let settings = cx.settings()?;
    let policy = settings.policy();
    let mut store = cx.open(&settings)?;
    let now = (cx.clock)();
    let filter = args.filter.filter(now, &policy);
    let query = Query {
        filter: &filter,
        order: Order::default(),
        now,
        expiry_warning: policy.expiry_warning,
        limit: None,
    };
    if filter == Filter::default() {
        return choose(args, cx, &mut store, &query);
    }
    super::list::warn_of_spellings(cx, &store, &args.filter.user)?;
    let count = bulk::count(&store, &query)?;
    if args.dry_run {
        let mut rows = Rows::new(&mut cx.screen, now, policy.expiry_warning);
        store.list(&query, &mut |pat| rows.push(pat))?;
        rows.finish().map_err(stdout_failed)?;
        cx.screen.say(&format!("{} would be revoked", tokens(count.live)));
        return Ok(Exit::Yes);
    }
    if count.live > 0 && !agreed(args, cx, count.live)? {
        return Ok(Exit::No);
    }
    let actor = (cx.actor)();
    let act = cx.act(&policy, &actor);
    let bar = progress::bar(&cx.screen, count.live, "revoking");
    let done = bulk::revoke(&mut store, &act, &query, args.max, reason(args), &mut |n| bar.inc(n));
    bar.finish_and_clear();
    answer(cx, &store, &done?, now, policy.expiry_warning, &filter)
}

fn reason(args: &BulkRevoke) -> Option<&str> {
    args.reason.as_ref().map(Note::as_str)
}

/// Whether to go ahead: `--max` first, then the person, then `--yes`.
fn agreed(args: &BulkRevoke, cx: &mut Context<'_>, count: u64) -> Result<bool, Failure> {
    if let Some(max) = args.max.filter(|max| count > *max) {
        return Err(too_many(count, max));
    }
    if args.yes {
        return Ok(true);
    }
    if !cx.can_ask() {
        return Err(Failure::usage(format!("{} would be revoked, and nobody can be asked", tokens(count)))
            .hint("look with --dry-run, then say --yes"));
    }
    let yes = cx.ask.confirm(&format!("Revoke {} for good?", tokens(count))).map_err(terminal_failed)?;
    if !yes {
        cx.screen.say("nothing was revoked");
    }
    Ok(yes)
}

impl From<BulkError> for Failure {
    fn from(error: BulkError) -> Self {
        match error {
            BulkError::TooMany { count, max } => too_many(count, max),
            BulkError::Store(error) => error.into(),
        }
    }
}

/// More than `--max` allows.
fn too_many(count: u64, max: u64) -> Failure {
    Failure::new(Exit::No, "too-many", format!("{} would be revoked, --max allows {max}", tokens(count)))
        .hint("nothing was revoked; narrow the filter, or raise --max")
}

/// Tells what was done: the rows as `list` shows them now, and how many.
fn answer(
    cx: &mut Context<'_>,
    store: &dyn Store,
    done: &Chosen,
    now: Moment,
    warning: Span,
    filter: &Filter,
) -> Result<Exit, Failure> {
    let quiet = cx.global.quiet && cx.screen.format() == crate::cli::Format::Table;
    if !quiet {
        let mut rows = Rows::new(&mut cx.screen, now, warning);
        for id in &done.ids {
            if let Some(pat) = store.pat(*id)?
                && rows.push(&pat).is_break()
            {
                break;
            }
        }
        rows.finish().map_err(stdout_failed)?;
        cx.screen.flush().map_err(stdout_failed)?;
    }
    cx.screen.say(&format!("{} revoked", tokens(done.revoked)));
    // A name that nobody has is more likely mistyped than done with.
    let named = !filter.users.is_empty() || filter.name.is_some();
    if done.ids.is_empty() && named {
        cx.screen.fail(&Failure::new(Exit::No, "not-found", "no token matches; nothing was revoked"));
        return Ok(Exit::No);
    }
    Ok(Exit::Yes)
}

/// A person picks from a list, where no filter chooses.
fn choose(
    args: &BulkRevoke,
    cx: &mut Context<'_>,
    store: &mut SqliteStore,
    query: &Query<'_>,
) -> Result<Exit, Failure> {
    if !cx.can_ask() {
        return Err(Failure::usage("which tokens? no filter was given")
            .hint("a filter as of 'list' chooses, for example --unused-for 90d; --name '*' is all of them"));
    }
    let mut pats: Vec<Pat> = Vec::new();
    let query = Query { limit: Some(CHOICE), ..*query };
    store.list(&query, &mut |pat| {
        pats.push(pat.clone());
        ControlFlow::Continue(())
    })?;
    if pats.is_empty() {
        cx.screen.say("there are no tokens to revoke");
        return Ok(Exit::Yes);
    }
    let items = choice::lines(&pats, query.now, cx.screen.err_columns());
    let picked = cx
        .ask
        .choose("Revoke which (last used, expires)? space picks, enter goes on, esc leaves", &items)
        .map_err(terminal_failed)?;
    for line in picked.iter().filter_map(|index| items.get(*index)) {
        cx.screen.say(&format!("  {line}"));
    }
    let ids: Vec<TokenId> = picked.iter().filter_map(|index| pats.get(*index)).map(|pat| pat.id).collect();
    if ids.is_empty() || args.dry_run || !agreed(args, cx, ids.len() as u64)? {
        cx.screen.say(if args.dry_run { "nothing was revoked: --dry-run" } else { "nothing was revoked" });
        return Ok(if args.dry_run { Exit::Yes } else { Exit::No });
    }
    let settings = cx.settings()?;
    let policy = settings.policy();
    let actor = (cx.actor)();
    let done = bulk::revoke_these(store, &cx.act(&policy, &actor), ids, reason(args))?;
    answer(cx, store, &done, query.now, policy.expiry_warning, query.filter)
}
