-- Schema 9: who acts may be another than a user of this system, and from where.
--
-- audit: made anew, because actor_uid may be NULL now.
--   actor_uid   NULL: the actor is no user of this system
--   actor_kind  token, session, proxy or job; NULL: a local user, as in every row of before
--   client      the address of whoever sent the request
--   request_id  what the service in front calls the request
--   node        which of several hosts wrote the row
--
-- token:
--   issued_by       the name of who issued it; NULL: imported, or older than this column
--   last_used_from  the address it was used from when last_used_at was set
CREATE TABLE audit_9 (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL CHECK (length(at) = 27),
  actor TEXT NOT NULL,
  actor_uid INTEGER,
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
  version INTEGER,
  actor_kind TEXT,
  client TEXT,
  request_id TEXT,
  node TEXT
) STRICT;
INSERT INTO audit_9 SELECT seq, at, actor, actor_uid, login_uid, action, token_id, user, effective_user, outcome,
  reason, method, url, detail, changes, hash, version, NULL, NULL, NULL, NULL FROM audit ORDER BY seq;
DROP TABLE audit;
ALTER TABLE audit_9 RENAME TO audit;
ALTER TABLE token ADD COLUMN issued_by TEXT;
ALTER TABLE token ADD COLUMN last_used_from TEXT;
