//! Found tokens: whether they are ours, and taking back those that are.

use super::Act;
use super::revoke::{self, Revoked};
use super::twin::Twin;
use super::verify::{self, Sight, Unproved};
use crate::domain::decision::Reason;
use crate::domain::id::IdPrefix;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::{Pat, State};
use crate::domain::presented::Presented;
use crate::domain::text::Note;
use crate::domain::token::TokenId;
use crate::domain::verifier::NoMemory;
use crate::store::contract::Result;
use crate::store::{Store, Stored};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

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
    /// A token here has its id, and there was no memory to check its secret.
    Unavailable(NoMemory),
    /// A token here has its id, as have [`PROOFS`] other finds whose secrets are wrong: it was not checked.
    NotChecked,
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
            Self::Unavailable(_) => Reason::Unavailable.as_str(),
            Self::NotChecked => "not-checked",
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
            Self::Unknown | Self::WrongSecret | Self::Damaged | Self::Unavailable(_) | Self::NotChecked => {
                false
            }
        }
    }
}

/// How many secrets are checked for one id: an id is public, and secrets for it can be made up faster than they
/// are checked.
pub const PROOFS: usize = 16;

/// What each of some tokens is; `None` is in no form that a token here can have. The hash of a secret is
/// computed only where there is a token of that id, and for the first [`PROOFS`] secrets of each id. `tell` hears
/// of each that is done.
///
/// # Errors
/// What the database gave.
pub fn judge(
    store: &dyn Store,
    found: &[Option<Presented>],
    tell: &(dyn Fn() + Sync),
) -> Result<Vec<Standing>> {
    let mut standings = vec![Standing::Unknown; found.len()];
    let mut rows: HashMap<TokenId, Sight<Stored>> = HashMap::new();
    let mut finds: HashMap<TokenId, usize> = HashMap::new();
    let mut due: Vec<(usize, &Presented)> = Vec::new();
    for (index, presented) in found.iter().enumerate() {
        let Some(presented) = presented else { continue };
        let id = presented.token.id();
        let sight = match rows.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Sight::of(store.token(id))?),
        };
        let finds = finds.entry(id).or_default();
        *finds += 1;
        match sight {
            Sight::Row(_) if *finds <= PROOFS => {
                due.push((index, presented));
                continue;
            }
            Sight::Row(_) => standings[index] = Standing::NotChecked,
            Sight::Unreadable(_) => standings[index] = Standing::Damaged,
            Sight::Absent => {}
        }
        tell();
    }
    let known: Vec<(&Stored, &Presented)> = due
        .iter()
        .filter_map(|(_, presented)| Some((rows.get(&presented.token.id())?.row()?, *presented)))
        .collect();
    let proofs = verify::known(&known, tell);
    let mut proved = HashSet::new();
    for (((index, presented), (stored, _)), proof) in due.iter().zip(&known).zip(proofs) {
        standings[*index] = match proof {
            None => Standing::Damaged,
            Some(Err(Unproved::NoMemory(refused))) => Standing::Unavailable(refused),
            Some(Err(Unproved::Unsteady | Unproved::Forgotten)) => Standing::NotChecked,
            Some(Err(Unproved::Wrong(_))) => Standing::WrongSecret,
            Some(Ok(())) => {
                proved.insert(presented.token.id());
                Standing::Ours(Box::new(stored.pat.clone()))
            }
        };
    }
    // A token has one secret: where that is known, every other is wrong.
    for (presented, standing) in found.iter().zip(&mut standings) {
        let is_known = |presented: &Presented| proved.contains(&presented.token.id());
        if *standing == Standing::NotChecked && presented.as_ref().is_some_and(is_known) {
            *standing = Standing::WrongSecret;
        }
    }
    Ok(standings)
}

/// Revokes every token that was found with its secret, in one transaction. Returns those that this call revoked, and
/// the tokens that still work because only the other one of their rotation was found.
///
/// # Errors
/// What the database gave; then nothing was revoked.
pub fn take_back(
    store: &mut dyn Store,
    act: &Act<'_>,
    standings: &mut [Standing],
    reason: &Note,
) -> Result<(Vec<Pat>, Vec<Twin>)> {
    let ids: Vec<IdPrefix> = standings.iter().filter_map(Standing::pat).map(|pat| pat.id.into()).collect();
    let Revoked { done, already, twins, .. } = revoke::revoke(store, act, &ids, Some(reason), false)?;
    let now: HashMap<_, _> = done.iter().chain(&already).map(|pat| (pat.id, pat)).collect();
    for standing in standings {
        if let Standing::Ours(pat) = standing
            && let Some(current) = now.get(&pat.id)
        {
            **pat = (*current).clone();
        }
    }
    Ok((done, twins))
}
