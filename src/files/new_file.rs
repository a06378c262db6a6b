//! Files that are made, and that may have to be taken back.

use super::Directory;
use nix::errno::Errno;
use nix::fcntl::{RenameFlags, renameat, renameat2};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

/// A file that was made and may have to be taken back.
#[derive(Debug)]
pub struct NewFile {
    directory: Directory,
    name: OsString,
    /// The file.
    pub file: File,
}

impl NewFile {
    /// Makes it.
    ///
    /// # Errors
    /// It is there already, or cannot be made.
    pub fn make(path: &Path, mode: u32) -> io::Result<Self> {
        let Some(Component::Normal(name)) = path.components().next_back() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this names no file"));
        };
        let directory = Directory::of(path)?;
        let file = directory.file(name, mode)?;
        Ok(Self { directory, name: name.to_owned(), file })
    }

    /// File and name are on the disk.
    ///
    /// # Errors
    /// What the system said.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()?;
        self.directory.sync()
    }

    /// Gives it another name in its directory, on the disk; false where something of that name is there, which is left
    /// alone.
    ///
    /// # Errors
    /// What the system said; it may have its new name by then.
    pub fn rename(&mut self, name: &OsStr) -> io::Result<bool> {
        let moved = self.give_name(name)?;
        if moved {
            self.directory.sync()?;
        }
        Ok(moved)
    }

    /// The same of a name that may be lost.
    ///
    /// # Errors
    /// What the system said.
    pub fn give_name(&mut self, name: &OsStr) -> io::Result<bool> {
        let moved = give_name(&self.directory, &self.name, &self.directory, name)?;
        if moved {
            name.clone_into(&mut self.name);
        }
        Ok(moved)
    }

    /// Whether its name still is this file.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.directory.holds(&self.name, &self.file)
    }

    /// Removes it, if its name still is this file.
    ///
    /// # Errors
    /// It is left behind, under this name or under one that somebody else gave it; the message says which.
    pub fn take_back(&self) -> io::Result<()> {
        let shown = self.directory.path().join(&self.name);
        if self.is_there() {
            self.directory.remove(&self.name).map_err(|e| super::said_of(&shown, e))?;
        }
        let names = self.file.metadata().map_err(|e| super::said_of(&shown, e))?.nlink();
        if names == 0 {
            return Ok(());
        }
        let why = format!("{}: it has another name by now ({names} in all)", shown.display());
        Err(io::Error::other(why))
    }
}

/// Gives a file another name; false where something of that name is there, which is left alone.
///
/// # Errors
/// What the system said; then nothing of that name was made.
pub fn rename(from: &Directory, old: &OsStr, to: &Directory, new: &OsStr) -> io::Result<bool> {
    let made = give_name(from, old, to, new)?;
    to.sync()?;
    Ok(made)
}

fn give_name(from: &Directory, old: &OsStr, to: &Directory, new: &OsStr) -> io::Result<bool> {
    match renameat2(from, old, to, new, RenameFlags::RENAME_NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EEXIST) => Ok(false),
        // A file system, or a kernel, that cannot. Whatever else stands against it stands against any other way, too.
        Err(Errno::EINVAL | Errno::ENOSYS) => over_an_empty_file(from, old, to, new),
        Err(e) => Err(e.into()),
    }
}

/// Whoever makes the empty file owns the name, and puts the whole one in its place.
fn over_an_empty_file(from: &Directory, old: &OsStr, to: &Directory, new: &OsStr) -> io::Result<bool> {
    let empty = match to.file(new, 0o600) {
        Ok(empty) => empty,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(e) => return Err(e),
    };
    if let Err(e) = renameat(from, old, to, new) {
        if to.holds(new, &empty) {
            // Best effort: the error that is told is the one that matters.
            let _ = to.remove(new);
        }
        return Err(e.into());
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_the_very_file_is_taken_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("new");
        let made = NewFile::make(&path, 0o600).expect("a file");
        fs::rename(&path, dir.path().join("moved")).expect("a rename");
        fs::write(&path, "theirs").expect("a file");
        let left = made.take_back().expect_err("it lies under another name").to_string();
        assert!(left.contains(&path.display().to_string()) && path.exists(), "{left}");
        fs::rename(dir.path().join("moved"), &path).expect("a rename");
        fs::hard_link(&path, dir.path().join("kept")).expect("a link");
        assert!(made.take_back().is_err() && !path.exists(), "it has another name");
        fs::rename(dir.path().join("kept"), &path).expect("a rename");
        made.take_back().expect("it is gone");
        assert!(!path.exists());
    }

    /// Gives `old` the name `new`, in one of two ways.
    type Way = fn(&Directory, &OsStr, &Directory, &OsStr) -> io::Result<bool>;

    #[test]
    fn what_stands_against_a_new_name_is_told_and_nothing_else_is_tried() {
        let dir = tempfile::tempdir().expect("a directory");
        let here = Directory::open(dir.path()).expect("it");
        let changed = || here.metadata().map(|found| (found.mtime(), found.mtime_nsec())).expect("it");
        let before = changed();
        // The clock of a file system ticks a hundred times a second, or more often.
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert!(rename(&here, OsStr::new("gone"), &here, OsStr::new("new")).is_err());
        assert_eq!(changed(), before, "something was made, though there is nothing to rename");
    }

    #[test]
    fn a_name_is_given_whole_or_not_at_all() {
        let [old, new] = ["old", "new"].map(OsStr::new);
        for way in [rename as Way, over_an_empty_file] {
            let dir = tempfile::tempdir().expect("a directory");
            let path = |name: &OsStr| dir.path().join(name);
            let here = Directory::open(dir.path()).expect("it");
            let gone = way(&here, old, &here, new).expect_err("there is nothing to rename");
            assert_eq!(gone.raw_os_error(), Some(Errno::ENOENT as i32));
            assert!(!path(new).exists(), "an empty file was left in its place");
            fs::write(path(old), "ours").expect("a file");
            assert!(way(&here, old, &here, new).expect("a rename"));
            assert_eq!(fs::read(path(new)).expect("it"), b"ours");
            fs::write(path(old), "another").expect("a file");
            assert!(!way(&here, old, &here, new).expect("an answer"), "what is there is left alone");
            assert_eq!(fs::read(path(new)).expect("it"), b"ours");
        }
    }
}
