-- Schema 3: rotation, notices, the vault, and the chain of the audit log.
--
-- token:
--   rotated_at        from when a successor takes its place; NULL: none does
--   successor         the id of the token that takes its place
--   predecessor       the id of the token whose place it takes
--   ends_predecessor  1: its first use ends the predecessor
--   reused_at         when its right secret was last presented although a successor had taken its place
--   notified          which mails about its end were sent: not-sent, expire-soon-sent, expired-sent
--   sealed            the secret, sealed under the vault's key; NULL: only the verifier is kept
ALTER TABLE token ADD COLUMN rotated_at TEXT CHECK (length(rotated_at) = 27);
ALTER TABLE token ADD COLUMN successor TEXT CHECK (length(successor) = 10);
ALTER TABLE token ADD COLUMN predecessor TEXT CHECK (length(predecessor) = 10);
ALTER TABLE token ADD COLUMN ends_predecessor INTEGER NOT NULL DEFAULT 0 CHECK (ends_predecessor IN (0, 1));
ALTER TABLE token ADD COLUMN reused_at TEXT CHECK (length(reused_at) = 27);
ALTER TABLE token ADD COLUMN notified TEXT NOT NULL DEFAULT 'not-sent'
  CHECK (notified IN ('not-sent', 'expire-soon-sent', 'expired-sent'));
ALTER TABLE token ADD COLUMN sealed BLOB;

-- audit:
--   changes  of an edit: each field with what it was and what it became, as JSON
--   hash     SHA-256 over the hash of the row before and this row, in hexadecimal
ALTER TABLE audit ADD COLUMN changes TEXT;
ALTER TABLE audit ADD COLUMN hash TEXT CHECK (length(hash) = 64);

-- anchor: where the chain begins, once older rows were deleted by retention. One row or none.
--   seq   the number of the last row that was deleted
--   hash  its hash
CREATE TABLE anchor (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

-- outbox: mails to be sent, each written in the transaction of its cause.
--   seq         row number
--   at          when its cause was
--   kind        created, revoked, pruned, expires-soon, expired
--   token_id    which token it is about
--   name        what the token was called then
--   user        whose it was
--   expires_at  when it ends or ended
--   recipient   to whom
--   state       pending, sent, refused (tried again), uncertain (not tried again), dropped (mail is off)
--   attempts    how often it was tried
--   error       why it was not sent
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL CHECK (length(at) = 27),
  kind TEXT NOT NULL CHECK (kind IN ('created', 'revoked', 'pruned', 'expires-soon', 'expired')),
  token_id TEXT NOT NULL CHECK (length(token_id) = 10),
  name TEXT NOT NULL,
  user TEXT,
  expires_at TEXT CHECK (length(expires_at) = 27),
  recipient TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'refused', 'uncertain', 'dropped')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  error TEXT
) STRICT;
CREATE INDEX outbox_open ON outbox (seq) WHERE state IN ('pending', 'refused');

-- installation: which database this is, so that what is sealed for it opens nowhere else. One row.
--   name  32 random hexadecimal digits; not secret
CREATE TABLE installation (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  name TEXT NOT NULL CHECK (length(name) = 32)
) STRICT;
INSERT INTO installation (one, name) VALUES (1, lower(hex(randomblob(16))));
