//! What is decided, and written, under the lock.

use super::prove::{self, Proved, Renewal, Sight};
use super::{Case, Errand, Purpose, Unproved, Verdict, entry};
use crate::domain::audit::{Action, Entry};
use crate::domain::decision::{Denial, Grant, Question, Reason, decide};
use crate::domain::integrity::Damage;
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::token::TokenId;
use crate::service::Act;
use crate::service::clock::Reading;
use crate::store::contract::Result;
use crate::store::{Evidence, Stored, Transaction};
use std::collections::HashMap;
use std::collections::hash_map;

/// What was found out before the lock was taken.
pub struct Before<'b> {
    /// The row as it was then.
    pub seen: Option<&'b Sight<Stored>>,
    /// Whether the secret was right for it.
    pub proof: &'b Proved,
    /// The verifier that should take the place of its own.
    pub fresh: &'b Renewal,
}

/// The rows as they are under the lock, each read once: nobody else writes meanwhile.
#[derive(Default)]
pub struct Rows(HashMap<TokenId, Sight<Row>>);

struct Row {
    stored: Stored,
    rules: Vec<String>,
    /// Whether all of that is what patctl wrote.
    seal: std::result::Result<(), Damage>,
    /// Whether its use was noted in this transaction, and its secret remembered.
    noted: bool,
    remembered: bool,
}

impl From<Evidence> for Row {
    fn from(Evidence { stored, rules, seal }: Evidence) -> Self {
        Self { stored, rules, seal, noted: false, remembered: false }
    }
}

impl Rows {
    fn get(&mut self, change: &dyn Transaction, id: TokenId) -> Result<&mut Sight<Row>> {
        Ok(match self.0.entry(id) {
            hash_map::Entry::Occupied(row) => row.into_mut(),
            hash_map::Entry::Vacant(place) => {
                let row = change.evidence(id).map(|evidence| evidence.map(Row::from));
                place.insert(Sight::of(row)?)
            }
        })
    }

    /// Whether one of the tokens ends its predecessor by being used.
    pub fn one_ends_another(
        &mut self,
        change: &dyn Transaction,
        cases: &[Case<'_>],
        proofs: &[Proved],
    ) -> Result<bool> {
        for (case, proved) in cases.iter().zip(proofs) {
            let used = case.errand.purpose == Purpose::Use && proved.proof.is_ok();
            let row = self.get(change, case.presented.token.id())?;
            if used && row.row().is_some_and(|row| row.stored.pat.ends_predecessor) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Decides on the row as it is under the lock, at the time it is, and writes down what came of it.
pub fn settle(
    change: &mut dyn Transaction,
    rows: &mut Rows,
    act: &Act<'_>,
    case: &Case<'_>,
    before: &Before<'_>,
) -> Result<Verdict> {
    let Case { presented, errand } = case;
    let id = presented.token.id();
    let row = rows.get(change, id)?;
    let now = (act.clock)();
    let mark = change.clock_mark();
    let same = unchanged(before.seen, row) && !(before.proof.cached && is_stale(act, row, now.max(mark)));
    let proof = if same {
        before.proof.proof
    } else {
        // Made, pruned or rehashed while nobody held the lock: prove it again, now that we do.
        prove::one(change, act, presented, &Sight::of(change.token(id))?)?
    };
    let no = |denial: Denial| Verdict { id, pat: None, rules: Vec::new(), answer: Err(denial) };
    let damaged = |why: String| no(Denial { reason: Reason::Damaged, detail: Some(why) });
    let verdict = match (proof, &*row) {
        (Err(Unproved::Wrong(Reason::Damaged)) | Ok(()), Sight::Unreadable(why)) => damaged(why.clone()),
        (Ok(()), Sight::Row(Row { seal: Err(Damage::Ended), .. })) => no(Reason::Revoked.into()),
        // The secret is right, or the verifier in an altered row is: nothing of it is believed, or shown.
        (Ok(()), Sight::Row(Row { seal: Err(damage), .. })) => damaged(damage.to_string()),
        (Ok(()), Sight::Row(Row { stored, rules, .. })) => {
            let answer = timely(now, mark, |now| ask(act, case, &stored.pat, rules, now));
            if let Err(denial @ Denial { reason: Reason::Clock, .. }) = answer {
                no(denial)
            } else {
                Verdict { id, pat: Some(stored.pat.clone()), rules: rules.clone(), answer }
            }
        }
        (Ok(()), Sight::Absent) => no(Reason::Unknown.into()),
        (Err(unproved), _) => no(unproved.into()),
    };
    change.audit(&entry(act, errand, &verdict, now))?;
    let Sight::Row(row) = row else { return Ok(verdict) };
    if errand.purpose != Purpose::Use {
        return Ok(verdict);
    }
    if let Some((old, new)) = before.fresh.as_ref().filter(|_| verdict.answer.is_ok()) {
        change.renew(id, old, new)?;
        row.remembered = true;
    } else if !(row.remembered || same && before.proof.cached) && worth_remembering(&verdict) {
        remember(change, act, case, &row.stored, now)?;
        row.remembered = true;
    }
    let noted = row.noted;
    row.noted |= verdict.answer.is_ok();
    if used(change, act, &verdict, now, noted)? {
        // It is no successor any longer, and its predecessor is at its end: both are read again.
        rows.0.clear();
    }
    Ok(verdict)
}

/// Whether what proves the secret is what it was before the lock was taken.
fn unchanged(seen: Option<&Sight<Stored>>, row: &Sight<Row>) -> bool {
    match (seen, row) {
        (Some(Sight::Row(seen)), Sight::Row(row)) => seen.verifier == row.stored.verifier,
        (None | Some(Sight::Absent), Sight::Absent) | (Some(Sight::Unreadable(_)), Sight::Unreadable(_)) => {
            true
        }
        _ => false,
    }
}

/// Decides by the clock, or by the greatest time of the log where that is later: a clock that went back brings
/// nothing back to life. Where the two are far apart and disagree, nothing is decided.
fn timely(
    now: Moment,
    mark: Moment,
    ask: impl Fn(Moment) -> std::result::Result<Grant, Denial>,
) -> std::result::Result<Grant, Denial> {
    if mark <= now {
        return ask(now);
    }
    let (by_clock, by_log) = (ask(now), ask(mark));
    let reason =
        |answer: &std::result::Result<Grant, Denial>| answer.as_ref().err().map(|denial| denial.reason);
    let apart = Reading { clock: now, mark }.is_apart();
    if !apart || reason(&by_clock) == reason(&by_log) {
        return by_log;
    }
    let detail = format!("the clock says {now}, the audit log has a row of {mark}");
    Err(Denial { reason: Reason::Clock, detail: Some(detail) })
}

/// Whether a proof that was remembered is too old, seen from the later of clock and log.
fn is_stale(act: &Act<'_>, row: &Sight<Row>, later: Moment) -> bool {
    let Sight::Row(Row { stored, .. }) = row else { return false };
    stored.proved.is_some_and(|proved| !act.policy.cache.fresh(proved.at, later))
}

/// Everything that is decided once the secret was right.
pub fn ask(
    act: &Act<'_>,
    case: &Case<'_>,
    pat: &Pat,
    rules: &[String],
    now: Moment,
) -> std::result::Result<Grant, Denial> {
    let Errand { request, base, .. } = case.errand;
    decide(act.policy, pat, &Question { scheme: &case.presented.scheme, now, request, base, rules })
}

/// A token that may be used, or could be for another request. One that is at its end is not kept.
fn worth_remembering(verdict: &Verdict) -> bool {
    match &verdict.answer {
        Ok(_) => true,
        Err(denial) => {
            matches!(denial.reason, Reason::Restricted | Reason::MalformedRequest | Reason::BodyUnseen)
        }
    }
}

fn remember(
    change: &mut dyn Transaction,
    act: &Act<'_>,
    case: &Case<'_>,
    stored: &Stored,
    now: Moment,
) -> Result<()> {
    let (Some(key), Ok(verifier)) = (case.errand.cache, &stored.verifier) else { return Ok(()) };
    let proved = key.entry(&case.presented.token, verifier, now);
    change.remember(stored.pat.id, &proved, act.policy.cache)
}

/// What a use leaves behind beside its audit row; true where it ended a predecessor.
fn used(
    change: &mut dyn Transaction,
    act: &Act<'_>,
    verdict: &Verdict,
    now: Moment,
    noted: bool,
) -> Result<bool> {
    let id = verdict.id;
    let due = |pat: &Pat| pat.life.is_use_to_be_noted(now, act.policy.last_used_interval);
    match &verdict.answer {
        Ok(_) if !noted && verdict.pat.as_ref().is_some_and(due) => change.touch(id, now)?,
        Ok(_) => {}
        // Its successor has it by now, so who still holds it has not heard, or found it somewhere.
        Err(denial) if denial.reason == Reason::Rotated => return change.reused(id, now).map(|()| false),
        Err(_) => return Ok(false),
    }
    let Some(pat) = verdict.pat.as_ref().filter(|pat| pat.ends_predecessor) else { return Ok(false) };
    if let Some(old) = change.switch(id, now)? {
        let detail = format!("{id} was used");
        let entry = act.done(now, Action::Switch, old.as_str(), pat.user.as_deref());
        change.audit(&Entry { detail: Some(&detail), ..entry })?;
    }
    Ok(true)
}
