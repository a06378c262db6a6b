//! Deleting audit rows that need not be kept any longer.

use super::Act;
use super::prune::PAUSE;
use crate::domain::audit::{Action, Entry, MANY};
use crate::domain::chain;
use crate::domain::moment::Span;
use crate::store::contract::Result;
use crate::store::log::Outdated;
use crate::store::{Durability, Store};

/// Rows of one transaction: small, so that a 'verify' beside it never waits long.
const STEP: u32 = 5000;

fn outdated(store: &dyn Store, act: &Act<'_>, keep: Span) -> Result<Option<Outdated>> {
    let now = (act.clock)();
    store.outdated(now.saturating_minus(keep), now)
}

/// How many rows [`trim`] would delete.
///
/// # Errors
/// What the database gave.
pub fn preview(store: &dyn Store, act: &Act<'_>, keep: Span) -> Result<u64> {
    Ok(outdated(store, act, keep)?.map_or(0, |outdated| outdated.count))
}

/// Deletes the rows at the beginning of the log that are older than `keep`, in small committed steps.
/// Each leaves the anchor, which the chain goes on from, and a row that names it: so an anchor that
/// somebody else left is found out. Answers how many went.
///
/// # Errors
/// What the database gave; the steps before are committed.
pub fn trim(store: &mut dyn Store, act: &Act<'_>, keep: Span) -> Result<u64> {
    let trimmed = steps(store, act, keep);
    store.settle();
    trimmed
}

fn steps(store: &mut dyn Store, act: &Act<'_>, keep: Span) -> Result<u64> {
    let mut count = 0;
    let Some(Outdated { upto, .. }) = outdated(store, act, keep)? else { return Ok(count) };
    loop {
        let mut change = store.begin(Durability::Step)?;
        let now = (act.clock)();
        let Some(cut) = change.trim(upto, STEP, now)? else { return Ok(count) };
        let detail = chain::deleted(cut.count, &cut.last);
        let entry = act.done(now, Action::PruneAudit, MANY, None);
        change.audit(&Entry { detail: Some(&detail), ..entry })?;
        change.commit()?;
        std::thread::sleep(PAUSE);
        count += cut.count;
    }
}

/// Takes the clock to be right although the log has later rows, and writes down that it did.
///
/// # Errors
/// What the database gave.
pub fn accept_clock(store: &mut dyn Store, act: &Act<'_>) -> Result<()> {
    let mut change = store.begin(Durability::Full)?;
    let detail = format!("the log had a row of {}", change.mark()?);
    change.accept_clock();
    let entry = act.done((act.clock)(), Action::AcceptClock, MANY, None);
    change.audit(&Entry { detail: Some(&detail), ..entry })?;
    change.commit()
}
