//! Following a path directory by directory, from the root on.
//!
//! The order matters: a name in a directory that only root and the caller can write stays what it is, so that the
//! directory behind it is the one that was looked at, and so on. The first component that somebody else could
//! exchange is where that ends.

use super::group;
use super::rights::Rights;
use nix::sys::statvfs::{FsFlags, statvfs};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// Links in one path; the kernel stops there, too.
pub(super) const MAX_LINKS: u32 = 40;

/// Why a component is not trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doubt {
    /// It belongs to somebody else.
    Owner(u32),
    /// Others can write it: its mode.
    Writable(u32),
}

/// A component that somebody who is neither root nor the caller can exchange, or whose entries they can.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weak {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub doubt: Doubt,
}

impl fmt::Display for Weak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.doubt {
            Doubt::Owner(uid) => write!(f, "{path} belongs to uid {uid}, who is neither root nor you"),
            Doubt::Writable(mode) => {
                write!(f, "{path} can be written by others (mode {mode:03o}); 'chmod {}' it", away(mode))
            }
        }
    }
}

/// What others lose so that they can no longer write.
fn away(mode: u32) -> &'static str {
    if mode & 0o002 == 0 { "g-w" } else { "go-w" }
}

impl Weak {
    /// The command that makes it trusted, where there is one: an owner must be looked into first.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        match self.doubt {
            Doubt::Owner(_) => None,
            Doubt::Writable(mode) => Some(format!("chmod {} {}", away(mode), self.path.display())),
        }
    }
}

/// What a component is in doubt for.
///
/// # Errors
/// The system has too little left to tell.
pub fn trusted(path: &Path, found: &Metadata, euid: u32) -> io::Result<Option<Doubt>> {
    if found.uid() != 0 && found.uid() != euid {
        return Ok(Some(Doubt::Owner(found.uid())));
    }
    // In a directory with the sticky bit an entry is exchanged by its owner only, who is looked at next.
    let sticky = found.is_dir() && found.mode() & 0o1000 != 0;
    if found.is_symlink() || sticky || found.mode() & 0o022 == 0 {
        return Ok(None);
    }
    let group_alone = found.mode() & 0o002 == 0;
    let harmless = (group_alone && group::is_private(found.uid(), found.gid())?)
        || statvfs(path).is_ok_and(|system| system.flags().contains(FsFlags::ST_RDONLY));
    Ok((!harmless).then(|| Doubt::Writable(found.mode() & 0o7777)))
}

/// A path with every link in its directories followed.
#[derive(Debug)]
pub struct Route {
    /// The path.
    pub path: PathBuf,
    /// The directory it ends in.
    pub directory: Metadata,
    /// The first component that others could exchange.
    pub weak: Option<Weak>,
    /// The owner of the first directory of somebody else, and the groups of all that are his.
    guest: Option<(u32, Vec<u32>)>,
    euid: u32,
}

impl Route {
    /// To a file, which need not be there and is not looked at.
    ///
    /// # Errors
    /// A directory cannot be followed; the path names no file.
    pub fn to(path: &Path, euid: u32) -> io::Result<Self> {
        let Some(Component::Normal(name)) = path.components().next_back() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this names no file"));
        };
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut seen = Seen { weak: None, guest: None, euid };
        let (directory, found) = follow(parent, &mut |path, found| {
            seen.look(path, found)?;
            // For root a link of somebody else leads to where they want it, with the rights of root.
            if euid == 0 && found.is_symlink() && seen.weak.is_some() {
                let why = format!("{} is a link that somebody else could have made", path.display());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
            }
            Ok(())
        })?;
        if !found.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { path: directory.join(name), directory: found, weak: seen.weak, guest: seen.guest, euid })
    }

    /// To the file itself, with a link in its last component followed, too.
    ///
    /// # Errors
    /// It is not there, or a directory cannot be followed.
    pub fn through(path: &Path, euid: u32) -> io::Result<(PathBuf, Metadata, Option<Weak>)> {
        let mut seen = Seen { weak: None, guest: None, euid };
        let (path, found) = follow(path, &mut |path, found| seen.look(path, found))?;
        Ok((path, found, seen.weak))
    }

    /// The rights with which what a path names is read: for root those of the user who could exchange it, or anything
    /// that leads to it, whose links would lead root to files that are not theirs. Every link is followed, the last
    /// included.
    ///
    /// # Errors
    /// It is not there, or a directory cannot be followed.
    pub fn rights_to_read(path: &Path, euid: u32) -> io::Result<Rights> {
        // What the system itself keeps there, and a shell makes for `<(…)`, is nobody's to exchange.
        if euid != 0 || ["/dev", "/proc"].iter().any(|kept| path.starts_with(kept)) {
            return Ok(Rights::own());
        }
        let mut seen = Seen { weak: None, guest: None, euid };
        follow(path, &mut |path, found| seen.look(path, found))?;
        Ok(seen.guest.map_or_else(Rights::own, |(uid, groups)| Rights::of(uid, groups)))
    }

    /// The rights with which the path is used: for root those of the user who could exchange it, for anybody else
    /// their own. `file` is what is there, if anything is.
    #[must_use]
    pub fn rights(&self, file: Option<&Metadata>) -> Rights {
        if self.euid != 0 {
            return Rights::own();
        }
        let mine = |file: &&Metadata| file.uid() != 0;
        match (&self.guest, file.filter(mine)) {
            (Some((uid, groups)), file) => {
                let of_file = file.filter(|file| file.uid() == *uid).map(MetadataExt::gid);
                Rights::of(*uid, groups.iter().copied().chain(of_file).collect())
            }
            (None, Some(file)) => Rights::of(file.uid(), vec![file.gid()]),
            (None, None) => Rights::own(),
        }
    }
}

struct Seen {
    weak: Option<Weak>,
    guest: Option<(u32, Vec<u32>)>,
    euid: u32,
}

impl Seen {
    fn look(&mut self, path: &Path, found: &Metadata) -> io::Result<()> {
        if self.weak.is_none()
            && let Some(doubt) = trusted(path, found, self.euid)?
        {
            self.weak = Some(Weak { path: path.to_owned(), doubt });
        }
        let uid = found.uid();
        match &mut self.guest {
            None if uid != 0 => self.guest = Some((uid, vec![found.gid()])),
            Some((guest, groups)) if *guest == uid => groups.push(found.gid()),
            _ => {}
        }
        Ok(())
    }
}

/// Follows a path, links in it and at its end included, and shows each component from the root on.
fn follow(
    path: &Path,
    visit: &mut dyn FnMut(&Path, &Metadata) -> io::Result<()>,
) -> io::Result<(PathBuf, Metadata)> {
    let whole = if path.is_absolute() { path.to_owned() } else { std::env::current_dir()?.join(path) };
    let mut ahead: VecDeque<OsString> = VecDeque::new();
    push(&mut ahead, &whole);
    let (mut here, mut links) = (PathBuf::from("/"), 0);
    let mut found = fs::symlink_metadata(&here)?;
    visit(&here, &found)?;
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            here.pop();
            found = fs::symlink_metadata(&here)?;
            continue;
        }
        if !found.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let next = here.join(&name);
        let there = fs::symlink_metadata(&next)?;
        visit(&next, &there)?;
        if there.is_symlink() {
            links += 1;
            if links > MAX_LINKS {
                return Err(io::Error::from_raw_os_error(nix::errno::Errno::ELOOP as i32));
            }
            let target = fs::read_link(&next)?;
            if target.is_absolute() {
                here = PathBuf::from("/");
                found = fs::symlink_metadata(&here)?;
            }
            push(&mut ahead, &target);
        } else {
            (here, found) = (next, there);
        }
    }
    Ok((here, found))
}

/// Puts the components of a path before those that are still ahead.
pub(super) fn push(ahead: &mut VecDeque<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => ahead.push_front(name.to_owned()),
            Component::ParentDir => ahead.push_front("..".into()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
    }

    #[test]
    fn links_are_followed_as_the_system_follows_them() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = dir.path().canonicalize().expect("it");
        fs::create_dir_all(dir.join("a/b")).expect("directories");
        fs::write(dir.join("a/b/file"), "").expect("a file");
        symlink(dir.join("a"), dir.join("absolute")).expect("a link");
        symlink("../a/./b", dir.join("a/up")).expect("a link");
        symlink("up/file", dir.join("a/last")).expect("a link");
        symlink("loop", dir.join("loop")).expect("a link");
        for path in ["absolute/up/file", "a/b/../../absolute/last", "./a//b/./file", "a/up/../last"] {
            let path = dir.join(path);
            let (followed, found, _) = Route::through(&path, found_uid(&dir)).expect("a route");
            assert_eq!(followed, path.canonicalize().expect("it"), "{}", path.display());
            assert!(found.is_file());
        }
        for path in ["loop/x", "loop", "a/b/file/x", "nowhere"] {
            assert!(Route::through(&dir.join(path), 0).is_err(), "{path}");
        }
        assert!(Route::to(&dir.join(".."), 0).is_err() && Route::to(Path::new("/"), 0).is_err());
    }

    fn found_uid(path: &Path) -> u32 {
        fs::metadata(path).expect("it").uid()
    }

    #[test]
    fn the_first_component_that_others_could_exchange_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = dir.path().canonicalize().expect("it");
        let me = found_uid(&dir);
        fs::create_dir_all(dir.join("a/b")).expect("directories");
        let weak = |euid| Route::to(&dir.join("a/b/file"), euid).expect("a route").weak;
        assert_eq!(weak(me), None);
        chmod(&dir.join("a"), 0o757);
        let found = weak(me).expect("a weak one");
        assert_eq!((found.path.clone(), found.doubt), (dir.join("a"), Doubt::Writable(0o757)));
        assert!(found.to_string().contains("'chmod go-w'"), "{found}");
        chmod(&dir.join("a"), 0o1777);
        assert_eq!(weak(me), None, "the sticky bit");
        if me != 0 {
            assert!(matches!(weak(me + 1), Some(Weak { doubt: Doubt::Owner(uid), .. }) if uid == me));
        }
    }
}
