-- Schema 4: the auth cache: secrets that were proved lately, so that the next use costs no Argon2.
--
-- cache: at most one row for each token. Its key is kept outside of this file.
--   token   the token's row number
--   digest  HMAC-SHA-256 of the token, its verifier and 'at'
--   at      when Argon2 said yes
CREATE TABLE cache (
  token INTEGER PRIMARY KEY REFERENCES token (seq) ON DELETE CASCADE,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  at TEXT NOT NULL CHECK (length(at) = 27)
) STRICT;
