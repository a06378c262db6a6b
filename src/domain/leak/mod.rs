//! Tokens among bytes that are something else, recognised by their shape alone: what leaked.
//!
//! Both kinds have characters at fixed places that ordinary text has seldom: the two `_` around an id, the
//! `O` and its neighbour in which the colon behind a number becomes Base64. A look at these skips over
//! nearly everything; what they are part of is looked at only then. No automaton is faster than that,
//! and a token of any former prefix is found, too.

mod back;
mod shape;

use super::atlassian::raw;
use super::token::TokenPrefix;
use memchr::memchr_iter;
use std::borrow::Cow;
use std::ops::Range;

/// No token reaches further than this, before its anchor or behind.
pub const REACH: usize = 64;

const ID: usize = 10;
/// The secret and its check.
const TAIL: usize = 38;
const CHECK: usize = 6;
const PREFIX: usize = 32;
/// `_`, the id, `_`, and what follows.
const OURS: usize = 1 + ID + 1 + TAIL;

/// Whose format it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// `<prefix>_<id>_<secret><check>`, with a check that fits.
    Patctl,
    /// What Jira and Confluence Data Center issue: twelve digits, a colon and twenty bytes in Base64.
    Atlassian,
}

impl Kind {
    /// Every value, in the order of the manual.
    pub const ALL: [Self; 2] = [Self::Patctl, Self::Atlassian];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patctl => "patctl",
            Self::Atlassian => "atlassian",
        }
    }

    /// The public part of a token of this kind: its id, or the number that Jira calls `TOKEN_ID`.
    #[must_use]
    pub fn id(self, token: &str) -> String {
        match self {
            Self::Patctl => {
                let end = token.len().saturating_sub(TAIL + 1);
                token.get(end.saturating_sub(ID)..end).unwrap_or_default().to_owned()
            }
            Self::Atlassian => raw::number(token).map(|number| number.to_string()).unwrap_or_default(),
        }
    }

    /// A token of this kind without its secret.
    #[must_use]
    pub fn masked(self, token: &str) -> String {
        let public = match self {
            Self::Patctl => token.len().saturating_sub(TAIL),
            Self::Atlassian => raw::PUBLIC,
        };
        format!("{}…", token.get(..public).unwrap_or_default())
    }
}

/// A token where it was found.
#[derive(Clone, Copy)]
pub struct Leak<'b> {
    /// Whose format it is.
    pub kind: Kind,
    /// Where it begins.
    pub start: usize,
    /// Where its anchor stands.
    pub anchor: usize,
    /// All of it.
    pub text: &'b str,
}

/// Finds the tokens whose anchors lie in a part of `bytes`, in their order. Whoever has only a piece of
/// a text gives [`REACH`] bytes more on either side; then none is missed and none is found twice.
pub fn find<'b>(bytes: &'b [u8], anchors: Range<usize>, each: &mut dyn FnMut(Leak<'b>)) {
    if anchors.end > bytes.len() {
        return;
    }
    let mut look = |anchor: usize| {
        let (kind, found) = if bytes[anchor] == b'_' {
            (Kind::Patctl, shape::ours(bytes, anchor))
        } else {
            (Kind::Atlassian, shape::atlassian(bytes, anchor))
        };
        let Some(range) = found else { return };
        let start = range.start;
        if let Some(text) = bytes.get(range).and_then(|found| std::str::from_utf8(found).ok()) {
            each(Leak { kind, start, anchor, text });
        }
    };
    // What is behind the last whole block is too short for a token, but for its last bytes.
    let mut at = anchors.start;
    while at < anchors.end {
        match bytes[at..].first_chunk::<WINDOW>() {
            Some(window) => {
                let mut flags = anchors_in(window);
                while flags != 0 {
                    let anchor = at + flags.trailing_zeros() as usize;
                    if anchor < anchors.end {
                        look(anchor);
                    }
                    flags &= flags - 1;
                }
            }
            None => (at..anchors.end.min(at + BLOCK))
                .filter(|at| matches!(bytes[*at], b'_' | b'O'))
                .for_each(&mut look),
        }
        at += BLOCK;
    }
}

/// Bytes that are looked at together.
const BLOCK: usize = 64;
/// As many, and as far as the last of them needs to see.
const WINDOW: usize = BLOCK + ID + 1;

/// Where anchors may be in a block, a bit for each place: a `_` with another one behind the id, an `O` whose
/// next character continues a colon. The loop has no branch, so that it is compiled to instructions for many
/// bytes at once; that is faster here than looking for either byte by itself, of which source code has many.
#[inline]
fn anchors_in(window: &[u8; WINDOW]) -> u64 {
    let mut is_anchor = [0_u8; BLOCK];
    for (place, flag) in is_anchor.iter_mut().enumerate() {
        let ours = u8::from(window[place] == b'_') & u8::from(window[place + ID + 1] == b'_');
        let theirs = u8::from(window[place] == b'O') & u8::from(window[place + 1].wrapping_sub(b'g') < 16);
        *flag = ours | theirs;
    }
    // Eight flags become eight bits by one multiplication, which moves each to its own place.
    let (eights, _) = is_anchor.as_chunks::<8>();
    let bits = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().enumerate().fold(0, |all, (index, eight)| all | bits(eight) << (8 * index))
}

/// How many lines end in `bytes`.
#[must_use]
pub fn lines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

/// `text` with every whole token in it masked, and nothing else: for the names of files.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    find(text.as_bytes(), 0..text.len(), &mut |leak| {
        out.push_str(text.get(copied..leak.start).unwrap_or_default());
        out.push_str(&leak.kind.masked(leak.text));
        copied = leak.start + leak.text.len();
    });
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// What tokens of this prefix look like, as a regular expression that every engine knows. It cannot
/// compute the check, but knows that its first digit is at most 4.
#[must_use]
pub fn pattern(prefix: &TokenPrefix) -> String {
    format!("{prefix}_[0-9a-hjkmnp-tv-z]{{10}}_[0-9A-Za-z]{{32}}[0-4][0-9A-Za-z]{{5}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dice::Dice;
    use crate::domain::token::PlainToken;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    const ATLASSIAN_TOKEN: &str = "MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERIT";

    fn found(text: &[u8]) -> Vec<(Kind, usize, String)> {
        let mut all = Vec::new();
        find(text, 0..text.len(), &mut |leak| all.push((leak.kind, leak.start, leak.text.to_owned())));
        all
    }

    fn token(prefix: &str, seed: u64) -> String {
        use rand::SeedableRng;
        let mut dice = Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(seed)));
        let prefix: TokenPrefix = prefix.parse().expect("a prefix");
        PlainToken::generate(&prefix, &mut dice).reveal().to_owned()
    }

    #[test]
    fn what_is_public_is_shown_and_nothing_else() {
        let ours = "patctl_7k3m9xq2v8_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123453X9qJF";
        assert_eq!(Kind::Patctl.id(ours), "7k3m9xq2v8");
        assert_eq!(Kind::Patctl.masked(ours), "patctl_7k3m9xq2v8_…");
        assert_eq!(Kind::Atlassian.id(ATLASSIAN_TOKEN), "123456789012");
        assert_eq!(Kind::Atlassian.masked(ATLASSIAN_TOKEN), "MTIzNDU2Nzg5MDEy…");
        let name = format!("é-{ours}.{ATLASSIAN_TOKEN}.txt");
        assert_eq!(mask(&name), "é-patctl_7k3m9xq2v8_….MTIzNDU2Nzg5MDEy….txt");
        assert!(matches!(mask("a_perfectly_harmless_Name.rs"), Cow::Borrowed(_)));
    }

    #[test]
    fn two_in_a_row_are_two() {
        let (a, b) = (token("patctl", 1), token("patctl", 2));
        let text = format!("{a}{b}{ATLASSIAN_TOKEN}{ATLASSIAN_TOKEN}");
        let found = found(text.as_bytes());
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!((found[0].1, found[1].1, &found[1].2), (0, a.len(), &b));
    }

    #[test]
    fn every_number_is_read_and_the_exact_shape_is_wanted() {
        let shape = regex::bytes::Regex::new(&format!("^{}$", raw::PATTERN)).expect("a pattern");
        for at in 0..raw::LENGTH {
            for byte in 0..=255u8 {
                let mut text = ATLASSIAN_TOKEN.as_bytes().to_vec();
                text[at] = byte;
                let here = found(&text).iter().any(|(kind, ..)| *kind == Kind::Atlassian);
                assert_eq!(here, shape.is_match(&text), "{at}: {byte}");
            }
        }
    }

    #[test]
    fn the_pattern_for_other_scanners_fits_every_token_of_the_prefix_and_no_other() {
        let prefix: TokenPrefix = "acme_CI".parse().expect("a prefix");
        let pattern = regex::bytes::Regex::new(&format!("^{}$", pattern(&prefix))).expect("a pattern");
        for seed in 0..500 {
            let token = token("acme_CI", seed);
            assert!(pattern.is_match(token.as_bytes()), "{token}");
        }
        assert!(!pattern.is_match(token("patctl", 1).as_bytes()));
    }

    proptest! {
        #[test]
        fn a_token_is_found_in_whatever_surrounds_it(
            before in proptest::collection::vec(any::<u8>(), 0..90),
            after in proptest::collection::vec(any::<u8>(), 0..90),
            prefix in "[a-z]([A-Za-z0-9_]{0,30}[a-z0-9])?", seed: u64,
            number in 0..1_000_000_000_000u64, secret: [u8; 20],
        ) {
            let ours = token(&prefix, seed);
            let raw = [format!("{number:012}:").as_bytes(), &secret[..]].concat();
            let theirs = STANDARD.encode(raw);
            for (kind, text, id) in [
                (Kind::Patctl, &ours, ours[ours.len() - 49..ours.len() - 39].to_owned()),
                (Kind::Atlassian, &theirs, format!("{number:012}")),
            ] {
                let hay = [&before[..], text.as_bytes(), &after[..]].concat();
                prop_assert!(found(&hay).contains(&(kind, before.len(), text.clone())));
                prop_assert_eq!(kind.id(text), id);
                let masked = kind.masked(text);
                prop_assert!(!masked.contains(&text[text.len() - 25..]));
            }
        }

        #[test]
        fn what_is_found_is_what_the_parser_takes(text in "[a-cO_]{0,12}(patctl)?_[0-9a-hjkmnp-tv-z]{10}_[0-9A-Za-z]{38}[a-z]{0,3}") {
            for (kind, _, token) in found(text.as_bytes()) {
                prop_assert!(kind != Kind::Patctl || token.parse::<PlainToken>().is_ok(), "{}", token);
            }
        }

        #[test]
        fn a_wrong_check_is_no_token(seed: u64, at in 0usize..56, to in "[0-9A-Za-z]") {
            let mut text = token("patctl", seed);
            let right = text.clone();
            text.replace_range(at..=at, &to);
            // What is left of a prefix whose beginning was changed cannot fit either.
            prop_assert_eq!(found(text.as_bytes()).len(), usize::from(text == right));
        }

        #[test]
        fn pieces_with_their_neighbourhood_find_what_the_whole_has(
            gaps in proptest::collection::vec(0usize..150, 1..12), size in 1usize..200, seed: u64,
        ) {
            let mut text = Vec::new();
            for (index, gap) in gaps.iter().enumerate() {
                text.extend(std::iter::repeat_n(b"_O x"[index % 4], *gap));
                text.extend(if index % 2 == 0 { token("a_b", seed ^ index as u64).into_bytes() } else { ATLASSIAN_TOKEN.into() });
            }
            let mut pieced = Vec::new();
            for from in (0..text.len()).step_by(size) {
                let low = from.saturating_sub(REACH);
                let piece = &text[low..(from + size + REACH).min(text.len())];
                find(piece, from - low..(from - low + size).min(piece.len()), &mut |leak| {
                    pieced.push((leak.kind, low + leak.start, leak.text.to_owned()));
                });
            }
            prop_assert_eq!(pieced, found(&text));
        }
    }
}
