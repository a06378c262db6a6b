//! Putting a new database in the place of a damaged one, which is moved aside with its log.

use super::Result;
use super::open::{absent, companion, io_error};
use crate::files::{self, Directory};
use crate::store::StoreError;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What may lie beside a database.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

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

/// Moves a database and what lies beside it to a new name in the same directory, which ends in `ending`.
pub fn move_aside(path: &Path, ending: &str) -> Result<PathBuf> {
    let error = |e: io::Error| io_error(path, &e);
    // Opened once: all of it is moved within one directory, and to no other.
    let directory = Directory::of(path).map_err(error)?;
    let old = path.file_name().unwrap_or_default();
    for number in 1.. {
        let name = if number == 1 { format!(".{ending}") } else { format!(".{ending}-{number}") };
        let new = with(old, &name);
        if move_all(&directory, old, &new).map_err(error)? {
            return Ok(path.with_file_name(new));
        }
    }
    Err(StoreError::Busy)
}

/// False, and nothing is moved, where one of the names is taken.
fn move_all(directory: &Directory, old: &OsStr, new: &OsStr) -> io::Result<bool> {
    // A log goes to no database but its own.
    for suffix in [""].iter().chain(&COMPANIONS) {
        if directory.has(&with(new, suffix))? {
            return Ok(false);
        }
    }
    match files::rename(directory, old, directory, new) {
        Ok(true) => {}
        Ok(false) => return Ok(false),
        // Only its log is left.
        Err(e) if e.kind() == io::ErrorKind::NotFound && directory.has(&with(old, "-wal"))? => {}
        Err(e) => return Err(e),
    }
    for suffix in COMPANIONS {
        let (from, to) = (with(old, suffix), with(new, suffix));
        if directory.has(&from)? && !files::rename(directory, &from, directory, &to)? {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "somebody made a file of its new name"));
        }
    }
    Ok(true)
}

fn with(name: &OsStr, suffix: &str) -> OsString {
    companion(Path::new(name), suffix).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_goes_aside_with_its_log_and_over_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        for name in ["p.db", "p.db-wal", "p.db.bad-wal"] {
            fs::write(at(name), name).expect("a file");
        }
        assert_eq!(move_aside(&at("p.db"), "bad"), Ok(at("p.db.bad-2")), "the log of another is left alone");
        for (name, was) in
            [("p.db.bad-2", "p.db"), ("p.db.bad-2-wal", "p.db-wal"), ("p.db.bad-wal", "p.db.bad-wal")]
        {
            assert_eq!(fs::read_to_string(at(name)).expect(name), was);
        }
        fs::write(at("p.db-wal"), "stray").expect("a file");
        fs::remove_file(at("p.db.bad-2-wal")).expect("gone");
        assert_eq!(move_aside(&at("p.db"), "bad"), Ok(at("p.db.bad-3")), "only its log is left");
        assert_eq!(fs::read_to_string(at("p.db.bad-3-wal")).expect("it"), "stray");
        assert!(move_aside(&at("p.db"), "bad").is_err(), "there is nothing to move");
    }
}
