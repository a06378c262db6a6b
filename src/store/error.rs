//! What can go wrong with a database, and what a person can do about it.

use crate::exit::Exit;
use crate::failure::Failure;
use std::path::PathBuf;

/// A store did not do what it was asked. Never an answer about a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreError {
    /// There is no database at this place.
    Missing(PathBuf),
    /// What is there must not be opened: not a regular file, a link, writable by everybody.
    Unsafe {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The system does not let us, and what it said.
    Permission(String),
    /// It was written by a newer patctl.
    NewerSchema {
        /// Its schema.
        found: i64,
        /// The newest we know.
        known: i64,
    },
    /// It is no database of ours, or its schema or a row is not what we wrote.
    Damaged(String),
    /// Another process held it for longer than we wait.
    Busy,
    /// The system failed: disk full, input or output error.
    Io(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(path) => {
                Self::new(Exit::Io, "database", format!("there is no database at {}", path.display()))
                    .hint("'patctl create' makes it; another place is named with --db or $PATCTL_DB")
            }
            StoreError::Unsafe { path, why } => {
                Self::new(Exit::Permission, "permission", format!("database {}: {why}", path.display()))
                    .hint("make it a regular file that only its owner (or a trusted group) can write")
            }
            StoreError::Permission(why) => {
                Self::new(Exit::Permission, "permission", format!("the database cannot be used: {why}"))
                    .hint("run as its owner, who must be able to write it and its directory")
            }
            StoreError::NewerSchema { found, known } => Self::new(
                Exit::Io,
                "database",
                format!("the database has schema {found}, this patctl knows up to {known}"),
            )
            .hint("use the patctl that wrote it, or a newer one"),
            StoreError::Damaged(what) => {
                Self::new(Exit::Io, "database", format!("the database is not what patctl wrote: {what}"))
                    .hint("restore it from a backup; no token was judged")
            }
            StoreError::Busy => {
                Self::new(Exit::Busy, "busy", "another process holds the database").hint("try again")
            }
            StoreError::Io(what) => Self::new(Exit::Io, "database", format!("the database failed: {what}"))
                .hint("nothing was changed; free space or mend the disk, then try again"),
        }
    }
}
