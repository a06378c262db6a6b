//! Why a request cannot be written as a call.

use super::Language;
use crate::domain::restriction::Refusal;
use std::fmt;

/// The first objection to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// The method, the URL or a header is none that can be sent.
    Request(Refusal),
    /// The URL is a path alone, and nothing says where.
    NoOrigin,
    /// Only curl sends this URL as it is written.
    Odd(Refusal),
    /// This header is made by the program that sends, or from the token.
    Made(String),
    /// This header is there twice.
    Twice(String),
    /// The value of this header holds this character, which would not be seen.
    Hidden(String, char),
    /// The body is no UTF-8.
    Bytes,
    /// The body holds this control character, behind so many bytes.
    Control(char, usize),
    /// The body has more than this many bytes.
    Long(usize),
    /// A HEAD has no body.
    Head,
    /// What looks like a token stands in this part of the request.
    Secret(&'static str),
    /// The language cannot say it.
    Language(Language, &'static str),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(refusal) => refusal.fmt(f),
            Self::NoOrigin => f.write_str("the URL is a path alone, and patctl.base.url is not set"),
            Self::Odd(refusal) => {
                write!(f, "{refusal}, and most programs would tidy that up and call another URL")
            }
            Self::Made(name) => {
                write!(f, "the header {name} is made by the snippet itself, or by what sends it")
            }
            Self::Twice(name) => write!(f, "the header {name} is given twice"),
            Self::Hidden(name, c) => {
                let c = u32::from(*c);
                write!(f, "the header {name} holds the invisible or control character U+{c:04X}")
            }
            Self::Bytes => f.write_str("the body is not UTF-8, and a snippet is text"),
            Self::Control(c, at) => {
                let c = u32::from(*c);
                write!(
                    f,
                    "the body, byte {}: the control character U+{c:04X}; newlines and tabs are the only ones \
                     that survive being pasted",
                    at + 1
                )
            }
            Self::Long(most) => write!(f, "the body has more than {most} bytes, too many to be pasted"),
            Self::Head => f.write_str("a HEAD has no body"),
            Self::Secret(place) => write!(f, "the {place} holds what looks like a token"),
            Self::Language(language, why) => write!(f, "{}: {why}", language.as_str()),
        }
    }
}
