//! Randomness, passed in: the system's source in the program, a seeded one in tests.

use rand::distr::{Alphanumeric, Distribution};
use rand::rand_core::UnwrapErr;
use rand::{CryptoRng, Rng};

/// What a run may throw. Ids, secrets and salts come from here and from nowhere else.
pub struct Dice(Box<dyn CryptoRng>);

impl Dice {
    /// The operating system's source (`getrandom(2)`). Without one there can be no token: the
    /// process stops rather than issue a guessable secret.
    #[must_use]
    pub fn system() -> Self {
        Self(Box::new(UnwrapErr(rand::rngs::SysRng)))
    }

    /// A given source; tests pass a seeded one.
    #[must_use]
    pub fn new(source: Box<dyn CryptoRng>) -> Self {
        Self(source)
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// One character drawn evenly from `A-Z a-z 0-9` (rejection sampling, no bias).
    pub fn base62(&mut self) -> char {
        char::from(Alphanumeric.sample(&mut *self.0))
    }
}

impl std::fmt::Debug for Dice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dice(..)")
    }
}
