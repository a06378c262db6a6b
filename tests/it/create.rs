use crate::harness::{Patctl, Setup, Sink, id_of, moment};
use base64::Engine as _;
use patctl::domain::moment::Span;
use patctl::exit::Exit;

#[test]
fn in_a_pipe_create_prints_the_token_and_nothing_else() {
    let patctl = Patctl::new();
    let run = patctl.run(&["create", "--expires", "90"]);
    assert_eq!(run.exit, Exit::Yes);
    let token = run.stdout.strip_suffix('\n').expect("one line");
    assert!(token.starts_with("patctl_") && token.len() == 56, "{token}");
    let db = patctl.db().canonicalize().expect("the database");
    assert_eq!(run.stderr, format!("made the database {}\n", db.display()));
    assert_eq!(patctl.run(&["create"]).stderr, "");
}

#[test]
fn on_a_terminal_create_asks_for_a_name_and_says_what_there_is_to_know() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    let at_a_terminal = |typed, args: &[&str]| {
        let terminal = Setup { terminal: Some((&[], typed)), ..Setup::default() };
        patctl.run_with(&[&["create", "--color", "never"], args].concat(), &terminal)
    };
    let run = at_a_terminal("nightly backup", &["--expires", "90"]);
    assert_eq!(run.exit, Exit::Yes);
    let id = id_of(run.stdout.trim_end());
    for word in [
        format!("\nid          {id}\n"),
        "name        nightly backup".to_owned(),
        "user        operator".to_owned(),
        "expires     2027-02-19 12:00 UTC (in 90 days)".to_owned(),
        "restricted  no".to_owned(),
        "will not be shown again".to_owned(),
        format!("patctl revoke {id}"),
    ] {
        assert!(run.stderr.contains(&word), "{word}: {run:?}");
    }
    let run = at_a_terminal("", &[]);
    let name = format!("name        token-20261121-{}", id_of(run.stdout.trim_end()));
    assert!(run.stderr.contains(&name), "Enter takes the default: {run:?}");
    assert!(at_a_terminal("never asked", &["given"]).stderr.contains("name        given"));
    at_a_terminal("  ", &[]).says(Exit::No, &["the name is blank"]);
    assert_eq!(at_a_terminal("x", &["-q"]).stderr, "");
}

#[test]
fn many_tokens_come_one_a_line_and_all_verify() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 45");
    let run = patctl.run(&["create", "fleet", "--user", "u", "--count", "45"]);
    assert_eq!(run.exit, Exit::Yes, "{}", run.stderr);
    let tokens: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(tokens.len(), 45);
    for token in &tokens {
        assert_eq!(patctl.verify(token, &[]).0, Exit::Yes);
    }
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'create'"), 45);
    patctl
        .run(&["create", "--user", "v", "--count", "46"])
        .says(Exit::No, &["46 more would make 46 tokens for v; at most 45 are allowed"]);
    assert_eq!(patctl.count("SELECT count(*) FROM token"), 45, "none is made when not all may be");
    let run = patctl.run(&["create", "--user", "w", "--count", "2", "-o", "jsonl"]);
    assert_eq!(run.stdout.lines().filter(|line| line.contains("\"token\":\"patctl_")).count(), 2);
    patctl.run(&["create", "--count", "2", "-o", "json"]).says(Exit::Usage, &["jsonl"]);
    patctl.run(&["create", "--count", "0"]).says(Exit::Usage, &["0"]);
}

#[test]
fn an_email_is_another_name_in_basic_and_mails_have_an_address() {
    let patctl = Patctl::new();
    let args = ["--user", "alice", "--email", "alice@example.com", "--notify-to", "ops@example.com"];
    let token = patctl.create(&args);
    let shown = patctl.run(&["show", id_of(&token), "-o", "json"]).json();
    assert_eq!(
        (&shown["email"], &shown["notify_to"]),
        (&"alice@example.com".into(), &"ops@example.com".into())
    );
    for bad in ["alice", "@example.com", "a@", "a b@example.com", "a\u{7}@b"] {
        assert_eq!(patctl.run(&["create", "--email", bad]).exit, Exit::Usage, "{bad}");
        assert_eq!(patctl.run(&["create", "--notify-to", bad]).exit, Exit::Usage, "{bad}");
    }
}

#[test]
fn a_token_for_any_user_needs_its_property() {
    let patctl = Patctl::new();
    patctl.run(&["create", "--any-user"]).says(Exit::No, &["patctl.any.user.enabled = false", "--user"]);
    patctl.configure("patctl.any.user.enabled = true");
    let token = patctl.create(&["--any-user"]);
    assert_eq!(patctl.run(&["show", id_of(&token), "-o", "json"]).json()["user"], serde_json::Value::Null);
    let basic =
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("carol:{token}")));
    assert_eq!(patctl.verify(&basic, &[]).0, Exit::Yes);
    assert_eq!(patctl.verify(&token, &[]).1, "wrong-auth-method");
    patctl.configure("");
    assert_eq!(patctl.verify(&basic, &[]).1, "policy", "switched off, it ends at once");
    patctl.run(&["create", "--any-user", "--user", "x"]).says(Exit::Usage, &["--user"]);
}

#[test]
fn a_secret_in_a_name_a_note_or_a_reason_is_refused() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let note = format!("replaces {token}");
    patctl.run(&["create", &token[18..]]).says(Exit::No, &["looks like a token"]);
    patctl.run(&["create", "--note", &note]).says(Exit::Usage, &["looks like a token"]);
    patctl.run(&["revoke", id_of(&token), "--reason", &note]).says(Exit::Usage, &["looks like a token"]);
}

#[test]
fn quiet_create_says_nothing_but_the_token() {
    let patctl = Patctl::new();
    let run = patctl.run(&["create", "-q"]);
    assert_eq!(run.exit, Exit::Yes);
    assert_eq!((run.stdout.lines().count(), run.stderr.as_str()), (1, ""));
}

#[test]
fn create_as_json_carries_the_token_and_what_was_decided() {
    let patctl = Patctl::new();
    let args = ["create", "ci", "--user", "alice", "--expires", "12h", "--auth", "basic", "-o", "json"];
    let run = patctl.run(&args);
    let json = run.json();
    assert_eq!(json["id"], id_of(json["token"].as_str().expect("a token")));
    assert_eq!(json["name"], "ci");
    assert_eq!(json["user"], "alice");
    assert_eq!(json["auth"], "basic");
    assert_eq!(json["created_at"], "2026-11-21T12:00:00.000000Z");
    assert_eq!(json["expires_at"], "2026-11-22T00:00:00.000000Z");
}

/// Each property that can refuse a token, at its boundary: the last allowed, the first refused.
#[test]
fn every_limit_refuses_with_status_1_and_says_what_to_do() {
    let pats = "atlassian.pats";
    let cases: &[(&str, &[&str], &str, &str)] = &[
        ("enabled = false", &["create"], "switched off", "switch them on"),
        ("token.name.length = 3", &["create", "four"], "has 4 characters, 3 are allowed", "shorten"),
        ("enabled = true", &["create", "  "], "the name is blank", "say what the token is for"),
        ("max.tokens.expiry.days = 30", &["create", "--expires", "31"], "30 days at most", "--expires 30"),
        (
            "max.tokens.expiry.days = 30",
            &["create", "--expires", "2027-01-31"],
            "30 days at most",
            "--expires 30",
        ),
        ("enabled = true", &["create", "--expires", "0"], "not in the future", "--expires 90"),
        ("enabled = true", &["create", "--expires", "-3d"], "not in the future", "--expires 90"),
        ("enabled = true", &["create", "--expires", "2026-11-21"], "not in the future", "later date"),
        ("eternal.tokens.enabled = false", &["create"], "must have an expiry", "--expires 365"),
        ("enabled = true", &["create", "a\u{1b}[31m"], "U+001B", "without it"),
        ("enabled = true", &["create", "a\u{202e}b"], "U+202E", "without it"),
        ("enabled = true", &["create", "a\nb"], "U+000A", "without it"),
    ];
    for (property, args, why, hint) in cases {
        let patctl = Patctl::new();
        patctl.configure(&format!("{pats}.{property}"));
        patctl.run(args).says(Exit::No, &[why, hint]);
        assert!(!patctl.db().exists(), "a refused create makes no database: {args:?}");
    }
    let patctl = Patctl::new();
    patctl.configure(&format!("{pats}.max.tokens.expiry.days = 30\n{pats}.token.name.length = 3"));
    patctl.create(&["abc", "--expires", "30"]);
}

#[test]
fn the_limit_counts_expired_tokens_until_they_are_pruned_and_revoked_ones_not() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 2\natlassian.pats.pruning.delay.days = 0");
    let first = patctl.create(&["--expires", "1"]);
    patctl.create(&["--expires", "1"]);
    patctl.create(&["--user", "somebody else"]);
    patctl.pass(Span::days(2));
    let full = ["operator has 2 tokens, 2 are allowed", "prune"];
    patctl.run(&["create"]).says(Exit::No, &full);
    assert_eq!(patctl.run(&["revoke", id_of(&first)]).exit, Exit::Yes);
    patctl.create(&[]);
    patctl.run(&["create"]).says(Exit::No, &full);
    patctl.run(&["prune"]).is(Exit::Yes, "");
    patctl.create(&[]);
}

#[test]
fn too_many_is_reported_before_eternal() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 1");
    patctl.create(&[]);
    patctl.configure("atlassian.pats.max.tokens.per.user = 1\natlassian.pats.eternal.tokens.enabled = false");
    patctl.run(&["create"]).says(Exit::No, &["1 are allowed"]);
}

#[test]
fn what_cannot_be_read_is_wrong_usage() {
    let patctl = Patctl::new();
    for args in [
        &["create", "--expires", "1M"][..],
        &["create", "--expires", "soon"],
        &["create", "--expires", "2027-02-30"],
        &["create", "--auth", "digest"],
        &["create", "--user", ""],
        &["create", "--user", "a:b"],
        &["create", "--note", "a\u{7}"],
        &["create", "--no-such-flag"],
        &["create", "-o", "ids"],
        &["frobnicate"],
        &[],
    ] {
        let run = patctl.run(args);
        assert_eq!((run.exit, run.stdout.as_str()), (Exit::Usage, ""), "{args:?}");
        assert!(!run.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn usage_errors_are_json_where_json_was_asked_for() {
    let patctl = Patctl::new();
    let run = patctl.run(&["create", "--expires", "1M", "-o", "json"]);
    let error: serde_json::Value = serde_json::from_str(&run.stderr).expect("JSON on stderr");
    assert_eq!(error["error"]["kind"], "usage");
    let refused = patctl.run(&["create", " ", "-o", "json"]);
    let error: serde_json::Value = serde_json::from_str(&refused.stderr).expect("JSON on stderr");
    assert_eq!(error["error"]["kind"], "refused");
    assert_eq!(error["error"]["message"], "the name is blank");
    assert!(error["error"]["hint"].is_string());
}

#[test]
fn a_secret_that_nobody_takes_leaves_no_token() {
    for (sink, why) in [
        (Sink::Full, "No space left"),
        (Sink::Gone, "broken pipe"),
        (Sink::Closed, "stdout is closed"),
        (Sink::Asleep, "nothing reads stdout"),
    ] {
        let patctl = Patctl::new();
        patctl.create(&[]);
        for format in ["table", "json"] {
            let run = patctl.run_with(&["create", "-o", format], &Setup { stdout: sink, ..Setup::default() });
            assert_eq!(run.exit, Exit::Io, "{run:?}");
            assert!(run.stderr.contains(why), "{run:?}");
        }
        assert_eq!(patctl.count("SELECT count(*) FROM token"), 1);
        assert_eq!(patctl.count("SELECT count(*) FROM audit"), 1);
    }
    let nothing = Patctl::new();
    let closed = nothing.run_with(&["create"], &Setup { stdout: Sink::Closed, ..Setup::default() });
    assert_eq!(closed.exit, Exit::Io);
    assert!(!nothing.db().exists(), "no database for a token that nobody gets");
}

#[test]
fn a_token_file_is_new_private_and_never_overwritten() {
    use std::os::unix::fs::MetadataExt;
    let patctl = Patctl::new();
    let file = patctl.path("ci.token");
    let path = file.to_str().expect("a path");
    patctl.run(&["create", "--token-file", path]).is(Exit::Yes, "");
    assert_eq!(std::fs::metadata(&file).expect("the file").mode() & 0o777, 0o600);
    assert_eq!(patctl.run(&["verify", "--token-file", path]).exit, Exit::Yes);
    let before = std::fs::read(&file).expect("the file");
    patctl.run(&["create", "--token-file", path]).says(Exit::Io, &["exists"]);
    assert_eq!(std::fs::read(&file).expect("the file"), before);
    assert_eq!(patctl.count("SELECT count(*) FROM token"), 1);
    let closed = Setup { stdout: Sink::Closed, ..Setup::default() };
    let other = patctl.path("other.token");
    let run = patctl.run_with(&["create", "--token-file", other.to_str().expect("a path")], &closed);
    assert_eq!(run.exit, Exit::Yes, "a token file needs no stdout: {run:?}");
}

#[test]
fn each_create_writes_one_audit_row_with_the_actor() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "alice"]);
    let row: (String, String, i64, i64, String, String, String, String) = patctl
        .sql()
        .query_row(
            "SELECT at, actor, actor_uid, login_uid, action, token_id, user, outcome FROM audit",
            [],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?, r.get(7)?)),
        )
        .expect("one row");
    let expected =
        ("2026-11-21T12:00:00.000000Z", "operator", 1000, 1001, "create", id_of(&token), "alice", "done");
    assert_eq!(
        (
            row.0.as_str(),
            row.1.as_str(),
            row.2,
            row.3,
            row.4.as_str(),
            row.5.as_str(),
            row.6.as_str(),
            row.7.as_str()
        ),
        expected
    );
}

#[test]
fn the_prefix_and_the_secure_mode_hold_for_new_tokens_only() {
    let patctl = Patctl::new();
    let old = patctl.create(&[]);
    patctl.configure("patctl.token.prefix = acme_ci\nextender.token.secure.mode = true");
    let new = patctl.create(&[]);
    assert!(new.starts_with("acme_ci_"), "{new}");
    for token in [&old, &new] {
        assert_eq!(patctl.verify(token, &[]).0, Exit::Yes);
    }
    let modes = patctl.run(&["list", "-o", "json"]).json();
    assert_eq!((&modes[0]["secure"], &modes[1]["secure"]), (&true.into(), &false.into()));
}

#[test]
fn a_default_name_fits_the_shortest_limit() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.token.name.length = 4");
    let token = patctl.create(&[]);
    let json = patctl.run(&["show", id_of(&token), "-o", "json"]).json();
    assert_eq!(json["name"], id_of(&token)[6..]);
}

#[test]
fn dates_are_midnight_utc_and_offsets_are_understood() {
    let patctl = Patctl::new();
    for (given, kept) in [
        ("2027-01-31", "2027-01-31T00:00:00.000000Z"),
        ("2027-01-31T01:30:00+02:00", "2027-01-30T23:30:00.000000Z"),
        ("2w", "2026-12-05T12:00:00.000000Z"),
    ] {
        let token = patctl.create(&["--expires", given]);
        let json = patctl.run(&["show", id_of(&token), "-o", "json"]).json();
        assert_eq!(json["expires_at"], kept);
    }
    assert_eq!(patctl.now(), moment("2026-11-21T12:00:00Z"));
}

#[test]
fn the_limit_counts_what_was_asked_for_and_its_hint_works() {
    let patctl = Patctl::new();
    let fleet = ["create", "--count", "20", "--user", "fleet", "--expires", "30"];
    let message = "20 more would make 20 tokens for fleet; at most 10 are allowed";
    patctl.run(&fleet).says(Exit::No, &[message, "-D atlassian.pats.max.tokens.per.user=20"]);
    let raised = [&fleet[..], &["-D", "atlassian.pats.max.tokens.per.user=20"]].concat();
    assert_eq!(patctl.run(&raised).stdout.lines().count(), 20);

    for _ in 0..10 {
        patctl.create(&["--user", "o'neil", "--expires", "1h"]);
    }
    patctl.pass(Span::hours(2));
    let full = patctl.run(&["create", "--user", "o'neil"]);
    let hint = r"patctl bulk-revoke --user 'o'\''neil' --status expired --yes";
    full.says(Exit::No, &["has 10 tokens, 10 are allowed", "10 of the 10 expired", hint]);
    patctl.run(&["bulk-revoke", "--user", "o'neil", "--status", "expired", "--yes"]);
    patctl.create(&["--user", "o'neil"]);
}

#[test]
fn an_id_that_is_taken_is_exchanged_for_another() {
    use patctl::domain::{
        dice::Dice,
        token::PlainToken,
        verifier::{Cost, Verifier},
    };
    use rand::SeedableRng;
    let mut dice = Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(7)));
    let token = PlainToken::generate(&"my_prefix".parse().expect("a prefix"), &mut dice);
    let cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };
    let verifier = Verifier::make(&token, cost, &mut dice).expect("a verifier");
    let id = token.id();
    let other = token.under_another_id(&mut dice);
    assert_ne!(other.id(), id);
    let read: PlainToken = other.reveal().parse().expect("a token");
    assert!(read.reveal().starts_with("my_prefix_") && read.id() == other.id());
    assert_eq!(verifier.matches(&read), Ok(true));
}
