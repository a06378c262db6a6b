//! What a survey of the tokens tells: row by row, so that whoever counts decides what is kept.

use super::contract::Result;
use crate::domain::filter::Filter;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Life;
use crate::domain::token::TokenId;

/// Which tokens, seen from when.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// The choice.
    pub filter: &'a Filter,
    /// The moment that states refer to.
    pub now: Moment,
    /// How long before its end a token expires "soon".
    pub expiry_warning: Span,
}

/// The calls of one token.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The token.
    pub id: TokenId,
    /// What its holder calls it.
    pub name: &'a str,
    /// Whose it is; `None` is anybody's.
    pub user: Option<&'a str>,
    /// How often `verify` said yes, in the audit rows that are there.
    pub allowed: u64,
    /// How often it said no.
    pub denied: u64,
}

/// Receives what a survey meets. The number of calls has no bound but that of the rows: nothing should be
/// kept of each.
pub trait Surveyor {
    /// A token of the choice, in no order: its moments, and whether it is restricted.
    fn token(&mut self, life: &Life, restricted: bool);
    /// A user who holds so many of them, in the order of the names; nobody's first.
    fn holder(&mut self, user: Option<&str>, tokens: u64);
    /// A token of the choice that was presented, in the order of the ids.
    fn caller(&mut self, caller: &Caller<'_>);
}

/// A store that can be surveyed.
pub trait Survey {
    /// Shows the tokens of a choice, their holders and their calls, all as of one instant. Answers when the
    /// audit rows begin that calls were counted from; `None`: there is none.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn survey(&self, choice: &Choice<'_>, into: &mut dyn Surveyor) -> Result<Option<Moment>>;
}
