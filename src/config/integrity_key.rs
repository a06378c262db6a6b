//! The key of the seals: the file that `patctl.integrity.key.file` names.
//!
//! A new one lies under another name, with `.new` behind it, until the rows are sealed with it. So the named
//! file never holds a key that no row knows, and whoever dies in between leaves both halves for the next.

use super::private_file::{self, Unusable};
use crate::domain::dice::Dice;
use crate::domain::integrity::{IntegrityKey, KeyFile, PIN_ROWS, pin};
use crate::files::Route;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The key in the file; `None` where there is no such file.
///
/// # Errors
/// The file is there and cannot be used, in words that say how to mend it.
pub fn load(path: &Path, euid: u32) -> Result<Option<KeyFile>, Unusable> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
        Ok(_) => read(path, euid).map(Some),
    }
}

fn read(path: &Path, euid: u32) -> Result<KeyFile, Unusable> {
    let bytes = private_file::read(path, euid)?;
    KeyFile::parse(&bytes).map_err(|_| "this is no key".into())
}

/// The key that waits to become the one in the file: a new one, or one that somebody else has made; `None`
/// where it has become that one meanwhile.
///
/// # Errors
/// It cannot be made or read.
pub fn pending(
    path: &Path,
    euid: u32,
    installation: &str,
    dice: &mut Dice,
) -> Result<Option<KeyFile>, Unusable> {
    let waiting = beside(path, ".new");
    let route = Route::to(path, euid).map_err(|e| format!("it is not there, and cannot be made: {e}"))?;
    if let Some(weak) = route.weak {
        return Err(format!("it is not there, and is not made where others could exchange it: {weak}").into());
    }
    if fs::symlink_metadata(&waiting).is_err() {
        match make(&waiting, &IntegrityKey::generate(dice), installation) {
            Ok(()) => {}
            // Whoever was faster made the key of all.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(format!("it is not there, and cannot be made: {e}").into()),
        }
    }
    load(&waiting, euid)
}

/// Gives the waiting key its name; false where there is one of that name by now.
///
/// # Errors
/// What the system said.
pub fn publish(path: &Path) -> io::Result<bool> {
    // A link, unlike a rename, does not replace the key of somebody faster.
    match fs::hard_link(beside(path, ".new"), path) {
        Ok(()) => {
            sync_directory(path)?;
            forget(path);
            Ok(true)
        }
        Err(_) if fs::symlink_metadata(path).is_ok() => {
            forget(path);
            Ok(false)
        }
        Err(e) => Err(e),
    }
}

/// Removes the waiting key: another has its place.
pub fn forget(path: &Path) {
    // Best effort: what stays behind is a key that seals nothing, or a second name of the one that does.
    let _ = fs::remove_file(beside(path, ".new"));
}

/// Written under a name of its own first: no process reads half a key.
fn make(waiting: &Path, key: &IntegrityKey, installation: &str) -> io::Result<()> {
    let mut text = key.to_text();
    text.push_str(&pin(installation));
    text.push_str(PIN_ROWS);
    let draft = beside(waiting, &format!(".{}", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::hard_link(&draft, waiting));
    let _ = fs::remove_file(&draft);
    written.and_then(|()| sync_directory(waiting))
}

/// Adds a line to the key in the file that says what it is used for.
///
/// # Errors
/// The file cannot be written.
pub fn write_pin(path: &Path, euid: u32, line: &str) -> io::Result<()> {
    let bytes = private_file::read(path, euid).map_err(|unusable| io::Error::other(unusable.why))?;
    let mut file = OpenOptions::new().append(true).open(path)?;
    // What was opened is what has the name, and that is no link.
    let (opened, named) = (file.metadata()?, fs::symlink_metadata(path)?);
    let same = (opened.dev(), opened.ino()) == (named.dev(), named.ino());
    if !same || !named.is_file() || opened.uid() != euid {
        return Err(io::Error::other("it is a link, or somebody else's"));
    }
    let line_end = if bytes.last() == Some(&b'\n') { "" } else { "\n" };
    file.write_all(format!("{line_end}{line}").as_bytes())?;
    file.sync_all()
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new("."))).and_then(|directory| directory.sync_all())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
