//! Giving a new secret to its holder, before the transaction commits.

use crate::files::{NewFile, and_left, said_of};
use crate::world::Output;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a reader of stdout may take to make room in all, while the write lock is held.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a pipe takes without blocking once it says that it is writable (`PIPE_BUF` on Linux).
const PIECE: usize = 4096;

/// Writes `bytes` to stdout and sees them off.
///
/// # Errors
/// Nobody takes them: stdout is closed, full, its reader gone or asleep.
pub fn to_stdout(out: &mut dyn Output, bytes: &[u8]) -> io::Result<()> {
    if out.is_closed() {
        return Err(io::Error::new(io::ErrorKind::BrokenPipe, "stdout is closed"));
    }
    let begun = Instant::now();
    for piece in bytes.chunks(PIECE) {
        if !out.wait_writable(PATIENCE.saturating_sub(begun.elapsed()))? {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "nothing reads stdout"));
        }
        out.write_all(piece)?;
        out.flush()?;
    }
    Ok(())
}

/// Writes `bytes` into a new file that only its owner can read, and onto the disk. Answers the file, which is to be
/// taken back when the commit fails after all.
///
/// # Errors
/// The file exists already, or cannot be written; then it is not left behind.
pub fn to_file(path: &Path, bytes: &[u8]) -> io::Result<NewFile> {
    let mut new = NewFile::make(path, 0o600).map_err(|e| said_of(path, e))?;
    // The name is durable only when its directory is.
    match new.file.write_all(bytes).and_then(|()| new.sync()) {
        Ok(()) => Ok(new),
        Err(e) => {
            let e = said_of(path, e);
            Err(match new.take_back() {
                Ok(()) => e,
                Err(left) => and_left(e, &left),
            })
        }
    }
}
