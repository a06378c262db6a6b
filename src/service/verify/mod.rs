//! Is this token good? The order of decisions, from the look-up to the committed audit row.

mod prove;
mod settle;

use super::Act;
use crate::domain::audit::{Action, Asked, Entry, Outcome};
use crate::domain::cache::CacheKey;
use crate::domain::decision::{Denial, Grant, Question, Reason, decide};
use crate::domain::dice::Dice;
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::presented::{Presented, Scheme};
use crate::domain::restriction::{Base, Refusal, Request};
use crate::domain::token::TokenId;
use crate::domain::verifier::NoMemory;
use crate::store::contract::Result;
use crate::store::{Durability, Read, Store, StoreError};
pub(super) use prove::{Sight, known};
use settle::Rows;

/// Whether the secret was right.
pub(super) type Proof = std::result::Result<(), Unproved>;

/// Why a secret is not known to be right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unproved {
    /// It is wrong, or there is nothing it could be right for.
    Wrong(Reason),
    /// There was no memory to find out.
    NoMemory(NoMemory),
    /// Nobody tried, which is a mistake of this program's.
    Forgotten,
}

impl From<Reason> for Unproved {
    fn from(reason: Reason) -> Self {
        Self::Wrong(reason)
    }
}

impl From<NoMemory> for Unproved {
    fn from(refused: NoMemory) -> Self {
        Self::NoMemory(refused)
    }
}

impl From<Unproved> for Denial {
    fn from(unproved: Unproved) -> Self {
        let trouble = |detail| Self { reason: Reason::Unavailable, detail: Some(detail) };
        match unproved {
            Unproved::Wrong(reason) => reason.into(),
            Unproved::NoMemory(refused) => trouble(refused.to_string()),
            Unproved::Forgotten => trouble("the secret was not checked".to_owned()),
        }
    }
}

/// The answer. It exists only once its audit row is committed.
#[derive(Debug)]
#[must_use]
pub struct Verdict {
    /// The id that was presented; no token need have it.
    pub id: TokenId,
    /// The token, once its secret was proved. A wrong secret learns nothing of it.
    pub pat: Option<Pat>,
    /// Its restrictions, line by line, once its secret was proved.
    pub rules: Vec<String>,
    /// Yes, or why not.
    pub answer: std::result::Result<Grant, Denial>,
}

/// What a token is presented for.
#[derive(Debug)]
pub struct Errand<'e> {
    /// To be used, or to be looked at.
    pub purpose: Purpose,
    /// The request it should allow.
    pub request: &'e std::result::Result<Request, Refusal>,
    /// Where the guarded service lives.
    pub base: Option<&'e Base>,
    /// The request as it is written down.
    pub asked: Asked<'e>,
    /// How durable the audit row must be.
    pub durability: Durability,
    /// The key of the auth cache, where there is one.
    pub cache: Option<&'e CacheKey>,
}

/// Why a token is presented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To be used: a yes counts as a use.
    Use,
    /// To be looked at.
    Look,
}

/// A token and what it is presented for.
#[derive(Debug)]
pub struct Case<'c> {
    /// The token, of the right shape and checksum.
    pub presented: &'c Presented,
    /// What for.
    pub errand: Errand<'c>,
}

/// Judges a token of the right shape and checksum, and writes down that it did.
///
/// # Errors
/// Any trouble with the database: then there is no verdict, and never a yes.
pub fn verify(store: &mut dyn Store, act: &Act<'_>, dice: &mut Dice, case: Case<'_>) -> Result<Verdict> {
    let mut verdicts = verify_all(store, act, dice, &[case])?;
    verdicts.pop().ok_or_else(|| StoreError::Damaged("there is no verdict".to_owned()))
}

/// Judges several in one transaction: there are verdicts for all, in their order, or for none.
///
/// # Errors
/// Any trouble with the database.
pub fn verify_all(
    store: &mut dyn Store,
    act: &Act<'_>,
    dice: &mut Dice,
    cases: &[Case<'_>],
) -> Result<Vec<Verdict>> {
    if !act.policy.enabled {
        return disabled(store, act, cases);
    }
    // The slow part happens before the lock is taken.
    let seen = prove::look(store, cases)?;
    let proofs = prove::all(store, act, cases, &seen)?;
    let fresh = prove::renewals(store, act, dice, cases, &seen, &proofs)?;

    let mut durability = durability(cases);
    let mut change = store.begin(durability)?;
    let mut rows = Rows::default();
    if durability != Durability::Full && rows.one_ends_another(change.as_ref(), cases, &proofs)? {
        // That is a change: once more, as durable as one must be.
        drop(change);
        durability = Durability::Full;
        change = store.begin(durability)?;
        rows = Rows::default();
    }
    let mut verdicts = Vec::with_capacity(cases.len());
    for ((case, proof), fresh) in cases.iter().zip(&proofs).zip(&fresh) {
        let seen = seen.get(&case.presented.token.id());
        verdicts.push(settle::settle(
            change.as_mut(),
            &mut rows,
            act,
            case,
            &settle::Before { seen, proof, fresh },
        )?);
    }
    change.commit()?;
    Ok(verdicts)
}

/// PATs are switched off: nothing is looked at.
fn disabled(store: &mut dyn Store, act: &Act<'_>, cases: &[Case<'_>]) -> Result<Vec<Verdict>> {
    let mut change = store.begin(durability(cases))?;
    let mut verdicts = Vec::with_capacity(cases.len());
    for case in cases {
        let answer = Err(Reason::DisabledGlobally.into());
        let verdict = Verdict { id: case.presented.token.id(), pat: None, rules: Vec::new(), answer };
        change.audit(&entry(act, &case.errand, &verdict, (act.clock)()))?;
        verdicts.push(verdict);
    }
    change.commit()?;
    Ok(verdicts)
}

fn durability(cases: &[Case<'_>]) -> Durability {
    let full = cases.iter().any(|case| case.errand.durability == Durability::Full);
    if full { Durability::Full } else { Durability::Relaxed }
}

fn entry<'a>(act: &'a Act<'_>, errand: &Errand<'a>, verdict: &'a Verdict, at: Moment) -> Entry<'a> {
    Entry {
        at,
        actor: act.actor,
        action: if errand.purpose == Purpose::Use { Action::Verify } else { Action::Whoami },
        token_id: verdict.id.as_str(),
        user: verdict.pat.as_ref().and_then(|pat| pat.user.as_deref()),
        effective_user: verdict.answer.as_ref().ok().map(|grant| grant.effective_user.as_str()),
        outcome: match &verdict.answer {
            Ok(_) => Outcome::Allowed,
            Err(denial) if denial.reason.is_trouble() => Outcome::Error(denial.reason),
            Err(denial) => Outcome::Denied(denial.reason),
        },
        reason: None,
        // Who proved nothing fills no disk.
        asked: if verdict.pat.is_some() { errand.asked } else { errand.asked.short() },
        changes: None,
        version: None,
        detail: verdict.answer.as_ref().err().and_then(|denial| denial.detail.as_deref()),
    }
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
    match (prove::one(store, act, presented, &sight)?, sight) {
        (Ok(()), Sight::Row(stored)) => Ok(Some(stored.pat)),
        (Err(Unproved::NoMemory(refused)), _) => Err(IdentifyError::Memory(refused)),
        (Err(Unproved::Wrong(Reason::Damaged)), _) => Err(IdentifyError::Damaged(id)),
        (Ok(()) | Err(Unproved::Wrong(_) | Unproved::Forgotten), _) => Ok(None),
    }
}
