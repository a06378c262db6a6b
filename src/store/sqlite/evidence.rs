//! Reads rows together with the result of their seal check, and compares them again under the write lock.

use super::integrity::{INTEGRITY, PLACES, PROOF, SAMPLE_WIDTH, Sample, Seals, VERSION, number};
use super::query::{self, Statement};
use super::rows::PAT;
use super::{Result, failed, reads, rows};
use crate::domain::integrity::Damage;
use crate::domain::token::TokenId;
use crate::store::contract::EachPat;
use crate::store::{Basis, Evidence, Query, RowVersion};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params_from_iter};
use std::ops::ControlFlow;

/// Rows per page of a full scan.
const STEP: u32 = 1000;

/// Receives a row's values, the result of its seal check, and the SQLite row.
type EachSample<'a> = &'a mut dyn FnMut(&Sample<'_>, std::result::Result<(), Damage>, &Row<'_>) -> Result<()>;

/// The token with this id, and whether its row is to be believed.
pub fn evidence(db: &Connection, seals: &Seals, id: TokenId) -> Result<Option<Evidence>> {
    let mut found = None;
    reads::each_row(db, &reads::whole(), [id.as_str()], |row| {
        let sample = Sample::read(db, row)?;
        let seal = seals.check(db, &sample)?;
        let stored = rows::stored(row)?;
        let row = RowVersion {
            seq: number(row)?,
            version: stored.pat.version,
            seal: sample.seal.map(<[u8]>::to_vec),
        };
        found = Some(Evidence { stored, rules: sample.rules, seal, row });
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

/// Returns whether the row is still in the state that a decision depends on.
pub fn is_as_read(db: &Connection, id: TokenId, basis: &Basis) -> Result<bool> {
    if *basis == Basis::Any {
        return Ok(true);
    }
    let mut found = None;
    // The same SQL text as the first read, so the statement cache has it compiled.
    reads::each_row(db, &reads::whole(), [id.as_str()], |row| {
        let seal = row.get_ref(INTEGRITY).map_err(failed)?.as_blob_or_null().unwrap_or(None);
        found = Some(match basis {
            Basis::Row(read) => {
                let is = |place, number| row.get_ref(place).is_ok_and(|it| it == ValueRef::Integer(number));
                is(SAMPLE_WIDTH, read.seq)
                    && is(PLACES[VERSION], read.version)
                    && seal == read.seal.as_deref()
            }
            Basis::Any | Basis::Absent => false,
        });
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found.unwrap_or(*basis == Basis::Absent))
}

/// The tokens that a query chooses, each looked at.
pub fn list(db: &Connection, seals: &Seals, query: &Query<'_>, each: EachPat<'_>) -> Result<()> {
    let Statement { sql, values } = query::statement(query, &format!("{PAT}, {PROOF}"));
    reads::each_row(db, &sql, params_from_iter(values), |row| {
        let mut pat = rows::pat(row)?;
        pat.damaged = seals.check(db, &Sample::read(db, row)?)?.is_err();
        Ok(each(&pat))
    })
}

/// Rows by their number, `?1` being the last that was read, with their number behind all else.
fn page() -> String {
    format!("SELECT {PAT}, {PROOF}, seq FROM token WHERE seq > ?1 ORDER BY seq LIMIT {STEP}")
}

/// Shows every row with whether it is to be believed.
pub fn each_sample(db: &Connection, seals: &Seals, each: EachSample<'_>) -> Result<()> {
    let sql = page();
    let mut last = i64::MIN;
    loop {
        let before = last;
        reads::each_row(db, &sql, [before], |row| {
            last = number(row)?;
            let sample = Sample::read(db, row)?;
            let seal = seals.check(db, &sample)?;
            each(&sample, seal, row)?;
            Ok(ControlFlow::Continue(()))
        })?;
        if last == before {
            return Ok(());
        }
    }
}
