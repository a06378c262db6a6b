//! Whether the audit log is whole: each way to alter it, and what is said of it.

use crate::harness::{Patctl, Setup};
use crate::log::{altered, fill, finds, forged, head, is_whole, rehash, some_rows};
use crate::process::{Home, PROGRAM, scaled, stdout};
use patctl::domain::chain::{COLUMNS, Link};
use patctl::exit::Exit;
use std::process::Child;
use std::time::{Duration, Instant};

#[test]
fn a_log_that_nobody_touched_is_whole() {
    let patctl = some_rows();
    patctl.run(&["audit", "verify"]).is(Exit::Yes, "intact: 9 rows\n");
    let json = patctl.run(&["audit", "verify", "-o", "json"]).json();
    assert_eq!((&json["intact"], &json["rows"], &json["deleted"]), (&true.into(), &9.into(), &0.into()));
    assert_eq!(json["head"], head(&patctl));
    let json = patctl.run(&["audit", "head", "-o", "json"]).json();
    assert_eq!((&json["seq"], json["head"].as_str()), (&9.into(), Some(head(&patctl).as_str())));
    is_whole(&patctl, &["--head", &head(&patctl)]);
    let before = head(&patctl);
    patctl.create(&[]);
    is_whole(&patctl, &["--head", &before]);
    assert_ne!(head(&patctl), before);
}

#[test]
fn each_column_that_was_changed_is_found() {
    let patctl = some_rows();
    let other = |column: &str| match column {
        "at" => "'2026-11-21T12:00:00.000001Z'",
        "actor_uid" | "login_uid" | "version" => "7",
        "outcome" => "iif(outcome = 'done', 'denied', 'done')",
        "hash" => "replace(hash, substr(hash, 1, 1), 'x')",
        _ => "'x'",
    };
    for column in COLUMNS.into_iter().skip(1).chain(["hash"]) {
        for seq in [1, 5, 9] {
            let sql = format!("UPDATE audit SET {column} = {} WHERE seq = {seq}", other(column));
            finds(&altered(&patctl, &sql), &[], "changed", seq, &format!("row {seq} was changed"));
        }
    }
    for sql in [
        "UPDATE audit SET reason = '' WHERE seq = 2",
        "UPDATE audit SET user = NULL WHERE seq = 2",
        "UPDATE audit SET user = user || char(0) WHERE seq = 2",
        "UPDATE audit SET user = CAST(x'ff' AS TEXT) WHERE seq = 2",
        "UPDATE audit SET method = url, url = method WHERE seq = 2",
        "UPDATE audit SET login_uid = actor_uid, actor_uid = login_uid WHERE seq = 2",
    ] {
        finds(&altered(&patctl, sql), &[], "changed", 2, "row 2 was changed");
    }
    let sql = "UPDATE audit SET hash = NULL WHERE seq = 3";
    finds(&altered(&patctl, sql), &[], "unhashed", 3, "row 3 has no hash");
    let sql = "UPDATE audit SET seq = 99 WHERE seq = 4";
    finds(&altered(&patctl, sql), &[], "missing", 4, "row 4 is missing");
    let sql = "UPDATE audit SET seq = -4 WHERE seq = 4";
    finds(&altered(&patctl, sql), &[], "stray", -4, "row -4 has a number");
}

#[test]
fn a_row_that_was_removed_or_added_is_found() {
    let patctl = some_rows();
    let gone = |condition: &str| altered(&patctl, &format!("DELETE FROM audit WHERE {condition}"));
    finds(&gone("seq = 5"), &[], "missing", 5, "row 5 is missing");
    finds(&gone("seq IN (4, 5, 6)"), &[], "missing", 4, "rows 4 to 6 are missing");
    finds(&gone("seq = 1"), &[], "missing", 1, "no anchor says that retention deleted them");
    finds(&gone("seq < 9"), &[], "missing", 1, "rows 1 to 8 are missing, and no anchor");
    let closed = "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = seq - 1 WHERE seq > 5";
    finds(&altered(&patctl, closed), &[], "changed", 5, "row 5 was changed");
    let forged = "INSERT INTO audit SELECT 10, at, actor, actor_uid, login_uid, action, token_id, user, \
        effective_user, outcome, reason, method, url, detail, changes, hash, version, NULL, NULL, NULL, NULL \
        FROM audit WHERE seq = 9";
    finds(&altered(&patctl, forged), &[], "moved", 10, "that was as row 9");
    let unhashed = "INSERT INTO audit (at, actor, actor_uid, action, token_id, outcome) \
        SELECT at, actor, actor_uid, action, token_id, outcome FROM audit WHERE seq = 9";
    finds(&altered(&patctl, unhashed), &[], "unhashed", 10, "row 10 has no hash");
    // A row in the place of the next one is trouble, and no answer.
    let copy = altered(&patctl, unhashed);
    let run =
        copy.run_with(&["verify"], &Setup { stdin: Patctl::foreign_token().as_bytes(), ..Setup::default() });
    assert_eq!(run.exit, Exit::Io, "{run:?}");
}

#[test]
fn rows_that_changed_places_are_named() {
    let patctl = some_rows();
    let swapped = |a: i64, b: i64| {
        altered(
            &patctl,
            &format!(
                "UPDATE audit SET seq = -1 WHERE seq = {a}; UPDATE audit SET seq = {a} WHERE seq = {b}; \
             UPDATE audit SET seq = {b} WHERE seq = -1"
            ),
        )
    };
    for (a, b) in [(1, 2), (4, 5), (2, 8), (1, 9), (8, 9)] {
        finds(
            &swapped(a, b),
            &[],
            "moved",
            a,
            &format!("row {a} does not stand where it was written: that was as row {b}"),
        );
    }
    let columns = COLUMNS[1..].join(", ");
    let contents = format!(
        "CREATE TEMP TABLE t AS SELECT * FROM audit; \
         UPDATE audit SET ({columns}) = (SELECT {columns} FROM t WHERE t.seq = 8) WHERE seq = 3; \
         UPDATE audit SET ({columns}) = (SELECT {columns} FROM t WHERE t.seq = 3) WHERE seq = 8"
    );
    finds(&altered(&patctl, &contents), &[], "moved", 3, "that was as row 8");
}

#[test]
fn a_tail_that_was_cut_off_is_found_with_a_head() {
    let patctl = some_rows();
    let kept = head(&patctl);
    let sql = "DELETE FROM audit WHERE seq > 6";
    finds(&altered(&patctl, sql), &[], "cut", 7, "the last is 6, and the head names row 9");
    let cut = forged(&patctl, sql);
    is_whole(&cut, &[]);
    finds(&cut, &["--head", &kept], "cut", 7, "the last is 6, and the head names row 9");
    finds(&cut, &["--head", &format!("{kept}\n")], "cut", 7, "cut off at the end");
    // Grown again to the same length.
    for _ in 0..3 {
        let _ = cut.verify(Patctl::foreign_token(), &[]);
    }
    is_whole(&cut, &[]);
    finds(&cut, &["--head", &kept], "rewritten", 9, "row 9 is not the one the head names");
    let empty = forged(&patctl, "DELETE FROM audit");
    is_whole(&empty, &[]);
    finds(&empty, &["--head", &kept], "cut", 1, "the last is 0");
    let nothing = head(&empty);
    assert_eq!(nothing, format!("{}@1", Link::start()));
    is_whole(&patctl, &["--head", &nothing]);
    for bad in ["9", "9:abc", "", "x:0", &format!("{kept}x"), &format!("{kept}@"), "1@1"] {
        patctl.run(&["audit", "verify", "--head", bad]).says(Exit::Usage, &["SEQ:HASH"]);
    }
}

/// A forger who knows the recipe writes a row and all hashes after it anew.
#[test]
fn a_log_that_was_written_anew_is_found_with_a_head() {
    let patctl = some_rows();
    let kept = head(&patctl);
    let forged = altered(&patctl, "UPDATE audit SET actor = 'somebody else' WHERE seq = 4");
    let sql = forged.sql();
    rehash(&sql, 9);
    drop(sql);
    is_whole(&forged, &[]);
    finds(&forged, &["--head", &kept], "rewritten", 9, "written anew");
}

#[test]
fn the_chain_holds_whoever_writes_at_the_same_time() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 1000\npatctl.audit.retention.days = 1");
    let token = home.create(&[]);
    let writers: Vec<Child> = (0..6)
        .map(|n| {
            let script = format!(
                "for i in $(seq 15); do {PROGRAM} create w{n} -q > /dev/null; \
                 printf %s {token} | {PROGRAM} verify -q; {PROGRAM} prune; {PROGRAM} audit verify -q || exit 9; done"
            );
            home.command_of("bash").args(["-c", &script]).spawn().expect("bash")
        })
        .collect();
    for mut writer in writers {
        assert!(writer.wait().expect("bash").success());
    }
    assert_eq!(stdout(&home.run(&["audit", "verify"])), "intact: 181 rows\n");
}

/// The figure of the design: 100,000 rows in under two seconds, in a release build (`PATCTL_LONG=1
/// cargo test --release`).
#[test]
fn a_long_log_is_walked_quickly() {
    let home = Home::new("");
    home.create(&[]);
    let rows = scaled(5_000, 100_000);
    fill(&home.sql(), i64::try_from(rows).expect("a number"));
    let begun = Instant::now();
    let output = home.run(&["audit", "verify"]);
    let took = begun.elapsed();
    assert_eq!(stdout(&output), format!("intact: {rows} rows\n"), "{output:?}");
    assert!(took < Duration::from_secs(2), "{rows} rows took {took:?}");
}
