//! The space that deleted rows leave in a database file.

use super::contract::Result;

/// How much of a file is free, and whether it can be given back in small steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// Pages of the file.
    pub pages: u64,
    /// Pages that hold nothing.
    pub free: u64,
    /// Bytes of a page.
    pub page: u64,
    /// Whether `prune` can give pages back; a file made by patctl 0.1.0 needs a compaction first.
    pub gives_back: bool,
}

impl Space {
    /// The size of the file in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.pages.saturating_mul(self.page)
    }
}

/// Space of a database file.
pub trait Spacious {
    /// The pages of the file.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError), as for every call here.
    fn space(&self) -> Result<Space>;

    /// Removes what deletions left behind: rewrites a small file as a whole, otherwise gives free pages back to the
    /// file system in one short transaction. True while there are more.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn give_back(&mut self) -> Result<bool>;
}
