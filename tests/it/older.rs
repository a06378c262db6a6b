//! Databases as older versions of patctl left them, made of one of today.

/// Takes a database of today back to schema 6.
pub fn schema_6(sql: &rusqlite::Connection) {
    // No row had a version, so that its hash was another.
    sql.execute_batch("UPDATE audit SET version = NULL").expect("by hand");
    crate::log::rehash_behind(sql);
    sql.execute_batch(
        "CREATE TABLE anchor (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;
         INSERT INTO anchor SELECT 1, cut_seq, cut_hash FROM head WHERE cut_seq > 0;
         DROP TABLE head;
         DROP TABLE tombstone;
         ALTER TABLE outbox DROP COLUMN integrity;
         ALTER TABLE audit DROP COLUMN version;
         PRAGMA user_version = 6",
    )
    .expect("schema 6");
}

/// Takes a database of today back to schema 5.
pub fn schema_5(sql: &rusqlite::Connection) {
    schema_6(sql);
    sql.execute_batch("ALTER TABLE token DROP COLUMN integrity; PRAGMA user_version = 5").expect("schema 5");
}

pub fn chmod_600(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
}
