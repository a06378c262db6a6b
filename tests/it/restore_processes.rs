//! `patctl restore` beside other processes, and killed.

use crate::harness::id_of;
use crate::process::{Done, Home, scaled, stderr};
use std::fs;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

fn file(home: &Home) -> String {
    home.dir.path().join("backup").to_str().expect("a path").to_owned()
}

fn backup(home: &Home) {
    let _ = fs::remove_file(file(home));
    let output = home.run(&["backup", &file(home)]);
    assert!(output.status.success(), "{output:?}");
}

fn ok(home: &Home, token: &str) -> Option<i32> {
    home.feed(&["verify"], token.as_bytes()).status.code()
}

/// A verify beside it gets an answer, and the right one.
#[test]
fn verifies_beside_a_restore_are_answered() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100000");
    let good = home.create(&[]);
    let dead = home.create(&[]);
    backup(&home);
    assert!(home.run(&["revoke", id_of(&dead)]).status.success());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(ok(&home, &good), Some(0));
                    assert_eq!(ok(&home, &dead), Some(1));
                }
            });
        }
        let _ends = Done(&stop);
        for _ in 0..scaled(8, 60) {
            let output = home.run(&["restore", &file(&home), "--yes", "-q"]);
            assert!(output.status.success(), "{output:?}");
        }
    });
    assert!(home.run(&["audit", "verify"]).status.success());
    assert!(home.run(&["doctor"]).status.success());
}

/// Both at once, many times: whichever comes first, the revocation holds.
#[test]
fn a_revocation_that_was_acknowledged_during_a_restore_holds() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100000");
    let victims: Vec<String> = (0..scaled(12, 200)).map(|_| home.create(&["-q"])).collect();
    backup(&home);
    for (round, victim) in victims.iter().enumerate() {
        thread::scope(|scope| {
            scope.spawn(|| {
                let output = home.run(&["restore", &file(&home), "--yes", "-q"]);
                assert!(output.status.success(), "{}", stderr(&output));
            });
            scope.spawn(|| {
                // Golden-ratio steps cover the life of a restore.
                thread::sleep(Duration::from_micros(round as u64 * 61_800 % 100_000));
                let output = home.run(&["revoke", id_of(victim)]);
                assert!(output.status.success(), "{}", stderr(&output));
            });
        });
        assert_eq!(ok(&home, victim), Some(1), "round {round}: it lives again");
    }
    let revoked = home.count("SELECT count(*) FROM token WHERE revoked_at IS NOT NULL");
    assert_eq!(revoked, i64::try_from(victims.len()).expect("a number"));
    assert!(home.run(&["doctor"]).status.success());
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_or_the_new() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100000");
    let (good, dead) = (home.create(&[]), home.create(&[]));
    home.create(&["--count", "200", "-q"]);
    backup(&home);
    assert!(home.run(&["revoke", id_of(&dead)]).status.success());
    let begun = Instant::now();
    assert!(home.run(&["restore", &file(&home), "--yes", "-q"]).status.success());
    let life = u64::try_from(begun.elapsed().as_micros()).expect("a time").max(1);
    let (mut killed, rounds) = (0, scaled(25, 500));
    for round in 0..rounds {
        let since = home.create(&["-q"]);
        let mut command = home.command(&["restore", &file(&home), "--yes", "-q"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("patctl");
        thread::sleep(Duration::from_micros(round as u64 * (life * 618 / 1000) % life));
        let _ = child.kill();
        let done = child.wait().expect("patctl").success();
        killed += usize::from(!done);
        assert_eq!((ok(&home, &good), ok(&home, &dead)), (Some(0), Some(1)));
        assert!(!done || ok(&home, &since) == Some(1), "it was restored");
    }
    assert!(killed > rounds / 10, "only {killed} of {rounds} were killed");
    for entry in fs::read_dir(home.dir.path()).expect("the home") {
        let path = entry.expect("an entry").path();
        if path.to_string_lossy().contains(".new-") {
            fs::remove_dir_all(path).expect("a draft");
        }
    }
    let check: String =
        home.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check");
    assert_eq!(check, "ok");
    let output = home.run(&["doctor"]);
    assert!(output.status.success(), "{output:?}");
}
