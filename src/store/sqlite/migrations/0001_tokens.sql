-- Schema 1: tokens, their restrictions, and the audit log.
--
-- Append-only: a file that was released is never edited; what comes later is a later file.
-- Instants are UTC in RFC 3339 with microseconds (27 bytes, 2026-11-21T20:23:11.000000Z), so that
-- they sort as text. The explanations stand above the statements and not in them, because SQLite
-- keeps a statement's text in the file and every run would parse them again.

-- token: one row for each token that was issued and has not been pruned.
--   seq            row number, in the order of insertion; internal
--   id             the public name: ten characters of lower-case Crockford base32
--   name           what the holder calls it
--   user           whose it is; NULL: anybody's
--   email          also accepted as the user name of Basic authentication
--   auth           how it may be presented
--   verifier       Argon2id PHC string of the secret; never the secret
--   created_at     when it was issued
--   expires_at     when it ends; NULL: never
--   last_used_at   when it last gave a yes, to the precision the configuration asks for
--   revoked_at     when it was taken back; NULL: it was not
--   revoke_reason  why, in the words of who did it
--   disabled_at    since when it is switched off; NULL: it is not
--   restricted     1: only what the restriction rows allow; without such a row, nothing
--   secure         1: issued in secure mode: shown once, never edited, never recoverable
--   notify_to      where mails about it go
--   note           a remark for people
--   version        grows with every change to the token or its restrictions
CREATE TABLE token (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (length(id) = 10 AND id NOT GLOB '*[^0-9a-hjkmnp-tv-z]*'),
  name TEXT NOT NULL CHECK (length(name) > 0),
  user TEXT CHECK (length(user) BETWEEN 1 AND 255),
  email TEXT CHECK (length(email) BETWEEN 1 AND 255),
  auth TEXT NOT NULL CHECK (auth IN ('both', 'bearer', 'basic')),
  verifier TEXT NOT NULL CHECK (verifier LIKE '$%'),
  created_at TEXT NOT NULL CHECK (length(created_at) = 27),
  expires_at TEXT CHECK (length(expires_at) = 27),
  last_used_at TEXT CHECK (length(last_used_at) = 27),
  revoked_at TEXT CHECK (length(revoked_at) = 27),
  revoke_reason TEXT,
  disabled_at TEXT CHECK (length(disabled_at) = 27),
  restricted INTEGER NOT NULL DEFAULT 0 CHECK (restricted IN (0, 1)),
  secure INTEGER NOT NULL DEFAULT 0 CHECK (secure IN (0, 1)),
  notify_to TEXT,
  note TEXT,
  version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0)
) STRICT;

-- What 'list' filters on and sorts by. revoked_at is in no index: marking many rows stays cheap.
CREATE INDEX token_user ON token (user, created_at);
CREATE INDEX token_created ON token (created_at);
CREATE INDEX token_expires ON token (expires_at);

-- restriction: the lines of a restricted token.
--   token     the token's row number
--   position  the place of the line, from 1
--   rule      the line as it was given
CREATE TABLE restriction (
  token INTEGER NOT NULL REFERENCES token (seq) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position > 0),
  rule TEXT NOT NULL,
  PRIMARY KEY (token, position)
) STRICT, WITHOUT ROWID;

-- audit: who did what. Rows outlive the tokens they speak of. No index: every use writes here.
--   seq             row number, in the order of writing
--   at              when
--   actor           who: the name of the real user id
--   actor_uid       the real user id
--   login_uid       the user id of the login behind it, where the system keeps one
--   action          what: a stable word
--   token_id        the id of the token; for a refused verify perhaps one that never existed
--   user            whose token it is, where that is known
--   effective_user  for whom a yes was given
--   outcome         done, allowed or denied
--   reason          of a denial: the stable word; of a change: what the person gave as a reason
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
  outcome TEXT NOT NULL CHECK (outcome IN ('done', 'allowed', 'denied')),
  reason TEXT
) STRICT;
