//! `patctl export jsonl` and `patctl import jsonl`: tokens without what proves their secrets.

use crate::harness::{Patctl, Setup, id_of};
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use std::fs;

/// An installation with a token in every state, and texts that need quoting.
fn lived() -> (Patctl, Vec<String>) {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 100");
    let mut tokens = vec![
        patctl.create(&[
            "a \"name\" — ünï",
            "--note",
            "x\\y, 'z'",
            "--restrict",
            "/a",
            "--restrict",
            "[get]/b.*",
        ]),
        patctl.create(&["--user", "bob", "--email", "bob@example.com", "--auth", "basic", "--expires", "90"]),
    ];
    let ended = patctl.create(&["--expires", "1h", "--notify-to", "ops@example.com"]);
    for deed in ["revoke", "disable", "rotate"] {
        let token = patctl.create(&[]);
        let run = patctl.run(&[deed, id_of(&token)]);
        assert_eq!(run.exit, Exit::Yes, "{run:?}");
        tokens.push(token);
    }
    let _ = patctl.verify(&tokens[0], &["--url", "/a"]);
    let _ = patctl.verify(&tokens[4], &[]);
    patctl.run(&["rotate", id_of(&tokens[1]), "--until-first-use"]);
    patctl.pass(Span::seconds(7200));
    tokens.push(ended);
    (patctl, tokens)
}

fn export(patctl: &Patctl) -> String {
    let run = patctl.run(&["export", "jsonl"]);
    assert_eq!((run.exit, run.stderr.as_str()), (Exit::Yes, ""), "{run:?}");
    run.stdout
}

fn import(patctl: &Patctl, text: &str, more: &[&str]) -> crate::harness::Run {
    let args = [&["import", "jsonl", "-"], more].concat();
    patctl.run_with(&args, &Setup { stdin: text.as_bytes(), ..Setup::default() })
}

#[test]
fn what_is_exported_imported_and_exported_is_the_same_and_holds_no_secret_and_no_hash() {
    let (patctl, _) = lived();
    let text = export(&patctl);
    assert_eq!(text.lines().count(), 8);
    for word in ["argon2", "$", "verifier", "sealed", "integrity", "digest"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    let other = Patctl::new();
    let run = import(&other, &text, &[]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    assert!(run.stderr.contains("8 tokens imported") && run.stderr.contains("patctl rotate"), "{run:?}");
    assert_eq!(export(&other), text);
    assert_eq!(other.run(&["audit", "verify"]).exit, Exit::Yes);
    let told = other.run(&["audit", "--action", "import", "-o", "json"]).json();
    assert_eq!(told[0]["detail"], "8 tokens without verifiers from -");
    other.configure("atlassian.pats.max.tokens.per.user = 100");
    other.set_now(patctl.now());
    other.run(&["doctor"]).is(Exit::Yes, "");
    let again = import(&other, &text, &["-o", "json"]);
    assert_eq!(again.json(), serde_json::json!({"dry_run": false, "imported": 0, "present": 8, "ended": []}));
}

#[test]
fn an_imported_token_is_good_for_nothing_until_it_is_rotated() {
    let (patctl, tokens) = lived();
    let text = export(&patctl);
    let other = Patctl::new();
    assert_eq!(import(&other, &text, &["--dry-run"]).exit, Exit::Yes);
    assert!(!other.db().exists(), "only looked at");
    assert_eq!(import(&other, &text, &[]).exit, Exit::Yes);
    for token in &tokens {
        assert_eq!(other.verify(token, &["--url", "/a"]).0, Exit::No);
    }
    // The dice of the harness are seeded by the number of the run: beyond those that made the ids that are here.
    for _ in 0..40 {
        let _ = other.run(&["config", "check"]);
    }
    let first = id_of(&tokens[0]);
    let new = other.run(&["rotate", first]).stdout.trim().to_owned();
    assert_eq!(other.verify(&new, &["--url", "/a"]), (Exit::Yes, String::new()));
    assert_eq!(other.verify(&new, &["--url", "/c"]).1, "restricted", "the grants went with it");
    assert_eq!(other.verify(&tokens[0], &["--url", "/a"]).0, Exit::No);
}

#[test]
fn all_is_imported_or_nothing_and_what_is_wrong_is_named_by_its_line() {
    let (patctl, _) = lived();
    let text = export(&patctl);
    let first = text.lines().next().expect("a line");
    let broken = |from: &str, to: &str| {
        assert!(first.contains(from), "{from} in {first}");
        first.replacen(from, to, 1)
    };
    for (line, why) in [
        (broken("\"patctl\":1", "\"patctl\":2"), "its shape is 2"),
        (broken("\"auth\":\"both\"", "\"auth\":\"all\""), "auth: cannot be read"),
        (broken("\"secure\":false", "\"secure\":false,\"verifier\":\"x\""), "unknown field"),
        (broken("[get]/b.*", "[get]/b("), "restrictions: "),
        (broken("\"notified\":\"not-sent\"", "\"notified\":\"perhaps\""), "notified"),
        (broken("2026-11-21T12", "2026-13-21T12"), "created_at"),
        (broken("\"user\":\"operator\"", "\"user\":\"a:b\""), "user: "),
        (broken("a \\\"name\\\"", "a\\u202ename"), "name: "),
        ("{".to_owned(), "this is no JSON object"),
        ("[]".to_owned(), "line 2"),
        (text.lines().nth(1).expect("a line").to_owned(), "there twice"),
    ] {
        let other = Patctl::new();
        let second = text.lines().nth(1).expect("a line");
        let run = import(&other, &format!("{second}\n{line}\n"), &[]);
        run.says(Exit::No, &["line 2", why, "nothing was imported"]);
        assert!(!other.db().exists());
    }
    // The same id in another state.
    let before = patctl.count("SELECT count(*) FROM audit");
    let changed = broken("\"note\":\"x", "\"note\":\"y");
    import(&patctl, &changed, &[]).says(Exit::No, &["are not the same", "nothing was imported"]);
    assert_eq!(patctl.count("SELECT count(*) FROM audit"), before);
    let file = patctl.path("tokens.jsonl");
    fs::write(&file, &text).expect("a file");
    let run = patctl.run(&["import", "jsonl", file.to_str().expect("a path")]);
    assert!(run.exit == Exit::Yes && run.stderr.contains("0 tokens imported, 8 here already"), "{run:?}");
    patctl.run(&["import", "jsonl", "/no/such/file"]).says(Exit::Io, &["could not be read"]);
}
