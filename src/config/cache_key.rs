//! The key of the auth cache: a file of its own, made at first use. Without one there is no cache, and
//! that is all: every secret is then proved by Argon2.

use crate::domain::cache::CacheKey;
use crate::domain::dice::Dice;
use crate::files::{self, NewFile, ReadError};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// More bytes than a key has.
const LONGEST: usize = 64;

/// Where the key is: in the runtime directory of the user, which is gone after a restart, else beside the
/// database, under a name for each user: who shares a database does not share the key.
#[must_use]
pub fn path(runtime: Option<&OsStr>, database: &Path, euid: u32) -> PathBuf {
    if let Some(runtime) = runtime.map(Path::new).filter(|runtime| runtime.is_absolute())
        && fs::metadata(runtime)
            .is_ok_and(|dir| dir.is_dir() && dir.uid() == euid && dir.mode() & 0o777 == 0o700)
    {
        return runtime.join("patctl/cache.key");
    }
    let mut name = database.as_os_str().to_owned();
    name.push(format!("-cache-key-{euid}"));
    name.into()
}

/// The key in the file, or a new one in a new file. `None` where that cannot be: the file is not ours
/// alone, is no key, or cannot be made.
pub fn load(path: &Path, euid: u32, dice: &mut Dice) -> Option<CacheKey> {
    match files::mine_alone(path, euid, LONGEST) {
        Err(ReadError::Io(e)) if e.kind() == io::ErrorKind::NotFound => {
            // Another process may have created it first; that key is used then.
            let _ = make(path, dice);
            read(files::mine_alone(path, euid, LONGEST))
        }
        other => read(other),
    }
}

fn read(bytes: Result<Vec<u8>, ReadError>) -> Option<CacheKey> {
    CacheKey::from_bytes(&Zeroizing::new(bytes.ok()?))
}

/// Written under another name first: no process reads half a key.
fn make(path: &Path, dice: &mut Dice) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        fs::DirBuilder::new().mode(0o700).create(parent)?;
    }
    let name = path.file_name().unwrap_or_default();
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let mut new = NewFile::make(Path::new(&draft), 0o600)?;
    let made = new.file.write_all(CacheKey::generate(dice).as_bytes()).and_then(|()| new.rename(name));
    if !matches!(made, Ok(true)) {
        new.take_back();
    }
    made.map(|_| ())
}
