//! Putting a new database in the place of a damaged one, which is moved aside with its log.

use super::Result;
use super::open::{absent, companion, io_error};
use crate::store::StoreError;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::fs;
use std::path::{Path, PathBuf};

/// Whether a write-ahead log lies where the database it belongs to is gone.
pub fn has_stray_log(path: &Path) -> bool {
    let log = fs::symlink_metadata(companion(path, "-wal")).is_ok_and(|log| log.len() > 0);
    log && fs::symlink_metadata(path).is_err_and(|e| absent(&e))
}

/// Refuses to create a database beside such a log.
pub fn refuse_stray_log(path: &Path) -> Result<()> {
    if !has_stray_log(path) {
        return Ok(());
    }
    let why = "it is the log of a database that is gone, and would be played into a new one; move it away, or \
               restore a backup, which moves it";
    Err(StoreError::Unsafe { path: companion(path, "-wal"), why: why.to_owned() })
}

/// Moves a database and what lies beside it to a new name, which ends in `ending`.
pub fn move_aside(path: &Path, ending: &str) -> Result<PathBuf> {
    for number in 1.. {
        let name = if number == 1 { format!(".{ending}") } else { format!(".{ending}-{number}") };
        let aside = companion(path, &name);
        match renameat2(AT_FDCWD, path, AT_FDCWD, &aside, RenameFlags::RENAME_NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EEXIST) => continue,
            Err(Errno::EINVAL | Errno::ENOSYS) if !aside.exists() => {
                fs::rename(path, &aside).map_err(|e| io_error(path, &e))?;
            }
            // Only its log is left.
            Err(Errno::ENOENT) if companion(path, "-wal").exists() && !companion(&aside, "-wal").exists() => {
            }
            Err(errno) => return Err(io_error(path, &errno.into())),
        }
        for suffix in ["-wal", "-shm", "-journal"] {
            let from = companion(path, suffix);
            if fs::symlink_metadata(&from).is_ok() {
                fs::rename(&from, companion(&aside, suffix)).map_err(|e| io_error(&from, &e))?;
            }
        }
        return Ok(aside);
    }
    Err(StoreError::Busy)
}
