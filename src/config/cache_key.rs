//! The key of the auth cache: a file of its own, made at first use. Without one there is no cache, and
//! that is all: every secret is then proved by Argon2.

use crate::domain::cache::CacheKey;
use crate::domain::dice::Dice;
use crate::files::{self, Directory, NewFile, ReadError};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// More bytes than a key has.
const LONGEST: usize = 64;

/// The directory of the key in the runtime directory, and its name there.
const DIRECTORY: &str = "patctl";
const NAME: &str = "cache.key";

/// The key for a database, or a new one in a new file. `None` where that cannot be: the file is not ours alone, is no
/// key, or cannot be made.
pub fn load(runtime: Option<&OsStr>, database: &Path, euid: u32, dice: &mut Dice) -> Option<CacheKey> {
    let is_ours = |runtime: &&Path| {
        runtime.is_absolute() && fs::metadata(runtime).is_ok_and(|found| is_private(&found, euid))
    };
    let runtime = runtime.map(Path::new).filter(is_ours);
    let path = path(runtime, database, euid);
    match files::mine_alone(&path, euid, LONGEST) {
        Err(ReadError::Io(e)) if e.kind() == io::ErrorKind::NotFound => {
            // Another process may have created it first; that key is used then.
            let _ =
                runtime.map_or(Ok(()), |runtime| make_room(runtime, euid)).and_then(|()| make(&path, dice));
            read(files::mine_alone(&path, euid, LONGEST))
        }
        other => read(other),
    }
}

/// Where the key is: in the runtime directory of the user, which is gone after a restart, else beside the
/// database, under a name for each user: who shares a database does not share the key.
fn path(runtime: Option<&Path>, database: &Path, euid: u32) -> PathBuf {
    if let Some(runtime) = runtime {
        return runtime.join(DIRECTORY).join(NAME);
    }
    let mut name = database.as_os_str().to_owned();
    name.push(format!("-cache-key-{euid}"));
    name.into()
}

fn is_private(directory: &Metadata, euid: u32) -> bool {
    directory.is_dir() && directory.uid() == euid && directory.mode() & 0o777 == 0o700
}

/// Makes the directory of the key in the runtime directory. Beside a database none is made: what is not there is
/// somebody's who is exchanging it.
fn make_room(runtime: &Path, euid: u32) -> io::Result<()> {
    let runtime = Directory::open(runtime)?;
    if !is_private(&runtime.metadata()?, euid) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    match runtime.directory(OsStr::new(DIRECTORY), 0o700) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

fn read(bytes: Result<Vec<u8>, ReadError>) -> Option<CacheKey> {
    CacheKey::from_bytes(&Zeroizing::new(bytes.ok()?))
}

/// Written under another name first: no process reads half a key.
fn make(path: &Path, dice: &mut Dice) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default();
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let mut new = NewFile::make(Path::new(&draft), 0o600)?;
    let made = new.file.write_all(CacheKey::generate(dice).as_bytes()).and_then(|()| new.give_name(name));
    if !matches!(made, Ok(true)) {
        // Best effort: it is a key that nobody has.
        let _ = new.take_back();
    }
    made.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_the_directory_in_the_runtime_directory_is_made() {
        let dir = tempfile::tempdir().expect("a directory");
        let (runtime, euid) = (dir.path().join("runtime"), files::me());
        let mut dice = Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(1)));
        let mut load = |runtime: Option<&Path>, database: &str| {
            load(runtime.map(Path::as_os_str), &dir.path().join(database), euid, &mut dice).is_some()
        };
        fs::create_dir(&runtime).expect("a directory");
        fs::set_permissions(&runtime, Permissions::from_mode(0o700)).expect("chmod");
        assert!(load(Some(&runtime), "gone/patctl.db"), "the runtime directory is all it takes");
        let mode = |path: &str| fs::metadata(runtime.join(path)).expect(path).mode() & 0o777;
        assert_eq!((mode("patctl"), mode("patctl/cache.key")), (0o700, 0o600));
        // A directory of a database that is not there was exchanged a moment ago, and leads to wherever its name does.
        assert!(!load(None, "gone/patctl.db") && !dir.path().join("gone").exists());
        fs::set_permissions(&runtime, Permissions::from_mode(0o750)).expect("chmod");
        assert!(load(Some(&runtime), "patctl.db"), "beside the database, then");
        assert!(dir.path().join(format!("patctl.db-cache-key-{euid}")).is_file());
    }
}
