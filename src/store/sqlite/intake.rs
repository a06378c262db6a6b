//! Tokens that come from elsewhere, behind their contract.

use super::examine::MISPLACED;
use super::integrity::Fresh;
use super::transaction::SqliteTransaction;
use super::{Result, SqliteStore, failed, reads, rows, tombstone};
use crate::domain::atlassian::number::Number;
use crate::domain::atlassian::row::Exported;
use crate::domain::integrity::Damage;
use crate::domain::moment::{Moment, MomentText};
use crate::domain::token::TokenId;
use crate::domain::tombstone::Tombstone;
use crate::domain::verifier::Verifier;
use crate::store::StoreError;
use crate::store::intake::{Brought, EachExported, Export, Intake, Origin, Origins};
use rusqlite::{Connection, params};

/// How much of the database is kept in memory while rows are added, at least and at most, and for each row: the
/// index of ids is written all over.
const CACHE_KIB: std::ops::RangeInclusive<u64> = 32_768..=262_144;
const ROWS_A_KIB: u64 = 32;
/// From so many rows on it is faster to sort the indexes once than to write all over them.
const MANY: u64 = 1_000;

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

    fn tombstone(&self, id: TokenId) -> Result<Option<Tombstone>> {
        tombstone::find(&self.db, id)
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

    fn tombstone(&self, id: TokenId) -> Result<Option<Tombstone>> {
        tombstone::find(self.db(), id)
    }
}

impl Intake for SqliteTransaction<'_> {
    fn check_ends(&self) -> Result<()> {
        let wrong = tombstone::faults(self.db(), self.seals(), self.head().head.tombstones)?;
        let gone = format!("SELECT id FROM ({MISPLACED}) WHERE version IS NULL LIMIT 1");
        let gone = reads::collect(self.db(), &gone, [], |row| {
            Ok(format!("the row of {}, which nobody pruned", rows::text(row, 0, "id")?))
        })?;
        let head = self
            .head()
            .seal
            .err()
            .filter(|damage| matches!(damage, Damage::Changed | Damage::Unkeyed | Damage::Unsealed));
        let head = head.map(|damage| format!("the head of the audit log: {}", damage.of_head()));
        match wrong.into_iter().chain(gone).chain(head).next() {
            None => Ok(()),
            Some(what) => Err(StoreError::Ends(what)),
        }
    }

    fn bring_back(&mut self, id: TokenId) -> Result<bool> {
        self.unbury(id)
    }

    fn announce(&mut self, count: u64) -> Result<()> {
        let kib = (CACHE_KIB.start() + count / ROWS_A_KIB).min(*CACHE_KIB.end());
        // Negative, as `SQLite` counts KiB.
        self.db().pragma_update(None, "cache_size", -kib.cast_signed()).map_err(failed)?;
        // Indexes are sorted by a thread of their own while the tokens are read.
        self.db().pragma_update_and_check(None, "threads", 1, |_| Ok(())).map_err(failed)?;
        let there = reads::collect(self.db(), "SELECT count(*) FROM token", [], |row| {
            rows::integer(row, 0, "count")
        })?;
        let there = there.first().map_or(0, |there| there.unsigned_abs());
        if count >= MANY && count >= there / 4 { self.hurry() } else { Ok(()) }
    }

    fn bring(&mut self, brought: &Brought<'_>) -> Result<bool> {
        let sql = "INSERT INTO token (id, name, user, auth, verifier, created_at, expires_at, last_used_at, \
                   notified, origin_row, origin_user, origin_end, integrity) \
                   SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13 \
                   WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE id = ?1) ON CONFLICT (id) DO NOTHING";
        let (created, expires) = (brought.created_at.text(), brought.expires_at.map(Moment::text));
        let used = brought.last_used_at.map(Moment::text);
        let expires = expires.as_ref().map(MomentText::as_str);
        let seal = self.seal_of(&Fresh {
            id: brought.id.as_str(),
            name: brought.name,
            user: Some(brought.user),
            email: None,
            auth: brought.auth,
            verifier: brought.verifier,
            created_at: created.as_str(),
            expires_at: expires,
            rules: None,
            secure: false,
            note: None,
            notify_to: None,
            issued_by: None,
            origin: (brought.row, Some(brought.user_key), brought.never),
        })?;
        let values = params![
            brought.id.as_str(),
            brought.name,
            brought.user,
            brought.auth.as_str(),
            brought.verifier.as_phc(),
            created.as_str(),
            expires,
            used.as_ref().map(MomentText::as_str),
            brought.notified.as_str(),
            brought.row,
            brought.user_key,
            brought.never,
            seal,
        ];
        Ok(reads::execute(self.db(), sql, values)? == 1)
    }
}
