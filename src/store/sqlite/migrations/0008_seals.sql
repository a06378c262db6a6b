-- Schema 8: a seal covers all that leaves the database.
--
-- token:
--   integrity  also of a revoked row. The first byte: 3 SHA-256, 4 HMAC-SHA-256, over every column but seq,
--              last_used_at, reused_at, notified and sealed; 5 and 6 over the id and revoked_at alone, where the row
--              was not what patctl wrote when it was revoked; 1 and 2, over fewer columns, count no longer
--
-- head:
--   row_seals  the version of the seals of the tokens: 2; NULL: they wait for whoever has the key
ALTER TABLE head ADD COLUMN row_seals INTEGER;
