//! Whether the files that are open still are those that their paths name. They may have been moved away, removed, or
//! replaced by others, and a process that lives long must not go on asking a database that nobody else knows.

use super::{Result, SqliteStore, failed, open, place};
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

/// Which file it is: device and inode.
type Identity = (u64, u64);

/// What SQLite keeps beside the file. Whoever opens the database when these are gone makes new ones, and what is
/// written to them is never seen by who has the old ones open.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// A name as it was given, the file that it named before that was opened, and what stands beside it.
pub struct Named {
    given: PathBuf,
    file: Option<Identity>,
    beside: [Option<Identity>; 2],
}

/// How much of what is open is there no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replaced {
    /// Another file is at the path.
    File,
    /// The file is the same, and the log beside it another one, or none.
    Log,
}

impl Named {
    /// What `path` names now. Looked at before the file is opened: where it is exchanged in between, what is open
    /// counts as replaced.
    pub fn by(path: &Path) -> Self {
        Self { given: path.to_owned(), file: identity(path).ok(), beside: beside(path) }
    }

    /// Notes what opening it put beside it. What stood there before counts on: it may be exchanged by now.
    pub fn opened(mut self) -> Self {
        for (before, now) in self.beside.iter_mut().zip(beside(&self.given)) {
            *before = before.or(now);
        }
        self
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}

fn beside(path: &Path) -> [Option<Identity>; 2] {
    BESIDE.map(|suffix| identity(&open::companion(path, suffix)).ok())
}

impl SqliteStore {
    /// Whether what is open is not what is at its path any more.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is nothing.
    pub fn replaced(&self) -> Result<Option<Replaced>> {
        match identity(&self.named.given) {
            Ok(file) if Some(file) != self.named.file => Ok(Some(Replaced::File)),
            Ok(_) if beside(&self.named.given) != self.named.beside => Ok(Some(Replaced::Log)),
            Ok(_) => Ok(None),
            Err(e) if place::absent(&e) => Err(StoreError::Missing(self.named.given.clone())),
            Err(e) => Err(open::io_error(&self.named.given, &e)),
        }
    }

    /// What changes with the schema: it was checked when the file was opened, and may be another by now.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn schema_marks(&self) -> Result<(i64, i64)> {
        let read = |name| self.db.pragma_query_value(None, name, |row| row.get(0)).map_err(failed);
        Ok((read("schema_version")?, read("user_version")?))
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
fn is_open_here(file: Identity) -> io::Result<bool> {
    let open = match fs::read_dir("/proc/self/fd") {
        Err(lack) if is_exhaustion(&lack) => return Err(lack),
        open => open.into_iter().flatten(),
    };
    let mut open = open.flatten();
    Ok(open.any(|entry| fs::metadata(entry.path()).is_ok_and(|open| (open.dev(), open.ino()) == file)))
}
