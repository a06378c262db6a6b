//! The key of the seals: the file that `patctl.integrity.key.file` names.
//!
//! A new one lies under another name, with `.new` behind it, until the rows are sealed with it. So the named
//! file never holds a key that no row knows, and whoever dies in between leaves both halves for the next.

use super::private_file::{self, Unusable};
use crate::domain::dice::Dice;
use crate::domain::integrity::{IntegrityKey, KeyFile, PIN_ROWS, pin};
use crate::files::{Directory, Route};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

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
    parse(&private_file::read(path, euid)?)
}

fn parse(bytes: &[u8]) -> Result<KeyFile, Unusable> {
    KeyFile::parse(bytes).map_err(|_| "this is no key".into())
}

/// A directory that nobody else can exchange entries of, and the name of the key in it: whatever is done is done there.
struct Home {
    directory: Directory,
    name: OsString,
}

impl Home {
    fn of(path: &Path, euid: u32) -> Result<Self, Unusable> {
        let route = Route::to(path, euid)?;
        if let Some(weak) = route.weak {
            return Err(format!("others could exchange it: {weak}").into());
        }
        let directory = Directory::of(&route.path)?;
        let (opened, seen) = (directory.metadata()?, route.directory);
        if (opened.dev(), opened.ino()) != (seen.dev(), seen.ino()) {
            return Err("its directory was exchanged".into());
        }
        Ok(Self { directory, name: route.path.file_name().unwrap_or_default().to_owned() })
    }

    fn beside(&self, suffix: &str) -> OsString {
        let mut name = self.name.clone();
        name.push(suffix);
        name
    }
}

/// A key that waits to become the one in the file.
pub struct Waiting {
    /// The key.
    pub file: KeyFile,
    home: Home,
    name: OsString,
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
) -> Result<Option<Waiting>, Unusable> {
    let home = Home::of(path, euid).map_err(Unusable::unmade)?;
    let name = home.beside(".new");
    if !home.directory.has(&name)? {
        match make(&home, &name, &IntegrityKey::generate(dice), installation) {
            // Whoever was faster made the key of all.
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(Unusable::from(e).unmade()),
            _ => {}
        }
    }
    let file = match home.directory.read(&name) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => parse(&private_file::from(&file?, euid)?)?,
    };
    Ok(Some(Waiting { file, home, name }))
}

impl Waiting {
    /// Gives it its name; false where there is one of that name by now.
    ///
    /// # Errors
    /// What the system said.
    pub fn publish(self) -> io::Result<bool> {
        // A link, unlike a rename, does not replace the key of somebody faster.
        let directory = &self.home.directory;
        match directory.link(&self.name, &self.home.name) {
            Ok(()) => {
                directory.sync()?;
                self.forget();
                Ok(true)
            }
            Err(_) if directory.has(&self.home.name)? => {
                self.forget();
                Ok(false)
            }
            Err(e) => Err(e),
        }
    }

    /// Removes it: another has its place.
    pub fn forget(self) {
        // Best effort: what stays behind is a key that seals nothing, or a second name of the one that does.
        let _ = self.home.directory.remove(&self.name);
    }
}

/// Written under a name of its own first: no process reads half a key.
fn make(home: &Home, waiting: &OsStr, key: &IntegrityKey, installation: &str) -> io::Result<()> {
    let mut text = key.to_text();
    text.push_str(&pin(installation));
    text.push_str(PIN_ROWS);
    let draft = home.beside(&format!(".new.{}", std::process::id()));
    let mut file = home.directory.file(&draft, 0o600)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| home.directory.link(&draft, waiting));
    if home.directory.holds(&draft, &file) {
        let _ = home.directory.remove(&draft);
    }
    written.and_then(|()| home.directory.sync())
}

/// Adds a line to the key in the file that says what it is used for. The file that is written is the one that was read.
///
/// # Errors
/// The file cannot be written.
pub fn write_pin(path: &Path, euid: u32, line: &str) -> Result<(), Unusable> {
    let home = Home::of(path, euid)?;
    let mut file = home.directory.append(&home.name)?;
    if file.metadata()?.uid() != euid {
        return Err("it is somebody else's".into());
    }
    let bytes = private_file::from(&file, euid)?;
    let line_end = if bytes.last() == Some(&b'\n') { "" } else { "\n" };
    file.write_all(format!("{line_end}{line}").as_bytes())?;
    Ok(file.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// The name of a database.
    const IT: &str = "00112233445566778899aabbccddeeff";

    fn dice() -> Dice {
        Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(1)))
    }

    #[test]
    fn a_key_is_published_where_it_was_made_whatever_the_name_leads_to_by_then() {
        let dir = tempfile::tempdir().expect("a directory");
        let [keys, moved] = ["keys", "moved"].map(|name| dir.path().join(name));
        let (path, euid) = (keys.join("seal.key"), crate::files::me());
        fs::create_dir(&keys).expect("a directory");
        let [first, second] =
            [(); 2].map(|()| pending(&path, euid, IT, &mut dice()).expect("a key").expect("one waits"));
        fs::rename(&keys, &moved).expect("a rename");
        fs::create_dir(&keys).expect("another directory");
        assert!(first.publish().expect("a key"));
        assert!(!second.publish().expect("an answer"), "the one that was faster stays");
        let names = |dir: &Path| {
            let names = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("one").file_name());
            names.collect::<Vec<_>>()
        };
        assert_eq!((names(&moved), names(&keys)), (vec![OsString::from("seal.key")], vec![]));
        let made = load(&moved.join("seal.key"), euid).expect("a key").expect("it is there");
        assert_eq!(made.installation.as_deref(), Some(IT));
    }

    #[test]
    fn what_a_key_is_for_is_written_into_the_key_and_no_other_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, euid) = (dir.path().join("seal.key"), crate::files::me());
        let waiting = pending(&path, euid, IT, &mut dice()).expect("a key").expect("one waits");
        assert!(waiting.publish().expect("a key"));
        write_pin(&path, euid, "x y\n").expect("a line");
        assert!(fs::read_to_string(&path).expect("it").ends_with("\nx y\n"));
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        let before = fs::read(&path).expect("it");
        assert!(write_pin(&link, euid, "z\n").is_err(), "a link");
        assert_eq!(fs::read(&path).expect("it"), before);
        let gone = write_pin(&dir.path().join("gone"), euid, "z\n").expect_err("it is not there");
        assert!(!gone.passes && !dir.path().join("gone").exists());
    }
}
