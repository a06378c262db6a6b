//! Many seals at once: where a database is brought up to date or restored, or gets a key.

use super::evidence::each_sample;
use super::integrity::{PROOF, Sample, Seals, number};
use super::rows::PAT;
use super::{Result, failed, head, outbox, reads};
use crate::domain::integrity::{Damage, ROWS, Sealer};
use rusqlite::{Connection, params};

/// Gives the rows that `wanted` chooses a seal.
pub fn reseal(
    db: &Connection,
    from: &Seals,
    to: &Seals,
    wanted: impl Fn(std::result::Result<(), Damage>) -> bool,
) -> Result<u64> {
    let mut sealed = 0;
    each_sample(db, from, &mut |sample, seal, row| {
        if wanted(seal) {
            put(db, number(row)?, &to.seal(db, &sample.values, &sample.rules)?)?;
            sealed += 1;
        }
        Ok(())
    })?;
    Ok(sealed)
}

fn put(db: &Connection, seq: i64, seal: &[u8]) -> Result<()> {
    reads::execute(db, "UPDATE token SET integrity = ?2 WHERE seq = ?1", params![seq, seal]).map(|_| ())
}

/// The numbers of the rows that are to be believed; with `adopt` also those that have but a checksum.
pub fn credible(db: &Connection, seals: &Seals, adopt: bool) -> Result<Vec<i64>> {
    let plain = Seals::default();
    if seals.believes_narrow() {
        plain.believe_narrow();
    }
    let mut found = Vec::new();
    each_sample(db, seals, &mut |sample, seal, row| {
        if seal.is_ok() || adopt && plain.check(db, sample)?.is_ok() {
            found.push(number(row)?);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Seals these rows as they are now.
pub fn reseal_these(db: &Connection, seals: &Seals, rows: &[i64]) -> Result<()> {
    let sql = format!("SELECT {PAT}, {PROOF} FROM token WHERE seq = ?1");
    for seq in rows {
        let seal = reads::collect(db, &sql, [seq], |row| {
            let sample = Sample::read(db, row)?;
            seals.seal(db, &sample.values, &sample.rules)
        })?;
        if let Some(seal) = seal.first() {
            put(db, *seq, seal)?;
        }
    }
    Ok(())
}

/// Gives every row its seal: for a database whose rows had none.
pub fn fill(db: &Connection) -> Result<()> {
    let seals = Seals::default();
    reseal(db, &seals, &seals, |_| true).map(|_| ())
}

/// Seals the rows of a database of before schema 8 anew that are what patctl wrote; how many.
pub fn widen(db: &Connection, seals: &Seals) -> Result<u64> {
    let old = Seals::new(seals.sealer().clone());
    old.believe_narrow();
    outbox::seal_unsealed(db, seals)?;
    reseal(db, &old, seals, |seal| seal.is_ok())
}

/// The same where no key is needed for it. Where one is, whoever has it does it.
pub fn widen_plain(db: &Connection) -> Result<()> {
    let seals = Seals::default();
    let mut sealed = head::read(db, &seals)?;
    let kinds = reads::collect(db, "SELECT DISTINCT substr(integrity, 1, 1) FROM token", [], |row| {
        Ok(row.get_ref(0).map_err(failed)?.as_blob_or_null().unwrap_or(None).is_some_and(Sealer::is_keyed))
    })?;
    if sealed.keyed || kinds.contains(&true) {
        return Ok(());
    }
    widen(db, &seals)?;
    sealed.head.row_seals = Some(ROWS);
    head::write(db, &seals, &sealed)
}

/// Whether a database is one of before schema 8 whose rows nobody has sealed anew yet. The head that a database of
/// before schema 7 was given has no key.
pub fn is_narrow(db: &Connection, seals: &Seals) -> bool {
    head::read(db, seals).is_ok_and(|sealed| {
        sealed.head.row_seals.is_none() && matches!(sealed.seal, Ok(()) | Err(Damage::Unkeyed))
    })
}
