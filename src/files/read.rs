//! Reading a file once, and judging the descriptor that is read from.

use super::named::named;
use super::route::{Doubt, Route, Weak};
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, fchmod};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file was not read.
#[derive(Debug)]
pub enum ReadError {
    /// What the system said.
    Io(io::Error),
    /// Somebody else could exchange it, or the way to it.
    Weak(Weak),
    /// It is no regular file.
    NotRegular,
    /// Others can read or write it: its mode.
    Exposed(u32),
    /// It has more bytes than are read.
    TooLong,
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Weak(weak) => write!(f, "{weak}"),
            Self::NotRegular => f.write_str("it is not a regular file"),
            Self::Exposed(mode) => write!(f, "others can read it (mode {mode:03o}); 'chmod 600' it"),
            Self::TooLong => f.write_str("it is too long"),
        }
    }
}

/// Opens to read: a link in the last component is refused, a FIFO is not waited for, a terminal does not become the
/// one of this process.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

/// A descriptor that tells what a file is and does nothing else: opening it has no effect on a device, and closing it
/// gives up no lock.
///
/// # Errors
/// What the system said.
pub fn look(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_PATH;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    let found = file.metadata()?;
    Ok((file, found))
}

/// Opens a regular file to read, and no link to one.
///
/// # Errors
/// What the system said.
pub fn plain(path: &Path) -> io::Result<File> {
    match regular(path) {
        Ok(file) => Ok(file),
        Err(ReadError::Io(error)) => Err(error),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    }
}

/// Reads a file with a secret: a regular file that only its owner can read or write, with every directory that leads
/// to it; all of them belong to root or the caller.
///
/// # Errors
/// [`ReadError`]
pub fn private(path: &Path, euid: u32, most: usize) -> Result<Vec<u8>, ReadError> {
    let (path, _, weak) = Route::through(path, euid)?;
    // The mode of the file itself is told in words of its own.
    let of_directory = weak.filter(|weak| weak.path != path || matches!(weak.doubt, Doubt::Owner(_)));
    if let Some(weak) = of_directory {
        return Err(ReadError::Weak(weak));
    }
    secret(&regular(&path)?, euid, most)
}

/// Reads a file with a secret, from its beginning: [`private`] for one that was opened where nobody else can exchange
/// it.
///
/// # Errors
/// [`ReadError`]
pub fn secret(file: &File, euid: u32, most: usize) -> Result<Vec<u8>, ReadError> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(ReadError::NotRegular);
    }
    if found.mode() & 0o077 != 0 {
        return Err(ReadError::Exposed(found.mode() & 0o777));
    }
    if found.uid() != 0 && found.uid() != euid {
        return Err(ReadError::Weak(Weak { path: PathBuf::from("it"), doubt: Doubt::Owner(found.uid()) }));
    }
    bounded(file, most)
}

/// Reads a file that the caller made for itself: regular, with one name, its own and nobody else's to read or write.
/// Whoever exchanges the name can put none of theirs there.
///
/// # Errors
/// [`ReadError`]
pub fn mine_alone(path: &Path, euid: u32, most: usize) -> Result<Vec<u8>, ReadError> {
    let file = open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.nlink() != 1 {
        return Err(ReadError::NotRegular);
    }
    if found.uid() != euid || found.mode() & 0o077 != 0 {
        return Err(ReadError::Exposed(found.mode() & 0o777));
    }
    bounded(file, most)
}

/// Reads a file that others may read, but neither write nor exchange.
///
/// # Errors
/// [`ReadError`]
pub fn own(path: &Path, euid: u32, most: usize) -> Result<Vec<u8>, ReadError> {
    read(path, euid, most, true)
}

/// Reads a file of anybody.
///
/// # Errors
/// [`ReadError`]
pub fn anybodys(path: &Path, euid: u32, most: usize) -> Result<Vec<u8>, ReadError> {
    read(path, euid, most, false)
}

fn read(path: &Path, euid: u32, most: usize, strict: bool) -> Result<Vec<u8>, ReadError> {
    if is_descriptor(path) {
        return handed_over(path, most);
    }
    let (path, found, weak) = Route::through(path, euid)?;
    // Everybody can write the null device, and nobody can put anything in it.
    let null = is_null(&path, &found);
    // In a directory that nobody else can write this cannot become another file.
    if let Some(weak) = weak.filter(|weak| strict && !(null && weak.path == path)) {
        return Err(ReadError::Weak(weak));
    }
    if null {
        return Ok(Vec::new());
    }
    bounded(regular(&path)?, most)
}

/// The effective user id of this process.
#[must_use]
pub fn me() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Whether a path names a descriptor of this process, as `<(…)` does.
fn is_descriptor(path: &Path) -> bool {
    let number = ["/dev/fd", "/proc/self/fd"].iter().find_map(|directory| path.strip_prefix(directory).ok());
    let digits = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    number.and_then(Path::to_str).is_some_and(digits)
}

/// Whether this is the null device.
fn is_null(path: &Path, found: &Metadata) -> bool {
    path == Path::new("/dev/null") && found.file_type().is_char_device()
}

/// Reads what the caller opened: a file or a pipe, for which is not waited for ever.
fn handed_over(path: &Path, most: usize) -> Result<Vec<u8>, ReadError> {
    let given = named(path)?;
    if !given.kind().is_file() && !given.kind().is_fifo() {
        return Err(ReadError::NotRegular);
    }
    bounded(given, most)
}

fn regular(path: &Path) -> Result<File, ReadError> {
    // Asked before it is opened: opening a device may do something.
    if !look(path)?.1.is_file() {
        return Err(ReadError::NotRegular);
    }
    let file = open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(ReadError::NotRegular) }
}

fn bounded(file: impl Read, most: usize) -> Result<Vec<u8>, ReadError> {
    // One allocation: what a secret outgrew would not be wiped.
    let mut bytes = Vec::with_capacity(most.min(1 << 13) + 1);
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most { Err(ReadError::TooLong) } else { Ok(bytes) }
}

/// Takes permissions away from a file or directory that belongs to the caller: on its descriptor, from the mode that
/// the descriptor has, without ever setting a set-id bit. `away` says which, given that mode.
///
/// # Errors
/// What the system said; [`io::ErrorKind::PermissionDenied`] where it belongs to somebody else.
pub fn tighten(path: &Path, euid: u32, away: impl Fn(&Metadata) -> u32) -> io::Result<u32> {
    let route = Route::to(path, euid)?;
    // In a directory that is shared the last name may be exchanged, which the descriptor shows; not the way to it.
    let shared = |weak: &Weak| {
        matches!(weak.doubt, Doubt::Writable(_)) && Some(weak.path.as_path()) == route.path.parent()
    };
    if euid == 0 && route.weak.as_ref().is_some_and(|weak| !shared(weak)) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let file = open(&route.path)?;
    let found = file.metadata()?;
    let fit = found.is_dir() || (found.is_file() && found.nlink() == 1);
    if found.uid() != euid || !fit {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let due = mode_now(&found) & !away(&found);
    fchmod(&file, Mode::from_bits_truncate(due))?;
    Ok(due)
}

/// The mode of a file without its set-id bits; a directory keeps what makes it shared.
#[must_use]
pub fn mode_now(found: &Metadata) -> u32 {
    found.mode() & if found.is_dir() { 0o3777 } else { 0o777 }
}
