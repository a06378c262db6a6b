//! `patctl prune` as a process: killed in its midst, run twice at once, beside `verify`.

use crate::figure;
use crate::process::{Home, scaled, stderr, stdout};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

/// A database with so many tokens that ended long ago, and one that lives.
fn ended(count: usize) -> (Home, String) {
    let home = Home::new("");
    let token = home.create(&["lives"]);
    home.sql()
        .execute_batch(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO token (id, name, user, auth, verifier, created_at, expires_at)
             SELECT printf('%010d', i), 'token ' || i, 'bob', 'both', '$', '2020-01-01T00:00:00.000000Z',
                    '2021-01-01T00:00:00.000000Z' FROM n"
        ))
        .expect("rows");
    (home, token)
}

/// What is gone was written down, and the chain of the log holds.
fn is_whole(home: &Home, count: usize) -> usize {
    let rows = |sql| usize::try_from(home.count(sql)).expect("a count");
    let left = rows("SELECT count(*) FROM token") - 1;
    assert_eq!(rows("SELECT count(*) FROM audit WHERE action = 'prune'"), count - left);
    let integrity: String =
        home.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a look");
    assert_eq!(integrity, "ok");
    let output = home.run(&["audit", "verify"]);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    left
}

#[test]
fn killed_in_its_midst_it_loses_nothing_and_a_second_run_finishes() {
    const COUNT: usize = 20_000;
    let (home, token) = ended(COUNT);
    let mut met = 0;
    for round in 0..scaled(8, 40) {
        let mut prune = home.command(&["prune"]).stderr(Stdio::null()).spawn().expect("patctl");
        if round % 2 == 0 {
            // At work for certain, however slow the machine is.
            let before = home.count("SELECT count(*) FROM token");
            while before > 1
                && home.count("SELECT count(*) FROM token") == before
                && prune.try_wait().expect("a look").is_none()
            {
                thread::sleep(Duration::from_millis(1));
            }
        }
        thread::sleep(Duration::from_millis(37 * (round as u64 % 9)));
        let _ = prune.kill();
        prune.wait().expect("an end");
        let left = is_whole(&home, COUNT);
        met += usize::from((1..COUNT).contains(&left));
    }
    assert!(met > 0, "no kill met it at work");
    let output = home.run(&["prune"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(is_whole(&home, COUNT), 0);
    assert_eq!(home.feed(&["verify"], token.as_bytes()).status.code(), Some(0));
}

#[test]
fn two_at_once_delete_each_row_once_and_no_verify_beside_them_fails() {
    let count = scaled(10_000, 500_000);
    let (home, token) = ended(count);
    let mut slowest = Duration::ZERO;
    let mut both = [(); 2].map(|()| home.command(&["prune"]).spawn().expect("patctl"));
    let mut uses = 0;
    while both.iter_mut().any(|prune| prune.try_wait().expect("a look").is_none()) {
        let begun = Instant::now();
        let output = home.feed(&["verify"], token.as_bytes());
        assert!(output.status.success(), "{output:?}");
        slowest = slowest.max(begun.elapsed());
        uses += 1;
    }
    for mut prune in both {
        assert!(prune.wait().expect("an end").success());
    }
    assert_eq!(is_whole(&home, count), 0);
    assert!(uses > 0, "a verify ran beside them");
    assert!(slowest < Duration::from_secs(10), "a verify took {slowest:?}");
    let reached = format!("{count} tokens gone once, {uses} verifies beside it, the slowest {slowest:.0?}");
    figure("2 prunes at once, verify beside them", &reached);
}
