//! An examination of a database file in any state.

use super::evidence;
use super::integrity::{Seals, VERIFIER};
use super::query::{self, Statement};
use super::reads::collect;
use super::{Result, failed, head, log, open, outbox, reads, reseal, rows, schema, space, tombstone};
use crate::domain::frame::Value;
use crate::domain::integrity::{COLUMNS, ID, REVOKED_AT, Sealer, Values};
use crate::domain::moment::Moment;
use crate::store::StoreError;
use crate::store::examine::{EachExamined, Examine, Examined, Identity, Misplaced, OddSetting, Reachable};
use crate::store::log::EachPiece;
use crate::store::space::Space;
use rusqlite::{Connection, MAIN_DB, params, params_from_iter};
use std::ops::ControlFlow;
use std::path::Path;

/// Faults of the structure that are told; whoever has more needs a backup, not a list.
const FAULTS: u32 = 10;

/// Rows of tokens whose version is not the one that the log names last; a version of NULL: there is no row, and the log
/// does not say that it was deleted. A restore gives every token a new version, and one row speaks of it.
pub const MISPLACED: &str = "\
    WITH told AS (SELECT token_id AS id, version AS log, max(seq) AS seq FROM audit \
    WHERE version IS NOT NULL GROUP BY token_id), \
    restored AS (SELECT coalesce(max(seq), 0) AS seq FROM audit WHERE action = 'restore') \
    SELECT told.id, token.version, told.log FROM told JOIN token ON token.id = told.id \
    WHERE token.version < told.log \
    OR token.version > told.log AND told.seq > (SELECT seq FROM restored) \
    UNION ALL SELECT told.id, NULL, told.log FROM told \
    WHERE NOT EXISTS (SELECT 1 FROM token WHERE token.id = told.id) \
    AND NOT EXISTS (SELECT 1 FROM audit AS a WHERE a.token_id = told.id AND a.seq > told.seq \
    AND a.action IN ('prune', 'restore')) ORDER BY 1";

/// A database that is examined.
pub struct Patient {
    db: Connection,
    seals: Seals,
}

impl Patient {
    /// Opens a file as it is: nothing is checked, and nothing is changed. The caller has looked whether it is a
    /// regular file.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be opened at all.
    pub fn open(path: &Path, sealer: Sealer) -> Result<Self> {
        Ok(Self::of(open::unchecked(path)?, sealer))
    }

    /// Opens the file alone: what lies beside it cannot be trusted, and would be played into it.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be opened at all.
    pub fn open_alone(path: &Path, sealer: Sealer) -> Result<Self> {
        Ok(Self::of(open::with_rights(path, open::still)?, sealer))
    }

    /// Opens a file that nobody changes, and leaves nothing beside it.
    pub(super) fn still(path: &Path, sealer: Sealer) -> Result<Self> {
        Ok(Self::of(open::still(path)?, sealer))
    }

    /// What is open already.
    pub(super) fn of(db: Connection, sealer: Sealer) -> Self {
        let pinned = sealer.is_pinned();
        let patient = Self { db, seals: Seals::new(sealer) };
        if !pinned {
            patient.believe_narrow();
        }
        patient
    }

    /// Rows of a database of before schema 8 that nobody has sealed anew yet are believed.
    pub(super) fn believe_narrow(&self) {
        if reseal::is_narrow(&self.db, &self.seals) {
            self.seals.believe_narrow();
        }
    }

    /// The name of the database.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn installation(&self) -> Result<String> {
        reads::installation(&self.db)
    }

    /// Whether what it is looked at with is not the key that it is sealed with.
    pub fn has_another_key(&self) -> bool {
        head::read(&self.db, &self.seals).is_ok_and(|head| head.is_of_another_key())
    }

    pub(super) fn db(&self) -> &Connection {
        &self.db
    }

    pub(super) fn seals(&self) -> &Seals {
        &self.seals
    }

    pub(super) fn into_db(self) -> Connection {
        self.db
    }
}

impl Examine for Patient {
    fn identity(&self) -> Result<Identity> {
        schema::identity(&self.db)
    }

    fn tolerated(&self) -> Result<Vec<String>> {
        schema::tolerated(&self.db)
    }

    fn altered_mails(&self) -> Result<Vec<(String, String)>> {
        let altered = outbox::altered(&self.db, &self.seals)?;
        Ok(altered.into_iter().map(|mail| (mail.notice.token_id, mail.notice.recipient)).collect())
    }

    fn odd_settings(&self) -> Result<Vec<OddSetting>> {
        // A file that is only looked at is set in no way.
        if self.db.is_readonly(MAIN_DB).map_err(failed)? {
            return Ok(Vec::new());
        }
        open::synchronous(&self.db, 2)?;
        let mut odd = Vec::new();
        for (name, due) in [
            ("journal_mode", "wal"),
            ("synchronous", "2"),
            ("trusted_schema", "0"),
            ("cell_size_check", "1"),
            ("foreign_keys", "1"),
        ] {
            let found =
                self.db.pragma_query_value(None, name, |row| row.get_ref(0).map(text_of)).map_err(failed)?;
            if found != due {
                odd.push(OddSetting { name, found, due });
            }
        }
        Ok(odd)
    }

    fn mark(&self) -> Result<bool> {
        schema::mark_dump(&self.db)
    }

    fn cure(&self, cure: &str) -> Result<()> {
        self.db.execute_batch(cure).map_err(failed)
    }

    fn confirm_revocation(&self, id: &str) -> Result<()> {
        let at = "SELECT revoked_at FROM token WHERE id = ?1 AND revoked_at IS NOT NULL";
        let at = collect(&self.db, at, [id], |row| Ok(rows::text(row, 0, "revoked_at")?.to_owned()))?;
        let Some(at) = at.first() else { return Ok(()) };
        let mut values: Values<'_> = [const { Value::Null }; COLUMNS.len()];
        (values[ID], values[REVOKED_AT]) = (id.into(), at.as_str().into());
        let seal = self.seals.sealer().seal_end(self.seals.database(&self.db)?, &values);
        let sql = "UPDATE token SET integrity = ?2 WHERE id = ?1 AND revoked_at = ?3";
        reads::execute(&self.db, sql, params![id, seal, at]).map(|_| ())
    }

    fn space(&self) -> Result<Space> {
        space::measure(&self.db)
    }

    fn mend_settings(&self) -> Result<()> {
        open::log_ahead(&self.db)
    }

    fn structure(&self) -> Result<Vec<String>> {
        let sql = format!("PRAGMA integrity_check({FAULTS})");
        let mut faults = collect(&self.db, &sql, [], |row| Ok(rows::text(row, 0, "fault")?.to_owned()))?;
        faults.retain(|fault| fault != "ok");
        let orphans = collect(&self.db, "PRAGMA foreign_key_check", [], |row| {
            Ok(rows::text(row, 0, "table")?.to_owned())
        })?;
        if let Some(table) = orphans.first() {
            faults.push(format!("{} rows in table {table} belong to no token", orphans.len()));
        }
        Ok(faults)
    }

    fn examine_chain(&self, each: EachPiece<'_>) -> Result<()> {
        log::chain(&self.db, &self.seals, each)
    }

    fn moments(&self, each: &mut dyn FnMut(Moment)) -> Result<()> {
        log::since_change(&self.db, each)
    }

    fn examine_rows(&self, each: EachExamined<'_>) -> Result<()> {
        evidence::each_sample(&self.db, &self.seals, &mut |sample, seal, row| {
            let text = |at: usize| match &sample.values[at] {
                Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
                _ => String::new(),
            };
            let unreadable = rows::pat(row).err().map(|error| match error {
                StoreError::BadRow(what) => what,
                other => format!("{other:?}"),
            });
            each(&Examined {
                id: &text(ID),
                verifier: &text(VERIFIER),
                revoked: sample.is_revoked(),
                unreadable,
                rules: &sample.rules,
                seal,
            });
            Ok(())
        })
    }

    fn crowded(&self, limit: u32) -> Result<Vec<(Option<String>, u64)>> {
        let sql = "SELECT user, count(*) FROM token WHERE revoked_at IS NULL AND rotated_at IS NULL \
                   GROUP BY user HAVING count(*) > ?1 ORDER BY user";
        collect(&self.db, sql, [limit], |row| {
            let count = rows::integer(row, 1, "count")?.unsigned_abs();
            Ok((rows::optional(row, 0, "user")?.map(str::to_owned), count))
        })
    }

    fn reachable(&self, now: Moment, each: &mut dyn FnMut(&Reachable<'_>)) -> Result<()> {
        let Statement { sql: usable, values } = query::usable(now);
        let sql = format!(
            "SELECT id, user, email, notify_to, expires_at IS NOT NULL OR rotated_at IS NOT NULL, secure, refused \
             FROM token LEFT JOIN (SELECT token_id, group_concat(DISTINCT recipient) AS refused FROM outbox \
             WHERE state = 'dropped' AND attempts > 0 AND error <> 'mail is off' GROUP BY token_id) ON token_id = id \
             WHERE {usable} ORDER BY seq"
        );
        reads::each_row(&self.db, &sql, params_from_iter(values), |row| {
            each(&Reachable {
                id: rows::text(row, 0, "id")?,
                user: rows::optional(row, 1, "user")?,
                email: rows::optional(row, 2, "email")?,
                notify_to: rows::optional(row, 3, "notify_to")?,
                ends: rows::integer(row, 4, "expires_at")? != 0,
                secure: rows::integer(row, 5, "secure")? != 0,
                refused: rows::optional(row, 6, "recipient")?,
            });
            Ok(ControlFlow::Continue(()))
        })
    }

    fn misplaced(&self) -> Result<Vec<Misplaced>> {
        collect(&self.db, MISPLACED, [], |row| {
            Ok(Misplaced {
                id: rows::text(row, 0, "id")?.to_owned(),
                row: rows::number(row, 1, "version")?,
                log: rows::integer(row, 2, "version")?,
            })
        })
    }

    fn tombstones(&self) -> Result<Vec<String>> {
        let due = head::read(&self.db, &self.seals)?.head.tombstones;
        tombstone::faults(&self.db, &self.seals, due)
    }

    fn contradictions(&self) -> Result<Vec<(String, &'static str)>> {
        // An import may bring back what was pruned before; one row speaks of all that it brought.
        let sql = "SELECT id, coalesce(pruned > coalesce(revoked, 0), 0) FROM (SELECT token_id, \
                   max(seq) FILTER (WHERE action = 'prune') AS pruned, \
                   max(seq) FILTER (WHERE action = 'revoke') AS revoked \
                   FROM audit WHERE outcome = 'done' GROUP BY token_id) CROSS JOIN token ON id = token_id \
                   WHERE coalesce(pruned, 0) > (SELECT coalesce(max(seq), 0) FROM audit WHERE action = 'import') \
                   OR revoked_at IS NULL AND revoked > coalesce(pruned, 0) ORDER BY id";
        collect(&self.db, sql, [], |row| {
            let what = if rows::integer(row, 1, "pruned").is_ok_and(|pruned| pruned == 1) {
                "pruned"
            } else {
                "revoked"
            };
            Ok((rows::text(row, 0, "id")?.to_owned(), what))
        })
    }
}

fn text_of(value: rusqlite::types::ValueRef<'_>) -> String {
    match value {
        rusqlite::types::ValueRef::Integer(number) => number.to_string(),
        rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    }
}
