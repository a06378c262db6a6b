//! A change in the making.

use super::integrity::{Fresh, IfDamaged, Seals};
use super::rows::{self, PAT};
use super::unchecked::Unchecked;
use super::{Result, failed, log, reads, tombstone};
use super::{evidence, head};
use crate::domain::actor::ClientAddress;
use crate::domain::audit::Entry;
use crate::domain::cache::{CacheLimits, Proved};
use crate::domain::chain::Sealed;
use crate::domain::id::IdPrefix;
use crate::domain::moment::{Moment, MomentText};
use crate::domain::pat::Pat;
use crate::domain::token::TokenId;
use crate::domain::verifier::{Verifier, Work};
use crate::store::contract::EachPat;
use crate::store::log::{Cut, Trim, UNKNOWN};
use crate::store::{Basis, Durability, Evidence, NewPat, Query, Read, StoreError, Stored, Transaction};
use rusqlite::{Connection, ToSql, params};
use std::sync::LazyLock;

/// Bytes from which on the log of mere uses is folded into the file: whoever opens it next reads it all.
const USES_LOG: u64 = 256 * 1024;
/// The same for a work of many steps.
const STEPS_LOG: u64 = 32 * 1024 * 1024;

/// Adds a token whose id is free, and was not that of one that was ended here.
static INSERT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO token (id, name, user, email, auth, verifier, created_at, expires_at, secure, note, notify_to, \
         restricted, sealed, integrity, issued_by) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15 WHERE {} ON CONFLICT (id) DO NOTHING",
        tombstone::NONE
    )
});

/// A `BEGIN IMMEDIATE`; dropped, it rolls back.
pub struct SqliteTransaction<'s> {
    db: &'s Connection,
    seals: &'s Seals,
    inner: rusqlite::Transaction<'s>,
    durability: Durability,
    /// The head of the audit log: nobody else writes meanwhile.
    head: Sealed,
    /// What of the head has changed.
    moved: Moved,
    /// What seals the head, where that is not what sealed it before.
    resealed: Option<Seals>,
    /// What makes the indexes again that were set aside.
    aside: Vec<String>,
    unchecked: Option<Unchecked<'s>>,
}

/// How the head of the audit log has changed in a transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moved {
    /// Not at all.
    Not,
    /// Rows were added.
    Forward,
    /// In any way.
    Otherwise,
}

impl<'s> SqliteTransaction<'s> {
    /// Takes the write lock.
    pub fn begin(db: &'s Connection, seals: &'s Seals, durability: Durability) -> Result<Self> {
        let behavior = rusqlite::TransactionBehavior::Immediate;
        let inner = rusqlite::Transaction::new_unchecked(db, behavior).map_err(failed)?;
        let head = head::read(&inner, seals)?;
        let (aside, unchecked) = (Vec::new(), None);
        Ok(Self { db, seals, inner, durability, head, moved: Moved::Not, resealed: None, aside, unchecked })
    }
}

impl SqliteTransaction<'_> {
    /// Where its statements run.
    pub(super) fn db(&self) -> &Connection {
        &self.inner
    }

    /// The head of the audit log, as it was when this began and as it has moved since.
    pub(super) fn head(&self) -> &Sealed {
        &self.head
    }

    /// Lets a token that was ended here come in again; whether it was one.
    pub(super) fn unbury(&mut self, id: TokenId) -> Result<bool> {
        let removed = tombstone::remove(&self.inner, id)?;
        if removed {
            self.head.head.tombstones -= 1;
            self.moved = Moved::Otherwise;
        }
        Ok(removed)
    }

    /// From this commit on the head is sealed with a key.
    pub(super) fn reseal_head(&mut self, seals: Seals) {
        self.resealed = Some(seals);
        self.moved = Moved::Otherwise;
    }

    /// The head is what patctl wrote, and is sealed as such.
    pub(super) fn believe_head(&mut self) {
        self.head.seal = Ok(());
        self.moved = Moved::Otherwise;
    }

    /// All rows that are what patctl wrote have seals of this version.
    pub(super) fn rows_are_sealed(&mut self, version: i64) {
        self.head.head.row_seals = Some(version);
        self.moved = Moved::Otherwise;
    }

    /// What seals its rows.
    pub(super) fn seals(&self) -> &Seals {
        self.seals
    }

    /// Drops the indexes of the tokens until the commit, which makes them again as they were: then each is
    /// sorted once. Whoever reads meanwhile reads the database as it was before, indexes and all. And evaluates
    /// no CHECK.
    pub(super) fn hurry(&mut self) -> Result<()> {
        let sql = "SELECT name, sql FROM sqlite_schema \
                   WHERE type = 'index' AND tbl_name = 'token' AND sql IS NOT NULL";
        let indexes = reads::collect(&self.inner, sql, [], |row| {
            Ok((rows::text(row, 0, "name")?.to_owned(), rows::text(row, 1, "sql")?.to_owned()))
        })?;
        for (name, sql) in indexes {
            self.inner.execute_batch(&format!("DROP INDEX \"{name}\"")).map_err(failed)?;
            self.aside.push(sql);
        }
        self.unchecked = Some(Unchecked::new(self.db)?);
        Ok(())
    }

    /// Forgets that the secret of a token was proved.
    pub(super) fn forget(&self, id: TokenId) -> Result<()> {
        let sql = "DELETE FROM cache WHERE token = (SELECT seq FROM token WHERE id = ?1)";
        reads::execute(&self.inner, sql, params![id.as_str()]).map(|_| ())
    }

    /// Runs a change of at most one row; whether there was one.
    pub(super) fn one(&self, sql: &str, values: &[&dyn ToSql]) -> Result<bool> {
        Ok(reads::execute(self.db(), sql, values)? == 1)
    }

    /// Adds the lines of a token that has none.
    pub(super) fn restrict(&self, id: TokenId, rules: &[String]) -> Result<()> {
        let sql = "INSERT INTO restriction (token, position, rule) \
                   SELECT seq, ?2, ?3 FROM token WHERE id = ?1";
        (1_u32..).zip(rules).try_for_each(|(position, rule)| {
            reads::execute(&self.inner, sql, params![id.as_str(), position, rule]).map(|_| ())
        })
    }
}

impl Read for SqliteTransaction<'_> {
    fn token(&self, id: TokenId) -> Result<Option<Stored>> {
        reads::token(&self.inner, id)
    }

    fn pat(&self, id: TokenId) -> Result<Option<Pat>> {
        reads::pat(&self.inner, id)
    }

    fn evidence(&self, id: TokenId) -> Result<Option<Evidence>> {
        evidence::evidence(&self.inner, self.seals, id)
    }

    fn restrictions(&self, id: TokenId) -> Result<Vec<String>> {
        reads::restrictions(&self.inner, id)
    }

    fn sealed(&self, id: TokenId) -> Result<Option<Vec<u8>>> {
        reads::sealed(&self.inner, id)
    }

    fn installation(&self) -> Result<String> {
        reads::installation(&self.inner)
    }

    fn with_prefix(&self, prefix: &IdPrefix, limit: u32) -> Result<Vec<Pat>> {
        reads::with_prefix(&self.inner, prefix, limit)
    }

    fn list(&self, query: &Query<'_>, each: EachPat<'_>) -> Result<()> {
        reads::list(&self.inner, query, each)
    }

    fn list_checked(&self, query: &Query<'_>, each: EachPat<'_>) -> Result<()> {
        evidence::list(&self.inner, self.seals, query, each)
    }

    fn held(&self, user: Option<&str>) -> Result<u64> {
        reads::held(&self.inner, user)
    }

    fn work_near(&self, id: TokenId) -> Result<Option<Work>> {
        reads::work_near(&self.inner, id)
    }

    fn mark(&self) -> Result<Moment> {
        Ok(self.head.head.mark)
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn insert(&mut self, pat: &NewPat<'_>) -> Result<bool> {
        let sql = INSERT.as_str();
        let (created_at, expires_at) = (pat.created_at.text(), pat.expires_at.map(Moment::text));
        let expires_at = expires_at.as_ref().map(MomentText::as_str);
        let seal = self.seal_of(&Fresh {
            id: pat.id.as_str(),
            name: pat.name,
            user: pat.user,
            email: pat.email,
            auth: pat.auth,
            verifier: pat.verifier,
            created_at: created_at.as_str(),
            expires_at,
            rules: pat.rules,
            secure: pat.secure,
            note: pat.note,
            notify_to: pat.notify_to,
            issued_by: pat.issued_by,
            origin: (None, None, None),
        })?;
        let values = params![
            pat.id.as_str(),
            pat.name,
            pat.user,
            pat.email,
            pat.auth.as_str(),
            pat.verifier.as_phc(),
            created_at.as_str(),
            expires_at,
            pat.secure,
            pat.note,
            pat.notify_to,
            pat.rules.is_some(),
            pat.sealed,
            seal,
            pat.issued_by,
        ];
        if reads::execute(&self.inner, sql, values)? != 1 {
            return Ok(false);
        }
        self.restrict(pat.id, pat.rules.unwrap_or_default())?;
        Ok(true)
    }

    fn revoke(&mut self, id: TokenId, at: Moment, reason: Option<&str>) -> Result<bool> {
        let at = at.text();
        let seal = self.seal_of_revoked(id, at.as_str(), reason)?;
        let sql = "UPDATE token SET revoked_at = ?2, revoke_reason = ?3, sealed = NULL, integrity = ?4, \
                   version = version + 1 WHERE id = ?1 AND revoked_at IS NULL";
        let revoked = reads::execute(&self.inner, sql, params![id.as_str(), at.as_str(), reason, seal])? == 1;
        self.forget(id)?;
        Ok(revoked)
    }

    fn is_as_read(&self, id: TokenId, basis: &Basis) -> Result<bool> {
        evidence::is_as_read(&self.inner, id, basis)
    }

    fn touch(&mut self, id: TokenId, at: Moment, client: Option<ClientAddress>) -> Result<()> {
        let sql = "UPDATE token SET last_used_at = ?2, last_used_from = ?3 WHERE id = ?1";
        let from = client.map(|client| client.to_string());
        reads::execute(&self.inner, sql, params![id.as_str(), at.text().as_str(), from]).map(|_| ())
    }

    fn remember(&mut self, id: TokenId, proved: &Proved, limits: CacheLimits) -> Result<()> {
        let sql = "INSERT INTO cache (token, digest, at) SELECT seq, ?2, ?3 FROM token WHERE id = ?1 \
                   ON CONFLICT (token) DO UPDATE SET digest = excluded.digest, at = excluded.at";
        let at = proved.at.text();
        reads::execute(&self.inner, sql, params![id.as_str(), proved.digest, at.as_str()])?;
        let count = reads::collect(&self.inner, "SELECT count(*) FROM cache", [], |row| {
            rows::integer(row, 0, "count")
        })?;
        if count.first().is_none_or(|count| *count <= i64::from(limits.max_items)) {
            return Ok(());
        }
        let oldest = proved.at.saturating_minus(limits.expiry).text();
        let sql = "DELETE FROM cache WHERE at > ?1 OR at <= ?2";
        reads::execute(&self.inner, sql, params![at.as_str(), oldest.as_str()])?;
        let sql = "DELETE FROM cache WHERE token IN \
                   (SELECT token FROM cache ORDER BY at DESC, token LIMIT -1 OFFSET ?1)";
        reads::execute(&self.inner, sql, params![limits.max_items]).map(|_| ())
    }

    fn renew(&mut self, id: TokenId, old: &Verifier, new: &Verifier) -> Result<()> {
        let sql = "UPDATE token SET verifier = ?3 WHERE id = ?1 AND verifier = ?2";
        self.alter(id, IfDamaged::Refuse, |change| {
            change.one(sql, params![id.as_str(), old.as_phc(), new.as_phc()])
        })?;
        Ok(())
    }

    fn prune(&mut self, before: Moment, after: i64, upto: i64, at: Moment) -> Result<Vec<Pat>> {
        // One statement for a whole step: what each one costs beside its rows is more than a row.
        let filter = reads::PRUNABLE;
        let sql = format!("DELETE FROM token WHERE {filter} AND seq > ?2 AND seq <= ?3 RETURNING {PAT}, seq");
        let before = before.text();
        let mut gone =
            reads::collect(&self.inner, &sql, params![before.as_str(), after, upto], reads::numbered)?;
        gone.sort_unstable_by_key(|row| row.seq);
        let gone: Vec<Pat> = gone.into_iter().map(|row| row.pat).collect();
        self.head.head.tombstones += tombstone::write(&self.inner, self.seals, &gone, at)?;
        self.moved = Moved::Otherwise;
        Ok(gone)
    }

    fn audit(&mut self, entry: &Entry<'_>) -> Result<()> {
        self.audit_all(std::slice::from_ref(entry))
    }

    fn audit_all(&mut self, entries: &[Entry<'_>]) -> Result<()> {
        self.moved = self.moved.max(Moved::Forward);
        let mut dated = Vec::with_capacity(entries.len());
        for entry in entries {
            let version =
                entry.version.map_or_else(|| log::version(&self.inner, entry), |known| Ok(Some(known)))?;
            dated.push(Entry { version, ..entry.clone() });
        }
        log::append(&self.inner, &mut self.head.head, &dated)
    }

    fn commit(self: Box<Self>) -> Result<()> {
        let seals = self.resealed.as_ref().unwrap_or(self.seals);
        match self.moved {
            Moved::Not => {}
            Moved::Forward => head::advance(&self.inner, seals, &self.head)?,
            Moved::Otherwise => head::write(&self.inner, seals, &self.head)?,
        }
        for index in &self.aside {
            self.inner.execute_batch(index).map_err(failed)?;
        }
        self.inner.commit().map_err(|error| match failed(error) {
            StoreError::Busy => StoreError::Busy,
            StoreError::Io(what)
            | StoreError::Damaged(what)
            | StoreError::Permission(what)
            | StoreError::Exhausted(what) => StoreError::Undecided(what),
            other => other,
        })?;
        let due = match self.durability {
            Durability::Full => true,
            Durability::Step => super::log_size(self.db) > STEPS_LOG,
            Durability::Relaxed => super::log_size(self.db) > USES_LOG,
        };
        if due {
            if self.durability == Durability::Step {
                super::fold(self.db);
            }
            let pauses = if self.durability == Durability::Relaxed { super::ONCE } else { super::PATIENTLY };
            super::checkpoint(self.db, pauses);
        }
        Ok(())
    }
}

impl Trim for SqliteTransaction<'_> {
    fn latest(&self) -> Moment {
        // Who put the mark back, together with the clock, would bring back what has expired.
        let forged = self.head.seal.is_err() && self.seals.sealer().has_key();
        if forged { UNKNOWN } else { self.head.head.mark }
    }

    fn accept_clock(&mut self) {
        self.head.head.mark = Moment::clamped(i128::MIN);
        self.moved = Moved::Otherwise;
    }

    fn trim(&mut self, upto: i64, most: u32, now: Moment) -> Result<Option<Cut>> {
        self.moved = Moved::Otherwise;
        log::trim(&self.inner, &mut self.head.head, (upto, most), now)
    }
}
