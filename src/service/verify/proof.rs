//! Was the secret right? The slow part, done while nobody's lock is held.

use crate::domain::decision::{Denial, Reason};
use crate::domain::policy::Policy;
use crate::domain::presented::Presented;
use crate::domain::token::PlainToken;
use crate::domain::verifier::{NoMemory, Verifier, Work};
use crate::store::contract::Result;
use crate::store::{Read, StoreError, Stored};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Whether the secret was right.
pub type Proof = std::result::Result<(), Unproved>;

/// Why a secret is not known to be right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unproved {
    /// It is wrong, or there is nothing it could be right for.
    Wrong(Reason),
    /// There was no memory to find out.
    NoMemory(NoMemory),
    /// What it was proved against was another thing each time the answer was to be written down.
    Unsteady,
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
            Unproved::Unsteady => trouble("the token was changed again and again meanwhile".to_owned()),
            Unproved::Forgotten => trouble("the secret was not checked".to_owned()),
        }
    }
}

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

    /// The same, of a part of the row.
    pub fn map<'s, P>(&'s self, part: impl FnOnce(&'s T) -> P) -> Sight<P> {
        match self {
            Self::Absent => Sight::Absent,
            Self::Unreadable(why) => Sight::Unreadable(why.clone()),
            Self::Row(row) => Sight::Row(part(row)),
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

/// What is known of a secret before the lock is taken.
#[derive(Clone, Copy, Debug)]
pub struct Proved {
    /// Whether it was right.
    pub proof: Proof,
    /// Whether the auth cache said so, and nothing was computed.
    pub cached: bool,
}

/// What has to be computed, at most once for each token.
pub enum Job<'j> {
    /// Nothing: the auth cache knows.
    Cached,
    /// Whether the verifier is of this secret.
    Match(&'j Verifier, &'j PlainToken),
    /// As much as a match would have cost.
    Pretend(Work, &'j PlainToken, Reason),
}

impl<'j> Job<'j> {
    /// What has to be computed for a token, whatever is known of its id.
    pub fn new(
        db: &(impl Read + ?Sized),
        policy: &Policy,
        token: &'j PlainToken,
        sight: &Sight<&'j Stored>,
    ) -> Result<Self> {
        let reason = match sight {
            Sight::Row(Stored { verifier: Ok(verifier), .. }) => return Ok(Job::Match(verifier, token)),
            Sight::Row(_) | Sight::Unreadable(_) => Reason::Damaged,
            Sight::Absent => Reason::Unknown,
        };
        let work = db.work_near(token.id())?.unwrap_or(Work::Argon2id(policy.cost));
        Ok(Job::Pretend(work, token, reason))
    }
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
pub fn compute(jobs: &[Job<'_>], tell: &(dyn Fn() + Sync)) -> Vec<Proved> {
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
    policy: &Policy,
    presented: &Presented,
    sight: &Sight<Stored>,
) -> Result<Proof> {
    Ok(Job::new(db, policy, &presented.token, &sight.map(|stored| stored))?.run().proof)
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
