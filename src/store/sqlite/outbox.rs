//! The outbox behind its contract.

use super::integrity::Seals;
use super::query::{self, Statement};
use super::rows::{self, PAT, PAT_WIDTH};
use super::transaction::SqliteTransaction;
use super::{Result, SqliteStore, failed, reads};
use crate::domain::integrity::Damage;
use crate::domain::moment::Moment;
use crate::domain::notice::{Kind, Notice, frame};
use crate::domain::pat::Status;
use crate::store::Row;
use crate::store::StoreError;
use crate::store::outbox::{Fate, Outbox, OutboxChange, Posted, Step, Turn};
use rusqlite::{Connection, Row as RusqliteRow, ToSql, params, params_from_iter};
use std::collections::HashSet;

/// The condition for tokens whose turn it is; finding and marking them share it.
fn condition(turn: Turn) -> Statement {
    let (status, state) = match turn.step {
        Step::Expired => (Status::Expired, "notified <> 'expired-sent'"),
        Step::Soon => (Status::ExpiresSoon, "notified = 'not-sent'"),
    };
    let Statement { sql, values } = query::with_status(status, turn.now, turn.warning);
    Statement { sql: format!("{sql} AND {state}"), values }
}

fn due(db: &Connection, turn: Turn, after: i64, limit: u32) -> Result<Vec<Row>> {
    let Statement { sql: condition, values } = condition(turn);
    let sql = format!(
        "SELECT {PAT}, seq FROM token WHERE {condition} AND seq > {after} ORDER BY seq LIMIT {limit}"
    );
    reads::collect(db, &sql, params_from_iter(values), |row| {
        Ok(Row { seq: rows::integer(row, PAT_WIDTH, "seq")?, pat: rows::pat(row)? })
    })
}

/// The columns of [`posted`].
const POSTED: &str =
    "seq, at, kind, token_id, name, user, expires_at, recipient, state = 'refused', integrity";

fn posted(row: &RusqliteRow<'_>, seals: &Seals, database: &str) -> Result<Posted> {
    let read = || -> Result<Notice> {
        Ok(Notice {
            at: rows::parsed(row, 1, "at")?,
            kind: rows::parsed(row, 2, "kind")?,
            token_id: rows::text(row, 3, "token_id")?.to_owned(),
            name: rows::text(row, 4, "name")?.to_owned(),
            user: rows::optional(row, 5, "user")?.map(str::to_owned),
            expires_at: rows::maybe(row, 6, "expires_at")?,
            recipient: rows::text(row, 7, "recipient")?.to_owned(),
        })
    };
    let (notice, seal) = match read() {
        Ok(notice) => {
            let seal = row.get_ref(9).map_err(failed)?.as_blob_or_null().unwrap_or(None);
            let checked = seals.sealer().check_message(seal, || frame(database, &notice));
            (notice, checked)
        }
        // It is named, and keeps nobody from the others.
        Err(StoreError::BadRow(_)) => (unreadable(row), Err(Damage::Changed)),
        Err(error) => return Err(error),
    };
    Ok(Posted {
        seq: rows::integer(row, 0, "seq")?,
        notice,
        refused: rows::integer(row, 8, "state")? != 0,
        seal,
    })
}

fn unreadable(row: &RusqliteRow<'_>) -> Notice {
    let text = |at: usize| rows::text(row, at, "").map(str::to_owned).unwrap_or_default();
    Notice {
        at: Moment::clamped(i128::MIN),
        kind: Kind::Created,
        token_id: text(3),
        name: text(4),
        user: None,
        expires_at: None,
        recipient: text(7),
    }
}

fn open_mails(db: &Connection, seals: &Seals, recipient: Option<&str>, limit: u32) -> Result<Vec<Posted>> {
    let sql = format!(
        "SELECT {POSTED} FROM outbox \
         WHERE state IN ('pending', 'refused') AND recipient = coalesce(?1, recipient) ORDER BY seq LIMIT {limit}"
    );
    let database = seals.database(db)?;
    reads::collect(db, &sql, [recipient], |row| posted(row, seals, database))
}

/// The mails that wait and are not what patctl wrote.
pub fn altered(db: &Connection, seals: &Seals) -> Result<Vec<Posted>> {
    let mut mails = open_mails(db, seals, None, u32::MAX)?;
    mails.retain(|mail| mail.seal.is_err());
    Ok(mails)
}

/// Gives the mails that wait, and that `wanted` chooses, a seal.
pub fn reseal(db: &Connection, to: &Seals, wanted: impl Fn(&Posted) -> bool) -> Result<()> {
    let database = to.database(db)?;
    for mail in open_mails(db, to, None, u32::MAX)? {
        if wanted(&mail) {
            let seal = to.sealer().seal_message(&frame(database, &mail.notice));
            reads::execute(db, "UPDATE outbox SET integrity = ?2 WHERE seq = ?1", params![mail.seq, seal])?;
        }
    }
    Ok(())
}

/// Seals what waits in a database of before schema 8, in which mails had no seal.
pub fn seal_unsealed(db: &Connection, seals: &Seals) -> Result<()> {
    reseal(db, seals, |mail| mail.seal == Err(Damage::Unsealed))
}

/// Seals with a new key what has a checksum that is right.
pub fn adopt(db: &Connection, keyed: &Seals) -> Result<()> {
    let right: HashSet<i64> = open_mails(db, &Seals::default(), None, u32::MAX)?
        .iter()
        .filter(|mail| mail.seal.is_ok())
        .map(|mail| mail.seq)
        .collect();
    reseal(db, keyed, |mail| right.contains(&mail.seq))
}

fn waiting_recipients(db: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT recipient FROM outbox WHERE state IN ('pending', 'refused') \
               GROUP BY recipient ORDER BY max(attempts), min(seq)";
    reads::collect(db, sql, [], |row| Ok(rows::text(row, 0, "recipient")?.to_owned()))
}

impl Outbox for SqliteStore {
    fn due(&self, turn: Turn, after: i64, limit: u32) -> Result<Vec<Row>> {
        due(&self.db, turn, after, limit)
    }

    fn open_mails(&self, recipient: Option<&str>, limit: u32) -> Result<Vec<Posted>> {
        open_mails(&self.db, &self.seals, recipient, limit)
    }

    fn waiting_recipients(&self) -> Result<Vec<String>> {
        waiting_recipients(&self.db)
    }
}

impl Outbox for SqliteTransaction<'_> {
    fn due(&self, turn: Turn, after: i64, limit: u32) -> Result<Vec<Row>> {
        due(self.db(), turn, after, limit)
    }

    fn open_mails(&self, recipient: Option<&str>, limit: u32) -> Result<Vec<Posted>> {
        open_mails(self.db(), self.seals(), recipient, limit)
    }

    fn waiting_recipients(&self) -> Result<Vec<String>> {
        waiting_recipients(self.db())
    }
}

impl OutboxChange for SqliteTransaction<'_> {
    fn post(&mut self, notice: &Notice) -> Result<()> {
        let sql = "INSERT INTO outbox (at, kind, token_id, name, user, expires_at, recipient, integrity) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let seal = self.seals().sealer().seal_message(&frame(self.seals().database(self.db())?, notice));
        let values = params![
            notice.at.to_string(),
            notice.kind.as_str(),
            notice.token_id,
            notice.name,
            notice.user,
            notice.expires_at.map(|at| at.to_string()),
            notice.recipient,
            seal,
        ];
        reads::execute(self.db(), sql, values).map(|_| ())
    }

    fn had_turn(&mut self, row: &Row, turn: Turn) -> Result<bool> {
        // No new version: what the token may do is what it was.
        let Statement { sql: condition, values } = condition(turn);
        let (notified, seq) = (turn.step.notified().as_str(), row.seq);
        let sql = format!("UPDATE token SET notified = '{notified}' WHERE seq = {seq} AND {condition}");
        let values: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
        Ok(reads::execute(self.db(), &sql, &values)? == 1)
    }

    fn claim(&mut self, seq: i64) -> Result<bool> {
        let sql = "UPDATE outbox SET state = 'uncertain', attempts = attempts + 1, error = 'interrupted' \
                   WHERE seq = ?1 AND state IN ('pending', 'refused')";
        Ok(reads::execute(self.db(), sql, params![seq])? == 1)
    }

    fn settle(&mut self, seq: i64, fate: Fate<'_>) -> Result<()> {
        let (state, error) = match fate {
            Fate::Sent => ("sent", None),
            Fate::Refused(why) => ("refused", Some(why)),
            Fate::Waiting(why) => ("pending", Some(why)),
            Fate::Uncertain(why) => ("uncertain", Some(why)),
            Fate::Dropped(why) => ("dropped", Some(why)),
        };
        let sql = "UPDATE outbox SET state = ?2, error = ?3 WHERE seq = ?1";
        reads::execute(self.db(), sql, params![seq, state, error]).map(|_| ())
    }

    fn drop_mails(&mut self, why: &str) -> Result<u64> {
        let sql = "UPDATE outbox SET state = 'dropped', error = ?1 WHERE state IN ('pending', 'refused')";
        Ok(reads::execute(self.db(), sql, params![why])? as u64)
    }

    fn forget_mails(&mut self, before: Moment) -> Result<u64> {
        let sql = "DELETE FROM outbox WHERE state NOT IN ('pending', 'refused') AND at < ?1";
        Ok(reads::execute(self.db(), sql, params![before.to_string()])? as u64)
    }
}
