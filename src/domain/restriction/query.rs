//! Parameters: of the query, and of a form body.

use super::path::hex;
use super::request::{Place, Refusal};
use super::{MAX_PARAMETERS, method};
use crate::domain::text::is_hidden;

/// Parameters, decoded once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parameters {
    /// Names and values in their order.
    pub pairs: Vec<(String, String)>,
    /// Whether a plain `;` is among them, which some servers take for a `&`.
    pub semicolon: bool,
    /// Whether a name is among them that replaces the method behind the check, be it behind a `;`.
    pub method_override: bool,
}

/// Reads `a=1&b=2`: `&` separates, the first `=` ends the name, `+` is a space.
///
/// # Errors
/// A [`Refusal`] for what two programs could read differently.
pub fn parse(raw: &str, place: Place, offset: usize) -> Result<Parameters, Refusal> {
    let refuse = |at: usize, why| Refusal::at(place, offset + at, why);
    if let Some(at) = raw.bytes().position(|b| !b.is_ascii_graphic() || b"\"<>\\#".contains(&b)) {
        return Err(refuse(
            at,
            "this character must be encoded in a query: blank, control, non-ASCII or \" < > \\ #",
        ));
    }
    let semicolon = raw.contains(';');
    let mut parameters = Parameters { semicolon, ..Parameters::default() };
    let mut at = 0;
    for piece in raw.split('&') {
        if !piece.is_empty() {
            if parameters.pairs.len() == MAX_PARAMETERS {
                return Err(refuse(at, "there are more than 1000 parameters"));
            }
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let name_ends = at + name.len() + 1;
            parameters.pairs.push((decode(name, at, &refuse)?, decode(value, name_ends, &refuse)?));
        }
        at += piece.len() + 1;
    }
    parameters.method_override = overrides_method(raw.as_bytes());
    Ok(parameters)
}

fn decode(
    raw: &str,
    start: usize,
    refuse: &impl Fn(usize, &'static str) -> Refusal,
) -> Result<String, Refusal> {
    let bytes = raw.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let value = hex(bytes.get(at + 1..at + 3))
                    .ok_or_else(|| refuse(start + at, "a % is followed by two hexadecimal digits"))?;
                at += 2;
                value
            }
            plain => plain,
        });
        at += 1;
    }
    if decoded.contains(&0) {
        return Err(refuse(start, "a parameter holds NUL"));
    }
    String::from_utf8(decoded).map_err(|_| refuse(start, "a parameter is not UTF-8 once decoded"))
}

/// Reads a form body as a lenient server would: what is broken stays as it is. For finding what must
/// not be there, never for what must. `None`: there are too many.
#[must_use]
pub fn lenient(body: &[u8]) -> Option<Parameters> {
    let mut pairs = Vec::new();
    for piece in body.split(|b| *b == b'&').filter(|piece| !piece.is_empty()) {
        if pairs.len() == MAX_PARAMETERS {
            return None;
        }
        let at = piece.iter().position(|b| *b == b'=').unwrap_or(piece.len());
        pairs.push((
            decode_leniently(&piece[..at]),
            decode_leniently(piece.get(at + 1..).unwrap_or_default()),
        ));
    }
    Some(Parameters { pairs, semicolon: body.contains(&b';'), method_override: overrides_method(body) })
}

fn decode_leniently(raw: &[u8]) -> String {
    let (mut decoded, mut at) = (Vec::with_capacity(raw.len()), 0);
    while let Some(&byte) = raw.get(at) {
        let value = if byte == b'%' { hex(raw.get(at + 1..at + 3)) } else { None };
        decoded.push(value.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Whether a parameter replaces the method behind the check.
fn overrides_method(raw: &[u8]) -> bool {
    let taken = |piece: &[u8]| {
        let name = decode_leniently(piece.split(|b| *b == b'=').next().unwrap_or_default());
        let folded = || folded(&name).map(|c| if c == '-' { '_' } else { c });
        let known = |known: &&str| {
            folded().eq(known.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }))
        };
        method::PARAMETERS.iter().chain(&method::OVERRIDES).any(known)
    };
    raw.split(|b| matches!(b, b'&' | b';')).any(taken)
}

/// A name as lenient servers read it: cut at the first `[`, trimmed, lower case, blanks and dots as
/// underscores (PHP, ASP.NET, Rails).
fn folded(name: &str) -> impl Iterator<Item = char> {
    let name = name.split('[').next().unwrap_or_default();
    name.trim_matches(|c: char| c.is_whitespace() || is_hidden(c))
        .chars()
        .map(|c| if matches!(c, ' ' | '.') { '_' } else { c.to_ascii_lowercase() })
}

fn same_folded(one: &str, other: &str) -> bool {
    folded(one).eq(folded(other))
}

impl Parameters {
    /// The values of a name, spelt exactly so.
    pub fn values<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.pairs.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The values of a name, however it is spelt.
    pub fn values_folded<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.pairs.iter().filter(move |(n, _)| same_folded(n, name)).map(|(_, value)| value.as_str())
    }

    /// A name that some server would take for `name`, and that is not.
    #[must_use]
    pub fn second_spelling(&self, name: &str) -> Option<&str> {
        self.pairs.iter().map(|(n, _)| n.as_str()).find(|n| *n != name && same_folded(n, name))
    }
}
