-- Schema 7: the outcome of a verdict that could not be given, and which change a row of the log speaks of.
--
-- audit, made anew because a CHECK cannot be changed:
--   outcome  done, allowed, denied, or error: nothing was decided, because something failed
--   version  of a change to one token: the version that its row has since then
ALTER TABLE audit RENAME TO audit_before_7;
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
INSERT INTO audit (seq, at, actor, actor_uid, login_uid, action, token_id, user, effective_user, outcome, reason,
    method, url, detail, changes, hash)
  SELECT seq, at, actor, actor_uid, login_uid, action, token_id, user, effective_user, outcome, reason,
    method, url, detail, changes, hash FROM audit_before_7 ORDER BY seq;
DROP TABLE audit_before_7;
