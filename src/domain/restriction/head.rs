//! The headers of a request: those that decide what a server makes of it, each at most once.

use super::media::{self, Media, is_token};
use super::method::{OVERRIDES, REWRITES};
use super::origin::Origin;
use super::request::{Place, Refusal};
use super::sent::Given;

/// Headers that decide how a request is read, beside those that replace its method or path.
const DECIDE: [&str; 5] = ["Host", "Content-Type", "Content-Length", "Transfer-Encoding", "Authorization"];

/// Whether a server reads the request differently by this header. CGI and its heirs do not tell `_` from `-`.
#[must_use]
pub fn decides(name: &str) -> bool {
    DECIDE.iter().chain(&OVERRIDES).chain(&REWRITES).any(|known| same_name(name, known))
}

/// Whether two names of headers are one to some server.
#[must_use]
pub fn same_name(one: &str, other: &str) -> bool {
    one.bytes().map(folded).eq(other.bytes().map(folded))
}

/// The form that all spellings of a header's name share.
#[must_use]
pub fn one_name(name: &str) -> Vec<u8> {
    name.bytes().map(folded).collect()
}

const fn folded(byte: u8) -> u8 {
    if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }
}

/// What the headers say.
#[derive(Default)]
pub struct Head {
    /// What the body says it is.
    pub media: Option<Media>,
    /// `host[:port]`
    pub host: Option<String>,
    /// `Content-Length`
    pub length: Option<u64>,
    /// Whether there is a `Transfer-Encoding`.
    pub chunked: bool,
    /// Whether the body is compressed, or otherwise not what the service will read.
    pub encoded: bool,
}

impl Head {
    /// Reads the headers and the type that was handed over beside them.
    ///
    /// # Errors
    /// What two servers could read differently, or what replaces method or path behind the check.
    pub fn read(given: &Given<'_>, method: Option<&str>) -> Result<Self, Refusal> {
        let refuse = |why| Err(Refusal::new(Place::Header, why));
        let mut head = Self::default();
        let mut kind = given.content_type.map(|text| text.trim_matches([' ', '\t']));
        for (at, (name, value)) in given.headers.iter().enumerate() {
            well_formed(name, value)?;
            if decides(name) && given.headers[..at].iter().any(|(other, _)| same_name(name, other)) {
                return refuse("a header that decides how the request is read is there twice");
            }
            let value = value.trim_matches([' ', '\t']);
            if REWRITES.iter().any(|known| same_name(name, known)) {
                return refuse("X-Original-URL and X-Rewrite-URL replace the path behind the check");
            }
            if OVERRIDES.iter().any(|known| same_name(name, known)) && method != Some(value) {
                return refuse("it names another method than the request has");
            }
            if same_name(name, "Content-Type") && kind.replace(value).is_some_and(|other| other != value) {
                return refuse("there are two content types");
            }
            head.take(name, value)?;
        }
        head.media = kind.map(media::parse);
        Ok(head)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let refuse = |why| Refusal::new(Place::Header, why);
        if same_name(name, "Host") {
            Origin::parse("https", value).map_err(refuse)?;
            self.host = Some(value.to_owned());
        } else if same_name(name, "Content-Length") {
            let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
            let length = value.parse().ok().filter(|_| digits);
            self.length = Some(length.ok_or_else(|| refuse("Content-Length is no number"))?);
        } else if same_name(name, "Transfer-Encoding") {
            self.chunked = true;
        } else if same_name(name, "Content-Encoding") {
            self.encoded |= !matches!(value.to_ascii_lowercase().as_str(), "" | "identity");
        }
        Ok(())
    }
}

fn well_formed(name: &str, value: &str) -> Result<(), Refusal> {
    if !is_token(name) {
        return Err(Refusal::new(Place::Header, "a name holds what no header may (RFC 9110 §5.1)"));
    }
    if value.bytes().any(|b| (b < 0x20 && b != b'\t') || b == 0x7f) {
        return Err(Refusal::new(Place::Header, "a value holds a control character"));
    }
    Ok(())
}
