//! Taking in tokens that were exported.

use super::transaction::SqliteTransaction;
use super::{Result, reads};
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::token::TokenId;
use crate::domain::verifier::Verifier;
use crate::store::carry::Carry;
use rusqlite::params;

impl Carry for SqliteTransaction<'_> {
    fn carry(&mut self, pat: &Pat, rules: &[String]) -> Result<bool> {
        let sql = "INSERT INTO token (id, name, user, email, auth, verifier, created_at, expires_at, revoked_at, \
                   disabled_at, rotated_at, last_used_at, revoke_reason, restricted, secure, note, notify_to, \
                   successor, predecessor, ends_predecessor, reused_at, notified, issued_by, last_used_from) \
                   SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
                   ?19, ?20, ?21, ?22, ?23, ?24 WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE id = ?1) ON CONFLICT (id) DO NOTHING";
        let at = |at: Option<Moment>| at.map(|at| at.to_string());
        let values = params![
            pat.id.as_str(),
            pat.name,
            pat.user,
            pat.email,
            pat.auth.as_str(),
            Verifier::NONE,
            pat.life.created_at.to_string(),
            at(pat.life.expires_at),
            at(pat.life.revoked_at),
            at(pat.life.disabled_at),
            at(pat.life.rotated_at),
            at(pat.life.last_used_at),
            pat.revoke_reason,
            pat.restricted,
            pat.secure,
            pat.note,
            pat.notify_to,
            pat.successor.as_ref().map(TokenId::as_str),
            pat.predecessor.as_ref().map(TokenId::as_str),
            pat.ends_predecessor,
            at(pat.reused_at),
            pat.notified.as_str(),
            pat.issued_by,
            pat.last_used_from,
        ];
        if reads::execute(self.db(), sql, values)? != 1 {
            return Ok(false);
        }
        self.restrict(pat.id, rules)?;
        self.seal_new(pat.id)?;
        Ok(true)
    }
}
