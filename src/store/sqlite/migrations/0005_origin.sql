-- Schema 5: where imported tokens come from, so that the table they came from can be written again.
--
-- token:
--   origin_row   the number of the row there; NULL: it had none, or the token was not imported
--   origin_user  the key of the user there; NULL: the token was not imported
--   origin_end   how "never" was written there, where that was not 9999-12-31 00:00:00
ALTER TABLE token ADD COLUMN origin_row INTEGER;
ALTER TABLE token ADD COLUMN origin_user TEXT;
ALTER TABLE token ADD COLUMN origin_end TEXT;
