//! Parameters: of the query, and of a form body.

use super::MAX_PARAMETERS;
use super::fold::{Keys, Names};
use super::path::hex;
use super::request::{Place, Refusal};
use std::sync::OnceLock;
use zeroize::Zeroize as _;

/// Parameters, decoded once, and wiped when dropped.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parameters {
    /// Names and values in their order.
    pub pairs: Vec<(String, String)>,
    /// Whether a plain `;` is among them, which some servers take for a `&`.
    pub semicolon: bool,
    /// The names that a server finds which takes a `;` for a `&`; empty where there is none.
    split: Names,
    /// The names by their folds; made when they are first asked for.
    names: OnceLock<Names>,
}

impl Drop for Parameters {
    fn drop(&mut self) {
        for (name, value) in &mut self.pairs {
            name.zeroize();
            value.zeroize();
        }
    }
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
    let mut pairs = Vec::new();
    let mut at = 0;
    for piece in raw.split('&') {
        if !piece.is_empty() {
            if pairs.len() == MAX_PARAMETERS {
                return Err(refuse(at, "there are more than 1000 parameters"));
            }
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let name_ends = at + name.len() + 1;
            pairs.push((decode(name, at, &refuse)?, decode(value, name_ends, &refuse)?));
        }
        at += piece.len() + 1;
    }
    Ok(Parameters::new(pairs, raw.as_bytes(), semicolon))
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
    let pairs = pairs(body, |b| b == b'&', MAX_PARAMETERS)?;
    Some(Parameters::new(pairs, body, body.contains(&b';')))
}

/// Reads any body as servers do that take every body for a form: `&` separates, and to some `;` does, too, so that
/// what stands between two `&` counts whole and in pieces. For finding what must not be there. `None`: there are too
/// many pieces.
#[must_use]
pub fn pieces(body: &[u8]) -> Option<Parameters> {
    let mut pieces = pairs(body, |b| matches!(b, b'&' | b';'), MAX_PIECES)?;
    let whole = body.split(|b| *b == b'&').filter(|piece| piece.contains(&b';'));
    pieces.extend(whole.map(pair));
    Some(Parameters::new(pieces, body, false))
}

/// Pieces of a body that is no form: what takes some 20 ms to fold.
const MAX_PIECES: usize = 20_000;

fn pairs(body: &[u8], separates: fn(u8) -> bool, most: usize) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for piece in body.split(|b| separates(*b)).filter(|piece| !piece.is_empty()) {
        if pairs.len() == most {
            return None;
        }
        pairs.push(pair(piece));
    }
    Some(pairs)
}

fn pair(piece: &[u8]) -> (String, String) {
    let at = piece.iter().position(|b| *b == b'=').unwrap_or(piece.len());
    (decode_leniently(&piece[..at]), decode_leniently(piece.get(at + 1..).unwrap_or_default()))
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

/// The names of the pieces between `&` and `;`.
fn split_names(raw: &[u8]) -> Names {
    let name = |piece: &[u8]| decode_leniently(piece.split(|b| *b == b'=').next().unwrap_or_default());
    let names: Vec<String> = raw.split(|b| matches!(b, b'&' | b';')).map(name).collect();
    Names::of(names.iter().map(String::as_str))
}

impl Parameters {
    fn new(pairs: Vec<(String, String)>, raw: &[u8], semicolon: bool) -> Self {
        let split = if semicolon { split_names(raw) } else { Names::default() };
        Self { pairs, semicolon, split, names: OnceLock::new() }
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::of(self.pairs.iter().map(|(name, _)| name.as_str())))
    }

    /// Whether a name is among them that replaces the method behind the check, be it behind a `;`.
    #[must_use]
    pub fn overrides_method(&self) -> bool {
        self.split.overrides_method() || self.names().overrides_method()
    }

    /// Whether a name behind a `;` is taken for this one by some framework.
    #[must_use]
    pub fn is_split_into(&self, name: &str) -> bool {
        self.split.most_alike(&Keys::of(name)) > 0
    }

    /// Whether a name is taken for this one by some framework, spelt exactly so or not.
    #[must_use]
    pub fn hold(&self, name: &str) -> bool {
        self.names().most_alike(&Keys::of(name)) > 0
    }

    /// The values of a name, spelt exactly so.
    ///
    /// # Errors
    /// A second spelling: another name that some framework takes for this one. So many occurrences that no
    /// form may have them count as one.
    pub fn values(&self, name: &str) -> Result<Vec<&str>, &str> {
        let keys = Keys::of(name);
        // A name has few keys, and comes once for each that is shared.
        let mut places: Vec<usize> = self.names().alike(&keys).take(8 * MAX_PARAMETERS).collect();
        places.sort_unstable();
        places.dedup();
        if places.len() > MAX_PARAMETERS {
            return Err(self.pairs.first().map_or("", |(name, _)| name));
        }
        let pairs = places.into_iter().filter_map(|place| self.pairs.get(place));
        pairs.map(|(n, value)| if n == name { Ok(value.as_str()) } else { Err(n.as_str()) }).collect()
    }
}
