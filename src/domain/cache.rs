//! The auth cache: that a secret was right a while ago, so that Argon2 need not be asked again.
//!
//! It replaces this one computation and nothing else: state, expiry and restrictions are read anew at
//! every use. An entry is an HMAC-SHA-256 (RFC 2104) under a random key that is kept outside the
//! database. It covers the whole token, the stored verifier and the moment, so that it vouches for no
//! other secret, for none whose verifier has changed since, and not for longer than it was meant to.

use super::dice::Dice;
use super::integrity::Sealer;
use super::moment::{Moment, Span};
use super::token::PlainToken;
use super::verifier::Verifier;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a key, and of a digest.
pub const BYTES: usize = 32;

/// The key of a cache. It is wiped when dropped, and `Debug` says nothing.
pub struct CacheKey(Zeroizing<[u8; BYTES]>);

/// What is remembered of a secret that was right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proved {
    /// The keyed digest.
    pub digest: [u8; BYTES],
    /// When Argon2 said yes.
    pub at: Moment,
}

/// `atlassian.pats.auth.cache.*`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheLimits {
    /// How long an entry vouches; zero: there is no cache.
    pub expiry: Span,
    /// How many entries there are at most; zero: there is no cache.
    pub max_items: u32,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { expiry: Span::minutes(60), max_items: 5000 }
    }
}

impl CacheLimits {
    /// Whether there is a cache at all.
    #[must_use]
    pub fn on(self) -> bool {
        self.expiry.as_seconds() > 0 && self.max_items > 0
    }

    /// Whether something proved at `at` still counts at `now`. A proof from the future does not: the
    /// clock was wrong then, or is now.
    #[must_use]
    pub fn fresh(self, at: Moment, now: Moment) -> bool {
        self.on() && at <= now && now < self.end(at)
    }

    /// From when on something proved at `at` no longer counts.
    #[must_use]
    pub fn end(self, at: Moment) -> Moment {
        at.saturating_plus(self.expiry)
    }
}

impl CacheKey {
    /// A new random key.
    pub fn generate(dice: &mut Dice) -> Self {
        Self(Zeroizing::new(dice.bytes()))
    }

    /// The key in a key file: 32 bytes, not all the same.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key: [u8; BYTES] = bytes.try_into().ok()?;
        // What a file system leaves of a file that was written when the power failed.
        key.iter().any(|byte| *byte != key[0]).then(|| Self(Zeroizing::new(key)))
    }

    /// The key that is used where rows are sealed with a key: who has this one alone can make no entry.
    #[must_use]
    pub fn bound_to(self, sealer: &Sealer) -> Self {
        sealer.derive(self.as_bytes()).map_or(self, Self)
    }

    /// What a key file holds.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The entry for a secret that was right at `at`.
    #[must_use]
    pub fn entry(&self, token: &PlainToken, verifier: &Verifier, at: Moment) -> Proved {
        Proved { digest: self.mac(token, verifier, at).finalize().into_bytes().into(), at }
    }

    /// Whether an entry is one that this key made for this token and this verifier. Compared in constant
    /// time; its age is for [`CacheLimits::fresh`].
    #[must_use]
    pub fn vouches(&self, proved: &Proved, token: &PlainToken, verifier: &Verifier) -> bool {
        self.mac(token, verifier, proved.at).verify_slice(&proved.digest).is_ok()
    }

    /// The one derivation, for making and for looking. Each part is preceded by its length.
    fn mac(&self, token: &PlainToken, verifier: &Verifier, at: Moment) -> Hmac<Sha256> {
        // RFC 2104: a key is filled up with zeros to a block of the hash.
        let mut block = Zeroizing::new([0; 64]);
        block[..BYTES].copy_from_slice(self.as_bytes());
        let mut mac = Hmac::<Sha256>::new(&(*block).into());
        mac.update(b"patctl auth cache 1");
        for part in [token.reveal().as_bytes(), verifier.as_phc().as_bytes(), &at.micros().to_be_bytes()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::TokenPrefix;
    use crate::domain::verifier::Cost;
    use rand::SeedableRng as _;

    const CHEAP: Cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };

    fn now() -> Moment {
        Moment::from_date("2026-11-21").expect("a date")
    }

    #[test]
    fn an_entry_vouches_for_one_token_one_verifier_one_moment_and_one_key() {
        let mut dice = Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(5)));
        let (mine, other) = (
            PlainToken::generate(&TokenPrefix::default(), &mut dice),
            PlainToken::generate(&TokenPrefix::default(), &mut dice),
        );
        let verifier = Verifier::make(&mine, CHEAP, &mut dice).expect("a verifier");
        let again = Verifier::make(&mine, CHEAP, &mut dice).expect("another salt");
        let (key, foreign) = (CacheKey::generate(&mut dice), CacheKey::generate(&mut dice));
        let entry = key.entry(&mine, &verifier, now());
        assert!(key.vouches(&entry, &mine, &verifier));
        assert!(!key.vouches(&entry, &other, &verifier));
        assert!(!key.vouches(&entry, &mine, &again));
        assert!(!foreign.vouches(&entry, &mine, &verifier));
        let later = Proved { at: now().saturating_plus(Span::seconds(1)), ..entry };
        assert!(!key.vouches(&later, &mine, &verifier));
        for bit in 0..BYTES * 8 {
            let mut changed = entry;
            changed.digest[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.vouches(&changed, &mine, &verifier), "bit {bit}");
        }
    }

    #[test]
    fn an_entry_counts_until_it_is_as_old_as_the_property_says_and_never_from_the_future() {
        let limits = CacheLimits { expiry: Span::minutes(60), max_items: 1 };
        let after = |seconds| now().saturating_plus(Span::seconds(seconds));
        assert!(limits.fresh(now(), now()));
        assert!(limits.fresh(now(), after(3599)));
        assert!(!limits.fresh(now(), after(3600)));
        assert!(!limits.fresh(now(), after(-1)));
        for off in
            [CacheLimits { expiry: Span::minutes(0), ..limits }, CacheLimits { max_items: 0, ..limits }]
        {
            assert!(!off.on() && !off.fresh(now(), now()));
        }
    }

    #[test]
    fn a_key_is_32_bytes_that_are_not_all_the_same_and_says_nothing_of_itself() {
        assert!(CacheKey::from_bytes(&[0; BYTES]).is_none());
        assert!(CacheKey::from_bytes(&[7; 31]).is_none());
        let mut bytes = [7; BYTES];
        bytes[3] = 1;
        let key = CacheKey::from_bytes(&bytes).expect("a key");
        assert_eq!(format!("{key:?}"), "CacheKey(..)");
    }
}
