//! One row that cannot be read: it denies its own token, and nobody else's.

use crate::harness::{Patctl, Setup, id_of};
use patctl::exit::Exit;
use serde_json::Value;

/// Statements that leave a row of the first token unreadable, whatever the schema says against them.
const DAMAGES: [&str; 13] = [
    "UPDATE token SET created_at = '2026-11-21T12:00:00.00000!Z'",
    "UPDATE token SET expires_at = 'never, or perhaps tomorrow!'",
    "UPDATE token SET auth = 'telepathy'",
    "UPDATE token SET auth = CAST(x'ff' AS TEXT)",
    "UPDATE token SET name = CAST(x'fffe' AS TEXT)",
    "UPDATE token SET user = CAST(x'80' AS TEXT)",
    "UPDATE token SET note = CAST(x'c328' AS TEXT)",
    "UPDATE token SET verifier = 'no verifier at all'",
    "UPDATE token SET verifier = '$argon2id$'",
    "UPDATE token SET notified = 'perhaps'",
    "UPDATE token SET successor = '..........'",
    "UPDATE token SET last_used_at = CAST(x'ff' AS TEXT)",
    "UPDATE token SET integrity = NULL",
];

/// A batch of 16 whose token at `place` is the damaged one.
fn batch(patctl: &Patctl, tokens: &[String]) -> (Exit, Vec<Value>) {
    let lines = tokens.iter().fold(String::new(), |lines, token| lines + "{\"token\":\"" + token + "\"}\n");
    let run = patctl.run_with(&["verify", "--batch"], &Setup { stdin: lines.as_bytes(), ..Setup::default() });
    (run.exit, run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

fn damage(patctl: &Patctl, sql: &str, token: &str) {
    let id = id_of(token);
    let where_it_is = if sql.contains("restriction") || sql.contains("cache") {
        format!("token = (SELECT seq FROM token WHERE id = '{id}')")
    } else {
        format!("id = '{id}'")
    };
    let sql = format!("PRAGMA ignore_check_constraints = ON; {sql} WHERE {where_it_is}");
    patctl.sql().execute_batch(&sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
}

#[test]
fn an_unreadable_row_denies_itself_at_every_place_of_a_group() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 100");
    let good: Vec<String> = (0..15).map(|_| patctl.create(&["-q"])).collect();
    let restricted = |name: &str| patctl.create(&["-q", name, "--restrict", "/a"]);
    for (nth, sql) in
        DAMAGES.into_iter().chain(["UPDATE restriction SET rule = CAST(x'ff' AS TEXT)"]).enumerate()
    {
        let bad = restricted(&format!("bad{nth}"));
        damage(&patctl, sql, &bad);
        for place in if nth == 0 { 0..16 } else { nth..nth + 1 } {
            let mut tokens = good.clone();
            tokens.insert(place, bad.clone());
            let (exit, answers) = batch(&patctl, &tokens);
            assert_eq!((exit, answers.len()), (Exit::No, 16), "{sql}");
            for (at, answer) in answers.iter().enumerate() {
                let reason = answer["reason"].as_str();
                assert_eq!(reason, (at == place).then_some("damaged"), "{sql}, {place}, {at}: {answer}");
                assert_eq!(answer["allowed"], at != place, "{sql}, {place}, {at}");
            }
        }
        let told =
            format!("SELECT count(*) FROM audit WHERE token_id = '{}' AND reason = 'damaged'", id_of(&bad));
        assert!(patctl.count(&told) > 0, "{sql} leaves no row in the log");
    }
}

#[test]
fn a_damaged_cache_row_costs_a_proof_and_no_answer() {
    let patctl = Patctl::new();
    let token = patctl.create(&["-q"]);
    for sql in [
        "UPDATE cache SET digest = x'00'",
        "UPDATE cache SET at = 'noon'",
        "UPDATE cache SET at = CAST(x'ff' AS TEXT)",
    ] {
        assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
        damage(&patctl, sql, &token);
        assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes, "{sql}");
    }
}

#[test]
fn a_damaged_neighbour_does_not_disturb_an_unknown_id() {
    let patctl = Patctl::new();
    let token = patctl.create(&["-q"]);
    damage(&patctl, "UPDATE token SET verifier = CAST(x'ff' AS TEXT)", &token);
    assert_eq!(patctl.verify(Patctl::foreign_token(), &[]), (Exit::No, "unknown".to_owned()));
}

#[test]
fn a_damaged_predecessor_does_not_keep_its_successor_from_use() {
    let patctl = Patctl::new();
    let old = patctl.create(&["-q"]);
    let run = patctl.run(&["rotate", "--until-first-use", "--yes", "-q", id_of(&old)]);
    let new = run.stdout.trim().to_owned();
    damage(&patctl, "UPDATE token SET created_at = '2026-11-21T12:00:00.00000!Z'", &old);
    assert_eq!(patctl.verify(&new, &[]).0, Exit::Yes);
    let ended = format!(
        "SELECT count(*) FROM token WHERE id = '{}' AND rotated_at <= '2026-11-21T12:00:00.000000Z'",
        id_of(&old)
    );
    assert_eq!(patctl.count(&ended), 1, "the first use ends what it replaces");
}

#[test]
fn what_cannot_be_checked_is_trouble_for_revoke_and_scan() {
    let patctl = Patctl::new();
    let token = patctl.create(&["-q"]);
    std::fs::write(patctl.path("leak"), &token).expect("a file");
    for sql in ["UPDATE token SET verifier = '$argon2id$'", "UPDATE token SET auth = 'telepathy'"] {
        damage(&patctl, sql, &token);
        let setup = Setup { stdin: token.as_bytes(), ..Setup::default() };
        let run = patctl.run_with(&["revoke", "--token-stdin"], &setup);
        run.says(Exit::Io, &["damaged", id_of(&token)]);
        let leak = patctl.path("leak").display().to_string();
        assert_eq!(patctl.run(&["scan", &leak]).exit, Exit::Io, "{sql}");
        let setup = Setup { stdin: token.as_bytes(), ..Setup::default() };
        assert_eq!(patctl.run_with(&["whoami"], &setup).exit, Exit::No, "{sql}");
    }
}

/// Whoever counts tokens says which of them nobody can be sure of: an end that was put off is in no warning.
#[test]
fn whoever_counts_tokens_counts_what_is_damaged() {
    for change in ["user = 'mallory'", "expires_at = '2099-01-01T00:00:00.000000Z'", "restricted = 0"] {
        let patctl = Patctl::new();
        let token = patctl.create(&["--expires", "2", "--restrict", "/a"]);
        patctl.create(&["--expires", "60"]);
        assert_eq!(patctl.run(&["stats", "-o", "json"]).json()["damaged"], 0);
        let sql = format!("UPDATE token SET {change} WHERE id = '{}'", id_of(&token));
        patctl.sql().execute(&sql, []).expect("by hand");
        let stats = patctl.run(&["stats"]);
        assert!(stats.stderr.contains(id_of(&token)), "{change}: {stats:?}");
        assert_eq!(patctl.run(&["stats", "-o", "json"]).json()["damaged"], 1, "{change}");
        let check = patctl.run(&["expiring"]);
        assert!(check.stdout.contains("1 token damaged, see 'patctl doctor'"), "{change}: {check:?}");
        assert!(!check.stdout.starts_with("OK"), "{change}: {check:?}");
        assert_eq!(patctl.run(&["expiring", "-o", "json"]).json()["damaged"], 1);
        assert!(patctl.run(&["expiring", "--prometheus"]).stdout.contains("patctl_tokens_damaged 1\n"));
    }
}
