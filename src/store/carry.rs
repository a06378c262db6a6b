//! Tokens that were exported without what proves their secrets.

use super::contract::Result;
use crate::domain::pat::Pat;

/// The part of a transaction that takes them in.
pub trait Carry {
    /// Adds a token as it was, without a verifier: no use of it is allowed until a successor takes its place.
    /// False when the id is taken, or of one that was ended here.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn carry(&mut self, pat: &Pat, rules: &[String]) -> Result<bool>;
}
