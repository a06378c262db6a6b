//! Many processes at once, and processes that die.

use crate::figure;
use crate::harness::id_of;
use crate::process::{Done, Home, scaled, stderr, stdout};
use std::collections::HashSet;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn eight_processes_create_fifty_tokens_each() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 1000");
    let created: HashSet<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    (0..50)
                        .map(|_| {
                            // No database at first: the eight race to make it, too.
                            let output = home.run(&["create", "-q"]);
                            assert!(output.status.success(), "{output:?}");
                            // The one that made the database says so.
                            let said = stderr(&output);
                            assert!(said.is_empty() || said.starts_with("made the database "), "{said}");
                            stdout(&output)
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    assert_eq!(created.len(), 400);
    assert_eq!(home.count("SELECT count(*) FROM token"), 400);
    assert_eq!(home.count("SELECT count(*) FROM audit WHERE action = 'create'"), 400);
    assert_eq!(home.count("SELECT count(DISTINCT token_id) FROM audit"), 400);
    figure("8 processes × 50 creates", "400 tokens, 400 audit rows, nobody was turned away");
}

/// Whatever was acknowledged before a bulk-revoke began is revoked when it is over; whatever came beside it is
/// one or the other, and none is lost.
#[test]
fn a_create_beside_a_bulk_revoke_comes_before_it_or_after_it() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100000");
    home.create(&["--user", "other"]);
    let acknowledged = Mutex::new(Vec::<String>::new());
    let stop = AtomicBool::new(false);
    let rounds = scaled(8, 100);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let token = home.create(&["-q", "--user", "u"]);
                    acknowledged.lock().expect("no panic").push(token);
                }
            });
        }
        let _ends = Done(&stop);
        for _ in 0..rounds {
            let known = acknowledged.lock().expect("no panic").clone();
            let output = home.run(&["bulk-revoke", "--user", "u", "--yes", "-q"]);
            // Status 1: in this moment none was left.
            assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
            let alive = home.sql();
            let mut look =
                alive.prepare("SELECT revoked_at IS NULL FROM token WHERE id = ?1").expect("a statement");
            for token in &known {
                let lives: bool = look.query_row([id_of(token)], |row| row.get(0)).expect("a token");
                assert!(!lives, "it was there before, and outlived it");
            }
        }
    });
    let all = acknowledged.into_inner().expect("no panic");
    let (mut alive, mut revoked) = (0, 0);
    for token in &all {
        let output = home.feed(&["verify"], token.as_bytes());
        let row = format!(
            "SELECT count(*) FROM audit WHERE action = 'revoke' AND outcome = 'done' AND token_id = '{}'",
            id_of(token)
        );
        match output.status.code() {
            Some(0) => alive += 1 + home.count(&row),
            Some(1) => revoked += home.count(&row),
            _ => panic!("{output:?}"),
        }
    }
    assert_eq!(usize::try_from(alive + revoked).expect("a count"), all.len(), "each once, with its row");
    let reached =
        format!("{rounds} bulk-revokes, {} creates, {revoked} of them revoked, none lost", all.len());
    figure("create beside bulk-revoke", &reached);
}

#[test]
fn the_limit_holds_when_many_create_at_once() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 5");
    let codes: Vec<Option<i32>> = thread::scope(|scope| {
        let all: Vec<_> = (0..12).map(|_| scope.spawn(|| home.run(&["create"]).status.code())).collect();
        all.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 5, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == Some(1)).count(), 7, "{codes:?}");
    assert_eq!(home.count("SELECT count(*) FROM token"), 5);
}

/// `kill -9` at moments spread over the whole life of a create and of a revoke.
#[test]
fn killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_is_unaudited() {
    let rounds = scaled(200, 2000);
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100000");
    home.create(&[]);
    let begun = Instant::now();
    (0..4).for_each(|_| drop(home.create(&[])));
    // A quarter more than what one create takes here and now; it follows a machine that becomes slower or faster.
    let mut life = u64::try_from(begun.elapsed().as_micros()).expect("seconds") / 4 * 5 / 4;
    let mut acknowledged: Vec<String> = Vec::new();
    let mut killed = 0;
    for round in 0..rounds {
        let victim = if round % 2 == 1 { acknowledged.last().cloned() } else { None };
        let mut command = match &victim {
            Some(token) => home.command(&["revoke", id_of(token)]),
            None => home.command(&["create", "-q"]),
        };
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("patctl");
        // Golden-ratio steps cover a life evenly, without dice that nobody can throw again.
        thread::sleep(Duration::from_micros(round as u64 * (life * 618 / 1000) % life));
        let _ = child.kill();
        let output = child.wait_with_output().expect("patctl");
        life = if output.status.success() { life - life / 50 } else { life + life / 50 };
        match (&victim, output.status.success()) {
            (None, true) => acknowledged.push(stdout(&output).trim_end().to_owned()),
            (Some(token), true) => {
                let sql = format!("SELECT revoked_at IS NOT NULL FROM token WHERE id = '{}'", id_of(token));
                assert_eq!(home.count(&sql), 1, "an acknowledged revocation is lost");
                acknowledged.pop();
            }
            (_, false) => killed += 1,
        }
    }
    let check: String = home.sql().query_row("PRAGMA integrity_check", [], |r| r.get(0)).expect("a check");
    assert_eq!(check, "ok");
    for token in &acknowledged {
        let sql = format!("SELECT count(*) FROM token WHERE id = '{}'", id_of(token));
        assert_eq!(home.count(&sql), 1, "an acknowledged token is lost");
        // A revocation that was killed may have been done by then.
        let sql = format!("SELECT revoked_at IS NOT NULL FROM token WHERE id = '{}'", id_of(token));
        let expected = i32::try_from(home.count(&sql)).expect("0 or 1");
        let output = home.feed(&["verify"], token.as_bytes());
        assert_eq!(output.status.code(), Some(expected), "an acknowledged token is none: {output:?}");
    }
    let unaudited = "SELECT count(*) FROM token t WHERE NOT EXISTS \
        (SELECT 1 FROM audit a WHERE a.token_id = t.id AND a.action = 'create') \
        OR (t.revoked_at IS NOT NULL) <> EXISTS \
        (SELECT 1 FROM audit a WHERE a.token_id = t.id AND a.action = 'revoke')";
    assert_eq!(home.count(unaudited), 0);
    let orphans =
        "SELECT count(*) FROM audit a WHERE NOT EXISTS (SELECT 1 FROM token t WHERE t.id = a.token_id)";
    assert_eq!(home.count(orphans), 0);
    assert!(home.run(&["audit", "verify"]).status.success(), "the chain has a broken link");
    assert!(killed > rounds / 20, "only {killed} of {rounds} were killed: the moments are wrong");
    assert!(killed < rounds - rounds / 20, "{killed} of {rounds} were killed: the moments are wrong");
    figure("kill -9 at any moment", &format!("{killed} of {rounds} runs, 0 lost, 0 unaudited"));
}

/// `patctl list | less`, left alone: it pins a state of the database, and must not hold up anybody.
#[test]
fn an_idle_reader_delays_neither_changes_nor_verifies() {
    let home = Home::new("");
    let token = home.create(&[]);
    home.sql()
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
             INSERT INTO token (id, name, user, auth, verifier, created_at, expires_at)
             SELECT printf('%010d', i), 'a long enough name to fill the pipe', 'u', 'both', '$', created_at,
             '2026-01-01T00:00:00.000000Z' FROM n, (SELECT created_at FROM token LIMIT 1)",
        )
        .expect("rows by hand");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut idle = home.command(&["list", "-o", "json"]).stdout(writer).spawn().expect("patctl");
    thread::sleep(Duration::from_millis(300));
    let slowest = thread::scope(|scope| {
        let prune = scope.spawn(|| home.run(&["prune"]));
        let mut slowest = Duration::ZERO;
        for _ in 0..15 {
            let begun = Instant::now();
            assert!(home.feed(&["verify"], token.as_bytes()).status.success());
            slowest = slowest.max(begun.elapsed());
        }
        assert!(prune.join().expect("no panic").status.success());
        slowest
    });
    assert!(slowest < Duration::from_secs(2), "a verify took {slowest:?}");
    assert_eq!(home.count("SELECT count(*) FROM token"), 1);
    drop(reader);
    assert_eq!(idle.wait().expect("patctl").code(), Some(0));
}

#[test]
fn two_prunes_at_once_and_verifies_beside_them_are_harmless() {
    let home =
        Home::new("atlassian.pats.pruning.delay.days = 0\natlassian.pats.max.tokens.per.user = 100000");
    let token = home.create(&[]);
    home.sql()
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
             INSERT INTO token (id, name, user, auth, verifier, created_at, expires_at)
             SELECT printf('%010d', i), 'n', 'u', 'both', '$', created_at, '2026-01-01T00:00:00.000000Z'
             FROM n, (SELECT created_at FROM token LIMIT 1)",
        )
        .expect("rows by hand");
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let output = home.run(&["prune"]);
                assert_eq!(
                    (output.status.code(), stdout(&output), stderr(&output)),
                    (Some(0), String::new(), String::new())
                );
            });
        }
        scope.spawn(|| {
            for _ in 0..10 {
                assert!(home.feed(&["verify"], token.as_bytes()).status.success());
            }
        });
    });
    assert_eq!(home.count("SELECT count(*) FROM token"), 1);
    assert_eq!(home.count("SELECT count(*) FROM audit WHERE action = 'prune'"), 4000);
    assert!(home.run(&["audit", "verify"]).status.success(), "the chain has a broken link");
}
