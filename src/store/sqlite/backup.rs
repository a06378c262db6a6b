//! A copy of a database, consistent while others write.

use super::draft::Draft;
use super::examine::Patient;
use super::{Result, SqliteStore, failed, fold_wholly, head, open, space};
use crate::domain::chain::KeptHead;
use crate::domain::integrity::Sealer;
use crate::store::backup::EachStep;
use std::path::Path;

/// A copy that has no name yet.
pub struct Backup {
    draft: Draft,
    head: KeptHead,
}

impl SqliteStore {
    /// Copies the database as it is at one instant, for a new file or for a stream; what others do meanwhile is not
    /// in it, and they do not wait.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn backup(&self, to: Option<&Path>, each: EachStep<'_>) -> Result<Backup> {
        let draft = to.map_or_else(|| Draft::nameless(&self.path), Draft::beside)?;
        let pages = space::measure(&self.db)?.pages;
        each(0, pages);
        // Row by row and not page by page: free pages may hold the content of deleted rows. It reads one instant.
        let name = draft.path().to_str().ok_or_else(|| open::odd_name(draft.path()))?;
        self.db.execute("VACUUM INTO ?1", [name]).map_err(failed)?;
        let db = draft.connect()?;
        open::log_ahead(&db)?;
        let head = head::read(&db, &self.seals)?.head.kept();
        fold_wholly(&db)?;
        db.close().map_err(|(_, e)| failed(e))?;
        draft.sync()?;
        each(pages, pages);
        Ok(Backup { draft, head })
    }
}

impl Backup {
    /// The head of the audit log in it.
    #[must_use]
    pub fn head(&self) -> &KeptHead {
        &self.head
    }

    /// A look at what was written.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn examine(&self, sealer: Sealer) -> Result<Patient> {
        Patient::still(self.draft.path(), sealer)
    }

    /// Hands over its bytes, piece by piece.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError), also for what `each` gave.
    pub fn stream(&self, each: &mut dyn FnMut(&[u8]) -> std::io::Result<()>) -> Result<()> {
        self.draft.read(each)
    }

    /// Gives it its name; false where something of that name is there, which is left alone.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn publish(self) -> Result<bool> {
        self.draft.publish()
    }
}
