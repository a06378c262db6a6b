//! Whether a copy of a database is one that can be put back.

use super::{Act, audit};
use crate::domain::audit::{Action, Entry, MANY};
use crate::domain::chain::{Fault, Intact, KeptHead, Terms};
use crate::domain::integrity::Damage;
use crate::store::backup::detail_of;
use crate::store::contract::Result;
use crate::store::examine::{Examine, Identity};
use crate::store::{Durability, Store};

/// What is in a copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contents {
    /// How many tokens.
    pub tokens: u64,
    /// Its audit log, whole or not.
    pub log: std::result::Result<Intact, Fault>,
    /// The ids of rows that are not what patctl wrote.
    pub damaged: Vec<String>,
    /// Whether rows are sealed with a key, and none is configured.
    pub sealed_with_a_key: bool,
}

/// A copy is no database of patctl's, or none that can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// Its schema, and what is wrong with it.
    Identity(Identity),
    /// Its structure, in the database's own words.
    Structure(String),
}

/// Looks at a copy.
///
/// # Errors
/// What reading it gave. That it is unfit is an answer.
pub fn look(patient: &dyn Examine) -> Result<std::result::Result<Contents, Unfit>> {
    match patient.identity()? {
        Identity::Ours => {}
        other => return Ok(Err(Unfit::Identity(other))),
    }
    if let Some(fault) = patient.structure()?.into_iter().next() {
        return Ok(Err(Unfit::Structure(fault)));
    }
    let log = audit::walk(&|each| patient.examine_chain(each), Terms::default())?;
    let (mut tokens, mut damaged, mut sealed_with_a_key) = (0, Vec::new(), false);
    patient.examine_rows(&mut |row| {
        tokens += 1;
        sealed_with_a_key |= row.seal == Err(Damage::NoKey);
        if row.seal.is_err() || row.unreadable.is_some() {
            damaged.push(row.id.to_owned());
        }
    })?;
    Ok(Ok(Contents { tokens, log, damaged, sealed_with_a_key }))
}

/// Writes down that a copy was made: before it has its name, so that none is made unseen.
///
/// # Errors
/// What the database gave.
pub fn note(store: &mut dyn Store, act: &Act<'_>, to: &str, head: &KeptHead) -> Result<()> {
    let mut change = store.begin(Durability::Full)?;
    let detail = detail_of(to, head);
    let entry = act.done((act.clock)(), Action::Backup, MANY, None);
    change.audit(&Entry { detail: Some(&detail), ..entry })?;
    change.commit()
}
