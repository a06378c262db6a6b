//! `patctl scan`: tokens that leaked, in process.

use crate::harness::{Patctl, Run, Setup, id_of};
use crate::verify::forge;
use patctl::domain::moment::Span;
use patctl::domain::verifier::computations;
use patctl::exit::Exit;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;

/// A token of Jira, as the published vectors have it.
pub const JIRA: &str = "MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERIT";

/// Files below a directory of their own.
pub fn files(patctl: &Patctl, files: &[(&str, &str)]) -> String {
    let root = patctl.path("tree");
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
    root.to_str().expect("a path").to_owned()
}

fn rows(run: &Run) -> Vec<Value> {
    run.json().as_array().expect("rows").clone()
}

/// `file:line state`, the file without the directory.
pub fn places(run: &Run) -> Vec<String> {
    let place = |row: &Value| {
        let file = row["file"].as_str().expect("a file").rsplit_once("tree/").expect("below it").1.to_owned();
        format!("{file}:{} {}", row["line"], row["state"].as_str().expect("a state"))
    };
    rows(run).iter().map(place).collect()
}

#[test]
fn a_token_is_found_with_its_place_its_user_and_its_state_and_without_its_secret() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--user", "alice", "--expires", "90"]);
    let id = id_of(&token);
    let tree = files(
        &patctl,
        &[("b/.env", &format!("A=1\n\nTOKEN={token}\n")), ("a.txt", &format!("{JIRA} {JIRA}"))],
    );
    let run = patctl.run(&["scan", &tree]);
    let expected = format!(
        "PLACE{0}  TOKEN                USER   STATE\n{tree}/a.txt:1   MTIzNDU2Nzg5MDEy…           unknown\n\
         {tree}/a.txt:1   MTIzNDU2Nzg5MDEy…           unknown\n{tree}/b/.env:3  patctl_{id}_…  alice  active\n",
        " ".repeat(tree.len() + 4)
    );
    run.is(Exit::No, &expected);
    assert!(run.stderr.contains("2 tokens in 3 places, 1 live"), "{run:?}");
    let row = &rows(&patctl.run(&["scan", &tree, "-o", "json"]))[2];
    let expected = serde_json::json!({
        "file": format!("{tree}/b/.env"), "line": 3, "offset": 11, "kind": "patctl",
        "token": format!("patctl_{id}_…"), "id": id, "known": true, "user": "alice", "name": "ci",
        "state": "active", "live": true, "revoked": false
    });
    assert_eq!(row, &expected);
    let unknown = &rows(&patctl.run(&["scan", &tree, "-o", "json"]))[0];
    assert_eq!(
        (&unknown["id"], &unknown["known"], &unknown["user"]),
        (&"123456789012".into(), &false.into(), &Value::Null)
    );
    for format in ["jsonl", "csv"] {
        let text = patctl.run(&["scan", &tree, "-o", format]).stdout;
        assert!(text.contains("123456789012") && text.contains(id) && !text.contains(&token[30..]), "{text}");
    }
    // An id that is not proved is no argument for 'revoke --ids-stdin'.
    patctl.run(&["scan", &tree, "-o", "ids"]).is(Exit::No, &format!("{id}\n"));
    patctl.run(&["scan", &tree, "--quiet"]).is(Exit::No, "");
}

#[test]
fn only_a_live_token_makes_the_status_1() {
    let patctl = Patctl::new();
    let token = |args: &[&str]| patctl.create(args);
    let (live, soon, off, ended, gone) =
        (token(&[]), token(&["--expires", "2"]), token(&[]), token(&["--expires", "1"]), token(&[]));
    patctl.run(&["disable", id_of(&off)]);
    patctl.run(&["revoke", id_of(&gone)]);
    patctl.pass(Span::days(1));
    let forged = forge(&live, id_of(&live));
    for (text, state, exit) in [
        (&live, "active", Exit::No),
        (&soon, "active", Exit::No),
        // It could be switched on again.
        (&off, "disabled", Exit::No),
        (&ended, "expired", Exit::Yes),
        (&gone, "revoked", Exit::Yes),
        (&forged, "wrong-secret", Exit::Yes),
        (&Patctl::foreign_token(), "unknown", Exit::Yes),
    ] {
        let tree = files(&patctl, &[("x", text)]);
        let run = patctl.run(&["scan", &tree, "-o", "json"]);
        assert_eq!((run.exit, places(&run)), (exit, vec![format!("x:1 {state}")]));
        // Who found a forgery learns nothing of the token it names.
        assert_eq!(rows(&run)[0]["known"], !matches!(state, "unknown" | "wrong-secret"));
    }
    let tree = files(&patctl, &[("x", &ended)]);
    let run = patctl.run(&["scan", &tree, "--offline", "-o", "json"]);
    assert_eq!((run.exit, places(&run)), (Exit::No, vec!["x:1 unchecked".to_owned()]));
}

#[test]
fn without_a_database_there_is_no_answer_unless_none_is_wanted() {
    let patctl = Patctl::new();
    let tree = files(&patctl, &[("x", "nothing")]);
    patctl.run(&["scan", &tree]).says(Exit::Io, &["no database", "--offline"]);
    patctl.run(&["scan", &tree, "--offline"]).is(Exit::Yes, "");
    assert!(!patctl.db().exists());
    patctl.run(&["scan"]).says(Exit::Usage, &["PATH"]);
    patctl.run(&["scan", &tree, "--offline", "--revoke"]).says(Exit::Usage, &["--revoke"]);
    patctl.run(&["scan", &tree, "--yes"]).says(Exit::Usage, &["--revoke"]);
}

#[test]
fn what_was_found_is_revoked_in_one_transaction_and_nothing_that_was_made_up() {
    let patctl = Patctl::new();
    let tokens: Vec<String> = (0..5).map(|_| patctl.create(&["--user", "alice"])).collect();
    let safe = patctl.create(&[]);
    let forged = forge(&safe, id_of(&safe));
    patctl.run(&["revoke", id_of(&tokens[4]), "--reason", "before"]);
    let text = format!("{}\n{forged}\n{}\n", tokens.join("\n"), tokens[0]);
    let tree = files(&patctl, &[("leak", &text)]);
    let run = patctl.run(&["scan", &tree, "--revoke", "--reason", "in a log", "-o", "json"]);
    let states: Vec<(bool, bool)> = rows(&run)
        .iter()
        .map(|row| (row["live"].as_bool().expect("a flag"), row["revoked"].as_bool().expect("a flag")))
        .collect();
    let now = (true, true);
    assert_eq!(states, [now, now, now, now, (false, false), (false, false), now]);
    assert_eq!(run.exit, Exit::No, "they were live");
    for token in &tokens[..4] {
        assert_eq!(patctl.verify(token, &[]).1, "revoked");
        let shown = patctl.run(&["show", id_of(token), "-o", "json"]).json();
        assert_eq!(shown["revoke_reason"], "in a log");
    }
    assert_eq!(patctl.verify(&safe, &[]).0, Exit::Yes, "its id was forged, its secret was not known");
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'revoke'"), 5);
    let again = patctl.run(&["scan", &tree, "--revoke"]);
    assert_eq!(again.exit, Exit::Yes);
    assert!(again.stdout.contains("revoked\n") && !again.stdout.contains("revoked now"), "{again:?}");
    assert_eq!(patctl.run(&["audit", "verify"]).exit, Exit::Yes);
}

#[test]
fn when_the_audit_row_cannot_be_written_nothing_is_revoked() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    assert!(crate::no_audit::taken_back_without_audit(&patctl.db(), &token).is_err());
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
}

#[test]
fn on_a_terminal_it_asks_and_no_is_no() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--user", "alice"]);
    let tree = files(&patctl, &[("leak", &token)]);
    let person = |answers| Setup { terminal: Some((answers, "")), columns: Some(200), ..Setup::default() };
    let run = patctl.run_with(&["scan", &tree, "--revoke"], &person(&[false]));
    assert_eq!(run.exit, Exit::No);
    assert!(run.stderr.contains("nothing was revoked") && run.stdout.contains("active"), "{run:?}");
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    let narrow = Setup { columns: Some(40), ..person(&[true]) };
    let run = patctl.run_with(&["scan", &tree, "--revoke"], &narrow);
    assert_eq!(run.exit, Exit::No);
    assert!(
        run.stdout.contains(&format!("leak:1\u{1b}[0m\n    patctl_{}_…  alice", id_of(&token))),
        "{run:?}"
    );
    assert_eq!(patctl.verify(&token, &[]).1, "revoked");
    // Nothing is left to ask about.
    assert_eq!(patctl.run_with(&["scan", &tree, "--revoke"], &person(&[])).exit, Exit::Yes);
}

#[test]
fn each_token_is_hashed_once_and_what_is_not_known_is_not_hashed() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let foreign = Patctl::foreign_token();
    let text = format!("{token}\n{foreign}\n").repeat(500);
    let tree = files(&patctl, &[("a", &text), ("b", &text)]);
    let before = computations();
    let run = patctl.run(&["scan", &tree, "-o", "jsonl"]);
    assert_eq!((run.stdout.lines().count(), computations() - before), (2000, 1));
    let tree = files(&patctl, &[("a", &foreign), ("b", &foreign)]);
    patctl.run(&["scan", &tree]);
    assert_eq!(computations() - before, 1);
}

/// An id is public, and so secrets for it can be made up: faster than they are checked.
#[test]
fn made_up_secrets_for_one_id_cost_a_few_hashes_and_the_others_are_reported() {
    let patctl = Patctl::new();
    let (token, other) = (patctl.create(&[]), patctl.create(&[]));
    let id = id_of(&token);
    let made_up = crate::verify::forge_many(id, 300);
    // The prefix is anybody's: the same id in another spelling is the same id.
    let spelled = made_up.join("\n") + "\n";
    let tree = files(&patctl, &[("a", &spelled), ("b", &other)]);
    let run = patctl.run(&["scan", &tree, "-o", "jsonl"]);
    let states = |wanted: &str| run.stdout.matches(&format!("\"state\":\"{wanted}\"")).count();
    assert_eq!((states("wrong-secret"), states("not-checked"), states("active")), (16, 284, 1));
    assert_eq!(run.exit, Exit::No, "the other one is live");
    assert!(run.stderr.contains("284 tokens were not checked, and could be live"), "{}", run.stderr);
    // The good one behind them is trouble, never a yes, and is not taken back by its id alone.
    let tree = files(&patctl, &[("a", &format!("{spelled}{token}\n")), ("b", "")]);
    let run = patctl.run(&["scan", &tree, "--revoke", "--yes"]);
    assert_eq!(run.exit, Exit::Io, "{run:?}");
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
}

#[test]
fn what_gitignore_names_is_left_out_and_what_is_hidden_is_not() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    let tree = files(
        &patctl,
        &[
            (".gitignore", "target/\n*.log\n!keep.log\n"),
            (".env", JIRA),
            (".hidden/x", JIRA),
            ("target/x", JIRA),
            ("a.log", JIRA),
            ("keep.log", JIRA),
            ("sub/.gitignore", "/only-here\n"),
            ("sub/only-here", JIRA),
            ("sub/deep/only-here", JIRA),
            ("sub/b.log", JIRA),
            (".git/config", JIRA),
            (".ignore", "sub\n"),
        ],
    );
    let found = |args: &[&str]| {
        let run = patctl.run(&[&["scan", "-o", "json"], args].concat());
        places(&run).iter().map(|place| place.replace(":1 unknown", "")).collect::<Vec<_>>()
    };
    // As git would have it, in a repository and in a tree that was exported from one.
    let seen = [".env", ".hidden/x", "keep.log", "sub/deep/only-here"];
    assert_eq!(found(&[&tree]), seen);
    fs::remove_dir_all(format!("{tree}/.git")).expect("a directory");
    assert_eq!(found(&[&tree]), seen);
    assert_eq!(found(&[&tree, "--no-ignore"]).len(), 8);
    // What is named is read.
    assert_eq!(found(&[&format!("{tree}/a.log"), &format!("{tree}/target")]), ["a.log", "target/x"]);
    // Outside of a repository what lies above has no say.
    assert_eq!(found(&[&format!("{tree}/sub")]), ["sub/b.log", "sub/deep/only-here"]);
    fs::create_dir(format!("{tree}/.git")).expect("a directory");
    fs::write(format!("{tree}/.git/config"), JIRA).expect("a file");
    assert_eq!(found(&[&format!("{tree}/sub")]), ["sub/deep/only-here"]);
    assert_eq!(found(&[&format!("{tree}/.git")]), [".git/config"]);
    // Twice named is once found.
    assert_eq!(found(&[&tree, &tree]), seen);
}

#[test]
fn links_are_not_followed_unless_they_are_named() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    let tree = files(&patctl, &[("real/x", JIRA)]);
    symlink("real", format!("{tree}/link")).expect("a link");
    symlink("real/x", format!("{tree}/file")).expect("a link");
    symlink(".", format!("{tree}/loop")).expect("a link");
    symlink("nowhere", format!("{tree}/broken")).expect("a link");
    let found = |path: &str| {
        let run = patctl.run(&["scan", path, "-o", "json"]);
        assert_eq!(run.exit, Exit::Yes, "{run:?}");
        places(&run)
    };
    assert_eq!(found(&tree), ["real/x:1 unknown"]);
    assert_eq!(found(&format!("{tree}/link")), ["link/x:1 unknown"]);
    assert_eq!(found(&format!("{tree}/file")), ["file:1 unknown"]);
}

#[test]
fn what_cannot_be_read_never_reads_as_clean() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let tree = files(&patctl, &[("x", "nothing")]);
    let missing = format!("{tree}/missing");
    for args in
        [&["scan", &tree, &missing][..], &["scan", &missing], &["scan", "/dev/null"], &["scan", "/dev/zero"]]
    {
        patctl.run(args).says(Exit::Io, &["could not be read"]);
    }
    // What was found in the rest is certain.
    let tree = files(&patctl, &[("x", &token)]);
    let run = patctl.run(&["scan", &tree, &missing, "-o", "json"]);
    assert_eq!((run.exit, places(&run)), (Exit::No, vec!["x:1 active".to_owned()]));
    assert!(run.stderr.contains("\"kind\":\"unread\""), "{run:?}");
    let sarif = patctl.run(&["scan", &tree, &missing, "--sarif"]).json();
    let invocation = &sarif["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert!(
        invocation["toolExecutionNotifications"][0]["message"]["text"]
            .as_str()
            .expect("a text")
            .contains("missing")
    );
    // A verifier that cannot be read might be that of a live token.
    patctl.sql().execute("UPDATE token SET verifier = '$damaged'", []).expect("damage");
    let run = patctl.run(&["scan", &tree]);
    assert_eq!(run.exit, Exit::Io);
    assert!(run.stdout.contains("damaged") && run.stderr.contains("could be live"), "{run:?}");
}

#[test]
fn stdin_and_binary_files_and_lines_of_any_length_are_read() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let mut bytes = vec![0_u8; 3_000_000];
    bytes.extend(b"\n\xff\xfe_");
    bytes.extend(token.as_bytes());
    bytes.extend(vec![b'_'; 400_000]);
    bytes.extend(token.as_bytes());
    let setup = Setup { stdin: &bytes, ..Setup::default() };
    let run = patctl.run_with(&["scan", "-", "-o", "json"], &setup);
    let found: Vec<(Value, Value)> =
        rows(&run).iter().map(|r| (r["line"].clone(), r["offset"].clone())).collect();
    let second = 3_000_004 + token.len() + 400_000;
    assert_eq!(found, [(2.into(), 3_000_004.into()), (2.into(), second.into())]);
    assert_eq!(rows(&run)[0]["file"], Value::Null);
    let table = patctl.run_with(&["scan", "-"], &setup).stdout;
    assert!(table.contains("(stdin):2"), "{table}");
    let path = patctl.path("binary");
    fs::write(&path, &bytes).expect("a file");
    let run = patctl.run(&["scan", path.to_str().expect("a path"), "-o", "csv"]);
    assert!(run.stdout.contains(&format!(",2,{second},patctl,")), "{run:?}");
}

/// Large files are read in parts by all cores; places are the same.
#[test]
fn a_large_file_is_read_in_parts_and_its_lines_are_counted_through() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    let part = 1 << 23;
    let mut text = vec![b'.'; 3 * part + 1000];
    for at in (50..text.len()).step_by(50) {
        text[at] = b'\n';
    }
    // Around the borders of parts, and where there is none.
    let starts = [10, part - 44, part + 100, 2 * part - 20, 3 * part + 5];
    for start in starts {
        text[start..start + JIRA.len()].copy_from_slice(JIRA.as_bytes());
    }
    let path = patctl.path("large");
    fs::write(&path, &text).expect("a file");
    let run = patctl.run(&["scan", path.to_str().expect("a path"), "-o", "json"]);
    let lines = |start: usize| 1 + text[..start].split(|byte| *byte == b'\n').count() - 1;
    let expected: Vec<(Value, Value)> = starts.iter().map(|at| (lines(*at).into(), (*at).into())).collect();
    let found: Vec<(Value, Value)> =
        rows(&run).iter().map(|r| (r["line"].clone(), r["offset"].clone())).collect();
    assert_eq!(found, expected);
}
