//! `patctl list`: the tokens a filter chooses, streamed.

use super::context::Context;
use super::stdout_failed;
use crate::cli::{FilterArgs, Format, List};
use crate::domain::actor::Authority;
use crate::domain::filter::{Filter, Order};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::rows::Rows;
use crate::service::{look, notice};
use crate::store::{Query, Read, Store};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// More users than this in one filter are a mistake, or somebody else's list.
const MOST_USERS: usize = 1000;

pub fn run(args: &List, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    not_too_many(&args.filter)?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let store = cx.look(&settings)?;
    let now = cx.reading(&store).later();
    let after = args
        .after
        .as_ref()
        .map(|id| look::find(&store, &Authority::Administrator, id))
        .transpose()?
        .map(|pat| pat.id);
    let query = Query {
        filter: &args.filter.filter(now, &policy),
        order: Order { sort: args.sort, reverse: args.reverse, after },
        now,
        expiry_warning: policy.expiry_warning,
        limit: args.limit.filter(|_| !args.no_address),
    };
    let mut rows = Rows::new(&mut cx.screen, now, policy.expiry_warning);
    let mut left = args.limit.unwrap_or(u64::MAX);
    store.list_checked(&query, &mut |pat| {
        if args.no_address && notice::has_recipient(&policy, pat) {
            return ControlFlow::Continue(());
        }
        // Only the database knows the other filters, and only the settings know the addresses.
        if left == 0 {
            return ControlFlow::Break(());
        }
        left -= 1;
        rows.push(pat)
    })?;
    let (count, damaged) = rows.finish().map_err(stdout_failed)?;
    damaged.warn(&mut cx.screen);
    warn_of_spellings(cx, &store, &args.filter.user)?;
    if count == 0 && cx.screen.format() == Format::Table {
        cx.screen.say(if args.no_address { "no token matches" } else { nothing(query.filter) });
    }
    Ok(Exit::Yes)
}

/// Refuses a filter that no statement has room for.
pub fn not_too_many(filter: &FilterArgs) -> Result<(), Failure> {
    if filter.user.len() > MOST_USERS {
        return Err(Failure::usage(format!("more than {MOST_USERS} users in one filter"))
            .hint("list them all and choose with jq"));
    }
    Ok(())
}

/// Warns of users who are spelled nearly like those of a filter and hold tokens, too.
pub fn warn_of_spellings(cx: &mut Context<'_>, store: &dyn Store, users: &[String]) -> Result<(), Failure> {
    let mut told = HashSet::new();
    for user in users {
        for (other, count) in store.spellings(user)? {
            if !users.contains(&other) && told.insert(other.clone()) {
                let hold = if count == 1 { "1 token is".to_owned() } else { format!("{count} tokens are") };
                cx.screen.warn(&format!(
                    "{hold} of '{other}', another spelling of '{user}'; name that user with --user, too, if it \
                     is the same person"
                ));
            }
        }
    }
    Ok(())
}

/// What to say where a filter chooses nothing.
pub fn nothing(filter: &Filter) -> &'static str {
    if *filter == Filter::default() {
        "no tokens; 'patctl create' makes one, 'patctl list --all' shows revoked ones too"
    } else {
        "no token matches"
    }
}
