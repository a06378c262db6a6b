//! The addresses that mails about a token go to: one or a few, separated by commas.

use super::Mailbox;
use crate::domain::text::{TextError, is_hidden, nfc};
use crate::domain::token;
use std::fmt;
use std::str::FromStr;

/// The most addresses that a token or `patctl.mail.to` may name.
pub const MOST: usize = 10;

/// One to [`MOST`] addresses, each once, as they are stored: `a@x,b@y`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipients(String);

/// Why a text is no list of addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecipientsError {
    /// It begins or ends with white space; without it, it is this.
    Edges(String),
    /// This part is no address that a mail can be sent to.
    NoAddress(String),
    /// It holds what looks like a token, which would be kept in the clear.
    Secret,
    /// It names more than [`MOST`].
    TooMany,
}

impl fmt::Display for RecipientsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edges(without) => write!(f, "it begins or ends with white space; write '{without}'"),
            Self::NoAddress(part) => write!(f, "'{part}' is no e-mail address that a mail can be sent to"),
            Self::Secret => write!(f, "{}", TextError::Secret),
            Self::TooMany => write!(f, "it names more than {MOST} addresses"),
        }
    }
}

impl std::error::Error for RecipientsError {}

impl Recipients {
    /// The addresses, separated by commas.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Joins several lists into one; `None` without any.
    ///
    /// # Errors
    /// [`RecipientsError::TooMany`]
    pub fn join(lists: &[Self]) -> Result<Option<Self>, RecipientsError> {
        let all = lists.iter().map(Self::as_str).collect::<Vec<_>>().join(",");
        if all.is_empty() { Ok(None) } else { all.parse().map(Some) }
    }
}

impl FromStr for Recipients {
    type Err = RecipientsError;

    fn from_str(text: &str) -> Result<Self, RecipientsError> {
        let mut all: Vec<Mailbox> = Vec::new();
        let text = nfc(text);
        if text.trim() != text {
            return Err(RecipientsError::Edges(shown(text.trim())));
        }
        if token::mask(&text) != *text {
            return Err(RecipientsError::Secret);
        }
        for part in text.split(',').map(str::trim) {
            let mailbox = part.parse().map_err(|_| RecipientsError::NoAddress(shown(part)))?;
            if !all.contains(&mailbox) {
                all.push(mailbox);
            }
        }
        if all.len() > MOST {
            return Err(RecipientsError::TooMany);
        }
        Ok(Self(all.iter().map(Mailbox::as_str).collect::<Vec<_>>().join(",")))
    }
}

/// A part for an error message, without what a terminal might obey.
fn shown(part: &str) -> String {
    let safe = |c: char| if is_hidden(c) { '\u{fffd}' } else { c };
    token::mask(part).chars().map(safe).take(60).collect()
}

/// The addresses in a stored text that mails can be sent to; older versions stored others, too.
#[must_use]
pub fn usable(text: &str) -> Vec<Mailbox> {
    let mut all: Vec<Mailbox> = Vec::new();
    for mailbox in text.split(',').filter_map(|part| part.trim().parse().ok()) {
        if !all.contains(&mailbox) && all.len() < MOST {
            all.push(mailbox);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_separated_by_commas_and_kept_once() {
        let read = |text: &str| text.parse::<Recipients>().map(|list| list.0);
        assert_eq!(read("a@x"), Ok("a@x".to_owned()));
        assert_eq!(read("a@x, b@y,a@x"), Ok("a@x,b@y".to_owned()));
        for bad in ["", ",", "a@x,", "a@x,b", "a@x\r\nBcc: b@y", "a@x b@y", "<a@x>"] {
            assert!(matches!(read(bad), Err(RecipientsError::NoAddress(_))), "{bad:?}");
        }
        assert_eq!(read(" a@x"), Err(RecipientsError::Edges("a@x".to_owned())));
        assert_eq!(read("a@x,x_7k3m9xq2v8_ABCDEFGH@y"), Err(RecipientsError::Secret));
        let many = |count: usize| (0..count).map(|n| format!("a{n}@x")).collect::<Vec<_>>().join(",");
        assert!(read(&many(MOST)).is_ok());
        assert_eq!(read(&many(MOST + 1)), Err(RecipientsError::TooMany));
    }
}
