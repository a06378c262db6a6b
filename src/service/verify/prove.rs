//! Was the secret right? The slow part, done while nobody's lock is held.

use super::{Case, Proof, Unproved};
use crate::domain::decision::Reason;
use crate::domain::dice::Dice;
use crate::domain::presented::Presented;
use crate::domain::token::{PlainToken, TokenId};
use crate::domain::verifier::{Verifier, Work};
use crate::service::Act;
use crate::store::contract::Result;
use crate::store::{Read, Store, StoreError, Stored};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What there is of a token.
#[derive(Debug)]
pub enum Sight<T> {
    /// No token has this id.
    Absent,
    /// Its row cannot be read, and why: it denies this token, and no other.
    Unreadable(String),
    /// Its row.
    Row(T),
}

impl<T> Sight<T> {
    /// What a store answered about one row.
    pub fn of(read: Result<Option<T>>) -> Result<Self> {
        match read {
            Ok(Some(row)) => Ok(Self::Row(row)),
            Ok(None) => Ok(Self::Absent),
            Err(StoreError::BadRow(why)) => Ok(Self::Unreadable(why)),
            Err(error) => Err(error),
        }
    }

    /// The row, where it can be read.
    pub fn row(&self) -> Option<&T> {
        match self {
            Self::Row(row) => Some(row),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }
}

/// The rows as they were looked at.
pub type Seen = HashMap<TokenId, Sight<Stored>>;

/// What is known of a secret before the lock is taken.
#[derive(Clone, Copy)]
pub struct Proved {
    /// Whether it was right.
    pub proof: Proof,
    /// Whether the auth cache said so, and nothing was computed.
    pub cached: bool,
}

/// A verifier at today's cost beside the one it replaces.
pub type Renewal = Option<(Verifier, Verifier)>;

/// What has to be computed, at most once for each token.
enum Job<'j> {
    /// Nothing: the auth cache knows.
    Cached,
    /// Whether the verifier is of this secret.
    Match(&'j Verifier, &'j PlainToken),
    /// As much as a match would have cost.
    Pretend(Work, &'j PlainToken, Reason),
}

/// Reads the row of each token once.
pub fn look(store: &dyn Store, cases: &[Case<'_>]) -> Result<Seen> {
    let mut seen = Seen::with_capacity(cases.len());
    for case in cases {
        if let Entry::Vacant(place) = seen.entry(case.presented.token.id()) {
            place.insert(Sight::of(store.token(case.presented.token.id()))?);
        }
    }
    Ok(seen)
}

/// Proves every secret, each once, on all cores.
pub fn all(store: &dyn Store, act: &Act<'_>, cases: &[Case<'_>], seen: &Seen) -> Result<Vec<Proved>> {
    let mut jobs = Vec::with_capacity(cases.len());
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(cases.len());
    let mut of_case = Vec::with_capacity(cases.len());
    for case in cases {
        let place = match places.entry(case.presented.token.reveal()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                jobs.push(job(store, act, case, seen)?);
                *place.insert(jobs.len() - 1)
            }
        };
        of_case.push(place);
    }
    let done = compute(&jobs, &|| ());
    Ok(of_case.into_iter().map(|place| done[place]).collect())
}

fn job<'j>(store: &dyn Store, act: &Act<'_>, case: &'j Case<'_>, seen: &'j Seen) -> Result<Job<'j>> {
    let token = &case.presented.token;
    let sight = seen.get(&token.id()).unwrap_or(&Sight::Absent);
    if remembered(act, case, sight.row()) {
        return Ok(Job::Cached);
    }
    computation(store, act, token, sight)
}

/// What has to be computed for a token, whatever is known of its id.
fn computation<'j>(
    db: &(impl Read + ?Sized),
    act: &Act<'_>,
    token: &'j PlainToken,
    sight: &'j Sight<Stored>,
) -> Result<Job<'j>> {
    let reason = match sight {
        Sight::Row(Stored { verifier: Ok(verifier), .. }) => return Ok(Job::Match(verifier, token)),
        Sight::Row(_) | Sight::Unreadable(_) => Reason::Damaged,
        Sight::Absent => Reason::Unknown,
    };
    let work = db.work_near(token.id())?.unwrap_or(Work::Argon2id(act.policy.cost));
    Ok(Job::Pretend(work, token, reason))
}

/// Whether the auth cache spares the computation: the secret was proved against this very verifier, not
/// too long ago. Wrong secrets are never in it.
fn remembered(act: &Act<'_>, case: &Case<'_>, stored: Option<&Stored>) -> bool {
    let Some((key, Stored { verifier: Ok(verifier), proved: Some(proved), .. })) =
        case.errand.cache.zip(stored)
    else {
        return false;
    };
    act.policy.cache.fresh(proved.at, (act.clock)()) && key.vouches(proved, &case.presented.token, verifier)
}

impl Job<'_> {
    fn run(&self) -> Proved {
        let proof = match self {
            Self::Cached => return Proved { proof: Ok(()), cached: true },
            Self::Match(verifier, token) => match verifier.matches(token) {
                Ok(true) => Ok(()),
                Ok(false) => Err(Reason::WrongSecret.into()),
                Err(refused) => Err(refused.into()),
            },
            Self::Pretend(work, token, reason) => match Verifier::pretend(token, *work) {
                Ok(()) => Err((*reason).into()),
                Err(refused) => Err(refused.into()),
            },
        };
        Proved { proof, cached: false }
    }

    /// What is known before it has run: what was forgotten is no answer, and never a yes.
    fn unproved(&self) -> Proved {
        match self {
            Job::Cached => self.run(),
            Job::Match(..) | Job::Pretend(..) => Proved { proof: Err(Unproved::Forgotten), cached: false },
        }
    }
}

/// Runs the jobs, several at a time where there is more than one to compute. `tell` hears of each that was.
fn compute(jobs: &[Job<'_>], tell: &(dyn Fn() + Sync)) -> Vec<Proved> {
    let heavy: Vec<usize> = (0..jobs.len()).filter(|at| !matches!(jobs[*at], Job::Cached)).collect();
    if heavy.len() < 2 {
        return jobs.iter().map(Job::run).inspect(|_| tell()).collect();
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(heavy.len());
    let found = Mutex::new(jobs.iter().map(Job::unproved).collect::<Vec<_>>());
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(at) = heavy.get(next.fetch_add(1, Ordering::Relaxed)) {
            let proved = jobs[*at].run();
            found.lock().unwrap_or_else(PoisonError::into_inner)[*at] = proved;
            tell();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..cores {
            // Where the system has no thread left, those there are do the work.
            if std::thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    again(jobs, &mut found);
    found
}

/// Runs those again that had no memory beside the others, until one has none on its own.
fn again(jobs: &[Job<'_>], found: &mut [Proved]) {
    for (job, proved) in jobs.iter().zip(found) {
        if matches!(proved.proof, Err(Unproved::NoMemory(_))) {
            *proved = job.run();
            if matches!(proved.proof, Err(Unproved::NoMemory(_))) {
                return;
            }
        }
    }
}

/// One computation, whatever is known of the id.
pub fn one(
    db: &(impl Read + ?Sized),
    act: &Act<'_>,
    presented: &Presented,
    sight: &Sight<Stored>,
) -> Result<Proof> {
    Ok(computation(db, act, &presented.token, sight)?.run().proof)
}

/// Proves secrets against rows that are there, on all cores; `None`: the verifier cannot be read.
pub fn known(known: &[(&Stored, &Presented)], tell: &(dyn Fn() + Sync)) -> Vec<Option<Proof>> {
    let jobs: Vec<Job<'_>> = known
        .iter()
        .filter_map(|(stored, presented)| Some(Job::Match(stored.verifier.as_ref().ok()?, &presented.token)))
        .collect();
    let mut proofs = compute(&jobs, tell).into_iter().map(|proved| proved.proof);
    known.iter().map(|(stored, _)| if stored.verifier.is_ok() { proofs.next() } else { None }).collect()
}

/// A verifier at today's cost for each token whose stored one was made at another, or came with it, if it
/// will be allowed as far as can be told.
pub fn renewals(
    store: &dyn Store,
    act: &Act<'_>,
    dice: &mut Dice,
    cases: &[Case<'_>],
    seen: &Seen,
    proofs: &[Proved],
) -> Result<Vec<Renewal>> {
    let mut renewed = Vec::with_capacity(cases.len());
    let mut done: Vec<TokenId> = Vec::new();
    for (case, proved) in cases.iter().zip(proofs) {
        let id = case.presented.token.id();
        let stored = seen.get(&id).and_then(Sight::row).filter(|_| proved.proof.is_ok());
        let fresh = match stored {
            Some(stored) if !done.contains(&id) => renewal(store, act, dice, case, stored)?,
            _ => None,
        };
        if fresh.is_some() {
            done.push(id);
        }
        renewed.push(fresh);
    }
    Ok(renewed)
}

fn renewal(
    store: &dyn Store,
    act: &Act<'_>,
    dice: &mut Dice,
    case: &Case<'_>,
    stored: &Stored,
) -> Result<Renewal> {
    if case.errand.purpose != super::Purpose::Use {
        return Ok(None);
    }
    let Some(old) = stored.verifier.as_ref().ok().filter(|old| !act.policy.keeps(old.work())) else {
        return Ok(None);
    };
    let rules = match stored.pat.restricted.then(|| store.restrictions(stored.pat.id)) {
        // It will be denied.
        Some(Err(StoreError::BadRow(_))) => return Ok(None),
        rules => rules.transpose()?.unwrap_or_default(),
    };
    if super::settle::ask(act, case, &stored.pat, &rules, (act.clock)()).is_err() {
        return Ok(None);
    }
    // Where that cannot be had today, the old one goes on.
    let new = Verifier::make(&case.presented.token, act.policy.cost, dice).ok();
    Ok(new.map(|new| (old.clone(), new)))
}
