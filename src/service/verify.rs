//! Is this token good? The order of decisions, from the look-up to the committed audit row.

use super::Act;
use crate::domain::audit::{Action, Asked, Entry, Outcome};
use crate::domain::cache::CacheKey;
use crate::domain::decision::{Denial, Grant, Question, Reason, decide};
use crate::domain::dice::Dice;
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::presented::Presented;
use crate::domain::restriction::{Base, Refusal, Request};
use crate::domain::token::TokenId;
use crate::domain::verifier::{Verifier, Work};
use crate::store::contract::Result;
use crate::store::{Durability, Read, Store, Stored, Transaction};

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

/// Judges a token of the right shape and checksum, and writes down that it did.
///
/// # Errors
/// Any trouble with the database: then there is no verdict, and never a yes.
pub fn verify(
    store: &mut dyn Store,
    act: &Act<'_>,
    dice: &mut Dice,
    presented: &Presented,
    errand: &Errand<'_>,
) -> Result<Verdict> {
    let id = presented.token.id();
    if !act.policy.enabled {
        let mut change = store.begin(errand.durability)?;
        let verdict =
            Verdict { id, pat: None, rules: Vec::new(), answer: Err(Reason::DisabledGlobally.into()) };
        change.audit(&entry(act, errand, &verdict, (act.clock)()))?;
        change.commit()?;
        return Ok(verdict);
    }
    // The slow part happens before the lock is taken.
    let seen = store.token(id)?;
    let cached = remembered(act, presented, errand, seen.as_ref());
    let proof = if cached { Ok(()) } else { prove(store, act, presented, seen.as_ref())? };
    let fresh = renewal(act, dice, presented, errand, store, seen.as_ref(), proof)?;

    let mut durability = durability(errand, proof, seen.as_ref());
    let mut change = store.begin(durability)?;
    let mut current = change.token(id)?;
    if durability != Durability::Full && self::durability(errand, proof, current.as_ref()) == Durability::Full
    {
        // It became a successor while nobody held the lock: once more, as durable as its first use is.
        drop(change);
        durability = Durability::Full;
        change = store.begin(durability)?;
        current = change.token(id)?;
    }
    let same = same_verifier(seen.as_ref(), current.as_ref());
    // Made, pruned or rehashed while nobody held the lock: prove it again, now that we do.
    let proof = if same { proof } else { prove(change.as_ref(), act, presented, current.as_ref())? };
    let computed = !(same && cached);
    // Everything else is decided on the row as it is under the lock, at the time it is.
    let now = (act.clock)();
    let mut remember = None;
    let verdict = match (proof, current) {
        (Ok(()), Some(stored)) => {
            let (answer, rules) = ask(change.as_ref(), act, presented, errand, &stored.pat, now)?;
            let verifier = stored.verifier.ok().filter(|_| computed);
            remember =
                errand.cache.zip(verifier).map(|(key, verifier)| key.entry(&presented.token, &verifier, now));
            Verdict { id, pat: Some(stored.pat), rules, answer }
        }
        (Ok(()), None) => Verdict { id, pat: None, rules: Vec::new(), answer: Err(Reason::Unknown.into()) },
        (Err(reason), _) => Verdict { id, pat: None, rules: Vec::new(), answer: Err(reason.into()) },
    };
    change.audit(&entry(act, errand, &verdict, now))?;
    if errand.purpose == Purpose::Use {
        used(change.as_mut(), act, &verdict, now)?;
        if let Some((old, new)) = fresh.as_ref().filter(|_| verdict.answer.is_ok()) {
            change.renew(id, old, new)?;
        } else if let Some(proved) = remember.filter(|_| worth_remembering(&verdict)) {
            change.remember(id, &proved, act.policy.cache)?;
        }
    }
    change.commit()?;
    Ok(verdict)
}

/// The first use of a successor may end its predecessor, and that is a change.
fn durability(errand: &Errand<'_>, proof: Proof, stored: Option<&Stored>) -> Durability {
    let ends = stored.is_some_and(|stored| stored.pat.ends_predecessor);
    let changes = ends && proof.is_ok() && errand.purpose == Purpose::Use;
    if changes { Durability::Full } else { errand.durability }
}

/// What a use leaves behind beside its audit row.
fn used(change: &mut dyn Transaction, act: &Act<'_>, verdict: &Verdict, now: Moment) -> Result<()> {
    let id = verdict.id;
    match &verdict.answer {
        Ok(_) => change.touch(id, now, act.policy.last_used_interval)?,
        // Its successor has it by now, so who still holds it has not heard, or found it somewhere.
        Err(denial) if denial.reason == Reason::Rotated => return change.reused(id, now),
        Err(_) => return Ok(()),
    }
    let Some(pat) = verdict.pat.as_ref().filter(|pat| pat.ends_predecessor) else { return Ok(()) };
    if let Some(old) = change.switch(id, now)? {
        let detail = format!("{id} was used");
        let entry = act.done(now, Action::Switch, old.as_str(), pat.user.as_deref());
        change.audit(&Entry { detail: Some(&detail), ..entry })?;
    }
    Ok(())
}

/// The answer, and the restrictions it was found with.
type Answer = (std::result::Result<Grant, Denial>, Vec<String>);

/// Everything that is decided once the secret was right.
fn ask(
    db: &(impl Read + ?Sized),
    act: &Act<'_>,
    presented: &Presented,
    errand: &Errand<'_>,
    pat: &Pat,
    now: Moment,
) -> Result<Answer> {
    let rules = if pat.restricted { db.restrictions(pat.id)? } else { Vec::new() };
    let Errand { request, base, .. } = *errand;
    let answer =
        decide(act.policy, pat, &Question { scheme: &presented.scheme, now, request, base, rules: &rules });
    Ok((answer, rules))
}

/// One computation, whatever is known of the id.
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
    let work = db.work_near(presented.token.id())?.unwrap_or(Work::Argon2id(act.policy.cost));
    Verifier::pretend(&presented.token, work);
    Ok(Err(if verifier.is_some() { Reason::Damaged } else { Reason::Unknown }))
}

/// Whether the auth cache spares the computation: the secret was proved against this very verifier, not
/// too long ago. Wrong secrets are never in it.
fn remembered(act: &Act<'_>, presented: &Presented, errand: &Errand<'_>, seen: Option<&Stored>) -> bool {
    let Some((key, Stored { verifier: Ok(verifier), proved: Some(proved), .. })) = errand.cache.zip(seen)
    else {
        return false;
    };
    act.policy.cache.fresh(proved.at, (act.clock)()) && key.vouches(proved, &presented.token, verifier)
}

/// A token that may be used, or could be for another request. One that is at its end is not kept.
fn worth_remembering(verdict: &Verdict) -> bool {
    match &verdict.answer {
        Ok(_) => true,
        Err(denial) => matches!(denial.reason, Reason::Restricted | Reason::MalformedRequest),
    }
}

fn same_verifier(seen: Option<&Stored>, current: Option<&Stored>) -> bool {
    seen.map(|s| &s.verifier) == current.map(|s| &s.verifier)
}

/// A verifier at today's cost for a token whose stored one was made at another, or came with it, if it
/// will be allowed as far as can be told.
fn renewal(
    act: &Act<'_>,
    dice: &mut Dice,
    presented: &Presented,
    errand: &Errand<'_>,
    store: &dyn Store,
    stored: Option<&Stored>,
    proof: Proof,
) -> Result<Option<(Verifier, Verifier)>> {
    let Some(stored) = stored.filter(|_| proof.is_ok() && errand.purpose == Purpose::Use) else {
        return Ok(None);
    };
    let Some(old) = stored.verifier.as_ref().ok().filter(|old| !act.policy.keeps(old.work())) else {
        return Ok(None);
    };
    if ask(store, act, presented, errand, &stored.pat, (act.clock)())?.0.is_err() {
        return Ok(None);
    }
    let new = Verifier::make(&presented.token, act.policy.cost, dice).ok();
    Ok(new.map(|new| (old.clone(), new)))
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
            Err(denial) => Outcome::Denied(denial.reason),
        },
        reason: None,
        asked: errand.asked,
        changes: None,
        detail: verdict.answer.as_ref().err().and_then(|denial| denial.detail.as_deref()),
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
