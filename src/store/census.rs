//! How many tokens there are in which state.

use super::contract::Result;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Status;

/// The count, as of one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// In the order of [`Status::ALL`]; each token counts once, so the first are those that do not
    /// expire soon.
    pub by_status: [u64; Status::ALL.len()],
    /// When the next token ends that may be used and that nothing is to replace.
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
    /// The tokens in each state at `now`, warned of so long before the end.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn census(&self, now: Moment, warning: Span) -> Result<Counts>;
}
