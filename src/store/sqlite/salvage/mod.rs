//! What can still be read of a damaged database: a new database with every row that could be made out, by which a
//! restore knows which tokens have ended.
//!
//! Free pages and old frames of the log are read, too, so a row may appear in several versions; the newest counts.
//! A token in it may only end one in the backup, never revive it, so reading too much is safe.

mod page;

use super::draft::Draft;
use super::reads::{collect, execute};
use super::{Result, SqliteStore, aside, failed, open, rows, schema};
use crate::store::StoreError;
use crate::store::backup::Salvaged;
use page::{Files, Record};
use rusqlite::types::Value;
use rusqlite::{Connection, ToSql, params_from_iter};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Places of columns in the table of tokens, and how many there were at first.
const ID: usize = 1;
const VERIFIER: usize = 6;
const CREATED_AT: usize = 7;
const REVOKED_AT: usize = 10;
const VERSION: usize = 17;
const TOKEN: usize = 18;
/// The same of the audit log.
const AT: usize = 1;
const ACTION: usize = 5;
const TOKEN_ID: usize = 6;
const OUTCOME: usize = 9;
const DETAIL: usize = 13;
const AUDIT: usize = 11;

/// A private database with what was salvaged; dropped, it is removed.
pub struct Salvage {
    draft: Draft,
    /// What was found.
    pub found: Salvaged,
}

impl Salvage {
    /// Reads the damaged database at `path` and its log.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read at all.
    pub fn of(path: &Path) -> Result<Self> {
        let files = open::with_rights(path, |path| {
            Files::open(path, &open::companion(path, "-wal")).map_err(|e| open::io_error(path, &e))
        })?;
        let draft = Draft::beside(path)?;
        let mut db = draft.connect()?;
        db.pragma_update_and_check(None, "journal_mode", "memory", |_| Ok(())).map_err(failed)?;
        schema::migrate(&mut db)?;
        db.pragma_update(None, "synchronous", 0).map_err(failed)?;
        db.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
            .map_err(failed)?;
        db.execute_batch("BEGIN; DELETE FROM installation").map_err(failed)?;
        let mut gather = Gather::new(&db)?;
        files.each_record(&mut |record| gather.record(&record));
        let found = gather.finish()?;
        db.execute_batch("COMMIT").map_err(failed)?;
        db.close().map_err(|(_, e)| failed(e))?;
        Ok(Self { draft, found })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.draft.path()
    }
}

/// Puts records where they belong, by their shape.
struct Gather<'d> {
    db: &'d Connection,
    columns: HashMap<&'static str, Vec<String>>,
    /// The version of each token so far, and whether it was revoked.
    tokens: HashMap<String, (i64, bool)>,
    found: Salvaged,
    failed: Option<StoreError>,
}

impl<'d> Gather<'d> {
    fn new(db: &'d Connection) -> Result<Self> {
        let mut columns = HashMap::new();
        for table in ["token", "audit"] {
            let sql = format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid");
            let names = collect(db, &sql, [], |row| Ok(rows::text(row, 0, "name")?.to_owned()))?;
            columns.insert(table, names);
        }
        Ok(Self { db, columns, tokens: HashMap::new(), found: Salvaged::default(), failed: None })
    }

    fn record(&mut self, record: &Record) {
        if self.failed.is_some() {
            return;
        }
        let done = match record.number {
            Some(_) if is_token(&record.values) => self.token(&record.values),
            Some(number) if is_audit(&record.values) => {
                self.audit(number, &record.values);
                Ok(())
            }
            Some(1) => self.installation(&record.values),
            None if is_tombstone(&record.values) => {
                self.tombstone(&record.values);
                Ok(())
            }
            _ => Ok(()),
        };
        self.failed = done.err();
    }

    fn token(&mut self, values: &[Value]) -> Result<()> {
        let id = text(values, ID).to_owned();
        let version = match values.get(VERSION) {
            Some(Value::Integer(version)) => *version,
            _ => 0,
        };
        let now = (version, values.get(REVOKED_AT).is_some_and(|at| *at != Value::Null));
        if self.tokens.get(&id).is_some_and(|before| *before >= now) {
            return Ok(());
        }
        execute(self.db, "DELETE FROM token WHERE id = ?1", &[&id])?;
        // A new number: the one it had may be that of another token by now.
        self.insert("token", &Value::Null, values);
        self.tokens.insert(id, now);
        Ok(())
    }

    /// Only changes: a use ends no token.
    fn audit(&mut self, number: i64, values: &[Value]) {
        if text(values, OUTCOME) != "done" {
            return;
        }
        if text(values, ACTION) == "backup"
            && let Some(file) = crate::store::backup::file_of(text(values, DETAIL))
        {
            self.found.backups.push((number, PathBuf::from(file)));
        }
        self.insert("audit", &Value::Integer(number), values);
    }

    /// A token that was deleted and whose audit rows are gone, too.
    fn tombstone(&self, values: &[Value]) {
        let sql = "INSERT OR IGNORE INTO tombstone (id, ended, day, integrity) VALUES (?1, ?2, ?3, ?4)";
        // A value of a type that the table does not take: the row is not one of ours.
        let _ = self.db.prepare_cached(sql).and_then(|mut sql| sql.execute(params_from_iter(values)));
    }

    fn installation(&mut self, values: &[Value]) -> Result<()> {
        let [Value::Null, Value::Text(name)] = values else { return Ok(()) };
        if name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            execute(self.db, "INSERT OR IGNORE INTO installation (one, name) VALUES (1, ?1)", &[name])?;
            self.found.installation = Some(name.clone());
        }
        Ok(())
    }

    /// Adds a row; an older schema had fewer columns, in the same order.
    fn insert(&self, table: &'static str, number: &Value, values: &[Value]) {
        let columns = &self.columns[table];
        let width = values.len().min(columns.len());
        let sql = format!(
            "INSERT OR IGNORE INTO {table} ({}) VALUES ({})",
            columns[..width].join(", "),
            vec!["?"; width].join(", ")
        );
        let bound: Vec<&dyn ToSql> = std::iter::once(number as &dyn ToSql)
            .chain(values[1..width].iter().map(|v| v as &dyn ToSql))
            .collect();
        // A value of a type that the table does not take: the row is not one of ours.
        let _ = self.db.prepare_cached(&sql).and_then(|mut sql| sql.execute(params_from_iter(bound)));
    }

    fn finish(mut self) -> Result<Salvaged> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let count = |table: &str| -> Result<u64> {
            let sql = format!("SELECT count(*) FROM {table}");
            let found = collect(self.db, &sql, [], |row| rows::integer(row, 0, "count"))?;
            Ok(found.first().map_or(0, |count| count.unsigned_abs()))
        };
        (self.found.tokens, self.found.changes) = (count("token")?, count("audit")?);
        self.found.backups.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        Ok(self.found)
    }
}

fn text(values: &[Value], at: usize) -> &str {
    match values.get(at) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

fn is_token(values: &[Value]) -> bool {
    let id = text(values, ID);
    values.len() >= TOKEN
        && values[0] == Value::Null
        && id.len() == 10
        && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        && text(values, VERIFIER).starts_with('$')
        && text(values, CREATED_AT).len() == 27
}

fn is_tombstone(values: &[Value]) -> bool {
    let (id, ended) = (text(values, 0), text(values, 1));
    values.len() == 4
        && id.len() == 10
        && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        && matches!(ended, "revoked" | "disabled" | "rotated" | "ended")
        && text(values, 2).len() == 10
}

fn is_audit(values: &[Value]) -> bool {
    values.len() >= AUDIT
        && values[0] == Value::Null
        && text(values, AT).len() == 27
        && !text(values, TOKEN_ID).is_empty()
        && matches!(text(values, OUTCOME), "done" | "allowed" | "denied" | "error")
}

/// The backups that the audit log of a database names, whatever state it is in, and that are there; the newest first.
#[must_use]
pub fn known_backups(database: &Path) -> Vec<PathBuf> {
    let open =
        |path: &Path| Files::open(path, &open::companion(path, "-wal")).map_err(|e| open::io_error(path, &e));
    let Ok(files) = open::with_rights(database, open) else { return Vec::new() };
    let mut found: Vec<(i64, PathBuf)> = Vec::new();
    files.each_record(&mut |record| {
        let Some(number) = record.number.filter(|_| is_audit(&record.values)) else { return };
        let is_backup = text(&record.values, ACTION) == "backup" && text(&record.values, OUTCOME) == "done";
        let file = crate::store::backup::file_of(text(&record.values, DETAIL)).filter(|_| is_backup);
        found.extend(file.map(|file| (number, PathBuf::from(file))));
    });
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let mut files: Vec<PathBuf> = found.into_iter().map(|(_, file)| file).collect();
    files.retain(|file| file.is_absolute() && file.is_file());
    files
}

/// Whether only the log of a database is left: it would be played into a new one at the same place.
#[must_use]
pub fn only_log_is_left(database: &Path) -> bool {
    open::resolve(database).is_ok_and(|database| aside::has_stray_log(&database))
}

/// The newest file that a restore moved aside at the place of a database, if there is one.
///
/// # Errors
/// The directory cannot be listed: what was ended in such a database would live again.
pub fn moved_aside(database: &Path) -> Result<Option<PathBuf>> {
    let database = match open::resolve(database) {
        Err(StoreError::Missing(_)) => return Ok(None),
        database => database?,
    };
    let Some(name) = database.file_name().and_then(|name| name.to_str()) else { return Ok(None) };
    let begins = format!("{name}.damaged-");
    let directory = open::parent(&database);
    let names = std::fs::read_dir(directory).map_err(|e| open::io_error(directory, &e))?;
    let names = names.flatten().map(|entry| entry.path());
    let fits = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(&begins) && !["-wal", "-shm", "-journal"].iter().any(|end| name.ends_with(end))
    };
    Ok(names.filter(fits).max())
}

impl SqliteStore {
    /// Whether SQLite finds nothing wrong with the pages of the file.
    ///
    /// # Errors
    /// [`StoreError`] for anything but damage.
    pub fn is_sound(&self) -> Result<bool> {
        match collect(&self.db, "PRAGMA integrity_check(1)", [], |row| {
            Ok(rows::text(row, 0, "fault")? == "ok")
        }) {
            Ok(found) => Ok(found == [true]),
            Err(StoreError::Damaged(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether a file is an SQLite database that says that it belongs to another program.
#[must_use]
pub fn is_marked_as_foreign(path: &Path) -> bool {
    use std::os::unix::fs::FileExt;
    let mut header = [0; 100];
    let read = crate::files::plain(path).and_then(|file| file.read_exact_at(&mut header, 0));
    let ours = i64::from(u32::from_be_bytes([header[68], header[69], header[70], header[71]]));
    read.is_ok() && header.starts_with(b"SQLite format 3\0") && ours != schema::APPLICATION_ID
}
