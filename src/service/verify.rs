//! Is this token good? The order of decisions, from the look-up to the committed audit row.

use super::Act;
use crate::domain::audit::{Action, Entry, Outcome};
use crate::domain::decision::{Grant, Reason, decide};
use crate::domain::dice::Dice;
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::presented::Presented;
use crate::domain::token::TokenId;
use crate::domain::verifier::Verifier;
use crate::store::contract::Result;
use crate::store::{Durability, Read, Store, Stored};

/// Whether the secret was right.
type Proof = std::result::Result<(), Reason>;

/// The answer. It exists only once its audit row is committed.
#[derive(Debug)]
#[must_use]
pub struct Verdict {
    /// The id that was presented; no token need have it.
    pub id: TokenId,
    /// The token, once its secret was proved. A wrong secret learns nothing of it.
    pub pat: Option<Pat>,
    /// Yes, or why not.
    pub answer: std::result::Result<Grant, Reason>,
}

/// Why a token is presented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To be used: a yes counts as a use.
    Use,
    /// To be looked at.
    Look,
}

/// Judges a token of the right shape and checksum, and writes down that it did.
///
/// # Errors
/// Any trouble with the database: then there is no verdict, and never a yes.
pub fn verify(
    store: &mut dyn Store,
    act: &Act<'_>,
    dice: &mut Dice,
    presented: &Presented,
    purpose: Purpose,
    durability: Durability,
) -> Result<Verdict> {
    let id = presented.token.id();
    if !act.policy.enabled {
        let mut change = store.begin(durability)?;
        let verdict = Verdict { id, pat: None, answer: Err(Reason::DisabledGlobally) };
        change.audit(&entry(act, purpose, &verdict, (act.clock)()))?;
        change.commit()?;
        return Ok(verdict);
    }
    // The slow part happens before the lock is taken.
    let seen = store.token(id)?;
    let proof = prove(store, act, presented, seen.as_ref())?;
    let fresh = renewal(act, dice, presented, seen.as_ref(), proof);

    let mut change = store.begin(durability)?;
    let current = change.token(id)?;
    let proof = if same_verifier(seen.as_ref(), current.as_ref()) {
        proof
    } else {
        // Made, pruned or rehashed while nobody held the lock: prove it again, now that we do.
        prove(change.as_ref(), act, presented, current.as_ref())?
    };
    // Everything else is decided on the row as it is under the lock, at the time it is.
    let now = (act.clock)();
    let verdict = match (proof, current) {
        (Ok(()), Some(stored)) => {
            let answer = decide(act.policy, &stored.pat, &presented.scheme, now);
            Verdict { id, pat: Some(stored.pat), answer }
        }
        (Ok(()), None) => Verdict { id, pat: None, answer: Err(Reason::Unknown) },
        (Err(reason), _) => Verdict { id, pat: None, answer: Err(reason) },
    };
    change.audit(&entry(act, purpose, &verdict, now))?;
    if verdict.answer.is_ok() && purpose == Purpose::Use {
        change.touch(id, now, act.policy.last_used_interval)?;
        if let Some((old, new)) = &fresh {
            change.renew(id, old, new)?;
        }
    }
    change.commit()?;
    Ok(verdict)
}

/// One Argon2 computation, whatever is known of the id.
fn prove(
    db: &(impl Read + ?Sized),
    act: &Act<'_>,
    presented: &Presented,
    stored: Option<&Stored>,
) -> Result<Proof> {
    let verifier = stored.map(|stored| stored.verifier.as_ref());
    if let Some(Ok(verifier)) = verifier {
        return Ok(verifier.matches(&presented.token).then_some(()).ok_or(Reason::WrongSecret));
    }
    let cost = db.cost_near(presented.token.id())?.unwrap_or(act.policy.cost);
    Verifier::pretend(&presented.token, cost);
    Ok(Err(if verifier.is_some() { Reason::Damaged } else { Reason::Unknown }))
}

fn same_verifier(seen: Option<&Stored>, current: Option<&Stored>) -> bool {
    seen.map(|s| &s.verifier) == current.map(|s| &s.verifier)
}

/// A verifier at today's cost for a token whose stored one was made at another, if it will be
/// allowed as far as can be told.
fn renewal(
    act: &Act<'_>,
    dice: &mut Dice,
    presented: &Presented,
    stored: Option<&Stored>,
    proof: Proof,
) -> Option<(Verifier, Verifier)> {
    let stored = stored.filter(|_| proof.is_ok())?;
    let old = stored.verifier.as_ref().ok().filter(|old| old.cost() != act.policy.cost)?;
    let grant = decide(act.policy, &stored.pat, &presented.scheme, (act.clock)());
    if grant.is_err() {
        return None;
    }
    let new = Verifier::make(&presented.token, act.policy.cost, dice).ok()?;
    Some((old.clone(), new))
}

fn entry<'a>(act: &'a Act<'_>, purpose: Purpose, verdict: &'a Verdict, at: Moment) -> Entry<'a> {
    Entry {
        at,
        actor: act.actor,
        action: if purpose == Purpose::Use { Action::Verify } else { Action::Whoami },
        token_id: verdict.id.as_str(),
        user: verdict.pat.as_ref().and_then(|pat| pat.user.as_deref()),
        effective_user: verdict.answer.as_ref().ok().map(|grant| grant.effective_user.as_str()),
        outcome: match &verdict.answer {
            Ok(_) => Outcome::Allowed,
            Err(reason) => Outcome::Denied(*reason),
        },
        reason: None,
    }
}

/// The token whose secret this is, whatever its state; for taking a leaked one back.
///
/// # Errors
/// What the database gave.
pub fn identify(store: &dyn Store, act: &Act<'_>, presented: &Presented) -> Result<Option<Pat>> {
    let stored = store.token(presented.token.id())?;
    let proof = prove(store, act, presented, stored.as_ref())?;
    Ok(stored.filter(|_| proof.is_ok()).map(|stored| stored.pat))
}
