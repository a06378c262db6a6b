//! Is this token good? Two stages: [`prepare`] reads and computes, for each token by itself; [`commit`] decides and
//! writes down, for a group at once. Every front end is made of these two.

mod commit;
mod decide;
mod item;
mod prepare;
mod proof;

use super::Act;
use crate::domain::decision::{Denial, Grant, Question, Reason, decide};
use crate::domain::dice::Dice;
use crate::domain::pat::Pat;
use crate::domain::presented::{Presented, Scheme};
use crate::domain::restriction::{Base, Refusal, Request};
use crate::domain::token::TokenId;
use crate::domain::verifier::NoMemory;
use crate::store::contract::Result;
use crate::store::{Read, Store, StoreError};
pub use commit::commit;
pub use item::{Attempt, Purpose, Verdict, VerifyContext, VerifyItem};
pub use prepare::{Prepared, prepare, prepare_all};
pub(super) use proof::{Sight, Unproved, known};
use std::sync::Arc;

/// Judges a token of the right shape and checksum, and writes down that it did.
///
/// # Errors
/// Any trouble with the database: then there is no verdict, and never a yes.
pub fn verify(
    db: &mut dyn Store,
    ctx: &VerifyContext<'_>,
    dice: &mut Dice,
    item: VerifyItem,
) -> Result<Verdict> {
    let mut verdicts = verify_all(db, ctx, dice, &[Arc::new(item)])?;
    verdicts.pop().ok_or_else(|| StoreError::Damaged("there is no verdict".to_owned()))
}

/// Judges several: there are verdicts for all, in their order, or for none.
///
/// # Errors
/// As [`verify`].
pub fn verify_all(
    db: &mut dyn Store,
    ctx: &VerifyContext<'_>,
    dice: &mut Dice,
    items: &[Arc<VerifyItem>],
) -> Result<Vec<Verdict>> {
    let mut verdicts: Vec<Option<Verdict>> = items.iter().map(|_| None).collect();
    let mut open: Vec<(usize, Attempt)> = items.iter().cloned().map(Attempt::from).enumerate().collect();
    // Ends: what was tried often enough is trouble, which rests on nothing that could change.
    while !open.is_empty() {
        let (places, attempts): (Vec<usize>, Vec<Attempt>) = open.drain(..).unzip();
        let prepared = prepare_all(db, ctx, dice, attempts)?;
        for (place, answer) in places.into_iter().zip(commit(db, ctx, prepared)?) {
            match answer {
                Ok(verdict) => verdicts[place] = Some(verdict),
                Err(attempt) => open.push((place, attempt)),
            }
        }
    }
    let all: Option<Vec<Verdict>> = verdicts.into_iter().collect();
    all.ok_or_else(|| StoreError::Damaged("there is no verdict".to_owned()))
}

/// The answer, and the restrictions it was found with.
pub type Answer = (std::result::Result<Grant, Denial>, Vec<String>);

/// What [`verify`] would say to the holder of a token, without its secret and without a trace.
///
/// # Errors
/// What the database gave.
pub fn rehearse(
    db: &(impl Read + ?Sized),
    act: &Act<'_>,
    pat: &Pat,
    scheme: &Scheme,
    request: &std::result::Result<Request, Refusal>,
    base: Option<&Base>,
) -> Result<Answer> {
    let rules = if pat.restricted { db.restrictions(pat.id)? } else { Vec::new() };
    if !act.policy.enabled {
        return Ok((Err(Reason::DisabledGlobally.into()), rules));
    }
    let question = Question { scheme, now: (act.clock)(), request, base, rules: &rules };
    let verdict = decide(act.policy, pat, &question);
    Ok((verdict, rules))
}

/// Why it is not known whose secret something is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IdentifyError {
    /// There was no memory to find out.
    Memory(NoMemory),
    /// There is a token of this id, and what would prove its secret cannot be read.
    Damaged(TokenId),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for IdentifyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The token whose secret this is, whatever its state; for taking a leaked one back.
///
/// # Errors
/// [`IdentifyError`]
pub fn identify(
    store: &dyn Store,
    act: &Act<'_>,
    presented: &Presented,
) -> std::result::Result<Option<Pat>, IdentifyError> {
    let id = presented.token.id();
    let sight = Sight::of(store.token(id))?;
    match (proof::one(store, act.policy, presented, &sight)?, sight) {
        (Ok(()), Sight::Row(stored)) => Ok(Some(stored.pat)),
        (Err(Unproved::NoMemory(refused)), _) => Err(IdentifyError::Memory(refused)),
        (Err(Unproved::Wrong(Reason::Damaged)), _) => Err(IdentifyError::Damaged(id)),
        (Ok(()) | Err(Unproved::Wrong(_) | Unproved::Unsteady | Unproved::Forgotten), _) => Ok(None),
    }
}
