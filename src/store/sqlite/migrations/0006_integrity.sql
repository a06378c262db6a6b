-- Schema 6: the integrity of rows.
--
-- token:
--   integrity  the seal over all that decides: a byte for its kind (1 SHA-256, 2 HMAC-SHA-256 under the key of
--              patctl.integrity.key.file) and the digest; NULL: the token is revoked, and needs none
ALTER TABLE token ADD COLUMN integrity BLOB CHECK (length(integrity) = 33);
