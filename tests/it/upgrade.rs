//! The upgrade from the schema before: killed in its midst.

use crate::older;
use crate::process::{Home, PROGRAM, have, scaled, stderr};
use std::os::unix::process::ExitStatusExt;

#[test]
fn an_upgrade_that_is_killed_leaves_the_old_schema_or_the_new_one() {
    if !have("strace", "an upgrade that is killed") {
        return;
    }
    let home = Home::new("");
    let live = home.create(&["-q", "--user", "a"]);
    let revoked = home.create(&["-q", "--user", "a"]);
    assert!(home.run(&["revoke", crate::harness::id_of(&revoked)]).status.success());
    older::schema_6(&home.sql());
    home.sql().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
    let (mut points, mut old, mut new) = (0, 0, 0);
    for call in ["pwrite64", "fsync", "fdatasync", "ftruncate", "unlink", "openat"] {
        for at in (1..).step_by(scaled(3, 1)) {
            let stage = Home::new("");
            std::fs::copy(home.db(), stage.db()).expect("a copy");
            let mut command = stage.command_of("strace");
            let inject = format!("inject={call}:signal=KILL:when={at}");
            command.args(["-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject, PROGRAM]);
            let output = command.args(["create", "-q", "--user", "b"]).output().expect("strace");
            match stage.count("PRAGMA user_version") {
                6 => old += 1,
                8 => new += 1,
                other => panic!("schema {other}"),
            }
            let what = format!("{call} {at}: {}", stderr(&output));
            assert_eq!(stage.feed(&["verify"], live.as_bytes()).status.code(), Some(0), "{what}");
            assert_eq!(stage.feed(&["verify"], revoked.as_bytes()).status.code(), Some(1), "{what}");
            assert!(stage.run(&["audit", "verify"]).status.success(), "{what}");
            assert!(stage.run(&["doctor", "-q"]).status.success(), "{what}");
            if output.status.signal().is_none() {
                break;
            }
            points += 1;
        }
    }
    crate::process::figure(
        "kill -9 during the upgrade from schema 6",
        &format!("{points} points, {old} left it as it was, {new} upgraded, 0 torn"),
    );
    assert!(points >= 10 && old > 3 && new > 1, "{points} kills met it: {old}, {new}");
}
