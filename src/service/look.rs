//! Looking at tokens: finding the one a person means, and what happened to it.

use crate::domain::audit::Record;
use crate::domain::filter::IdPrefix;
use crate::domain::pat::Pat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::store::contract::Result;
use crate::store::{Store, StoreError};

/// How many audit rows [`show`] answers, and how many candidates an ambiguous id lists.
const A_FEW: u32 = 10;

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

/// Resolves what a person typed, given a way to look up beginnings.
///
/// # Errors
/// What the look-up gave.
pub fn resolve(id: &IdPrefix, look_up: impl Fn(&IdPrefix, u32) -> Result<Vec<Pat>>) -> Result<Found> {
    let mut candidates = look_up(id, A_FEW)?;
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

impl From<LookError> for Failure {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Unknown(id) => {
                Self::new(Exit::No, "not-found", format!("no token has the id {}", id.as_str()))
                    .hint("'patctl list --all' shows those there are")
            }
            LookError::Ambiguous(id, candidates) => {
                let ids: Vec<&str> = candidates.iter().map(|pat| pat.id.as_str()).collect();
                let message = format!("{} is the beginning of several ids: {}", id.as_str(), ids.join(", "));
                Self::new(Exit::No, "ambiguous", message).hint("type more of the one you mean")
            }
            LookError::Store(error) => error.into(),
        }
    }
}

/// One token and the latest that happened to it, latest first.
///
/// # Errors
/// [`LookError`]
pub fn show(store: &dyn Store, id: &IdPrefix) -> std::result::Result<(Pat, Vec<Record>), LookError> {
    match resolve(id, |id, limit| store.with_prefix(id, limit))? {
        Found::One(pat) => {
            let history = store.history(pat.id, A_FEW)?;
            Ok((*pat, history))
        }
        Found::None => Err(LookError::Unknown(id.clone())),
        Found::Many(candidates) => Err(LookError::Ambiguous(id.clone(), candidates)),
    }
}
