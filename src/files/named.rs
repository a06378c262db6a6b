//! Reading a file that the caller named, and not waiting for ever for what nobody writes.

use super::route::Route;
use super::said::with_rights_of;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::geteuid;
use std::fs::{File, FileType, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a pipe may take until somebody writes to it, and between what is written.
const PATIENCE: Duration = Duration::from_secs(10);

/// A file that was named in an argument, open to be read.
#[derive(Debug)]
pub struct Named {
    file: File,
    kind: FileType,
    length: u64,
}

/// Opens what an argument names: a file, a device, or a pipe, as `<(…)` and `mkfifo` make one. A link is followed:
/// whoever names it means what is behind it. For root it is opened with the rights of whoever could exchange it.
///
/// # Errors
/// What the system said.
pub fn named(path: &Path) -> io::Result<Named> {
    as_its_owner(path, || open(path))
}

/// Opens or looks at what an argument names, with the rights that fit.
///
/// # Errors
/// What the system said, and with whose rights.
pub fn as_its_owner<T>(path: &Path, deed: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let rights = Route::rights_to_read(path, geteuid().as_raw())?;
    rights.within(deed)?.map_err(|error| match rights.user() {
        Some(user) if error.kind() == io::ErrorKind::PermissionDenied => with_rights_of(user, error),
        _ => error,
    })
}

fn open(path: &Path) -> io::Result<Named> {
    // To open a pipe would wait for who writes to it, and a line for who is called.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() && !found.file_type().is_fifo() {
        // At a terminal sits somebody who thinks as long as they like.
        let flags = OFlag::from_bits_retain(fcntl(&file, FcntlArg::F_GETFL)?) & !OFlag::O_NONBLOCK;
        fcntl(&file, FcntlArg::F_SETFL(flags))?;
    }
    Ok(Named { file, kind: found.file_type(), length: found.len() })
}

impl Named {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> FileType {
        self.kind
    }

    /// How long it is, as far as the system says.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The file, where it is a regular one.
    ///
    /// # Errors
    /// It is none, and itself.
    pub fn regular(self) -> Result<File, Self> {
        if self.kind.is_file() { Ok(self.file) } else { Err(self) }
    }

    /// Waits until there is something to read, or the end.
    fn wait(&self, until: Instant) -> io::Result<bool> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            match poll(&mut [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)], left) {
                Err(Errno::EINTR) => {}
                polled => return Ok(polled? > 0),
            }
        }
    }
}

impl Read for Named {
    /// Of a pipe: an error where nothing came for ten seconds.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.kind.is_fifo() {
            return self.file.read(into);
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let came = self.wait(until)?;
            match self.file.read(into) {
                // Nobody has it open to write, or nobody any more.
                Ok(0) if !came => return Err(silent("nobody opened this pipe to write to it")),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && !came => {
                    return Err(silent("nothing was written to this pipe"));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }
}

fn silent(what: &str) -> io::Error {
    let why = format!("{what} for {} seconds; write to a file first, and name that", PATIENCE.as_secs());
    io::Error::new(io::ErrorKind::TimedOut, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use std::io::Write;
    use std::os::unix::fs::symlink;
    use std::thread;

    fn read(path: &Path) -> io::Result<String> {
        let mut text = String::new();
        named(path)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_pipe_is_read_to_its_end_however_slowly_it_is_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let (pipe, link) = (dir.path().join("pipe"), dir.path().join("link"));
        nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).expect("a pipe");
        symlink("pipe", &link).expect("a link");
        for pieces in [0, 1, 3] {
            let text = thread::scope(|scope| {
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(100));
                    let mut writer = OpenOptions::new().write(true).open(&pipe).expect("a reader");
                    for _ in 0..pieces {
                        thread::sleep(Duration::from_millis(100));
                        writer.write_all(b"piece\n").expect("a reader");
                    }
                });
                read(&link).expect("it")
            });
            assert_eq!(text, "piece\n".repeat(pieces));
        }
    }

    #[test]
    fn what_the_system_says_is_handed_on_and_devices_are_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let plain = dir.path().join("plain");
        std::fs::write(&plain, "text").expect("a file");
        assert_eq!(read(&plain).expect("it"), "text");
        assert_eq!(read(Path::new("/dev/null")).expect("it"), "");
        let number = |path: &Path| read(path).expect_err("an error").raw_os_error();
        assert_eq!(number(&dir.path().join("nowhere")), Some(Errno::ENOENT as i32));
        assert_eq!(number(dir.path()), Some(Errno::EISDIR as i32));
        let device = named(Path::new("/dev/zero")).expect("it").file;
        let flags = OFlag::from_bits_retain(fcntl(&device, FcntlArg::F_GETFL).expect("flags"));
        assert!(!flags.contains(OFlag::O_NONBLOCK), "a terminal would have nothing to say");
    }
}
