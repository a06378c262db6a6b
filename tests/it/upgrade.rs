//! The upgrade from the schema before: killed in its midst.

use crate::harness::{Patctl, id_of};
use crate::older;
use crate::process::{Home, PROGRAM, have, scaled, stderr};
use patctl::domain::integrity::{KeyFile, Sealer};
use patctl::exit::Exit;
use std::fs;
use std::os::unix::process::ExitStatusExt;

#[test]
fn an_upgrade_that_is_killed_leaves_the_old_schema_or_the_new_one() {
    if !have("strace", "an upgrade that is killed") {
        return;
    }
    let home = Home::new("");
    let live = home.create(&["-q", "--user", "a"]);
    let revoked = home.create(&["-q", "--user", "a"]);
    assert!(home.run(&["revoke", id_of(&revoked)]).status.success());
    older::schema_6(&home.sql());
    home.sql().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
    let (mut points, mut old, mut new) = (0, 0, 0);
    for call in ["pwrite64", "fsync", "fdatasync", "ftruncate", "unlink", "openat"] {
        for at in (1..).step_by(scaled(3, 1)) {
            let stage = Home::new("");
            fs::copy(home.db(), stage.db()).expect("a copy");
            let mut command = stage.command_of("strace");
            let inject = format!("inject={call}:signal=KILL:when={at}");
            command.args(["-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject, PROGRAM]);
            let output = command.args(["create", "-q", "--user", "b"]).output().expect("strace");
            match stage.count("PRAGMA user_version") {
                6 => old += 1,
                9 => new += 1,
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

#[test]
fn a_keyed_backup_of_before_heads_were_sealed_is_restored_whole() {
    for over in [false, true] {
        let patctl = Patctl::new();
        let key = patctl.path("seal.key");
        patctl.configure(&format!("patctl.integrity.key.file = {}\n", key.display()));
        let good = patctl.create(&["--user", "a"]);
        let revoked = patctl.create(&["--user", "a"]);
        assert_eq!(patctl.run(&["revoke", id_of(&revoked)]).exit, Exit::Yes);
        let sealer = Sealer::of(KeyFile::parse(&fs::read(&key).expect("the key")).expect("a key"));
        let old = patctl.path("old.db");
        assert_eq!(patctl.run(&["backup", old.to_str().expect("a path")]).exit, Exit::Yes);
        older::schema_6_sealed(&rusqlite::Connection::open(&old).expect("the backup"), &sealer);
        if over {
            let _ = patctl.create(&["--user", "a"]);
        } else {
            for suffix in ["", "-wal", "-shm"] {
                let mut name = patctl.db().into_os_string();
                name.push(suffix);
                let _ = fs::remove_file(name);
            }
        }
        let restored = patctl.run(&["restore", old.to_str().expect("a path"), "--yes"]);
        assert_eq!(restored.exit, Exit::Yes, "{restored:?}");
        let whole = patctl.run(&["doctor"]);
        assert_eq!(
            (whole.exit, whole.stdout.as_str()),
            (Exit::Yes, ""),
            "over the live one: {over}: {whole:?}"
        );
        assert_eq!(patctl.run(&["audit", "verify"]).exit, Exit::Yes);
        assert_eq!(patctl.verify(&good, &[]).0, Exit::Yes);
        assert_eq!(patctl.verify(&revoked, &[]).0, Exit::No);
    }
}
