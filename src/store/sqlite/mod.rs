//! SQLite behind the contract: one file, write-ahead log, `BEGIN IMMEDIATE` for every change.

mod adopt;
mod amend;
mod aside;
mod backup;
mod carry;
mod census;
pub mod checkup;
mod draft;
mod evidence;
pub mod examine;
mod head;
mod held;
mod intake;
mod integrity;
mod log;
mod merge;
mod moved;
mod open;
mod outbox;
mod place;
mod query;
mod reads;
mod reseal;
pub mod restore;
mod rows;
pub mod salvage;
mod schema;
pub mod space;
mod stranger;
mod survey;
mod system;
mod tombstone;
mod transaction;
mod unchecked;

use super::contract::EachPat;
use super::log::{EachPiece, Log, Outdated, Page};
use super::{Durability, Evidence, Query, Read, Row, Store, StoreError, Stored, Transaction};
use crate::domain::audit::{Record, Selection};
use crate::domain::chain::Sealed;
use crate::domain::id::IdPrefix;
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::token::TokenId;
use crate::domain::verifier::Work;
use integrity::Seals;
use moved::Named;
pub use moved::Replaced;
use rusqlite::{Connection, ErrorCode, ffi};
use std::path::{Path, PathBuf};
use std::time::Duration;
use transaction::SqliteTransaction;

type Result<T> = std::result::Result<T, StoreError>;

/// A database file.
pub struct SqliteStore {
    db: Connection,
    path: PathBuf,
    named: Named,
    warnings: Vec<String>,
    seals: Seals,
}

impl SqliteStore {
    /// Opens an existing database.
    ///
    /// # Errors
    /// [`StoreError`] when it is not there, not safe to open, or not ours.
    pub fn open(path: &Path) -> Result<Self> {
        let named = Named::by(path);
        Ok(Self::of(open::existing(path, open::For::Changes)?, named))
    }

    /// Opens an existing database to look at it. One that others can read is looked at with a warning, and so is one
    /// that cannot be written, as long as there is nothing in the log beside it.
    ///
    /// # Errors
    /// [`StoreError`] when it is not there, not safe to open, or not ours.
    pub fn open_to_look(path: &Path) -> Result<Self> {
        let named = Named::by(path);
        Ok(Self::of(open::existing(path, open::For::Looking)?, named))
    }

    fn of(opened: open::Opened, named: Named) -> Self {
        let open::Opened { db, path, warnings } = opened;
        Self { db, path, named: named.opened(), warnings, seals: Seals::default() }
    }

    /// Makes the directory of a database, private to its owner, where there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn make_directory(path: &Path) -> Result<()> {
        open::make_directory(path)
    }

    /// Opens the database, making it first where there is none; true when this call made it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn open_or_create(path: &Path) -> Result<(Self, bool)> {
        match Self::open(path) {
            Err(StoreError::Missing(_)) => {
                let made = open::create(path)?;
                Ok((Self::open(path)?, made))
            }
            other => Ok((other?, false)),
        }
    }

    /// Opens an existing database to look at it and nothing else: it is neither migrated nor changed.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn open_to_read(path: &Path) -> Result<Self> {
        let named = Named::by(path);
        Ok(Self::of(open::read_only(path)?, named))
    }

    /// The file, with every link in its directory followed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its administrator should know about the file.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Read for SqliteStore {
    fn token(&self, id: TokenId) -> Result<Option<Stored>> {
        reads::token(&self.db, id)
    }

    fn pat(&self, id: TokenId) -> Result<Option<Pat>> {
        reads::pat(&self.db, id)
    }

    fn evidence(&self, id: TokenId) -> Result<Option<Evidence>> {
        evidence::evidence(&self.db, &self.seals, id)
    }

    fn restrictions(&self, id: TokenId) -> Result<Vec<String>> {
        reads::restrictions(&self.db, id)
    }

    fn sealed(&self, id: TokenId) -> Result<Option<Vec<u8>>> {
        reads::sealed(&self.db, id)
    }

    fn installation(&self) -> Result<String> {
        reads::installation(&self.db)
    }

    fn with_prefix(&self, prefix: &IdPrefix, limit: u32) -> Result<Vec<Pat>> {
        reads::with_prefix(&self.db, prefix, limit)
    }

    fn list(&self, query: &Query<'_>, each: EachPat<'_>) -> Result<()> {
        reads::list(&self.db, query, each)
    }

    fn list_checked(&self, query: &Query<'_>, each: EachPat<'_>) -> Result<()> {
        evidence::list(&self.db, &self.seals, query, each)
    }

    fn held(&self, user: Option<&str>) -> Result<u64> {
        reads::held(&self.db, user)
    }

    fn work_near(&self, id: TokenId) -> Result<Option<Work>> {
        reads::work_near(&self.db, id)
    }

    fn mark(&self) -> Result<Moment> {
        Ok(head::read(&self.db, &self.seals)?.head.mark)
    }
}

impl Store for SqliteStore {
    fn history(&self, id: TokenId, limit: u32) -> Result<Vec<Record>> {
        reads::history(&self.db, id, limit)
    }

    fn prunable(&self, before: Moment, after: i64, limit: u32) -> Result<Vec<Row>> {
        reads::prunable(&self.db, before, after, limit)
    }

    fn last_prunable(&self, before: Moment, after: i64, limit: u32) -> Result<Option<i64>> {
        reads::last_prunable(&self.db, before, after, limit)
    }

    fn users(&self, prefix: &str, limit: u32) -> Result<Vec<String>> {
        reads::users(&self.db, prefix, limit)
    }

    fn spellings(&self, user: &str) -> Result<Vec<(String, u64)>> {
        reads::spellings(&self.db, user)
    }

    fn begin(&mut self, durability: Durability) -> Result<Box<dyn Transaction + '_>> {
        let (level, frames) = match durability {
            Durability::Full => (2, 1000),
            // Folded in where the step ends, see `commit`: the same page of an index is written by many steps.
            Durability::Step => (2, 0),
            // Uses pile up in the log and are folded in once it holds 256 KiB of pages.
            Durability::Relaxed => (1, 64),
        };
        open::synchronous(&self.db, level)?;
        // Also for a use: a row that grows moves, and leaves its old place to be overwritten.
        space::wipe_deleted(&self.db)?;
        self.db.pragma_update_and_check(None, "wal_autocheckpoint", frames, |_| Ok(())).map_err(failed)?;
        Ok(Box::new(SqliteTransaction::begin(&self.db, &self.seals, durability)?))
    }
}

impl Log for SqliteStore {
    fn records(&self, page: &Page<'_>) -> Result<Vec<Record>> {
        log::records(&self.db, page)
    }

    fn first_of(&self, selection: &Selection, most: u64) -> Result<Option<i64>> {
        log::first_of(&self.db, selection, most)
    }

    fn chain(&self, each: EachPiece<'_>) -> Result<()> {
        log::chain(&self.db, &self.seals, each)
    }

    fn head(&self) -> Result<Sealed> {
        head::read(&self.db, &self.seals)
    }

    fn settle(&self) {
        checkpoint(&self.db, PATIENTLY);
    }

    fn since_change(&self, each: &mut dyn FnMut(Moment)) -> Result<()> {
        log::since_change(&self.db, each)
    }

    fn outdated(&self, before: Moment, now: Moment) -> Result<Option<Outdated>> {
        log::outdated(&self.db, before, now)
    }
}

/// Of whoever changed something, after which somebody may copy the file.
const PATIENTLY: &[u64] = &[5, 20, 50];
/// Of a use: the next one tries again, and nobody should wait for an answer because others ask, too.
const ONCE: &[u64] = &[];

/// Folds the log into the database file and empties it, so that a plain copy of that file holds every
/// change, and the next process has no long log to read.
///
/// It never waits while it holds a lock: if somebody else is at work it tries again after each of `pauses`
/// (milliseconds), and if a reader still looks at an older state, what that reader pins stays in the log, as
/// durable as ever, until the next change folds it in. So this cannot fail.
fn checkpoint(db: &Connection, pauses: &[u64]) {
    for pause in [0].iter().chain(pauses).copied() {
        std::thread::sleep(Duration::from_millis(pause));
        let busy = open::impatiently(|| {
            db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        });
        if busy == Ok(0) {
            break;
        }
    }
}

/// Folds the whole log of a database that nobody else has open into its file, which is to be moved without it.
/// What SQLite does of itself when it closes tells nobody that it failed.
fn fold_wholly(db: &Connection) -> Result<()> {
    // Of this file alone: the temporary tables of a restore count as locked, and have no log.
    let sql = "PRAGMA main.wal_checkpoint(TRUNCATE)";
    let busy: i64 = db.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
    if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
}

/// Folds in what can be without any lock, so that the lock of [`checkpoint`] is a short one.
fn fold(db: &Connection) {
    // Best effort: what stays in the log is as durable.
    let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
}

/// The size of the log in bytes.
fn log_size(db: &Connection) -> u64 {
    let log = db.path().map(|path| format!("{path}-wal"));
    log.and_then(|log| std::fs::metadata(log).ok()).map_or(0, |log| log.len())
}

/// SQLite's errors in our words.
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    let (code, message) = match error {
        rusqlite::Error::SqliteFailure(code, message) => (code, message),
        // Its own text would repeat the statement.
        rusqlite::Error::SqlInputError { error, msg, .. } => {
            return StoreError::Io(format!("{msg} ({error})"));
        }
        other => return StoreError::Damaged(other.to_string()),
    };
    let said = message.unwrap_or_else(|| code.to_string());
    if matches!(code.code, ErrorCode::CannotOpen | ErrorCode::SystemIoFailure)
        && let Some(lack) = system::lack_of_descriptors()
    {
        return StoreError::Exhausted(lack.to_string());
    }
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase
        | ErrorCode::ConstraintViolation
        | ErrorCode::TypeMismatch => StoreError::Damaged(said),
        // The file is there and was looked at, so that it cannot be opened means: not by us, or not
        // its log beside it.
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => {
            StoreError::Permission(said)
        }
        ErrorCode::OutOfMemory => StoreError::Exhausted(said),
        _ if matches!(code.extended_code, ffi::SQLITE_IOERR_NOMEM | ffi::SQLITE_IOERR_SHMMAP) => {
            StoreError::Exhausted(said)
        }
        _ => StoreError::Io(said),
    }
}
