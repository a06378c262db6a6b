//! Where a database is, whose, and whether it is safe to open.

use super::Result;
use super::open::{companion, io_error};
use crate::files::{Rights, Route, Weak};
use crate::store::StoreError;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::geteuid;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What a database is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Changes, and decisions about tokens, which are written down.
    Changes,
    /// Looking. What cannot be written is looked at as it is.
    Looking,
}

/// Where a database is, with every link in its directory followed.
pub struct Place {
    pub path: PathBuf,
    pub route: Route,
}

impl Place {
    pub fn of(path: &Path) -> Result<Self> {
        match Route::to(path, geteuid().as_raw()) {
            Ok(route) => Ok(Self { path: route.path.clone(), route }),
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => {
                Err(StoreError::Unsafe { path: path.to_owned(), why: "this names no file".to_owned() })
            }
            Err(e) if absent(&e) => Err(StoreError::Missing(path.to_owned())),
            Err(e) => Err(io_error(path, &e)),
        }
    }

    /// The rights that its files are used with: who can exchange them is asked to do so with their own only.
    pub fn rights(&self) -> Rights {
        self.route.rights(fs::symlink_metadata(&self.path).ok().as_ref())
    }

    /// The first directory on the way to it whose entries somebody else can exchange.
    pub fn weak(&self) -> Option<&Weak> {
        self.route.weak.as_ref()
    }

    /// Does something with these rights.
    pub fn within<T>(&self, rights: &Rights, deed: impl FnOnce() -> Result<T>) -> Result<T> {
        rights.within(deed).map_err(|e| io_error(&self.path, &e))?.map_err(|error| {
            match (error, rights.user()) {
                (StoreError::Permission(why), Some(user)) => StoreError::Permission(format!(
                    "{why} (used with the rights of uid {user}, to whom it belongs)"
                )),
                (error, _) => error,
            }
        })
    }
}

/// Does something with a path with the rights that its files are used with.
pub fn with_rights<T>(path: &Path, deed: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let place = Place::of(path)?;
    place.within(&place.rights(), || deed(&place.path))
}

/// Whether a database may be made in the directory: one that everybody can write is refused.
pub fn fit_directory(path: &Path) -> Result<()> {
    inspect_directory(&Place::of(path)?)
}

/// The directory with every link in it followed; the file itself must then be no link.
pub fn resolve(path: &Path) -> Result<PathBuf> {
    Place::of(path).map(|place| place.path)
}

pub fn absent(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Refuses what must not be opened, and answers what there is with what is to be said about it.
pub fn inspect(place: &Place, purpose: For) -> Result<(fs::Metadata, Vec<String>)> {
    let path = &place.path;
    let refuse = |why: &str| Err(StoreError::Unsafe { path: path.clone(), why: why.to_owned() });
    let file = match fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(e) if absent(&e) => return Err(StoreError::Missing(path.clone())),
        Err(e) => return Err(io_error(path, &e)),
    };
    if file.is_symlink() {
        return refuse("it is a link, and a link can be turned to another file");
    }
    if !file.is_file() {
        return refuse("it is not a regular file");
    }
    if file.len() == 0 {
        return Err(StoreError::Damaged(format!("{} is empty", path.display())));
    }
    if file.mode() & 0o002 != 0 {
        return refuse("it can be written by everybody, so everybody can issue tokens");
    }
    if file.nlink() > 1 {
        return refuse("it has another name (a hard link), under which it would have another log");
    }
    inspect_directory(place)?;
    inspect_owners(place, &file)?;
    inspect_companions(place, &file)?;
    let mut warnings = Vec::new();
    if file.mode() & 0o004 != 0 {
        if purpose == For::Changes && !is_on_read_only(path) {
            return refuse(
                "it can be read by everybody: users, names and hashes of all tokens, and a reader can keep others \
                 from using it; 'chmod o-r' it",
            );
        }
        warnings.push("can be read by everybody; 'chmod o-r' it".to_owned());
    }
    Ok((file, warnings))
}

fn is_on_read_only(path: &Path) -> bool {
    statvfs(path).is_ok_and(|system| system.flags().contains(FsFlags::ST_RDONLY))
}

pub fn inspect_directory(place: &Place) -> Result<()> {
    if place.route.directory.mode() & 0o1002 == 0o002 {
        let why = "its directory can be written by everybody, so everybody can replace it".to_owned();
        return Err(StoreError::Unsafe { path: place.path.clone(), why });
    }
    Ok(())
}

/// Who can exchange the file must be trusted with it: root, the caller, its owner, or a group that shares it.
fn inspect_owners(place: &Place, file: &fs::Metadata) -> Result<()> {
    let directory = &place.route.directory;
    let owner = directory.uid();
    let shared = directory.mode() & 0o2020 == 0o2020;
    if [0, geteuid().as_raw(), file.uid()].contains(&owner) || shared {
        return Ok(());
    }
    let why = format!(
        "its directory belongs to uid {owner}, who is neither root nor you nor its owner (uid {})",
        file.uid()
    );
    Err(StoreError::Unsafe { path: place.path.clone(), why })
}

/// What stands beside the database is played into it when it is opened: it must be ours, too.
fn inspect_companions(place: &Place, database: &fs::Metadata) -> Result<()> {
    // Whether everybody may add files to the directory.
    let sticky = place.route.directory.mode() & 0o002 != 0;
    for suffix in ["-journal", "-wal", "-shm"] {
        let name = companion(&place.path, suffix);
        let Ok(file) = fs::symlink_metadata(&name) else { continue };
        let why = if suffix == "-journal" {
            "a rollback journal stands beside it, which patctl never makes"
        } else if !file.is_file() || file.mode() & 0o002 != 0 {
            "its log is not a regular file of its owner"
        } else if file.uid() != database.uid() && sticky {
            "its log belongs to somebody else"
        } else {
            continue;
        };
        return Err(StoreError::Unsafe { path: name, why: why.to_owned() });
    }
    Ok(())
}
