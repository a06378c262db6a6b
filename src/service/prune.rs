//! Deleting what ended long enough ago.

use super::Act;
use crate::domain::audit::{Action, Entry, Outcome};
use crate::domain::moment::{Moment, Span};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::store::contract::EachPat;
use crate::store::{Durability, Store, StoreError};

/// Rows of one transaction: small, so that a 'verify' beside it never waits long.
const STEP: u32 = 1000;

/// Nothing was pruned, or not everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PruneError {
    /// The clock contradicts the audit log: what it calls expired may be alive.
    Clock {
        /// What the clock says.
        now: Moment,
        /// When the last audit row was written.
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

impl From<PruneError> for Failure {
    fn from(error: PruneError) -> Self {
        match error {
            PruneError::Clock { now, last } => Self::new(
                Exit::No,
                "clock",
                format!("nothing was pruned: the clock says {now}, the last audit row is of {last}"),
            )
            .hint("set the clock; if it is right, 'patctl prune --force' goes ahead"),
            PruneError::Store(error) => error.into(),
        }
    }
}

/// Refuses a clock more than 5 minutes before or more than 400 days after the last audit row: one
/// wrong second in a far year must not delete live tokens.
///
/// # Errors
/// [`PruneError::Clock`], or what reading the database gave.
pub fn check_clock(store: &dyn Store, now: Moment) -> Result<(), PruneError> {
    match store.last_audit()? {
        Some(last) if now < last.saturating_minus(Span::minutes(5)) => Err(PruneError::Clock { now, last }),
        Some(last) if now > last.saturating_plus(Span::days(400)) => Err(PruneError::Clock { now, last }),
        _ => Ok(()),
    }
}

/// The rows that [`prune`] would delete.
///
/// # Errors
/// What reading the database gave.
pub fn preview(store: &dyn Store, act: &Act<'_>, each: EachPat<'_>) -> Result<(), PruneError> {
    Ok(store.prunable(act.policy.prune_before((act.clock)()), each)?)
}

/// Deletes what expired or was revoked more than the delay ago, in small committed steps; `each` is
/// told the ids of a step once it is committed.
///
/// # Errors
/// [`PruneError`]
pub fn prune(store: &mut dyn Store, act: &Act<'_>, each: &mut dyn FnMut(&str)) -> Result<u64, PruneError> {
    let before = act.policy.prune_before((act.clock)());
    let (mut after, mut count) = (0, 0);
    loop {
        let mut change = store.begin(Durability::Full)?;
        let gone = change.prune(before, after, STEP)?;
        let Some(last) = gone.last() else { return Ok(count) };
        after = last.seq;
        let at = (act.clock)();
        for row in &gone {
            change.audit(&Entry {
                at,
                actor: act.actor,
                action: Action::Prune,
                token_id: row.id.as_str(),
                user: row.user.as_deref(),
                effective_user: None,
                outcome: Outcome::Done,
                reason: None,
            })?;
        }
        change.commit()?;
        count += gone.len() as u64;
        for row in &gone {
            each(row.id.as_str());
        }
    }
}
