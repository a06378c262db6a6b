//! What is read, inside a transaction or outside of one.

use super::rows::{self, PAT};
use super::{Result, failed};
use crate::domain::audit::Record;
use crate::domain::filter::{Filter, IdPrefix, Status};
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::token::TokenId;
use crate::store::contract::EachPat;
use crate::store::{Query, Stored};
use rusqlite::{Connection, Params, Row, ToSql, params_from_iter};
use std::ops::ControlFlow;

/// What `prune` deletes, given the moment `?1`: preview and deed share it.
pub const PRUNABLE: &str = "(revoked_at < ?1 OR expires_at < ?1)";

pub fn token(db: &Connection, id: TokenId) -> Result<Option<Stored>> {
    let sql = format!("SELECT {PAT}, verifier FROM token WHERE id = ?1");
    let mut found = None;
    each_row(db, &sql, [id.as_str()], |row| {
        found = Some(rows::stored(row)?);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

pub fn with_prefix(db: &Connection, prefix: &IdPrefix, limit: u32) -> Result<Vec<Pat>> {
    // '{' follows 'z' in ASCII: everything that begins with the prefix lies between the two.
    let sql = format!("SELECT {PAT} FROM token WHERE id >= ?1 AND id < ?1 || '{{' ORDER BY id LIMIT {limit}");
    collect(db, &sql, [prefix.as_str()], rows::pat)
}

pub fn history(db: &Connection, id: TokenId, limit: u32) -> Result<Vec<Record>> {
    let sql = format!(
        "SELECT seq, at, actor, action, outcome, reason FROM audit WHERE token_id = ?1 \
         ORDER BY seq DESC LIMIT {limit}"
    );
    collect(db, &sql, [id.as_str()], rows::record)
}

pub fn last_audit(db: &Connection) -> Result<Option<Moment>> {
    let sql = "SELECT at FROM audit ORDER BY seq DESC LIMIT 1";
    Ok(collect(db, sql, [], |row| rows::parsed(row, 0, "at"))?.pop())
}

pub fn held(db: &Connection, user: &str) -> Result<u64> {
    let sql = "SELECT count(*) FROM token WHERE user = ?1 AND revoked_at IS NULL";
    let counts = collect(db, sql, [user], |row| rows::integer(row, 0, "count"))?;
    Ok(counts.first().map_or(0, |n| n.unsigned_abs()))
}

pub fn list(db: &Connection, query: &Query<'_>, each: EachPat<'_>) -> Result<()> {
    let (condition, values) = condition(query);
    let limit = query.limit.map_or(String::new(), |n| format!(" LIMIT {}", n.min(i64::MAX as u64)));
    let sql = format!("SELECT {PAT} FROM token WHERE {condition} ORDER BY created_at DESC, seq DESC{limit}");
    each_row(db, &sql, params_from_iter(values), |row| Ok(each(&rows::pat(row)?)))
}

pub fn prunable(db: &Connection, before: Moment, each: EachPat<'_>) -> Result<()> {
    let sql = format!("SELECT {PAT} FROM token WHERE {PRUNABLE} ORDER BY seq");
    each_row(db, &sql, [before.to_string()], |row| Ok(each(&rows::pat(row)?)))
}

/// The filter as SQL; every value that a person chose is bound, none is spliced.
fn condition(query: &Query<'_>) -> (String, Vec<String>) {
    let Filter { users, statuses, all } = query.filter;
    let mut values = vec![query.now.to_string(), query.now.saturating_plus(query.expiry_warning).to_string()];
    // Both are always bound, so that the numbering holds whichever state is asked for.
    let mut parts = vec!["?1 <= ?2".to_owned()];
    if !users.is_empty() {
        let places: Vec<String> = (values.len() + 1..).take(users.len()).map(|n| format!("?{n}")).collect();
        parts.push(format!("user IN ({})", places.join(", ")));
        values.extend(users.iter().cloned());
    }
    if !statuses.is_empty() {
        let states: Vec<&str> = statuses.iter().copied().map(state).collect();
        parts.push(format!("({})", states.join(" OR ")));
    } else if !all {
        parts.push("revoked_at IS NULL".to_owned());
    }
    (parts.join(" AND "), values)
}

/// [`crate::domain::pat::Life::state`] as SQL; a property test holds the two together.
fn state(status: Status) -> &'static str {
    match status {
        Status::Active => {
            "(revoked_at IS NULL AND disabled_at IS NULL AND (expires_at IS NULL OR expires_at > ?1))"
        }
        Status::ExpiresSoon => {
            "(revoked_at IS NULL AND disabled_at IS NULL AND expires_at > ?1 AND expires_at <= ?2)"
        }
        Status::Expired => "(revoked_at IS NULL AND disabled_at IS NULL AND expires_at <= ?1)",
        Status::Revoked => "revoked_at IS NOT NULL",
    }
}

/// Runs a query row by row; `each` may stop it.
fn each_row<P: Params>(
    db: &Connection,
    sql: &str,
    params: P,
    mut each: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut statement = db.prepare(sql).map_err(failed)?;
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
    read: impl Fn(&Row<'_>) -> Result<T>,
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
    db.execute(sql, params).map_err(failed)
}
