//! Taking tokens back, for good.

use super::look::{Found, resolve};
use super::twin::{self, Twin};
use super::{Act, notice};
use crate::domain::actor::Authority;
use crate::domain::audit::{Action, Entry};
use crate::domain::id::IdPrefix;
use crate::domain::moment::Moment;
use crate::domain::notice::Kind;
use crate::domain::pat::Pat;
use crate::domain::text::Note;
use crate::store::contract::Result;
use crate::store::{Durability, Read, Store, Transaction};
use std::collections::HashSet;

/// What became of each id.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Revoked {
    /// Revoked now (or, in a preview, to be revoked).
    pub done: Vec<Pat>,
    /// Revoked before.
    pub already: Vec<Pat>,
    /// Ids that no token has.
    pub unknown: Vec<IdPrefix>,
    /// Ids that several tokens could be, with those.
    pub ambiguous: Vec<(IdPrefix, Vec<Pat>)>,
    /// Tokens that still work because only the other token of their rotation was named.
    pub twins: Vec<Twin>,
}

impl Revoked {
    /// Sorts `ids` by what is to be done with them; with `family` the twin of each joins it.
    fn sort(
        db: &(impl Read + ?Sized),
        authority: &Authority,
        ids: &[IdPrefix],
        family: bool,
        now: Moment,
    ) -> Result<Self> {
        let mut sorted = Self::default();
        let mut seen = HashSet::new();
        for id in ids {
            match resolve(db, authority, id)? {
                Found::None => sorted.unknown.push(id.clone()),
                Found::Many(candidates) => sorted.ambiguous.push((id.clone(), candidates)),
                Found::One(pat) => {
                    let list =
                        if pat.life.revoked_at.is_some() { &mut sorted.already } else { &mut sorted.done };
                    let twin = if family { twin::of(db, &pat, now)? } else { None };
                    if seen.insert(pat.id) {
                        list.push(*pat);
                    }
                    sorted.done.extend(twin.filter(|twin| seen.insert(twin.id)));
                }
            }
        }
        sorted.twins = twin::left(db, sorted.done.iter().chain(&sorted.already), now)?;
        Ok(sorted)
    }

    /// Whether every id named a token that is revoked now.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unknown.is_empty() && self.ambiguous.is_empty()
    }
}

/// What [`revoke`] would do.
///
/// # Errors
/// What the database gave.
pub fn preview(store: &dyn Store, act: &Act<'_>, ids: &[IdPrefix], family: bool) -> Result<Revoked> {
    Revoked::sort(store, act.authority, ids, family, (act.clock)())
}

/// Revokes every id that names one token, in one transaction; the others are answered.
///
/// # Errors
/// What the database gave; then nothing was revoked.
pub fn revoke(
    store: &mut dyn Store,
    act: &Act<'_>,
    ids: &[IdPrefix],
    reason: Option<&Note>,
    family: bool,
) -> Result<Revoked> {
    let mut change = store.begin(Durability::Full)?;
    let mut sorted = Revoked::sort(change.as_ref(), act.authority, ids, family, (act.clock)())?;
    for pat in &mut sorted.done {
        take_back(change.as_mut(), act, pat, reason.map(Note::as_str))?;
    }
    if !sorted.done.is_empty() {
        change.commit()?;
    }
    Ok(sorted)
}

fn take_back(change: &mut dyn Transaction, act: &Act<'_>, pat: &mut Pat, reason: Option<&str>) -> Result<()> {
    let at = (act.clock)();
    change.revoke(pat.id, at, reason)?;
    pat.life.revoked_at = Some(at);
    pat.revoke_reason = reason.map(str::to_owned);
    let entry = act.done(at, Action::Revoke, pat.id.as_str(), pat.user.as_deref());
    change.audit(&Entry { reason, ..entry })?;
    notice::enqueue(change, act, &*pat, Kind::Revoked)
}
