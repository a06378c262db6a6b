//! Lines that wait to be read a second time, outside the database and in bounded memory.

use super::contract::Result;
use super::sqlite::failed;
use rusqlite::{Connection, params};

/// Lines in the order in which they came. `SQLite` keeps them in a file without a name once they are many.
pub struct Spool {
    db: Connection,
    len: i64,
}

/// Negative, as `SQLite` counts KiB; beyond it, lines go to the file.
const CACHE_KIB: i64 = -4_096;

const SCHEMA: &str = "CREATE TABLE line (seq INTEGER PRIMARY KEY, number INTEGER NOT NULL, bytes BLOB NOT NULL) \
                      STRICT; BEGIN;";

impl Spool {
    /// An empty one.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError), as for every call here.
    pub fn new() -> Result<Self> {
        // No name: a database of its own, in memory until it outgrows its cache.
        let db = Connection::open("").map_err(failed)?;
        db.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(())).map_err(failed)?;
        db.pragma_update(None, "synchronous", "OFF").map_err(failed)?;
        db.pragma_update(None, "cache_size", CACHE_KIB).map_err(failed)?;
        db.execute_batch(SCHEMA).map_err(failed)?;
        Ok(Self { db, len: 0 })
    }

    /// Adds the line that has this number in its file.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    pub fn push(&mut self, number: u64, line: &[u8]) -> Result<()> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let sql = "INSERT INTO line (seq, number, bytes) VALUES (?1, ?2, ?3)";
        self.db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params![self.len + 1, number, line]))
            .map_err(failed)?;
        self.len += 1;
        Ok(())
    }

    /// How many lines there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len.unsigned_abs()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Gives every line with its number, one at a time, until one fails.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError), or what `each` gave.
    pub fn each(&self, each: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        let mut statement =
            self.db.prepare_cached("SELECT number, bytes FROM line ORDER BY seq").map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let number = row.get::<_, i64>(0).map_err(failed)?.unsigned_abs();
            let bytes = row.get_ref(1).and_then(|bytes| Ok(bytes.as_blob()?)).map_err(failed)?;
            each(number, bytes)?;
        }
        Ok(())
    }
}
