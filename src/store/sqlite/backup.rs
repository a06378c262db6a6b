//! A copy of a database, consistent while others write.

use super::draft::{Copy, Draft};
use super::examine::Patient;
use super::{Result, SqliteStore, failed, log};
use crate::domain::chain::Link;
use crate::domain::integrity::Sealer;
use crate::store::backup::EachStep;
use std::path::Path;

/// A copy that has no name yet.
pub struct Backup {
    draft: Draft,
    head: Link,
}

impl SqliteStore {
    /// Copies the database as it is at one instant; what others do meanwhile is not in it, and they do not
    /// wait.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn backup(&self, to: &Path, each: EachStep<'_>) -> Result<Backup> {
        let draft = Draft::beside(to)?;
        // Dropped, it ends. Its first read pins the instant, and the copy is made within it.
        let instant = self.db.unchecked_transaction().map_err(failed)?;
        let head = log::head(&instant)?;
        let mut db = draft.connect()?;
        Copy::new(&instant, "main", &mut db)?.finish(each)?;
        db.close().map_err(|(_, e)| failed(e))?;
        draft.sync()?;
        Ok(Backup { draft, head })
    }
}

impl Backup {
    /// The head of the audit log in it.
    #[must_use]
    pub fn head(&self) -> &Link {
        &self.head
    }

    /// A look at what was written.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn examine(&self, sealer: Sealer) -> Result<Patient> {
        Patient::still(self.draft.path(), sealer)
    }

    /// Gives it its name; false where something of that name is there, which is left alone.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn publish(self) -> Result<bool> {
        self.draft.publish()
    }
}
