//! Reading a tree of directories: everything in it is opened from the directory that it was found in, and no link in
//! it is followed, whoever puts one where a file or a directory was.

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::stat::{Mode, SFlag, fstatat};
use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const LISTED: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_CLOEXEC);

/// What an entry of a directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A link, a pipe, a socket or a device.
    Other,
}

/// An open directory, to be read.
#[derive(Debug)]
pub struct Listing(File);

impl Listing {
    /// Opens a directory by its name; a link is followed.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().read(true).custom_flags(LISTED.bits()).open(path).map(Self)
    }

    /// Opens a directory in it.
    ///
    /// # Errors
    /// What the system said, or it is something else by now.
    pub fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let opened = openat(&self.0, name, LISTED | OFlag::O_NOFOLLOW, Mode::empty());
        Ok(Self(opened.map_err(exchanged)?.into()))
    }

    /// Opens a regular file in it.
    ///
    /// # Errors
    /// What the system said, or it is something else by now.
    pub fn file(&self, name: &OsStr) -> io::Result<(File, Metadata)> {
        // A pipe that somebody put there is not waited for, but told by what was opened.
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let file: File = openat(&self.0, name, flags, Mode::empty()).map_err(exchanged)?.into();
        let found = file.metadata()?;
        if found.is_file() { Ok((file, found)) } else { Err(exchanged(Errno::ELOOP)) }
    }

    /// What it is.
    ///
    /// # Errors
    /// What the system said.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// Shows each entry, in no order.
    ///
    /// # Errors
    /// What the system said; what was shown before counts.
    pub fn each(&self, show: &mut dyn FnMut(&OsStr, Kind)) -> io::Result<()> {
        for entry in Dir::from_fd(self.0.try_clone()?.into())?.iter() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                show(name, self.kind(name, entry.file_type()));
            }
        }
        Ok(())
    }

    fn kind(&self, name: &OsStr, told: Option<Type>) -> Kind {
        match told {
            Some(Type::File) => Kind::File,
            Some(Type::Directory) => Kind::Directory,
            Some(_) => Kind::Other,
            // Some file systems do not say.
            None => match fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(found) => match SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT {
                    SFlag::S_IFREG => Kind::File,
                    SFlag::S_IFDIR => Kind::Directory,
                    _ => Kind::Other,
                },
                // To open it says why not.
                Err(_) => Kind::File,
            },
        }
    }
}

/// Why something could not be opened that was something else a moment ago.
fn exchanged(error: Errno) -> io::Error {
    match error {
        Errno::ELOOP | Errno::ENOTDIR | Errno::ENXIO => {
            io::Error::other("it was exchanged for a link or something else while it was looked for")
        }
        other => other.into(),
    }
}

/// How many files this process may have open at a time.
#[must_use]
pub fn most_open() -> u64 {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(256, |(soft, _)| soft)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_was_exchanged_is_told_and_nothing_outside_is_opened() {
        let dir = tempfile::tempdir().expect("a directory");
        let (tree, outside) = (dir.path().join("tree"), dir.path().join("outside"));
        for each in [&tree, &outside] {
            fs::create_dir_all(each.join("d")).expect("a directory");
            fs::write(each.join("d/file"), "text").expect("a file");
            fs::write(each.join("file"), "text").expect("a file");
        }
        let listing = Listing::open(&tree).expect("it");
        let below = listing.enter("d".as_ref()).expect("it");
        let mut found = Vec::new();
        listing.each(&mut |name, kind| found.push((name.to_owned(), kind))).expect("entries");
        found.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found, [("d".into(), Kind::Directory), ("file".into(), Kind::File)]);
        fs::rename(tree.join("d"), tree.join("e")).expect("a rename");
        symlink("../outside/d", tree.join("d")).expect("a link");
        symlink("../../outside/file", tree.join("e/link")).expect("a link");
        nix::unistd::mkfifo(&tree.join("e/pipe"), Mode::S_IRWXU).expect("a pipe");
        assert!(
            below.file("file".as_ref()).is_ok(),
            "the directory that was opened, whatever its name is now"
        );
        for name in ["link", "pipe"] {
            assert!(below.file(name.as_ref()).expect_err(name).to_string().contains("exchanged"), "{name}");
        }
        assert!(listing.enter("d".as_ref()).expect_err("a link").to_string().contains("exchanged"));
        let kind = |name: &str| below.kind(name.as_ref(), None);
        assert_eq!([kind("file"), kind("link"), kind("pipe")], [Kind::File, Kind::Other, Kind::Other]);
        assert_eq!(listing.kind("e".as_ref(), None), Kind::Directory);
    }
}
