//! A key that is not the one that a database is sealed with, and a head of the log that it did not seal.

use crate::harness::{Patctl, Setup, id_of};
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use std::fs;

/// A key that is another one, and pinned to nothing: as one that was made and never used.
fn fresh_key(patctl: &Patctl) -> String {
    let text = fs::read_to_string(patctl.path("key")).expect("the key");
    let line = text.lines().next().expect("a line");
    let first = if line.starts_with('A') { 'B' } else { 'A' };
    format!("{first}{}\n", &line[1..])
}

#[test]
fn a_wrong_key_is_pinned_to_nothing_and_nothing_harmful_is_advised() {
    let patctl = Patctl::new();
    patctl.configure(&format!("patctl.integrity.key.file = {}\n", patctl.path("key").display()));
    let token = patctl.create(&["--user", "alice"]);
    let right = fs::read(patctl.path("key")).expect("the key");
    let wrong = fresh_key(&patctl);
    fs::write(patctl.path("key"), &wrong).expect("the key");
    for args in [&["list"][..], &["create"], &["revoke", id_of(&token)], &["prune"], &["audit", "head"]] {
        patctl.run(args).says(Exit::Config, &["not the key that the database is sealed with"]);
    }
    let input = Setup { stdin: token.as_bytes(), ..Setup::default() };
    assert_eq!(patctl.run_with(&["verify"], &input).exit, Exit::Config, "neither a yes nor a no");
    assert_eq!(fs::read_to_string(patctl.path("key")).expect("the key"), wrong, "it is pinned to nothing");
    for args in [&["doctor"][..], &["doctor", "--fix"]] {
        let found = patctl.run(args);
        assert_eq!(found.exit, Exit::No, "{found:?}");
        assert!(found.stdout.contains("put the right key back"), "{found:?}");
        for harmful in ["patctl revoke", "patctl restore"] {
            assert!(!found.stdout.contains(harmful), "{harmful}: {found:?}");
        }
    }
    assert_eq!(fs::read_to_string(patctl.path("key")).expect("the key"), wrong, "it is pinned to nothing");
    fs::write(patctl.path("key"), right).expect("the key");
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    let whole = patctl.run(&["doctor"]);
    assert_eq!((whole.exit, whole.stdout.as_str()), (Exit::Yes, ""), "{whole:?}");
}

/// Who can write the file and set the clock puts back the time that no decision may fall behind.
#[test]
fn a_head_that_the_key_did_not_seal_lets_no_token_live_longer() {
    for change in [
        "clock_mark = '2026-01-01T00:00:00.000000Z'",
        "clock_mark = '2026-01-01T00:00:00.000000Z', integrity = NULL",
        "tombstones = 7",
    ] {
        let patctl = Patctl::new();
        patctl.configure(&format!("patctl.integrity.key.file = {}\n", patctl.path("key").display()));
        let (ends, never) = (patctl.create(&["--expires", "2"]), patctl.create(&[]));
        let noon = patctl.now();
        patctl.pass(Span::days(3));
        assert_eq!(patctl.verify(&ends, &[]).1, "expired");
        patctl.sql().execute(&format!("UPDATE head SET {change}"), []).expect("by hand");
        patctl.set_now(noon);
        let input = Setup { stdin: ends.as_bytes(), ..Setup::default() };
        patctl.run_with(&["verify"], &input).says(Exit::Io, &["the head of the audit log"]);
        assert_eq!(patctl.verify(&never, &[]).0, Exit::Yes, "{change}: what does not end is not touched");
        assert_eq!(patctl.run(&["doctor"]).exit, Exit::No);
        let told = "SELECT count(*) FROM audit WHERE outcome = 'error' AND reason = 'clock'";
        assert_eq!(patctl.count(told), 1, "{change}");
    }
}
