//! The seals of rows. Every change of what decides about a token goes through [`SqliteTransaction::alter`],
//! which looks at the old seal and makes the new one in the same transaction.

use super::rows::{self, PAT, PAT_WIDTH};
use super::transaction::SqliteTransaction;
use super::{Result, SqliteStore, failed, reads};
use crate::domain::frame::Value;
use crate::domain::integrity::{COLUMNS, Damage, ID, REVOKED_AT, SEAL, Sealer, Values};
use crate::domain::pat::AuthMethods;
use crate::domain::token::TokenId;
use crate::domain::verifier::Verifier;
use crate::store::StoreError;
use crate::store::integrity::Sealed;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use std::cell::{Cell, OnceCell};

/// Where a query for [`Evidence`] has each of [`COLUMNS`]: as in [`PAT`], and the verifier behind it.
pub const PLACES: [usize; COLUMNS.len()] = {
    let origin = PAT_WIDTH + 4;
    [
        0,
        1,
        2,
        3,
        4,
        PAT_WIDTH,
        5,
        6,
        7,
        8,
        16,
        11,
        12,
        17,
        18,
        19,
        15,
        10,
        13,
        14,
        origin,
        origin + 1,
        origin + 2,
        22,
    ]
};
/// Where it has what proves the secret was right lately, and then the seal and where the token came from.
pub const INTEGRITY: usize = PAT_WIDTH + 3;
/// Where what a query selects behind all that begins.
pub const SAMPLE_WIDTH: usize = INTEGRITY + 4;
/// What stands behind [`PAT`] and the verifier where nothing is asked of the cache.
pub const PROOF: &str = "verifier, NULL, NULL, integrity, origin_row, origin_user, origin_end";
/// Places in [`COLUMNS`].
pub const VERIFIER: usize = 5;
const RESTRICTED: usize = 11;
const SECURE: usize = 12;
const ENDS_PREDECESSOR: usize = 15;
pub const VERSION: usize = 16;
const REVOKE_REASON: usize = 17;
const NOTE: usize = 18;
const NOTIFY_TO: usize = 19;
const ORIGIN: usize = 20;
const ISSUED_BY: usize = 23;

/// What makes seals, and the name of the database they are for.
#[derive(Default)]
pub struct Seals {
    sealer: Sealer,
    database: OnceCell<String>,
    /// Whether rows are believed that are as they were left before schema 8.
    narrow: Cell<bool>,
}

impl Seals {
    /// Seals with this.
    pub fn new(sealer: Sealer) -> Self {
        Self { sealer, database: OnceCell::new(), narrow: Cell::new(false) }
    }

    /// From now on rows are believed, too, that are as they were left before schema 8.
    pub fn believe_narrow(&self) {
        self.narrow.set(true);
    }

    /// Whether it does.
    pub fn believes_narrow(&self) -> bool {
        self.narrow.get()
    }

    /// What makes them.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// The name of the database, which was just read.
    pub fn is_of(&self, name: &str) -> &str {
        self.database.get_or_init(|| name.to_owned())
    }

    /// The name of the database.
    pub fn database(&self, db: &Connection) -> Result<&str> {
        if let Some(name) = self.database.get() {
            return Ok(name);
        }
        let name = reads::installation(db)?;
        Ok(self.database.get_or_init(|| name))
    }

    /// The seal of a row.
    pub fn seal(&self, db: &Connection, values: &Values<'_>, rules: &[String]) -> Result<[u8; SEAL]> {
        Ok(self.sealer.seal(self.database(db)?, values, rules))
    }

    /// Whether a row that was selected with its seal is to be believed.
    pub fn check(&self, db: &Connection, row: &Sample<'_>) -> Result<std::result::Result<(), Damage>> {
        let (database, Sample { values, rules, seal }) = (self.database(db)?, row);
        Ok(match self.sealer.check(*seal, database, values, rules) {
            Err(Damage::Narrow | Damage::Unsealed) if self.narrow.get() => {
                self.sealer.check_narrow(*seal, database, values, rules)
            }
            checked => checked,
        })
    }
}

/// A row as it is stored.
pub struct Sample<'r> {
    pub values: Values<'r>,
    pub rules: Vec<String>,
    pub seal: Option<&'r [u8]>,
}

impl<'r> Sample<'r> {
    pub fn is_revoked(&self) -> bool {
        self.values[REVOKED_AT] != Value::Null
    }

    /// A row of [`PAT`] and [`PROOF`].
    pub fn read(db: &Connection, row: &'r Row<'_>) -> Result<Self> {
        let mut values: Values<'r> = [const { Value::Null }; COLUMNS.len()];
        for (value, place) in values.iter_mut().zip(PLACES) {
            *value = match row.get_ref(place).map_err(failed)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Text(text) => Value::Text(text.into()),
                ValueRef::Blob(_) | ValueRef::Real(_) => {
                    return Err(StoreError::BadRow("a row holds a value of the wrong type".to_owned()));
                }
            };
        }
        let seal = row.get_ref(INTEGRITY).map_err(failed)?.as_blob_or_null().unwrap_or(None);
        // Lines of a token that is not restricted are none; with a flipped flag they would be.
        let rules = match &values[RESTRICTED] {
            Value::Integer(0) => Vec::new(),
            _ => rules_of(db, &values[0])?,
        };
        Ok(Self { values, rules, seal })
    }
}

fn rules_of(db: &Connection, id: &Value<'_>) -> Result<Vec<String>> {
    let sql =
        "SELECT rule FROM restriction WHERE token = (SELECT seq FROM token WHERE id = ?1) ORDER BY position";
    reads::collect(db, sql, params![id], |row| Ok(rows::text(row, 0, "rule")?.to_owned()))
}

/// One row, by its id.
fn one() -> String {
    format!("SELECT {PAT}, {PROOF} FROM token WHERE id = ?1")
}

/// The number of a row of [`page`].
pub fn number(row: &Row<'_>) -> Result<i64> {
    rows::integer(row, SAMPLE_WIDTH, "seq")
}

/// What a change does where the row is not what patctl wrote.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum IfDamaged {
    /// Nothing: to seal it anew would make it credible.
    Refuse,
    /// The change can only take something away; the row stays as little believed as it was.
    GoOn,
}

/// A row that is to be inserted, as far as it decides.
pub struct Fresh<'f> {
    pub id: &'f str,
    pub name: &'f str,
    pub user: Option<&'f str>,
    pub email: Option<&'f str>,
    pub auth: AuthMethods,
    pub verifier: &'f Verifier,
    pub created_at: &'f str,
    pub expires_at: Option<&'f str>,
    pub rules: Option<&'f [String]>,
    pub secure: bool,
    pub note: Option<&'f str>,
    pub notify_to: Option<&'f str>,
    pub issued_by: Option<&'f str>,
    /// The number of its row, its user and its end where it came from.
    pub origin: (Option<i64>, Option<&'f str>, Option<&'f str>),
}

impl SqliteTransaction<'_> {
    /// The seal of a row that is to be inserted, made without reading it back: there may be many.
    pub(super) fn seal_of(&self, row: &Fresh<'_>) -> Result<[u8; SEAL]> {
        let mut values: Values<'_> = [const { Value::Null }; COLUMNS.len()];
        values[..8].clone_from_slice(&[
            row.id.into(),
            row.name.into(),
            row.user.into(),
            row.email.into(),
            row.auth.as_str().into(),
            row.verifier.as_phc().into(),
            row.created_at.into(),
            row.expires_at.into(),
        ]);
        values[RESTRICTED] = Value::Integer(row.rules.is_some().into());
        values[SECURE] = Value::Integer(row.secure.into());
        values[ENDS_PREDECESSOR] = Value::Integer(0);
        values[VERSION] = Value::Integer(1);
        values[NOTE] = row.note.into();
        values[NOTIFY_TO] = row.notify_to.into();
        let (number, user, end) = row.origin;
        values[ORIGIN] = number.map_or(Value::Null, Value::Integer);
        values[ORIGIN + 1] = user.into();
        values[ORIGIN + 2] = end.into();
        values[ISSUED_BY] = row.issued_by.into();
        self.seals().seal(self.db(), &values, row.rules.unwrap_or_default())
    }

    /// The one way to change what decides about a token: the row must be what patctl wrote, and is sealed
    /// anew when `change` says that there was something to change.
    pub(super) fn alter(
        &self,
        id: TokenId,
        damaged: IfDamaged,
        change: impl FnOnce(&Self) -> Result<bool>,
    ) -> Result<bool> {
        let seal = match self.sample(id) {
            Ok(Some((_, seal))) => seal,
            Ok(None) => return Ok(false),
            // What only takes something away does not depend on what the row says.
            Err(StoreError::BadRow(_)) if damaged == IfDamaged::GoOn => return change(self),
            Err(StoreError::BadRow(why)) => return Err(StoreError::Altered { id: id.to_string(), why }),
            Err(error) => return Err(error),
        };
        if let (Err(damage), IfDamaged::Refuse) = (seal, damaged) {
            return Err(StoreError::Altered { id: id.to_string(), why: damage.to_string() });
        }
        let changed = change(self)?;
        if changed && seal.is_ok() {
            self.seal(id)?;
        }
        Ok(changed)
    }

    /// The seal of a row once it is revoked: that of what it will be where it is what patctl wrote, else one that
    /// says nothing but that the token is over. Made beforehand: many may be revoked.
    pub(super) fn seal_of_revoked(&self, id: TokenId, at: &str, reason: Option<&str>) -> Result<[u8; SEAL]> {
        let db = self.db();
        let ended = || -> Result<[u8; SEAL]> {
            let mut values: Values<'_> = [const { Value::Null }; COLUMNS.len()];
            (values[ID], values[REVOKED_AT]) = (id.as_str().into(), at.into());
            Ok(self.seals().sealer().seal_end(self.seals().database(db)?, &values))
        };
        let found = reads::collect(db, &one(), [id.as_str()], |row| {
            let mut sample = Sample::read(db, row)?;
            if self.seals().check(db, &sample)?.is_err() {
                return ended();
            }
            sample.values[REVOKED_AT] = at.into();
            sample.values[REVOKE_REASON] = reason.into();
            if let Value::Integer(version) = &mut sample.values[VERSION] {
                *version += 1;
            }
            self.seals().seal(db, &sample.values, &sample.rules)
        });
        match found {
            Ok(found) => found.first().map_or_else(ended, |seal| Ok(*seal)),
            Err(StoreError::BadRow(_)) => ended(),
            Err(error) => Err(error),
        }
    }

    /// Seals a row that was just inserted.
    pub(super) fn seal_new(&self, id: TokenId) -> Result<()> {
        self.seal(id)
    }

    fn seal(&self, id: TokenId) -> Result<()> {
        let Some((new, _)) = self.sample(id)? else { return Ok(()) };
        let sql = "UPDATE token SET integrity = ?2 WHERE id = ?1";
        reads::execute(self.db(), sql, params![id.as_str(), new]).map(|_| ())
    }

    /// The seal that a row should have, and whether it has it.
    fn sample(&self, id: TokenId) -> Result<Option<NewAndOld>> {
        let db = self.db();
        let found = reads::collect(db, &one(), [id.as_str()], |row| {
            let sample = Sample::read(db, row)?;
            let seal = self.seals().check(db, &sample)?;
            Ok((self.seals().seal(db, &sample.values, &sample.rules)?, seal))
        })?;
        Ok(found.into_iter().next())
    }
}

type NewAndOld = ([u8; SEAL], std::result::Result<(), Damage>);

impl Sealed for SqliteStore {
    fn seal_with(&mut self, sealer: Sealer) {
        self.seals = Seals::new(sealer);
    }

    fn sealer(&self) -> &Sealer {
        self.seals.sealer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a query for evidence selects, by name.
    #[test]
    fn each_column_of_a_seal_is_read_from_its_place() {
        let names: Vec<&str> = PAT.split(',').chain(PROOF.split(',')).map(str::trim).collect();
        assert_eq!(PLACES.map(|place| names[place]), COLUMNS);
        assert_eq!((names[INTEGRITY], names.len()), ("integrity", SAMPLE_WIDTH));
        for (place, name) in [
            (ID, "id"),
            (VERIFIER, "verifier"),
            (REVOKED_AT, "revoked_at"),
            (RESTRICTED, "restricted"),
            (SECURE, "secure"),
            (ENDS_PREDECESSOR, "ends_predecessor"),
            (VERSION, "version"),
            (REVOKE_REASON, "revoke_reason"),
            (NOTE, "note"),
            (NOTIFY_TO, "notify_to"),
            (ORIGIN, "origin_row"),
            (ORIGIN + 1, "origin_user"),
            (ORIGIN + 2, "origin_end"),
            (ISSUED_BY, "issued_by"),
        ] {
            assert_eq!(COLUMNS[place], name);
        }
    }

    /// A new column of the table either decides, and is sealed, or stands here with its reason.
    #[test]
    fn every_column_of_a_token_is_sealed_or_known_to_decide_nothing() {
        const IDLE: [&str; 7] = [
            "seq",            // where the row lies
            "last_used_at",   // a record of uses
            "last_used_from", // a record of uses
            "reused_at",      // a record of uses
            "notified",       // which mails were sent
            "sealed",         // has a seal of its own, bound to database and id
            "integrity",      // the seal
        ];
        let mut db = Connection::open_in_memory().expect("a database in memory");
        super::super::schema::migrate(&mut db).expect("the migrations run");
        let mut statement = db.prepare("SELECT name FROM pragma_table_info('token')").expect("a statement");
        let names = statement.query_map([], |row| row.get(0)).expect("a query");
        let mut names: Vec<String> = names.collect::<rusqlite::Result<_>>().expect("names");
        let mut known: Vec<&str> = COLUMNS.into_iter().chain(IDLE).collect();
        names.sort();
        known.sort_unstable();
        assert_eq!(names, known);
    }
}
