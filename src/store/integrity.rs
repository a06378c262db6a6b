//! The seals of rows: who holds the key tells the store, and rows that have only a checksum get theirs when
//! a key is made.

use super::contract::Result;
use crate::domain::integrity::{IntegrityKey, Sealer};

/// What became of the rows when a new key was offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Adopted {
    /// So many rows whose checksum was right are sealed with it. Others stay as they are, and are not
    /// believed.
    Sealed(u64),
    /// Rows are sealed with this very key already.
    Already,
    /// Rows are sealed with another key; nothing was done.
    Foreign,
}

/// A store whose rows carry seals.
pub trait Sealed {
    /// From now on rows are sealed, and looked at, with this.
    fn seal_with(&mut self, sealer: Sealer);

    /// What they are sealed with.
    fn sealer(&self) -> &Sealer;
}

/// The part of a transaction that seals rows anew.
pub trait Reseal {
    /// Seals all rows with a key, if none is sealed with any. The caller writes down that it did.
    ///
    /// # Errors
    /// [`super::StoreError`]
    fn adopt(&mut self, key: &IntegrityKey) -> Result<Adopted>;

    /// Seals the rows of a database of before schema 8 anew that are what patctl wrote; how many, or `None` where
    /// that was done before. The caller writes down that it did.
    ///
    /// # Errors
    /// [`super::StoreError`]
    fn widen(&mut self) -> Result<Option<u64>>;

    /// Seals the head of the audit log with the key that the store has, if it has only a checksum, and that is
    /// right; whether it did.
    ///
    /// # Errors
    /// [`super::StoreError`]
    fn adopt_head(&mut self) -> Result<bool>;
}
