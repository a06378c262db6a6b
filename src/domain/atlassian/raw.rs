//! The token as its holder has it: 33 bytes in Base64, twelve digits, a colon, and twenty random ones.

use super::number::Number;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// Characters of a token; never padded.
pub const LENGTH: usize = 44;
const BYTES: usize = 33;
/// Digits and the colon.
const HEAD: usize = 13;
/// Characters of which the digits are the whole: four groups of three digits each. They stand before the
/// character in which the colon begins.
pub const PUBLIC: usize = 16;

/// What such tokens look like, as a regular expression that every engine knows: exactly what decodes to
/// that shape. No boundary stands at its end, because a token may end in `+` or `/`.
pub const PATTERN: &str = "(?:(?:[MN][DTjz]|O[DT])[AEIMQUYcgk][w-z0-5]){4}O[g-v][A-Za-z0-9+/]{26}";

/// The number in a token, and the text that its hash is made of: the padded Base64 of the random
/// bytes. `None` for what is no such token.
#[must_use]
pub fn read(text: &str) -> Option<(Number, Zeroizing<String>)> {
    if text.len() != LENGTH {
        return None;
    }
    // Of the size that is needed, so that no half of a secret stays behind in a smaller buffer.
    let mut bytes = Zeroizing::new([0; BYTES]);
    let written = STANDARD.decode_slice(text, bytes.as_mut()).ok()?;
    let (head, secret) = bytes.split_at_checked(HEAD).filter(|_| written == BYTES)?;
    let (colon, digits) = head.split_last()?;
    let number = Number::read(digits).filter(|_| *colon == b':')?;
    let mut hashed = Zeroizing::new(String::with_capacity(28));
    STANDARD.encode_string(secret, &mut hashed);
    Some((number, hashed))
}

/// The number in the public part of a token, the first sixteen characters.
#[must_use]
pub fn number(token: &str) -> Option<Number> {
    let mut digits = [0; PUBLIC / 4 * 3];
    let written = STANDARD.decode_slice(token.get(..PUBLIC)?, &mut digits).ok()?;
    Number::read(&digits[..written])
}

/// `text` with the secret part of every such token in it replaced by `…`, a cut one included.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        if !begins(&bytes[at..]) {
            at += 1;
            continue;
        }
        let secret = at + PUBLIC;
        let rest = &bytes[secret..];
        let of_base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
        at = secret + rest.iter().position(|b| !of_base64(b)).unwrap_or(rest.len());
        out.push_str(&text[copied..secret]);
        out.push('…');
        copied = at;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Whether twelve digits and a colon stand there in Base64.
#[must_use]
#[inline]
pub fn begins(bytes: &[u8]) -> bool {
    let Some(head) = bytes.first_chunk::<18>() else { return false };
    let digits = |group: &[u8]| {
        let first =
            matches!((group[0], group[1]), (b'M' | b'N', b'D' | b'T' | b'j' | b'z') | (b'O', b'D' | b'T'));
        first && b"AEIMQUYcgk".contains(&group[2]) && matches!(group[3], b'w'..=b'z' | b'0'..=b'5')
    };
    head[..PUBLIC].chunks_exact(4).all(digits) && head[16] == b'O' && matches!(head[17], b'g'..=b'v')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::{self, PlainToken};
    use proptest::prelude::*;

    const TOKEN: &str = "MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERIT";

    #[test]
    fn a_token_is_its_number_and_the_text_of_its_hash() {
        let (number, hashed) = read(TOKEN).expect("the example of the format");
        assert_eq!(number.to_string(), "123456789012");
        assert_eq!(hashed.as_str(), "AAECAwQFBgcICQoLDA0ODxAREhM=");
        assert_eq!(super::number(&TOKEN[..PUBLIC]), Some(number));
        assert_eq!(super::number(&TOKEN[..15]), None);
    }

    #[test]
    fn an_imported_token_is_a_token_and_is_masked() {
        let token: PlainToken = TOKEN.parse().expect("a token");
        assert_eq!((token.id().as_str(), token.reveal()), ("dc3jz9j6gm", TOKEN));
        assert_eq!(token.secret(), b"AAECAwQFBgcICQoLDA0ODxAREhM=");
        assert_eq!(format!("{token:?}"), "PlainToken(dc3jz9j6gm, ..)");
        for text in ["MDAwMDAwMDAwMDAwOv//ab//////////////////////", TOKEN] {
            assert!(!token::mask(&format!("--id {text}")).contains(&text[17..24]), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_token_is_none() {
        for odd in [
            &TOKEN[..43],
            "MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERI=",
            "MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERI-",
            "MTIzNDU2Nzg5MDFhOgABAgMEBQYHCAkKCwwNDg8QERIT",
            "MTIzNDU2Nzg5MDEyLwABAgMEBQYHCAkKCwwNDg8QERIT",
            "",
        ] {
            assert!(read(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn a_token_in_a_text_is_masked_wherever_it_stands_and_cut_ones_too() {
        for (text, masked) in [
            (TOKEN.to_owned(), "MTIzNDU2Nzg5MDEy…"),
            (format!("é{TOKEN} {TOKEN}."), "éMTIzNDU2Nzg5MDEy… MTIzNDU2Nzg5MDEy…."),
            (TOKEN[..24].to_owned(), "MTIzNDU2Nzg5MDEy…"),
            ("MDAwMDAwMDAwMDAwOv//////////////////////////".to_owned(), "MDAwMDAwMDAwMDAw…"),
        ] {
            assert_eq!(mask(&text), masked, "{text}");
        }
        for harmless in ["", "MTIzNDU2Nzg5MDEy", "the Mayor's OldTown MTIz"] {
            assert!(matches!(mask(harmless), Cow::Borrowed(_)), "{harmless}");
        }
    }

    proptest! {
        #[test]
        fn every_token_is_read_and_masked(number in 0..1_000_000_000_000u64, secret: [u8; 20], around in "[ -~é]{0,9}") {
            let number = Number::new(number).expect("twelve digits");
            let mut bytes = format!("{number}:").into_bytes();
            bytes.extend(secret);
            let token = STANDARD.encode(bytes);
            let (read, hashed) = read(&token).expect("a token");
            prop_assert_eq!(read, number);
            prop_assert_eq!(STANDARD.decode(hashed.as_str()).expect("Base64"), secret);
            let text = format!("{around} {token} {around}");
            prop_assert!(!mask(&text).contains(&token[17..]), "{}", text);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,60}", base64 in "[A-Za-z0-9+/]{44}") {
            let _ = (mask(&text), read(&text), mask(&base64), read(&base64));
        }
    }
}
