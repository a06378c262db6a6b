//! The survey: three statements over one state of the database.

use super::query::{self, Statement};
use super::rows::{self, text};
use super::{Result, SqliteStore, failed, reads};
use crate::domain::moment::Moment;
use crate::store::survey::{Caller, Choice, Survey, Surveyor};
use rusqlite::{Connection, params_from_iter};
use std::ops::ControlFlow;

impl Survey for SqliteStore {
    fn survey(&self, choice: &Choice<'_>, into: &mut dyn Surveyor) -> Result<Option<Moment>> {
        // Deferred, and it only reads: all statements see the state that the first one saw.
        let state = self.db.unchecked_transaction().map_err(failed)?;
        tokens(&state, choice, into)?;
        holders(&state, choice, into)?;
        calls(&state, choice, into)?;
        let since = "SELECT at FROM audit ORDER BY seq LIMIT 1";
        Ok(reads::collect(&state, since, [], |row| rows::parsed(row, 0, "at"))?.pop())
    }
}

fn tokens(db: &Connection, choice: &Choice<'_>, into: &mut dyn Surveyor) -> Result<()> {
    let Statement { sql, values } = query::chosen(choice, |condition| {
        format!("SELECT {}, restricted FROM token NOT INDEXED WHERE {condition}", rows::LIFE)
    });
    reads::each_row(db, &sql, params_from_iter(values), |row| {
        into.token(&rows::life(row)?, rows::integer(row, rows::LIFE_WIDTH, "restricted")? != 0);
        Ok(ControlFlow::Continue(()))
    })
}

fn holders(db: &Connection, choice: &Choice<'_>, into: &mut dyn Surveyor) -> Result<()> {
    let Statement { sql, values } = query::chosen(choice, |condition| {
        format!("SELECT user, count(*) FROM token WHERE {condition} GROUP BY user ORDER BY user")
    });
    reads::each_row(db, &sql, params_from_iter(values), |row| {
        let count = rows::integer(row, 1, "count")?.unsigned_abs();
        into.holder(rows::optional(row, 0, "user")?, count);
        Ok(ControlFlow::Continue(()))
    })
}

fn calls(db: &Connection, choice: &Choice<'_>, into: &mut dyn Surveyor) -> Result<()> {
    // Counted first and looked up then: a token is called more often than once.
    let Statement { sql, values } = query::chosen(choice, |condition| {
        format!(
            "SELECT id, name, user, allowed, denied FROM (SELECT token_id, \
             count(*) FILTER (WHERE outcome = 'allowed') AS allowed, \
             count(*) FILTER (WHERE outcome = 'denied') AS denied \
             FROM audit WHERE action = 'verify' GROUP BY token_id) \
             CROSS JOIN token ON id = token_id WHERE {condition}"
        )
    });
    reads::each_row(db, &sql, params_from_iter(values), |row| {
        into.caller(&Caller {
            id: rows::parsed(row, 0, "id")?,
            name: text(row, 1, "name")?,
            user: rows::optional(row, 2, "user")?,
            allowed: rows::integer(row, 3, "allowed")?.unsigned_abs(),
            denied: rows::integer(row, 4, "denied")?.unsigned_abs(),
        });
        Ok(ControlFlow::Continue(()))
    })
}
