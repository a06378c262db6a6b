//! `rotate` where two processes meet, where one dies, and what is on the disk.

use crate::harness::id_of;
use crate::process::{Home, scaled, stderr, stdout};
use crate::verify::forge;
use patctl::domain::actor::{Actor, Authority, RequestMeta};
use patctl::domain::dice::Dice;
use patctl::domain::moment::Moment;
use patctl::domain::policy::Policy;
use patctl::domain::token::PlainToken;
use patctl::service::{Act, rotate};
use patctl::store::sqlite::SqliteStore;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

/// A use alone may be lost in a power cut; one that ends a token may not.
#[test]
fn the_first_use_is_as_durable_as_a_change() {
    let home = Home::new("");
    let old = home.create(&["ci"]);
    let rotated = home.run(&["rotate", id_of(&old), "--until-first-use"]);
    let new = stdout(&rotated).trim_end().to_owned();
    let wal = || std::fs::metadata(home.dir.path().join("patctl.db-wal")).map_or(0, |file| file.len());
    assert!(home.feed(&["verify"], old.as_bytes()).status.success());
    assert!(wal() > 0, "a mere use stays in the log");
    let wrong = forge(&new, id_of(&new));
    assert_eq!(home.feed(&["verify"], wrong.as_bytes()).status.code(), Some(1));
    assert!(wal() > 0, "a wrong secret ends nothing, and costs nobody a change");
    assert!(home.feed(&["verify"], new.as_bytes()).status.success());
    assert_eq!(wal(), 0, "the switch is folded into the database file, as every change is");
    assert!(home.feed(&["verify"], new.as_bytes()).status.success());
    assert!(wal() > 0, "the second use is a mere use again");
    assert_eq!(home.feed(&["verify"], old.as_bytes()).status.code(), Some(1));
}

#[test]
fn many_processes_that_rotate_one_token_leave_one_successor() {
    let home = Home::new("");
    let mut old = home.create(&["ci"]);
    for mode in ["--now", "--until-first-use"] {
        let runs: Vec<_> = thread::scope(|scope| {
            let all: Vec<_> =
                (0..6).map(|_| scope.spawn(|| home.run(&["rotate", id_of(&old), mode]))).collect();
            all.into_iter().map(|one| one.join().expect("no panic")).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run.status.success());
        assert_eq!((won.len(), lost.len()), (1, 5), "{runs:?}");
        let new = stdout(won[0]).trim_end().to_owned();
        for run in lost {
            assert_eq!((run.status.code(), stdout(run)), (Some(1), String::new()));
            assert!(stderr(run).contains(id_of(&new)), "the successor is named: {run:?}");
        }
        let successors = format!("SELECT count(*) FROM token WHERE predecessor = '{}'", id_of(&old));
        assert_eq!(home.count(&successors), 1);
        assert!(home.feed(&["verify"], new.as_bytes()).status.success());
        assert_eq!(home.feed(&["verify"], old.as_bytes()).status.code(), Some(1));
        old = new;
    }
}

/// `kill -9` at moments spread over the whole life of a rotation.
#[test]
fn killed_at_any_moment_there_are_both_sides_of_a_rotation_or_neither() {
    let rounds = scaled(80, 1000);
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100000");
    let mut old = home.create(&["ci"]);
    let begun = Instant::now();
    for _ in 0..4 {
        old = stdout(&home.run(&["rotate", id_of(&old)])).trim_end().to_owned();
    }
    let mut life = u64::try_from(begun.elapsed().as_micros()).expect("seconds") / 4 * 5 / 4;
    let mut killed = 0;
    for round in 0..rounds {
        let mut command = home.command(&["rotate", id_of(&old)]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("patctl");
        thread::sleep(Duration::from_micros(round as u64 * (life * 618 / 1000) % life));
        let _ = child.kill();
        let output = child.wait_with_output().expect("patctl");
        life = if output.status.success() { life - life / 50 } else { life + life / 50 };
        killed += usize::from(!output.status.success());
        let sql = format!("SELECT successor FROM token WHERE id = '{}'", id_of(&old));
        let successor: Option<String> =
            home.sql().query_row(&sql, [], |row| row.get(0)).expect("it is there");
        let new = stdout(&output).trim_end().to_owned();
        match successor {
            // Committed, so delivered before.
            Some(id) => {
                assert_eq!(id, id_of(&new));
                old = new;
            }
            None => assert!(!output.status.success(), "an acknowledged rotation is lost"),
        }
    }
    assert!(home.feed(&["verify"], old.as_bytes()).status.success());
    let broken = "SELECT count(*) FROM token n LEFT JOIN token o ON o.id = n.predecessor \
        WHERE n.predecessor IS NOT NULL AND (o.successor IS NOT n.id OR o.rotated_at IS NULL) \
        OR n.successor IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.token_id = n.id AND a.action = 'rotate') \
        OR NOT EXISTS (SELECT 1 FROM audit a WHERE a.token_id = n.id AND a.action = 'create')";
    assert_eq!(home.count(broken), 0);
    assert_eq!(home.count("SELECT count(*) FROM token WHERE successor IS NULL"), 1);
    assert!(killed > rounds / 20, "only {killed} of {rounds} were killed: the moments are wrong");
    assert!(killed < rounds - rounds / 20, "{killed} of {rounds} were killed: the moments are wrong");
}

/// The second one looked and hashed while the first one held the lock: it has to look again.
#[test]
fn a_rotation_that_waited_for_another_decides_on_what_that_one_left() {
    let home = Home::new("");
    let old = home.create(&["ci"]);
    let policy = Policy::default();
    let actor = Actor::Local { uid: 0, name: "a".to_owned(), login_uid: None };
    let made: String =
        home.sql().query_row("SELECT created_at FROM token", [], |row| row.get(0)).expect("a token");
    let now = Moment::from_rfc3339(&made).expect("an instant");
    let act = Act {
        policy: &policy,
        actor: &actor,
        authority: &Authority::Administrator,
        meta: &RequestMeta::NONE,
        clock: &|| now,
    };
    let mut dice = Dice::system();
    let new = PlainToken::generate(&policy.prefix, &mut dice);
    let id = id_of(&old).parse().expect("an id");
    let order = rotate::Order {
        id: &id,
        handover: rotate::Handover::FirstUse,
        lifetime: None,
        reason: None,
        vault: None,
    };
    let mut store = SqliteStore::open(&home.db()).expect("the database");
    let mut second = None;
    let first = rotate::rotate(&mut store, &act, &mut dice, &order, new, &mut |_| {
        let mut command = home.command(&["rotate", id_of(&old)]);
        second = Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("patctl"));
        thread::sleep(Duration::from_millis(700));
        Ok(())
    });
    let first = first.expect("a successor").issued.token.id();
    let second = second.expect("it was started").wait_with_output().expect("patctl");
    assert_eq!((second.status.code(), stdout(&second)), (Some(1), String::new()), "{second:?}");
    assert!(stderr(&second).contains(&format!("has a successor already: {first}")), "{second:?}");
    assert_eq!(home.count("SELECT count(*) FROM token"), 2);
}
