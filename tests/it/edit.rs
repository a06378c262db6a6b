//! `edit`: what changes, what does not, and what is written down.

use crate::harness::{Patctl, Setup, id_of, moment};
use patctl::domain::actor::Actor;
use patctl::domain::decision::Reason;
use patctl::domain::dice::Dice;
use patctl::domain::moment::Span;
use patctl::domain::policy::Policy;
use patctl::exit::Exit;
use patctl::service::verify;
use patctl::store::Durability;
use patctl::store::sqlite::SqliteStore;
use serde_json::{Value, json};
use std::cell::Cell;

/// The changes that the last edit wrote down.
fn changes(patctl: &Patctl) -> Value {
    let sql = "SELECT changes FROM audit WHERE action = 'edit' ORDER BY seq DESC LIMIT 1";
    let text: String = patctl.sql().query_row(sql, [], |row| row.get(0)).expect("an edit");
    serde_json::from_str(&text).expect("JSON")
}

fn edits(patctl: &Patctl) -> i64 {
    patctl.count("SELECT count(*) FROM audit WHERE action = 'edit'")
}

#[test]
fn every_field_is_changed_and_written_down_as_it_was_and_as_it_became() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--user", "alice", "--expires", "30", "--note", "old"]);
    let id = id_of(&token);
    let (was, is) = ("2026-12-21T12:00:00.000000Z", "2027-01-31T00:00:00.000000Z");
    for (args, field, pair) in [
        (&["--name", "nightly"][..], "name", json!(["ci", "nightly"])),
        (&["--expires", "2027-01-31"], "expires_at", json!([was, is])),
        (&["--auth", "bearer"], "auth", json!(["both", "bearer"])),
        (&["--note", "new"], "note", json!(["old", "new"])),
        (&["--note", ""], "note", json!(["new", null])),
        (&["--email", "a@example.com"], "email", json!([null, "a@example.com"])),
        (&["--email", ""], "email", json!(["a@example.com", null])),
        (&["--notify-to", "ops@example.com"], "notify_to", json!([null, "ops@example.com"])),
        (&["--restrict", "/a.*"], "restrictions", json!([null, ["/a.*"]])),
        (&["--add-restrict", "/b.*"], "restrictions", json!([["/a.*"], ["/a.*", "/b.*"]])),
        (&["--remove-restrict", "1"], "restrictions", json!([["/a.*", "/b.*"], ["/b.*"]])),
        (&["--unrestrict"], "restrictions", json!([["/b.*"], null])),
    ] {
        let before = patctl.count("SELECT version FROM token");
        let run = patctl.run(&[&["edit", id, "-o", "json"], args].concat());
        assert_eq!(run.exit, Exit::Yes, "{run:?}");
        assert_eq!(run.json()["changes"], json!({ field: pair }), "{args:?}");
        assert_eq!(changes(&patctl), json!({ field: pair }), "{args:?}");
        assert_eq!(patctl.count("SELECT version FROM token"), before + 1, "{args:?}");
        let shown = patctl.run(&["show", id, "-o", "json"]).json();
        let now = if field == "restrictions" && pair[1].is_null() { json!([]) } else { pair[1].clone() };
        assert_eq!(shown[field], now, "{args:?}");
    }
    assert_eq!(edits(&patctl), 12);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
}

#[test]
fn several_fields_are_one_edit_and_people_read_each() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--user", "alice"]);
    let id = id_of(&token);
    let run = patctl.run(&["edit", id, "--name", "b", "--expires", "2027-01-31", "--restrict", "/x"]);
    let told = format!(
        "edited  {id}  alice  b\n  expires_at: (none) -> 2027-01-31T00:00:00.000000Z\n  name: ci -> b\n  \
         restrictions: (none) -> /x\n"
    );
    run.is(Exit::Yes, &told);
    assert_eq!(edits(&patctl), 1);
    assert_eq!(changes(&patctl).as_object().expect("an object").len(), 3);
    assert_eq!(patctl.run(&["edit", id, "--name", "c", "-q"]).stdout, "");
}

#[test]
fn the_same_values_are_fine_and_leave_no_trace() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--expires", "2027-01-31", "--restrict", "/a"]);
    let id = id_of(&token);
    // Limits that would refuse these values today do not make a change of what stays.
    patctl.configure("atlassian.pats.token.name.length = 1\natlassian.pats.max.tokens.expiry.days = 1");
    let same =
        ["--name", "ci", "--expires", "2027-01-31", "--restrict", "/a", "--auth", "both", "--note", ""];
    let run = patctl.run(&[&["edit", id], &same[..]].concat());
    run.is(Exit::Yes, &format!("nothing changed  {id}  operator  ci\n"));
    patctl.run(&["edit", id, "--add-restrict", "/a"]).is(Exit::Yes, &run.stdout);
    assert_eq!((edits(&patctl), patctl.count("SELECT version FROM token")), (0, 1));
}

#[test]
fn nothing_to_change_is_wrong_usage_and_a_dry_run_changes_nothing() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci"]);
    let id = id_of(&token);
    patctl.run(&["edit", id]).says(Exit::Usage, &["nothing to change", "--name"]);
    patctl.run(&["edit", id, "--dry-run"]).says(Exit::Usage, &["nothing to change"]);
    patctl.run(&["edit"]).says(Exit::Usage, &["<ID>"]);
    patctl.run(&["edit", "zzzz", "--name", "x"]).says(Exit::No, &["no token has the id zzzz"]);
    for pair in [["--restrict", "--add-restrict"], ["--add-restrict", "--unrestrict"]] {
        let mut args = vec!["edit", id, pair[0], "/a", pair[1]];
        args.extend((pair[1] != "--unrestrict").then_some("/b"));
        patctl.run(&args).says(Exit::Usage, &["cannot be used with"]);
    }
    let run = patctl.run(&["edit", id, "--name", "x", "--dry-run"]);
    run.is(Exit::Yes, &format!("would edit  {id}  operator  x\n  name: ci -> x\n"));
    assert_eq!((edits(&patctl), patctl.count("SELECT count(*) FROM token WHERE name = 'ci'")), (0, 1));
}

/// Every flag there is, so that a new one cannot be forgotten.
const FLAGS: [&[&str]; 13] = [
    &["--name", "x"],
    &["--expires", "30"],
    &["--expires", "never"],
    &["--restrict", "/x"],
    &["--restrict-file", "-"],
    &["--add-restrict", "/y"],
    &["--remove-restrict", "1"],
    &["--unrestrict"],
    &["--auth", "bearer"],
    &["--note", "x"],
    &["--email", "x@example.com"],
    &["--notify-to", "x@example.com"],
    &["--name", "ci"],
];

fn edit_with(patctl: &Patctl, id: &str, flag: &[&str]) -> crate::harness::Run {
    let rules = Setup { stdin: b"/x\n", ..Setup::default() };
    patctl.run_with(&[&["edit", id], flag].concat(), &rules)
}

#[test]
fn a_secure_token_refuses_every_edit_with_the_reason() {
    let patctl = Patctl::new();
    patctl.configure("extender.token.secure.mode = true");
    let token = patctl.create(&["ci", "--expires", "90", "--restrict", "/a"]);
    // Switching the mode off changes new tokens only.
    patctl.configure("");
    for flag in FLAGS {
        edit_with(&patctl, id_of(&token), flag)
            .says(Exit::No, &["secure mode", "extender.token.secure.mode"]);
    }
    let args = patctl::cli::definition();
    let edit = args.find_subcommand("edit").expect("a command");
    for arg in edit.get_arguments().filter_map(clap::Arg::get_long).filter(|long| *long != "dry-run") {
        assert!(FLAGS.iter().any(|flag| flag[0] == format!("--{arg}")), "--{arg} is not tried");
    }
    assert_eq!((edits(&patctl), patctl.count("SELECT version FROM token")), (0, 1));
    let standard = patctl.create(&["ci", "--restrict", "/a", "--restrict", "/b"]);
    patctl.configure("extender.token.secure.mode = true");
    for flag in FLAGS {
        let run = edit_with(&patctl, id_of(&standard), flag);
        assert_ne!(run.stdout, "", "a token of standard mode is edited: {run:?}");
    }
}

#[test]
fn revoked_and_rotated_tokens_are_not_edited() {
    let patctl = Patctl::new();
    let (revoked, rotated) = (patctl.create(&["a"]), patctl.create(&["b"]));
    patctl.run(&["revoke", id_of(&revoked)]);
    let new = patctl.run(&["rotate", id_of(&rotated), "--grace", "1h"]);
    assert_eq!(edit_with(&patctl, id_of(&rotated), &["--name", "y"]).exit, Exit::Yes, "it works still");
    patctl.pass(Span::hours(1));
    let successor = format!("{} has taken the place", id_of(new.stdout.trim_end()));
    for flag in FLAGS {
        edit_with(&patctl, id_of(&revoked), flag).says(Exit::No, &["was revoked"]);
        edit_with(&patctl, id_of(&rotated), flag).says(Exit::No, &[&successor]);
    }
}

#[test]
fn an_expired_token_is_never_revived() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--expires", "1"]);
    let id = id_of(&token);
    patctl.pass(Span::days(1));
    for when in ["1", "never", "2027-01-31", "2w"] {
        let run = patctl.run(&["edit", id, "--expires", when]);
        run.says(Exit::No, &["expired at 2026-11-22T12:00:00", "not brought back"]);
    }
    // Not in two steps either.
    for off in ["disable", "enable"] {
        patctl.run(&[off, id]);
        patctl.run(&["edit", id, "--expires", "5"]).says(Exit::No, &["not brought back"]);
    }
    assert_eq!(
        patctl.run(&["edit", id, "--note", "was for the fair"]).exit,
        Exit::Yes,
        "its note may change"
    );
    assert_eq!(patctl.verify(&token, &[]).1, "expired");
}

#[test]
fn limits_hold_as_in_create_and_no_row_of_edits_outlives_them() {
    let patctl = Patctl::new();
    let id = id_of(&patctl.create(&["ci", "--expires", "30"])).to_owned();
    let edit = |args: &[&str]| patctl.run(&[&["edit", id.as_str()], args].concat());
    patctl.configure(
        "atlassian.pats.token.name.length = 4\natlassian.pats.max.tokens.expiry.days = 60\n\
         atlassian.pats.eternal.tokens.enabled = false",
    );
    edit(&["--name", "12345"]).says(Exit::No, &["5 characters, 4 are allowed"]);
    edit(&["--name", " "]).says(Exit::No, &["blank"]);
    edit(&["--name", "a\u{202e}"]).says(Exit::No, &["U+202E"]);
    edit(&["--expires", "61"]).says(Exit::No, &["60 days at most"]);
    edit(&["--expires", "0"]).says(Exit::No, &["not in the future"]);
    edit(&["--expires", "2026-11-21"]).says(Exit::No, &["not in the future"]);
    edit(&["--expires", "never"]).says(Exit::No, &["must have an expiry"]);
    edit(&["--expires", "1M"]).says(Exit::Usage, &["no fixed length"]);
    assert_eq!(edits(&patctl), 0);
    patctl.pass(Span::days(20));
    let late = edit(&["--expires", "60"]);
    late.says(Exit::No, &["60 days at most", "this one until 2027-01-20T12:00:00", "patctl rotate"]);
    assert_eq!(edit(&["--name", "1234", "--expires", "40"]).exit, Exit::Yes, "to the last instant");
    // An end that comes nearer needs no room.
    patctl.configure("atlassian.pats.max.tokens.expiry.days = 10");
    patctl.pass(Span::days(20));
    assert_eq!(edit(&["--expires", "5"]).exit, Exit::Yes);
    edit(&["--expires", "6"]).says(Exit::No, &["10 days at most", "patctl rotate"]);
}

#[test]
fn an_eternal_token_gets_an_end_within_the_limit() {
    let patctl = Patctl::new();
    let id = id_of(&patctl.create(&["ci"])).to_owned();
    patctl.pass(Span::days(800));
    patctl.run(&["edit", &id, "--expires", "366"]).says(Exit::No, &["365 days at most"]);
    assert_eq!(patctl.run(&["edit", &id, "--expires", "365"]).exit, Exit::Yes);
    assert_eq!(patctl.run(&["edit", &id, "--expires", "never"]).exit, Exit::Yes);
}

#[test]
fn another_end_makes_the_mails_about_it_due_again() {
    let patctl = Patctl::new();
    let id = id_of(&patctl.create(&["ci", "--expires", "30"])).to_owned();
    patctl.sql().execute("UPDATE token SET notified = 'expire-soon-sent'", []).expect("by hand");
    let sent = || patctl.count("SELECT count(*) FROM token WHERE notified = 'expire-soon-sent'");
    patctl.run(&["edit", &id, "--name", "x"]);
    patctl.run(&["edit", &id, "--expires", "30"]);
    assert_eq!(sent(), 1, "the same end");
    patctl.run(&["edit", &id, "--expires", "40"]);
    assert_eq!(sent(), 0);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE notified = 'not-sent'"), 1);
}

#[test]
fn lines_are_named_by_number_or_text_and_never_all_taken() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--restrict", "/a", "--restrict", "[get]/b", "--restrict", "/c"]);
    let id = id_of(&token);
    let edit = |args: &[&str]| patctl.run(&[&["edit", id], args].concat());
    let lines = || patctl.run(&["show", id, "-o", "json"]).json()["restrictions"].clone();
    edit(&["--remove-restrict", "4"]).says(Exit::No, &["no restriction number 4", "patctl show"]);
    edit(&["--remove-restrict", "0"]).says(Exit::No, &["number 0"]);
    edit(&["--remove-restrict", "1", "--remove-restrict", "/z"]).says(Exit::No, &["no restriction /z"]);
    assert_eq!(lines(), json!(["/a", "[get]/b", "/c"]), "all or nothing");
    // Numbers are those before the edit, whatever goes beside.
    let both = ["--remove-restrict", "1", "--remove-restrict", "2", "--add-restrict", "/d"];
    assert_eq!(edit(&both).exit, Exit::Yes);
    assert_eq!(lines(), json!(["/c", "/d"]));
    assert_eq!(edit(&["--remove-restrict", "/c"]).exit, Exit::Yes);
    edit(&["--remove-restrict", "1"])
        .says(Exit::No, &["no restriction left", "--unrestrict", "patctl disable"]);
    edit(&["--add-restrict", "/(x"]).says(Exit::Usage, &["/(x"]);
    assert_eq!(patctl.verify(&token, &["--method", "GET", "--url", "/d"]).0, Exit::Yes);
    assert_eq!(patctl.verify(&token, &["--method", "GET", "--url", "/a"]).1, "restricted");
    edit(&["--unrestrict"]);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    edit(&["--remove-restrict", "1"]).says(Exit::No, &["no restriction number 1"]);
}

#[test]
fn a_hundred_rules_are_the_most_however_they_come() {
    let patctl = Patctl::new();
    let id = id_of(&patctl.create(&["ci", "--restrict", "/first"])).to_owned();
    let rules: Vec<String> = (0..100).map(|n| format!("/{n}")).collect();
    let mut args = vec!["edit", id.as_str()];
    args.extend(rules.iter().flat_map(|rule| ["--add-restrict", rule.as_str()]));
    patctl.run(&args).says(Exit::Usage, &["at most 100 rules"]);
    args.truncate(args.len() - 2);
    assert_eq!(patctl.run(&args).exit, Exit::Yes);
}

#[test]
fn a_line_that_cannot_be_read_any_more_can_be_taken_away() {
    let patctl = Patctl::new();
    let id = id_of(&patctl.create(&["ci", "--restrict", "/a", "--restrict", "/b"])).to_owned();
    patctl.sql().execute("UPDATE restriction SET rule = '/(' WHERE position = 1", []).expect("by hand");
    patctl.reseal();
    patctl.run(&["edit", &id, "--add-restrict", "/c"]).says(Exit::Usage, &["/("]);
    assert_eq!(patctl.run(&["edit", &id, "--name", "x"]).exit, Exit::Yes, "what stays is not judged");
    assert_eq!(patctl.run(&["edit", &id, "--remove-restrict", "1"]).exit, Exit::Yes);
}

#[test]
fn a_token_for_any_user_gets_no_address_of_its_own() {
    let patctl = Patctl::new();
    patctl.configure("patctl.any.user.enabled = true");
    let id = id_of(&patctl.create(&["--any-user"])).to_owned();
    patctl.run(&["edit", &id, "--email", "a@example.com"]).says(Exit::No, &["any user"]);
    assert_eq!(patctl.run(&["edit", &id, "--notify-to", "a@example.com"]).exit, Exit::Yes);
}

/// The row is decided on as it is under the lock, not as it was when the hash was computed.
#[test]
fn a_verify_that_was_under_way_decides_on_the_edited_token() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci"]);
    let policy = Policy::default();
    let actor = Actor::Local { uid: 0, name: "a".to_owned(), login_uid: None };
    let edited = Cell::new(false);
    // The clock is first asked for while the lock is not held: there another run gets in between.
    let clock = || {
        if !edited.replace(true) {
            assert_eq!(patctl.run(&["edit", id_of(&token), "--restrict", "/only"]).exit, Exit::Yes);
        }
        moment("2026-11-22")
    };
    let item = crate::harness::plain_use(&token, actor);
    let context = verify::VerifyContext {
        policy: &policy,
        base: None,
        cache: None,
        durability: Durability::Relaxed,
        clock: &clock,
    };
    let mut store = SqliteStore::open(&patctl.db()).expect("the database");
    let verdict = verify::verify(&mut store, &context, &mut Dice::system(), item).expect("a verdict");
    assert_eq!(verdict.answer.expect_err("a no").reason, Reason::Restricted);
    let seqs = "SELECT (SELECT seq FROM audit WHERE action = 'edit') < (SELECT seq FROM audit WHERE action = 'verify')";
    assert_eq!(patctl.count(seqs), 1, "the edit came first");
}
