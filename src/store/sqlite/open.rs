//! Opening a database file without trusting it, and making a new one that nobody sees half-made.

use super::draft::Draft;
pub use super::place::{For, absent, fit_directory, resolve, with_rights};
use super::place::{Place, inspect, inspect_directory};
pub use super::system::io_error;
use super::{Result, failed, schema};
use crate::files::{self, Directory};
use crate::store::StoreError;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{AccessFlags, faccessat};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::cell::Cell;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

thread_local! {
    /// Whether this thread waits for locks. A handler is a plain function and can be told nothing.
    static PATIENT: Cell<bool> = const { Cell::new(true) };
}

/// Does something without waiting for any lock.
pub fn impatiently<T>(deed: impl FnOnce() -> T) -> T {
    PATIENT.set(false);
    let done = deed();
    PATIENT.set(true);
    done
}

/// Waits for a lock, about ten seconds in all. Then the status is "busy".
///
/// SQLite's own handler sleeps longer and longer, up to 100 ms, and misses the short gaps that a bulk
/// change leaves between its steps; looking every millisecond or three meets them.
fn wait_for_lock(tries: i32) -> bool {
    if !PATIENT.get() {
        return false;
    }
    std::thread::sleep(Duration::from_millis(if tries < 100 { 1 } else { 3 }));
    tries < 3_300
}

/// An open database and what there is to say about its file.
pub struct Opened {
    pub db: Connection,
    pub path: PathBuf,
    pub warnings: Vec<String>,
}

/// Opens an existing database.
pub fn existing(path: &Path, purpose: For) -> Result<Opened> {
    let place = Place::of(path)?;
    let (file, mut warnings) = inspect(&place, purpose)?;
    let opened = place.within(&place.route.rights(Some(&file)), || match connect_to_change(&place.path) {
        Err(StoreError::Permission(why)) if purpose == For::Looking && !has_log(&place.path) => {
            let db = still(&place.path)?;
            schema::check(&db)?;
            warnings.push(format!("is read as it is, because it cannot be written: {why}"));
            Ok(db)
        }
        other => other,
    });
    Ok(Opened { db: opened?, path: place.path, warnings })
}

fn connect_to_change(path: &Path) -> Result<Connection> {
    let mut db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::upgrade(&mut db)?;
    log_ahead(&db)?;
    Ok(db)
}

/// Whether there is anything in the log beside the file.
fn has_log(path: &Path) -> bool {
    fs::symlink_metadata(companion(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Makes a database where there is none; false when another process was faster.
///
/// It is built under another name and moved into place when it is whole, so that no process ever
/// opens a database without a schema, whenever this one dies.
pub fn create(path: &Path) -> Result<bool> {
    let place = Place::of(path)?;
    inspect_directory(&place)?;
    super::aside::refuse_stray_log(&place.path)?;
    let draft = Draft::beside(path)?;
    build(draft.path())?;
    draft.publish()
}

/// Makes the directory of a database where there is none.
pub fn make_directory(path: &Path) -> Result<()> {
    let directory = parent(path);
    Directory::make_all(directory, 0o700).map_err(|e| io_error(directory, &e))
}

pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Opens an existing database of this very schema, for looking only.
pub fn read_only(path: &Path) -> Result<Opened> {
    let place = Place::of(path)?;
    let (file, warnings) = inspect(&place, For::Looking)?;
    let path = &place.path;
    // Whoever only looks must not leave files behind. Where there is nothing in the log, the file
    // alone is looked at, as it is.
    let mode = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = place.within(&place.route.rights(Some(&file)), || {
        let db = if has_log(path) {
            connect(path, mode)?
        } else {
            connect(&immutable(path), mode | OpenFlags::SQLITE_OPEN_URI)?
        };
        // Nobody waits at a TAB.
        db.busy_timeout(Duration::from_millis(100)).map_err(failed)?;
        schema::check(&db)?;
        Ok(db)
    })?;
    Ok(Opened { db, path: place.path, warnings })
}

/// Opens a file for an examination, whatever its schema, and read-only if it cannot be written.
pub fn unchecked(path: &Path) -> Result<Connection> {
    with_rights(path, |path| {
        let readable = |db: &Connection| db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE);
        match db.and_then(|db| readable(&db).map_err(failed).map(|()| db)) {
            Ok(db) => return Ok(db),
            // The file without its log is an older database, and looks like one that was tampered with.
            Err(lack @ (StoreError::Exhausted(_) | StoreError::Busy)) => return Err(lack),
            Err(_) => {}
        }
        let db = still(path)?;
        if has_log(path) && !may_write(path) {
            let why = "what was written last is in the log beside it, which cannot be read where the database or its \
                       directory cannot be written";
            return Err(StoreError::Permission(format!("{}: {why}", path.display())));
        }
        readable(&db).map_err(failed)?;
        Ok(db)
    })
}

/// Whether the caller may write a file and make others beside it.
fn may_write(path: &Path) -> bool {
    let may = |path: &Path, what: AccessFlags| faccessat(AT_FDCWD, path, what, AtFlags::AT_EACCESS).is_ok();
    may(path, AccessFlags::R_OK | AccessFlags::W_OK)
        && may(parent(path), AccessFlags::W_OK | AccessFlags::X_OK)
}

/// Opens a file that nobody changes, and leaves nothing beside it.
pub fn still(path: &Path) -> Result<Connection> {
    // What the system says of the file, not of the name that SQLite is told.
    files::plain(path).map_err(|e| io_error(path, &e))?;
    connect(&immutable(path), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

/// Opens a backup: where it has a log of its own, a database that was copied with it.
pub fn backup(path: &Path) -> Result<Connection> {
    let place = Place::of(path)?;
    let (file, _) = inspect(&place, For::Looking)?;
    let path = &place.path;
    place.within(&place.route.rights(Some(&file)), || {
        if !has_log(path) {
            return still(path);
        }
        let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Its log is opened now, and not with the rights of somebody else later.
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(failed)?;
        Ok(db)
    })
}

/// Opens a database to write it, whatever is in it.
pub fn present(path: &Path) -> Result<Connection> {
    with_rights(path, |path| {
        let db = writable(path)?;
        log_ahead(&db)?;
        Ok(db)
    })
}

/// Opens a file to write it, whatever is in it.
pub fn writable(path: &Path) -> Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// A path that SQLite cannot be told.
pub fn odd_name(path: &Path) -> StoreError {
    StoreError::Io(format!("{}: a name that is not UTF-8", path.display()))
}

/// The name of a file as SQLite's URI for one that nobody changes while it is looked at.
fn immutable(path: &Path) -> PathBuf {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(*byte));
            }
            other => uri.extend(['%', hex(other >> 4), hex(other & 15)]),
        }
    }
    (uri + "?immutable=1").into()
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0')
}

pub fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection> {
    let flags = mode
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut db = Connection::open_with_flags(path, flags).map_err(|error| {
        // SQLite says "unable to open" for a lack of permission; the system says it better.
        files::plain(path).err().map_or_else(|| failed(error), |e| io_error(path, &e))
    })?;
    db.busy_handler(Some(wait_for_lock)).map_err(failed)?;
    for (option, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
        // Otherwise a look-up of a token is compiled anew for each id: the plan might be another one.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        db.set_db_config(option, on).map_err(failed)?;
    }
    db.pragma_update(None, "cell_size_check", true).map_err(failed)?;
    Ok(db)
}

/// Write-ahead log, set on every open and read back: a file that was copied or altered may say otherwise.
/// How far a commit is synchronised is set, and read back, when a transaction begins.
pub fn log_ahead(db: &Connection) -> Result<()> {
    let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        let set: String =
            db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(failed)?;
        if set != "wal" {
            return Err(StoreError::Io(format!("the write-ahead log cannot be used, only '{set}'")));
        }
    }
    Ok(())
}

/// Sets `synchronous` (1 is NORMAL, 2 is FULL) and reads it back.
pub fn synchronous(db: &Connection, level: i64) -> Result<()> {
    db.pragma_update(None, "synchronous", level).map_err(failed)?;
    let read: i64 = db.pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(failed)?;
    match read {
        set if set == level => Ok(()),
        set => Err(StoreError::Io(format!("synchronous is {set} where {level} was set"))),
    }
}

fn build(draft: &Path) -> Result<()> {
    let mut db = connect(draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    super::space::plan(&db)?;
    log_ahead(&db)?;
    schema::migrate(&mut db)?;
    super::fold_wholly(&db)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(failed)?;
    db.close().map_err(|(_, e)| failed(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link that takes the place of the file once that was looked at.
    #[test]
    fn a_link_is_not_followed_even_by_who_did_not_look() {
        let directory = tempfile::tempdir().expect("a directory");
        let link = directory.path().join("link.db");
        let draft = Draft::beside(&directory.path().join("patctl.db")).expect("a file");
        let made = draft.path().to_owned();
        build(&made).expect("a database");
        std::os::unix::fs::symlink(&made, &link).expect("a link");
        assert!(connect(&made, OpenFlags::SQLITE_OPEN_READ_WRITE).is_ok());
        for (path, mode) in [
            (link.clone(), OpenFlags::SQLITE_OPEN_READ_WRITE),
            (immutable(&link), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI),
        ] {
            assert!(connect(&path, mode).is_err(), "{}", path.display());
        }
    }

    /// The schema is compared before anything is read; should something slip through, it runs nothing.
    #[test]
    fn what_an_altered_schema_brings_with_it_does_not_run() {
        let directory = tempfile::tempdir().expect("a directory");
        let draft = Draft::beside(&directory.path().join("patctl.db")).expect("a file");
        let made = draft.path().to_owned();
        build(&made).expect("a database");
        let evil = "CREATE TABLE caught (what TEXT); CREATE VIEW shown AS SELECT 1 AS one; \
                    CREATE TRIGGER evil AFTER INSERT ON caught BEGIN INSERT INTO caught VALUES ('by a trigger'); END";
        Connection::open(&made).and_then(|db| db.execute_batch(evil)).expect("a schema");
        let db = connect(&made, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("a database");
        let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
        db.execute_batch("INSERT INTO caught VALUES ('by hand')").expect("a row");
        assert_eq!(number("SELECT count(*) FROM caught"), Ok(1), "a trigger ran");
        assert!(number("SELECT one FROM shown").is_err(), "a view was read");
        let _ = db.execute_batch("PRAGMA writable_schema = ON");
        assert!(db.execute_batch("DELETE FROM sqlite_schema WHERE name = 'evil'").is_err(), "not defensive");
        let orphan = "INSERT INTO restriction (token, position, rule) VALUES (4711, 1, '/a')";
        assert!(db.execute_batch(orphan).is_err(), "a foreign key is not enforced");
        assert_eq!(number("PRAGMA trusted_schema"), Ok(0));
        assert_eq!(number("PRAGMA cell_size_check"), Ok(1));
    }

    /// Somebody was faster, though there was nothing when it was looked.
    #[test]
    fn what_is_there_is_not_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("patctl.db");
        assert_eq!(create(&path), Ok(true));
        fs::write(&path, "theirs").expect("a file");
        assert_eq!(create(&path), Ok(false));
        assert_eq!(fs::read_to_string(&path).expect("a file"), "theirs");
    }
}
