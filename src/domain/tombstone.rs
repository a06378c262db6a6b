//! What is kept of a token that was ended here and is deleted, so that it does not come back by itself.

use super::frame::{Frame, Value};
use super::pat::Pat;
use std::fmt;
use std::str::FromStr;

/// How a token was ended here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It was revoked.
    Revoked,
    /// It was disabled.
    Disabled,
    /// A successor took its place.
    Rotated,
    /// It was changed here, and then it expired.
    Ended,
}

impl Ended {
    const ALL: [Self; 4] = [Self::Revoked, Self::Disabled, Self::Rotated, Self::Ended];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Disabled => "disabled",
            Self::Rotated => "rotated",
            Self::Ended => "ended",
        }
    }

    /// How this token was ended here; `None`: it expired as it was made, and would be expired again.
    #[must_use]
    pub fn of(pat: &Pat) -> Option<Self> {
        match () {
            () if pat.life.revoked_at.is_some() => Some(Self::Revoked),
            () if pat.life.rotated_at.is_some() => Some(Self::Rotated),
            () if pat.life.disabled_at.is_some() => Some(Self::Disabled),
            () if pat.version > 1 => Some(Self::Ended),
            () => None,
        }
    }
}

impl FromStr for Ended {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|ended| ended.as_str() == text).ok_or(())
    }
}

/// A tombstone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tombstone {
    /// How the token was ended.
    pub ended: Ended,
    /// The day on which it was deleted, as `2026-11-21`.
    pub day: String,
}

impl fmt::Display for Tombstone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.ended {
            Ended::Ended => "changed here, and expired",
            other => other.as_str(),
        };
        write!(f, "it was {how}, and pruned on {}", self.day)
    }
}

/// What is sealed of a tombstone.
#[must_use]
pub fn frame(installation: &str, id: &str, ended: &str, day: &str) -> Frame {
    let mut frame = Frame::new(b"patctl tombstone 1");
    frame.put(0, b'd', installation.as_bytes());
    frame.put_row(&[Value::from(id), ended.into(), day.into()]);
    frame
}
