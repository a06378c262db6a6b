//! Files with a secret in them: keys and credentials. Only their owner may read them.

use crate::files::{self, ReadError};
use std::fs::File;
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// The most bytes of a secret that are read.
const MAX_BYTES: usize = 4096;

/// Why a file with a secret cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unusable {
    /// In words that say what to do.
    pub why: String,
    /// Whether the system only had too little left to read it, which passes.
    pub passes: bool,
}

impl From<String> for Unusable {
    fn from(why: String) -> Self {
        Self { why, passes: false }
    }
}

impl From<&str> for Unusable {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self { passes: files::is_exhaustion(&error), why: error.to_string() }
    }
}

impl Unusable {
    /// The same of a file that is not there, and cannot be made.
    #[must_use]
    pub fn unmade(self) -> Self {
        Self { why: format!("it is not there, and cannot be made: {}", self.why), ..self }
    }
}

/// Reads a file of at most 4 KiB that nobody but its owner can read or write, and that belongs to `euid` or root, as
/// does every directory that leads to it.
///
/// # Errors
/// What is wrong with it.
pub fn read(path: &Path, euid: u32) -> Result<Zeroizing<Vec<u8>>, Unusable> {
    files::private(path, euid, MAX_BYTES).map(Zeroizing::new).map_err(unusable)
}

/// The same of a file that was opened, and that nobody else can exchange.
///
/// # Errors
/// What is wrong with it.
pub fn from(file: &File, euid: u32) -> Result<Zeroizing<Vec<u8>>, Unusable> {
    files::secret(file, euid, MAX_BYTES).map(Zeroizing::new).map_err(unusable)
}

fn unusable(error: ReadError) -> Unusable {
    match error {
        ReadError::Io(error) => error.into(),
        ReadError::TooLong => "it is larger than 4 KiB; this is no key".into(),
        other => other.to_string().into(),
    }
}
