//! `rotate`: the timeline of each mode, with the clock in hand, and how the secret is handed over.

use crate::harness::{Patctl, Run, Setup, Sink, id_of, moment};
use base64::Engine as _;
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use serde_json::Value;

/// Rotates and answers the new token.
pub fn rotate(patctl: &Patctl, old: &str, args: &[&str]) -> String {
    let run = patctl.run(&[&["rotate", id_of(old)], args].concat());
    assert_eq!((run.exit, run.stderr.as_str()), (Exit::Yes, ""), "{run:?}");
    let token = run.stdout.strip_suffix('\n').expect("one line").to_owned();
    assert!(token.parse::<patctl::domain::token::PlainToken>().is_ok());
    token
}

pub fn shown(patctl: &Patctl, token: &str) -> Value {
    patctl.run(&["show", id_of(token), "-o", "json"]).json()
}

/// What `verify` says: `yes`, or the reason.
pub fn says(patctl: &Patctl, token: &str) -> String {
    match patctl.verify(token, &[]) {
        (Exit::Yes, _) => "yes".to_owned(),
        (_, reason) => reason,
    }
}

fn actions(patctl: &Patctl, token: &str) -> Vec<String> {
    let sql =
        "SELECT group_concat(action, ' ') FROM (SELECT action FROM audit WHERE token_id = ?1 ORDER BY seq)";
    let text: String = patctl.sql().query_row(sql, [id_of(token)], |row| row.get(0)).expect("rows");
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn at_once_the_old_one_stops_and_the_new_one_has_its_grants() {
    let patctl = Patctl::new();
    let old = patctl.create(&[
        "ci",
        "--user",
        "alice",
        "--email",
        "a@example.com",
        "--auth",
        "basic",
        "--note",
        "n",
        "--notify-to",
        "ops@example.com",
        "--restrict",
        "/a",
        "--restrict",
        "/b",
        "--expires",
        "30",
    ]);
    patctl.pass(Span::days(10));
    let new = rotate(&patctl, &old, &["--reason", "yearly"]);
    assert_ne!(id_of(&new), id_of(&old));
    let (before, after) = (shown(&patctl, &old), shown(&patctl, &new));
    for field in ["name", "user", "email", "auth", "note", "notify_to", "restricted", "restrictions"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    assert_eq!(after["expires_at"], "2026-12-31T12:00:00.000000Z", "30 days, as the old one had");
    assert_eq!((&before["successor"], &after["predecessor"]), (&id_of(&new).into(), &id_of(&old).into()));
    assert_eq!((&before["status"], &after["status"]), (&"rotated".into(), &"active".into()));
    let basic = |token: &str| {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("alice:{token}"));
        patctl.verify(format!("Basic {pair}"), &["--url", "/a", "--method", "GET"])
    };
    assert_eq!(basic(&new).0, Exit::Yes);
    assert_eq!(basic(&old).1, "rotated");
    assert_eq!(actions(&patctl, &old), ["create", "rotate", "verify"]);
    assert_eq!(actions(&patctl, &new), ["create", "verify"]);
    let row = "SELECT count(*) FROM audit WHERE action = 'rotate' AND reason = 'yearly' AND detail LIKE";
    assert_eq!(patctl.count(&format!("{row} '{} takes its place'", id_of(&new))), 1);
}

#[test]
fn within_the_grace_both_work_and_after_it_the_new_one_alone() {
    let patctl = Patctl::new();
    let old = patctl.create(&["ci"]);
    let new = rotate(&patctl, &old, &["--grace", "24h"]);
    assert_eq!(shown(&patctl, &old)["rotated_at"], "2026-11-22T12:00:00.000000Z");
    assert_eq!((says(&patctl, &old), says(&patctl, &new)), ("yes".to_owned(), "yes".to_owned()));
    patctl.set_now(moment("2026-11-22T11:59:59.999999Z"));
    assert_eq!(says(&patctl, &old), "yes", "to the last instant");
    patctl.set_now(moment("2026-11-22T12:00:00Z"));
    assert_eq!((says(&patctl, &old), says(&patctl, &new)), ("rotated".to_owned(), "yes".to_owned()));
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'switch'"), 0);
    let zero = rotate(&patctl, &new, &["--grace", "0"]);
    assert_eq!((says(&patctl, &new), says(&patctl, &zero)), ("rotated".to_owned(), "yes".to_owned()));
}

#[test]
fn the_first_allowed_use_of_the_new_one_ends_the_old_one_and_nothing_less_does() {
    let patctl = Patctl::new();
    let old = patctl.create(&["ci", "--restrict", "/a"]);
    let new = rotate(&patctl, &old, &["--until-first-use"]);
    let at_a = ["--method", "GET", "--url", "/a"];
    let ask = |token: &str, args: &[&str]| patctl.verify(token, args);
    // A look, a wrong secret, a request that is not allowed: no use.
    let look = Setup { stdin: new.as_bytes(), ..Setup::default() };
    assert_eq!(patctl.run_with(&[&["whoami"], &at_a[..]].concat(), &look).exit, Exit::Yes);
    assert_eq!(ask(&crate::verify::forge(&new, id_of(&new)), &at_a).1, "wrong-secret");
    assert_eq!(ask(&new, &["--method", "GET", "--url", "/b"]).1, "restricted");
    patctl.pass(Span::days(6));
    assert_eq!(ask(&old, &at_a).0, Exit::Yes);
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'switch'"), 0);
    assert_eq!(ask(&new, &at_a).0, Exit::Yes);
    assert_eq!(ask(&old, &at_a).1, "rotated");
    assert_eq!(shown(&patctl, &old)["rotated_at"], "2026-11-27T12:00:00.000000Z", "at that moment");
    assert_eq!(ask(&new, &at_a).0, Exit::Yes);
    let switches = format!(
        "SELECT count(*) FROM audit WHERE action = 'switch' AND token_id = '{}' AND outcome = 'done' \
         AND detail = '{} was used'",
        id_of(&old),
        id_of(&new)
    );
    assert_eq!(patctl.count(&switches), 1, "once, in the name of the old one");
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'switch'"), 1);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE ends_predecessor = 1"), 0);
}

#[test]
fn without_a_first_use_the_old_one_ends_after_seven_days() {
    let patctl = Patctl::new();
    let old = patctl.create(&["ci"]);
    let new = rotate(&patctl, &old, &["--until-first-use"]);
    patctl.pass(Span::seconds(7 * 86_400 - 1));
    assert_eq!(says(&patctl, &old), "yes");
    patctl.pass(Span::seconds(1));
    assert_eq!(says(&patctl, &old), "rotated");
    assert_eq!(says(&patctl, &new), "yes");
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'switch'"), 0, "it had ended before");
    assert_eq!(shown(&patctl, &old)["rotated_at"], "2026-11-28T12:00:00.000000Z");
}

#[test]
fn an_old_token_that_is_still_used_shows_in_the_list_and_in_the_audit_log() {
    let patctl = Patctl::new();
    let old = patctl.create(&["ci"]);
    let new = rotate(&patctl, &old, &[]);
    patctl.pass(Span::hours(1));
    assert_eq!(says(&patctl, &crate::verify::forge(&old, id_of(&old))), "wrong-secret", "not 'rotated'");
    let look = Setup { stdin: old.as_bytes(), ..Setup::default() };
    assert!(patctl.run_with(&["whoami"], &look).stdout.contains("would say no: rotated"));
    assert_eq!(shown(&patctl, &old)["reused_at"], Value::Null, "neither was a use");
    let status = |token: &str| {
        let table = patctl.run(&["list"]).stdout;
        table.lines().find(|line| line.starts_with(id_of(token))).expect("a row").to_owned()
    };
    assert!(status(&old).contains("  rotated  "), "{}", status(&old));
    assert_eq!(says(&patctl, &old), "rotated");
    assert!(status(&old).contains("  rotated, still used  "), "{}", status(&old));
    assert!(status(&new).contains("  active  "));
    assert_eq!(shown(&patctl, &old)["reused_at"], "2026-11-21T13:00:00.000000Z");
    let facts = patctl.run(&["show", id_of(&old)]).stdout;
    for line in [
        "status      rotated, still used",
        "still used  2026-11-21 13:00",
        &format!("successor   {}", id_of(&new)),
    ] {
        assert!(facts.contains(line), "{line}: {facts}");
    }
    let row = format!(
        "SELECT count(*) FROM audit WHERE action = 'verify' AND token_id = '{}' AND outcome = 'denied' \
         AND reason = 'rotated' AND detail = '{} has taken its place'",
        id_of(&old),
        id_of(&new)
    );
    assert_eq!(patctl.count(&row), 1);
    // Who presents it is told no more than of any other no.
    let told = Setup { stdin: old.as_bytes(), ..Setup::default() };
    patctl.run_with(&["verify"], &told).is(Exit::No, "");
}

#[test]
fn undone_within_the_grace_the_old_one_goes_on_whichever_id_is_named() {
    for name_the_new in [false, true] {
        let patctl = Patctl::new();
        let old = patctl.create(&["ci", "--user", "alice"]);
        let new = rotate(&patctl, &old, &["--grace", "24h"]);
        let id = id_of(if name_the_new { &new } else { &old });
        let preview = patctl.run(&["rotate", "--undo", id, "--dry-run"]);
        let told = |goes: &str, gone: &str| {
            format!("{goes}  {}  alice  ci\n{gone}  {}  alice  ci\n", id_of(&old), id_of(&new))
        };
        preview.is(Exit::Yes, &told("would go on", "would revoke"));
        assert_eq!(says(&patctl, &new), "yes");
        patctl.run(&["rotate", "--undo", id]).is(Exit::Yes, &told("goes on", "revoked"));
        patctl.pass(Span::days(2));
        assert_eq!((says(&patctl, &old), says(&patctl, &new)), ("yes".to_owned(), "revoked".to_owned()));
        let json = shown(&patctl, &old);
        assert_eq!((&json["rotated_at"], &json["successor"]), (&Value::Null, &Value::Null));
        assert_eq!(actions(&patctl, &old), ["create", "rotate", "undo-rotate", "verify"]);
        assert_eq!(actions(&patctl, &new)[2..], ["revoke", "verify"]);
        for id in [id_of(&old), id_of(&new)] {
            patctl.run(&["rotate", "--undo", id]).says(Exit::No, &["no rotation that could be undone"]);
        }
        let again = rotate(&patctl, &old, &["--until-first-use"]);
        patctl.run(&["rotate", "--undo", id_of(&new)]).says(Exit::No, &["no rotation"]);
        let undone = patctl.run(&["rotate", "--undo", id_of(&again), "-o", "json"]).json();
        assert_eq!(
            (&undone["reinstated"]["id"], &undone["revoked"]["id"]),
            (&id_of(&old).into(), &id_of(&again).into())
        );
    }
}

#[test]
fn after_the_switch_nothing_is_undone() {
    let patctl = Patctl::new();
    let switched = |args: &[&str], pass: Span, use_it: bool| {
        let old = patctl.create(&["ci"]);
        let new = rotate(&patctl, &old, args);
        patctl.pass(pass);
        if use_it {
            assert_eq!(says(&patctl, &new), "yes");
        }
        let taken = format!("{} has taken the place of {}", id_of(&new), id_of(&old));
        for id in [id_of(&old), id_of(&new)] {
            patctl.run(&["rotate", "--undo", id]).says(Exit::No, &[&taken]);
        }
        assert_eq!((says(&patctl, &old), says(&patctl, &new)), ("rotated".to_owned(), "yes".to_owned()));
    };
    switched(&[], Span::ZERO, false);
    switched(&["--grace", "1h"], Span::hours(1), false);
    switched(&["--until-first-use"], Span::ZERO, true);
    switched(&["--until-first-use"], Span::days(7), false);
}

#[test]
fn on_a_terminal_it_asks_and_says_what_there_is_to_know() {
    let patctl = Patctl::new();
    let old = patctl.create(&["ci", "--user", "alice", "--expires", "30"]);
    let id = id_of(&old);
    let person = |answers| Setup { terminal: Some((answers, "")), ..Setup::default() };
    let no = patctl.run_with(&["rotate", id], &person(&[false]));
    assert_eq!((no.exit, no.stdout.as_str()), (Exit::No, ""));
    assert!(no.stderr.contains("stops at once") && no.stderr.contains("nothing was rotated"), "{no:?}");
    assert_eq!(says(&patctl, &old), "yes");
    let yes = patctl.run_with(&["rotate", id, "--grace", "24h"], &person(&[true]));
    assert_eq!(yes.exit, Exit::Yes);
    let new = id_of(yes.stdout.trim_end());
    for words in [
        format!("\nid          {new}\n"),
        "expires     2026-12-21 12:00 UTC (in 30 days)".to_owned(),
        "will not be shown again".to_owned(),
        format!("{id} stops 2026-11-22 12:00 UTC (in 24 hours)"),
    ] {
        assert!(yes.stderr.contains(&words), "{words}: {yes:?}");
    }
    assert_eq!(patctl.run_with(&["rotate", "--undo", new], &person(&[false])).exit, Exit::No);
    assert_eq!(patctl.run_with(&["rotate", "--undo", new, "--yes"], &person(&[])).exit, Exit::Yes);
    assert_eq!(patctl.run_with(&["rotate", id, "--yes"], &person(&[])).exit, Exit::Yes);
}

#[test]
fn json_carries_the_token_and_a_dry_run_has_its_shape() {
    let patctl = Patctl::new();
    let old = patctl.create(&["ci", "--user", "alice", "--expires", "30"]);
    let id = id_of(&old);
    let args = ["rotate", id, "--until-first-use", "-o", "json"];
    let preview = patctl.run(&[&args[..], &["--dry-run"]].concat()).json();
    assert_eq!(patctl.count("SELECT count(*) FROM token"), 1);
    let deed = patctl.run(&args).json();
    assert_eq!(deed["id"], id_of(deed["token"].as_str().expect("a token")));
    assert_eq!(deed["predecessor"], id);
    assert_eq!(deed["predecessor_ends_at"], "2026-11-28T12:00:00.000000Z");
    assert_eq!(deed["until_first_use"], true);
    let mut expected = deed;
    (expected["id"], expected["token"], expected["dry_run"]) = (Value::Null, Value::Null, true.into());
    assert_eq!(preview, expected);
    let other = patctl.create(&["other", "--user", "bob"]);
    let told = patctl.run(&["rotate", id_of(&other), "--dry-run"]);
    let lines = "  it stops at once\n  its successor expires never\n";
    told.is(Exit::Yes, &format!("would rotate  {}  bob  other\n{lines}", id_of(&other)));
}

fn untouched(patctl: &Patctl, old: &str, run: &Run) {
    assert_eq!(run.exit, Exit::Io, "{run:?}");
    assert_eq!(patctl.count("SELECT count(*) FROM token"), 1);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE successor IS NULL AND rotated_at IS NULL"), 1);
    assert_eq!(patctl.count("SELECT version FROM token"), 1);
    assert_eq!(says(patctl, old), "yes");
}

#[test]
fn a_secret_that_nobody_takes_leaves_the_old_token_as_it_was() {
    for sink in [Sink::Full, Sink::Gone, Sink::Closed, Sink::Asleep] {
        let patctl = Patctl::new();
        let old = patctl.create(&[]);
        for mode in [&["--now"][..], &["--until-first-use", "-o", "json"]] {
            let broken = Setup { stdout: sink, ..Setup::default() };
            let run = patctl.run_with(&[&["rotate", id_of(&old)], mode].concat(), &broken);
            untouched(&patctl, &old, &run);
        }
    }
    let patctl = Patctl::new();
    let old = patctl.create(&[]);
    let file = patctl.path("ci.token");
    let path = file.to_str().expect("a path");
    std::fs::write(&file, "mine").expect("a file");
    let run = patctl.run(&["rotate", id_of(&old), "--token-file", path]);
    untouched(&patctl, &old, &run);
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "mine");
    std::fs::remove_file(&file).expect("a file");
    patctl.run(&["rotate", id_of(&old), "--token-file", path]).is(Exit::Yes, "");
    assert_eq!(patctl.run(&["verify", "--token-file", path]).exit, Exit::Yes);
}
