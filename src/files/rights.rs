//! Using files with the rights of another user.

use nix::unistd::{Gid, Uid, getegid, geteuid, getgroups, setfsgid, setfsuid, setgroups};
use std::cell::Cell;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

thread_local! {
    /// Whether this thread has taken the rights of somebody already.
    static TAKEN: Cell<bool> = const { Cell::new(false) };
}

/// Supplementary groups belong to the process, not to the thread.
static GROUPS: Mutex<()> = Mutex::new(());

/// Whose rights a path is used with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rights(Option<Guest>);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Guest {
    uid: Uid,
    groups: Vec<Gid>,
}

impl Rights {
    /// The caller's own.
    #[must_use]
    pub fn own() -> Self {
        Self(None)
    }

    /// Those of a user, in these groups; the first counts for new files.
    #[must_use]
    pub fn of(uid: u32, groups: Vec<u32>) -> Self {
        let mut groups: Vec<Gid> = groups.into_iter().map(Gid::from_raw).collect();
        groups.dedup();
        Self(Some(Guest { uid: Uid::from_raw(uid), groups }))
    }

    /// Whether they are the caller's own.
    #[must_use]
    pub fn are_own(&self) -> bool {
        self.0.is_none()
    }

    /// The user whose rights these are, where that is not the caller.
    #[must_use]
    pub fn user(&self) -> Option<u32> {
        self.0.as_ref().map(|guest| guest.uid.as_raw())
    }

    /// Does something with these rights: the kernel decides about every file as for that user, and what is made is
    /// theirs. Everything else of the process stays as it is, the real user id above all.
    ///
    /// # Errors
    /// The process may not take them.
    pub fn within<T>(&self, deed: impl FnOnce() -> T) -> io::Result<T> {
        let Some(guest) = self.0.as_ref().filter(|_| !TAKEN.get()) else { return Ok(deed()) };
        let taken = Taken::take(guest)?;
        let done = deed();
        drop(taken);
        Ok(done)
    }
}

/// Rights that were taken; dropped, they are given back.
struct Taken {
    groups: Vec<Gid>,
    _lock: MutexGuard<'static, ()>,
}

impl Taken {
    fn take(guest: &Guest) -> io::Result<Self> {
        let lock = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = getgroups()?;
        setgroups(&guest.groups)?;
        let taken = Self { groups, _lock: lock };
        TAKEN.set(true);
        if let Some(group) = guest.groups.first() {
            setfsgid(*group);
        }
        setfsuid(guest.uid);
        // The call says what the id was, never whether it changed; one that is refused says what it is.
        if setfsuid(Uid::from_raw(u32::MAX)) == guest.uid {
            return Ok(taken);
        }
        drop(taken);
        let why = format!("the rights of uid {} cannot be taken (is CAP_SETUID missing?)", guest.uid);
        Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        setfsuid(geteuid());
        setfsgid(getegid());
        // What was given up a moment ago can be taken again: the capability for it was never given up.
        let _ = setgroups(&self.groups);
        TAKEN.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    #[test]
    fn files_are_used_and_made_as_the_user_whose_rights_were_taken() {
        if !geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().expect("a directory");
        let (secret, theirs) = (dir.path().join("secret"), dir.path().join("theirs"));
        fs::write(&secret, "x").expect("a file");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("chmod");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
        fs::create_dir(&theirs).expect("a directory");
        chown(&theirs, Some(4242), Some(4343)).expect("chown");
        let rights = Rights::of(4242, vec![4343]);
        let read = rights.within(|| {
            fs::write(theirs.join("new"), "x").expect("their own directory");
            Rights::of(1, vec![1]).within(|| fs::read(&secret)).expect("no second user")
        });
        assert!(read.expect("root may").is_err(), "root's own file");
        let new = fs::metadata(theirs.join("new")).expect("it");
        assert_eq!((new.uid(), new.gid()), (4242, 4343));
        assert!(fs::read(&secret).is_ok(), "they were given back");
        fs::write(theirs.join("mine"), "x").expect("a file");
        assert_eq!(fs::metadata(theirs.join("mine")).expect("it").uid(), 0);
    }
}
