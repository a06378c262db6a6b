-- Schema 7: the record: an outcome that is no answer, versions in the log, a sealed head, tombstones.
--
-- audit, built anew because a CHECK cannot be altered:
--   outcome  also 'error': there was no answer, and reason says why
--   version  the version of the token after the change; NULL: the row is not about the change of one token
ALTER TABLE audit RENAME TO old_audit;
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL CHECK (length(at) = 27),
  actor TEXT NOT NULL,
  actor_uid INTEGER NOT NULL,
  login_uid INTEGER,
  action TEXT NOT NULL,
  token_id TEXT NOT NULL,
  user TEXT,
  effective_user TEXT,
  outcome TEXT NOT NULL CHECK (outcome IN ('done', 'allowed', 'denied', 'error')),
  reason TEXT,
  method TEXT,
  url TEXT,
  detail TEXT,
  changes TEXT,
  hash TEXT CHECK (length(hash) = 64),
  version INTEGER
) STRICT;
INSERT INTO audit SELECT seq, at, actor, actor_uid, login_uid, action, token_id, user, effective_user,
  outcome, reason, method, url, detail, changes, hash, NULL FROM old_audit ORDER BY seq;
DROP TABLE old_audit;

-- head: where the audit log ends, where it begins, and how late it is. One row; it takes the place of anchor.
--   seq, hash          the last row of the log
--   clock_mark         the greatest time that a row was written at
--   cut_seq, cut_hash  the last row that retention deleted; 0 and zeros: none was
--   cut_at             the greatest time of the rows that retention deleted
--   tombstones         how many rows the table of that name has
--   integrity          the seal over all of this, as that of a token
CREATE TABLE head (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  clock_mark TEXT NOT NULL CHECK (length(clock_mark) = 27),
  cut_seq INTEGER NOT NULL,
  cut_hash TEXT NOT NULL CHECK (length(cut_hash) = 64),
  cut_at TEXT CHECK (length(cut_at) = 27),
  tombstones INTEGER NOT NULL,
  integrity BLOB CHECK (length(integrity) = 33)
) STRICT;
INSERT INTO head SELECT 1, coalesce(max(seq), 0), coalesce(max(hash), printf('%064d', 0)),
  '0001-01-01T00:00:00.000000Z', coalesce(max(seq), 0), coalesce(max(hash), printf('%064d', 0)), NULL, 0, NULL
  FROM anchor;
DROP TABLE anchor;

-- tombstone: ids of tokens that were ended here and are deleted. They never come back by themselves.
--   id         the id
--   ended      how it ended
--   day        when it was deleted
--   integrity  the seal over the row
CREATE TABLE tombstone (
  id TEXT PRIMARY KEY CHECK (length(id) = 10),
  ended TEXT NOT NULL CHECK (ended IN ('revoked', 'disabled', 'rotated', 'ended')),
  day TEXT NOT NULL CHECK (length(day) = 10),
  integrity BLOB CHECK (length(integrity) = 33)
) STRICT, WITHOUT ROWID;

-- outbox:
--   integrity  the seal over what the mail says and to whom
ALTER TABLE outbox ADD COLUMN integrity BLOB CHECK (length(integrity) = 33);
