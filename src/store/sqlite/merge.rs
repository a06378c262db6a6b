//! What a backup must learn from the database that is there: whatever has come to its end stays there.
//!
//! Both the rows of that database and its audit log are asked, and either is enough to end a token: a row may
//! have been altered or lost, a log cut off. The other way about nothing is believed.

use super::integrity::Seals;
use super::reads::{collect, execute};
use super::{Result, failed, head, held, outbox, reseal, rows, tombstone};
use crate::domain::chain::{KeptHead, Link};
use crate::domain::integrity::{Damage, ROWS};
use crate::store::StoreError;
use crate::store::backup::{Exception, Kept, Meeting, Merged, Unsure};
use rusqlite::{Connection, params};

/// The name of the database that is there, beside the draft.
pub const PRESENT: &str = "present";

/// What the log of the present database says since row `?1`, token by token.
const TOLD: &str = "\
CREATE TEMP TABLE told AS SELECT token_id AS id,
  max(CASE WHEN action = 'revoke' THEN at END) AS revoked_at,
  max(action = 'prune') AS pruned,
  max(action IN ('disable', 'rotate', 'switch', 'undo-rotate', 'edit')) AS touched,
  max(action = 'edit') AS edited, max(version) AS version
  FROM present.audit WHERE seq > ?1 AND outcome = 'done' AND token_id <> '-' GROUP BY token_id";

/// What the salvaged log of a damaged database says and the log of the backup does not, token by token.
const TOLD_BY_SALVAGE: &str = "\
CREATE TEMP TABLE told AS SELECT token_id AS id,
  max(CASE WHEN action = 'revoke' THEN at END) AS revoked_at,
  max(action = 'prune') AS pruned,
  max(action IN ('disable', 'rotate', 'switch', 'undo-rotate', 'edit')) AS touched,
  max(action = 'edit') AS edited, NULL AS version
  FROM present.audit AS p WHERE outcome = 'done' AND token_id <> '-'
  AND NOT EXISTS (SELECT 1 FROM main.audit AS b WHERE b.seq = p.seq AND b.hash IS p.hash)
  AND seq > coalesce((SELECT cut_seq FROM main.head), 0) GROUP BY token_id";

/// Tokens that would be good now, of which the present database knows nothing.
const UNSURE: &str = "\
SELECT id, user FROM temp.token WHERE revoked_at IS NULL AND disabled_at IS NULL
  AND (expires_at IS NULL OR expires_at > ?1) AND (rotated_at IS NULL OR rotated_at > ?1)";

/// Tokens of which only the log of the present database knows.
const LOST: &str = "\
SELECT id, NULL FROM told WHERE version IS NOT NULL AND NOT pruned AND id NOT IN (SELECT id FROM temp.token)
  AND id NOT IN (SELECT id FROM present.token) ORDER BY id";

/// Each token of the backup beside what is known of it.
const FATE: &str = "\
CREATE TEMP TABLE fate AS SELECT b.seq AS seq, b.id AS id, b.user AS user, p.seq IS NOT NULL AS here,
  coalesce(p.revoked_at, t.revoked_at) AS revoked_at, p.revoke_reason, p.disabled_at, p.rotated_at,
  p.successor, p.predecessor, p.ends_predecessor, p.expires_at, p.last_used_at, p.last_used_from, p.reused_at, p.notified,
  nullif(max(coalesce(p.version, 0), coalesce(t.version, 0)), 0) AS version,
  coalesce(t.pruned, 0) AS pruned, coalesce(t.touched, 0) AS touched, coalesce(t.edited, 0) AS edited
  FROM temp.token AS b LEFT JOIN present.token AS p ON p.id = b.id LEFT JOIN told AS t ON t.id = b.id";

/// What ends a token, in this order. Each answers the tokens that it changed.
const ENDINGS: [(Kept, &str); 5] = [
    (
        Kept::Pruned,
        "DELETE FROM temp.token WHERE seq IN (SELECT seq FROM fate WHERE NOT here \
         AND (pruned OR id IN (SELECT id FROM present.tombstone))) RETURNING id, user",
    ),
    (
        Kept::Revoked,
        "UPDATE temp.token SET revoked_at = f.revoked_at, revoke_reason = f.revoke_reason, sealed = NULL \
         FROM fate AS f WHERE f.seq = token.seq AND token.revoked_at IS NULL AND f.revoked_at IS NOT NULL \
         RETURNING id, user",
    ),
    (
        Kept::Disabled,
        "UPDATE temp.token SET disabled_at = f.disabled_at FROM fate AS f WHERE f.seq = token.seq \
         AND token.disabled_at IS NULL AND f.disabled_at IS NOT NULL RETURNING id, user",
    ),
    (
        Kept::Rotated,
        "UPDATE temp.token SET rotated_at = f.rotated_at, successor = f.successor FROM fate AS f \
         WHERE f.seq = token.seq AND f.rotated_at IS NOT NULL \
         AND (token.rotated_at IS NULL OR token.rotated_at > f.rotated_at) RETURNING id, user",
    ),
    (
        Kept::Ended,
        "UPDATE temp.token SET expires_at = f.expires_at FROM fate AS f WHERE f.seq = token.seq \
         AND f.here AND f.expires_at IS NOT NULL \
         AND (token.expires_at IS NULL OR token.expires_at > f.expires_at) RETURNING id, user",
    ),
];

/// What is no end: records of uses and of mails, and a version by which whoever decided decides again.
const RECORDS: &str = "\
UPDATE temp.token SET
  last_used_from = CASE WHEN coalesce(f.last_used_at, '') > coalesce(token.last_used_at, '') THEN f.last_used_from
    ELSE token.last_used_from END,
  last_used_at = nullif(max(coalesce(token.last_used_at, ''), coalesce(f.last_used_at, '')), ''),
  reused_at = nullif(max(coalesce(token.reused_at, ''), coalesce(f.reused_at, '')), ''),
  notified = coalesce(f.notified, token.notified),
  ends_predecessor = min(token.ends_predecessor, coalesce(f.ends_predecessor, token.ends_predecessor)),
  predecessor = coalesce(token.predecessor, f.predecessor),
  version = max(token.version, coalesce(f.version, 0)) + 1
  FROM fate AS f WHERE f.seq = token.seq";

/// What the present database knows of mails, and its audit log.
const OUTBOX: &str =
    "DELETE FROM main.outbox; INSERT INTO main.outbox SELECT * FROM present.outbox ORDER BY seq";
const LOG: &str = "\
DELETE FROM main.audit; DELETE FROM main.head;
INSERT INTO main.audit SELECT * FROM present.audit ORDER BY seq;
INSERT INTO main.head SELECT * FROM present.head";

/// Makes of the backup in `main` what the database shall be, given the one in `present` if there is one.
pub fn merge(db: &Connection, seals: &Seals, meeting: &Meeting<'_>) -> Result<Merged> {
    // Who is to be believed is asked before anything is changed, and of rows that nobody else can write: what
    // was checked is what is sealed.
    held::take(db)?;
    let credible = reseal::credible(db, seals, meeting.adopt)?;
    let mut merged = Merged {
        tokens: 0,
        exceptions: Vec::new(),
        edited: 0,
        log_goes_on: false,
        present: None,
        unsure: Vec::new(),
        absent: Vec::new(),
    };
    if meeting.present.is_some() {
        learn(db, seals, meeting, &mut merged)?;
    } else {
        execute(db, "UPDATE temp.token SET version = version + 1", &[])?;
        if adopts(seals, meeting) {
            adopt_head(db, seals)?;
        }
    }
    bury(db, seals, meeting.present.is_some())?;
    revoke(db, meeting, &mut merged)?;
    if meeting.present.is_none() || meeting.salvaged {
        merged.unsure = unsure(db, meeting)?;
    }
    execute(db, "DELETE FROM main.cache", &[])?;
    reseal::reseal_these(db, seals, &credible)?;
    held::put_back(db)?;
    if seals.believes_narrow() {
        outbox::seal_unsealed(db, seals)?;
    }
    merged.tokens = count(db, "SELECT count(*) FROM main.token")?;
    Ok(merged)
}

fn learn(db: &Connection, seals: &Seals, meeting: &Meeting<'_>, merged: &mut Merged) -> Result<()> {
    let (backup, present) = (head::read(db, seals)?.head.last, head_of_present(db)?);
    let place = Place::of(db, &backup, &present.last)?;
    let since = if place == Place::Before { backup.seq } else { -1 };
    if meeting.salvaged {
        execute(db, TOLD_BY_SALVAGE, &[])?;
    } else {
        execute(db, TOLD, &[&since])?;
    }
    execute(db, FATE, &[])?;
    if !meeting.salvaged {
        // A row whose tombstone is there was put back past the log.
        execute(db, "UPDATE fate SET here = 0 WHERE id IN (SELECT id FROM present.tombstone)", &[])?;
    }
    if meeting.salvaged {
        // A salvaged row may be older than the one in the backup: then only a revocation in it still counts.
        let older = "UPDATE fate SET here = 0, disabled_at = NULL, rotated_at = NULL, expires_at = NULL \
                     WHERE version < (SELECT version FROM temp.token AS b WHERE b.seq = fate.seq)";
        execute(db, older, &[])?;
    }
    let gone = "SELECT id, user FROM present.token WHERE id NOT IN (SELECT id FROM temp.token) ORDER BY seq";
    let gone = exceptions(db, gone, &[], Kept::Gone)?;
    for (kept, sql) in ENDINGS {
        merged.exceptions.extend(exceptions(db, sql, &[], kept)?);
    }
    if meeting.salvaged || place != Place::Behind {
        merged.exceptions.extend(unknown(db, place, meeting)?);
    }
    merged.exceptions.extend(gone);
    if !meeting.salvaged {
        merged.exceptions.extend(exceptions(db, LOST, &[], Kept::Gone)?);
    }
    merged.edited = count(db, "SELECT count(*) FROM fate WHERE here AND edited")?;
    execute(db, RECORDS, &[])?;
    if meeting.salvaged {
        // What could be read of its log is not a whole log.
        return if adopts(seals, meeting) { adopt_head(db, seals) } else { Ok(()) };
    }
    db.execute_batch(OUTBOX).map_err(failed)?;
    merged.log_goes_on = meeting.log_is_whole && matches!(place, Place::Before | Place::Trimmed);
    if merged.log_goes_on {
        db.execute_batch(LOG).map_err(failed)?;
    } else if adopts(seals, meeting) {
        adopt_head(db, seals)?;
    }
    merged.present = Some(present);
    Ok(())
}

/// The tombstones of both databases are kept, and none for a token that is there.
fn bury(db: &Connection, seals: &Seals, has_present: bool) -> Result<()> {
    if has_present {
        execute(db, "INSERT OR IGNORE INTO main.tombstone SELECT * FROM present.tombstone", &[])?;
    }
    execute(db, "DELETE FROM main.tombstone WHERE id IN (SELECT id FROM temp.token)", &[])?;
    if has_present {
        // One that is not what patctl wrote only takes away, and counts: it stays, and is patctl's from now on.
        tombstone::reseal(db, seals, seals, |damage| *damage != Damage::NoKey)?;
    }
    let mut sealed = head::read(db, seals)?;
    sealed.head.tombstones = tombstone::count(db)?;
    // Whatever is believed is sealed anew.
    sealed.head.row_seals = Some(ROWS);
    head::write(db, seals, &sealed)
}

/// Whether the head of the backup may have a checksum only: that of a backup of before schema 8 was sealed with no key.
fn adopts(seals: &Seals, meeting: &Meeting<'_>) -> bool {
    meeting.adopt || seals.believes_narrow()
}

/// A head that has only a checksum is sealed as it is, where that is right.
fn adopt_head(db: &Connection, seals: &Seals) -> Result<()> {
    let sealed = head::read(db, &Seals::default())?;
    if sealed.seal.is_ok() { head::write(db, seals, &sealed) } else { Ok(()) }
}

/// Tokens that the present database does not have and has not pruned: lost, or more was done to them than is
/// known. Whoever knows better switches them on.
fn unknown(db: &Connection, place: Place, meeting: &Meeting<'_>) -> Result<Vec<Exception>> {
    let everything = !meeting.salvaged && (place != Place::Before || !meeting.log_is_whole);
    let sql = "UPDATE temp.token SET disabled_at = ?1 FROM fate AS f WHERE f.seq = token.seq AND NOT f.here \
               AND (?2 OR f.touched) AND token.revoked_at IS NULL AND token.disabled_at IS NULL RETURNING id, user";
    exceptions(db, sql, params![meeting.now.to_string(), everything], Kept::Unknown)
}

/// Revokes the tokens that the caller knows were revoked since the backup.
fn revoke(db: &Connection, meeting: &Meeting<'_>, merged: &mut Merged) -> Result<()> {
    let now = meeting.now.to_string();
    for id in meeting.revoked_since {
        // '{' follows 'z' in ASCII: everything that begins with the id lies between the two.
        let sql = "SELECT seq FROM temp.token WHERE id >= ?1 AND id < ?1 || '{' LIMIT 2";
        let found = collect(db, sql, [id], |row| rows::integer(row, 0, "seq"))?;
        let [seq] = found[..] else {
            merged.absent.push(id.clone());
            continue;
        };
        let sql = "UPDATE temp.token SET revoked_at = ?2, revoke_reason = 'revoked since the backup', sealed = NULL \
                   WHERE seq = ?1 AND revoked_at IS NULL RETURNING id, user";
        merged.exceptions.extend(exceptions(db, sql, params![seq, now], Kept::Revoked)?);
    }
    Ok(())
}

fn unsure(db: &Connection, meeting: &Meeting<'_>) -> Result<Vec<Unsure>> {
    let beyond =
        if meeting.present.is_some() { " AND seq IN (SELECT seq FROM fate WHERE NOT here)" } else { "" };
    let sql = format!("{UNSURE}{beyond} ORDER BY seq");
    collect(db, &sql, [meeting.now.to_string()], |row| {
        let user = rows::optional(row, 1, "user")?.map(str::to_owned);
        Ok(Unsure { id: rows::text(row, 0, "id")?.to_owned(), user })
    })
}

/// Where the head of the backup lies, seen from the log of the present database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In it: what was written since is all that happened since.
    Before,
    /// Before its beginning: retention has deleted what might be known.
    Trimmed,
    /// Behind its end: the database that is there is the older of the two.
    Behind,
    /// Nowhere: the two have gone different ways.
    Apart,
}

impl Place {
    fn of(db: &Connection, backup: &Link, present: &Link) -> Result<Self> {
        let known = |name: &str, link: &Link| -> Result<bool> {
            if *link == Link::start() {
                return Ok(true);
            }
            let sql = format!(
                "SELECT count(*) FROM (SELECT seq, hash FROM {name}.audit UNION ALL \
                 SELECT cut_seq, cut_hash FROM {name}.head) WHERE seq = ?1 AND hash = ?2"
            );
            let found =
                collect(db, &sql, params![link.seq, link.hash], |row| rows::integer(row, 0, "count"))?;
            Ok(found.first().is_some_and(|count| *count > 0))
        };
        if known(PRESENT, backup)? {
            return Ok(Self::Before);
        }
        let sql = "SELECT cut_seq FROM present.head WHERE cut_seq > ?1";
        let trimmed = collect(db, sql, [backup.seq], |row| rows::integer(row, 0, "cut_seq"))?;
        if !trimmed.is_empty() {
            return Ok(Self::Trimmed);
        }
        Ok(if known("main", present)? { Self::Behind } else { Self::Apart })
    }
}

fn head_of_present(db: &Connection) -> Result<KeptHead> {
    let sql = "SELECT seq, hash, cut_seq FROM present.head";
    let found = collect(db, sql, [], |row| {
        let last = Link { seq: rows::integer(row, 0, "seq")?, hash: rows::text(row, 1, "hash")?.to_owned() };
        Ok(KeptHead { last, first: Some(rows::integer(row, 2, "cut_seq")?.saturating_add(1)) })
    })?;
    found.into_iter().next().ok_or_else(|| StoreError::Damaged("it has no head".to_owned()))
}

fn exceptions(
    db: &Connection,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
    kept: Kept,
) -> Result<Vec<Exception>> {
    collect(db, sql, values, |row| {
        Ok(Exception {
            id: rows::text(row, 0, "id")?.to_owned(),
            user: rows::optional(row, 1, "user")?.map(str::to_owned),
            kept,
        })
    })
}

fn count(db: &Connection, sql: &str) -> Result<u64> {
    let found = collect(db, sql, [], |row| rows::integer(row, 0, "count"))?;
    Ok(found.first().map_or(0, |count| count.unsigned_abs()))
}
