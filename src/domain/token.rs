//! The token as its holder has it: `<prefix>_<id>_<secret><check>`.
//!
//! The check is a CRC-32 over everything before it, as GitHub's tokens carry one: junk is refused
//! before any database or hash work, and a scanner for leaked tokens has almost no false alarms.
//!
//! Imported tokens keep the form they have ([`super::atlassian::raw`]), and are of the same type.

mod another;
use super::atlassian::raw;
use super::dice::Dice;
use crc::{CRC_32_ISO_HDLC, Crc};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

const ID: usize = 10;
const SECRET: usize = 32;
const CHECK: usize = 6;
/// Crockford's base32 in lower case: no `i`, `l`, `o`, `u`.
const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What names a token: ten characters of lower-case Crockford base32, public, unique, typed by people.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId([u8; ID]);

/// What precedes the id: `patctl`, or the property `patctl.token.prefix`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenPrefix(String);

/// A whole token with its secret. It is wiped when dropped, and `Debug` shows the id only.
pub struct PlainToken {
    text: Zeroizing<String>,
    id: TokenId,
    /// Of an imported token, what its hash is made of; it stands in the text in another form.
    imported: Option<Zeroizing<String>>,
}

/// Why a text is no token. None of these says anything about the text itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenError {
    /// Neither `<prefix>_<10 characters>_<38 characters>` in the alphabets of the format, nor that of an
    /// imported token.
    Shape,
    /// The shape is right, the last six characters do not fit the rest.
    Checksum,
}

/// A prefix must be 1 to 32 of `A-Z a-z 0-9 _`, begin with a letter and not end in `_`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PrefixError;

/// The text is not ten characters of lower-case Crockford base32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdError;

impl TokenId {
    /// How the ids of imported tokens begin, and no other.
    pub const IMPORTED: &str = "dc";

    /// A random id (50 bits), never that of an imported token.
    pub fn generate(dice: &mut Dice) -> Self {
        loop {
            let id = Self(dice.bytes::<ID>().map(|b| CROCKFORD[usize::from(b & 31)]));
            if !id.is_imported() {
                return id;
            }
        }
    }

    /// Whether a token of this id was imported, if there is one.
    #[must_use]
    pub fn is_imported(&self) -> bool {
        self.as_str().starts_with(Self::IMPORTED)
    }

    /// The id of the imported token of this number: its lowest 40 bits, most significant first.
    pub(in crate::domain) fn imported(number: u64) -> Self {
        let mut id = [b'0'; ID];
        let (head, digits) = id.split_at_mut(Self::IMPORTED.len());
        head.copy_from_slice(Self::IMPORTED.as_bytes());
        for (place, digit) in digits.iter_mut().rev().enumerate() {
            *digit = CROCKFORD[((number >> (5 * place)) & 31) as usize];
        }
        Self(id)
    }

    /// The number behind what all imported ids begin with; `None` for other ids.
    pub(in crate::domain) fn imported_number(self) -> Option<u64> {
        let digits = self.as_str().strip_prefix(Self::IMPORTED)?.bytes();
        let value = |b: u8| CROCKFORD.iter().position(|digit| *digit == b);
        digits.map(value).try_fold(0, |number, digit| Some(number << 5 | digit? as u64))
    }

    /// The ten characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // ASCII by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for TokenId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes: [u8; ID] = text.as_bytes().try_into().map_err(|_| IdError)?;
        let known = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z');
        bytes.iter().all(known).then_some(Self(bytes)).ok_or(IdError)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Default for TokenPrefix {
    fn default() -> Self {
        Self("patctl".to_owned())
    }
}

impl FromStr for TokenPrefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        is_prefix(text).then(|| Self(text.to_owned())).ok_or(PrefixError)
    }
}

impl fmt::Display for TokenPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_prefix(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with('_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl PlainToken {
    /// A new token: a random id and 32 random base62 characters (190 bits).
    pub fn generate(prefix: &TokenPrefix, dice: &mut Dice) -> Self {
        let id = TokenId::generate(dice);
        // The capacity is final, so that no half of a secret stays behind in a smaller buffer.
        let capacity = prefix.0.len() + 1 + ID + 1 + SECRET + CHECK;
        let mut text = Zeroizing::new(String::with_capacity(capacity));
        text.push_str(&prefix.0);
        text.push('_');
        text.push_str(id.as_str());
        text.push('_');
        for _ in 0..SECRET {
            text.push(dice.base62());
        }
        let check = checksum(text.as_bytes());
        for byte in check {
            text.push(char::from(byte));
        }
        Self { text, id, imported: None }
    }

    /// The public part.
    #[must_use]
    pub fn id(&self) -> TokenId {
        self.id
    }

    /// What a verifier is made of: 32 characters, or 28 of an imported token.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        if let Some(imported) = &self.imported {
            return imported.as_bytes();
        }
        let end = self.text.len() - CHECK;
        &self.text.as_bytes()[end - SECRET..end]
    }

    /// The whole token, to be handed to its holder and to nobody else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

/// Reads from the right, so that any prefix will do: a changed `patctl.token.prefix` does not
/// invalidate the tokens that are out. The form of imported tokens has no `_`, so that none is both.
impl FromStr for PlainToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        if let Some((number, secret)) = raw::read(text) {
            let text = Zeroizing::new(text.to_owned());
            return Ok(Self { text, id: number.id(), imported: Some(secret) });
        }
        let (head, tail) = text
            .len()
            .checked_sub(SECRET + CHECK)
            .and_then(|at| text.split_at_checked(at))
            .ok_or(TokenError::Shape)?;
        let (prefix, id) = head
            .strip_suffix('_')
            .and_then(|head| head.len().checked_sub(ID).and_then(|at| head.split_at_checked(at)))
            .ok_or(TokenError::Shape)?;
        let id = id.parse::<TokenId>().map_err(|_| TokenError::Shape)?;
        let shaped = prefix.strip_suffix('_').is_some_and(is_prefix)
            && tail.bytes().all(|b| b.is_ascii_alphanumeric());
        if !shaped {
            return Err(TokenError::Shape);
        }
        let (body, check) = text.split_at(text.len() - CHECK);
        if check.as_bytes() != checksum(body.as_bytes()) {
            return Err(TokenError::Checksum);
        }
        Ok(Self { text: Zeroizing::new(text.to_owned()), id, imported: None })
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlainToken({}, ..)", self.id)
    }
}

/// Computed from a table: what is as long as a token would not repay the look at what the processor can do, which
/// costs microseconds where that is a virtual one.
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// CRC-32 (IEEE 802.3) as six base62 digits, most significant first, digits `0-9 A-Z a-z`.
fn checksum(bytes: &[u8]) -> [u8; CHECK] {
    let mut rest = CRC.checksum(bytes);
    let mut out = [b'0'; CHECK];
    for place in out.iter_mut().rev() {
        *place = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    out
}

/// `text` with everything in it that may be a secret replaced by `…`: what stands behind an id, and
/// any long mixture of small letters, capitals and digits (a bare secret, Base64 of a pair).
///
/// For texts that may quote what somebody typed in the wrong place, such as a usage error.
#[must_use]
pub fn mask(text: &str) -> String {
    masked(text, SECRET)
}

/// [`mask`] for a text that repeats what somebody typed, where pieces of a secret may stand, too. It
/// hides some harmless words.
#[must_use]
pub fn mask_strictly(text: &str) -> String {
    masked(text, 12)
}

fn masked(text: &str, least: usize) -> String {
    let text = raw::mask(text);
    let text = text.as_ref();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(word) {
        let (before, from) = rest.split_at(start);
        let (run, after) = from.split_at(from.find(|c| !word(c)).unwrap_or(from.len()));
        out.push_str(before);
        match secret_start(run, least) {
            Some(at) => {
                out.push_str(&run[..at]);
                out.push('…');
            }
            None => out.push_str(run),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Where a secret begins in a word, if it seems to hold one; a mixture counts from `least` characters.
fn secret_start(word: &str, least: usize) -> Option<usize> {
    let mut end = 0;
    for (part, next) in word.split('_').zip(word.split('_').skip(1)) {
        end += part.len() + 1;
        if part.parse::<TokenId>().is_ok() && next.len() >= 8 {
            return Some(end);
        }
    }
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
    (mixed && word.len() >= least).then_some(0)
}

#[cfg(test)]
mod edges;
#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The format, pinned: a change here would refuse every token that is out.
    const EXAMPLE: &str = "patctl_7k3m9xq2v8_ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

    fn example() -> String {
        format!("{EXAMPLE}{}", "3X9qJF")
    }

    #[test]
    fn the_pinned_example_is_a_token() {
        let token: PlainToken = example().parse().expect("the example of the format");
        assert_eq!(token.id().as_str(), "7k3m9xq2v8");
        assert_eq!(token.secret(), b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345");
        assert_eq!(format!("{token:?}"), "PlainToken(7k3m9xq2v8, ..)");
    }

    #[test]
    fn an_id_is_of_crockfords_alphabet() {
        for byte in 0..=127u8 {
            let text = char::from(byte).to_string().repeat(ID);
            assert_eq!(text.parse::<TokenId>().is_ok(), CROCKFORD.contains(&byte), "{text:?}");
        }
    }

    #[test]
    fn the_checksum_is_the_crc_32_of_the_published_check_value() {
        // CRC-32/ISO-HDLC of "123456789" is cbf43926 in every catalogue of CRCs.
        let value = checksum(b"123456789")
            .iter()
            .fold(0u64, |n, c| n * 62 + BASE62.iter().position(|b| b == c).expect("a base62 digit") as u64);
        assert_eq!(value, 0xcbf4_3926);
    }

    proptest! {
        #[test]
        fn one_changed_character_is_always_noticed(at in 0usize..56, to in "[0-9A-Za-z_]") {
            let mut changed = example();
            changed.replace_range(at..=at, &to);
            prop_assert_eq!(changed.parse::<PlainToken>().is_ok(), changed == example());
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,80}") {
            let _ = text.parse::<PlainToken>();
            let _ = mask(&text);
        }

        #[test]
        fn what_is_generated_parses_whatever_the_prefix(seed: u64, prefix in "[a-z]([A-Za-z0-9_]{0,30}[a-z0-9])?") {
            let prefix: TokenPrefix = prefix.parse().expect("a prefix");
            let token = PlainToken::generate(&prefix, &mut seeded(seed));
            let read: PlainToken = token.reveal().parse().expect("a token");
            prop_assert_eq!(read.id(), token.id());
            prop_assert_eq!(read.secret(), token.secret());
        }
    }

    fn seeded(seed: u64) -> Dice {
        use rand::SeedableRng;
        Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(seed)))
    }

    #[test]
    fn a_token_in_a_message_is_masked_and_other_words_are_not() {
        let masked = mask(&format!("unexpected argument '{}' found", example()));
        assert_eq!(masked, "unexpected argument 'patctl_7k3m9xq2v8_…' found");
        for leak in [
            format!("{}_", example()),
            format!("x_{}_x", example()),
            example()[..32].to_owned(),
            example()[18..].to_owned(),
            format!("Basic {}", "QWxhZGRpbjpvcGVuIHNlc2FtZTEyMzQ1Njc4OTA="),
        ] {
            let masked = mask(&leak);
            assert!(masked.contains('…') && masked.len() < 30, "{leak}: {masked}");
        }
        for plain in [
            "usage: patctl revoke [OPTIONS] some_long_but_harmless_word",
            "/etc/my_productionconfiguration2026.properties",
            "7k3m9xq2v8",
        ] {
            assert_eq!(mask(plain), plain);
        }
    }

    #[test]
    fn prefixes_that_would_blur_the_token_are_refused() {
        for bad in ["", "_a", "a_", "a-b", "1a", "é", &"a".repeat(33)] {
            assert_eq!(bad.parse::<TokenPrefix>(), Err(PrefixError), "{bad:?}");
        }
    }
}
