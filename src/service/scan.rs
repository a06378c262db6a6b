//! Found tokens: whether they are ours, and taking back those that are.

use super::revoke::{self, Revoked};
use super::{Act, verify};
use crate::domain::decision::Reason;
use crate::domain::id::IdPrefix;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::{Pat, State};
use crate::domain::presented::Presented;
use crate::domain::text::Note;
use crate::store::contract::Result;
use crate::store::{Store, Stored};
use std::collections::HashMap;

/// What a found token is to this database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nobody has looked.
    Unchecked,
    /// No token here has its id.
    Unknown,
    /// A token here has its id, and another secret. It may be made up: nothing is known of who has it.
    WrongSecret,
    /// A token here has its id, and what would prove its secret cannot be read.
    Damaged,
    /// It is this one.
    Ours(Box<Pat>),
}

impl Standing {
    /// The token that it is.
    #[must_use]
    pub fn pat(&self) -> Option<&Pat> {
        match self {
            Self::Ours(pat) => Some(pat),
            _ => None,
        }
    }

    /// The word for it: of a token of ours its state.
    #[must_use]
    pub fn as_str(&self, now: Moment) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Unknown => "unknown",
            Self::WrongSecret => Reason::WrongSecret.as_str(),
            Self::Damaged => Reason::Damaged.as_str(),
            Self::Ours(pat) => pat.life.status(now, Span::ZERO).as_str(),
        }
    }

    /// Whether somebody who found it could use it, now or once it is switched on again; what nobody has
    /// looked up may be such a one.
    #[must_use]
    pub fn is_live(&self, now: Moment) -> bool {
        match self {
            Self::Ours(pat) => matches!(pat.life.state(now), State::Active | State::Disabled { .. }),
            Self::Unchecked => true,
            Self::Unknown | Self::WrongSecret | Self::Damaged => false,
        }
    }
}

/// What each of some tokens is; `None` is in no form that a token here can have. The hash of a secret is
/// computed only where there is a token of that id. `tell` hears of each that is done.
///
/// # Errors
/// What the database gave.
pub fn judge(
    store: &dyn Store,
    found: &[Option<Presented>],
    tell: &(dyn Fn() + Sync),
) -> Result<Vec<Standing>> {
    let mut standings = vec![Standing::Unknown; found.len()];
    let mut rows: Vec<(usize, &Presented, Stored)> = Vec::new();
    for (index, presented) in found.iter().enumerate() {
        let Some(presented) = presented else { continue };
        match store.token(presented.token.id())? {
            Some(stored) => rows.push((index, presented, stored)),
            None => tell(),
        }
    }
    let known: Vec<(&Stored, &Presented)> =
        rows.iter().map(|(_, presented, stored)| (stored, *presented)).collect();
    let proofs = verify::known(&known, tell);
    for ((index, _, stored), proof) in rows.into_iter().zip(proofs) {
        standings[index] = match proof {
            None => Standing::Damaged,
            Some(Err(_)) => Standing::WrongSecret,
            Some(Ok(())) => Standing::Ours(Box::new(stored.pat)),
        };
    }
    Ok(standings)
}

/// Takes back every token that was found with its secret, in one transaction, and answers those that
/// this call took back.
///
/// # Errors
/// What the database gave; then nothing was revoked.
pub fn take_back(
    store: &mut dyn Store,
    act: &Act<'_>,
    standings: &mut [Standing],
    reason: &Note,
) -> Result<Vec<Pat>> {
    let ids: Vec<IdPrefix> = standings.iter().filter_map(Standing::pat).map(|pat| pat.id.into()).collect();
    let Revoked { done, already, .. } = revoke::revoke(store, act, &ids, Some(reason))?;
    let now: HashMap<_, _> = done.iter().chain(&already).map(|pat| (pat.id, pat)).collect();
    for standing in standings {
        if let Standing::Ours(pat) = standing
            && let Some(current) = now.get(&pat.id)
        {
            **pat = (*current).clone();
        }
    }
    Ok(done)
}
