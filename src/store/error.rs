//! What can go wrong with a database, and what a person can do about it.

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
        why: String,
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
    /// Its schema was altered; the first fault.
    Schema(SchemaFault),
    /// It is no database of ours, or its schema or a row is not what we wrote.
    Damaged(String),
    /// One row cannot be read, and says in which column. The other rows can.
    BadRow(String),
    /// A row of a token is not what patctl wrote, and what was asked would make it look so.
    Altered {
        /// The token.
        id: String,
        /// How that is known.
        why: String,
    },
    /// What says which tokens were ended here is not what patctl wrote, and what of it: none comes in.
    Ends(String),
    /// Another process held it for longer than we wait.
    Busy,
    /// The system has no descriptor, thread or memory left for it.
    Exhausted(String),
    /// The commit failed half-way: after the next start it may turn out to have happened.
    Undecided(String),
    /// The system failed: disk full, input or output error.
    Io(String),
}

/// Something in a schema that patctl did not create and cannot tolerate, or that is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SchemaFault {
    /// The object, as `trigger evil`.
    pub what: String,
    /// The SQL that repairs it, where there is one that loses nothing of patctl's.
    pub cure: Option<String>,
}

impl SchemaFault {
    /// Whether only the marks in the header of the file are missing.
    #[must_use]
    pub fn is_unmarked(&self) -> bool {
        self.what.starts_with("user_version and application_id")
    }
}

impl std::fmt::Display for SchemaFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_unmarked() {
            return write!(f, "it lacks {}", self.what);
        }
        write!(f, "its schema was altered ({})", self.what)
    }
}
