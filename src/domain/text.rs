//! Texts that people choose: names, users, notes, reasons, and which of them are refused.

use super::token;
use std::fmt;
use std::str::FromStr;

/// A character that shows nothing, moves the cursor, or reorders its neighbours: control, zero-width,
/// bidirectional, line separator, tag: Unicode's Cc, Cf and `Default_Ignorable`, but for the variation
/// selectors that emoji need. One list for what is refused at creation and for what is
/// made safe before a terminal sees it (Unicode Technical Report 36, "Trojan Source" CVE-2021-42574).
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{180b}'..='\u{180f}'
            | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            |
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
}

/// A user name or e-mail, as Basic authentication can carry it: not blank, at most 255 characters,
/// nothing hidden, no colon (RFC 7617 ends the user name there).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct User(String);

/// A mailbox: a user name with an `@` inside and no white space.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Email(User);

/// A note or a reason: at most 1,000 characters, nothing hidden.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Note(String);

/// A text that may also be taken away, by giving nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Optional<T>(pub Option<T>);

impl<T: FromStr> FromStr for Optional<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text.is_empty() { Ok(Self(None)) } else { text.parse().map(|text| Self(Some(text))) }
    }
}

/// Why a text is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextError {
    /// Nothing but white space.
    Blank,
    /// More characters than this.
    TooLong(usize),
    /// Holds this character, which would not be seen or would change what is.
    Hidden(char),
    /// Holds a colon.
    Colon,
    /// Holds what looks like a token or a secret.
    Secret,
    /// Is no e-mail address.
    NoAddress,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("it is blank"),
            Self::TooLong(max) => write!(f, "it is longer than {max} characters"),
            Self::Hidden(c) => {
                write!(f, "it holds the invisible or control character U+{:04X}", u32::from(*c))
            }
            Self::Secret => f.write_str("it holds what looks like a token, which would be kept in the clear"),
            Self::NoAddress => f.write_str("it is no e-mail address"),
            Self::Colon => f.write_str("it holds a ':', which ends a user name in Basic authentication"),
        }
    }
}

impl std::error::Error for TextError {}

/// Whether there is nothing to see in it.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || matches!(c, '\u{2800}' | '\u{fe00}'..='\u{fe0f}'))
}

/// Refuses hidden characters, more than `max` characters, and secrets.
///
/// # Errors
/// The first fault found.
pub fn plain(text: &str, max: usize) -> Result<(), TextError> {
    match text.chars().find(|&c| is_hidden(c)) {
        Some(c) => Err(TextError::Hidden(c)),
        None if text.chars().count() > max => Err(TextError::TooLong(max)),
        None if token::mask(text) != text => Err(TextError::Secret),
        None => Ok(()),
    }
}

impl User {
    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for User {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        if is_blank(text) {
            return Err(TextError::Blank);
        }
        if text.contains(':') {
            return Err(TextError::Colon);
        }
        plain(text, 255)?;
        Ok(Self(text.to_owned()))
    }
}

impl Email {
    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Email {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let user: User = text.parse()?;
        let halves = text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        if !halves || text.contains(char::is_whitespace) {
            return Err(TextError::NoAddress);
        }
        Ok(Self(user))
    }
}

impl Note {
    /// The text; empty where nothing was said.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Note {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        plain(text, 1000)?;
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_bidi_marks_and_line_breaks_are_hidden_and_letters_are_not() {
        for c in ['\x1b', '\n', '\r', '\0', '\u{9b}', '\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}'] {
            assert!(is_hidden(c), "{c:?}");
        }
        for c in ['a', 'é', '漢', ' ', '🙂', '\u{301}', '\u{fe0f}'] {
            assert!(!is_hidden(c), "{c:?}");
        }
    }

    #[test]
    fn a_user_is_what_basic_authentication_can_carry() {
        assert_eq!("a:b".parse::<User>(), Err(TextError::Colon));
        assert_eq!("  ".parse::<User>(), Err(TextError::Blank));
        assert_eq!("é".repeat(256).parse::<User>(), Err(TextError::TooLong(255)));
        assert!("é".repeat(255).parse::<User>().is_ok());
        assert_eq!("a\u{7}".parse::<User>(), Err(TextError::Hidden('\u{7}')));
    }
}
