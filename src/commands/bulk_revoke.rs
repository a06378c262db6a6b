//! `patctl bulk-revoke`: the tokens that a filter chooses, all of them or none.

use super::context::Context;
use super::revoke::{one_line, warn_of_twins};
use super::unheard::Unheard;
use super::{stdout_failed, terminal_failed, tokens};
use crate::cli::BulkRevoke;
use crate::domain::filter::{Filter, Order};
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::text::Note;
use crate::domain::token::TokenId;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::rows::Rows;
use crate::output::{choice, progress};
use crate::service::Act;
use crate::service::bulk::{self, BulkError, Chosen, Count};
use crate::service::twin::{self, Twin};
use crate::store::sqlite::SqliteStore;
use crate::store::{Query, Read, Store};
use std::ops::ControlFlow;

const NOTHING: &str = "no token matches; nothing was revoked";

/// Tokens that a list to choose from may hold.
const CHOICE: u64 = 500;

pub fn run(args: &BulkRevoke, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let settings = cx.settings()?;
    let policy = settings.policy();
    let mut store = cx.open(&settings)?;
    let now = cx.reading(&store).later();
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
    let actor = cx.actor()?;
    let act = cx.act(&policy, &actor);
    let count = bulk::count(&store, &act, &query)?;
    if args.dry_run {
        let mut rows = Rows::new(&mut cx.screen, now, policy.expiry_warning);
        store.list_checked(&query, &mut |pat| rows.push(pat))?;
        let (_, damaged) = rows.finish().map_err(stdout_failed)?;
        cx.screen.flush().map_err(stdout_failed)?;
        damaged.warn(&mut cx.screen);
        cx.screen.say(&format!("{} would be revoked{}", tokens(count.live), before(count.all - count.live)));
        return Ok(if count.live > 0 { Exit::Yes } else { Exit::No });
    }
    if count.live > 0 {
        if !args.yes && cx.can_ask() {
            show(cx, &count);
        }
        if !agreed(args, cx, count.live)? {
            return Ok(Exit::No);
        }
    }
    let bar = progress::bar(&cx.screen, count.live, "revoking");
    let done = bulk::revoke(&mut store, &act, &query, args.max, reason(args), &mut |n| bar.inc(n));
    bar.finish_and_clear();
    answer(cx, &store, &act, &done?, now, &filter)
}

/// Users that a person sees before the question.
const USERS: usize = 5;

/// Shows a person what the answer to the question decides about.
fn show(cx: &mut Context<'_>, count: &Count) {
    for pat in &count.first {
        cx.screen.say(&format!("  {}", one_line(pat)));
    }
    let more = count.live - count.first.len() as u64;
    if more > 0 {
        cx.screen.say(&format!("  and {more} more"));
    }
    let mut users: Vec<(&str, u64)> =
        count.users.iter().map(|(user, held)| (user.as_deref().unwrap_or("(any)"), *held)).collect();
    users.sort_by_key(|(_, held)| std::cmp::Reverse(*held));
    let mut named: Vec<String> =
        users.iter().take(USERS).map(|(user, held)| format!("{user} {held}")).collect();
    if users.len() > USERS {
        named.push(format!("{} other users", users.len() - USERS));
    }
    cx.screen.say(&format!("by user: {}", named.join(", ")));
    cx.screen.say(&match count.used_lately {
        0 => "none was used in the last day".to_owned(),
        1 => "1 was used in the last day".to_owned(),
        some => format!("{some} were used in the last day"),
    });
}

/// `; 3 were revoked before`
fn before(count: u64) -> String {
    match count {
        0 => String::new(),
        1 => "; 1 was revoked before".to_owned(),
        some => format!("; {some} were revoked before"),
    }
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
    let question = format!("Revoke {} for good? This cannot be undone.", tokens(count));
    let yes = cx.ask.confirm(&question).map_err(terminal_failed)?;
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

/// Tokens that are named because they go on working.
const TWINS: usize = 100;

/// Tells what was done: the rows as `list` shows them now, and how many.
fn answer(
    cx: &mut Context<'_>,
    store: &dyn Store,
    act: &Act<'_>,
    done: &Chosen,
    now: Moment,
    filter: &Filter,
) -> Result<Exit, Failure> {
    let warning = act.policy.expiry_warning;
    let quiet = cx.global.quiet && cx.screen.format() == crate::cli::Format::Table;
    if !quiet {
        let mut rows = Rows::new(&mut cx.screen, now, warning);
        let (mut twins, mut unheard) = (Vec::new(), Unheard::default());
        for id in &done.ids {
            let Some(pat) = store.pat(*id)? else { continue };
            unheard.note(act, &pat);
            if twins.len() < TWINS
                && let Some(twin) = twin::of(store, &pat, now)?
            {
                twins.push(Twin { of: *id, pat: twin });
            }
            if rows.push(&pat).is_break() {
                break;
            }
        }
        rows.finish().map_err(stdout_failed)?;
        cx.screen.flush().map_err(stdout_failed)?;
        warn_of_twins(cx, &twins, "revoke");
        unheard.warn(cx);
    }
    if done.ids.is_empty() {
        // A user or a name that matches nothing is probably mistyped.
        if !filter.users.is_empty() || filter.name.is_some() {
            cx.screen.fail(&Failure::new(Exit::No, "not-found", NOTHING));
            return Ok(Exit::No);
        }
        cx.screen.say(NOTHING);
        return Ok(Exit::Yes);
    }
    let old = done.ids.len() as u64 - done.revoked;
    cx.screen.say(&format!("{} revoked{}", tokens(done.revoked), before(old)));
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
    let actor = cx.actor()?;
    let act = cx.act(&policy, &actor);
    let done = bulk::revoke_these(store, &act, ids, reason(args))?;
    answer(cx, store, &act, &done, query.now, query.filter)
}
