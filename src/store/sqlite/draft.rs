//! Files in the making, and copying a database page by page.

use super::place::Place;
use super::{Result, failed, open};
use crate::files::{self, Directory, NewFile, Rights};
use crate::store::StoreError;
use crate::store::backup::EachStep;
use nix::unistd::geteuid;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, MAIN_DB};
use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Seek as _};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pages of one step, so that a bar moves.
const STEP: i32 = 1024;
/// How often a locked source is tried again, and how long between.
const TRIES: u32 = 2000;
const PAUSE: Duration = Duration::from_millis(5);

/// The name of every draft in its directory.
const NAME: &str = "draft.db";
/// Directories of one process in one place.
const MOST: u32 = 1000;
/// Where drafts are made for a place in which others could exchange them: their sticky bit keeps entries with their
/// owners.
pub const ELSEWHERE: [&str; 2] = ["/var/tmp", "/tmp"];
/// What the directory of such a draft is called, before the process id: it says for which database, so that whoever
/// looks after one finds what was left of its own drafts.
pub fn prefix_for(target: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    format!("patctl.new-{:016x}-", hasher.finish())
}

/// A new file on its way to its place; dropped, it is removed.
///
/// `SQLite` opens files by name, so the name must stay what it is: the file is made in a new directory that only the
/// caller can enter, beside its place if nobody else can exchange that directory, else elsewhere. The file that was
/// made is kept open, and it is the one that gets the name in the end.
pub struct Draft {
    target: PathBuf,
    rights: Rights,
    /// The directory of the private one, and the name of that in it.
    above: Directory,
    name: OsString,
    private: Directory,
    path: PathBuf,
    file: File,
    beside: bool,
}

impl Draft {
    /// An empty one for `target`.
    pub fn beside(target: &Path) -> Result<Self> {
        let place = Place::of(target)?;
        let rights = place.rights();
        let beside = rights.are_own() && place.weak().is_none();
        Self::somewhere(place.path, rights, beside)
    }

    /// An empty one that gets no name: it is read, and gone. It is made for the database at `source`.
    pub fn nameless(source: &Path) -> Result<Self> {
        Self::somewhere(source.to_owned(), Rights::own(), false)
    }

    fn somewhere(target: PathBuf, rights: Rights, beside: bool) -> Result<Self> {
        let own = open::companion(&target, ".new-");
        let name = own.file_name().unwrap_or_default();
        let elsewhere = prefix_for(&target);
        let places: Vec<(&Path, &OsStr)> = if beside {
            vec![(open::parent(&target), name)]
        } else {
            ELSEWHERE.iter().map(|directory| (Path::new(directory), OsStr::new(&elsewhere))).collect()
        };
        let mut error = StoreError::Busy;
        for (directory, prefix) in places {
            match Self::make(directory, prefix) {
                Ok((above, name, private, file)) => {
                    let path = directory.join(&name).join(NAME);
                    return Ok(Self { target, rights, above, name, private, path, file, beside });
                }
                Err(e) => error = open::io_error(directory, &e),
            }
        }
        Err(error)
    }

    fn make(directory: &Path, prefix: &OsStr) -> io::Result<(Directory, OsString, Directory, File)> {
        let above = Directory::open(directory)?;
        for number in 0..MOST {
            let mut name = prefix.to_owned();
            name.push(format!("{}-{number}", std::process::id()));
            match above.directory(&name, 0o700) {
                Ok(private) => match private.file(OsStr::new(NAME), 0o600) {
                    Ok(file) => return Ok((above, name, private, file)),
                    Err(e) => {
                        let _ = above.remove_directory(&name, &private);
                        return Err(e);
                    }
                },
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// A connection that writes it as fast as can be: whatever happens meanwhile, it is thrown away.
    pub fn connect(&self) -> Result<Connection> {
        let db = open::writable(&self.path)?;
        db.pragma_update(None, "synchronous", 0).map_err(failed)?;
        Ok(db)
    }

    /// What was written went into the very file that was made, and nowhere else.
    pub fn is_what_was_made(&self) -> Result<()> {
        let found = self.file.metadata().map_err(|e| open::io_error(&self.path, &e))?;
        let mine = found.uid() == geteuid().as_raw() || found.uid() == 0;
        let ours = found.len() > 0 && found.nlink() == 1 && mine;
        if ours && self.private.holds(OsStr::new(NAME), &self.file) {
            return Ok(());
        }
        let why = "somebody exchanged it while it was written".to_owned();
        Err(StoreError::Unsafe { path: self.path.clone(), why })
    }

    /// What is in it.
    pub fn read(&self, each: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> Result<()> {
        self.is_what_was_made()?;
        let mut piece = vec![0; 1 << 16];
        let mut at = 0;
        let error = |e: io::Error| open::io_error(&self.path, &e);
        loop {
            let read = self.file.read_at(&mut piece, at).map_err(error)?;
            if read == 0 {
                return Ok(());
            }
            each(&piece[..read])
                .map_err(|e| open::io_error(Path::new("the copy that is handed over"), &e))?;
            at += read as u64;
        }
    }

    /// Gives it the group and the mode of the file whose place it takes; its owner is given by the rights that it is
    /// published with.
    pub fn resemble(&self) -> Result<()> {
        let error = |e: io::Error| open::io_error(&self.target, &e);
        let there = std::fs::symlink_metadata(&self.target).map_err(error)?;
        let now = self.file.metadata().map_err(error)?;
        let given = now.gid() == there.gid() || fchown(&self.file, None, Some(there.gid())).is_ok();
        // Without its group, the group may do nothing.
        let mode = if given { there.mode() & 0o660 | 0o600 } else { 0o600 };
        self.file.set_permissions(Permissions::from_mode(mode)).map_err(error)
    }

    /// Its bytes are on the disk.
    pub fn sync(&self) -> Result<()> {
        self.is_what_was_made()?;
        self.file.sync_all().map_err(|e| open::io_error(&self.path, &e))
    }

    /// Gives it its name; false where something of that name is there, which is left alone.
    pub fn publish(self) -> Result<bool> {
        self.is_what_was_made()?;
        let name = self.target.file_name().unwrap_or_default();
        let made = if self.beside {
            files::rename(&self.private, OsStr::new(NAME), &self.above, name)
        } else {
            self.copy(name)
        };
        made.map_err(|e| open::io_error(&self.target, &e))
    }

    /// Byte by byte, into a directory where others might exchange what lies under a name: with the rights of its
    /// owner where that is somebody else.
    fn copy(&self, name: &OsStr) -> io::Result<bool> {
        let waiting = open::companion(&self.target, &format!(".new-{}-copy", std::process::id()));
        self.rights.within(|| {
            let mut new = NewFile::make(&waiting, 0o600)?;
            let mut from = &self.file;
            let copied = from.rewind().and_then(|()| io::copy(&mut from, &mut new.file));
            let (due, is) = (from.metadata()?, new.file.metadata()?);
            if due.mode() & 0o060 != 0 && due.gid() == is.gid() {
                new.file.set_permissions(Permissions::from_mode(due.mode() & 0o660))?;
            }
            let made = copied.and_then(|_| new.sync()).and_then(|()| new.rename(name));
            if !matches!(made, Ok(true)) {
                // `doctor` names what stays behind.
                let left = new.take_back();
                return match (made, left) {
                    (Err(e), Err(left)) => Err(files::and_left(e, &left)),
                    (made, _) => made,
                };
            }
            if new.is_there() {
                return Ok(true);
            }
            let why = "somebody exchanged it while it was written";
            Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
        })?
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            // Best effort: `doctor` names what stays behind.
            let _ = self.private.remove(open::companion(Path::new(NAME), suffix).as_os_str());
        }
        let _ = self.above.remove_directory(&self.name, &self.private);
    }
}

/// A copy on its way; dropped before its end, nothing has happened to where it goes.
pub struct Copy<'f, 't>(Backup<'f, 't>);

impl<'f, 't> Copy<'f, 't> {
    /// Of a database that `from` knows by this name.
    pub fn new(from: &'f Connection, name: &str, to: &'t mut Connection) -> Result<Self> {
        Backup::new_with_names(from, name, to, MAIN_DB).map(Self).map_err(failed)
    }

    /// Copies the first page: from then on nobody else writes where it goes.
    pub fn lock(&self) -> Result<()> {
        self.step(1).map(|_| ())
    }

    /// Copies what is left.
    pub fn finish(self, each: EachStep<'_>) -> Result<()> {
        while !self.step(STEP)? {
            let progress = self.0.progress();
            let total = u64::from(progress.pagecount.unsigned_abs());
            each(total.saturating_sub(progress.remaining.unsigned_abs().into()), total);
        }
        Ok(())
    }

    /// Whether that was all.
    fn step(&self, pages: i32) -> Result<bool> {
        for _ in 0..TRIES {
            match self.0.step(pages).map_err(failed)? {
                StepResult::Done => return Ok(true),
                StepResult::More => return Ok(false),
                _ => std::thread::sleep(PAUSE),
            }
        }
        Err(StoreError::Busy)
    }
}
