//! A row that was read, and what becomes of it.

use super::Place;
use super::row::Row;

/// What becomes of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is a new token.
    New,
    /// It was imported before.
    Present,
    /// Another token has its number.
    Conflict,
    /// It is no token.
    Broken,
    /// It was ended here, and deleted.
    Ended,
}

impl Fate {
    /// Every value; its place is the number it is kept as.
    pub const ALL: [Self; 5] = [Self::New, Self::Present, Self::Conflict, Self::Broken, Self::Ended];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Present => "present",
            Self::Conflict => "conflict",
            Self::Broken => "broken",
            Self::Ended => "ended",
        }
    }
}

/// A row that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Staged {
    /// Its number here, from 1, in the order in which they came.
    pub seq: i64,
    /// Where it stood.
    pub place: Place,
    /// What becomes of it.
    pub fate: Fate,
    /// Why, where that needs to be said.
    pub why: Option<String>,
    /// The token; `None`: it is none.
    pub row: Option<Row>,
    /// The name it will have here.
    pub name: String,
    /// Whose it will be here.
    pub user: String,
}
