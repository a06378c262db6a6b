//! Switching tokens off and on again.

use super::Act;
use super::look::{Found, resolve};
use super::twin::{self, Twin};
use crate::domain::actor::Authority;
use crate::domain::audit::{Action, Entry};
use crate::domain::id::IdPrefix;
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::text::Note;
use crate::store::contract::Result;
use crate::store::{Durability, Read, Store, Transaction};
use std::collections::HashSet;

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Power {
    /// Switched off, a token cannot be used.
    Off,
    /// Switched on again, it can, unless something else is against it.
    On,
}

/// What became of each id.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Powered {
    /// Switched now (or, in a preview, to be switched).
    pub done: Vec<Pat>,
    /// Were so before.
    pub already: Vec<Pat>,
    /// Revoked for good: there is nothing to switch.
    pub revoked: Vec<Pat>,
    /// Ids that no token has.
    pub unknown: Vec<IdPrefix>,
    /// Ids that several tokens could be, with those.
    pub ambiguous: Vec<(IdPrefix, Vec<Pat>)>,
    /// Tokens that still work although the other token of their rotation is disabled.
    pub twins: Vec<Twin>,
}

impl Powered {
    fn sort(
        db: &(impl Read + ?Sized),
        authority: &Authority,
        ids: &[IdPrefix],
        power: Power,
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
                    let twin = if family { twin::of(db, &pat, now)? } else { None };
                    for pat in [Some(*pat), twin].into_iter().flatten() {
                        if seen.insert(pat.id) {
                            sorted.list_of(&pat, power).push(pat);
                        }
                    }
                }
            }
        }
        if power == Power::Off {
            sorted.twins = twin::left(db, sorted.done.iter().chain(&sorted.already), now)?;
        }
        Ok(sorted)
    }

    fn list_of(&mut self, pat: &Pat, power: Power) -> &mut Vec<Pat> {
        let is_off = pat.life.disabled_at.is_some();
        if pat.life.revoked_at.is_some() {
            &mut self.revoked
        } else if is_off == (power == Power::Off) {
            &mut self.already
        } else {
            &mut self.done
        }
    }

    /// Whether every id named a token that is switched so now.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.revoked.is_empty() && self.unknown.is_empty() && self.ambiguous.is_empty()
    }
}

/// What [`switch`] would do.
///
/// # Errors
/// What the database gave.
pub fn preview(
    store: &dyn Store,
    act: &Act<'_>,
    ids: &[IdPrefix],
    power: Power,
    family: bool,
) -> Result<Powered> {
    Powered::sort(store, act.authority, ids, power, family, (act.clock)())
}

/// Switches every id that names one token, in one transaction; the others are answered.
///
/// # Errors
/// What the database gave; then nothing was switched.
pub fn switch(
    store: &mut dyn Store,
    act: &Act<'_>,
    ids: &[IdPrefix],
    power: Power,
    reason: Option<&Note>,
    family: bool,
) -> Result<Powered> {
    let mut change = store.begin(Durability::Full)?;
    let mut sorted = Powered::sort(change.as_ref(), act.authority, ids, power, family, (act.clock)())?;
    for pat in &mut sorted.done {
        turn(change.as_mut(), act, pat, power, reason.map(Note::as_str))?;
    }
    if !sorted.done.is_empty() {
        change.commit()?;
    }
    Ok(sorted)
}

fn turn(
    change: &mut dyn Transaction,
    act: &Act<'_>,
    pat: &mut Pat,
    power: Power,
    reason: Option<&str>,
) -> Result<()> {
    let at = (act.clock)();
    let action = match power {
        Power::Off => {
            change.disable(pat.id, at)?;
            pat.life.disabled_at = Some(at);
            Action::Disable
        }
        Power::On => {
            change.enable(pat.id)?;
            pat.life.disabled_at = None;
            Action::Enable
        }
    };
    let entry = act.done(at, action, pat.id.as_str(), pat.user.as_deref());
    change.audit(&Entry { reason, ..entry })
}
