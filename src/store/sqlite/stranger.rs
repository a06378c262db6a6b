//! Schema objects that patctl did not create: which of them can change an answer or make a write fail, and the
//! statement that removes them.
//!
//! A plain table or a plain index does neither: Litestream, a report or `sqlite3 .recover` may leave one. Only
//! read when an object is met that the schema does not expect, so an ordinary open pays nothing for it.

use super::{Result, failed};
use crate::store::error::SchemaFault as Fault;
use rusqlite::Connection;

/// Collations that every SQLite has, and that cannot fail.
const COLLATIONS: [&str; 3] = ["BINARY", "NOCASE", "RTRIM"];

/// An object of the schema that is not expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stranger {
    kind: String,
    name: String,
    table: String,
    sql: Option<String>,
    root: i64,
}

impl Stranger {
    /// Reads one from a row of `type, name, sql, tbl_name, rootpage`.
    pub fn read(row: &rusqlite::Row<'_>) -> Self {
        let text = |at: usize| row.get_ref(at).ok().and_then(|value| value.as_str().ok().map(str::to_owned));
        Self {
            kind: text(0).unwrap_or_default(),
            name: text(1).unwrap_or_default(),
            sql: text(2),
            table: text(3).unwrap_or_default(),
            root: row.get_ref(4).ok().and_then(|value| value.as_i64().ok()).unwrap_or(0),
        }
    }

    /// Its kind and name.
    pub fn what(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// Its kind and name, with the table it belongs to.
    pub fn shown(&self) -> String {
        if self.kind == "index" { format!("{} on {}", self.what(), self.table) } else { self.what() }
    }

    /// Whether this is an altered object of patctl's own.
    fn is_ours(&self, ours: &[&str]) -> bool {
        ours.iter().any(|part| {
            let head = part.lines().next().unwrap_or_default().trim_start_matches("-- ");
            head.eq_ignore_ascii_case(&self.what())
        })
    }

    /// Why it must not stay; `None`: it is harmless.
    pub fn judge(&self, db: &Connection, ours: &[&str]) -> Result<Option<Fault>> {
        let fault = |cure: Option<String>| Ok(Some(Fault { what: self.what(), cure }));
        let drop = || Some(format!("DROP {} {};", self.kind.to_uppercase(), quoted(&self.name)));
        let own_table = is_table(ours, &self.table);
        match self.kind.as_str() {
            "table" if self.is_ours(ours) => fault(None),
            "table" if self.is_plain_table(db, ours)? => Ok(None),
            "index" if self.is_ours(ours) => {
                let head = format!("-- {}\n", self.what());
                let create = ours.iter().find_map(|part| part.strip_prefix(&head));
                fault(create.and_then(|create| Some(format!("{} {create};", drop()?))))
            }
            "index" if !own_table || self.is_plain_index(db)? => Ok(None),
            "table" | "index" | "trigger" | "view" => fault(drop()),
            _ => fault(None),
        }
    }

    /// An ordinary table: not virtual, no computed columns, no reference to a table of patctl (which would make
    /// a deletion there fail), and no name that a query could take for a function.
    fn is_plain_table(&self, db: &Connection, ours: &[&str]) -> Result<bool> {
        let name = self.name.to_lowercase();
        let sql = self.sql.as_deref().unwrap_or_default().trim_start().to_lowercase();
        let shadows = name.starts_with("pragma_") || name.starts_with("json_") || name.starts_with("sqlite_");
        if self.root <= 0 || shadows || !sql.starts_with("create table") {
            return Ok(false);
        }
        let mut plain = true;
        db.pragma(None, "table_xinfo", &self.name, |row| {
            plain &= row.get::<_, i64>("hidden")? == 0;
            Ok(())
        })
        .map_err(failed)?;
        db.pragma(None, "foreign_key_list", &self.name, |row| {
            plain &= !is_table(ours, &row.get::<_, String>("table")?);
            Ok(())
        })
        .map_err(failed)?;
        Ok(plain)
    }

    /// An index of one of patctl's tables that no write can fail at: not unique, only columns, every row, and
    /// collations that every SQLite has.
    fn is_plain_index(&self, db: &Connection) -> Result<bool> {
        let mut plain = false;
        db.pragma(None, "index_list", &self.table, |row| {
            if row.get::<_, String>("name")? == self.name {
                plain = row.get::<_, i64>("unique")? == 0 && row.get::<_, i64>("partial")? == 0;
            }
            Ok(())
        })
        .map_err(failed)?;
        db.pragma(None, "index_xinfo", &self.name, |row| {
            let column = row.get::<_, i64>("cid")?;
            let collation = row.get::<_, Option<String>>("coll")?.unwrap_or_default();
            plain &= column > -2 && COLLATIONS.iter().any(|known| known.eq_ignore_ascii_case(&collation));
            Ok(())
        })
        .map_err(failed)?;
        Ok(plain)
    }
}

/// Whether a table of this name belongs to patctl.
fn is_table(ours: &[&str], name: &str) -> bool {
    ours.iter().any(|part| {
        part.strip_prefix("-- table ")
            .is_some_and(|rest| rest.lines().next().is_some_and(|own| own.eq_ignore_ascii_case(name)))
    })
}

/// The statement that creates a missing object again, where that loses nothing: an index.
pub fn missing(part: &str) -> Fault {
    let (head, sql) = part.split_once('\n').unwrap_or((part, ""));
    let what = head.trim_start_matches("-- ");
    let cure = what.starts_with("index ").then(|| format!("{sql};"));
    Fault { what: format!("{what} is missing"), cure }
}

/// A name as SQL takes it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
