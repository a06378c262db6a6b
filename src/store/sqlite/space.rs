//! Free pages: overwritten where rows are deleted, given back in short steps, or all at once by a compaction.

use super::{Result, SqliteStore, failed, fold_wholly, open, schema};
use crate::store::StoreError;
use crate::store::space::{Space, Spacious};
use nix::sys::statvfs::statvfs;
use rusqlite::Connection;
use std::path::Path;

/// Pages of one step: 1 MiB, which takes a few milliseconds.
const STEP: u32 = 256;
/// `PRAGMA auto_vacuum`: free pages stay in the file until they are given back.
const INCREMENTAL: i64 = 2;
/// Bytes up to which a file is rewritten as a whole, within about 100 ms. SQLite overwrites what it deletes, but
/// not the copies that stay behind when it splits a page and moves rows to another one.
const SMALL: u64 = 8 * 1024 * 1024;
/// Bytes up to which a compaction works in memory; above that SQLite uses a temporary file.
const IN_MEMORY: u64 = 256 * 1024 * 1024;

fn number(db: &Connection, name: &str) -> Result<i64> {
    db.pragma_query_value(None, name, |row| row.get(0)).map_err(failed)
}

/// Overwrites deleted content with zeros from now on. Not `FAST`, which leaves the content of free pages.
///
/// # Errors
/// What SQLite gave.
pub fn wipe_deleted(db: &Connection) -> Result<()> {
    db.pragma_update_and_check(None, "secure_delete", true, |_| Ok(())).map_err(failed)
}

/// Lets a database give free pages back in steps: a new one at once, another one after its next VACUUM.
///
/// # Errors
/// What SQLite gave.
pub fn plan(db: &Connection) -> Result<()> {
    db.pragma_update(None, "auto_vacuum", INCREMENTAL).map_err(failed)
}

/// Rewrites a database without free pages, in a transaction of SQLite's own.
///
/// # Errors
/// What SQLite gave.
pub fn vacuum(db: &Connection) -> Result<()> {
    plan(db)?;
    db.execute_batch("VACUUM").map_err(failed)
}

/// Measures a database.
///
/// # Errors
/// What SQLite gave.
pub fn measure(db: &Connection) -> Result<Space> {
    let count = |name: &str| number(db, name).map(i64::unsigned_abs);
    Ok(Space {
        pages: count("page_count")?,
        free: count("freelist_count")?,
        page: count("page_size")?,
        gives_back: number(db, "auto_vacuum")? == INCREMENTAL,
    })
}

impl Spacious for SqliteStore {
    fn space(&self) -> Result<Space> {
        measure(&self.db)
    }

    fn give_back(&mut self) -> Result<bool> {
        let space = self.space()?;
        open::synchronous(&self.db, 2)?;
        if space.bytes() <= SMALL {
            self.db.pragma_update(None, "temp_store", 2).map_err(failed)?;
            vacuum(&self.db)?;
            return Ok(false);
        }
        if !space.gives_back || space.free == 0 {
            return Ok(false);
        }
        // Each row of the answer is a page: they must all be fetched.
        let mut statement =
            self.db.prepare_cached(&format!("PRAGMA incremental_vacuum({STEP})")).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while rows.next().map_err(failed)?.is_some() {}
        drop(rows);
        drop(statement);
        Ok(self.space()?.free > 0)
    }
}

/// Rewrites the database at `path` without free pages, and folds its log into it.
///
/// # Errors
/// [`StoreError::Busy`] when another process uses it; [`StoreError::Io`] when the disk has no room for it.
pub fn compact(path: &Path) -> Result<(Space, Space)> {
    let path = open::resolve(path)?;
    let db = open::present(&path)?;
    schema::check(&db)?;
    open::log_ahead(&db)?;
    open::synchronous(&db, 2)?;
    let before = measure(&db)?;
    // Its log takes as much again, and so does a temporary file.
    let need = before.bytes().saturating_mul(2);
    let room = free_bytes(&path)?;
    if room < need {
        return Err(StoreError::Io(format!(
            "a compaction needs {} MiB beside {}, and {} MiB are free",
            need.div_ceil(1024 * 1024),
            path.display(),
            room / (1024 * 1024)
        )));
    }
    let place = if before.bytes() <= IN_MEMORY { 2 } else { 1 };
    db.pragma_update(None, "temp_store", place).map_err(failed)?;
    vacuum(&db)?;
    // What was deleted is in the log until it is folded in.
    fold_wholly(&db)?;
    Ok((before, measure(&db)?))
}

/// Bytes that are free on the disk of a file.
fn free_bytes(path: &Path) -> Result<u64> {
    let disk =
        statvfs(open::parent(path)).map_err(|errno| open::io_error(path, &std::io::Error::from(errno)))?;
    Ok(disk.blocks_available().saturating_mul(disk.fragment_size()))
}
