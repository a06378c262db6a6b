//! Changes of tokens that exist.

use super::integrity::IfDamaged::{GoOn, Refuse};
use super::transaction::SqliteTransaction;
use super::{Result, reads, rows};
use crate::domain::moment::Moment;
use crate::domain::token::TokenId;
use crate::store::amend::{Amend, Amended, Succession};
use rusqlite::params;

impl Amend for SqliteTransaction<'_> {
    fn disable(&mut self, id: TokenId, at: Moment) -> Result<bool> {
        let sql = "UPDATE token SET disabled_at = ?2, version = version + 1 \
                   WHERE id = ?1 AND disabled_at IS NULL AND revoked_at IS NULL";
        self.forget(id)?;
        self.alter(id, GoOn, |change| change.one(sql, params![id.as_str(), at.to_string()]))
    }

    fn enable(&mut self, id: TokenId) -> Result<bool> {
        let sql = "UPDATE token SET disabled_at = NULL, version = version + 1 \
                   WHERE id = ?1 AND disabled_at IS NOT NULL AND revoked_at IS NULL";
        self.alter(id, Refuse, |change| change.one(sql, params![id.as_str()]))
    }

    fn amend(&mut self, id: TokenId, to: &Amended<'_>) -> Result<bool> {
        let sql = "UPDATE token SET name = ?2, email = ?3, auth = ?4, expires_at = ?5, note = ?6, \
                   notify_to = ?7, restricted = ?8, version = version + 1, \
                   notified = iif(?9 OR (email IS NOT ?3 OR notify_to IS NOT ?7) AND EXISTS (SELECT 1 FROM outbox \
                   WHERE token_id = ?1 AND kind IN ('expires-soon', 'expired') AND state = 'dropped' AND attempts > 0), \
                   'not-sent', notified) WHERE id = ?1";
        // A warning that the old address refused for good has reached no one: another address gets it.
        let values = params![
            id.as_str(),
            to.name,
            to.email,
            to.auth.as_str(),
            to.expires_at.map(|at| at.to_string()),
            to.note,
            to.notify_to,
            to.rules.is_some(),
            to.forgets_mails,
        ];
        self.alter(id, Refuse, |change| {
            if !change.one(sql, values)? {
                return Ok(false);
            }
            change.forget(id)?;
            let sql = "DELETE FROM restriction WHERE token = (SELECT seq FROM token WHERE id = ?1)";
            reads::execute(change.db(), sql, params![id.as_str()])?;
            change.restrict(id, to.rules.unwrap_or_default())?;
            Ok(true)
        })
    }

    fn succeed(&mut self, succession: &Succession) -> Result<bool> {
        let Succession { old, new, at, on_first_use } = *succession;
        let sql = "UPDATE token SET rotated_at = ?3, successor = ?2, version = version + 1 WHERE id = ?1 \
                   AND successor IS NULL AND rotated_at IS NULL AND revoked_at IS NULL";
        let values = params![old.as_str(), new.as_str(), at.to_string()];
        // Its grants go on in the new one: they must be those that patctl wrote.
        if !self.alter(old, Refuse, |change| change.one(sql, values))? {
            return Ok(false);
        }
        self.forget(old)?;
        let sql = "UPDATE token SET predecessor = ?1, ends_predecessor = ?3 WHERE id = ?2";
        self.alter(new, Refuse, |change| change.one(sql, params![old.as_str(), new.as_str(), on_first_use]))
    }

    fn reinstate(&mut self, old: TokenId, new: TokenId, at: Moment) -> Result<bool> {
        // A warning about the end of the rotation is none about the expiry that counts again.
        let sql = "UPDATE token SET rotated_at = NULL, successor = NULL, notified = 'not-sent', version = version + 1 \
                   WHERE id = ?1 AND successor = ?2 AND rotated_at > ?3";
        self.alter(old, Refuse, |change| change.one(sql, params![old.as_str(), new.as_str(), at.to_string()]))
    }

    fn switch(&mut self, new: TokenId, at: Moment) -> Result<Option<TokenId>> {
        let sql = "UPDATE token SET ends_predecessor = 0 WHERE id = ?1 AND ends_predecessor = 1";
        if !self.alter(new, Refuse, |change| change.one(sql, params![new.as_str()]))? {
            return Ok(None);
        }
        // The link must stand on both sides: an undone rotation ends nothing.
        let sql = "SELECT id FROM token WHERE successor = ?1 AND revoked_at IS NULL AND rotated_at > ?2 \
                   AND id = (SELECT predecessor FROM token WHERE id = ?1)";
        let values = params![new.as_str(), at.to_string()];
        let old = reads::collect(self.db(), sql, values, |row| rows::parsed::<TokenId>(row, 0, "id"))?.pop();
        if let Some(old) = old {
            let sql = "UPDATE token SET rotated_at = ?2, version = version + 1 WHERE id = ?1";
            self.alter(old, GoOn, |change| change.one(sql, params![old.as_str(), at.to_string()]))?;
            self.forget(old)?;
        }
        Ok(old)
    }

    fn reused(&mut self, id: TokenId, at: Moment) -> Result<()> {
        let sql = "UPDATE token SET reused_at = ?2 WHERE id = ?1";
        self.one(sql, params![id.as_str(), at.to_string()]).map(|_| ())
    }
}
