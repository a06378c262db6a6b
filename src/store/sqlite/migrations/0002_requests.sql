-- Schema 2: what an audited use was for.
--
--   method  the method of the request a token was presented for, where it was handed over
--   url     its path and the names of its parameters; their values only where patctl.audit.url = full
--   detail  of a denial: which line, part or byte; for the administrator, never for who presented it
ALTER TABLE audit ADD COLUMN method TEXT;
ALTER TABLE audit ADD COLUMN url TEXT;
ALTER TABLE audit ADD COLUMN detail TEXT;
