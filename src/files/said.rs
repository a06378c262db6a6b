//! What the system said, with the name it said it of. The number is kept: it alone tells what passes from what does not.

use nix::errno::Errno;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

/// An error of the system, in more words.
#[derive(Debug)]
struct Told {
    text: String,
    error: io::Error,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

fn told(text: String, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Told { text, error })
}

/// The same error, which says of which file it is.
#[must_use]
pub fn said_of(path: &Path, error: io::Error) -> io::Error {
    told(format!("{}: {error}", path.display()), error)
}

/// The same error, which says what else went wrong because of it.
#[must_use]
pub fn and_left(error: io::Error, left: &io::Error) -> io::Error {
    told(format!("{error}; what was written is good for nothing, and is left behind: remove {left}"), error)
}

/// The same error, which says with whose rights that was tried.
#[must_use]
pub fn with_rights_of(user: u32, error: io::Error) -> io::Error {
    told(format!("{error} (opened with the rights of uid {user}, who could exchange it)"), error)
}

/// Whether the system, or a limit of this process, has nothing left to give: that passes, and is nobody's fault.
#[must_use]
pub fn is_exhaustion(error: &io::Error) -> bool {
    if let Some(number) = error.raw_os_error() {
        let lacks = [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM, Errno::EAGAIN];
        return lacks.contains(&Errno::from_raw(number));
    }
    // What the library says of memory has no number.
    let within =
        error.get_ref().and_then(|error| error.source()).and_then(<dyn Error>::downcast_ref::<io::Error>);
    error.kind() == io::ErrorKind::OutOfMemory || within.is_some_and(is_exhaustion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_hides_no_lack() {
        let said = |errno: Errno| io::Error::from_raw_os_error(errno as i32);
        for errno in [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM, Errno::EAGAIN] {
            let error = said_of(Path::new("a"), said_of(Path::new("b"), said(errno)));
            assert!(is_exhaustion(&said(errno)) && is_exhaustion(&error), "{errno}");
            assert_eq!(error.to_string(), format!("a: b: {}", said(errno)));
        }
        assert!(is_exhaustion(&io::ErrorKind::OutOfMemory.into()));
        for error in [said(Errno::ENOENT), said(Errno::ENOSPC), io::Error::other("x")] {
            assert!(!is_exhaustion(&said_of(Path::new("a"), error)));
        }
    }
}
