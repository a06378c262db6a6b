//! Tokens that come from Jira or Confluence Data Center: their shape, their hash, and the row of the
//! table that holds them there.

pub mod hash;
pub mod number;
pub mod raw;
pub mod row;
pub mod staged;
pub mod wall;

use std::fmt;
use std::str::FromStr;

/// The table that holds the tokens, in both products.
pub const TABLE: &str = "AO_81F455_PERSONAL_TOKEN";

/// Its columns, in the order in which dumps list them.
pub const COLUMNS: [&str; 9] = [
    "CREATED_AT",
    "EXPIRING_AT",
    "HASHED_TOKEN",
    "ID",
    "LAST_ACCESSED_AT",
    "NAME",
    "NOTIFICATION_STATE",
    "TOKEN_ID",
    "USER_KEY",
];

/// Where a row stands in what was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The line in which it begins, from 1.
    pub line: u64,
    /// Which of the rows that begin in this line it is, from 1, where a line may hold several.
    pub nth: Option<u64>,
}

/// `line 42`, or `line 42, row 17`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        self.nth.map_or(Ok(()), |nth| write!(f, ", row {nth}"))
    }
}

/// How the table was written out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `COPY … FROM stdin;` and the rows behind it, as `pg_dump` writes.
    Copy,
    /// `INSERT INTO … VALUES …;`, as `mysqldump` writes.
    Insert,
    /// Comma-separated values below a line of column names.
    Csv,
}

impl Format {
    /// Every value, in the order of the manual.
    pub const ALL: [Self; 3] = [Self::Copy, Self::Insert, Self::Csv];

    /// The word for it on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Insert => "insert",
            Self::Csv => "csv",
        }
    }
}

impl FromStr for Format {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or(())
    }
}
