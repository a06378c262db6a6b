//! Copies of a database, and what a restore makes of one.

use crate::domain::audit::Entry;
use crate::domain::chain::KeptHead;
use crate::domain::moment::Moment;
use std::path::{Path, PathBuf};

/// Hears how many pages of how many are done.
pub type EachStep<'a> = &'a mut dyn FnMut(u64, u64);

/// What a restore takes over from the database that is there now, so that nothing comes back to life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kept {
    /// It was revoked since the backup.
    Revoked,
    /// It was switched off since the backup.
    Disabled,
    /// A successor took its place since the backup.
    Rotated,
    /// It ends earlier than the backup says.
    Ended,
    /// It was pruned since the backup, and is not brought back.
    Pruned,
    /// Nothing is known of what became of it: it comes back switched off.
    Unknown,
    /// It was issued after the backup, and is gone.
    Gone,
}

impl Kept {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 7] =
        [Self::Revoked, Self::Disabled, Self::Rotated, Self::Ended, Self::Pruned, Self::Unknown, Self::Gone];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Disabled => "disabled",
            Self::Rotated => "rotated",
            Self::Ended => "ended",
            Self::Pruned => "pruned",
            Self::Unknown => "unknown",
            Self::Gone => "gone",
        }
    }

    /// What is written down of it.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Revoked => "stays revoked",
            Self::Disabled => "stays disabled",
            Self::Rotated => "stays rotated",
            Self::Ended => "ends as early as it did",
            Self::Pruned => "stays pruned",
            Self::Unknown => "disabled: what became of it since the backup is not known",
            Self::Gone => "gone: issued after the backup",
        }
    }
}

/// A token that is not simply as it was in the backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exception {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub user: Option<String>,
    /// What is with it.
    pub kept: Kept,
}

/// What could be read of a damaged database.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Salvaged {
    /// Tokens whose row could be read.
    pub tokens: u64,
    /// Changes in the audit log that could be read.
    pub changes: u64,
    /// The name of the installation.
    pub installation: Option<String>,
    /// Backups that the audit log names, the newest first, by the number of the row.
    pub backups: Vec<(i64, PathBuf)>,
}

/// What an audit row says of a backup.
#[must_use]
pub fn detail_of(file: &str, head: &KeptHead) -> String {
    format!("to {file} as of {head}")
}

/// The file that such a row names.
#[must_use]
pub fn file_of(detail: &str) -> Option<&str> {
    detail.strip_prefix("to ")?.rsplit_once(" as of ").map(|(file, _)| file)
}

/// A token that is good again although it may have been revoked since the backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsure {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub user: Option<String>,
}

/// What a restore leaves, as far as it was prepared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merged {
    /// How many tokens there will be.
    pub tokens: u64,
    /// Those that are not simply as they were in the backup.
    pub exceptions: Vec<Exception>,
    /// How many tokens were edited since, and are again as they were in the backup.
    pub edited: u64,
    /// Whether the audit log of the present database goes on; else that of the backup does.
    pub log_goes_on: bool,
    /// The head of the present audit log, where there is one.
    pub present: Option<KeptHead>,
    /// Tokens that are good again although nothing is known of what became of them since the backup.
    pub unsure: Vec<Unsure>,
    /// Ids that were to be revoked and are not in the backup.
    pub absent: Vec<String>,
}

impl Merged {
    /// How many exceptions there are of a kind.
    #[must_use]
    pub fn count(&self, kept: Kept) -> u64 {
        self.exceptions.iter().filter(|one| one.kept == kept).count() as u64
    }
}

/// How a backup meets the database that is there.
#[derive(Clone, Copy, Debug)]
pub struct Meeting<'m> {
    /// The database that is there; `None`: there is none.
    pub present: Option<&'m Path>,
    /// Whether `present` is what was salvaged of a damaged database: rows are missing in it.
    pub salvaged: bool,
    /// Whether its audit log is whole, so that it can go on.
    pub log_is_whole: bool,
    /// Ids that are revoked whatever is known of them.
    pub revoked_since: &'m [String],
    /// Now.
    pub now: Moment,
    /// Whether rows with nothing but a checksum are sealed with the key.
    pub adopt: bool,
}

/// A backup in preparation.
pub trait Restoration {
    /// Begins to make of the backup what the database shall be, in a transaction of the draft.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError), as for every call here.
    fn merge(&self, meeting: &Meeting<'_>) -> super::contract::Result<Merged>;

    /// Writes an audit row into the draft.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn note(&self, entry: &Entry<'_>) -> super::contract::Result<()>;

    /// Ends the preparation; kept or thrown away.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn end(&self, keep: bool) -> super::contract::Result<()>;
}
