//! The vault: secrets of standard-mode tokens, sealed so that they can be shown again.
//!
//! Only where a key file is configured. Each is sealed with XChaCha20-Poly1305 under that key, a random
//! nonce of 24 bytes before it, and bound to its database and its token: a sealed secret that is
//! copied to another row or another database does not open.

use super::dice::Dice;
use super::key_file::{self, KeyBytes, KeyError};
use super::token::{PlainToken, TokenId};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use std::fmt;
use zeroize::Zeroizing;

const NONCE: usize = 24;

/// The key of a vault: 256 bits. It is wiped when dropped, and `Debug` says nothing.
#[derive(Clone)]
pub struct VaultKey(KeyBytes);

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(..)")
    }
}

/// A sealed secret does not open: another key, another database, another token, or changed bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealError;

impl VaultKey {
    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        key_file::parse(bytes).map(Self)
    }

    /// Seals a token for its row in the database `database`.
    #[must_use]
    pub fn seal(&self, token: &PlainToken, database: &str, dice: &mut Dice) -> Vec<u8> {
        let nonce = dice.bytes::<NONCE>();
        let bound = bound(database, token.id());
        let payload = Payload { msg: token.reveal().as_bytes(), aad: bound.as_bytes() };
        let mut sealed = nonce.to_vec();
        // Fails only for messages of 256 GiB; then nothing is kept, and nothing opens.
        sealed.extend(self.cipher().encrypt(&XNonce::from(nonce), payload).unwrap_or_default());
        sealed
    }

    /// Opens what was sealed for this row of this database.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn open(&self, sealed: &[u8], database: &str, id: TokenId) -> Result<PlainToken, SealError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(SealError)?;
        let bound = bound(database, id);
        let payload = Payload { msg: rest, aad: bound.as_bytes() };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError)?;
        let opened = Zeroizing::new(opened);
        let text = std::str::from_utf8(&opened).map_err(|_| SealError)?;
        text.parse().map_err(|_| SealError)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

fn bound(database: &str, id: TokenId) -> String {
    format!("patctl vault 1\n{database}\n{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key_file::KEY;
    use crate::domain::token::TokenPrefix;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rand::SeedableRng as _;

    fn dice() -> Dice {
        Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(3)))
    }

    fn key(byte: u8) -> VaultKey {
        let mut bytes = [byte; KEY];
        bytes[0] = 7;
        VaultKey::parse(STANDARD.encode(bytes).as_bytes()).expect("a key")
    }

    #[test]
    fn what_is_sealed_opens_for_its_key_its_database_and_its_token_only() {
        let mut dice = dice();
        let token = PlainToken::generate(&TokenPrefix::default(), &mut dice);
        let other = PlainToken::generate(&TokenPrefix::default(), &mut dice);
        let sealed = key(1).seal(&token, "db", &mut dice);
        let text = |opened: Result<PlainToken, SealError>| opened.map(|token| token.reveal().to_owned());
        assert_eq!(text(key(1).open(&sealed, "db", token.id())), Ok(token.reveal().to_owned()));
        assert_eq!(text(key(2).open(&sealed, "db", token.id())), Err(SealError));
        assert_eq!(text(key(1).open(&sealed, "other", token.id())), Err(SealError));
        assert_eq!(text(key(1).open(&sealed, "db", other.id())), Err(SealError));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(text(key(1).open(&changed, "db", token.id())), Err(SealError), "byte {at}");
            assert_eq!(text(key(1).open(&sealed[..at], "db", token.id())), Err(SealError), "cut at {at}");
        }
        assert_ne!(sealed, key(1).seal(&token, "db", &mut dice), "a nonce of its own");
    }

    #[test]
    fn a_key_is_32_bytes_in_base64_and_not_a_placeholder() {
        for bad in
            [&b""[..], b"secret", &[b'A'; 44], &[0; 32], b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="]
        {
            assert!(VaultKey::parse(bad).is_err(), "{bad:?}");
        }
        assert!(VaultKey::parse(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").is_ok());
        assert_eq!(format!("{:?}", key(9)), "VaultKey(..)");
    }
}
