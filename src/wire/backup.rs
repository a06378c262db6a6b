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
    /// When the last row of the audit log of the backup was written.
    pub backup_at: Option<super::Instant>,
    /// What is wrong with the database that was there; null: nothing.
    pub damaged: Option<&'a str>,
    /// What could be read of a damaged database; null: there was none.
    pub salvaged: Option<Salvaged>,
    /// Tokens that are valid again although nothing is known of what became of them since the backup.
    pub active_again: Vec<Unsure<'a>>,
    /// Ids of --revoked-since that are not in the backup.
    pub not_in_backup: &'a [String],
}

/// What could be read of a damaged database.
#[derive(Serialize, Debug)]
pub struct Salvaged {
    /// Tokens.
    pub tokens: u64,
    /// Changes in its audit log.
    pub changes: u64,
}

/// A token that may have been revoked since the backup.
#[derive(Serialize, Debug)]
pub struct Unsure<'a> {
    /// Its id.
    pub id: &'a str,
    /// Whose it is.
    pub user: Option<&'a str>,
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
