//! What surrounds a token that was handed over with more than itself, so that a person can take it off.

use super::{Presented, strip_word};
use crate::domain::leak;
use crate::domain::text::is_hidden;
use zeroize::Zeroizing;

/// Something that surrounds a token and is not part of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer {
    /// Of either kind, on one side or both.
    Quotes,
    /// U+FEFF in front.
    ByteOrderMark,
    /// Every other byte is zero.
    Utf16,
    /// `NAME=` or `NAME:`, with what stands before the name.
    Name,
    /// White space and line ends, invisible characters included.
    Blanks,
    /// A word that is neither `Bearer` nor `Basic`.
    Scheme,
    /// There is more than one.
    Several,
    /// Anything else.
    Other,
}

impl Layer {
    /// In words, to follow "it has".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quotes => "quotes around it",
            Self::ByteOrderMark => "a byte order mark before it",
            Self::Utf16 => "the encoding UTF-16",
            Self::Name => "a name before it",
            Self::Blanks => "blanks or line ends around it",
            Self::Scheme => "a word before it that is neither Bearer nor Basic",
            Self::Several => "another token beside it",
            Self::Other => "other text around it",
        }
    }
}

/// What surrounds the token in `bytes`, which [`Presented::parse`] refused; `None` where there is no token in them.
#[must_use]
pub fn around(bytes: &[u8]) -> Option<Vec<Layer>> {
    let mut layers = Vec::new();
    let mut narrow = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let bytes = if bytes.contains(&0) {
        layers.push(Layer::Utf16);
        narrow.extend(bytes.iter().filter(|byte| **byte != 0));
        narrow.strip_prefix(&[0xff, 0xfe]).or_else(|| narrow.strip_prefix(&[0xfe, 0xff])).unwrap_or(&narrow)
    } else {
        bytes
    };
    let (mut found, mut count) = (None, 0);
    leak::find(bytes, 0..bytes.len(), &mut |leak| {
        found = Some((leak.start, leak.start + leak.text.len()));
        count += 1;
    });
    match found {
        Some(_) if count > 1 => layers.push(Layer::Several),
        Some((start, end)) => {
            let before = Zeroizing::new(String::from_utf8_lossy(&bytes[..start]).into_owned());
            let after = Zeroizing::new(String::from_utf8_lossy(&bytes[end..]).into_owned());
            peel(&before, &after, &mut layers);
        }
        None => credentials(bytes, &mut layers)?,
    }
    if layers.is_empty() {
        layers.push(Layer::Blanks);
    }
    Some(layers)
}

/// The same for what is no token by its looks: `Basic …` in quotes or blanks.
fn credentials(bytes: &[u8], layers: &mut Vec<Layer>) -> Option<()> {
    let text = std::str::from_utf8(bytes).ok()?;
    let inner = text.trim_matches(|c| is_quote(c) || is_blank(c));
    Presented::parse(inner.as_bytes()).ok()?;
    let start = text.find(inner)?;
    peel(&text[..start], &text[start + inner.len()..], layers);
    Some(())
}

/// Takes one layer after the other off, from the token outwards.
fn peel(before: &str, after: &str, layers: &mut Vec<Layer>) {
    let (mut before, mut after) = (before, line_end(after));
    let mut has_scheme = false;
    while !(before.is_empty() && after.is_empty()) {
        let layer = if let Some(rest) = before.strip_suffix('\u{feff}') {
            before = rest;
            Layer::ByteOrderMark
        } else if before.ends_with(is_quote) || after.starts_with(is_quote) {
            before = before.strip_suffix(is_quote).unwrap_or(before);
            after = line_end(after.strip_prefix(is_quote).unwrap_or(after));
            Layer::Quotes
        } else if after.starts_with(is_blank) {
            after = after.trim_start_matches(is_blank);
            Layer::Blanks
        } else if before.ends_with(is_blank) {
            let rest = before.trim_end_matches(is_blank);
            let head = rest.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
            let word = &rest[head.len()..];
            if word.is_empty() && !rest.is_empty() {
                before = rest;
                continue;
            }
            before = head;
            if strip_word(word, "bearer").or_else(|| strip_word(word, "basic")) == Some("") {
                has_scheme = true;
                continue;
            }
            if word.is_empty() { Layer::Blanks } else { Layer::Scheme }
        } else if before.ends_with(['=', ':']) {
            let is_header = has_scheme && before.to_ascii_lowercase().ends_with("authorization:");
            before = if is_header { &before[..before.len() - "authorization:".len()] } else { "" };
            if is_header {
                continue;
            }
            Layer::Name
        } else {
            (before, after) = ("", "");
            Layer::Other
        };
        if !layers.contains(&layer) {
            layers.push(layer);
        }
    }
}

/// One line end may follow a token.
fn line_end(after: &str) -> &str {
    if matches!(after, "\n" | "\r\n") { "" } else { after }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '‘' | '’' | '“' | '”' | '«' | '»')
}

fn is_blank(c: char) -> bool {
    c != '\u{feff}' && (c.is_whitespace() || is_hidden(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "patctl_7k3m9xq2v8_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123453X9qJF";

    #[test]
    fn each_wrapping_is_named() {
        use Layer::{Blanks, ByteOrderMark, Name, Other, Quotes, Scheme, Several};
        let token = TOKEN.parse().expect("a token");
        let basic = format!("Basic {}", *super::super::basic_credentials("alice", &token));
        for (text, layers) in [
            (format!("\"{TOKEN}\"\n"), vec![Quotes]),
            (format!("'{TOKEN}'"), vec![Quotes]),
            (format!("“{TOKEN}”"), vec![Quotes]),
            (format!("\"{TOKEN}"), vec![Quotes]),
            (format!("PATCTL_TOKEN={TOKEN}\n"), vec![Name]),
            (format!("export PATCTL_TOKEN=\"{TOKEN}\"\n"), vec![Quotes, Name]),
            (format!("token: {TOKEN}"), vec![Name]),
            (format!("Authorization: {TOKEN}"), vec![Name]),
            (format!("{TOKEN} "), vec![Blanks]),
            (format!(" {TOKEN}"), vec![Blanks]),
            (format!("{TOKEN}\n\n"), vec![Blanks]),
            (format!("{TOKEN}\u{a0}"), vec![Blanks]),
            (format!("\u{200b}{TOKEN}"), vec![Blanks]),
            (format!("Bearer\t{TOKEN}"), vec![Blanks]),
            (format!("\u{feff}{TOKEN}\r\n"), vec![ByteOrderMark]),
            (format!("Token {TOKEN}"), vec![Scheme]),
            (format!("\"Authorization: Bearer {TOKEN}\""), vec![Quotes]),
            (format!("'Bearer {TOKEN}'"), vec![Quotes]),
            (format!("{{\"token\":\"{TOKEN}\"}}"), vec![Quotes, Name, Other]),
            (format!("{TOKEN}\n{TOKEN}\n"), vec![Several]),
            (format!("\"{basic}\"\n"), vec![Quotes]),
            (format!("{basic} "), vec![Blanks]),
        ] {
            assert!(Presented::parse(text.as_bytes()).is_err(), "{text:?}");
            assert_eq!(around(text.as_bytes()), Some(layers), "{text:?}");
        }
        let wide = |to: fn(u16) -> [u8; 2]| {
            format!("\u{feff}{TOKEN}\r\n").encode_utf16().flat_map(to).collect::<Vec<u8>>()
        };
        for wide in [wide(u16::to_le_bytes), wide(u16::to_be_bytes)] {
            assert_eq!(around(&wide), Some(vec![Layer::Utf16]));
        }
    }

    #[test]
    fn without_a_token_there_is_no_wrapping() {
        let mistyped = TOKEN.replace('A', "B");
        for text in ["", "\n", "junk", "\"junk\"", "Token junk", &mistyped, &format!("\"{mistyped}\"")] {
            assert_eq!(around(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_token_with_more_around_it_has_a_wrapping(before in ".{0,20}[^A-Za-z0-9_]", after in "[^A-Za-z0-9_].{0,20}") {
            let text = format!("{before}{TOKEN}{after}");
            prop_assert!(Presented::parse(text.as_bytes()).is_ok() || around(text.as_bytes()).is_some());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = around(&bytes);
        }
    }
}
