//! Audit logs to be tested on: made, altered, looked through.

use crate::harness::{Patctl, id_of};
use crate::process::stdout;
use patctl::domain::chain::{self, COLUMNS, Head, Link, Values};
use patctl::domain::frame::Value;
use patctl::domain::integrity::Sealer;
use patctl::exit::Exit;
use rusqlite::types::ValueRef;
use std::fs;
use std::process::{Command, Stdio};

/// Nine rows of several kinds, one with every column set that a command sets today.
pub fn some_rows() -> Patctl {
    let patctl = Patctl::new();
    patctl.configure("patctl.any.user.enabled = true");
    let token = patctl.create(&["--user", "alice", "--restrict", "[get]/a"]);
    for url in ["/a", "/b?x=1", "/a", "/c"] {
        let _ = patctl.verify(&token, &["--method", "GET", "--url", url]);
    }
    let any = patctl.create(&["--any-user"]);
    patctl.verify(format!("Basic {}", base64(&format!("carol:{any}"))), &[]);
    patctl.run(&["revoke", id_of(&any), "--reason", "laptop stolen"]);
    patctl.create(&["--user", "bob"]);
    assert_eq!(patctl.count("SELECT count(*) FROM audit"), 9);
    patctl
}

pub fn base64(text: &str) -> String {
    let mut child = Command::new("base64")
        .arg("-w0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("base64");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), text.as_bytes()).expect("a pipe");
    stdout(&child.wait_with_output().expect("base64"))
}

/// A copy of the database, altered by hand.
pub fn altered(patctl: &Patctl, sql: &str) -> Patctl {
    let copy = Patctl::new();
    fs::copy(patctl.db(), copy.db()).expect("a copy");
    copy.sql().execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    copy
}

pub fn is_whole(patctl: &Patctl, args: &[&str]) {
    let mut all = vec!["audit", "verify", "-q"];
    all.extend(args);
    let run = patctl.run(&all);
    assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (Exit::Yes, "", ""), "{run:?}");
}

/// So many rows in all, with the hashes that an upgrade gives them.
pub fn many_rows(patctl: &Patctl, count: i64) -> i64 {
    fill(&patctl.sql(), count);
    count
}

pub fn fill(sql: &rusqlite::Connection, count: i64) {
    let columns = COLUMNS[1..].join(", ");
    sql.execute_batch(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO audit (seq, {columns}) SELECT i, at, actor, actor_uid, login_uid, 'verify', token_id, user,
             'somebody', 'allowed', NULL, 'GET', '/rest/api/2/issue/JRA-' || i, NULL, NULL, NULL, NULL, NULL, NULL, NULL
         FROM n, (SELECT * FROM audit WHERE seq = 1)"
    ))
    .expect("rows by hand");
    rehash(sql, count);
}

/// Gives the rows from 1 on the hashes that they should have, and the log a head, as who has no key can.
pub fn rehash(sql: &rusqlite::Connection, count: i64) {
    rehash_from(sql, Link::start(), count);
}

fn rehash_from(sql: &rusqlite::Connection, mut last: Link, count: i64) {
    let mut update = sql.prepare("UPDATE audit SET hash = ?2 WHERE seq = ?1").expect("a statement");
    let select = format!("SELECT {} FROM audit WHERE seq = ?1", COLUMNS.join(", "));
    let mut read = sql.prepare(&select).expect("a statement");
    sql.execute_batch("BEGIN").expect("a transaction");
    for seq in last.seq + 1..=count {
        let hash = read.query_row([seq], |row| {
            let mut values: Values<'_> = [const { Value::Null }; COLUMNS.len()];
            for (index, value) in values.iter_mut().enumerate() {
                *value = match row.get_ref(index)? {
                    ValueRef::Integer(number) => Value::Integer(number),
                    ValueRef::Text(text) => Value::Text(text.into()),
                    _ => Value::Null,
                };
            }
            Ok(chain::hash(&last.hash, &values))
        });
        let hash = hash.expect("a row");
        update.execute((seq, &hash)).expect("an update");
        last = Link { seq, hash };
    }
    forge_head(sql);
    sql.execute_batch("COMMIT").expect("a commit");
}

/// As [`rehash`], for a log whose beginning was deleted.
pub fn rehash_behind(sql: &rusqlite::Connection) {
    let (cut, hash): (i64, String) = sql
        .query_row("SELECT cut_seq, cut_hash FROM head", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("a head");
    let last: i64 = sql.query_row("SELECT max(seq) FROM audit", [], |row| row.get(0)).expect("a row");
    rehash_from(sql, Link { seq: cut, hash }, last);
}

/// Makes the head fit the rows, with a checksum.
pub fn forge_head(sql: &rusqlite::Connection) {
    forge_head_with(sql, &Sealer::default());
}

/// The same with another seal.
pub fn forge_head_with(sql: &rusqlite::Connection, sealer: &Sealer) {
    sql.execute_batch(
        "UPDATE head SET (seq, hash) = (SELECT seq, hash FROM (SELECT cut_seq AS seq, cut_hash AS hash FROM head \
         UNION ALL SELECT seq, hash FROM audit) ORDER BY seq DESC LIMIT 1)",
    )
    .expect("by hand");
    let columns = "head.seq, head.hash, clock_mark, cut_seq, cut_hash, cut_at, tombstones, row_seals, name";
    let seal = sql.query_row(&format!("SELECT {columns} FROM head, installation"), [], |row| {
        let head = Head {
            last: Link { seq: row.get(0)?, hash: row.get(1)? },
            mark: crate::harness::moment(&row.get::<_, String>(2)?),
            cut: Link { seq: row.get(3)?, hash: row.get(4)? },
            cut_at: row.get::<_, Option<String>>(5)?.map(|at| crate::harness::moment(&at)),
            tombstones: row.get(6)?,
            row_seals: row.get(7)?,
        };
        Ok(sealer.seal_message(&head.frame(&row.get::<_, String>(8)?)))
    });
    sql.execute("UPDATE head SET integrity = ?1", [seal.expect("a head")]).expect("a seal");
}

pub fn head(patctl: &Patctl) -> String {
    let run = patctl.run(&["audit", "head"]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    run.stdout.trim_end().to_owned()
}

/// A copy of the database, altered by hand by who makes the head fit.
pub fn forged(patctl: &Patctl, sql: &str) -> Patctl {
    let copy = altered(patctl, sql);
    forge_head(&copy.sql());
    copy
}

/// Finds this, and says so in both formats.
pub fn finds(patctl: &Patctl, args: &[&str], kind: &str, seq: i64, words: &str) {
    let mut all = vec!["audit", "verify"];
    all.extend(args);
    patctl.run(&all).says(Exit::No, &["the audit log is not whole", words]);
    all.extend(["-o", "json"]);
    let run = patctl.run(&all);
    assert_eq!((run.exit, run.stderr.as_str()), (Exit::No, ""), "{run:?}");
    let json = run.json();
    assert_eq!((&json["intact"], &json["head"]), (&false.into(), &serde_json::Value::Null));
    assert_eq!(
        (json["fault"]["kind"].as_str(), json["fault"]["seq"].as_i64()),
        (Some(kind), Some(seq)),
        "{json}"
    );
}
