//! What is read, inside a transaction or outside of one.

use super::query::{self, Statement};
use super::rows::{self, PAT, PAT_WIDTH, RECORD};
use super::{Result, failed};
use crate::domain::audit::Record;
use crate::domain::id::IdPrefix;
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::text;
use crate::domain::token::TokenId;
use crate::domain::verifier::{Verifier, Work};
use crate::store::contract::EachPat;
use crate::store::{Query, Row, StoreError, Stored};
use rusqlite::{Connection, Params, ToSql, params, params_from_iter};
use std::ops::ControlFlow;

/// What `prune` deletes, given the moment `?1`: preview and deed share it.
pub const PRUNABLE: &str = "(revoked_at < ?1 OR expires_at < ?1 OR rotated_at < ?1)";

/// A token with its proof and its seal: one text for whoever looks, so that it is compiled once in a process.
pub fn whole() -> String {
    format!(
        "SELECT {PAT}, verifier, cache.digest, cache.at, integrity, origin_row, origin_user, origin_end, \
         seq \
         FROM token LEFT JOIN cache ON token = seq \
         WHERE id = ?1"
    )
}

pub fn token(db: &Connection, id: TokenId) -> Result<Option<Stored>> {
    let mut found = None;
    each_row(db, &whole(), [id.as_str()], |row| {
        found = Some(rows::stored(row)?);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

pub fn pat(db: &Connection, id: TokenId) -> Result<Option<Pat>> {
    let mut found = None;
    each_row(db, &format!("SELECT {PAT} FROM token WHERE id = ?1"), [id.as_str()], |row| {
        found = Some(rows::pat(row)?);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

pub fn restrictions(db: &Connection, id: TokenId) -> Result<Vec<String>> {
    let sql =
        "SELECT rule FROM restriction WHERE token = (SELECT seq FROM token WHERE id = ?1) ORDER BY position";
    collect(db, sql, [id.as_str()], |row| Ok(rows::text(row, 0, "rule")?.to_owned()))
}

pub fn sealed(db: &Connection, id: TokenId) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT sealed FROM token WHERE id = ?1 AND secure = 0 AND sealed IS NOT NULL";
    Ok(collect(db, sql, [id.as_str()], |row| rows::bytes(row, 0, "sealed"))?.pop())
}

pub fn installation(db: &Connection) -> Result<String> {
    let found = collect(db, "SELECT name FROM installation", [], |row| {
        // All tokens depend on it: not the fault of one row.
        Ok(rows::text(row, 0, "name")
            .map_err(|_| StoreError::Damaged("its name cannot be read".to_owned()))?
            .to_owned())
    })?;
    found.into_iter().next().ok_or_else(|| StoreError::Damaged("it has no name".to_owned()))
}

pub fn with_prefix(db: &Connection, prefix: &IdPrefix, limit: u32) -> Result<Vec<Pat>> {
    // '{' follows 'z' in ASCII: everything that begins with the prefix lies between the two.
    let sql = format!("SELECT {PAT} FROM token WHERE id >= ?1 AND id < ?1 || '{{' ORDER BY id LIMIT {limit}");
    collect(db, &sql, [prefix.as_str()], rows::pat)
}

pub fn history(db: &Connection, id: TokenId, limit: u32) -> Result<Vec<Record>> {
    let sql = format!("SELECT {RECORD} FROM audit WHERE token_id = ?1 ORDER BY seq DESC LIMIT {limit}");
    collect(db, &sql, [id.as_str()], rows::record)
}

pub fn held(db: &Connection, user: Option<&str>) -> Result<u64> {
    let sql = "SELECT count(*) FROM token WHERE user IS ?1 AND revoked_at IS NULL AND rotated_at IS NULL";
    let counts = collect(db, sql, [user], |row| rows::integer(row, 0, "count"))?;
    Ok(counts.first().map_or(0, |n| n.unsigned_abs()))
}

pub fn list(db: &Connection, query: &Query<'_>, each: EachPat<'_>) -> Result<()> {
    let Statement { sql, values } = query::statement(query, PAT);
    each_row(db, &sql, params_from_iter(values), |row| Ok(each(&rows::pat(row)?)))
}

pub fn work_near(db: &Connection, id: TokenId) -> Result<Option<Work>> {
    // Imported ids lie in one piece, between two of the others; those behind come first.
    let (from, until) = (TokenId::IMPORTED, after_imported());
    let (id, until) = (id.as_str(), until.as_str());
    let ranges = if id.starts_with(from) {
        vec![(id, until), (from, id)]
    } else if id < from {
        vec![(id, from), (until, "{"), ("", id)]
    } else {
        vec![(id, "{"), ("", from), (until, id)]
    };
    for (after, before) in ranges {
        let sql = "SELECT verifier FROM token WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT 1";
        // A neighbour that cannot be read is no reason to fail: somebody else's token is asked for.
        let near = collect(db, sql, [after, before], |row| {
            Ok(rows::text(row, 0, "verifier").ok().and_then(|text| Verifier::parse(text).ok()))
        })?;
        if let Some(verifier) = near.into_iter().next() {
            return Ok(verifier.map(|verifier| verifier.work()));
        }
    }
    Ok(None)
}

/// What follows every imported id.
fn after_imported() -> String {
    format!("{}{{", TokenId::IMPORTED)
}

pub fn prunable(db: &Connection, before: Moment, after: i64, limit: u32) -> Result<Vec<Row>> {
    let sql =
        format!("SELECT {PAT}, seq FROM token WHERE {PRUNABLE} AND seq > ?2 ORDER BY seq LIMIT {limit}");
    collect(db, &sql, params![before.text().as_str(), after], numbered)
}

/// A row of [`PAT`] and its number behind it.
pub fn numbered(row: &rusqlite::Row<'_>) -> Result<Row> {
    Ok(Row { seq: rows::integer(row, PAT_WIDTH, "seq")?, pat: rows::pat(row)? })
}

pub fn last_prunable(db: &Connection, before: Moment, after: i64, limit: u32) -> Result<Option<i64>> {
    let sql = format!(
        "SELECT seq FROM (SELECT seq FROM token WHERE {PRUNABLE} AND seq > ?2 ORDER BY seq LIMIT {limit}) \
         ORDER BY seq DESC LIMIT 1"
    );
    let last = collect(db, &sql, params![before.text().as_str(), after], |row| rows::integer(row, 0, "seq"))?;
    Ok(last.first().copied())
}

pub fn users(db: &Connection, prefix: &str, limit: u32) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT DISTINCT user FROM token WHERE substr(user, 1, length(?1)) = ?1 ORDER BY user LIMIT {limit}"
    );
    collect(db, &sql, [prefix], |row| Ok(rows::text(row, 0, "user")?.to_owned()))
}

pub fn spellings(db: &Connection, user: &str) -> Result<Vec<(String, u64)>> {
    let likeness = text::likeness(user);
    // From one user to the next by the index, whatever number of tokens each has.
    let sql = "WITH RECURSIVE one(who) AS (SELECT min(user) FROM token UNION ALL \
               SELECT (SELECT min(user) FROM token WHERE token.user > one.who) FROM one WHERE who IS NOT NULL) \
               SELECT who FROM one WHERE who IS NOT NULL";
    let mut alike = Vec::new();
    each_row(db, sql, [], |row| {
        let name = rows::text(row, 0, "user")?;
        if !text::is_same(name, user) && text::likeness(name) == likeness {
            alike.push(name.to_owned());
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let sql = "SELECT count(*) FROM token WHERE user = ?1 AND revoked_at IS NULL";
    let mut found = Vec::new();
    for name in alike {
        let count = collect(db, sql, [&name], |row| rows::integer(row, 0, "count"))?;
        let count = count.first().map_or(0, |count| count.unsigned_abs());
        if count > 0 {
            found.push((name, count));
        }
    }
    Ok(found)
}

/// Runs a query row by row; `each` may stop it.
pub fn each_row<P: Params>(
    db: &Connection,
    sql: &str,
    params: P,
    mut each: impl FnMut(&rusqlite::Row<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(params).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        if each(row)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Runs a query whose rows are few.
pub fn collect<T, P: Params>(
    db: &Connection,
    sql: &str,
    params: P,
    read: impl Fn(&rusqlite::Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    each_row(db, sql, params, |row| {
        found.push(read(row)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

/// Runs a change and answers how many rows it touched.
pub fn execute(db: &Connection, sql: &str, params: &[&dyn ToSql]) -> Result<usize> {
    db.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map_err(failed)
}
