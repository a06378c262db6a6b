//! Looking at tokens: finding the one a person means, and what happened to it.

use crate::domain::audit::Record;
use crate::domain::id::IdPrefix;
use crate::domain::pat::Pat;
use crate::store::contract::Result;
use crate::store::{Read, Store, StoreError};

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

/// Resolves what a person typed.
///
/// # Errors
/// What the database gave.
pub fn resolve(db: &(impl Read + ?Sized), id: &IdPrefix) -> Result<Found> {
    let mut candidates = db.with_prefix(id, A_FEW)?;
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
pub fn find(db: &(impl Read + ?Sized), id: &IdPrefix) -> std::result::Result<Pat, LookError> {
    match resolve(db, id)? {
        Found::One(pat) => Ok(*pat),
        Found::None => Err(LookError::Unknown(id.clone())),
        Found::Many(candidates) => Err(LookError::Ambiguous(id.clone(), candidates)),
    }
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
pub fn show(store: &dyn Store, id: &IdPrefix) -> std::result::Result<Shown, LookError> {
    let pat = find(store, id)?;
    let rules = if pat.restricted { store.restrictions(pat.id)? } else { Vec::new() };
    let history = store.history(pat.id, A_FEW)?;
    Ok(Shown { pat, rules, history })
}
