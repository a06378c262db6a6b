//! Why what was given is no table of tokens.

use crate::domain::atlassian::{Format, TABLE};
use std::fmt;
use std::io;

/// The input as a whole cannot be read; single rows that cannot are told one by one.
#[derive(Debug)]
pub enum DumpError {
    /// The system failed.
    Read(io::Error),
    /// It is packed, or in another encoding: what it is, and how to make a text of it.
    NoText {
        /// What it seems to be.
        what: &'static str,
        /// What to do with it.
        instead: &'static str,
    },
    /// It is in none of the formats, as far as can be told from its beginning.
    Unknown,
    /// The table is not in it.
    NoTable(Format),
    /// A column that must be there is not, or is there twice.
    Columns {
        /// The line that names the columns.
        line: u64,
        /// What is wrong with them.
        why: String,
    },
    /// A list of users separates its values with something else than a comma.
    Separator {
        /// The line.
        line: u64,
        /// What separates.
        found: char,
    },
    /// It ends in the middle of something.
    Cut {
        /// What has no end.
        what: &'static str,
        /// The line in which that begins.
        line: u64,
    },
    /// It begins as a dump and does not end as one.
    Unfinished,
    /// It cannot be read on from here.
    Syntax {
        /// The line.
        line: u64,
        /// What is wrong there.
        why: &'static str,
    },
}

impl From<io::Error> for DumpError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl fmt::Display for DumpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "{error}"),
            Self::NoText { what, .. } => write!(f, "it is {what}"),
            Self::Unknown => f.write_str("it begins neither as a dump nor with a line of column names"),
            Self::NoTable(Format::Copy) => write!(f, "there is no 'COPY … {TABLE} … FROM stdin;' in it"),
            Self::NoTable(Format::Insert) => write!(f, "there is no 'INSERT INTO {TABLE} VALUES …' in it"),
            Self::NoTable(Format::Csv) => f.write_str("there is no line of column names in it"),
            Self::Columns { line, why } => write!(f, "line {line}: {why}"),
            Self::Separator { line, found: '\t' } => {
                write!(f, "line {line}: key and name are separated by a tab, not by a comma")
            }
            Self::Separator { line, found } => {
                write!(f, "line {line}: key and name are separated by '{found}', not by ','")
            }
            Self::Unfinished => f.write_str("it has no remark at its end that the dump is complete"),
            Self::Cut { what, line } => {
                write!(f, "it ends in the middle of {what} that begins in line {line}")
            }
            Self::Syntax { line, why } => write!(f, "line {line}: {why}"),
        }
    }
}

impl std::error::Error for DumpError {}
