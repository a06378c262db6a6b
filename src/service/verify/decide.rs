//! Decides a prepared item, and determines how long the decision holds.

use super::item::{Verdict, VerifyContext, VerifyItem};
use super::prepare::{Prepared, Seen};
use super::proof::{Sight, Unproved};
use crate::domain::decision::{self, Denial, Grant, Question, Reason};
use crate::domain::integrity::Damage;
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::service::clock::Reading;
use crate::store::Stored;
use crate::store::log::UNKNOWN;

/// A verdict without its audit row. It must not leave this module before that row is committed.
pub struct Decision {
    pub verdict: Verdict,
    /// The time from which the verdict may be different.
    pub until: Option<Moment>,
}

/// Decides on an item.
pub fn decide(ctx: &VerifyContext<'_>, prepared: &Prepared, now: Moment) -> Decision {
    let item = &prepared.attempt.item;
    let id = item.id();
    let no = |denial: Denial| Verdict { id, pat: None, rules: Vec::new(), answer: Err(denial) };
    let damaged = |why: &str| no(Denial { reason: Reason::Damaged, detail: Some(why.to_owned()) });
    let proof = prepared.proved.proof;
    let stands = |verdict| Decision { verdict, until: None };
    match (proof, prepared.seen.as_deref()) {
        (Err(Unproved::Wrong(Reason::Damaged)) | Ok(()), Some(Sight::Unreadable(why))) => {
            stands(damaged(why))
        }
        (Err(unproved), _) => stands(no(unproved.into())),
        (Ok(()), None | Some(Sight::Absent)) => stands(no(Reason::Unknown.into())),
        (Ok(()), Some(Sight::Row(Seen { rest: Err(why), .. }))) => stands(damaged(why)),
        (Ok(()), Some(Sight::Row(Seen { stored, rest: Ok(rest) }))) => match &rest.seal {
            Err(Damage::Ended) => stands(no(Reason::Revoked.into())),
            // The secret is right, or the verifier in an altered row is: nothing of it is believed, or shown.
            Err(damage) => stands(damaged(&damage.to_string())),
            Ok(()) => {
                let later = now.max(prepared.attempt.mark);
                let until = first(
                    decision::stands_until(ctx.policy, &stored.pat, later),
                    spared(ctx, prepared, stored),
                );
                let answer =
                    timely(now, prepared.attempt.mark, |now| ask(ctx, item, &stored.pat, &rest.rules, now));
                if let Err(denial @ Denial { reason: Reason::Clock, .. }) = answer {
                    return stands(no(denial));
                }
                let verdict =
                    Verdict { id, pat: Some(stored.pat.clone()), rules: rest.rules.clone(), answer };
                Decision { verdict, until }
            }
        },
    }
}

fn first(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    one.into_iter().chain(other).min()
}

/// Returns the end of the auth cache entry if the secret was verified by that alone.
fn spared(ctx: &VerifyContext<'_>, prepared: &Prepared, stored: &Stored) -> Option<Moment> {
    let proved = stored.proved.filter(|_| prepared.proved.cached)?;
    Some(ctx.policy.cache.end(proved.at))
}

/// Decides everything that follows a correct secret.
pub fn ask(
    ctx: &VerifyContext<'_>,
    item: &VerifyItem,
    pat: &Pat,
    rules: &[String],
    now: Moment,
) -> Result<Grant, Denial> {
    let VerifyItem { credential, request, .. } = item;
    let question = Question { scheme: &credential.scheme, now, request, base: ctx.base, rules };
    decision::decide(ctx.policy, pat, &question)
}

/// Decides by the clock, or by the greatest time of the log where that is later: a clock that went back brings
/// nothing back to life. Where the two are far apart and disagree, nothing is decided.
fn timely(now: Moment, mark: Moment, ask: impl Fn(Moment) -> Result<Grant, Denial>) -> Result<Grant, Denial> {
    if mark <= now {
        return ask(now);
    }
    let (by_clock, by_log) = (ask(now), ask(mark));
    let reason = |answer: &Result<Grant, Denial>| answer.as_ref().err().map(|denial| denial.reason);
    let apart = Reading { clock: now, mark }.is_apart();
    if !apart || reason(&by_clock) == reason(&by_log) {
        return by_log;
    }
    let detail = if mark == UNKNOWN {
        "the head of the audit log is not what patctl wrote, so that it cannot be told how late it is"
            .to_owned()
    } else {
        format!("the clock says {now}, the audit log has a row of {mark}")
    };
    Err(Denial { reason: Reason::Clock, detail: Some(detail) })
}
