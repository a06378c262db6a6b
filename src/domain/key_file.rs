//! What key files hold: 256 bits in Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY: usize = 32;

/// The bytes of a key, wiped when dropped.
pub type KeyBytes = Zeroizing<[u8; KEY]>;

/// The text is no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyError;

/// Reads a key file: 32 bytes in Base64 (44 characters), one line end after them.
///
/// # Errors
/// [`KeyError`] for anything else, and for 32 equal bytes, which are a forgotten placeholder.
pub fn parse(bytes: &[u8]) -> Result<KeyBytes, KeyError> {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let decoded = Zeroizing::new(STANDARD.decode(text).map_err(|_| KeyError)?);
    let key: [u8; KEY] = decoded.as_slice().try_into().map_err(|_| KeyError)?;
    if key.iter().all(|byte| *byte == key[0]) { Err(KeyError) } else { Ok(Zeroizing::new(key)) }
}

/// What a key file holds.
#[must_use]
pub fn to_text(key: &KeyBytes) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(key.as_slice()) + "\n")
}
