//! How many tokens there are in which state.

use super::contract::Result;
use super::survey::Choice;
use crate::domain::moment::Moment;
use crate::domain::pat::Status;

/// The count, as of one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// In the order of [`Status::ALL`]; each token counts once, so the first are those that do not
    /// expire soon.
    pub by_status: [u64; Status::ALL.len()],
    /// When the next token that can be used stops working.
    pub next_expiry: Option<Moment>,
}

impl Counts {
    /// How many tokens have this status.
    #[must_use]
    pub fn of(&self, status: Status) -> u64 {
        let at = Status::ALL.iter().position(|s| *s == status);
        at.map_or(0, |at| self.by_status[at])
    }
}

/// A store that can count.
pub trait Census {
    /// Counts the tokens of a choice by status.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn census(&self, choice: &Choice<'_>) -> Result<Counts>;
}
