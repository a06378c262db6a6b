//! A clock that went back: whoever shows a status shows what `verify` judges by, and nothing is done that cannot be
//! taken back.

use crate::harness::{Patctl, Run, Setup, id_of};
use patctl::domain::moment::Span;
use patctl::exit::{Exit, Nagios};
use serde_json::Value;

/// A database whose log is two hours ahead of the clock by `behind`, with one token that ended meanwhile and one
/// that did not.
fn behind(behind: Span) -> (Patctl, String, String) {
    let patctl = Patctl::new();
    let (short, long) = (patctl.create(&["--expires", "1h"]), patctl.create(&["--expires", "90"]));
    patctl.pass(Span::minutes(61));
    assert_eq!(patctl.verify(&short, &[]).1, "expired");
    patctl.set_now(patctl.now().saturating_minus(behind));
    (patctl, short, long)
}

/// Whether stderr says once that clock and log disagree.
fn warns(run: &Run) -> bool {
    let said = run.stderr.matches("the audit log has a row of").count();
    assert!(said < 2, "{run:?}");
    said == 1
}

#[test]
fn what_is_shown_is_what_verify_judges_by_and_a_clock_far_behind_is_told() {
    for (minutes, apart) in [(3, false), (30, true)] {
        let (patctl, short, long) = behind(Span::minutes(minutes));
        let run = patctl.run(&["show", id_of(&short), "-o", "json"]);
        assert_eq!((&run.json()["status"], warns(&run)), (&Value::from("expired"), apart), "{run:?}");
        let run = patctl.run(&["list", "--status", "expired", "-o", "ids"]);
        assert_eq!((run.stdout.trim(), warns(&run)), (id_of(&short), apart), "{run:?}");
        let run = patctl.run(&["list", "--status", "active", "-o", "ids"]);
        assert_eq!(run.stdout.trim(), id_of(&long), "{run:?}");
        let run = patctl.run(&["stats", "-o", "json"]);
        assert_eq!((run.json()["states"]["expired"].as_u64(), warns(&run)), (Some(1), apart), "{run:?}");
        // Of a token about which nothing is decided it is not said that nobody can use it.
        let leak = patctl.path("leak");
        std::fs::write(&leak, &short).expect("a file");
        let run = patctl.run(&["scan", &leak.display().to_string()]);
        let expected = if apart { Exit::No } else { Exit::Yes };
        assert_eq!((run.exit, warns(&run)), (expected, apart), "{run:?}");
    }
}

#[test]
fn no_change_brings_to_life_what_ended_by_the_log() {
    for (minutes, expected) in [(0, Exit::No), (3, Exit::No), (30, Exit::Io)] {
        let patctl = Patctl::new();
        let (short, old) = (patctl.create(&["--expires", "1h"]), patctl.create(&[]));
        patctl.run(&["rotate", id_of(&old), "--grace", "1h"]);
        patctl.pass(Span::minutes(61));
        assert_eq!(patctl.verify(&short, &[]).1, "expired");
        assert_eq!(patctl.verify(&old, &[]).1, "rotated");
        patctl.set_now(patctl.now().saturating_minus(Span::minutes(minutes)));
        let (short, old_id) = (id_of(&short), id_of(&old));
        for args in [
            &["edit", short, "--expires", "90"][..],
            &["edit", short, "--expires", "never"],
            &["rotate", short],
            &["rotate", short, "--grace", "1h"],
            &["rotate", "--undo", old_id],
            &["edit", old_id, "--name", "other"],
        ] {
            let run = patctl.run(args);
            assert_eq!(run.exit, expected, "{args:?} {minutes}: {run:?}");
        }
        assert_ne!(patctl.verify(&old, &[]).0, Exit::Yes);
        assert_eq!(patctl.count("SELECT count(*) FROM token"), 3);
        assert_eq!(patctl.run(&["edit", short, "--note", "a note is no life"]).exit, Exit::Yes);
    }
}

#[test]
fn a_clock_far_behind_sends_no_mail_and_is_unknown_to_a_monitor() {
    let (patctl, short, _) = behind(Span::minutes(30));
    patctl.configure(
        "patctl.mail.transport = smtp://localhost:1
patctl.mail.from = patctl@example.org
patctl.mail.to = a@example.org",
    );
    for args in [&["notify"][..], &["notify", "--dry-run"]] {
        patctl.run(args).says(Exit::Io, &["the audit log has a row of", "--accept-clock"]);
    }
    assert_eq!(patctl.count("SELECT count(*) FROM outbox"), 0);
    let run = patctl.run(&["expiring"]);
    assert_eq!(run.exit, Exit::Monitor(Nagios::Unknown), "{run:?}");
    assert_ne!(patctl.run(&["prune"]).exit, Exit::Yes);
    assert_eq!(patctl.count("SELECT count(*) FROM token"), 2);
    // The remedy that is named leads out.
    assert_eq!(patctl.run(&["doctor", "--accept-clock", "--yes"]).exit, Exit::Yes);
    let run = patctl.run(&["show", id_of(&short), "-o", "json"]);
    assert_eq!((run.json()["status"] == "expired", warns(&run)), (false, false), "{run:?}");
    assert_ne!(patctl.run(&["expiring"]).exit, Exit::Monitor(Nagios::Unknown));
}

#[test]
fn a_batch_is_in_doubt_about_those_tokens_only_that_clock_and_log_disagree_about() {
    let (patctl, short, long) = behind(Span::minutes(30));
    let ended = patctl.create(&["--expires", "2h"]);
    patctl.run(&["revoke", "--yes", id_of(&ended)]);
    let tokens = [&long, &short, &ended, &Patctl::foreign_token(), &long, &short];
    let lines =
        tokens.iter().fold(String::new(), |lines, token| format!("{lines}{{\"token\":\"{token}\"}}\n"));
    let run = patctl.run_with(&["verify", "--batch"], &Setup { stdin: lines.as_bytes(), ..Setup::default() });
    let answers: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<&str> = answers.iter().map(|answer| answer["reason"].as_str().unwrap_or("yes")).collect();
    assert_eq!(told, ["yes", "clock", "revoked", "unknown", "yes", "clock"], "{run:?}");
    assert_eq!(run.exit, Exit::Io);
    let rows = "SELECT count(*) FROM audit WHERE outcome = 'error' AND reason = 'clock'";
    assert_eq!(patctl.count(rows), 2);
}
