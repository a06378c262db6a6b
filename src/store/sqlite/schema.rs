//! The schema: migrations, the version they lead to, and the comparison with what a file holds.

use super::stranger::{self, Stranger};
use super::{Result, failed, head, log, open, reseal};
use crate::store::StoreError;
use crate::store::error::SchemaFault as Fault;
use crate::store::examine::Identity;
use rusqlite::{Connection, TransactionBehavior};

/// What was released, in order. Append-only.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_tokens.sql"),
    include_str!("migrations/0002_requests.sql"),
    include_str!("migrations/0003_life.sql"),
    include_str!("migrations/0004_cache.sql"),
    include_str!("migrations/0005_origin.sql"),
    include_str!("migrations/0006_integrity.sql"),
    include_str!("migrations/0007_record.sql"),
    include_str!("migrations/0008_seals.sql"),
    include_str!("migrations/0009_actor.sql"),
];

/// What `sqlite_schema` must hold after all migrations; a test keeps it current.
const EXPECTED: &str = include_str!("schema.txt");

/// The schema from which on each row of the audit log has a hash.
const CHAINED: i64 = 3;

/// The schema from which on each row of a token has a seal.
const SEALED: i64 = 6;

/// The schema from which on the log has a head of its own.
const HEADED: i64 = 7;

/// The schema from which on a seal covers all that leaves the database.
const WIDE: i64 = 8;

/// `PATC`: marks the file as ours (`file(1)` and [`check`] look at it).
pub const APPLICATION_ID: i64 = 0x5041_5443;

/// The newest schema this program knows.
#[expect(clippy::cast_possible_wrap, reason = "a handful of migrations")]
pub const VERSION: i64 = MIGRATIONS.len() as i64;

fn pragma(db: &Connection, name: &str) -> Result<i64> {
    db.pragma_query_value(None, name, |row| row.get(0)).map_err(failed)
}

/// Brings an empty or older database to [`VERSION`], in one transaction.
pub fn migrate(db: &mut Connection) -> Result<()> {
    open::synchronous(db, 2)?;
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version = pragma(&change, "user_version")?;
    for (number, sql) in (1..).zip(MIGRATIONS).filter(|(number, _)| *number > version) {
        change.execute_batch(sql).map_err(failed)?;
        change.pragma_update(None, "user_version", number).map_err(failed)?;
    }
    if version < CHAINED {
        log::fill(&change)?;
    }
    // Once: a row without a seal is not believed from then on. Where a key is due, what is made here is not
    // believed either, so that putting the version back helps nobody.
    if version < SEALED {
        reseal::fill(&change)?;
    }
    if version < HEADED {
        head::found(&change)?;
    }
    if version < WIDE {
        reseal::widen_plain(&change)?;
    }
    change.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    change.commit().map_err(failed)
}

/// Brings a database that an older patctl made up to date, and refuses what is not ours, what is newer,
/// and what somebody altered.
pub fn upgrade(db: &mut Connection) -> Result<()> {
    let (version, application) = marks(db)?;
    if (1..VERSION).contains(&version) && application == APPLICATION_ID && dumped(db)?.is_none() {
        migrate(db)?;
        return check(db);
    }
    judge(db, version, application)
}

/// Refuses what is not ours, what is newer, and what somebody altered.
pub fn check(db: &Connection) -> Result<()> {
    let (version, application) = marks(db)?;
    judge(db, version, application)
}

/// Marks a database that `sqlite3 .dump` and a new `sqlite3` made: its tables are patctl's, and the marks in its
/// header are lost. False for any other, which is left as it is.
pub fn mark_dump(db: &Connection) -> Result<bool> {
    let Some(version) = dumped(db)? else { return Ok(false) };
    db.pragma_update(None, "user_version", version).map_err(failed)?;
    db.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    Ok(true)
}

/// The schema of a database whose marks are lost.
fn dumped(db: &Connection) -> Result<Option<i64>> {
    let marks = marks(db)?;
    // A number that was put back by hand, where the tables are those of today, leads to the same.
    let put_back = (1..VERSION).contains(&marks.0) && marks.1 == APPLICATION_ID;
    if marks != (0, 0) && !put_back {
        return Ok(None);
    }
    if compare(db).is_ok() {
        return Ok(Some(VERSION));
    }
    if put_back {
        return Ok(None);
    }
    let objects = |db: &Connection| -> Result<Vec<String>> {
        let mut objects = Vec::new();
        each_object(db, |object| objects.push(object.to_owned()))?;
        objects.sort();
        Ok(objects)
    };
    let found = objects(db)?;
    let made = Connection::open_in_memory().map_err(failed)?;
    for (number, sql) in (1..).zip(MIGRATIONS) {
        made.execute_batch(sql).map_err(failed)?;
        if objects(&made)? == found {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// What a command says of a database whose marks are lost.
fn unmarked(version: i64) -> Fault {
    let cure = format!("PRAGMA user_version = {version}; PRAGMA application_id = {APPLICATION_ID};");
    Fault {
        what: "user_version and application_id, which 'sqlite3 .dump' leaves out".to_owned(),
        cure: Some(cure),
    }
}

/// Whose database it is, and of which schema.
pub fn identity(db: &Connection) -> Result<Identity> {
    let (found, application) = marks(db)?;
    let known = VERSION;
    Ok(match found {
        1.. if found < known && application == APPLICATION_ID && dumped(db)?.is_some() => {
            Identity::Unmarked(unmarked(known))
        }
        _ if application != APPLICATION_ID => match dumped(db)? {
            Some(version) => Identity::Unmarked(unmarked(version)),
            None => Identity::Foreign,
        },
        _ if found > known => Identity::Newer { found, known },
        1.. if found < known => Identity::Older { found, known },
        _ => match judge(db, found, application) {
            Ok(()) => Identity::Ours,
            Err(StoreError::Schema(_)) => Identity::Altered(faults(db)?),
            Err(StoreError::Damaged(what)) => Identity::Altered(vec![Fault { what, cure: None }]),
            Err(error) => return Err(error),
        },
    })
}

/// The version of the schema, and whose database it is.
fn marks(db: &Connection) -> Result<(i64, i64)> {
    Ok((pragma(db, "user_version")?, pragma(db, "application_id")?))
}

fn judge(db: &Connection, version: i64, application: i64) -> Result<()> {
    if application != APPLICATION_ID {
        if let Some(version) = dumped(db)? {
            return Err(StoreError::Schema(unmarked(version)));
        }
        return Err(StoreError::Damaged("it is the database of another program".to_owned()));
    }
    if version > VERSION {
        return Err(StoreError::NewerSchema { found: version, known: VERSION });
    }
    if version < VERSION {
        if let Some(version) = dumped(db)? {
            return Err(StoreError::Schema(unmarked(version)));
        }
        return Err(StoreError::Damaged(format!("it has schema {version}, which was never released")));
    }
    compare(db)
}

/// A trigger, a view or a changed CHECK could turn a refusal into an approval, so this runs before anything is read.
fn compare(db: &Connection) -> Result<()> {
    let mut expected: Vec<&str> = EXPECTED.split_terminator(END).collect();
    let mut strange = false;
    each_object(db, |found| match expected.iter().position(|part| *part == found) {
        Some(known) => drop(expected.swap_remove(known)),
        None => strange = true,
    })?;
    if expected.is_empty() && !strange {
        return Ok(());
    }
    match faults(db)?.into_iter().next() {
        None => Ok(()),
        Some(first) => Err(StoreError::Schema(first)),
    }
}

/// Everything in the schema that must not be there, or is missing.
pub fn faults(db: &Connection) -> Result<Vec<Fault>> {
    let ours: Vec<&str> = EXPECTED.split_terminator(END).collect();
    let mut faults = Vec::new();
    for stranger in strangers(db)? {
        faults.extend(stranger.judge(db, &ours)?);
    }
    let mut missing = ours;
    each_object(db, |found| missing.retain(|part| *part != found))?;
    // An object that was altered is named already.
    missing.retain(|part| {
        let name = part.lines().next().unwrap_or_default().trim_start_matches("-- ");
        !faults.iter().any(|fault| fault.what.eq_ignore_ascii_case(name))
    });
    faults.extend(missing.into_iter().map(stranger::missing));
    Ok(faults)
}

/// Objects that patctl did not create and that it tolerates.
pub fn tolerated(db: &Connection) -> Result<Vec<String>> {
    let ours: Vec<&str> = EXPECTED.split_terminator(END).collect();
    let mut found = Vec::new();
    for stranger in strangers(db)? {
        if stranger.judge(db, &ours)?.is_none() {
            found.push(stranger.shown());
        }
    }
    Ok(found)
}

fn strangers(db: &Connection) -> Result<Vec<Stranger>> {
    let ours: Vec<&str> = EXPECTED.split_terminator(END).collect();
    let sql = "SELECT type, name, sql, tbl_name, rootpage FROM sqlite_schema";
    let mut statement = db.prepare(sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let (mut text, mut found) = (String::new(), Vec::new());
    while let Some(row) = rows.next().map_err(failed)? {
        if object(row, &mut text) && !ours.contains(&text.as_str()) {
            found.push(Stranger::read(row));
        }
    }
    Ok(found)
}

const END: &str = ";\n\n";

/// The statement that makes a table.
pub fn definition(table: &str) -> Option<&'static str> {
    let head = format!("-- table {table}\n");
    EXPECTED.split_terminator(END).find_map(|part| part.strip_prefix(&head))
}

/// Each object of the schema as it stands in [`EXPECTED`], in the order of the file.
fn each_object(db: &Connection, mut each: impl FnMut(&str)) -> Result<()> {
    let mut statement = db.prepare("SELECT type, name, sql FROM sqlite_schema").map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut text = String::new();
    while let Some(row) = rows.next().map_err(failed)? {
        if object(row, &mut text) {
            each(&text);
        }
    }
    Ok(())
}

/// Writes a row of `type, name, sql` as it stands in [`EXPECTED`]; false for what SQLite creates itself: the
/// index of a UNIQUE, the statistics of ANALYZE. Those run nothing.
fn object(row: &rusqlite::Row<'_>, text: &mut String) -> bool {
    let part = |i| row.get_ref(i).ok().and_then(|v| v.as_str().ok()).unwrap_or("?");
    if part(1).starts_with("sqlite_") && matches!(part(0), "index" | "table") {
        return false;
    }
    text.clear();
    for piece in ["-- ", part(0), " ", part(1), "\n", part(2)] {
        text.push_str(piece);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_schema_is_what_the_migrations_make() {
        let mut db = Connection::open_in_memory().expect("a database in memory");
        migrate(&mut db).expect("the migrations run");
        let mut parts = Vec::new();
        each_object(&db, |part| parts.push(format!("{part}{END}"))).expect("the schema can be read");
        parts.sort_by_key(|part| part.split([' ', '\n']).nth(2).map(str::to_owned));
        let found = parts.concat();
        if std::env::var_os("UPDATE").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sqlite/schema.txt");
            std::fs::write(path, &found).expect("the source tree can be written");
        } else {
            assert_eq!(found, EXPECTED, "run the tests once with UPDATE=1 and look at the difference");
        }
    }

    #[test]
    fn a_trigger_a_changed_table_or_a_missing_index_is_noticed_by_name() {
        for (sql, name, cure) in [
            (
                "CREATE TRIGGER evil AFTER INSERT ON audit BEGIN DELETE FROM audit; END",
                "trigger evil",
                Some("DROP TRIGGER \"evil\";"),
            ),
            ("CREATE VIEW \"a \"\"view\" AS SELECT 1", "view a \"view", Some("DROP VIEW \"a \"\"view\";")),
            ("ALTER TABLE token ADD COLUMN extra TEXT", "table token", None),
            ("DROP TABLE cache", "table cache is missing", None),
            (
                "DROP INDEX token_user",
                "index token_user is missing",
                Some("CREATE INDEX token_user ON token (user, created_at);"),
            ),
            (
                "DROP INDEX token_user; CREATE INDEX token_user ON token (user)",
                "index token_user",
                Some("DROP INDEX \"token_user\"; CREATE INDEX token_user ON token (user, created_at);"),
            ),
            ("CREATE UNIQUE INDEX one ON audit (token_id)", "index one", Some("DROP INDEX \"one\";")),
            ("CREATE INDEX part ON audit (at) WHERE at > ''", "index part", Some("DROP INDEX \"part\";")),
            ("CREATE INDEX how ON token (json(note))", "index how", Some("DROP INDEX \"how\";")),
            (
                "CREATE TABLE child (of INTEGER REFERENCES TOKEN (seq))",
                "table child",
                Some("DROP TABLE \"child\";"),
            ),
            ("CREATE TABLE computed (a, b AS (a + 1))", "table computed", Some("DROP TABLE \"computed\";")),
            (
                "CREATE TABLE pragma_table_info (a)",
                "table pragma_table_info",
                Some("DROP TABLE \"pragma_table_info\";"),
            ),
        ] {
            let mut db = Connection::open_in_memory().expect("a database in memory");
            migrate(&mut db).expect("the migrations run");
            db.execute_batch(sql).expect("the alteration runs");
            let StoreError::Schema(fault) = check(&db).expect_err(sql) else { panic!("{sql}") };
            assert_eq!((fault.what.as_str(), fault.cure.as_deref()), (name, cure), "{sql}");
            if let Some(cure) = cure {
                db.execute_batch(cure).expect(cure);
                assert_eq!(check(&db), Ok(()), "{cure}");
            }
        }
    }

    #[test]
    fn a_trigger_under_a_name_of_sqlite_is_noticed_and_statistics_are_not() {
        let mut db = Connection::open_in_memory().expect("a database in memory");
        migrate(&mut db).expect("the migrations run");
        db.execute_batch("ANALYZE").expect("statistics");
        assert_eq!(check(&db), Ok(()));
        db.execute_batch(
            "CREATE TRIGGER evil AFTER INSERT ON audit BEGIN DELETE FROM audit; END; PRAGMA writable_schema = ON; \
             UPDATE sqlite_schema SET name = 'sqlite_evil' WHERE name = 'evil'",
        )
        .expect("an alteration by hand");
        let StoreError::Schema(fault) = check(&db).expect_err("a trigger") else { panic!("another error") };
        assert_eq!(fault.what, "trigger sqlite_evil");
    }

    #[test]
    fn a_plain_table_or_index_of_another_program_is_tolerated() {
        let mut db = Connection::open_in_memory().expect("a database in memory");
        migrate(&mut db).expect("the migrations run");
        db.execute_batch(
            "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER);
             CREATE TABLE _litestream_lock (id INTEGER);
             CREATE TABLE lost_and_found (rootpgno INTEGER, pgno INTEGER, nfield INTEGER, id INTEGER, c0, c1);
             CREATE TABLE mine (a UNIQUE, b CHECK (b > 0)); CREATE TABLE theirs (a REFERENCES mine (a));
             CREATE UNIQUE INDEX theirs_a ON theirs (lower(a)) WHERE a > 0;
             CREATE INDEX report ON audit (at DESC, user COLLATE NOCASE); ANALYZE",
        )
        .expect("tables of others");
        assert_eq!(check(&db), Ok(()));
        let found = tolerated(&db).expect("the schema can be read");
        assert_eq!(found.len(), 7, "{found:?}");
        assert!(found.contains(&"index report on audit".to_owned()), "{found:?}");
    }

    #[test]
    fn a_newer_schema_and_a_foreign_database_are_refused() {
        let mut db = Connection::open_in_memory().expect("a database in memory");
        let foreign = "it is the database of another program".to_owned();
        assert_eq!(check(&db), Err(StoreError::Damaged(foreign)));
        migrate(&mut db).expect("the migrations run");
        assert_eq!(check(&db), Ok(()));
        db.pragma_update(None, "user_version", VERSION + 1).expect("a pragma");
        let newer = StoreError::NewerSchema { found: VERSION + 1, known: VERSION };
        assert_eq!(check(&db), Err(newer));
    }
}
