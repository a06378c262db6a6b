//! What the system says, in our words. That it has no descriptors or memory left is no matter of rights, and no fault
//! of the database.

use crate::store::StoreError;
use nix::errno::Errno;
use std::fs::File;
use std::io;
use std::path::Path;

/// The file, its log, the index of that, and one for a look at a directory or a key.
const DESCRIPTORS: usize = 4;

/// Whether the system, or a limit of this process, has nothing left to give.
fn is_exhaustion(e: &io::Error) -> bool {
    e.raw_os_error().is_some_and(|number| {
        matches!(Errno::from_raw(number), Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::EAGAIN)
    })
}

/// What the system says when it is asked for as many descriptors as an open database takes, where it has none:
/// SQLite says only that it cannot open a file.
pub fn lack_of_descriptors() -> Option<io::Error> {
    let mut held = Vec::with_capacity(DESCRIPTORS);
    for _ in 0..DESCRIPTORS {
        match File::open("/") {
            Ok(file) => held.push(file),
            Err(e) => return is_exhaustion(&e).then_some(e),
        }
    }
    None
}

/// An error of the system about a file.
pub fn io_error(path: &Path, e: &io::Error) -> StoreError {
    match e.kind() {
        _ if is_exhaustion(e) => StoreError::Exhausted(format!("{}: {e}", path.display())),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::Permission(format!("{}: {e}", path.display()))
        }
        _ => StoreError::Io(format!("{}: {e}", path.display())),
    }
}
