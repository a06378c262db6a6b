//! Directories that were opened: what is made, renamed and removed in them is where they are, whatever their names
//! lead to by then, and never behind a link that somebody else made.

use super::route::{MAX_LINKS, push};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, geteuid, linkat, unlinkat};
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const DIRECTORY: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_CLOEXEC).union(OFlag::O_RDONLY);
/// On the way to one: passing through takes no right to list it.
const STEP: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_CLOEXEC).union(OFlag::O_PATH).union(OFlag::O_NOFOLLOW);

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    file: File,
    path: PathBuf,
}

impl Directory {
    /// The directory that a new file is to be made in.
    ///
    /// For root, a link is followed only where root alone could have made it: from the first directory of somebody
    /// else on there must be none, so that no file is made anywhere but below that directory.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn of(path: &Path) -> io::Result<Self> {
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::open(parent)
    }

    /// Opens a directory as [`Directory::of`] does.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let follow = || OpenOptions::new().read(true).custom_flags(DIRECTORY.bits()).open(path);
        let file = if geteuid().is_root() { opened(&step_by_step(path, None)?)? } else { follow()? };
        Ok(Self { file, path: path.to_owned() })
    }

    /// Makes the directories of a path that are not there, each in the one before it, which is open: no name is
    /// followed twice. Links are followed as [`Directory::of`] follows them.
    ///
    /// # Errors
    /// One cannot be made or opened, or somebody has put another one in its place.
    pub fn make_all(path: &Path, mode: u32) -> io::Result<()> {
        step_by_step(path, Some(mode)).map(|_| ())
    }

    /// What it is.
    ///
    /// # Errors
    /// What the system said.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Makes a new, empty file in it.
    ///
    /// # Errors
    /// It is there already, or cannot be made.
    pub fn file(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(openat(&self.file, name, flags, Mode::from_bits_truncate(mode))?.into())
    }

    /// Makes a new directory in it, and opens that.
    ///
    /// # Errors
    /// It is there already, cannot be made, or somebody has put another one in its place.
    pub fn directory(&self, name: &OsStr, mode: u32) -> io::Result<Self> {
        mkdirat(&self.file, name, Mode::from_bits_truncate(mode))?;
        match just_made(&self.file, name, mode).and_then(|file| opened(&file)) {
            Ok(file) => Ok(Self { file, path: self.path.join(name) }),
            Err(e) => {
                // Best effort, and only if it is empty.
                let _ = unlinkat(&self.file, name, UnlinkatFlags::RemoveDir);
                Err(e)
            }
        }
    }

    /// Gives it a mode, whatever the umask took away when it was made.
    ///
    /// # Errors
    /// What the system said.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(mode))
    }

    /// Gives a file in it a second name in it.
    ///
    /// # Errors
    /// Something of that name is there, which is left alone, or what the system said.
    pub fn link(&self, name: &OsStr, second: &OsStr) -> io::Result<()> {
        Ok(linkat(&self.file, name, &self.file, second, AtFlags::empty())?)
    }

    /// Opens a file in it to read and to add to its end; a link is refused, and a FIFO not waited for.
    ///
    /// # Errors
    /// What the system said.
    pub fn append(&self, name: &OsStr) -> io::Result<File> {
        self.existing(name, OFlag::O_RDWR | OFlag::O_APPEND)
    }

    /// Opens a file in it to read; a link is refused, and a FIFO not waited for.
    ///
    /// # Errors
    /// What the system said.
    pub fn read(&self, name: &OsStr) -> io::Result<File> {
        self.existing(name, OFlag::O_RDONLY)
    }

    fn existing(&self, name: &OsStr, how: OFlag) -> io::Result<File> {
        let flags = how | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        Ok(openat(&self.file, name, flags, Mode::empty())?.into())
    }

    /// Whether something of that name is in it, be it a link that leads nowhere.
    ///
    /// # Errors
    /// What the system said.
    pub fn has(&self, name: &OsStr) -> io::Result<bool> {
        match fstatat(&self.file, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::ENOENT) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// What it was opened as.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes a file from it.
    ///
    /// # Errors
    /// What the system said.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.file, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// Removes an empty directory from it, if its name still is that very directory.
    ///
    /// # Errors
    /// It is another one by now, or what the system said.
    pub fn remove_directory(&self, name: &OsStr, made: &Self) -> io::Result<()> {
        if !self.holds(name, &made.file) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "another one has its name"));
        }
        Ok(unlinkat(&self.file, name, UnlinkatFlags::RemoveDir)?)
    }

    /// Whether a name in it is this very file.
    #[must_use]
    pub fn holds(&self, name: &OsStr, file: &File) -> bool {
        let there = fstatat(&self.file, name, AtFlags::AT_SYMLINK_NOFOLLOW);
        let (Ok(there), Ok(file)) = (there, file.metadata()) else { return false };
        there.st_dev == file.dev() && there.st_ino == file.ino()
    }

    /// Its entries are on the disk.
    ///
    /// # Errors
    /// What the system said.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// A directory that was made a moment ago, if it is that still.
fn just_made(parent: &File, name: &OsStr, mode: u32) -> io::Result<File> {
    let file: File = openat(parent, name, STEP, Mode::empty())?.into();
    let found = file.metadata()?;
    let ours = found.uid() == geteuid().as_raw() || found.uid() == 0;
    if !ours || found.mode() & 0o777 & !mode != 0 {
        let why = "somebody put another directory there";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(file)
}

/// A directory that was passed through, to be read and written.
fn opened(step: &File) -> io::Result<File> {
    Ok(openat(step, ".", DIRECTORY, Mode::empty())?.into())
}

/// Goes to a directory component by component, and makes what is missing where a mode for that is given. Root follows
/// links as long as root alone could have made them.
fn step_by_step(path: &Path, make: Option<u32>) -> io::Result<File> {
    let whole = if path.is_absolute() { path.to_owned() } else { std::env::current_dir()?.join(path) };
    let strict = geteuid().is_root();
    let root = || OpenOptions::new().read(true).custom_flags(STEP.bits()).open("/");
    let (mut here, mut foreign, mut links) = (root()?, false, 0);
    let mut ahead = VecDeque::new();
    push(&mut ahead, &whole);
    while let Some(name) = ahead.pop_front() {
        foreign = foreign || strict && open_to_others(&here.metadata()?);
        match openat(&here, name.as_os_str(), STEP, Mode::empty()) {
            Ok(next) => here = next.into(),
            Err(Errno::ENOENT) if make.is_some() => here = made(&here, &name, make.unwrap_or_default())?,
            Err(refused @ (Errno::ELOOP | Errno::ENOTDIR)) if !foreign && links < MAX_LINKS => {
                let link = fstatat(&here, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW)?;
                if strict && link.st_uid != 0 {
                    return Err(Errno::ELOOP.into());
                }
                let target = PathBuf::from(readlinkat(&here, name.as_os_str()).map_err(|_| refused)?);
                if target.is_absolute() {
                    here = root()?;
                }
                push(&mut ahead, &target);
                links += 1;
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(here)
}

/// Makes a directory and passes into it; one that another process was faster to make is as good.
fn made(here: &File, name: &OsStr, mode: u32) -> io::Result<File> {
    match mkdirat(here, name, Mode::from_bits_truncate(mode)) {
        Ok(()) => just_made(here, name, mode),
        Err(Errno::EEXIST) => Ok(openat(here, name, STEP, Mode::empty())?.into()),
        Err(e) => Err(e.into()),
    }
}

/// Whether somebody but root can exchange the entries of a directory.
fn open_to_others(directory: &Metadata) -> bool {
    directory.uid() != 0 || directory.mode() & 0o022 != 0 && directory.mode() & 0o1000 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::NewFile;
    use std::os::unix::fs::{chown, symlink};

    #[test]
    fn root_follows_no_link_of_somebody_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = dir.path().canonicalize().expect("it");
        for name in ["theirs", "outside"] {
            std::fs::create_dir(dir.join(name)).expect("a directory");
        }
        symlink(dir.join("outside"), dir.join("theirs/link")).expect("a link");
        symlink("theirs", dir.join("ours")).expect("a link");
        assert!(NewFile::make(&dir.join("theirs/link/new"), 0o600).is_ok(), "all of it is ours");
        assert!(NewFile::make(&dir.join("theirs/link/new"), 0o600).is_err(), "it is there");
        if !geteuid().is_root() {
            return;
        }
        chown(dir.join("theirs"), Some(4242), None).expect("chown");
        assert!(NewFile::make(&dir.join("theirs/link/other"), 0o600).is_err());
        assert!(NewFile::make(&dir.join("ours/fine"), 0o600).is_ok(), "a link of root to their directory");
        assert!(!dir.join("outside/other").exists());
    }

    #[test]
    fn only_the_very_directory_is_removed() {
        let dir = tempfile::tempdir().expect("a directory");
        let above = Directory::open(dir.path()).expect("it");
        let made = above.directory(OsStr::new("new"), 0o700).expect("a directory");
        std::fs::rename(dir.path().join("new"), dir.path().join("moved")).expect("a rename");
        std::fs::create_dir(dir.path().join("new")).expect("theirs");
        assert!(above.remove_directory(OsStr::new("new"), &made).is_err() && dir.path().join("new").is_dir());
        above.remove_directory(OsStr::new("moved"), &made).expect("ours");
        assert!(!dir.path().join("moved").exists());
    }

    #[test]
    fn missing_directories_are_made_and_none_behind_a_link_of_somebody_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = dir.path().canonicalize().expect("it");
        for name in ["theirs", "outside"] {
            std::fs::create_dir(dir.join(name)).expect("a directory");
        }
        std::fs::write(dir.join("file"), "").expect("a file");
        symlink("../outside", dir.join("theirs/link")).expect("a link");
        symlink("nowhere", dir.join("theirs/dangling")).expect("a link");
        let made = |path: &str| Directory::make_all(&dir.join(path), 0o700);
        for path in ["a/b/c", "a/b/c", "a/../d/./e", "theirs/link/ours"] {
            made(path).expect(path);
            assert_eq!(std::fs::metadata(dir.join(path)).expect(path).mode() & 0o7777, 0o700, "{path}");
        }
        assert!(dir.join("outside/ours").is_dir());
        assert_eq!(made("file/x").expect_err("a file").kind(), io::ErrorKind::NotADirectory);
        if !geteuid().is_root() {
            return;
        }
        chown(dir.join("theirs"), Some(4242), None).expect("chown");
        made("theirs/own/x").expect("no link on the way");
        for path in ["theirs/link/x", "theirs/link/x/y", "theirs/dangling/x"] {
            assert!(made(path).is_err(), "{path}");
        }
        assert!(!dir.join("outside/x").exists() && !dir.join("theirs/nowhere").exists());
    }
}
