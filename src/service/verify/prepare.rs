//! The first stage: reads rows and verifies secrets, without holding the write lock.

use super::decide::ask;
use super::item::{Attempt, Purpose, VerifyContext, VerifyItem};
use super::proof::{Job, Proved, Sight, Unproved, compute};
use crate::domain::decision::Reason;
use crate::domain::dice::Dice;
use crate::domain::integrity::Damage;
use crate::domain::token::TokenId;
use crate::domain::verifier::Verifier;
use crate::store::contract::Result;
use crate::store::{Basis, Evidence, Read, RowVersion, StoreError, Stored};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Attempts after which an item is answered as unavailable.
const TRIES: u8 = 4;

/// A row as it was read.
#[derive(Debug)]
pub struct Seen {
    /// The token, and what proves its secret.
    pub stored: Stored,
    /// The other inputs of a decision, or why they cannot be read.
    pub rest: std::result::Result<Rest, String>,
}

/// The inputs of a decision that are not needed to verify the secret.
#[derive(Debug)]
pub struct Rest {
    /// The restrictions, line by line.
    pub rules: Vec<String>,
    /// The result of checking the row's seal.
    pub seal: std::result::Result<(), Damage>,
    row: RowVersion,
}

/// The old verifier and one with the configured cost that replaces it.
pub type Renewal = Option<(Verifier, Verifier)>;

/// An item whose row was read and whose secret was verified.
#[derive(Debug)]
pub struct Prepared {
    pub(super) attempt: Attempt,
    /// The row; `None`: it was not looked at.
    pub(super) seen: Option<Arc<Sight<Seen>>>,
    pub(super) proved: Proved,
    pub(super) renewal: Renewal,
}

impl Prepared {
    /// Returns the row state that the decision depends on.
    pub(super) fn basis(&self) -> Basis {
        match self.seen.as_deref() {
            Some(Sight::Row(Seen { rest: Ok(rest), .. })) => Basis::Row(rest.row.clone()),
            Some(Sight::Absent) => Basis::Absent,
            Some(Sight::Row(Seen { rest: Err(_), .. }) | Sight::Unreadable(_)) | None => Basis::Any,
        }
    }

    /// Creates an item whose decision depends on no row.
    fn without_a_row(attempt: Attempt, why: Unproved) -> Self {
        Self { attempt, seen: None, proved: Proved { proof: Err(why), cached: false }, renewal: None }
    }
}

/// Prepares one item.
///
/// # Errors
/// Any trouble with the database: then there is no verdict, and never a yes.
pub fn prepare(
    db: &(impl Read + ?Sized),
    ctx: &VerifyContext<'_>,
    dice: &mut Dice,
    attempt: impl Into<Attempt>,
) -> Result<Prepared> {
    let mut all = prepare_all(db, ctx, dice, vec![attempt.into()])?;
    all.pop().ok_or_else(|| StoreError::Damaged("there is no verdict".to_owned()))
}

/// Prepares several: each row is read once, each secret computed once, on all cores.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_all(
    db: &(impl Read + ?Sized),
    ctx: &VerifyContext<'_>,
    dice: &mut Dice,
    attempts: Vec<Attempt>,
) -> Result<Vec<Prepared>> {
    if !ctx.policy.enabled {
        // Denied without reading any row.
        let why = Unproved::Wrong(Reason::DisabledGlobally);
        return Ok(attempts.into_iter().map(|attempt| Prepared::without_a_row(attempt, why)).collect());
    }
    let rows = look(db, &attempts)?;
    let proofs = prove(db, ctx, &attempts, &rows)?;
    let mut renewed: Vec<TokenId> = Vec::new();
    let mut prepared = Vec::with_capacity(attempts.len());
    for (attempt, proved) in attempts.into_iter().zip(proofs) {
        if attempt.tried >= TRIES {
            prepared.push(Prepared::without_a_row(attempt, Unproved::Unsteady));
            continue;
        }
        let seen = rows.get(&attempt.item.id()).cloned();
        let mut item = Prepared { attempt, seen, proved, renewal: None };
        if !renewed.contains(&item.attempt.item.id()) {
            item.renewal = renewal(ctx, dice, &item);
            renewed.extend(item.renewal.is_some().then(|| item.attempt.item.id()));
        }
        prepared.push(item);
    }
    Ok(prepared)
}

type Rows = HashMap<TokenId, Arc<Sight<Seen>>>;

fn look(db: &(impl Read + ?Sized), attempts: &[Attempt]) -> Result<Rows> {
    let mut rows = Rows::with_capacity(attempts.len());
    for attempt in attempts {
        let id = attempt.item.id();
        if let Entry::Vacant(place) = rows.entry(id) {
            place.insert(Arc::new(read_row(db, id)?));
        }
    }
    Ok(rows)
}

fn read_row(db: &(impl Read + ?Sized), id: TokenId) -> Result<Sight<Seen>> {
    let why = match db.evidence(id) {
        Ok(None) => return Ok(Sight::Absent),
        Ok(Some(Evidence { stored, rules, seal, row })) => {
            return Ok(Sight::Row(Seen { stored, rest: Ok(Rest { rules, seal, row }) }));
        }
        Err(StoreError::BadRow(why)) => why,
        Err(error) => return Err(error),
    };
    // Perhaps only the restrictions are unreadable. The secret is still verified, so that a wrong one is denied as such.
    Ok(match Sight::of(db.token(id))? {
        Sight::Row(stored) => Sight::Row(Seen { stored, rest: Err(why) }),
        Sight::Absent => Sight::Absent,
        Sight::Unreadable(why) => Sight::Unreadable(why),
    })
}

fn prove(
    db: &(impl Read + ?Sized),
    ctx: &VerifyContext<'_>,
    attempts: &[Attempt],
    rows: &Rows,
) -> Result<Vec<Proved>> {
    let mut jobs = Vec::with_capacity(attempts.len());
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(attempts.len());
    let mut place_of_each = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        let token = &attempt.item.credential.token;
        let place = match places.entry(token.reveal()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let sight = rows.get(&token.id()).map_or(Sight::Absent, |seen| seen.map(|seen| &seen.stored));
                let cached = is_remembered(ctx, attempt, sight.row().copied());
                jobs.push(if cached { Job::Cached } else { Job::new(db, ctx.policy, token, &sight)? });
                *place.insert(jobs.len() - 1)
            }
        };
        place_of_each.push(place);
    }
    let done = compute(&jobs, &|| ());
    Ok(place_of_each.into_iter().map(|place| done[place]).collect())
}

/// Whether the auth cache spares the computation: the secret was proved against this very verifier, not
/// too long ago. Wrong secrets are never in it.
fn is_remembered(ctx: &VerifyContext<'_>, attempt: &Attempt, stored: Option<&Stored>) -> bool {
    let Some((key, Stored { verifier: Ok(verifier), proved: Some(proved), .. })) = ctx.cache.zip(stored)
    else {
        return false;
    };
    ctx.policy.cache.fresh(proved.at, (ctx.clock)().max(attempt.mark))
        && key.vouches(proved, &attempt.item.credential.token, verifier)
}

/// Hashes the secret with the configured cost if the stored verifier was made with another one and the token will
/// probably be allowed.
fn renewal(ctx: &VerifyContext<'_>, dice: &mut Dice, prepared: &Prepared) -> Renewal {
    let VerifyItem { purpose, credential, .. } = &*prepared.attempt.item;
    let Some(Seen { stored, rest: Ok(rest) }) = prepared.seen.as_deref().and_then(Sight::row) else {
        return None;
    };
    if *purpose != Purpose::Use || prepared.proved.proof.is_err() {
        return None;
    }
    let old = stored.verifier.as_ref().ok().filter(|old| !ctx.policy.keeps(old.work()))?;
    if ask(ctx, &prepared.attempt.item, &stored.pat, &rest.rules, (ctx.clock)()).is_err() {
        return None;
    }
    // If hashing fails, keep the old verifier.
    let new = Verifier::make(&credential.token, ctx.policy.cost, dice).ok()?;
    Some((old.clone(), new))
}
