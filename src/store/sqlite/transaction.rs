//! A change in the making.

use super::{Result, failed, log, reads};
use crate::domain::audit::Entry;
use crate::domain::chain::Link;
use crate::domain::id::IdPrefix;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Pat;
use crate::domain::token::TokenId;
use crate::domain::verifier::{Verifier, Work};
use crate::store::contract::EachPat;
use crate::store::log::{Cut, Trim};
use crate::store::{Durability, NewPat, Query, Read, Row, StoreError, Stored, Transaction};
use rusqlite::{Connection, params};

/// A `BEGIN IMMEDIATE`; dropped, it rolls back.
pub struct SqliteTransaction<'s> {
    db: &'s Connection,
    inner: rusqlite::Transaction<'s>,
    durability: Durability,
    /// The last row of the audit log, once this transaction has looked: nobody else writes meanwhile.
    last: Option<Link>,
}

impl<'s> SqliteTransaction<'s> {
    /// Takes the write lock.
    pub fn begin(db: &'s Connection, durability: Durability) -> Result<Self> {
        let behavior = rusqlite::TransactionBehavior::Immediate;
        let inner = rusqlite::Transaction::new_unchecked(db, behavior).map_err(failed)?;
        Ok(Self { db, inner, durability, last: None })
    }
}

impl SqliteTransaction<'_> {
    /// Where its statements run.
    pub(super) fn db(&self) -> &Connection {
        &self.inner
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

    fn held(&self, user: Option<&str>) -> Result<u64> {
        reads::held(&self.inner, user)
    }

    fn work_near(&self, id: TokenId) -> Result<Option<Work>> {
        reads::work_near(&self.inner, id)
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn insert(&mut self, pat: &NewPat<'_>) -> Result<bool> {
        let sql = "INSERT INTO token \
                   (id, name, user, email, auth, verifier, created_at, expires_at, secure, note, notify_to, \
                   restricted, sealed) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
                   ON CONFLICT (id) DO NOTHING";
        let values = params![
            pat.id.as_str(),
            pat.name,
            pat.user,
            pat.email,
            pat.auth.as_str(),
            pat.verifier.as_phc(),
            pat.created_at.to_string(),
            pat.expires_at.map(|at| at.to_string()),
            pat.secure,
            pat.note,
            pat.notify_to,
            pat.rules.is_some(),
            pat.sealed,
        ];
        if reads::execute(&self.inner, sql, values)? != 1 {
            return Ok(false);
        }
        self.restrict(pat.id, pat.rules.unwrap_or_default())?;
        Ok(true)
    }

    fn revoke(&mut self, id: TokenId, at: Moment, reason: Option<&str>) -> Result<bool> {
        let sql = "UPDATE token SET revoked_at = ?2, revoke_reason = ?3, sealed = NULL, version = version + 1 \
                   WHERE id = ?1 AND revoked_at IS NULL";
        Ok(reads::execute(&self.inner, sql, params![id.as_str(), at.to_string(), reason])? == 1)
    }

    fn touch(&mut self, id: TokenId, at: Moment, interval: Span) -> Result<()> {
        // A use dated in the future (a clock that was wrong once) must not stop the noting for ever.
        let sql = "UPDATE token SET last_used_at = ?2 WHERE id = ?1 \
                   AND (last_used_at IS NULL OR last_used_at <= ?3 OR last_used_at > ?2)";
        let latest = at.saturating_minus(interval).to_string();
        reads::execute(&self.inner, sql, params![id.as_str(), at.to_string(), latest]).map(|_| ())
    }

    fn renew(&mut self, id: TokenId, old: &Verifier, new: &Verifier) -> Result<()> {
        let sql = "UPDATE token SET verifier = ?3 WHERE id = ?1 AND verifier = ?2";
        reads::execute(&self.inner, sql, params![id.as_str(), old.as_phc(), new.as_phc()]).map(|_| ())
    }

    fn prune(&mut self, row: &Row, before: Moment) -> Result<bool> {
        let sql = format!("DELETE FROM token WHERE {} AND seq = ?2 AND id = ?3", reads::PRUNABLE);
        let values = params![before.to_string(), row.seq, row.pat.id.as_str()];
        Ok(reads::execute(&self.inner, &sql, values)? == 1)
    }

    fn audit(&mut self, entry: &Entry<'_>) -> Result<()> {
        let last = match self.last.take() {
            Some(last) => last,
            None => log::head(&self.inner)?,
        };
        self.last = Some(log::append(&self.inner, &last, entry)?);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<()> {
        self.inner.commit().map_err(|error| match failed(error) {
            StoreError::Busy => StoreError::Busy,
            StoreError::Io(what) | StoreError::Damaged(what) | StoreError::Permission(what) => {
                StoreError::Undecided(what)
            }
            other => other,
        })?;
        if self.durability == Durability::Full || super::log_is_long(self.db) {
            super::checkpoint(self.db);
        }
        Ok(())
    }
}

impl Trim for SqliteTransaction<'_> {
    fn trim(&mut self, upto: i64, most: u32) -> Result<Option<Cut>> {
        log::trim(&self.inner, upto, most)
    }
}
