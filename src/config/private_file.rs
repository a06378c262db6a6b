//! Files with a secret in them: keys and credentials. Only their owner may read them.

use crate::files::{self, ReadError};
use std::path::Path;
use zeroize::Zeroizing;

/// The most bytes of a secret that are read.
const MAX_BYTES: usize = 4096;

/// Reads a file of at most 4 KiB that nobody but its owner can read or write, and that belongs to `euid` or root, as
/// does every directory that leads to it.
///
/// # Errors
/// What is wrong with it, in words that say what to do.
pub fn read(path: &Path, euid: u32) -> Result<Zeroizing<Vec<u8>>, String> {
    files::private(path, euid, MAX_BYTES).map(Zeroizing::new).map_err(|error| match error {
        ReadError::TooLong => "it is larger than 4 KiB; this is no key".to_owned(),
        other => other.to_string(),
    })
}
