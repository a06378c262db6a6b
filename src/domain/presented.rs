//! What somebody hands over to prove who they are: a bare token, or an `Authorization` value.

pub mod wrapping;

use super::text::{is_blank, is_hidden};
use super::token::PlainToken;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The most bytes of a presented token that are read.
pub const MAX_BYTES: usize = 1024;

/// How the token came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// `Bearer …`, or the bare token.
    Bearer,
    /// `Basic …` (RFC 7617), with the user name that came before the first colon.
    Basic {
        /// 1 to 255 characters without control characters.
        user: String,
    },
}

/// A token of the right shape and checksum, with the way it came.
#[derive(Debug)]
pub struct Presented {
    /// How it came.
    pub scheme: Scheme,
    /// The token itself.
    pub token: PlainToken,
}

/// What was handed over is no token. It deliberately does not say why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// The Base64 of `user:token`, as `Basic` carries it.
#[must_use]
pub fn basic_credentials(user: &str, token: &PlainToken) -> Zeroizing<String> {
    let pair = Zeroizing::new([user, ":", token.reveal()].concat());
    Zeroizing::new(STANDARD.encode(pair.as_bytes()))
}

impl Presented {
    /// Reads a bare token, `Bearer …`, `Basic …`, or a whole `Authorization:` line; one line end
    /// (LF or CRLF) is dropped.
    ///
    /// # Errors
    /// [`Malformed`] for everything else, longer than [`MAX_BYTES`] included.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_BYTES {
            return Err(Malformed);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Malformed)?;
        let text = text.strip_suffix('\n').map_or(text, |t| t.strip_suffix('\r').unwrap_or(t));
        let header = strip_word(text, "authorization:").map(|rest| rest.trim_matches([' ', '\t']));
        let text = header.unwrap_or(text);
        if let Some(rest) = strip_word(text, "bearer ") {
            return bearer(rest.trim_start_matches(' '));
        }
        if let Some(rest) = strip_word(text, "basic ") {
            return basic(rest.trim_start_matches(' '));
        }
        // A header has a scheme; only on its own may a token be bare.
        if header.is_some() { Err(Malformed) } else { bearer(text) }
    }
}

/// Header names and schemes are compared without case (RFC 9110 §5.1, §11.1).
fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

fn bearer(text: &str) -> Result<Presented, Malformed> {
    Ok(Presented { scheme: Scheme::Bearer, token: text.parse().map_err(|_| Malformed)? })
}

fn basic(encoded: &str) -> Result<Presented, Malformed> {
    let decoded = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| Malformed)?);
    let text = std::str::from_utf8(&decoded).map_err(|_| Malformed)?;
    let (user, token) = text.split_once(':').ok_or(Malformed)?;
    let usable = !is_blank(user) && user.chars().count() <= 255 && !user.contains(is_hidden);
    if !usable {
        return Err(Malformed);
    }
    Ok(Presented {
        scheme: Scheme::Basic { user: user.to_owned() },
        token: token.parse().map_err(|_| Malformed)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "patctl_7k3m9xq2v8_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123453X9qJF";

    fn scheme(text: &str) -> Option<Scheme> {
        Presented::parse(text.as_bytes()).ok().map(|p| p.scheme)
    }

    #[test]
    fn every_way_to_write_a_bearer_token_is_read() {
        for form in ["", "Bearer ", "bearer  ", "Authorization: Bearer ", "AUTHORIZATION:BEARER "] {
            for end in ["", "\n", "\r\n"] {
                assert_eq!(scheme(&format!("{form}{TOKEN}{end}")), Some(Scheme::Bearer), "{form}{end:?}");
            }
        }
    }

    #[test]
    fn basic_carries_a_user_before_the_first_colon() {
        let form = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        let alice = Some(Scheme::Basic { user: "alice".to_owned() });
        assert_eq!(scheme(&form(&format!("alice:{TOKEN}"))), alice);
        for odd in [
            format!(":{TOKEN}"),
            format!(" :{TOKEN}"),
            format!("\u{200b}root:{TOKEN}"),
            format!("alice::{TOKEN}"),
            format!("alice:{TOKEN}:"),
            format!("a\u{7}:{TOKEN}"),
            TOKEN.to_owned(),
            "alice:".to_owned(),
            format!("{}:{TOKEN}", "é".repeat(256)),
        ] {
            assert_eq!(scheme(&form(&odd)), None, "{odd:?}");
        }
    }

    #[test]
    fn the_pair_that_is_made_for_basic_is_read_back() {
        let token: PlainToken = TOKEN.parse().expect("a token");
        let header = format!("Basic {}", &*basic_credentials("alice", &token));
        let read = Presented::parse(header.as_bytes()).expect("what was just made");
        assert_eq!(read.scheme, Scheme::Basic { user: "alice".to_owned() });
        assert_eq!(read.token.reveal(), TOKEN);
    }

    #[test]
    fn a_header_is_read_up_to_its_last_byte_allowed() {
        let header = |length: usize| format!("Bearer{}{TOKEN}", " ".repeat(length - 6 - TOKEN.len()));
        assert_eq!(header(MAX_BYTES).len(), MAX_BYTES);
        assert_eq!(scheme(&header(MAX_BYTES)), Some(Scheme::Bearer));
        assert_eq!(scheme(&header(MAX_BYTES + 1)), None);
    }

    #[test]
    fn junk_is_no_token() {
        for junk in [
            String::new(),
            "\n".to_owned(),
            format!("{TOKEN}\n\n"),
            format!("{TOKEN}\r"),
            format!(" {TOKEN}"),
            format!("{TOKEN} {TOKEN}"),
            format!("{TOKEN}\n{TOKEN}"),
            format!("{TOKEN}\0"),
            "Bearer".to_owned(),
            "Basic !!!".to_owned(),
            format!("Digest {TOKEN}"),
            format!("Authorization: {TOKEN}"),
        ] {
            assert_eq!(scheme(&junk), None, "{junk:?}");
        }
        assert!(Presented::parse(&[0xff, 0xfe]).is_err());
        assert!(Presented::parse(&[b'a'; MAX_BYTES + 1]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Presented::parse(&bytes);
        }
    }

    #[test]
    fn one_byte_more_than_is_read_is_no_token_however_well_it_is_made() {
        let token = TOKEN.parse().expect("a token");
        let longest = |letter: &str| {
            let credentials = basic_credentials(&letter.repeat(255), &token);
            format!("Basic {}", credentials.as_str())
        };
        assert!(longest("é").len() <= MAX_BYTES && longest("漢").len() > MAX_BYTES);
        assert!(scheme(&longest("é")).is_some());
        assert_eq!(scheme(&longest("漢")), None);
    }
}
