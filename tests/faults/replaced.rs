//! The database is replaced, moved away or removed under a process that lives long.

use crate::figure;
use crate::harness::id_of;
use crate::process::{Home, PROGRAM, stderr, stdout};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Output, Stdio};
use std::time::{Duration, Instant};

/// A running `verify --batch`.
struct Gateway {
    child: Child,
    stdin: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Gateway {
    fn start(home: &Home) -> Self {
        let mut command = home.command(&["verify", "--batch"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("patctl");
        let stdin = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, stdin, answers }
    }

    /// The answer to one line of a process that has to be alive; says what it said where it is not.
    fn answer(&mut self, token: &str, when: &str) -> Value {
        if let Some(answer) = self.ask(token) {
            return answer;
        }
        drop(self.stdin.take());
        let mut told = String::new();
        let _ = self.child.stderr.take().expect("a pipe").read_to_string(&mut told);
        panic!("{when}: no answer, {:?}: {told}", self.child.wait());
    }

    /// The answer to one line; `None`: it has ended.
    fn ask(&mut self, token: &str) -> Option<Value> {
        let mut stdin = self.stdin.as_ref().expect("a pipe");
        let _ = writeln!(stdin, "{{\"token\":\"{token}\"}}");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).ok()
    }

    fn end(mut self) -> Output {
        drop(self.stdin.take());
        self.child.wait_with_output().expect("patctl")
    }
}

/// Ways to put a copy in the place of the database. Each has to leave a sound database at the path.
const WAYS: [&str; 4] = [
    "rm -f patctl.db-wal patctl.db-shm; mv copy.db patctl.db",
    "mv patctl.db old.db; rm -f patctl.db-wal patctl.db-shm; mv copy.db patctl.db",
    "mv copy.db patctl.db; sleep 0.3; rm -f patctl.db-wal patctl.db-shm",
    "rm -f patctl.db*; cp copy.db new.db; chmod 600 new.db; mv new.db patctl.db",
];

/// Ways that leave the file where it is, and with it what tells it from others: only its log is another one then.
const IN_PLACE: [&str; 3] = [
    "cp copy.db patctl.db; rm -f patctl.db-wal patctl.db-shm",
    "rm -f patctl.db-shm patctl.db-wal; cat copy.db > patctl.db",
    "cp -r . away; cp away/copy.db patctl.db; rm -rf patctl.db-* away",
];

#[test]
fn a_batch_says_no_after_a_revocation_in_the_file_that_is_there() {
    let mut lines = 0;
    for way in WAYS.iter().chain(&IN_PLACE) {
        let home = Home::new("");
        let (token, other) = (home.create(&["-q"]), home.create(&["-q"]));
        let mut gateway = Gateway::start(&home);
        assert_eq!(gateway.answer(&token, way)["allowed"], true, "{way}");
        assert!(home.run(&["backup", "copy.db"]).status.success());
        let moved = home.shell(way);
        assert!(moved.status.success(), "{way}: {moved:?}");
        let revoked = home.run(&["revoke", "--yes", "-q", id_of(&token)]);
        assert!(revoked.status.success(), "{way}: {revoked:?}");
        for (asked, allowed) in [(&token, false), (&other, true), (&token, false)] {
            let answer = gateway.answer(asked, way);
            assert_eq!(answer["allowed"], allowed, "{way}: {answer}");
            lines += 1;
        }
        gateway.end();
        // What was answered is written down where everybody looks.
        let told = home.count("SELECT count(*) FROM audit WHERE action = 'verify'");
        assert_eq!(told, 4, "{way}");
    }
    figure(
        "the database replaced under a running batch",
        &format!("{} ways, {lines} lines, 0 from the old file", WAYS.len() + IN_PLACE.len()),
    );
}

/// Another patctl may have brought a newer schema, or somebody a trigger: what was checked is not what is there.
#[test]
fn a_batch_checks_a_schema_that_changed_under_it() {
    for (statement, goes_on) in [
        ("CREATE TRIGGER t AFTER INSERT ON audit BEGIN SELECT 1; END", false),
        ("PRAGMA user_version = 99", false),
        ("CREATE TABLE notes (a)", true),
        ("VACUUM", true),
    ] {
        let home = Home::new("");
        let token = home.create(&["-q"]);
        let mut gateway = Gateway::start(&home);
        assert_eq!(gateway.answer(&token, statement)["allowed"], true);
        home.sql().execute_batch(statement).expect("by hand");
        let answer = gateway.ask(&token);
        assert_eq!(answer.is_some_and(|answer| answer["allowed"] == true), goes_on, "{statement}");
        let status = gateway.end().status.code();
        assert_eq!(status, Some(if goes_on { 0 } else { 74 }), "{statement}");
    }
}

#[test]
fn who_follows_the_log_is_told_when_it_cannot_go_on() {
    for way in IN_PLACE {
        let home = Home::new("");
        home.create(&["-q"]);
        assert!(home.run(&["backup", "copy.db"]).status.success());
        let mut command = home.command(&["audit", "--follow", "-o", "jsonl"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("patctl");
        std::thread::sleep(Duration::from_millis(600));
        assert!(home.shell(way).status.success());
        let output = child.wait_with_output().expect("patctl");
        assert_eq!(output.status.code(), Some(74), "{way}: {output:?}");
        assert!(stderr(&output).contains("patctl audit --follow --after 2"), "{way}: {output:?}");
    }
}

#[test]
fn a_batch_ends_with_trouble_when_its_database_is_gone() {
    for way in ["mv patctl.db elsewhere.db", "rm patctl.db", "mkdir d; mv patctl.db* d"] {
        let home = Home::new("");
        let token = home.create(&["-q"]);
        let mut gateway = Gateway::start(&home);
        assert_eq!(gateway.answer(&token, way)["allowed"], true, "{way}");
        assert!(home.shell(way).status.success(), "{way}");
        assert_eq!(gateway.ask(&token), None, "{way}");
        let output = gateway.end();
        assert_eq!(output.status.code(), Some(74), "{way}: {output:?}");
        assert!(stderr(&output).contains("there is no database at"), "{way}: {output:?}");
    }
}

/// The log of a database that was replaced, beside the new one, would be played into it.
#[test]
fn a_log_that_was_left_beside_a_new_database_is_not_played_in() {
    let home = Home::new("");
    let token = home.create(&["-q"]);
    assert!(home.run(&["backup", "copy.db"]).status.success());
    let mut gateway = Gateway::start(&home);
    assert_eq!(gateway.answer(&token, "at first")["allowed"], true);
    assert!(home.shell("mv copy.db patctl.db").status.success());
    let before = std::fs::read(home.db()).expect("the file");
    assert_eq!(gateway.ask(&token), None);
    let output = gateway.end();
    assert_eq!(output.status.code(), Some(77), "{output:?}");
    assert!(stderr(&output).contains("patctl.db-wal"), "{output:?}");
    assert!(std::fs::read(home.db()).expect("the file") == before, "the new database was changed");
}

/// No yes from a file that was not there when it was committed, while files come and go as fast as they can.
#[test]
fn a_batch_gives_no_old_answer_while_files_are_exchanged() {
    let home = Home::new("");
    let token = home.create(&["-q"]);
    assert!(home.run(&["backup", "live.db"]).status.success());
    assert!(home.run(&["revoke", "--yes", "-q", id_of(&token)]).status.success());
    assert!(home.run(&["backup", "revoked.db"]).status.success());
    let mut gateway = Gateway::start(&home);
    // It has opened the file by then: opened between the removal of the log and the exchange, the file would get a log
    // again, and that would stand beside the next one.
    assert_eq!(gateway.answer(&token, "at first")["allowed"], false);
    let (mut answers, mut exchanges) = (0, 0);
    for round in 0..40 {
        // Now a live one, now one in which it is revoked.
        let (from, live) = if round % 2 == 0 { ("live.db", true) } else { ("revoked.db", false) };
        let script = format!(
            "cp {from} next.db; chmod 600 next.db; rm -f patctl.db-wal patctl.db-shm; mv next.db patctl.db"
        );
        assert!(home.shell(&script).status.success());
        exchanges += 1;
        for _ in 0..3 {
            let answer = gateway.answer(&token, &format!("round {round}"));
            assert_eq!(answer["allowed"], live, "round {round}: {answer}");
            answers += 1;
        }
    }
    gateway.end();
    figure(
        "files exchanged under a batch",
        &format!("{exchanges} exchanges, {answers} answers, 0 of the file before"),
    );
}

/// What a process has printed so far.
fn wait_for(path: &std::path::Path, what: &str, least: usize) -> String {
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if text.matches(what).count() >= least || begun.elapsed() > Duration::from_secs(20) {
            return text;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn who_follows_the_log_goes_on_in_the_file_that_is_there() {
    for way in WAYS {
        let home = Home::new("");
        let (token, _) = (home.create(&["-q", "first"]), home.create(&["-q", "second"]));
        let shown = home.dir.path().join("shown");
        let mut command = home.command_of("bash");
        command.args(["-c", &format!("exec {PROGRAM} audit --follow -o jsonl > shown 2> told")]);
        let mut child = command.spawn().expect("bash");
        wait_for(&shown, "\"create\"", 2);
        assert!(home.run(&["backup", "copy.db"]).status.success());
        wait_for(&shown, "\"backup\"", 1);
        assert!(home.shell(way).status.success(), "{way}");
        assert!(home.run(&["revoke", "--yes", "-q", id_of(&token)]).status.success(), "{way}");
        let text = wait_for(&shown, "\"revoke\"", 1);
        let _ = child.kill();
        let _ = child.wait();
        let told = std::fs::read_to_string(home.dir.path().join("told")).expect("a file");
        assert_eq!(text.matches("\"revoke\"").count(), 1, "{way}: {text}\n{told}");
        assert_eq!(text.matches("\"create\"").count(), 2, "{way}: rows come once: {text}");
        assert!(told.contains("replaced"), "{way}: {told}");
    }
    let home = Home::new("");
    home.create(&["-q"]);
    let mut command = home.command(&["audit", "--follow", "-o", "jsonl"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("patctl");
    std::thread::sleep(Duration::from_millis(600));
    assert!(home.shell("mv patctl.db away.db").status.success());
    let output = child.wait_with_output().expect("patctl");
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert!(stdout(&output).contains("\"create\""), "{output:?}");
    figure(
        "the database replaced under audit --follow",
        &format!("{} ways and removed, 0 rows lost or twice", WAYS.len()),
    );
}
