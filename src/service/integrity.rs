//! A new key for the seals of rows.

use super::Act;
use crate::domain::audit::{Action, Entry, MANY};
use crate::domain::integrity::{Damage, IntegrityKey, ROWS};
use crate::store::contract::Result;
use crate::store::integrity::Adopted;
use crate::store::{Durability, Store};

/// Seals the head of the audit log with the key, where it has only a checksum.
///
/// # Errors
/// What the database gave.
pub fn adopt_head(store: &mut dyn Store) -> Result<()> {
    if store.head()?.seal != Err(Damage::Unkeyed) {
        return Ok(());
    }
    let mut change = store.begin(Durability::Full)?;
    if change.adopt_head()? { change.commit() } else { Ok(()) }
}

/// Seals the rows of a database of before schema 8 anew that are what patctl wrote, and writes down that it did.
///
/// # Errors
/// What the database gave; then nothing was sealed.
pub fn widen(store: &mut dyn Store, act: &Act<'_>) -> Result<()> {
    let head = store.head()?;
    if head.seal.is_ok() && head.head.row_seals == Some(ROWS) {
        return Ok(());
    }
    let mut change = store.begin(Durability::Full)?;
    let Some(rows) = change.widen()? else { return Ok(()) };
    let detail = format!("{rows} rows, so that the seals cover all that leaves the database");
    let entry = act.done((act.clock)(), Action::Seal, MANY, None);
    change.audit(&Entry { detail: Some(&detail), ..entry })?;
    change.commit()
}

/// Seals all rows with a key, if none is sealed with any, and writes down that it did.
///
/// # Errors
/// What the database gave; then nothing was sealed.
pub fn adopt(store: &mut dyn Store, act: &Act<'_>, key: &IntegrityKey) -> Result<Adopted> {
    let mut change = store.begin(Durability::Full)?;
    let adopted = change.adopt(key)?;
    if let Adopted::Sealed(rows) = adopted {
        let detail = format!("{rows} rows, with a new key");
        let entry = act.done((act.clock)(), Action::Seal, MANY, None);
        change.audit(&Entry { detail: Some(&detail), ..entry })?;
        change.commit()?;
    }
    Ok(adopted)
}
