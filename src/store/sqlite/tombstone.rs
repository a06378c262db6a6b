//! Tombstones: written when a token is pruned, and asked before one comes in.

use super::integrity::Seals;
use super::reads::{self, collect, execute};
use super::rows::{self, text};
use super::{Result, failed};
use crate::domain::integrity::Damage;
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::token::TokenId;
use crate::domain::tombstone::{Ended, Tombstone, frame};
use rusqlite::{Connection, params};
use std::ops::ControlFlow;

/// Condition of an insertion: the id in `?1` is not that of a tombstone.
pub const NONE: &str = "NOT EXISTS (SELECT 1 FROM tombstone WHERE id = ?1)";

/// The tombstone with this id. One that is not what patctl wrote counts all the same: it only takes away.
pub fn find(db: &Connection, id: TokenId) -> Result<Option<Tombstone>> {
    let sql = "SELECT ended, day FROM tombstone WHERE id = ?1";
    let found = collect(db, sql, [id.as_str()], |row| {
        Ok(Tombstone { ended: rows::parsed(row, 0, "ended")?, day: text(row, 1, "day")?.to_owned() })
    })?;
    Ok(found.into_iter().next())
}

/// Writes the tombstones of tokens that were deleted at `at`; how many there are more.
pub fn write(db: &Connection, seals: &Seals, gone: &[Pat], at: Moment) -> Result<i64> {
    let sql = "INSERT INTO tombstone (id, ended, day, integrity) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING";
    let at = at.text();
    let day = at.as_str().get(..10).unwrap_or_default();
    let database = seals.database(db)?;
    let mut more = 0;
    for pat in gone {
        let Some(ended) = Ended::of(pat).map(Ended::as_str) else { continue };
        let seal = seals.sealer().seal_message(&frame(database, pat.id.as_str(), ended, day));
        more += execute(db, sql, params![pat.id.as_str(), ended, day, seal])?.cast_signed() as i64;
    }
    Ok(more)
}

/// Deletes a tombstone, so that the token may come in; whether there was one.
pub fn remove(db: &Connection, id: TokenId) -> Result<bool> {
    Ok(execute(db, "DELETE FROM tombstone WHERE id = ?1", params![id.as_str()])? == 1)
}

/// How many there are.
pub fn count(db: &Connection) -> Result<i64> {
    let counts = collect(db, "SELECT count(*) FROM tombstone", [], |row| rows::integer(row, 0, "count"))?;
    Ok(counts.first().copied().unwrap_or_default())
}

/// The ids of those that are not what patctl wrote.
pub fn damaged(db: &Connection, seals: &Seals) -> Result<Vec<(String, Damage)>> {
    let mut found = Vec::new();
    let database = seals.database(db)?;
    reads::each_row(db, "SELECT id, ended, day, integrity FROM tombstone ORDER BY id", [], |row| {
        let (id, ended, day) = (text(row, 0, "id")?, text(row, 1, "ended")?, text(row, 2, "day")?);
        let seal = row.get_ref(3).map_err(failed)?.as_blob_or_null().unwrap_or(None);
        if let Err(damage) = seals.sealer().check_message(seal, || frame(database, id, ended, day)) {
            found.push((id.to_owned(), damage));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

/// What is wrong with them, in words; `due` is how many the head of the log counts.
pub fn faults(db: &Connection, seals: &Seals, due: i64) -> Result<Vec<String>> {
    let damaged = damaged(db, seals)?;
    // Without the key the head says so for all of them.
    let told = damaged.iter().filter(|(_, damage)| *damage != Damage::NoKey);
    let mut found: Vec<String> = told.map(|(id, _)| format!("the tombstone of {id}")).collect();
    let there = count(db)?;
    if due != there {
        found.push(format!("there are {there} tombstones, and the head of the log counts {due}"));
    }
    Ok(found)
}

/// Makes the seals that these tombstones should have, where `wanted` chooses what is wrong with theirs.
pub fn reseal(db: &Connection, from: &Seals, to: &Seals, wanted: impl Fn(&Damage) -> bool) -> Result<()> {
    let database = to.database(db)?;
    for (id, _) in damaged(db, from)?.iter().filter(|(_, damage)| wanted(damage)) {
        let Ok(token) = id.parse::<TokenId>() else { continue };
        let Some(Tombstone { ended, day }) = find(db, token)? else { continue };
        let seal = to.sealer().seal_message(&frame(database, id, ended.as_str(), &day));
        execute(db, "UPDATE tombstone SET integrity = ?2 WHERE id = ?1", params![id, seal])?;
    }
    Ok(())
}

/// Makes the tombstones of a database of an older schema, by what its log still says.
pub fn found(db: &Connection) -> Result<i64> {
    let sql = "INSERT OR IGNORE INTO tombstone (id, ended, day, integrity) \
               SELECT token_id, CASE WHEN revoked THEN 'revoked' WHEN rotated THEN 'rotated' \
               WHEN disabled THEN 'disabled' ELSE 'ended' END, substr(pruned, 1, 10), NULL \
               FROM (SELECT token_id, max(at) FILTER (WHERE action = 'prune') AS pruned, \
               max(action = 'revoke') AS revoked, max(action IN ('rotate', 'switch')) AS rotated, \
               max(action = 'disable') AS disabled, max(action = 'edit') AS edited \
               FROM audit WHERE outcome = 'done' AND length(token_id) = 10 GROUP BY token_id) \
               WHERE pruned IS NOT NULL AND (revoked OR rotated OR disabled OR edited) \
               AND token_id NOT IN (SELECT id FROM token)";
    execute(db, sql, &[])?;
    let seals = Seals::default();
    reseal(db, &seals, &seals, |_| true)?;
    count(db)
}
