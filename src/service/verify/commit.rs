//! The second stage: decides a group of items and records the results in one transaction.

use super::decide::{Decision, decide};
use super::item::{Attempt, Purpose, Verdict, VerifyContext, VerifyItem};
use super::prepare::{Prepared, Seen};
use super::proof::Sight;
use crate::domain::actor::Authority;
use crate::domain::audit::{Action, Entry, Outcome};
use crate::domain::cache::{CacheLimits, Proved};
use crate::domain::decision::Reason;
use crate::domain::moment::Moment;
use crate::domain::token::TokenId;
use crate::service::Act;
use crate::store::contract::Result;
use crate::store::{Durability, Store, Use, Written};
use std::collections::HashSet;

/// Decides each item and records its result. An item whose row or time has changed since `prepare` is returned as a new
/// attempt; the other items of the group are not affected.
///
/// # Errors
/// Any trouble with the database: then there are no verdicts, and never a yes.
pub fn commit(
    db: &mut dyn Store,
    ctx: &VerifyContext<'_>,
    prepared: Vec<Prepared>,
) -> Result<Vec<std::result::Result<Verdict, Attempt>>> {
    let now = (ctx.clock)();
    let decided: Vec<Decision> = prepared.iter().map(|item| decide(ctx, item, now)).collect();
    let written = {
        let mut noted = Noted::default();
        let uses: Vec<Use<'_>> = prepared
            .iter()
            .zip(&decided)
            .map(|(item, decision)| plan(ctx, item, decision, now, &mut noted))
            .collect();
        let ends: Vec<bool> = prepared
            .iter()
            .zip(&decided)
            .map(|(item, decision)| ends_another(item, &decision.verdict))
            .collect();
        write(db, ctx, &prepared, &uses, &ends)?
    };
    let each = prepared.into_iter().zip(decided).zip(written);
    Ok(each
        .map(|((item, decision), written)| match written {
            Written::Done => Ok(decision.verdict),
            Written::Again { mark } => Err(Attempt { mark, tried: item.attempt.tried + 1, ..item.attempt }),
        })
        .collect())
}

/// Records the uses in order. A use that ends another token gets its own fully durable transaction.
fn write(
    db: &mut dyn Store,
    ctx: &VerifyContext<'_>,
    prepared: &[Prepared],
    uses: &[Use<'_>],
    ends: &[bool],
) -> Result<Vec<Written>> {
    let mut written = Vec::with_capacity(uses.len());
    while written.len() < uses.len() {
        let at = written.len();
        if ends[at] {
            written.push(first_use(db, ctx, &prepared[at], &uses[at])?);
            continue;
        }
        let count = ends[at..].iter().take_while(|ends| !**ends).count();
        written.extend(db.record_uses(&uses[at..at + count], ctx.clock, ctx.durability)?);
    }
    Ok(written)
}

/// Whether the token ends its predecessor by being used.
fn ends_another(item: &Prepared, verdict: &Verdict) -> bool {
    item.attempt.item.purpose == Purpose::Use
        && verdict.answer.is_ok()
        && verdict.pat.as_ref().is_some_and(|pat| pat.ends_predecessor)
}

/// Records the first use of a successor and ends its predecessor in the same transaction.
fn first_use(
    db: &mut dyn Store,
    ctx: &VerifyContext<'_>,
    prepared: &Prepared,
    used: &Use<'_>,
) -> Result<Written> {
    let mut change = db.begin(Durability::Full)?;
    let written = change.record_uses(std::slice::from_ref(used), ctx.clock)?;
    let Some(Written::Done) = written.first() else {
        return Ok(Written::Again { mark: change.latest() });
    };
    let now = (ctx.clock)();
    if let Some(old) = change.switch(used.id, now)? {
        let VerifyItem { actor, meta, .. } = &*prepared.attempt.item;
        let act =
            Act { policy: ctx.policy, actor, authority: &Authority::Administrator, meta, clock: ctx.clock };
        let detail = format!("{} was used", used.id);
        let entry = act.done(now, Action::Switch, old.as_str(), used.entry.user);
        change.audit(&Entry { detail: Some(&detail), ..entry })?;
    }
    change.commit()?;
    Ok(Written::Done)
}

/// Tokens of the group whose last use or cache entry is already among the writes.
#[derive(Default)]
struct Noted {
    touched: HashSet<TokenId>,
    remembered: HashSet<TokenId>,
}

/// Builds the use to record for a decision.
fn plan<'u>(
    ctx: &VerifyContext<'_>,
    prepared: &'u Prepared,
    decision: &'u Decision,
    now: Moment,
    noted: &mut Noted,
) -> Use<'u> {
    let Decision { verdict, until } = decision;
    let mut used = Use {
        id: verdict.id,
        basis: prepared.basis(),
        until: *until,
        entry: entry(prepared, verdict, now),
        touch: false,
        reused: false,
        remember: None,
        renew: None,
    };
    if prepared.attempt.item.purpose != Purpose::Use {
        return used;
    }
    match &verdict.answer {
        Ok(_) => {
            let due = verdict
                .pat
                .as_ref()
                .is_some_and(|pat| pat.life.is_use_to_be_noted(now, ctx.policy.last_used_interval));
            used.touch = due && noted.touched.insert(verdict.id);
            used.renew = prepared.renewal.as_ref().map(|(old, new)| (old, new));
            // A cache entry for the old verifier would be useless after this.
            noted.remembered.extend(used.renew.is_some().then_some(verdict.id));
        }
        // Record that the replaced token is still in use: its holder has not switched, or it has leaked.
        Err(denial) => used.reused = denial.reason == Reason::Rotated,
    }
    if used.renew.is_none() && !noted.remembered.contains(&verdict.id) {
        used.remember = remembered(ctx, prepared, verdict, now);
        noted.remembered.extend(used.remember.is_some().then_some(verdict.id));
    }
    used
}

/// Builds the cache entry for a token that is allowed, or would be for another request. Ended tokens are not cached.
fn remembered(
    ctx: &VerifyContext<'_>,
    prepared: &Prepared,
    verdict: &Verdict,
    now: Moment,
) -> Option<(Proved, CacheLimits)> {
    let worth_it = match &verdict.answer {
        Ok(_) => true,
        Err(denial) => {
            matches!(denial.reason, Reason::Restricted | Reason::MalformedRequest | Reason::BodyUnseen)
        }
    };
    let Some(Sight::Row(Seen { stored, .. })) = prepared.seen.as_deref() else { return None };
    let (key, verifier) = ctx.cache.zip(stored.verifier.as_ref().ok())?;
    (worth_it && !prepared.proved.cached)
        .then(|| (key.entry(&prepared.attempt.item.credential.token, verifier, now), ctx.policy.cache))
}

fn entry<'a>(prepared: &'a Prepared, verdict: &'a Verdict, at: Moment) -> Entry<'a> {
    let item = &*prepared.attempt.item;
    Entry {
        at,
        actor: &item.actor,
        action: if item.purpose == Purpose::Use { Action::Verify } else { Action::Whoami },
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
        asked: if verdict.pat.is_some() { item.asked() } else { item.asked().short() },
        changes: None,
        version: None,
        meta: &item.meta,
        detail: verdict.answer.as_ref().err().and_then(|denial| denial.detail.as_deref()),
    }
}
