//! How a notice leaves the machine: what it says, and the two ways out. Knows nothing of tokens but
//! what a [`Notice`](crate::domain::notice::Notice) says; no secret ever comes here.

mod credentials;
mod host;
mod letter;
mod sendmail;
mod smtp;
mod words;

pub use credentials::{Credentials, CredentialsError};
pub use letter::Letter;
pub use sendmail::Sendmail;
pub use smtp::Smtp;
pub use words::Words;

use crate::domain::moment::Moment;
use std::time::Duration;

/// How long one step may take: a connection, an answer, a run of sendmail. Cron must never hang.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What became of a mail. Only the step that failed tells whether it may have left.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Delivery {
    /// It was taken.
    Sent,
    /// It was not taken, for sure, and why. The next mail may fare better.
    Refused(String),
    /// It was not taken and never will be, and why: the server refused this recipient or this mail for good.
    Rejected(String),
    /// It was not taken, for sure, because there is nobody to take it: no other mail will be either.
    Unreachable(String),
    /// It was not taken, for sure, because this machine has too little left to hand it over, which passes: nobody
    /// refused it.
    Unasked(String),
    /// It was handed over and there was no answer: it may or may not arrive.
    Uncertain(String),
}

impl Delivery {
    /// Why it was not taken, or not for sure.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Sent => None,
            Self::Refused(why)
            | Self::Rejected(why)
            | Self::Unreachable(why)
            | Self::Unasked(why)
            | Self::Uncertain(why) => Some(why),
        }
    }

    /// Whether the next mail should wait for another run: a server that swallows mails without an
    /// answer would swallow all of them.
    #[must_use]
    pub fn ends_the_run(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Unasked(_) | Self::Uncertain(_))
    }
}

/// A way out.
pub trait Courier {
    /// Hands a letter over, dated `now`. Never panics, and never takes for ever.
    fn deliver(&mut self, letter: &Letter, now: Moment) -> Delivery;
}
