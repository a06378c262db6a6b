//! What is kept of a token: an Argon2id PHC string, from which the secret cannot be had back.

use super::dice::Dice;
use super::token::PlainToken;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::cell::Cell;
use std::fmt;

/// The price of one Argon2id computation (RFC 9106; the default is OWASP's first choice).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// The largest cost that is ever computed, wherever it was read: a hostile database must not be
/// able to order four gigabytes.
pub const CEILING: Cost = Cost { memory_kib: 262_144, iterations: 16, parallelism: 16 };

/// A stored PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`), parsed and bounded.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    phc: String,
    cost: Cost,
}

/// A stored verifier is not an Argon2id PHC string, or costs more than [`CEILING`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VerifierError;

impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

impl Cost {
    fn params(self) -> Result<Params, VerifierError> {
        let within = self.memory_kib <= CEILING.memory_kib
            && self.iterations <= CEILING.iterations
            && self.parallelism <= CEILING.parallelism;
        if !within {
            return Err(VerifierError);
        }
        Params::new(self.memory_kib, self.iterations, self.parallelism, None).map_err(|_| VerifierError)
    }
}

thread_local! {
    static COMPUTED: Cell<u64> = const { Cell::new(0) };
}

/// How many Argon2 computations this thread has made: tests show with it that junk costs none.
#[must_use]
pub fn computations() -> u64 {
    COMPUTED.get()
}

fn count() {
    COMPUTED.set(COMPUTED.get().wrapping_add(1));
}

impl Verifier {
    /// Hashes the secret of `token` at `cost` with a fresh 16-byte salt.
    ///
    /// # Errors
    /// [`VerifierError`] if `cost` is outside what Argon2 or [`CEILING`] allow.
    pub fn make(token: &PlainToken, cost: Cost, dice: &mut Dice) -> Result<Self, VerifierError> {
        count();
        let phc = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params()?)
            .hash_password_with_salt(token.secret(), &dice.bytes::<16>())
            .map_err(|_| VerifierError)?;
        Ok(Self { phc: phc.to_string(), cost })
    }

    /// Reads what a database holds.
    ///
    /// # Errors
    /// [`VerifierError`] for anything but a bounded Argon2id PHC string of version 19.
    pub fn parse(phc: &str) -> Result<Self, VerifierError> {
        let parsed = PasswordHash::new(phc).map_err(|_| VerifierError)?;
        let known = parsed.algorithm.as_str() == "argon2id"
            && parsed.version == Some(Version::V0x13.into())
            && parsed.salt.is_some()
            && parsed.hash.as_ref().is_some_and(|hash| hash.len() >= 16);
        let params = Params::try_from(&parsed).map_err(|_| VerifierError)?;
        let cost =
            Cost { memory_kib: params.m_cost(), iterations: params.t_cost(), parallelism: params.p_cost() };
        cost.params()?;
        if !known {
            return Err(VerifierError);
        }
        Ok(Self { phc: phc.to_owned(), cost })
    }

    /// Whether the secret of `token` is the one this was made from. One Argon2 computation, and a
    /// comparison in constant time.
    #[must_use]
    pub fn matches(&self, token: &PlainToken) -> bool {
        count();
        PasswordHash::new(&self.phc)
            .is_ok_and(|stored| Argon2::default().verify_password(token.secret(), &stored).is_ok())
    }

    /// The work of [`Verifier::matches`] for a token that is not known, so that an unknown id takes
    /// as long as a wrong secret.
    pub fn pretend(token: &PlainToken, cost: Cost) {
        count();
        if let Ok(params) = cost.params() {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
            let done = argon2.hash_password_into(token.secret(), &[0; 16], &mut out);
            std::hint::black_box((done.is_ok(), out));
        }
    }

    /// The cost it was made with; another one than today's asks for renewal.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The PHC string, for the store.
    #[must_use]
    pub fn as_phc(&self) -> &str {
        &self.phc
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(argon2id)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::TokenPrefix;
    use rand::SeedableRng;

    fn token(seed: u64) -> (PlainToken, Dice) {
        let mut dice = Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(seed)));
        (PlainToken::generate(&TokenPrefix::default(), &mut dice), dice)
    }

    const CHEAP: Cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };

    #[test]
    fn a_verifier_knows_its_own_secret_and_no_other() {
        let (mine, mut dice) = token(1);
        let (other, _) = token(2);
        let verifier = Verifier::make(&mine, CHEAP, &mut dice).expect("a cheap hash");
        let stored = Verifier::parse(verifier.as_phc()).expect("what was just made");
        assert!(stored.matches(&mine));
        assert!(!stored.matches(&other));
        assert_eq!(stored.cost(), CHEAP);
    }

    #[test]
    fn hostile_phc_strings_are_refused_before_anything_is_computed() {
        let before = computations();
        for phc in [
            "$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=64,t=4000000000,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAA",
            "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "",
            "plain",
        ] {
            assert_eq!(Verifier::parse(phc), Err(VerifierError), "{phc}");
        }
        assert_eq!(computations(), before);
    }

    #[test]
    fn debug_shows_nothing_of_the_hash() {
        let (mine, mut dice) = token(3);
        let verifier = Verifier::make(&mine, CHEAP, &mut dice).expect("a cheap hash");
        assert_eq!(format!("{verifier:?}"), "Verifier(argon2id)");
    }
}
