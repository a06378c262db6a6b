//! SQLite behind the contract: one file, write-ahead log, `BEGIN IMMEDIATE` for every change.

mod open;
mod reads;
mod rows;
mod schema;
mod transaction;

use super::contract::EachPat;
use super::{Durability, Query, Store, StoreError, Stored, Transaction};
use crate::domain::audit::Record;
use crate::domain::filter::IdPrefix;
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::token::TokenId;
use rusqlite::{Connection, ErrorCode};
use std::path::{Path, PathBuf};
use std::time::Duration;
use transaction::SqliteTransaction;

type Result<T> = std::result::Result<T, StoreError>;

/// A database file.
pub struct SqliteStore {
    db: Connection,
    path: PathBuf,
    warning: Option<&'static str>,
}

impl SqliteStore {
    /// Opens an existing database.
    ///
    /// # Errors
    /// [`StoreError`] when it is not there, not safe to open, or not ours.
    pub fn open(path: &Path) -> Result<Self> {
        let open::Opened { db, path, warning } = open::existing(path)?;
        Ok(Self { db, path, warning })
    }

    /// Opens the database, making it (and its directory) first where there is none; true when this
    /// call made it.
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

    /// The file, with every link in its directory followed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its administrator should know about the file.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        self.warning
    }
}

impl Store for SqliteStore {
    fn token(&self, id: TokenId) -> Result<Option<Stored>> {
        reads::token(&self.db, id)
    }

    fn list(&self, query: &Query<'_>, each: EachPat<'_>) -> Result<()> {
        reads::list(&self.db, query, each)
    }

    fn with_prefix(&self, prefix: &IdPrefix, limit: u32) -> Result<Vec<Pat>> {
        reads::with_prefix(&self.db, prefix, limit)
    }

    fn history(&self, id: TokenId, limit: u32) -> Result<Vec<Record>> {
        reads::history(&self.db, id, limit)
    }

    fn last_audit(&self) -> Result<Option<Moment>> {
        reads::last_audit(&self.db)
    }

    fn held(&self, user: &str) -> Result<u64> {
        reads::held(&self.db, user)
    }

    fn prunable(&self, before: Moment, each: EachPat<'_>) -> Result<()> {
        reads::prunable(&self.db, before, each)
    }

    fn begin(&mut self, durability: Durability) -> Result<Box<dyn Transaction + '_>> {
        let (level, frames) = match durability {
            Durability::Full => (2, 1000),
            // Uses pile up in the log and are folded in once it holds 256 KiB of pages.
            Durability::Relaxed => (1, 64),
        };
        open::synchronous(&self.db, level)?;
        self.db.pragma_update_and_check(None, "wal_autocheckpoint", frames, |_| Ok(())).map_err(failed)?;
        Ok(Box::new(SqliteTransaction::begin(&self.db, durability)?))
    }
}

/// Folds the log into the database file, so that a plain copy of that file holds every change.
///
/// First without waiting for anybody; if a reader or another checkpoint was in the way, once more
/// with a little patience. What stays in the log then is as durable as ever, and the next change
/// folds it in; so this cannot fail.
fn checkpoint(db: &Connection) {
    let fold = |mode: &str| {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], read)
            .is_ok_and(|(busy, log, done): (i64, i64, i64)| busy == 0 && log == done)
    };
    if !fold("PASSIVE") && db.busy_timeout(Duration::from_secs(1)).is_ok() {
        fold("TRUNCATE");
        // The patience of every other statement; failing here leaves the shorter one.
        let _ = db.busy_timeout(open::PATIENCE);
    }
}

/// SQLite's errors in our words.
fn failed(error: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return StoreError::Damaged(error.to_string());
    };
    let said = message.unwrap_or_else(|| code.to_string());
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
        _ => StoreError::Io(said),
    }
}
