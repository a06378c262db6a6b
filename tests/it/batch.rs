//! `verify --batch`: many tokens, one process, the answers of as many single runs.

use crate::harness::{Patctl, Setup, id_of};
use crate::process::Home;
use crate::verify::forge;
use patctl::domain::moment::Span;
use patctl::domain::verifier::computations;
use patctl::exit::Exit;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

fn batch(patctl: &Patctl, lines: &str) -> (Exit, Vec<Value>) {
    let run = patctl.run_with(&["verify", "--batch"], &Setup { stdin: lines.as_bytes(), ..Setup::default() });
    let answers = run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    (run.exit, answers)
}

#[test]
fn every_line_gets_the_answer_of_a_single_verify_in_its_order() {
    let patctl = Patctl::new();
    let plain = patctl.create(&["plain"]);
    let restricted = patctl.create(&["restricted", "--restrict", "[post]/a[JsonData::k==v]"]);
    let revoked = patctl.create(&["revoked"]);
    patctl.run(&["revoke", "--yes", id_of(&revoked)]);
    let lines = [
        json!({"token": plain}),
        json!({"token": format!("Bearer {plain}")}),
        json!({"token": forge(&plain, id_of(&plain))}),
        json!({"token": "junk"}),
        json!({"token": Patctl::foreign_token()}),
        json!({"token": revoked}),
        json!({"token": restricted}),
        json!({"token": restricted, "method": "POST", "url": "/a", "body": "{\"k\":\"v\"}",
            "content_type": "application/json"}),
        json!({"token": restricted, "method": "POST", "url": "/a", "body_b64": "eyJrIjoidiJ9",
            "headers": {"Content-Type": "application/json"}}),
        json!({"token": restricted, "method": "GET", "url": "/a"}),
        json!({"token": restricted, "method": "POST", "url": "/a/../b"}),
        json!({"token": plain}),
    ];
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat();
    let (exit, answers) = batch(&patctl, &text);
    assert_eq!(exit, Exit::No);
    let reasons: Vec<&str> = answers.iter().map(|answer| answer["reason"].as_str().unwrap_or("")).collect();
    let expected = [
        "",
        "",
        "wrong-secret",
        "malformed",
        "unknown",
        "revoked",
        "restricted",
        "",
        "",
        "restricted",
        "malformed-request",
        "",
    ];
    assert_eq!(reasons, expected);
    for (line, answer) in lines.iter().zip(&answers) {
        let mut flags = Vec::new();
        for (field, flag) in [("method", "--method"), ("url", "--url"), ("body", "--data")] {
            if let Some(text) = line[field].as_str() {
                flags.extend([flag, text]);
            }
        }
        let is_json = line["content_type"].is_string() || line["headers"].is_object();
        if line["body_b64"].is_string() {
            flags.extend(["--data", "{\"k\":\"v\"}"]);
        }
        if is_json {
            flags.extend(["--content-type", "application/json"]);
        }
        let (exit, reason) = patctl.verify(line["token"].as_str().expect("a token"), &flags);
        let reason = if exit == Exit::Yes { String::new() } else { reason };
        assert_eq!(answer["reason"].as_str().unwrap_or(""), reason, "{line}");
        assert_eq!(answer["allowed"], exit == Exit::Yes);
    }
    let well_formed = 11;
    let rows = patctl.count("SELECT count(*) FROM audit WHERE action = 'verify'");
    assert_eq!(rows, 2 * well_formed, "a row for each, as for single runs");
    assert_eq!(patctl.run(&["audit", "verify"]).exit, Exit::Yes);
}

#[test]
fn lines_that_cannot_be_read_are_named_and_never_quoted_and_the_others_are_answered() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let text = format!(
        "\n{{\"token\":\"{token}\"}}\nnot json {token}\n{{\"token\":\"{token}\",\"uri\":\"/a\"}}\n\
         {{\"token\":\"{token}\",\"body\":\"a\",\"body_b64\":\"YQ==\"}}\n{{\"token\":\"{token}\",\"body_b64\":\"?\"}}\n\
         {{\"token\":1}}\n[]\n   \n{{\"token\":\"{token}\"}}"
    );
    let (exit, answers) = batch(&patctl, &text);
    assert_eq!(exit, Exit::Usage);
    let lines: Vec<u64> = answers.iter().filter_map(|answer| answer["line"].as_u64()).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8]);
    assert!(answers.iter().filter(|answer| answer["line"].is_u64()).all(|a| a["allowed"] == false));
    assert_eq!(answers.len(), 8);
    assert!(answers[0]["allowed"] == true && answers[7]["allowed"] == true, "the last has no line end");
}

#[test]
fn nothing_in_is_nothing_out_and_flags_of_a_single_verify_are_refused() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    assert_eq!(batch(&patctl, ""), (Exit::Yes, Vec::new()));
    assert_eq!(batch(&patctl, "\n\n"), (Exit::Yes, Vec::new()));
    for flags in [&["--url", "/a"] as &[&str], &["--field", "user"], &["--token-file", "x"]] {
        let mut args = vec!["verify", "--batch"];
        args.extend(flags);
        assert_eq!(patctl.run(&args).exit, Exit::Usage, "{flags:?}");
    }
    let (exit, answers) = batch(&patctl, &"x".repeat(9 << 20));
    assert_eq!((exit, answers.len()), (Exit::Usage, 1));
    assert_eq!(answers[0]["reason"], "unreadable");
}

/// A successor in the middle of a group ends its predecessor for the lines behind it.
#[test]
fn what_a_line_changes_counts_for_the_lines_behind_it() {
    let patctl = Patctl::new();
    let old = patctl.create(&[]);
    let new = patctl.run(&["rotate", "--until-first-use", id_of(&old)]).stdout.trim_end().to_owned();
    let text = [&old, &new, &old, &new].map(|token| format!("{{\"token\":\"{token}\"}}\n")).concat();
    let (_, answers) = batch(&patctl, &text);
    let allowed: Vec<bool> = answers.iter().map(|answer| answer["allowed"] == true).collect();
    assert_eq!(allowed, [true, true, false, true]);
    assert_eq!(answers[2]["reason"], "rotated");
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'switch'"), 1);
}

#[test]
fn a_disabled_installation_answers_every_line_with_a_no() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    patctl.configure("atlassian.pats.enabled = false\n");
    let line = format!("{{\"token\":\"{token}\"}}\n");
    let (exit, answers) = batch(&patctl, &line.repeat(3));
    assert_eq!((exit, answers.len()), (Exit::No, 3));
    assert!(answers.iter().all(|answer| answer["reason"] == "disabled-globally"));
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'verify'"), 3);
}

/// As a gateway uses it: one process for hours, a line in, a line out.
#[test]
fn a_line_is_answered_before_the_next_one_comes_and_a_revocation_counts_at_once() {
    let home = Home::new("");
    let token = home.create(&[]);
    let mut child = home
        .command(&["verify", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("patctl");
    let mut input = child.stdin.take().expect("stdin");
    let mut output = BufReader::new(child.stdout.take().expect("stdout"));
    let mut ask = |expected: &str| {
        writeln!(input, "{{\"token\":\"{token}\"}}").expect("written");
        let mut line = String::new();
        output.read_line(&mut line).expect("an answer");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(answer["reason"].as_str().unwrap_or(""), expected);
        let rows = home.count("SELECT count(*) FROM audit WHERE action = 'verify'");
        assert!(rows > 0, "its row was committed before the answer");
        rows
    };
    assert_eq!(ask(""), 1);
    assert_eq!(ask(""), 2);
    assert!(home.run(&["revoke", "--yes", id_of(&token)]).status.success());
    assert_eq!(ask("revoked"), 3);
    drop(input);
    assert_eq!(child.wait().expect("ended").code(), Some(1));
}

#[test]
fn a_locked_database_is_trouble_and_no_answer() {
    let home = Home::new("");
    let token = home.create(&[]);
    let sql = home.sql();
    sql.execute_batch("DROP TABLE cache").expect("altered");
    let line = format!("{{\"token\":\"{token}\"}}\n");
    let output = home.feed(&["verify", "--batch"], line.as_bytes());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(74), 0));
}

#[test]
fn many_lines_are_many_groups() {
    let patctl = Patctl::new();
    let tokens: Vec<String> = (0..7).map(|_| patctl.create(&[])).collect();
    let lines: Vec<String> = tokens.iter().map(|token| format!("{{\"token\":\"{token}\"}}\n")).collect();
    let text: String = (0..2500).map(|n| lines[n % 7].as_str()).collect();
    let (exit, answers) = batch(&patctl, &text);
    assert_eq!((exit, answers.len()), (Exit::Yes, 2500));
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], id_of(&tokens[n % 7]), "in their order");
    }
    patctl.pass(Span::minutes(1));
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'verify'"), 2500);
    assert_eq!(patctl.run(&["audit", "verify"]).exit, Exit::Yes);
}

#[test]
fn secrets_beside_remembered_ones_are_computed_and_wrong_ones_get_no_yes() {
    let patctl = Patctl::new();
    let tokens = [patctl.create(&["one"]), patctl.create(&["two"]), patctl.create(&["new"])];
    for token in &tokens[..2] {
        assert_eq!(patctl.verify(token, &[]).0, Exit::Yes);
    }
    assert_eq!(patctl.count("SELECT count(*) FROM cache"), 2, "both are remembered");
    // A remembered one first, between and last; several to compute, and one only, which may be right.
    let [wrong, other] = [&tokens[0], &tokens[1]].map(|token| forge(token, id_of(token)));
    let [one, two, new] = &tokens;
    for order in [
        vec![one, two, new],
        vec![one, &wrong, two, &other, one],
        vec![one, &wrong, two],
        vec![&wrong, &other],
    ] {
        let text =
            order.iter().map(|token| format!("{}\n", json!({"token": token}))).collect::<Vec<_>>().concat();
        let (_, answers) = batch(&patctl, &text);
        let allowed: Vec<bool> = answers.iter().map(|answer| answer["allowed"] == true).collect();
        let right: Vec<bool> = order.iter().map(|token| tokens.contains(token)).collect();
        assert_eq!(allowed, right);
    }
}

/// One computation says that the secret is right, one makes the new verifier; the second line costs nothing.
#[test]
fn a_token_that_comes_twice_is_proved_and_renewed_once() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    patctl.configure("patctl.argon2.iterations = 2");
    let before = computations();
    let (exit, answers) = batch(&patctl, &format!("{{\"token\":\"{token}\"}}\n").repeat(2));
    assert_eq!((exit, answers.len(), computations() - before), (Exit::Yes, 2, 2));
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE verifier LIKE '%t=2%'"), 1);
}

#[test]
fn a_line_that_cannot_be_read_is_answered_and_the_next_is_judged() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", "[post]/a"]);
    let good = format!("{{\"token\":\"{token}\",\"method\":\"POST\",\"url\":\"/a\"}}\n");
    // The largest body, each byte of it an escape: as large as a line may be.
    let body = "\\u0001".repeat(1 << 20);
    let largest = format!(
        "{{\"token\":\"{token}\",\"method\":\"POST\",\"url\":\"/a\",\"body\":\"{body}\",\
         \"content_type\":\"application/pdf\"}}\n"
    );
    let too_long = format!("{{\"token\":\"{token}\",\"body\":\"{}\"}}\n", "x".repeat(20 << 20));
    let deep = format!("{}\n", "[".repeat(100_000));
    for bad in [too_long.as_bytes(), b"\xff\xfe{\0}\n", deep.as_bytes(), b"{\"token\":\"\xff\"}\n", b"null\n"]
    {
        let text = [good.as_bytes(), bad, largest.as_bytes(), good.as_bytes()].concat();
        let setup = Setup { stdin: &text, ..Setup::default() };
        let run = patctl.run_with(&["verify", "--batch"], &setup);
        let answers: Vec<Value> =
            run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let told = |at: usize| (answers[at]["allowed"].clone(), answers[at]["reason"].clone());
        assert_eq!((run.exit, answers.len()), (Exit::Usage, 4), "{:?}", run.stdout);
        assert_eq!(told(1), (false.into(), "unreadable".into()));
        assert_eq!(answers[1]["line"], 2);
        for at in [0, 2, 3] {
            assert_eq!(told(at), (true.into(), Value::Null), "{at}: {}", answers[at]);
        }
    }
}
