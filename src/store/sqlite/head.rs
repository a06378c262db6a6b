//! The head of the audit log: read when a transaction begins, sealed and written when it commits.

use super::integrity::Seals;
use super::reads::{self, collect, execute};
use super::rows::{self, text};
use super::{Result, failed, tombstone};
use crate::domain::chain::head::{self, Head};
use crate::domain::chain::{Link, Sealed};
use crate::domain::integrity::{SEAL, Sealer};
use crate::domain::moment::{Moment, MomentText};
use crate::store::StoreError;
use rusqlite::{Connection, Row, params};
use std::ops::ControlFlow;

/// The columns of [`values`], in its order.
const COLUMNS: &str = "head.seq, head.hash, clock_mark, cut_seq, cut_hash, cut_at, tombstones, integrity, \
                       row_seals";

/// The head, and the name of the database, in one look.
pub fn read(db: &Connection, seals: &Seals) -> Result<Sealed> {
    let sql = format!("SELECT {COLUMNS}, name FROM head, installation");
    let found = collect(db, &sql, [], |row| {
        let head = values(row)?;
        let name = seals.is_of(text(row, 9, "name")?);
        let seal = row.get_ref(7).map_err(failed)?.as_blob_or_null().unwrap_or(None);
        let keyed = seal.is_some_and(Sealer::is_keyed);
        let seal = seals.sealer().check_message(seal, || head.frame(name));
        Ok(Sealed { head, seal, keyed })
    })?;
    found.into_iter().next().ok_or_else(|| StoreError::Damaged("it has no head, or no name".to_owned()))
}

fn values(row: &Row<'_>) -> Result<Head> {
    let link = |seq: usize| -> Result<Link> {
        Ok(Link { seq: rows::integer(row, seq, "seq")?, hash: text(row, seq + 1, "hash")?.to_owned() })
    };
    Ok(Head {
        last: link(0)?,
        mark: rows::parsed(row, 2, "clock_mark")?,
        cut: link(3)?,
        cut_at: rows::maybe(row, 5, "cut_at")?,
        tombstones: rows::integer(row, 6, "tombstones")?,
        row_seals: rows::number(row, 8, "row_seals")?,
    })
}

/// Writes a head. One that was not what patctl wrote goes on as such: a seal would make it credible.
pub fn write(db: &Connection, seals: &Seals, sealed: &Sealed) -> Result<()> {
    let head = &sealed.head;
    let sql = "UPDATE head SET seq = ?1, hash = ?2, clock_mark = ?3, cut_seq = ?4, cut_hash = ?5, cut_at = ?6, \
               tombstones = ?7, integrity = ?8, row_seals = ?9";
    let (mark, cut_at) = (head.mark.text(), head.cut_at.map(Moment::text));
    let values = params![
        head.last.seq,
        head.last.hash,
        mark.as_str(),
        head.cut.seq,
        head.cut.hash,
        cut_at.as_ref().map(MomentText::as_str),
        head.tombstones,
        seal(db, seals, sealed)?,
        head.row_seals,
    ];
    the_one(execute(db, sql, values)?)
}

/// Writes a head that changed only because rows were added. Every use ends with this: SQLite compiles no CHECK of a
/// column that is not named.
pub fn advance(db: &Connection, seals: &Seals, sealed: &Sealed) -> Result<()> {
    let head = &sealed.head;
    let sql = "UPDATE head SET seq = ?1, hash = ?2, clock_mark = ?3, integrity = ?4";
    let mark = head.mark.text();
    let values = params![head.last.seq, head.last.hash, mark.as_str(), seal(db, seals, sealed)?];
    the_one(execute(db, sql, values)?)
}

fn seal(db: &Connection, seals: &Seals, sealed: &Sealed) -> Result<Option<[u8; SEAL]>> {
    match sealed.seal {
        Ok(()) => Ok(Some(seals.sealer().seal_message(&sealed.head.frame(seals.database(db)?)))),
        Err(_) => Ok(None),
    }
}

fn the_one(written: usize) -> Result<()> {
    if written == 1 { Ok(()) } else { Err(StoreError::Damaged("it has no head".to_owned())) }
}

/// Gives a database of an older schema its head, by what its log holds.
pub fn found(db: &Connection) -> Result<()> {
    let seals = Seals::default();
    let mut sealed = read(db, &seals)?;
    let head = &mut sealed.head;
    if let Some(last) = collect(db, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", [], |row| {
        let hash = rows::optional(row, 1, "hash")?.unwrap_or_default().to_owned();
        Ok(Link { seq: rows::integer(row, 0, "seq")?, hash })
    })?
    .pop()
    {
        head.last = last;
    }
    let mut mark = head.mark;
    reads::each_row(db, "SELECT at, action, outcome FROM audit ORDER BY seq", [], |row| {
        // A time that cannot be read is a matter for `audit verify`.
        if let Ok(at) = rows::parsed(row, 0, "at") {
            mark = head::after(mark, at, head::is_witness(text(row, 1, "action")?, text(row, 2, "outcome")?));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    head.mark = mark;
    head.tombstones = tombstone::found(db)?;
    sealed.seal = Ok(());
    write(db, &seals, &sealed)
}
