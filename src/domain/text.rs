//! Texts that people choose: names, users, notes, reasons, and which of them are refused.

use std::fmt;
use std::str::FromStr;

/// A character that shows nothing, moves the cursor, or reorders its neighbours: control, zero-width,
/// bidirectional, line separator, tag. One list for what is refused at creation and for what is
/// made safe before a terminal sees it (Unicode Technical Report 36, "Trojan Source" CVE-2021-42574).
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A user name or e-mail, as Basic authentication can carry it: not blank, at most 255 characters,
/// nothing hidden, no colon (RFC 7617 ends the user name there).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct User(String);

/// A note or a reason: at most 1,000 characters, nothing hidden.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Note(String);

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
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("it is blank"),
            Self::TooLong(max) => write!(f, "it is longer than {max} characters"),
            Self::Hidden(c) => {
                write!(f, "it holds the invisible or control character U+{:04X}", u32::from(*c))
            }
            Self::Colon => f.write_str("it holds a ':', which ends a user name in Basic authentication"),
        }
    }
}

impl std::error::Error for TextError {}

/// Refuses hidden characters and more than `max` characters.
///
/// # Errors
/// The first fault found.
pub fn plain(text: &str, max: usize) -> Result<(), TextError> {
    match text.chars().find(|&c| is_hidden(c)) {
        Some(c) => Err(TextError::Hidden(c)),
        None if text.chars().count() > max => Err(TextError::TooLong(max)),
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
        if text.trim().is_empty() {
            return Err(TextError::Blank);
        }
        if text.contains(':') {
            return Err(TextError::Colon);
        }
        plain(text, 255)?;
        Ok(Self(text.to_owned()))
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
