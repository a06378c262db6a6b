//! Tokens that come from elsewhere, behind their contract.

use super::transaction::SqliteTransaction;
use super::{Result, SqliteStore, reads, rows};
use crate::domain::atlassian::number::Number;
use crate::domain::atlassian::row::Exported;
use crate::domain::token::TokenId;
use crate::domain::verifier::Verifier;
use crate::store::StoreError;
use crate::store::contract::Transaction as _;
use crate::store::intake::{Brought, EachExported, Export, Intake, Origin, Origins};
use rusqlite::{Connection, params};

fn origin(db: &Connection, id: TokenId) -> Result<Option<Origin>> {
    let sql = "SELECT origin_row, origin_user, created_at, verifier FROM token WHERE id = ?1";
    let found = reads::collect(db, sql, [id.as_str()], |row| {
        Ok(Origin {
            row: rows::number(row, 0, "origin_row")?,
            user_key: rows::optional(row, 1, "origin_user")?.map(str::to_owned),
            created_at: rows::parsed(row, 2, "created_at")?,
            verifier: Verifier::parse(rows::text(row, 3, "verifier")?).ok(),
        })
    })?;
    Ok(found.into_iter().next())
}

fn exported(row: &rusqlite::Row<'_>) -> Result<Exported> {
    let id: TokenId = rows::parsed(row, 0, "id")?;
    let number = Number::of(id).ok_or_else(|| StoreError::Damaged(format!("{id} was never imported")))?;
    let verifier = Verifier::parse(rows::text(row, 1, "verifier")?).ok();
    Ok(Exported {
        number,
        row: rows::number(row, 2, "origin_row")?,
        hash: verifier.and_then(|verifier| verifier.as_imported().cloned()),
        name: rows::text(row, 3, "name")?.to_owned(),
        user_key: rows::text(row, 4, "origin_user")?.to_owned(),
        created_at: rows::parsed(row, 5, "created_at")?,
        expires_at: rows::maybe(row, 6, "expires_at")?,
        never: rows::optional(row, 7, "origin_end")?.map(str::to_owned),
        last_used_at: rows::maybe(row, 8, "last_used_at")?,
        notified: rows::parsed(row, 9, "notified")?,
    })
}

impl Origins for SqliteStore {
    fn origin(&self, id: TokenId) -> Result<Option<Origin>> {
        origin(&self.db, id)
    }
}

impl Export for SqliteStore {
    fn exported(&self, each: EachExported<'_>) -> Result<()> {
        let sql = "SELECT id, verifier, origin_row, name, origin_user, created_at, expires_at, origin_end, \
                   last_used_at, notified FROM token \
                   WHERE origin_user IS NOT NULL AND revoked_at IS NULL ORDER BY seq";
        reads::each_row(&self.db, sql, [], |row| Ok(each(&exported(row)?)))
    }
}

impl Origins for SqliteTransaction<'_> {
    fn origin(&self, id: TokenId) -> Result<Option<Origin>> {
        origin(self.db(), id)
    }
}

impl Intake for SqliteTransaction<'_> {
    fn bring(&mut self, brought: &Brought<'_>) -> Result<bool> {
        if !self.insert(&brought.pat)? {
            return Ok(false);
        }
        let sql = "UPDATE token SET last_used_at = ?2, notified = ?3, origin_row = ?4, origin_user = ?5, \
                   origin_end = ?6 WHERE id = ?1";
        let values = params![
            brought.pat.id.as_str(),
            brought.last_used_at.map(|at| at.to_string()),
            brought.notified.as_str(),
            brought.row,
            brought.user_key,
            brought.never,
        ];
        reads::execute(self.db(), sql, values).map(|_| true)
    }
}
