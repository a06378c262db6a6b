//! Whether the file that is open still is the one that its path names. It may have been moved away, removed, or replaced
//! by another one, and a process that lives long must not go on asking a database that nobody else knows.

use super::{Result, SqliteStore, open, place};
use crate::files::is_exhaustion;
use crate::store::StoreError;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// How often it is looked whether the log of a replaced database is gone, and how long apart.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// A name as it was given, and the file that it named before that was opened.
pub struct Named {
    given: PathBuf,
    file: Option<(u64, u64)>,
}

impl Named {
    /// What `path` names now. Looked at before the file is opened: where it is exchanged in between, what is open
    /// counts as replaced.
    pub fn by(path: &Path) -> Self {
        Self { given: path.to_owned(), file: identity(path).ok() }
    }
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}

impl SqliteStore {
    /// Whether the file that is open still is the one at its path; false: another one is there.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none.
    pub fn is_in_place(&self) -> Result<bool> {
        match identity(&self.named.given) {
            Ok(file) => Ok(Some(file) == self.named.file),
            Err(e) if place::absent(&e) => Err(StoreError::Missing(self.named.given.clone())),
            Err(e) => Err(open::io_error(&self.named.given, &e)),
        }
    }

    /// Waits until the log beside the file at the path is no longer that of the file that is open: SQLite would play
    /// it into the new one.
    ///
    /// # Errors
    /// [`StoreError::Unsafe`] when it stays.
    pub fn wait_for_its_log_to_go(&self) -> Result<()> {
        let log = open::companion(&self.path, "-wal");
        for _ in 0..LOOKS {
            let is_open = match identity(&log) {
                Ok(log) => is_open_here(log).map_err(|e| open::io_error(&self.path, &e))?,
                Err(e) if place::absent(&e) => false,
                Err(e) => return Err(open::io_error(&log, &e)),
            };
            if !is_open {
                return Ok(());
            }
            sleep(PAUSE);
        }
        let why = "it is the log of the database that was replaced; remove it, with the -shm file".to_owned();
        Err(StoreError::Unsafe { path: log, why })
    }
}

/// Whether this process has a file open.
///
/// # Errors
/// The system has too little left to tell. Where there is no `/proc`, the log is the one that was left.
fn is_open_here(file: (u64, u64)) -> io::Result<bool> {
    let open = match fs::read_dir("/proc/self/fd") {
        Err(lack) if is_exhaustion(&lack) => return Err(lack),
        open => open.into_iter().flatten(),
    };
    let mut open = open.flatten();
    Ok(open.any(|entry| fs::metadata(entry.path()).is_ok_and(|open| (open.dev(), open.ino()) == file)))
}
