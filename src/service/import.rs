//! Bringing tokens in from elsewhere: all that were read, or none.

use super::Act;
use crate::domain::atlassian::number::Number;
use crate::domain::atlassian::row::Row;
use crate::domain::atlassian::staged::{Fate, Staged};
use crate::domain::audit::{Action, Entry, MANY};
use crate::domain::moment::Moment;
use crate::domain::pat::AuthMethods;
use crate::domain::token::TokenId;
use crate::domain::verifier::Verifier;
use crate::store::contract::Result;
use crate::store::intake::{Brought, Origins};
use crate::store::staging::Staging;
use crate::store::{Durability, Store, StoreError, Transaction};

/// Rows that are looked at in one go.
const STEP: u32 = 1000;

/// How many rows there are of each fate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// New tokens.
    pub new: u64,
    /// Imported before.
    pub present: u64,
    /// Another token has the number.
    pub conflict: u64,
    /// No tokens.
    pub broken: u64,
    /// Ended here, and deleted.
    pub ended: u64,
}

impl Counts {
    /// How many rows stand against an import.
    #[must_use]
    pub fn against(&self) -> u64 {
        self.conflict + self.broken
    }

    /// How many there are, as far as is known by now.
    #[must_use]
    pub fn of(staging: &Staging) -> Self {
        Self {
            new: staging.count(Fate::New),
            present: staging.count(Fate::Present),
            conflict: staging.count(Fate::Conflict),
            broken: staging.count(Fate::Broken),
            ended: staging.count(Fate::Ended),
        }
    }
}

/// No token was imported.
#[derive(Debug)]
pub enum ImportError {
    /// Rows stand against it.
    Against(Counts),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Says of each row what would become of it; without a database, all that can be read are new.
///
/// # Errors
/// What the database gave.
pub fn preview(db: Option<&dyn Store>, staging: &Staging, back: &[TokenId]) -> Result<Counts> {
    if let Some(db) = db {
        each_page(staging, &mut |page| {
            page.iter().try_for_each(|(staged, row)| match taken(db, row)? {
                Some((Fate::Ended, _)) if back.contains(&row.number.id()) => Ok(()),
                Some((fate, why)) => staging.mark(staged.seq, fate, Some(&why)),
                None => Ok(()),
            })
        })?;
    }
    Ok(Counts::of(staging))
}

/// Rows with the tokens in them.
type Pages<'p> = &'p mut dyn FnMut(&[(&Staged, &Row)]) -> Result<()>;

/// Does something with every row that is new so far.
fn each_page(staging: &Staging, each: Pages<'_>) -> Result<()> {
    let mut after = 0;
    loop {
        let page = staging.page(after, STEP, Some(Fate::New))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        let rows: Vec<_> = page.iter().filter_map(|staged| Some((staged, staged.row.as_ref()?))).collect();
        each(&rows)?;
    }
}

/// What becomes of a row whose number is taken here, and why.
fn taken(db: &(impl Origins + ?Sized), row: &Row) -> Result<Option<(Fate, String)>> {
    let Some(there) = db.origin(row.number.id())? else {
        let ended = db.tombstone(row.number.id())?;
        return Ok(ended.map(|ended| (Fate::Ended, ended.to_string())));
    };
    let hash = there.verifier.as_ref().and_then(Verifier::as_imported);
    let same = there.user_key.as_ref() == Some(&row.user_key)
        && there.row == row.row
        && there.created_at == row.created_at
        // Hashed anew, it cannot be compared any more.
        && hash.is_none_or(|hash| *hash == row.hash);
    let id = row.number.id();
    Ok(Some(if same {
        (Fate::Present, format!("it was imported before, as {id}"))
    } else {
        (Fate::Conflict, format!("another token has its TOKEN_ID: {id}"))
    }))
}

/// Imports every row that is new, in one transaction; rows that stand against it are left out, if they
/// may be. What was ended here comes in only where its id is one of `back`. `each` hears of every row.
///
/// # Errors
/// [`ImportError`]; then nothing was imported.
pub fn bring(
    store: &mut dyn Store,
    act: &Act<'_>,
    staging: &Staging,
    leaves_out: bool,
    back: &[TokenId],
    each: &mut dyn FnMut(),
) -> std::result::Result<Counts, ImportError> {
    let mut change = store.begin(Durability::Full)?;
    change.check_ends()?;
    change.announce(staging.count(Fate::New))?;
    each_page(staging, &mut |page| {
        let mut brought = Vec::with_capacity(page.len());
        for (staged, row) in page {
            each();
            let id = row.number.id();
            if insert(change.as_mut(), staged, row)?
                || bring_back(change.as_mut(), act, id, back)? && insert(change.as_mut(), staged, row)?
            {
                brought.push((*staged, row.number.id(), told(row.number)));
                continue;
            }
            // Somebody was faster; or it is gone again, and then the next attempt will find it so.
            let (fate, why) = taken(change.as_ref(), row)?.ok_or(StoreError::Busy)?;
            staging.mark(staged.seq, fate, Some(&why))?;
        }
        let now = (act.clock)();
        let entries: Vec<Entry<'_>> = brought.iter().map(|brought| entry(act, now, brought)).collect();
        change.audit_all(&entries)
    })?;
    let counts = Counts::of(staging);
    if counts.against() > 0 && !leaves_out {
        return Err(ImportError::Against(counts));
    }
    if counts.new > 0 {
        let detail = if counts.new == 1 { "1 token".to_owned() } else { format!("{} tokens", counts.new) };
        let entry = act.done((act.clock)(), Action::Import, MANY, None);
        change.audit(&Entry { detail: Some(&detail), ..entry })?;
        change.commit()?;
    }
    Ok(counts)
}

/// Lets a token come in again that was ended here, if it is one of `back`; whether it was one.
///
/// # Errors
/// What the database gave.
pub fn bring_back(
    change: &mut dyn Transaction,
    act: &Act<'_>,
    id: TokenId,
    back: &[TokenId],
) -> Result<bool> {
    let Some(tombstone) = change.tombstone(id)?.filter(|_| back.contains(&id)) else { return Ok(false) };
    let detail = tombstone.to_string();
    let entry = act.done((act.clock)(), Action::BringBack, id.as_str(), None);
    change.audit(&Entry { detail: Some(&detail), ..entry })?;
    change.bring_back(id)
}

/// The audit row of a token that was added.
fn entry<'e>(
    act: &'e Act<'_>,
    now: Moment,
    (staged, id, detail): &'e (&Staged, TokenId, String),
) -> Entry<'e> {
    Entry { detail: Some(detail), ..act.done(now, Action::Import, id.as_str(), Some(&staged.user)) }
}

/// Adds a token; false when its id is taken. No mail is due: nobody made it today.
fn insert(change: &mut dyn Transaction, staged: &Staged, row: &Row) -> Result<bool> {
    change.bring(&Brought {
        id: row.number.id(),
        name: &staged.name,
        user: &staged.user,
        // As it was there: it never was accepted otherwise.
        auth: AuthMethods::Bearer,
        verifier: &Verifier::imported(row.hash.clone()),
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        notified: row.notified,
        row: row.row,
        user_key: &row.user_key,
        never: row.never.as_deref(),
    })
}

/// What the audit row says of a token.
fn told(number: Number) -> String {
    format!("TOKEN_ID {number}")
}

/// A user who has, or would have, more tokens than a new one could.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crowded {
    /// Who.
    pub user: String,
    /// How many.
    pub tokens: u64,
}

/// The users who get tokens and are over the limit with them, before the import or after it: it does not
/// count against the limit.
///
/// # Errors
/// What the database gave.
pub fn crowded(db: Option<&dyn Store>, staging: &Staging, max: u32, is_done: bool) -> Result<Vec<Crowded>> {
    let mut over = Vec::new();
    for (user, new) in staging.users()? {
        let held = db.map_or(Ok(0), |db| db.held(Some(&user)))?;
        let tokens = if is_done { held } else { held + new };
        if tokens > u64::from(max) {
            over.push(Crowded { user, tokens });
        }
    }
    Ok(over)
}
