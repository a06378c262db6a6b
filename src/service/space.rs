//! Giving the space of deleted rows back to the file system.

use super::prune::PAUSE;
use crate::store::StoreError;
use crate::store::contract::Result;
use crate::store::log::Log;
use crate::store::space::Spacious;

/// Removes what deletions left in the file, in short transactions between which other processes can write.
///
/// # Errors
/// The store's error; the steps before it are committed.
pub fn give_back<S: Spacious + Log>(store: &mut S) -> Result<()> {
    loop {
        match store.give_back() {
            Ok(true) => std::thread::sleep(PAUSE),
            // The next prune does it.
            Ok(false) | Err(StoreError::Busy) => break,
            Err(error) => return Err(error),
        }
    }
    // The file shrinks when its log is folded in.
    store.settle();
    Ok(())
}
