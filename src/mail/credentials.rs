//! The name and the password for a mail server, from a file of its own: never from the command line,
//! the environment or the configuration, which more people may read.

use crate::files::{self, ReadError};
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// More than any of them has.
const MOST: usize = 1024;

/// Who patctl is to the mail server.
#[derive(Clone)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// The file cannot be used.
#[derive(Debug)]
pub enum CredentialsError {
    /// It cannot be read.
    Io(io::Error),
    /// Others can read or write it: its mode.
    Exposed(u32),
    /// It is not one line `user:password`.
    Shape,
}

impl Credentials {
    /// Reads `user:password`, one line; the password may hold colons.
    ///
    /// # Errors
    /// [`CredentialsError`]; none of them says what the file holds.
    pub fn read(path: &Path) -> Result<Self, CredentialsError> {
        let bytes =
            files::private(path, files::me(), MOST).map(Zeroizing::new).map_err(|error| match error {
                ReadError::Io(e) => CredentialsError::Io(e),
                ReadError::Exposed(mode) => CredentialsError::Exposed(mode),
                ReadError::TooLong => CredentialsError::Shape,
                other => CredentialsError::Io(io::Error::other(other.to_string())),
            })?;
        let text = std::str::from_utf8(&bytes).map_err(|_| CredentialsError::Shape)?;
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        match line.split_once(':') {
            Some((user, password))
                if !user.is_empty() && !password.is_empty() && !line.contains(char::is_control) =>
            {
                Ok(Self { user: user.to_owned(), password: Zeroizing::new(password.to_owned()) })
            }
            _ => Err(CredentialsError::Shape),
        }
    }
}
