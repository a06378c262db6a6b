//! Deleting what ended long enough ago.

use super::clock::{BACK, Reading};
use super::{Act, notice};
use crate::domain::audit::Action;
use crate::domain::moment::{Moment, Span};
use crate::domain::notice::Kind;
use crate::domain::pat::Pat;
use crate::store::contract::EachPat;
use crate::store::log::{EachPiece, Piece};
use crate::store::{Durability, Store, StoreError};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::Duration;

/// Rows of one transaction: small, so that a 'verify' beside it never waits long.
const STEP: u32 = 1000;

/// Between two transactions: more than what a waiting process sleeps between its looks at the lock.
pub const PAUSE: Duration = Duration::from_millis(4);

/// Nothing was pruned, or not everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PruneError {
    /// The clock contradicts the audit log: what it calls expired may be alive.
    Clock {
        /// What the clock says.
        now: Moment,
        /// When the last audit row was written that can be believed.
        last: Moment,
    },
    /// The database failed; the steps before are committed.
    Store(StoreError),
}

impl From<StoreError> for PruneError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// How far the clock may run ahead of the audit log.
const AHEAD: Span = Span::days(400);

/// Refuses a clock more than 5 minutes before or more than 400 days after the last audit row: one
/// wrong second in a far year must not delete live tokens. A use that was itself written so far from
/// the row before is no witness: a wrong clock would otherwise vouch for itself.
///
/// # Errors
/// [`PruneError::Clock`], or what reading the database gave.
pub fn check_clock(store: &dyn Store, now: Moment) -> Result<(), PruneError> {
    judge_clock(&|each| store.since_change(each), now)?;
    judge_mark(&|each| store.chain(each), now)
}

/// Refuses a clock more than 5 minutes before the greatest time of any row. `chain` shows the head first.
///
/// # Errors
/// [`PruneError::Clock`], or what reading the database gave.
pub fn judge_mark(
    chain: &dyn Fn(EachPiece<'_>) -> Result<(), StoreError>,
    now: Moment,
) -> Result<(), PruneError> {
    let mut mark = None;
    chain(&mut |piece| {
        if let Piece::Head(sealed) = piece {
            mark = Some(sealed.head.mark);
        }
        ControlFlow::Break(())
    })?;
    match mark.filter(|mark| Reading { clock: now, mark: *mark }.is_apart()) {
        Some(last) => Err(PruneError::Clock { now, last }),
        None => Ok(()),
    }
}

/// Shows when somebody last made a change, and each row after it.
pub type Moments<'m> = &'m dyn Fn(&mut dyn FnMut(Moment)) -> Result<(), StoreError>;

/// As [`check_clock`], for any log.
///
/// # Errors
/// [`PruneError::Clock`], or what reading the database gave.
pub fn judge_clock(moments: Moments<'_>, now: Moment) -> Result<(), PruneError> {
    let agree = |last: Moment, now| now >= last.saturating_minus(BACK) && now <= last.saturating_plus(AHEAD);
    let mut last: Option<Moment> = None;
    moments(&mut |at| {
        if last.is_none_or(|last| agree(last, at)) {
            last = Some(at);
        }
    })?;
    match last.filter(|last| !agree(*last, now)) {
        Some(last) => Err(PruneError::Clock { now, last }),
        None => Ok(()),
    }
}

/// The rows that [`prune`] would delete, in its order.
///
/// # Errors
/// What reading the database gave.
pub fn preview(store: &dyn Store, act: &Act<'_>, each: EachPat<'_>) -> Result<(), PruneError> {
    let before = act.policy.prune_before((act.clock)());
    let mut after = 0;
    loop {
        let rows = store.prunable(before, after, STEP)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.seq;
        if rows.iter().any(|row| each(&row.pat).is_break()) {
            return Ok(());
        }
    }
}

/// Deletes what expired or was revoked more than the delay ago, in small committed steps; `each` is
/// told the tokens of a step once it is committed. Where a step ends is found outside the lock; what is in
/// it, under it.
///
/// # Errors
/// [`PruneError`]
pub fn prune(store: &mut dyn Store, act: &Act<'_>, each: &mut dyn FnMut(&Pat)) -> Result<u64, PruneError> {
    let pruned = steps(store, act, each);
    // Whatever ended it: the file alone holds the steps that were done.
    store.settle();
    pruned
}

fn steps(store: &mut dyn Store, act: &Act<'_>, each: &mut dyn FnMut(&Pat)) -> Result<u64, PruneError> {
    let before = act.policy.prune_before((act.clock)());
    let (mut after, mut count) = (0, 0);
    while let Some(upto) = store.last_prunable(before, after, STEP)? {
        // What is deleted cannot be looked at any more, and a mail may speak only of what patctl wrote.
        let rows = if notice::are_written(act) { store.prunable(before, after, STEP)? } else { Vec::new() };
        let mut change = store.begin(Durability::Step)?;
        let mut credible = HashSet::new();
        for row in rows {
            if notice::is_credible(change.as_ref(), row.pat.id)? {
                credible.insert(row.pat.id);
            }
        }
        let at = (act.clock)();
        let gone = change.prune(before, after, upto, at)?;
        for pat in &gone {
            change.audit(&act.done(at, Action::Prune, pat.id.as_str(), pat.user.as_deref()))?;
            if credible.contains(&pat.id) {
                notice::enqueue(change.as_mut(), act, pat, Kind::Pruned)?;
            }
        }
        change.commit()?;
        // Whoever waits for the lock gets it before the next step.
        std::thread::sleep(PAUSE);
        after = upto;
        count += gone.len() as u64;
        gone.iter().for_each(&mut *each);
    }
    Ok(count)
}
