//! Real processes with real streams: closed, full, asleep, gone.

use crate::process::{Home, PROGRAM, have, stderr, stdout};
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn a_closed_or_full_stdout_leaves_no_token_and_no_panic() {
    let home = Home::new("");
    home.create(&[]);
    for (redirection, why) in [(">&-", "stdout is closed"), (">/dev/full", "No space left")] {
        for format in ["", "-o json"] {
            let output = home.shell(&format!("{PROGRAM} create {format} {redirection}"));
            assert_eq!(output.status.code(), Some(74), "{output:?}");
            assert!(stderr(&output).contains(why), "{output:?}");
            assert!(!stderr(&output).contains("panic"), "{output:?}");
        }
    }
    assert_eq!(home.count("SELECT count(*) FROM token"), 1);
}

#[test]
fn a_closed_stdin_is_trouble_and_not_a_no() {
    let home = Home::new("");
    home.create(&[]);
    let output = home.shell(&format!("{PROGRAM} verify <&-"));
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert_eq!(home.shell(&format!("{PROGRAM} verify </dev/null")).status.code(), Some(1));
}

#[test]
fn a_reader_that_left_leaves_no_token() {
    let home = Home::new("");
    home.create(&[]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = home.command(&["create"]).stdout(writer).output().expect("patctl");
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert_eq!(home.count("SELECT count(*) FROM token"), 1);
}

#[test]
fn a_reader_that_never_reads_leaves_no_token_and_holds_nobody_up() {
    let home = Home::new("");
    let token = home.create(&[]);
    let (_reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&vec![b'x'; 65_536]).expect("a pipe holds 64 KiB");
    let stuck =
        home.command(&["create", "-q"]).stdout(writer).stderr(Stdio::piped()).spawn().expect("patctl");
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    while begun.elapsed() < Duration::from_millis(1500) {
        let one = Instant::now();
        assert!(home.feed(&["verify"], token.as_bytes()).status.success());
        slowest = slowest.max(one.elapsed());
    }
    let output = stuck.wait_with_output().expect("patctl");
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert!(stderr(&output).contains("nothing reads stdout"), "{output:?}");
    assert!(slowest < Duration::from_secs(2), "a verify took {slowest:?}");
    assert_eq!(home.count("SELECT count(*) FROM token"), 1);
}

/// Many tokens at once fill the pipe; then the reader sleeps, and the lock must not.
#[test]
fn a_reader_that_falls_asleep_in_the_midst_of_many_tokens_holds_nobody_up() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100000");
    home.create(&[]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let name = "n".repeat(40);
    let many = home
        .command(&["create", &name, "--count", "2000", "-o", "jsonl"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .expect("patctl");
    let output = many.wait_with_output().expect("patctl");
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert!(stderr(&output).contains("nothing reads stdout"), "{output:?}");
    assert!(stderr(&output).contains("tokens, which are good"), "{output:?}");
    let begun = Instant::now();
    home.create(&[]);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    drop(reader);
}

#[test]
fn an_answer_to_a_closed_stdout_is_none() {
    let home = Home::new("");
    let token = home.create(&[]);
    for (args, status) in [("verify", 0), ("verify -o json", 74), ("verify --field user", 74), ("whoami", 74)]
    {
        let output = home.shell(&format!("printf %s {token} | {PROGRAM} {args} >&-"));
        assert_eq!(output.status.code(), Some(status), "{args}: {output:?}");
    }
}

#[test]
fn head_is_silent() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100000");
    home.create(&[]);
    home.sql()
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO token (id, name, user, auth, verifier, created_at)
             SELECT printf('%010d', i), 'n', 'u', 'both', '$', (SELECT created_at FROM token LIMIT 1) FROM n",
        )
        .expect("rows by hand");
    for format in ["table", "json", "ids"] {
        let output = home.shell(&format!("set -o pipefail; {PROGRAM} list -o {format} | head -1"));
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{output:?}");
        assert_eq!(stdout(&output).lines().count(), 1);
    }
    let output = home.shell(&format!("{PROGRAM} list -o json | wc -l"));
    assert_eq!(stdout(&output).trim(), "20002");
}

#[test]
fn the_readme_promise_issue_check_revoke_and_trouble_have_their_statuses() {
    let home = Home::new("");
    let script = r#"
        T=$(patctl create --expires 90 2>/dev/null); echo "create $?"
        printf %s "$T" | patctl verify; echo "verify $?"
        ID=$(patctl list -o ids)
        patctl revoke "$ID" --yes >/dev/null; echo "revoke $?"
        printf %s "$T" | patctl verify -q; echo "verify $?"
        mv patctl.db elsewhere.db
        printf %s "$T" | patctl verify 2>/dev/null; echo "verify $?"
        rm -f patctl.db-wal patctl.db-shm; mv elsewhere.db patctl.db
        printf %s "$T" | patctl verify -q; echo "verify $?"
        printf %s "$T" | T=x patctl verify -q --token-env T; echo "env $?"
        T=junk patctl verify -q --token-env T; echo "junk $?"
    "#;
    let output = home.shell(script);
    assert_eq!(
        stdout(&output),
        "create 0\nverify 0\nrevoke 0\nverify 1\nverify 74\nverify 1\nenv 1\njunk 1\n",
        "{output:?}"
    );
}

#[test]
fn jq_reads_the_json() {
    if !have("jq", "jq_reads_the_json") {
        return;
    }
    let home = Home::new("");
    home.create(&["one", "--user", "alice"]);
    let output = home.shell("patctl list -o json | jq -r '.[] | .name + \" \" + .user'");
    assert_eq!(stdout(&output), "one alice\n", "{output:?}");
}

#[test]
fn the_version_and_the_help_go_to_stdout() {
    let home = Home::new("");
    for args in [&["--version"][..], &["--help"], &["create", "--help"], &["verify", "-h"]] {
        let output = home.run(args);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
        assert!(!output.stdout.is_empty());
        let widest = stdout(&output).lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|w| w <= 100), "{args:?}: {widest:?}");
    }
}

/// Whoever reads half a list must not take it for a whole one.
#[test]
fn an_answer_that_finds_no_room_is_trouble() {
    let home = Home::new("");
    let token = home.create(&[]);
    std::fs::write(home.dir.path().join("token"), token).expect("a file");
    for command in [
        "list",
        "list -o json",
        "list -o csv",
        "list -o ids",
        "verify -o json --token-file token",
        "verify --field id --token-file token",
        "audit",
        "config show -o csv",
        "stats",
    ] {
        let output = home.shell(&format!("{PROGRAM} {command} > /dev/full"));
        assert_eq!(output.status.code(), Some(74), "{command}: {output:?}");
        assert!(stderr(&output).contains("No space left"), "{command}: {output:?}");
    }
}
