//! Many rows at once, without the CHECKs of the schema.

use super::{Result, failed};
use rusqlite::Connection;

/// As long as it lives, no CHECK of the schema is evaluated: a list of words in one is made a table of its own for
/// every row, which costs as much as the row. Only for rows whose every value is of a type that holds what the
/// CHECKs ask for.
pub struct Unchecked<'s>(&'s Connection);

impl<'s> Unchecked<'s> {
    pub fn new(db: &'s Connection) -> Result<Self> {
        db.pragma_update(None, "ignore_check_constraints", true).map_err(failed)?;
        Ok(Self(db))
    }
}

impl Drop for Unchecked<'_> {
    fn drop(&mut self) {
        // A flag of the connection; setting it cannot fail where it could be set before.
        let _ = self.0.pragma_update(None, "ignore_check_constraints", false);
    }
}
