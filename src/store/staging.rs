//! Rows that wait to be imported, outside the database: read at whatever pace they come, while nobody
//! is kept waiting, and in bounded memory. `SQLite` keeps them in a file without a name once they are many.

use super::contract::Result;
use super::sqlite::failed;
use crate::domain::atlassian::Place;
use crate::domain::atlassian::hash::Pkcs5s2;
use crate::domain::atlassian::number::Number;
use crate::domain::atlassian::row::Row;
use crate::domain::atlassian::staged::{Fate, Staged};
use crate::domain::moment::Moment;
use crate::domain::pat::Notified;
use rusqlite::types::Type;
use rusqlite::{Connection, params};
use std::cell::Cell;
use std::collections::HashMap;

/// Rows that wait.
pub struct Staging {
    db: Connection,
    /// Which row has a number. Kept here, because an index of them would be written all over.
    numbers: HashMap<Number, i64>,
    last: i64,
    /// How many rows there are of each fate, by its place.
    counts: Cell<[u64; Fate::ALL.len()]>,
}

/// Rows are read as they were written, one after the other.
const PAGE_BYTES: i64 = 65_536;

/// Negative, as `SQLite` counts KiB; beyond it, rows go to the file.
const CACHE_KIB: i64 = -32_768;

const SCHEMA: &str = "\
CREATE TABLE staged (
  seq INTEGER PRIMARY KEY, line INTEGER NOT NULL, nth INTEGER, fate INTEGER NOT NULL, why TEXT,
  number INTEGER, origin_row INTEGER, hash TEXT, name TEXT, user TEXT, origin_name TEXT,
  origin_user TEXT, created_at INTEGER, expires_at INTEGER, never TEXT, last_used_at INTEGER, notified TEXT
) STRICT;
BEGIN;";

const COLUMNS: &str = "seq, line, nth, fate, why, number, origin_row, hash, name, user, origin_name, \
                       origin_user, created_at, expires_at, never, last_used_at, notified";

impl Staging {
    /// None yet.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError), as for every call here.
    pub fn new() -> Result<Self> {
        // No name: a database of its own, in memory until it outgrows its cache.
        let db = Connection::open("").map_err(failed)?;
        db.pragma_update(None, "page_size", PAGE_BYTES).map_err(failed)?;
        // Nobody will ever want it back.
        db.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(())).map_err(failed)?;
        db.pragma_update(None, "synchronous", "OFF").map_err(failed)?;
        db.pragma_update(None, "cache_size", CACHE_KIB).map_err(failed)?;
        db.execute_batch(SCHEMA).map_err(failed)?;
        Ok(Self { db, numbers: HashMap::new(), last: 0, counts: Cell::default() })
    }

    /// Adds a token, with the name and the user it will have here. One whose number came before is a
    /// conflict.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    pub fn push(&mut self, place: Place, row: &Row, name: &str, user: &str) -> Result<()> {
        if let Some(earlier) = self.numbers.get(&row.number) {
            let place_of =
                |row: &rusqlite::Row<'_>| Ok(Place { line: count(row, 0)?, nth: maybe_count(row, 1)? });
            let sql = "SELECT line, nth FROM staged WHERE seq = ?1";
            let earlier = self.db.query_row(sql, [earlier], place_of).map_err(failed)?;
            let why = format!("{earlier} has the same TOKEN_ID, {}", row.number);
            return self.reject(place, Fate::Conflict, &why);
        }
        self.last += 1;
        let sql = "INSERT INTO staged (seq, line, nth, fate, number, origin_row, hash, name, user, origin_name, \
                   origin_user, created_at, expires_at, never, last_used_at, notified) \
                   VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
        let values = params![
            self.last,
            line(place.line),
            place.nth.map(line),
            line(row.number.get()),
            row.row,
            row.hash.to_theirs(),
            name,
            user,
            row.name,
            row.user_key,
            row.created_at.micros(),
            row.expires_at.map(Moment::micros),
            row.never,
            row.last_used_at.map(Moment::micros),
            row.notified.as_str(),
        ];
        self.execute(sql, values)?;
        self.numbers.insert(row.number, self.last);
        self.counted(Fate::New);
        Ok(())
    }

    /// Adds a row that is no token, or not one of its own.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    pub fn reject(&mut self, place: Place, fate: Fate, why: &str) -> Result<()> {
        self.last += 1;
        let sql = "INSERT INTO staged (seq, line, nth, fate, why) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![self.last, line(place.line), place.nth.map(line), fate as i64, why];
        self.execute(sql, values)?;
        self.counted(fate);
        Ok(())
    }

    fn counted(&self, fate: Fate) {
        let mut counts = self.counts.get();
        counts[fate as usize] += 1;
        self.counts.set(counts);
    }

    /// Notes that a row which was new is not.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    pub fn mark(&self, seq: i64, fate: Fate, why: Option<&str>) -> Result<()> {
        let sql = "UPDATE staged SET fate = ?2, why = ?3 WHERE seq = ?1";
        self.execute(sql, params![seq, fate as i64, why])?;
        let mut counts = self.counts.get();
        counts[Fate::New as usize] -= 1;
        self.counts.set(counts);
        self.counted(fate);
        Ok(())
    }

    fn execute(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<()> {
        self.db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map(|_| ())
            .map_err(failed)
    }

    /// The rows behind `after`, at most `limit`; of one fate, if one is named.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    pub fn page(&self, after: i64, limit: u32, fate: Option<Fate>) -> Result<Vec<Staged>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM staged WHERE seq > ?1 AND (?2 IS NULL OR fate = ?2) ORDER BY seq LIMIT {limit}"
        );
        let mut statement = self.db.prepare_cached(&sql).map_err(failed)?;
        let found = statement.query_map(params![after, fate.map(|fate| fate as i64)], staged);
        found.and_then(Iterator::collect).map_err(failed)
    }

    /// How many rows there are of a fate.
    #[must_use]
    pub fn count(&self, fate: Fate) -> u64 {
        self.counts.get()[fate as usize]
    }

    /// The users who get tokens, and how many each, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    pub fn users(&self) -> Result<Vec<(String, u64)>> {
        let sql = "SELECT user, count(*) FROM staged WHERE fate = 0 GROUP BY user ORDER BY user";
        let mut statement = self.db.prepare(sql).map_err(failed)?;
        let found = statement.query_map([], |row| Ok((row.get(0)?, count(row, 1)?)));
        found.and_then(Iterator::collect).map_err(failed)
    }
}

/// A count as `SQLite` takes it; none is so large.
fn line(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(i64::unsigned_abs)
}

fn maybe_count(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(at)?.map(i64::unsigned_abs))
}

fn staged(row: &rusqlite::Row<'_>) -> rusqlite::Result<Staged> {
    let fate = usize::try_from(row.get::<_, i64>(3)?).ok().and_then(|at| Fate::ALL.get(at).copied());
    Ok(Staged {
        seq: row.get(0)?,
        place: Place { line: count(row, 1)?, nth: maybe_count(row, 2)? },
        fate: fate.unwrap_or(Fate::Broken),
        why: row.get(4)?,
        row: token(row)?,
        name: row.get::<_, Option<String>>(8)?.unwrap_or_default(),
        user: row.get::<_, Option<String>>(9)?.unwrap_or_default(),
    })
}

fn token(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Row>> {
    let Some(number) = maybe_count(row, 5)?.and_then(Number::new) else { return Ok(None) };
    let odd = |at| rusqlite::Error::InvalidColumnType(at, "staged".to_owned(), Type::Text);
    let moment = |at| -> rusqlite::Result<Option<Moment>> {
        Ok(row.get::<_, Option<i64>>(at)?.and_then(Moment::from_micros))
    };
    Ok(Some(Row {
        number,
        row: row.get(6)?,
        hash: Pkcs5s2::parse(&row.get::<_, String>(7)?).map_err(|_| odd(7))?,
        name: row.get(10)?,
        user_key: row.get(11)?,
        created_at: moment(12)?.ok_or_else(|| odd(12))?,
        expires_at: moment(13)?,
        never: row.get(14)?,
        last_used_at: moment(15)?,
        notified: row.get::<_, String>(16)?.parse::<Notified>().map_err(|()| odd(16))?,
    }))
}
