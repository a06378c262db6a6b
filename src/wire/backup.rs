//! What `backup` and `restore` print as JSON.

use serde::Serialize;

/// A copy that was made.
#[derive(Serialize, Debug)]
pub struct BackedUp {
    /// The file.
    pub file: String,
    /// How many tokens are in it.
    pub tokens: u64,
    /// How many audit rows.
    pub audit_rows: u64,
    /// The head of its audit log, as `SEQ:HASH`.
    pub head: String,
    /// Ids of rows that are not what patctl wrote: in the database, and so in the copy.
    pub damaged: Vec<String>,
}

/// A copy that was put back, or would be.
#[derive(Serialize, Debug)]
pub struct Restored<'a> {
    /// Whether this is only what would happen.
    pub dry_run: bool,
    /// The backup.
    pub file: String,
    /// Up to where it goes: the head of its audit log, as `SEQ:HASH`.
    pub head: String,
    /// The head of the log of the database that was there; null: there was none.
    pub previous_head: Option<String>,
    /// Whether that log goes on; else that of the backup does.
    pub log_goes_on: bool,
    /// How many tokens there are after it.
    pub tokens: u64,
    /// How many tokens were edited since the backup, and are again as they were in it.
    pub edited: u64,
    /// Tokens that are not simply as they were in the backup.
    pub exceptions: Vec<Exception<'a>>,
    /// Where the database that was there is kept; null: there was none, or nothing was done.
    pub kept: Option<String>,
}

/// A token that is not simply as it was in the backup.
#[derive(Serialize, Debug)]
pub struct Exception<'a> {
    /// Its id.
    pub id: &'a str,
    /// Whose it is.
    pub user: Option<&'a str>,
    /// revoked, disabled, rotated, ended or pruned: it stays so; unknown: it comes back disabled; gone: it was
    /// issued after the backup.
    pub kept: &'static str,
}
