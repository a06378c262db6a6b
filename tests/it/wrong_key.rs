//! A key that is not the one that a database is sealed with.

use crate::harness::{Patctl, Setup, id_of};
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
