//! The two tokens of a rotation in its grace: whoever ends one of them usually has to think of the other.

use crate::domain::moment::Moment;
use crate::domain::pat::{Pat, State};
use crate::domain::token::TokenId;
use crate::store::Read;
use crate::store::contract::Result;
use std::collections::HashSet;

/// A token that goes on working after the other one of its rotation was ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Twin {
    /// The token that was ended.
    pub of: TokenId,
    /// The one that goes on.
    pub pat: Pat,
}

/// The other token of the rotation that `pat` takes part in, if that can be used at `now`. Once the grace is over the
/// old token has no twin: it stopped long before anyone ends it.
///
/// # Errors
/// Returns the store's error.
pub fn of(db: &(impl Read + ?Sized), pat: &Pat, now: Moment) -> Result<Option<Pat>> {
    let usable = |id: Option<TokenId>| {
        let found = id.map_or(Ok(None), |id| db.pat(id));
        found.map(|pat| pat.filter(|pat| pat.life.state(now) == State::Active))
    };
    if pat.life.rotated_at.is_some_and(|at| now < at)
        && let Some(new) = usable(pat.successor)?
    {
        return Ok(Some(new));
    }
    Ok(usable(pat.predecessor)?.filter(|old| old.successor == Some(pat.id)))
}

/// The twins of `ended` that are not among them.
///
/// # Errors
/// Returns the store's error.
pub fn left<'p>(
    db: &(impl Read + ?Sized),
    ended: impl Iterator<Item = &'p Pat> + Clone,
    now: Moment,
) -> Result<Vec<Twin>> {
    let ids: HashSet<TokenId> = ended.clone().map(|pat| pat.id).collect();
    let mut left = Vec::new();
    for pat in ended {
        if let Some(twin) = of(db, pat, now)?.filter(|twin| !ids.contains(&twin.id)) {
            left.push(Twin { of: pat.id, pat: twin });
        }
    }
    Ok(left)
}
