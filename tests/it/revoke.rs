use crate::harness::{Patctl, Setup, Sink, id_of};
use patctl::exit::Exit;

#[test]
fn revoke_does_what_it_can_names_the_unknown_and_exits_1() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--user", "alice"]);
    let id = id_of(&token);
    let run = patctl.run(&["revoke", "zzzz", id, "--reason", "laptop stolen"]);
    assert_eq!(run.exit, Exit::No);
    assert_eq!(run.stdout, format!("revoked  {id}  alice  ci\n"));
    assert!(run.stderr.contains("no token has the id zzzz"), "{run:?}");
    let shown = patctl.run(&["show", id, "-o", "json"]).json();
    assert_eq!(shown["status"], "revoked");
    assert_eq!(shown["revoke_reason"], "laptop stolen");
    assert_eq!(shown["history"][0]["reason"], "laptop stolen");
}

#[test]
fn an_id_that_is_revoked_already_is_fine_and_changes_nothing() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let id = id_of(&token);
    assert_eq!(patctl.run(&["revoke", id, "--reason", "first"]).exit, Exit::Yes);
    let again = patctl.run(&["revoke", id, "--reason", "second"]);
    assert_eq!(again.exit, Exit::Yes);
    assert!(again.stdout.starts_with("revoked before"), "{again:?}");
    assert_eq!(patctl.run(&["show", id, "-o", "json"]).json()["revoke_reason"], "first");
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'revoke'"), 1);
}

#[test]
fn one_token_named_twice_is_revoked_once() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let id = id_of(&token);
    let run = patctl.run(&["revoke", id, &id[..5], "-o", "ids"]);
    run.is(Exit::Yes, &format!("{id}\n"));
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'revoke'"), 1);
}

#[test]
fn on_a_terminal_it_asks_and_no_is_no() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let id = id_of(&token);
    let person = |answers| Setup { terminal: Some((answers, "")), ..Setup::default() };
    let run = patctl.run_with(&["revoke", id], &person(&[false]));
    assert_eq!(run.exit, Exit::No);
    assert!(run.stderr.contains("nothing was revoked"), "{run:?}");
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    assert_eq!(patctl.run_with(&["revoke", id], &person(&[true])).exit, Exit::Yes);
    assert_eq!(patctl.verify(&token, &[]).1, "revoked");
    let yes = patctl.create(&[]);
    let run = patctl.run_with(&["revoke", id_of(&yes), "--yes"], &person(&[]));
    assert_eq!(run.exit, Exit::Yes, "--yes asks nothing");
}

#[test]
fn a_pasted_token_is_taken_back_only_if_its_secret_is_right() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "alice"]);
    let paste = |text: &str| {
        let run = Setup { stdin: text.as_bytes(), ..Setup::default() };
        patctl.run_with(&["revoke", "--token-stdin", "--reason", "leaked"], &run)
    };
    for wrong in [crate::verify::forge(&token, id_of(&token)), Patctl::foreign_token(), "junk".to_owned()] {
        paste(&wrong).says(Exit::No, &["no token of this database"]);
    }
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    assert_eq!(paste(&format!("Bearer {token}\r\n")).exit, Exit::Yes);
    assert_eq!(patctl.verify(&token, &[]).1, "revoked");
    assert_eq!(paste(&token).exit, Exit::Yes, "once more is no error");
}

#[test]
fn ids_come_from_a_pipe_all_or_nothing() {
    let patctl = Patctl::new();
    let tokens = [patctl.create(&[]), patctl.create(&[])];
    let feed = |text: &str| {
        let setup = Setup { stdin: text.as_bytes(), ..Setup::default() };
        patctl.run_with(&["revoke", "--ids-stdin", "-o", "ids"], &setup)
    };
    feed("").says(Exit::No, &["no ids on stdin"]);
    let ids = tokens.each_ref().map(|t| id_of(t));
    feed(&format!("{}\nnot an id\n", ids[0])).says(Exit::Usage, &["stdin line 2"]);
    assert_eq!(patctl.verify(&tokens[0], &[]).0, Exit::Yes);
    feed(&format!("{}\n\n{}\n", ids[0], ids[1])).is(Exit::Yes, &format!("{}\n{}\n", ids[0], ids[1]));
    feed(&"x".repeat(1_000_000)).says(Exit::Usage, &["stdin line 1", "nothing was revoked"]);
    feed(&format!("{}\n", ids[0]).repeat(50_000)).is(Exit::Yes, "");
    let binary = Setup { stdin: b"\xff\xfe\n", ..Setup::default() };
    patctl
        .run_with(&["revoke", "--ids-stdin"], &binary)
        .says(Exit::Usage, &["stdin line 1: this is no text"]);
    assert_eq!(patctl.run(&["revoke", ids[0], "--ids-stdin"]).exit, Exit::Usage);
    assert_eq!(patctl.run(&["revoke"]).exit, Exit::Usage);
}

#[test]
fn a_reader_that_left_changes_neither_the_status_nor_the_complaint() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let gone = Setup { stdout: Sink::Gone, ..Setup::default() };
    let run = patctl.run_with(&["revoke", id_of(&token), "zzzz"], &gone);
    assert_eq!(run.exit, Exit::No);
    assert!(run.stderr.contains("no token has the id zzzz"), "{run:?}");
    assert_eq!(patctl.run_with(&["revoke", "zzzz", "-o", "json"], &gone).exit, Exit::No);
    patctl.configure("patctl.nonsense = 1");
    assert_eq!(patctl.run_with(&["config", "check", "-o", "json"], &gone).exit, Exit::Config);
}

#[test]
fn a_dry_run_has_the_shape_of_the_deed_and_does_nothing() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--user", "alice"]);
    let id = id_of(&token);
    patctl.run(&["revoke", id, "--dry-run"]).is(Exit::Yes, &format!("would revoke  {id}  alice  ci\n"));
    let preview = patctl.run(&["revoke", id, "zzzz", "--dry-run", "-o", "json"]);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    let deed = patctl.run(&["revoke", id, "zzzz", "-o", "json"]);
    assert_eq!((preview.exit, deed.exit), (Exit::No, Exit::No));
    let (mut preview, mut deed) = (preview.json(), deed.json());
    assert_eq!(preview["dry_run"], true);
    assert_eq!(deed["unknown"][0], "zzzz");
    for (side, field) in [("revoked", "status"), ("revoked", "revoked_at"), ("revoked", "last_used_at")] {
        preview[side][0][field] = serde_json::Value::Null;
        deed[side][0][field] = serde_json::Value::Null;
    }
    deed["dry_run"] = true.into();
    assert_eq!(preview, deed);
}
