//! Files with a secret in them: keys and credentials. Only their owner may read them.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// The most bytes of a secret that are read.
const MAX_BYTES: usize = 4096;

/// Reads a file of at most 4 KiB that nobody but its owner can read or write, and that belongs to
/// `euid` or root.
///
/// # Errors
/// What is wrong with it, in words that say how to mend it.
pub fn read(path: &Path, euid: u32) -> Result<Zeroizing<Vec<u8>>, String> {
    let text = |e: std::io::Error| e.to_string();
    // Asked before it is opened: opening a FIFO would wait for a writer.
    check(&fs::metadata(path).map_err(text)?, euid)?;
    let file = File::open(path).map_err(text)?;
    check(&file.metadata().map_err(text)?, euid)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES + 1));
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(text)?;
    if bytes.len() > MAX_BYTES {
        return Err("it is larger than 4 KiB; this is no key".to_owned());
    }
    Ok(bytes)
}

fn check(file: &fs::Metadata, euid: u32) -> Result<(), String> {
    if !file.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if file.uid() != euid && file.uid() != 0 {
        return Err(format!("it belongs to uid {}, which is neither root nor you", file.uid()));
    }
    if file.mode() & 0o077 != 0 {
        return Err(format!("others can read it (mode {:03o}); 'chmod 600' it", file.mode() & 0o777));
    }
    Ok(())
}
