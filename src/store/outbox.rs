//! The outbox: mails that wait for `notify`, and the tokens whose turn it is to get one.

use super::Row;
use super::contract::Result;
use crate::domain::integrity::Damage;
use crate::domain::moment::{Moment, Span};
use crate::domain::notice::{Kind, Notice};
use crate::domain::pat::Notified;

/// A mail about the end of a token: the two passes of the original, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It has expired.
    Expired,
    /// It expires soon, and no mail has said so.
    Soon,
}

impl Step {
    /// Both, in the order in which they are taken.
    pub const ALL: [Self; 2] = [Self::Expired, Self::Soon];

    /// What the mail is about.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Expired => Kind::Expired,
            Self::Soon => Kind::ExpiresSoon,
        }
    }

    /// What is noted of the token from then on.
    #[must_use]
    pub const fn notified(self) -> Notified {
        match self {
            Self::Expired => Notified::ExpiredSent,
            Self::Soon => Notified::ExpireSoonSent,
        }
    }
}

/// When a token's turn is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Which mail.
    pub step: Step,
    /// The moment that states refer to.
    pub now: Moment,
    /// How long before its end a token expires soon.
    pub warning: Span,
}

/// A mail in the outbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posted {
    /// Its row.
    pub seq: i64,
    /// What it says, and to whom.
    pub notice: Notice,
    /// Whether it was tried before, and refused.
    pub refused: bool,
    /// Whether it is what patctl wrote.
    pub seal: std::result::Result<(), Damage>,
}

/// What became of a mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate<'a> {
    /// It was taken.
    Sent,
    /// It was not taken, and why; it is tried again.
    Refused(&'a str),
    /// It was offered to nobody, and why; it waits as it did.
    Waiting(&'a str),
    /// It may have been taken, and why that is not known; it is not tried again.
    Uncertain(&'a str),
    /// It is not sent, and why; it is not tried again.
    Dropped(&'a str),
}

/// What can be read of the outbox.
pub trait Outbox {
    /// The tokens whose turn it is, in rows above `after`, at most `limit`. Revoked and disabled tokens
    /// and those that a successor has replaced have none.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError), as for every call here.
    fn due(&self, turn: Turn, after: i64, limit: u32) -> Result<Vec<Row>>;

    /// The mails to be sent (pending, or refused before), of one recipient or of all, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn open_mails(&self, recipient: Option<&str>, limit: u32) -> Result<Vec<Posted>>;

    /// Everyone a mail waits for, those last whose mail was refused before.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn waiting_recipients(&self) -> Result<Vec<String>>;
}

/// What can be done to the outbox.
pub trait OutboxChange: Outbox {
    /// Adds a mail.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError), as for every call here.
    fn post(&mut self, notice: &Notice) -> Result<()>;

    /// Notes that a token had its turn; false when it no longer is its turn.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn had_turn(&mut self, row: &Row, turn: Turn) -> Result<bool>;

    /// Takes a mail in hand; false when somebody else did. Until it is [settled](Self::settle) its
    /// fate is uncertain, and if this process dies it stays so.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn claim(&mut self, seq: i64) -> Result<bool>;

    /// Writes down what became of a mail.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn settle(&mut self, seq: i64, fate: Fate<'_>) -> Result<()>;

    /// Drops every mail that waits, and answers how many there were.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn drop_mails(&mut self, why: &str) -> Result<u64>;

    /// Deletes the rows of mails whose cause was before that moment and that wait for nothing.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn forget_mails(&mut self, before: Moment) -> Result<u64>;
}
