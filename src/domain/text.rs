//! Texts that people choose: names, users, notes, reasons, and which of them are refused.

use super::token;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

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

/// The same, variation selectors included: what has no business in a path or a rule, where no emoji needs them.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    is_hidden(c) || matches!(c, '\u{fe00}'..='\u{fe0f}')
}

/// A user name or e-mail, as Basic authentication can carry it: not blank, at most 255 characters,
/// nothing hidden, no colon (RFC 7617 ends the user name there), no white space at its ends. Kept in NFC, so
/// that a name has one spelling.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct User(String);

/// A mailbox: a user name with an `@` inside and no white space.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Email(User);

/// A note or a reason: at most 1,000 characters, nothing hidden. Kept in NFC, without white space at its ends.
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
#[derive(Clone, PartialEq, Eq, Debug)]
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
    /// Has white space at its ends; without it, it is this.
    Edges(String),
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
            Self::Edges(without) => write!(f, "it begins or ends with white space; write '{without}'"),
        }
    }
}

impl std::error::Error for TextError {}

/// Whether there is nothing to see in it.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| is_space(c) || matches!(c, '\u{fe00}'..='\u{fe0f}'))
}

/// White space, and the pattern of Braille that has no dot.
fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

/// Whether it begins or ends with white space, which nothing shows.
#[must_use]
pub fn has_blank_edges(text: &str) -> bool {
    text.starts_with(is_space) || text.ends_with(is_space)
}

/// `text` in Unicode's composed form (NFC); ASCII costs no more than a look.
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

/// Whether two texts are the same but for the form in which Unicode writes them.
#[must_use]
pub fn is_same(a: &str, b: &str) -> bool {
    a == b || !(a.is_ascii() && b.is_ascii()) && nfc(a) == nfc(b)
}

/// A name, a note or a reason as it is kept: in NFC, without white space at its ends.
#[must_use]
pub fn label(text: &str) -> String {
    nfc(text.trim_matches(is_space)).into_owned()
}

/// Every form of a text that rows may hold, older ones included: as it is given, composed, decomposed.
#[must_use]
pub fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned()];
    if !text.is_ascii() {
        forms.extend([text.nfc().collect(), text.nfd().collect()]);
        forms.dedup();
    }
    forms
}

/// What two users have in common whom a person cannot tell apart: neither case, white space, width nor
/// invisible characters count.
#[must_use]
pub fn likeness(text: &str) -> String {
    let shown = |c: &char| !is_space(*c) && !is_hidden(*c) && !matches!(c, '\u{fe00}'..='\u{fe0f}');
    text.nfkc().flat_map(char::to_lowercase).filter(shown).collect()
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
        let without = text.trim_matches(is_space);
        if without.len() < text.len() {
            return Err(TextError::Edges(without.to_owned()));
        }
        Ok(Self(nfc(text).into_owned()))
    }
}

impl From<User> for String {
    fn from(user: User) -> Self {
        user.0
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0.0
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
        Ok(Self(label(text)))
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

    #[test]
    fn a_user_and_an_address_have_one_spelling() {
        for edged in ["bob ", " bob", "bob\u{a0}", "\u{3000}bob", "bob\u{2800}"] {
            assert_eq!(edged.parse::<User>(), Err(TextError::Edges("bob".to_owned())), "{edged:?}");
            assert!(format!("{edged}@example.com ").parse::<Email>().is_err(), "{edged:?}");
        }
        assert_eq!("zoe\u{308}".parse::<User>(), "zo\u{eb}".parse::<User>());
        assert_eq!("zoe\u{308}@a.example".parse::<Email>(), "zo\u{eb}@a.example".parse::<Email>());
        assert_eq!("d e".parse::<User>().map(String::from).as_deref(), Ok("d e"));
        assert_eq!(" on\u{a0}".parse::<Note>(), "on".parse::<Note>());
        assert_eq!(label(" caf\u{65}\u{301} "), "caf\u{e9}");
    }

    #[test]
    fn forms_and_likeness_find_other_spellings() {
        assert_eq!(forms("bob"), ["bob"]);
        assert_eq!(forms("zo\u{eb}"), ["zo\u{eb}", "zoe\u{308}"]);
        assert_eq!(forms("zoe\u{308}"), ["zoe\u{308}", "zo\u{eb}", "zoe\u{308}"]);
        assert!(is_same("zo\u{eb}", "zoe\u{308}") && !is_same("Bob", "bob") && !is_same("zo\u{eb}", "zoe"));
        for other in ["Bob", "bob ", "b\u{200b}ob", "BOB\u{fe0f}", "\u{ff42}ob"] {
            assert_eq!(likeness(other), likeness("bob"), "{other:?}");
        }
        assert_ne!(likeness("bob"), likeness("b0b"));
    }
}
