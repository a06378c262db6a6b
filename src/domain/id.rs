//! Ids as people type them: a beginning is enough.

use super::atlassian::number::Number;
use super::token::{PlainToken, TokenId};
use std::str::FromStr;

/// An id as a person types it: the whole, or a beginning of at least four characters. Upper case and
/// Crockford's look-alikes (`i l` for `1`, `o` for `0`) are understood, and so is the twelve-digit number
/// of an imported token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdPrefix {
    folded: String,
    typed: String,
}

/// What was typed cannot begin an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdPrefixError {
    /// Fewer than four characters.
    TooShort,
    /// A whole token, secret and all.
    WholeToken,
    /// Anything else.
    NotAnId,
}

impl std::fmt::Display for IdPrefixError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooShort => {
                "an id needs at least its first 4 characters; 'patctl list' shows ids and names"
            }
            Self::WholeToken => {
                "this is a whole token with its secret, which does not belong on a command line; \
                 'patctl whoami' reads it and shows its id"
            }
            Self::NotAnId => "an id is up to 10 characters of 0-9 and a-z, as 'patctl list' prints it",
        })
    }
}

impl std::error::Error for IdPrefixError {}

impl IdPrefix {
    /// The characters, in the alphabet of ids.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.folded
    }

    /// What the person typed.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }
}

/// What was typed, in the alphabet of ids, however short; `None` where it cannot be part of one.
#[must_use]
pub fn fold(text: &str) -> Option<String> {
    let character = |c: char| match c.to_ascii_lowercase() {
        'i' | 'l' => Some('1'),
        'o' => Some('0'),
        'u' => None,
        c if c.is_ascii_alphanumeric() => Some(c),
        _ => None,
    };
    text.chars().map(character).collect()
}

impl From<TokenId> for IdPrefix {
    fn from(id: TokenId) -> Self {
        Self { folded: id.to_string(), typed: id.to_string() }
    }
}

impl FromStr for IdPrefix {
    type Err = IdPrefixError;

    fn from_str(text: &str) -> Result<Self, IdPrefixError> {
        if text.parse::<PlainToken>().is_ok() {
            return Err(IdPrefixError::WholeToken);
        }
        if let Ok(number) = text.parse::<Number>() {
            return Ok(Self { folded: number.id().to_string(), typed: text.to_owned() });
        }
        let folded = fold(text).ok_or(IdPrefixError::NotAnId)?;
        match folded.len() {
            0..=3 => Err(IdPrefixError::TooShort),
            4..=10 => Ok(Self { folded, typed: text.to_owned() }),
            _ => Err(IdPrefixError::NotAnId),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_for_an_id_is_understood_or_explained() {
        let read = |t: &str| t.parse::<IdPrefix>().map(|p| p.folded);
        assert_eq!(read("7K3M"), Ok("7k3m".to_owned()));
        assert_eq!(read("o1Il"), Ok("0111".to_owned()));
        assert_eq!(read("7k3"), Err(IdPrefixError::TooShort));
        assert_eq!(read("7k3m9xq2v8z"), Err(IdPrefixError::NotAnId));
        assert_eq!(read("7k3%"), Err(IdPrefixError::NotAnId));
        assert_eq!(read("7k3u"), Err(IdPrefixError::NotAnId));
        assert_eq!(read("742309342887"), Ok("dcnkahbbn7".to_owned()));
        assert_eq!(read("74230934288"), Err(IdPrefixError::NotAnId));
        let whole = "patctl_7k3m9xq2v8_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123453X9qJF";
        assert_eq!(read(whole), Err(IdPrefixError::WholeToken));
        for other in ["7k3m9xq2v8,ci,alice,2026-11-20,2026-12-20", &"x".repeat(38), &whole[1..]] {
            let is_token = other.parse::<PlainToken>().is_ok();
            assert_eq!(read(other) == Err(IdPrefixError::WholeToken), is_token, "{other}");
        }
    }
}
