//! Looking at tokens: finding the one a person means, and what happened to it.

use super::Act;
use crate::domain::actor::Authority;
use crate::domain::audit::{Action, Record};
use crate::domain::filter::Order;
use crate::domain::id::IdPrefix;
use crate::domain::pat::Pat;
use crate::domain::token::{PlainToken, TokenId};
use crate::domain::vault::VaultKey;
use crate::store::contract::Result;
use crate::store::survey::Choice;
use crate::store::{Durability, Query, Read, Store, StoreError};
use std::ops::ControlFlow;

/// How many audit rows [`show`] answers, and how many candidates an ambiguous id lists.
pub const A_FEW: u32 = 10;

/// What a beginning of an id stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// This token.
    One(Box<Pat>),
    /// None.
    None,
    /// Any of these, and perhaps more.
    Many(Vec<Pat>),
}

/// Resolves what a person typed. For whoever may act on their own tokens only there are no others, and none that is
/// not named by its whole id.
///
/// # Errors
/// What the database gave.
pub fn resolve(db: &(impl Read + ?Sized), authority: &Authority, id: &IdPrefix) -> Result<Found> {
    let mut candidates = db.with_prefix(id, A_FEW)?;
    if *authority != Authority::Administrator {
        candidates.retain(|pat| pat.id.as_str() == id.as_str() && authority.reaches(pat));
    }
    Ok(match candidates.len() {
        0 => Found::None,
        1 => candidates.pop().map_or(Found::None, |pat| Found::One(Box::new(pat))),
        _ => Found::Many(candidates),
    })
}

/// Why there is nothing to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LookError {
    /// No token's id begins so.
    Unknown(IdPrefix),
    /// Several do.
    Ambiguous(IdPrefix, Vec<Pat>),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for LookError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The one token that a person means.
///
/// # Errors
/// [`LookError`]
pub fn find(
    db: &(impl Read + ?Sized),
    authority: &Authority,
    id: &IdPrefix,
) -> std::result::Result<Pat, LookError> {
    match resolve(db, authority, id)? {
        Found::One(pat) => Ok(*pat),
        Found::None => Err(LookError::Unknown(id.clone())),
        Found::Many(candidates) => Err(LookError::Ambiguous(id.clone(), candidates)),
    }
}

/// Why a secret is not shown again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RevealError {
    /// There is no one token that was meant.
    Look(LookError),
    /// It was made in secure mode.
    Secure,
    /// It was made without the vault, or its seal was broken with it when it was revoked.
    NotSealed,
    /// Another key, another database, or changed bytes.
    WrongKey,
}

impl From<StoreError> for RevealError {
    fn from(error: StoreError) -> Self {
        Self::Look(error.into())
    }
}

/// Opens the sealed secret of a token; the audit row is committed before it is answered.
///
/// # Errors
/// [`RevealError`]
pub fn reveal(
    store: &mut dyn Store,
    act: &Act<'_>,
    key: &VaultKey,
    id: &IdPrefix,
) -> std::result::Result<PlainToken, RevealError> {
    let mut change = store.begin(Durability::Full)?;
    let pat = find(change.as_ref(), act.authority, id).map_err(RevealError::Look)?;
    if pat.secure {
        return Err(RevealError::Secure);
    }
    let sealed = change.sealed(pat.id)?.ok_or(RevealError::NotSealed)?;
    let token = key.open(&sealed, &change.installation()?, pat.id).map_err(|_| RevealError::WrongKey)?;
    change.audit(&act.done((act.clock)(), Action::Reveal, pat.id.as_str(), pat.user.as_deref()))?;
    change.commit()?;
    Ok(token)
}

/// Shows each token that a filter chooses whose row is not what patctl wrote.
///
/// # Errors
/// What the database gave.
pub fn each_damaged(store: &dyn Store, choice: &Choice<'_>, each: &mut dyn FnMut(TokenId)) -> Result<()> {
    let Choice { filter, now, expiry_warning } = *choice;
    let query = Query { filter, order: Order::default(), now, expiry_warning, limit: None };
    store.list_checked(&query, &mut |pat| {
        if pat.damaged {
            each(pat.id);
        }
        ControlFlow::Continue(())
    })
}

/// What there is to show of one token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The token.
    pub pat: Pat,
    /// Its restrictions, line by line.
    pub rules: Vec<String>,
    /// The latest that happened to it, latest first.
    pub history: Vec<Record>,
}

/// One token, its restrictions and the latest that happened to it.
///
/// # Errors
/// [`LookError`]
pub fn show(
    store: &dyn Store,
    authority: &Authority,
    id: &IdPrefix,
) -> std::result::Result<Shown, LookError> {
    let mut pat = find(store, authority, id)?;
    let rules = if pat.restricted { store.restrictions(pat.id)? } else { Vec::new() };
    pat.damaged = store.evidence(pat.id)?.is_none_or(|evidence| evidence.seal.is_err());
    let history = store.history(pat.id, A_FEW)?;
    Ok(Shown { pat, rules, history })
}
