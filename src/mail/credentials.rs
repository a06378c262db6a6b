//! The name and the password for a mail server, from a file of its own: never from the command line,
//! the environment or the configuration, which more people may read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// More than any of them has.
const MOST: u64 = 1024;

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
        let io = CredentialsError::Io;
        // Asked before it is opened: opening a FIFO would wait for a writer.
        check(&fs::metadata(path).map_err(io)?)?;
        let file = File::open(path).map_err(io)?;
        check(&file.metadata().map_err(io)?)?;
        let mut text = Zeroizing::new(String::with_capacity(usize::try_from(MOST).unwrap_or_default() + 1));
        file.take(MOST + 1).read_to_string(&mut text).map_err(io)?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        match line.split_once(':') {
            Some((user, password))
                if !user.is_empty()
                    && !password.is_empty()
                    && text.len() as u64 <= MOST
                    && !line.contains(char::is_control) =>
            {
                Ok(Self { user: user.to_owned(), password: Zeroizing::new(password.to_owned()) })
            }
            _ => Err(CredentialsError::Shape),
        }
    }
}

fn check(file: &fs::Metadata) -> Result<(), CredentialsError> {
    if !file.is_file() {
        return Err(CredentialsError::Io(io::Error::other("it is not a regular file")));
    }
    match file.mode() & 0o777 {
        mode if mode & 0o077 != 0 => Err(CredentialsError::Exposed(mode)),
        _ => Ok(()),
    }
}
