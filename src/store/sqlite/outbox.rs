//! The outbox behind its contract.

use super::rows::{self, PAT, PAT_WIDTH};
use super::transaction::SqliteTransaction;
use super::{Result, SqliteStore, reads};
use crate::domain::moment::Moment;
use crate::domain::notice::Notice;
use crate::store::Row;
use crate::store::outbox::{Fate, Outbox, OutboxChange, Posted, Step, Turn};
use rusqlite::{Connection, params};

/// Whose turn it is, given now as `?1` and soon as `?2`: looking and noting share it. A token that a
/// successor takes the place of ends with a mail about neither.
fn condition(step: Step) -> &'static str {
    match step {
        Step::Expired => {
            "revoked_at IS NULL AND disabled_at IS NULL AND rotated_at IS NULL \
             AND expires_at <= min(?1, ?2) AND notified <> 'expired-sent'"
        }
        Step::Soon => {
            "revoked_at IS NULL AND disabled_at IS NULL AND rotated_at IS NULL \
             AND expires_at > ?1 AND expires_at <= ?2 AND notified = 'not-sent'"
        }
    }
}

fn due(db: &Connection, turn: Turn, limit: u32) -> Result<Vec<Row>> {
    let condition = condition(turn.step);
    let sql =
        format!("SELECT {PAT}, seq FROM token WHERE {condition} ORDER BY expires_at, seq LIMIT {limit}");
    reads::collect(db, &sql, params![turn.now.to_string(), turn.soon.to_string()], |row| {
        Ok(Row { seq: rows::integer(row, PAT_WIDTH, "seq")?, pat: rows::pat(row)? })
    })
}

fn open_mails(db: &Connection, after: i64, limit: u32) -> Result<Vec<Posted>> {
    let sql = format!(
        "SELECT seq, at, kind, token_id, name, user, expires_at, recipient, state = 'refused' FROM outbox \
         WHERE state IN ('pending', 'refused') AND seq > ?1 ORDER BY seq LIMIT {limit}"
    );
    reads::collect(db, &sql, [after], |row| {
        Ok(Posted {
            seq: rows::integer(row, 0, "seq")?,
            notice: Notice {
                at: rows::parsed(row, 1, "at")?,
                kind: rows::parsed(row, 2, "kind")?,
                token_id: rows::text(row, 3, "token_id")?.to_owned(),
                name: rows::text(row, 4, "name")?.to_owned(),
                user: rows::optional(row, 5, "user")?.map(str::to_owned),
                expires_at: rows::maybe(row, 6, "expires_at")?,
                recipient: rows::text(row, 7, "recipient")?.to_owned(),
            },
            refused: rows::integer(row, 8, "state")? != 0,
        })
    })
}

impl Outbox for SqliteStore {
    fn due(&self, turn: Turn, limit: u32) -> Result<Vec<Row>> {
        due(&self.db, turn, limit)
    }

    fn open_mails(&self, after: i64, limit: u32) -> Result<Vec<Posted>> {
        open_mails(&self.db, after, limit)
    }
}

impl Outbox for SqliteTransaction<'_> {
    fn due(&self, turn: Turn, limit: u32) -> Result<Vec<Row>> {
        due(self.db(), turn, limit)
    }

    fn open_mails(&self, after: i64, limit: u32) -> Result<Vec<Posted>> {
        open_mails(self.db(), after, limit)
    }
}

impl OutboxChange for SqliteTransaction<'_> {
    fn post(&mut self, notice: &Notice) -> Result<()> {
        let sql = "INSERT INTO outbox (at, kind, token_id, name, user, expires_at, recipient) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![
            notice.at.to_string(),
            notice.kind.as_str(),
            notice.token_id,
            notice.name,
            notice.user,
            notice.expires_at.map(|at| at.to_string()),
            notice.recipient,
        ];
        reads::execute(self.db(), sql, values).map(|_| ())
    }

    fn had_turn(&mut self, row: &Row, turn: Turn) -> Result<bool> {
        // No new version: what the token may do is what it was.
        let condition = condition(turn.step);
        let sql = format!("UPDATE token SET notified = ?3 WHERE seq = ?4 AND id = ?5 AND {condition}");
        let (now, soon) = (turn.now.to_string(), turn.soon.to_string());
        let values = params![now, soon, turn.step.notified().as_str(), row.seq, row.pat.id.as_str()];
        Ok(reads::execute(self.db(), &sql, values)? == 1)
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
