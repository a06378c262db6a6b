//! Databases as older versions of patctl left them, made of one of today.

use patctl::domain::frame::{Frame, Value};
use patctl::domain::integrity::{COLUMNS, Sealer};
use rusqlite::types::ValueRef;

/// Takes a database of today back to schema 7, in which a seal covered the first columns of a row that was not
/// revoked.
pub fn schema_7(sql: &rusqlite::Connection, sealer: &Sealer) {
    let name: String = sql.query_row("SELECT name FROM installation", [], |row| row.get(0)).expect("a name");
    let all = format!("SELECT {}, seq FROM token", COLUMNS[..17].join(", "));
    let mut statement = sql.prepare(&all).expect("a query");
    let mut rows = statement.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let seq: i64 = row.get(17).expect("a number");
        let values: Vec<Value<'_>> = (0..17)
            .map(|at| match row.get_ref(at).expect("a value") {
                ValueRef::Text(text) => Value::Text(text.to_vec().into()),
                ValueRef::Integer(number) => Value::Integer(number),
                _ => Value::Null,
            })
            .collect();
        let mut frame = Frame::new(b"patctl row 1");
        frame.put(0, b'd', name.as_bytes());
        frame.put_row(&values);
        let mut lines =
            sql.prepare("SELECT rule FROM restriction WHERE token = ?1 ORDER BY position").expect("a query");
        for line in lines.query_map([seq], |row| row.get::<_, String>(0)).expect("lines") {
            frame.put(u8::MAX, b'r', line.expect("a line").as_bytes());
        }
        let seal = Some(sealer.seal_message(&frame)).filter(|_| values[8] == Value::Null);
        sql.execute("UPDATE token SET integrity = ?2 WHERE seq = ?1", (seq, seal)).expect("a seal");
    }
    sql.execute_batch("UPDATE head SET row_seals = NULL").expect("by hand");
    crate::log::forge_head_with(sql, sealer);
    let columns = [
        ("audit", ["actor_kind", "client", "request_id", "node"].as_slice()),
        ("token", &["issued_by", "last_used_from"]),
    ];
    for (table, columns) in columns {
        for column in columns {
            sql.execute_batch(&format!("ALTER TABLE {table} DROP COLUMN {column}")).expect("schema 8");
        }
    }
    sql.execute_batch("ALTER TABLE head DROP COLUMN row_seals; PRAGMA user_version = 7").expect("schema 7");
}

/// Takes a database of today back to schema 6.
pub fn schema_6(sql: &rusqlite::Connection) {
    schema_6_sealed(sql, &Sealer::default());
}

/// The same, whose rows are sealed with a key.
pub fn schema_6_sealed(sql: &rusqlite::Connection, sealer: &Sealer) {
    // No row had a version, so that its hash was another.
    sql.execute_batch("UPDATE audit SET version = NULL").expect("by hand");
    crate::log::rehash_behind(sql);
    schema_7(sql, sealer);
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
