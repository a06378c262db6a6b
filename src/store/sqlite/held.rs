//! The tokens of a backup while a restore decides about them: read once into memory, where nobody else can write, and
//! what was checked there is what is sealed. Meanwhile `token` and `restriction` name what is held.

use super::{Result, failed, schema};
use crate::store::StoreError;
use rusqlite::Connection;

/// Rows are moved as they are: one that is against a CHECK is damaged, and no reason to give the others up.
const UNCHECKED: &str = "ignore_check_constraints";

/// Without its foreign key: a line without a token goes nowhere.
const RESTRICTIONS: &str = "\
CREATE TEMP TABLE restriction (token INTEGER NOT NULL, position INTEGER NOT NULL, rule TEXT NOT NULL,
  PRIMARY KEY (token, position)) WITHOUT ROWID;
INSERT INTO temp.token SELECT * FROM main.token ORDER BY seq;
INSERT INTO temp.restriction SELECT * FROM main.restriction";

const BACK: &str = "\
DELETE FROM main.restriction; DELETE FROM main.token;
INSERT INTO main.token SELECT * FROM temp.token ORDER BY seq;
INSERT INTO main.restriction SELECT * FROM temp.restriction
  WHERE token IN (SELECT seq FROM temp.token) ORDER BY token, position;
DROP TABLE temp.restriction; DROP TABLE temp.token";

/// Reads the tokens and their restrictions, for the last time.
pub fn take(db: &Connection) -> Result<()> {
    let token = schema::definition("token")
        .and_then(|sql| sql.strip_prefix("CREATE TABLE "))
        .ok_or_else(|| StoreError::Damaged("there is no table of tokens".to_owned()))?;
    unchecked(db, &format!("CREATE TEMP TABLE {token}; {RESTRICTIONS}"))
}

/// Writes what is held in their place, and forgets it.
pub fn put_back(db: &Connection) -> Result<()> {
    unchecked(db, BACK)
}

fn unchecked(db: &Connection, sql: &str) -> Result<()> {
    let set = |on: bool| db.pragma_update(None, UNCHECKED, on).map_err(failed);
    set(true)?;
    let done = db.execute_batch(sql).map_err(failed);
    set(false)?;
    // A statement that is kept means the table that had the name when it was compiled.
    db.flush_prepared_statement_cache();
    done
}

#[cfg(test)]
mod tests {
    use super::super::integrity::Seals;
    use super::super::reseal;
    use super::*;

    fn database() -> Connection {
        let mut db = Connection::open_in_memory().expect("a database in memory");
        schema::migrate(&mut db).expect("the migrations run");
        db.execute_batch(
            "INSERT INTO token (id, name, user, auth, verifier, created_at, restricted) VALUES \
             ('aaaaaaaaaa', 'one', 'alice', 'both', '$none$', '2026-11-21T12:00:00.000000Z', 1), \
             ('bbbbbbbbbb', 'two', 'mallory', 'both', '$none$', '2026-11-21T12:00:00.000000Z', 0);
             INSERT INTO restriction VALUES (1, 1, '/a')",
        )
        .expect("two tokens");
        reseal::fill(&db).expect("seals");
        db
    }

    /// Somebody who can write the file does so after the rows were checked: what he wrote is neither sealed nor kept.
    #[test]
    fn what_is_written_after_the_check_is_not_sealed() {
        let (db, seals) = (database(), Seals::default());
        // Statements that were compiled before mean the file, and must not be used again.
        assert_eq!(reseal::credible(&db, &seals, false).expect("rows"), [1, 2]);
        take(&db).expect("what is held");
        let credible = reseal::credible(&db, &seals, false).expect("rows");
        assert_eq!(credible, [1, 2]);
        db.execute_batch(
            "UPDATE main.token SET user = 'thechef' WHERE seq = 2; UPDATE main.restriction SET rule = '.*'; \
             INSERT INTO main.restriction VALUES (1, 2, '/b'); \
             INSERT INTO main.token (id, name, auth, verifier, created_at) \
             VALUES ('cccccccccc', 'three', 'both', '$none$', '2026-11-21T12:00:00.000000Z')",
        )
        .expect("by another hand");
        reseal::reseal_these(&db, &seals, &credible).expect("seals");
        put_back(&db).expect("what was held");
        let text = |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).expect("a text");
        assert_eq!(text("SELECT group_concat(user) FROM main.token"), "alice,mallory");
        assert_eq!(text("SELECT group_concat(rule) FROM main.restriction"), "/a");
        assert_eq!(reseal::credible(&db, &seals, false).expect("rows"), [1, 2]);
    }

    #[test]
    fn a_row_against_a_check_is_kept_as_it_is() {
        let db = database();
        db.execute_batch(
            "PRAGMA ignore_check_constraints = ON; UPDATE token SET auth = 'telepathy' WHERE seq = 1; \
             PRAGMA ignore_check_constraints = OFF",
        )
        .expect("by hand");
        take(&db).expect("what is held");
        put_back(&db).expect("what was held");
        let auth = db.query_row("SELECT auth FROM token WHERE seq = 1", [], |row| row.get::<_, String>(0));
        assert_eq!(auth.expect("a text"), "telepathy");
        assert_eq!(reseal::credible(&db, &Seals::default(), false).expect("rows"), [2]);
    }
}
