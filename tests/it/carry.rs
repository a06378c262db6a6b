//! `patctl export jsonl` and `patctl import jsonl`: tokens without what proves their secrets.

use crate::harness::{Patctl, Setup, id_of};
use crate::process::Home;
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

#[test]
fn a_token_that_was_ended_and_pruned_comes_only_when_named() {
    let patctl = Patctl::new();
    let (ended, kept) = (patctl.create(&["--expires", "30"]), patctl.create(&["--expires", "90"]));
    let (text, id) = (export(&patctl), id_of(&ended));
    assert_eq!(patctl.run(&["revoke", id, "--reason", "leaked"]).exit, Exit::Yes);
    patctl.pass(Span::days(31));
    assert_eq!(patctl.run(&["prune"]).exit, Exit::Yes);
    let here = || patctl.run(&["list", "--all", "-o", "ids"]).stdout;
    assert_eq!(here().trim(), id_of(&kept));
    for args in [&["--dry-run"][..], &[], &["--bring-back", id_of(&kept)]] {
        let run = import(&patctl, &text, &[args, &["-o", "json"]].concat());
        assert_eq!(run.exit, Exit::Yes, "{run:?}");
        assert!(run.stderr.contains("1 token was ended here before being pruned"), "{run:?}");
        let (answer, expected) = (run.json(), serde_json::json!([id]));
        assert!(answer["imported"] == 0 && answer["present"] == 1 && answer["ended"] == expected, "{answer}");
        assert_eq!(here().trim(), id_of(&kept));
    }
    let looked = import(&patctl, &text, &["--bring-back", id, "--dry-run", "-o", "json"]);
    assert_eq!(looked.json()["imported"], 1, "{looked:?}");
    assert_eq!(patctl.count("SELECT count(*) FROM tombstone"), 1, "only looked at");
    let run = import(&patctl, &text, &["--bring-back", id, "-o", "json"]);
    assert_eq!(run.json()["imported"], 1, "{run:?}");
    assert!(here().contains(id));
    assert_eq!(patctl.count("SELECT count(*) FROM tombstone"), 0);
    assert_eq!(patctl.verify(&ended, &[]).0, Exit::No, "its secret did not come with it");
}

#[test]
fn a_rule_that_holds_a_token_is_refused_and_not_repeated() {
    let patctl = Patctl::new();
    patctl.create(&["--restrict", "/a", "--restrict", "/marked"]);
    let text = export(&patctl);
    let secret = patctl.create(&[]);
    let vector = crate::dumps::VECTORS[0].1;
    for token in [&secret, vector] {
        let other = Patctl::new();
        let line = text.replace("/marked", &format!("/b\\\\?key={token}"));
        assert_ne!(line, text);
        let run = import(&other, &line, &[]);
        run.says(Exit::No, &["line 1", "restrictions: ", "nothing was imported"]);
        assert!(!run.stderr.contains(token) && !run.stdout.contains(token), "{run:?}");
        assert!(!other.db().exists());
    }
}

/// 20 MiB of tokens in a process that may have little more than half of that.
#[test]
fn a_large_file_takes_no_memory() {
    use std::io::Write as _;
    let home = Home::new("atlassian.pats.max.tokens.per.user = 1000000\n");
    home.create(&["--note", "the note"]);
    let exported = crate::process::stdout(&home.run(&["export", "jsonl"]));
    let id = exported.split('"').nth(5).expect("an id");
    // As many bytes as a note and a reason may have: 1,000 characters of four.
    let note = "\u{1f642}".repeat(1000);
    let reason = format!("\"revoke_reason\":\"{note}\"");
    let line = exported.replace("the note", &note).replace("\"revoke_reason\":null", &reason);
    assert!(line.len() > 8000, "{exported}");
    let count = (20 << 20) / line.len();
    let path = home.dir.path().join("large.jsonl");
    let mut file = std::io::BufWriter::new(fs::File::create(&path).expect("a file"));
    for number in 0..count {
        file.write_all(line.replacen(id, &format!("{number:010}"), 1).as_bytes()).expect("a line");
    }
    file.flush().expect("the file");
    let output = home.shell("ulimit -d 12000; patctl import jsonl - < large.jsonl");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(home.count("SELECT count(*) FROM token"), i64::try_from(count).expect("few") + 1);
}
