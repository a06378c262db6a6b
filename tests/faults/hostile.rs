//! A database that somebody wrote to do harm: verifiers that would cost gigabytes, schemas that do something.

use crate::cost::measured;
use crate::figure;
use crate::harness::id_of;
use crate::process::{Home, have, stderr};
use std::time::Duration;

/// The hashes of Argon2 whose parameters ask for too much, or that are none at all.
const VERIFIERS: [&str; 14] = [
    "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY",
    "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY",
    "$argon2id$v=19$m=4294967296,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY",
    "$argon2id$v=19$m=19456,t=4294967295,p=1$c2FsdHNhbHRzYWx0c2FsdA$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY",
    "$argon2id$v=19$m=1048576,t=1000,p=1$c2FsdHNhbHRzYWx0c2FsdA$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY",
    "$argon2id$v=19$m=4194304,t=1,p=16777215$c2FsdHNhbHRzYWx0c2FsdA$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY",
    "$argon2id$v=19$m=0,t=0,p=0$c2FsdHNhbHRzYWx0c2FsdA$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY",
    "$argon2d$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY",
    "$argon2id$v=19$m=19456,t=2,p=1$$",
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$",
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$YQ",
    "$2b$31$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
    "$pbkdf2-sha256$i=4294967295,l=32$c2FsdHNhbHRzYWx0c2FsdA$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY",
    "$",
];

/// Schemas that run, recurse, or are large; each is played into a database of ours by hand.
const SCHEMAS: [(&str, &str); 11] = [
    ("a trigger", "CREATE TRIGGER evil AFTER INSERT ON audit BEGIN DELETE FROM audit; END"),
    (
        "a trigger that makes a token live",
        "CREATE TRIGGER evil AFTER UPDATE ON token BEGIN UPDATE token SET revoked_at = NULL; END",
    ),
    (
        "a view in place of a table",
        "ALTER TABLE token RENAME TO hidden; CREATE VIEW token AS SELECT * FROM hidden",
    ),
    (
        "a view that never ends",
        "CREATE VIEW more AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    ),
    ("an index over an expression", "CREATE INDEX evil ON token (upper(name))"),
    ("a partial index that hides rows", "CREATE INDEX evil ON token (id) WHERE revoked_at IS NOT NULL"),
    ("a generated column", "ALTER TABLE token ADD COLUMN evil TEXT AS (name || name)"),
    ("a column more", "ALTER TABLE token ADD COLUMN evil TEXT DEFAULT 'x'"),
    (
        "a virtual table",
        "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES
             ('table', 'evil', 'evil', 0, 'CREATE VIRTUAL TABLE evil USING csv(filename=''/etc/passwd'')')",
    ),
    ("a table of no columns that ours has", "DROP TABLE cache; CREATE TABLE cache (evil)"),
    (
        "a foreign table with a trigger",
        "CREATE TABLE sqlar (name TEXT PRIMARY KEY, data BLOB);
         CREATE TRIGGER evil AFTER INSERT ON sqlar BEGIN DELETE FROM token; END",
    ),
];

#[test]
fn a_hostile_verifier_or_schema_is_refused_within_a_second_and_64_mib() {
    if !have("python3", "how much a refusal costs") {
        return;
    }
    let (mut cases, mut longest, mut largest) = (0, Duration::ZERO, 0);
    let mut refused = |home: &Home, what: &str, args: &[&str], input: &str, codes: &[i32]| {
        let run = measured(home, args, input.as_bytes());
        let code = run.output.status.code().expect("no signal");
        assert!(codes.contains(&code), "{what}: {args:?}: {:?}", run.output);
        assert!(!stderr(&run.output).contains("panic"), "{what}: {:?}", run.output);
        assert!(run.used < Duration::from_secs(1), "{what}: {args:?} computed for {:?}", run.used);
        // Beside whatever else runs on the machine.
        assert!(run.took < Duration::from_secs(5), "{what}: {args:?} took {:?}", run.took);
        assert!(run.kib < 64 * 1024, "{what}: {args:?} took {} KiB", run.kib);
        (longest, largest) = (longest.max(run.used), largest.max(run.kib));
        cases += 1;
    };

    let home = Home::new("");
    let token = home.create(&["-q"]);
    for verifier in VERIFIERS {
        // The seal of the row would deny it beforehand; somebody who holds the key is not stopped by it.
        let sql = "UPDATE token SET verifier = ?1, integrity = NULL";
        home.sql().execute(sql, [verifier]).expect("a row by hand");
        refused(&home, verifier, &["verify"], &token, &[1, 74]);
        let line = format!("{{\"token\":\"{token}\"}}\n");
        refused(&home, verifier, &["verify", "--batch"], &line, &[1, 74]);
        refused(&home, verifier, &["doctor"], "", &[1]);
    }
    let many: Vec<String> = (0..2_000).map(|n| format!("CREATE VIEW evil{n} AS SELECT {n};")).collect();
    let many = format!("BEGIN; {} COMMIT", many.concat());
    for (what, sql) in SCHEMAS.into_iter().chain([("2,000 views", many.as_str())]) {
        let home = Home::new("");
        let token = home.create(&["-q"]);
        let id = id_of(&token).to_owned();
        home.sql().execute_batch(sql).unwrap_or_else(|e| panic!("{what}: {e}"));
        let rows = home.count("SELECT count(*) FROM audit");
        for args in [&["list"][..], &["show", &id], &["revoke", &id], &["create"], &["prune"], &["audit"]] {
            refused(&home, what, args, "", &[74]);
        }
        refused(&home, what, &["verify"], &token, &[74]);
        refused(&home, what, &["doctor"], "", &[1]);
        assert_eq!(home.count("SELECT count(*) FROM audit"), rows, "{what}: something was written");
    }
    figure(
        "hostile schema, PHC strings that ask for 4 GiB",
        &format!("{cases} commands refused, the longest in {longest:.0?}, the largest in {largest} KiB"),
    );
}
