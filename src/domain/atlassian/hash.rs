//! The hash that Jira and Confluence keep of a token: `{PKCS5S2}` and Base64 of a salt of 16 bytes and
//! 32 bytes of PBKDF2-HMAC-SHA-1 at 10,000 iterations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use std::fmt;
use subtle::ConstantTimeEq as _;

const ITERATIONS: u32 = 10_000;
const SALT: usize = 16;
const KEY: usize = 32;
/// Base64 of salt and key: a whole number of groups, so that there is one way to write it.
const ENCODED: usize = (SALT + KEY) / 3 * 4;
/// How it begins there.
const THEIRS: &str = "{PKCS5S2}";
/// How it begins in this database, where every verifier begins with `$`.
const OURS: &str = "$pkcs5s2$";

/// A hash of that kind.
#[derive(Clone, PartialEq, Eq)]
pub struct Pkcs5s2 {
    salt: [u8; SALT],
    key: [u8; KEY],
}

/// The text is no hash of that kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAHash;

impl Pkcs5s2 {
    /// Reads what stands in the column `HASHED_TOKEN`.
    ///
    /// # Errors
    /// [`NotAHash`]
    pub fn parse(text: &str) -> Result<Self, NotAHash> {
        Self::after(THEIRS, text)
    }

    /// Reads what stands in this database.
    ///
    /// # Errors
    /// [`NotAHash`]
    pub fn stored(text: &str) -> Result<Self, NotAHash> {
        Self::after(OURS, text)
    }

    fn after(prefix: &str, text: &str) -> Result<Self, NotAHash> {
        let encoded = text.strip_prefix(prefix).filter(|rest| rest.len() == ENCODED).ok_or(NotAHash)?;
        let mut bytes = [0; SALT + KEY];
        let written = STANDARD.decode_slice(encoded, &mut bytes).map_err(|_| NotAHash)?;
        if written != bytes.len() {
            return Err(NotAHash);
        }
        let (mut salt, mut key) = ([0; SALT], [0; KEY]);
        salt.copy_from_slice(&bytes[..SALT]);
        key.copy_from_slice(&bytes[SALT..]);
        Ok(Self { salt, key })
    }

    /// As it is kept in this database.
    #[must_use]
    pub fn to_stored(&self) -> String {
        self.written(OURS)
    }

    /// As it stands in the column `HASHED_TOKEN`.
    #[must_use]
    pub fn to_theirs(&self) -> String {
        self.written(THEIRS)
    }

    fn written(&self, prefix: &str) -> String {
        let mut text = prefix.to_owned();
        STANDARD.encode_string([&self.salt[..], &self.key].concat(), &mut text);
        text
    }

    /// Whether it was made of this text; compared in constant time.
    #[must_use]
    pub fn matches(&self, secret: &[u8]) -> bool {
        derive(secret, self.salt).ct_eq(&self.key).into()
    }

    /// The work of [`Pkcs5s2::matches`], for nothing.
    pub fn pretend(secret: &[u8]) {
        std::hint::black_box(derive(secret, [0; SALT]));
    }
}

fn derive(secret: &[u8], salt: [u8; SALT]) -> [u8; KEY] {
    pbkdf2::pbkdf2_hmac_array::<Sha1, KEY>(secret, &salt, ITERATIONS)
}

impl fmt::Debug for Pkcs5s2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pkcs5s2(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::atlassian::raw;

    /// Tokens and their hashes, as the original makes them.
    const VECTORS: [(&str, &str); 3] = [
        (
            "MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERIT",
            "{PKCS5S2}AAECAwQFBgcICQoLDA0OD/PBpAOuFWLos9KzKMEsuo6+lmt8Jy3BkstFq0+N+OpN",
        ),
        (
            "MDAwMDAwMDAwMDAwOv//////////////////////////",
            "{PKCS5S2}AAAAAAAAAAAAAAAAAAAAACoM0Eex6ffK+XvwYTe/C7nYgQ4CzNSURm2UNmIiCz9w",
        ),
        (
            "OTk5OTk5OTk5OTk5Ovv7+/v7+/v7+/v7+/v7+/v7+/v7",
            "{PKCS5S2}paWlpaWlpaWlpaWlpaWlpZ4RqsxxCkXgaKyA+ACZiZuq6zdtngsIFcwvBl2d/o+L",
        ),
    ];

    #[test]
    fn each_vector_knows_its_own_secret_and_no_other() {
        for (token, hash) in VECTORS {
            let hash = Pkcs5s2::parse(hash).expect("a hash");
            for (other, _) in VECTORS {
                let (_, secret) = raw::read(other).expect("a token");
                assert_eq!(hash.matches(secret.as_bytes()), other == token, "{token} {other}");
            }
            assert_eq!(Pkcs5s2::stored(&hash.to_stored()), Ok(hash.clone()));
            assert_eq!(Pkcs5s2::parse(&hash.to_theirs()), Ok(hash));
        }
    }

    /// The encoder alone, on a plain password.
    #[test]
    fn a_password_hash_of_the_original_matches() {
        let hash = "{PKCS5S2}TzwIctDE2RJIQfT+O473W5+qhSAyof1Kz+hfe2kvAcnDe2uVzdp/ymw5V7mHH+Zv";
        let hash = Pkcs5s2::parse(hash).expect("a hash");
        assert!(hash.matches(b"secret") && !hash.matches(b"Secret"));
    }

    #[test]
    fn what_is_no_hash_is_refused_and_debug_shows_nothing() {
        let whole = VECTORS[0].1;
        for text in [
            "",
            "{PKCS5S2}",
            &whole[1..],
            &whole[..whole.len() - 1],
            &format!("{whole}A"),
            &format!("{}=", &whole[..whole.len() - 1]),
            &whole.replace('/', "_"),
            &whole.replace("{PKCS5S2}", "{SSHA}"),
            &whole.replace("{PKCS5S2}", "$pkcs5s2$"),
        ] {
            assert_eq!(Pkcs5s2::parse(text), Err(NotAHash), "{text}");
        }
        assert_eq!(format!("{:?}", Pkcs5s2::parse(whole).expect("a hash")), "Pkcs5s2(..)");
    }
}
