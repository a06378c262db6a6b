//! Counting, in one pass over the table.

use super::{Result, SqliteStore, query, reads, rows};
use crate::domain::pat::Status;
use crate::store::census::{Census, Counts};
use crate::store::survey::Choice;
use rusqlite::params_from_iter;

impl Census for SqliteStore {
    fn census(&self, choice: &Choice<'_>) -> Result<Counts> {
        let query::Statement { sql, values } = query::census(choice);
        let counts = reads::collect(&self.db, &sql, params_from_iter(values), |row| {
            let mut counts = Counts::default();
            for (at, count) in counts.by_status.iter_mut().enumerate() {
                *count = rows::integer(row, at, "count")?.unsigned_abs();
            }
            counts.next_expiry = rows::maybe(row, Status::ALL.len(), "expires_at")?;
            Ok(counts)
        })?;
        Ok(counts.into_iter().next().unwrap_or_default())
    }
}
