//! The canonical path: one spelling for every path that is accepted, and a refusal for every path
//! that two programs could read differently. Nothing is repaired.

use super::lookalike;
use super::request::{Place, Refusal};
use crate::domain::text::is_invisible;

/// Bytes that may stand plainly in a path segment (RFC 3986 §3.3, without `;`), and the `/`.
#[must_use]
pub fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}

/// Encodings that some program undoes before it routes, and controls (Traefik's list, and more).
#[must_use]
pub fn is_refused_encoded(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'/' | b'\\' | b';' | b'%' | b'#' | b'?' | 0x7f)
}

/// The value of two hexadecimal digits.
#[must_use]
pub fn hex(digits: Option<&[u8]>) -> Option<u8> {
    let [high, low] = digits? else { return None };
    let digit = |b: u8| char::from(b).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

/// Brings a raw path into its one form: `%XX` decoded where the byte may stand plainly, upper case
/// where not; one pass, never repeated. `offset` is where the path begins in what was handed over.
///
/// # Errors
/// A [`Refusal`] with the place of what is refused.
pub fn canonical(raw: &str, place: Place, offset: usize) -> Result<String, Refusal> {
    let refuse = |at: usize, why| Refusal::at(place, offset + at, why);
    let bytes = raw.as_bytes();
    let mut canonical = String::with_capacity(raw.len());
    let mut decoded = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'%' => {
                let value = hex(bytes.get(at + 1..at + 3))
                    .ok_or_else(|| refuse(at, "a % is followed by two hexadecimal digits"))?;
                if is_refused_encoded(value) {
                    return Err(refuse(at, "this must not be encoded in a path: / \\ ; % # ? or a control"));
                }
                if is_plain(value) {
                    canonical.push(char::from(value));
                } else {
                    canonical.extend(raw[at..at + 3].chars().map(|c| c.to_ascii_uppercase()));
                }
                decoded.push(value);
                at += 2;
            }
            b'/' => {
                canonical.push('/');
                decoded.push(byte);
            }
            b';' => return Err(refuse(at, "path parameters (;) are read differently by different servers")),
            _ if is_plain(byte) => {
                canonical.push(char::from(byte));
                decoded.push(byte);
            }
            _ => return Err(refuse(at, "this character may not stand plainly in a path (RFC 3986 §3.3)")),
        }
        at += 1;
    }
    let text = std::str::from_utf8(&decoded).map_err(|_| refuse(0, "the path is not UTF-8 once decoded"))?;
    readable(text).map_err(|why| refuse(0, why))?;
    Ok(canonical)
}

/// What is decided on the decoded path: its characters and its segments.
fn readable(path: &str) -> Result<(), &'static str> {
    if path.chars().any(|c| is_invisible(c) || (c.is_whitespace() && c != ' ')) {
        return Err("the path holds a character that cannot be seen");
    }
    if path.chars().any(lookalike::is_lookalike) {
        return Err("the path holds a character that looks like, or becomes, one of / \\ . ; % ? # :");
    }
    let Some(rest) = path.strip_prefix('/') else { return Err("a path begins with /") };
    let last = rest.matches('/').count();
    for (index, segment) in rest.split('/').enumerate() {
        if segment.is_empty() && index < last {
            return Err("the path holds an empty segment (//)");
        }
        if segment.ends_with('.') {
            return Err("a path segment is or ends in a dot");
        }
        if segment.starts_with(' ') || segment.ends_with(' ') {
            return Err("a path segment begins or ends in a space");
        }
    }
    Ok(())
}

/// The path as the bytes it stands for: what a server sees that decodes once.
#[must_use]
pub fn decoded(canonical: &str) -> Vec<u8> {
    let bytes = canonical.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let value = if byte == b'%' { hex(bytes.get(at + 1..at + 3)) } else { None };
        decoded.push(value.unwrap_or(byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    decoded
}
