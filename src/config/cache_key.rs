//! The key of the auth cache: a file of its own, made at first use. Without one there is no cache, and
//! that is all: every secret is then proved by Argon2.

use super::private_file;
use crate::domain::cache::CacheKey;
use crate::domain::dice::Dice;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

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
    match fs::symlink_metadata(path) {
        Ok(_) => read(path, euid),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            // Whoever was faster made the key of all.
            let _ = make(path, dice);
            read(path, euid)
        }
        Err(_) => None,
    }
}

fn read(path: &Path, euid: u32) -> Option<CacheKey> {
    CacheKey::from_bytes(&private_file::read(path, euid).ok()?)
}

/// Written under another name first: no process reads half a key.
fn make(path: &Path, dice: &mut Dice) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        fs::DirBuilder::new().mode(0o700).create(parent)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(CacheKey::generate(dice).as_bytes()))
        // A link, unlike a rename, does not replace the key of somebody faster.
        .and_then(|()| fs::hard_link(&draft, path));
    let _ = fs::remove_file(&draft);
    written
}
