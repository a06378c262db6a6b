//! Taking back every token that a filter chooses: all of them or none, in one transaction.

use super::{Act, notice};
use crate::domain::audit::{Action, Entry, MANY};
use crate::domain::notice::Kind;
use crate::domain::token::TokenId;
use crate::store::{Durability, Query, Store, StoreError, Transaction};
use std::ops::ControlFlow;

/// How many are revoked before their audit rows are written together.
const TOGETHER: usize = 64;

/// How many a filter chooses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// All of them.
    pub all: u64,
    /// Those that are not revoked yet.
    pub live: u64,
}

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chosen {
    /// Every token that was chosen, in the order of the query.
    pub ids: Vec<TokenId>,
    /// How many of them were revoked by this call; the others were before.
    pub revoked: u64,
}

/// Nothing was revoked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BulkError {
    /// More than allowed.
    TooMany {
        /// So many would have been.
        count: u64,
        /// So many may.
        max: u64,
    },
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for BulkError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// How many tokens a query chooses.
///
/// # Errors
/// What the database gave.
pub fn count(db: &dyn Store, query: &Query<'_>) -> Result<Count, StoreError> {
    let mut count = Count::default();
    db.list(query, &mut |pat| {
        count.all += 1;
        count.live += u64::from(pat.life.revoked_at.is_none());
        ControlFlow::Continue(())
    })?;
    Ok(count)
}

/// Revokes what `query` chooses at the moment the lock is held; `each` is told how many more are done.
///
/// # Errors
/// [`BulkError`]; then nothing was revoked.
pub fn revoke(
    store: &mut dyn Store,
    act: &Act<'_>,
    query: &Query<'_>,
    max: Option<u64>,
    reason: Option<&str>,
    each: &mut dyn FnMut(u64),
) -> Result<Chosen, BulkError> {
    let change = store.begin(Durability::Full)?;
    let mut ids = Vec::new();
    let mut live = 0;
    change.list(query, &mut |pat| {
        ids.push(pat.id);
        live += u64::from(pat.life.revoked_at.is_none());
        ControlFlow::Continue(())
    })?;
    if let Some(max) = max.filter(|max| live > *max) {
        return Err(BulkError::TooMany { count: live, max });
    }
    Ok(take_back(change, act, ids, reason, each)?)
}

/// Revokes these, whichever of them still are there.
///
/// # Errors
/// What the database gave; then nothing was revoked.
pub fn revoke_these(
    store: &mut dyn Store,
    act: &Act<'_>,
    ids: Vec<TokenId>,
    reason: Option<&str>,
) -> Result<Chosen, StoreError> {
    let change = store.begin(Durability::Full)?;
    take_back(change, act, ids, reason, &mut |_| {})
}

/// One audit row for each token and one for the act.
fn take_back(
    mut change: Box<dyn Transaction + '_>,
    act: &Act<'_>,
    ids: Vec<TokenId>,
    reason: Option<&str>,
    each: &mut dyn FnMut(u64),
) -> Result<Chosen, StoreError> {
    let mut revoked = 0;
    for ids in ids.chunks(TOGETHER) {
        let mut taken = Vec::with_capacity(ids.len());
        for id in ids {
            let at = (act.clock)();
            let Some(stored) = change.token(*id)? else { continue };
            if change.revoke(*id, at, reason)? {
                taken.push((at, stored.pat));
            }
        }
        let mut entries = Vec::with_capacity(taken.len());
        for (at, pat) in &taken {
            let entry = act.done(*at, Action::Revoke, pat.id.as_str(), pat.user.as_deref());
            entries.push(Entry { reason, ..entry });
        }
        change.audit_all(&entries)?;
        for (_, pat) in &taken {
            notice::enqueue(change.as_mut(), act, pat, Kind::Revoked)?;
        }
        revoked += taken.len() as u64;
        each(taken.len() as u64);
    }
    if revoked > 0 {
        let detail = if revoked == 1 { "1 token".to_owned() } else { format!("{revoked} tokens") };
        let entry = act.done((act.clock)(), Action::BulkRevoke, MANY, None);
        change.audit(&Entry { reason, detail: Some(&detail), ..entry })?;
        change.commit()?;
    }
    Ok(Chosen { ids, revoked })
}
