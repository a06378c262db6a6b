//! What the system says, in our words. That it has no descriptors or memory left is no matter of rights, and no fault
//! of the database.

use crate::files::is_exhaustion;
use crate::store::StoreError;
use std::fs::File;
use std::io;
use std::path::Path;

/// The file, its log, the index of that, and one for a look at a directory or a key.
const DESCRIPTORS: usize = 4;

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
