//! Taking back every token that a filter chooses: all of them or none, in one transaction.

use super::{Act, notice};
use crate::domain::audit::{Action, Entry, MANY};
use crate::domain::moment::Span;
use crate::domain::notice::Kind;
use crate::domain::pat::Pat;
use crate::domain::token::TokenId;
use crate::store::{Durability, Query, Store, StoreError, Transaction};
use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::rc::Rc;

/// How many are revoked before their audit rows are written together.
const TOGETHER: usize = 64;

/// Tokens that a person sees before the question.
const SHOWN: usize = 10;

/// What a filter chooses.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// All of them.
    pub all: u64,
    /// Those that are not revoked yet.
    pub live: u64,
    /// The first ten of these.
    pub first: Vec<Pat>,
    /// How many of these each user holds; `None` is anybody's.
    pub users: BTreeMap<Option<String>, u64>,
    /// How many of these were used in the last day.
    pub used_lately: u64,
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

/// What a query chooses, for a person to decide about.
///
/// # Errors
/// What the database gave.
pub fn count(db: &dyn Store, act: &Act<'_>, query: &Query<'_>) -> Result<Count, StoreError> {
    let mut count = Count::default();
    db.list(query, &mut |pat| {
        if !act.authority.reaches(pat) {
            return ControlFlow::Continue(());
        }
        count.all += 1;
        if pat.life.revoked_at.is_some() {
            return ControlFlow::Continue(());
        }
        count.live += 1;
        let lately = query.now.saturating_minus(Span::days(1));
        count.used_lately += u64::from(pat.life.last_used_at.is_some_and(|at| at >= lately));
        *count.users.entry(pat.user.clone()).or_default() += 1;
        if count.first.len() < SHOWN {
            count.first.push(pat.clone());
        }
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
    let (mut found, mut users) = (Vec::new(), Users::default());
    let mut live = 0;
    change.list(query, &mut |pat| {
        if !act.authority.reaches(pat) {
            return ControlFlow::Continue(());
        }
        found.push((pat.id, users.known(pat.user.as_deref())));
        live += u64::from(pat.life.revoked_at.is_none());
        ControlFlow::Continue(())
    })?;
    if let Some(max) = max.filter(|max| live > *max) {
        return Err(BulkError::TooMany { count: live, max });
    }
    Ok(take_back(change, act, &found, reason, each)?)
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
    let (mut found, mut users) = (Vec::with_capacity(ids.len()), Users::default());
    for id in ids {
        // Whoever is not there any more is not revoked below.
        let pat = change.pat(id)?;
        if pat.as_ref().is_some_and(|pat| !act.authority.reaches(pat)) {
            continue;
        }
        found.push((id, pat.and_then(|pat| users.known(pat.user.as_deref()))));
    }
    take_back(change, act, &found, reason, &mut |_| {})
}

/// A token that is to be taken back, and whose it is: all that its audit row says.
type Found = (TokenId, Option<Rc<str>>);

/// The names of users, each once: half a million tokens belong to a few of them.
#[derive(Default)]
struct Users(HashSet<Rc<str>>);

impl Users {
    fn known(&mut self, user: Option<&str>) -> Option<Rc<str>> {
        let user = user?;
        if let Some(known) = self.0.get(user) {
            return Some(Rc::clone(known));
        }
        let new: Rc<str> = user.into();
        self.0.insert(Rc::clone(&new));
        Some(new)
    }
}

/// One audit row for each token and one for the act.
fn take_back(
    mut change: Box<dyn Transaction + '_>,
    act: &Act<'_>,
    found: &[Found],
    reason: Option<&str>,
    each: &mut dyn FnMut(u64),
) -> Result<Chosen, StoreError> {
    let mut revoked = 0;
    for found in found.chunks(TOGETHER) {
        let mut taken = Vec::with_capacity(found.len());
        for (id, user) in found {
            let at = (act.clock)();
            if change.revoke(*id, at, reason)? {
                taken.push((at, id, user.as_deref()));
            }
        }
        let mut entries = Vec::with_capacity(taken.len());
        for (at, id, user) in &taken {
            let entry = act.done(*at, Action::Revoke, id.as_str(), *user);
            entries.push(Entry { reason, ..entry });
        }
        change.audit_all(&entries)?;
        if notice::are_written(act) {
            for (_, id, _) in &taken {
                if let Some(pat) = change.pat(**id)? {
                    notice::enqueue(change.as_mut(), act, &pat, Kind::Revoked)?;
                }
            }
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
    Ok(Chosen { ids: found.iter().map(|(id, _)| *id).collect(), revoked })
}
