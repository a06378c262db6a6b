//! `patctl scan` where the process is the point: beside another one, in a hook, without rights.

use crate::harness::id_of;
use crate::process::{Home, PROGRAM, have, scaled, stderr, stdout};
use crate::scan::JIRA;
use std::fmt::Write as _;
use std::fs;
use std::process::Output;

/// The rows of `-o jsonl`, as kind and id.
fn found(output: &Output) -> Vec<(String, String)> {
    let row = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let text = |field: &str| row[field].as_str().expect("a text").to_owned();
        (text("kind"), text("id"))
    };
    stdout(output).lines().map(row).collect()
}

#[test]
fn what_was_revoked_is_refused_by_another_process_at_once() {
    let home = Home::new("patctl.token.prefix = acme\n");
    let tokens: Vec<String> =
        (0..9).map(|n| home.create(&["--user", &format!("user{n}"), "--expires", "90"])).collect();
    fs::write(home.dir.path().join("leak.log"), tokens[..8].join(" and ")).expect("a file");
    for token in &tokens {
        assert!(home.feed(&["verify"], token.as_bytes()).status.success());
    }
    let output = home.run(&["scan", "leak.log", "--revoke"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for token in &tokens[..8] {
        assert_eq!(home.feed(&["verify"], token.as_bytes()).status.code(), Some(1));
    }
    assert!(home.feed(&["verify"], tokens[8].as_bytes()).status.success(), "it did not leak");
    assert_eq!(home.run(&["scan", "leak.log"]).status.code(), Some(0));
}

/// The hook of the README, in a repository of its own.
#[test]
fn the_hook_of_the_readme_keeps_live_tokens_out_of_a_repository() {
    let readme = include_str!("../../README.md");
    let script = readme.split("```sh\n").find(|block| block.starts_with("git init")).expect("a recipe");
    let script = script.split("```").next().expect("its end");
    let home = Home::new("");
    let (live, revoked) = (home.create(&[]), home.create(&[]));
    assert!(home.run(&["revoke", id_of(&revoked)]).status.success());
    let shell = |script: &str| {
        let git = "set -e; export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b\n";
        home.shell(&format!("{git}{script}"))
    };
    let made = shell(script);
    assert!(made.status.success(), "{}", stderr(&made));
    let commit = |setup: &str| shell(&format!("cd project\n{setup}\ngit commit --quiet -m x"));
    let clean = commit("echo fine > 'a file'; git add .");
    assert!(clean.status.success(), "{}", stderr(&clean));
    let dead = commit(&format!("echo {revoked} > old; git add ."));
    assert!(dead.status.success(), "{}", stderr(&dead));
    // What is staged counts, not what lies in the work tree; nor what .gitignore says.
    let staged = commit(&format!(
        "echo .env > .gitignore; mkdir -p sub; printf 'a\\nT={live}\\n' > sub/.env; git add -f .; echo fine > sub/.env"
    ));
    assert!(!staged.status.success());
    let said = format!("{}{}", stdout(&staged), stderr(&staged));
    assert!(said.contains("\nsub/.env:2\n") && said.contains(id_of(&live)), "{said}");
    assert!(!said.contains(&live[20..40]), "{said}");
    let unstaged = commit(&format!("git reset --quiet; git add .gitignore; echo {live} > sub/.env"));
    assert!(unstaged.status.success(), "{}", stderr(&unstaged));
    // A hook that cannot look lets nothing through.
    fs::rename(home.db(), home.dir.path().join("elsewhere")).expect("a file");
    assert!(!commit("echo more > 'a file'; git add 'a file'").status.success());
}

#[test]
fn a_pipe_that_is_named_is_read_and_one_below_a_directory_is_not_waited_for() {
    let home = Home::new("");
    let token = home.create(&[]);
    let output = home.shell(&format!("patctl scan <(printf '\\n%s' {token})"));
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains(":2  patctl_"), "{output:?}");
    let output = home.shell("mkdir d; mkfifo d/fifo; echo > d/x; timeout 20 patctl scan d");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""), "{output:?}");
    let closed = home.shell("patctl scan - <&-");
    assert_eq!(closed.status.code(), Some(74), "{closed:?}");
}

#[test]
fn what_may_not_be_read_is_named_and_is_no_yes() {
    if !have("setpriv", "what_may_not_be_read_is_named_and_is_no_yes") {
        return;
    }
    let home = Home::new("");
    let script = format!(
        "chmod 711 . ; mkdir d d/locked; echo {JIRA} > d/open; echo > d/secret; echo > d/locked/x; chmod 600 d/secret; chmod 700 d/locked\n\
         cd d; cp {PROGRAM} /tmp/patctl-$$; trap 'rm /tmp/patctl-$$' EXIT\n\
         env -u PATCTL_CONFIG setpriv --reuid=65534 --regid=65534 --clear-groups /tmp/patctl-$$ scan --offline . ; echo $?\n\
         rm open; env -u PATCTL_CONFIG setpriv --reuid=65534 --regid=65534 --clear-groups /tmp/patctl-$$ scan --offline . ; echo $?"
    );
    let output = home.shell(&script);
    let (said, told) = (stdout(&output), stderr(&output));
    if told.contains("setpriv: ") {
        crate::process::skip("what_may_not_be_read_is_named_and_is_no_yes: not root");
        return;
    }
    let statuses: Vec<&str> = said.lines().filter(|line| line.parse::<u8>().is_ok()).collect();
    assert_eq!(statuses, ["1", "74"], "{said}{told}");
    for unread in ["locked could not be read", "secret could not be read"] {
        assert_eq!(told.matches(unread).count(), 2, "{told}");
    }
}

/// Planted tokens of both kinds among look-alikes: all of them, and nothing else. The whole of it, beside
/// `grep -rF`, is `benches/scan`.
#[test]
fn planted_tokens_are_found_among_look_alikes_and_nothing_else_is() {
    use rand::{RngExt as _, SeedableRng};
    let home = Home::new("");
    home.create(&[]);
    let mut rng = rand::rngs::StdRng::seed_from_u64(11);
    let mut dice = patctl::domain::dice::Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(12)));
    let prefix = "patctl".parse().expect("a prefix");
    let mut ours = || patctl::domain::token::PlainToken::generate(&prefix, &mut dice).reveal().to_owned();
    let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut planted = Vec::new();
    let mut text = String::new();
    let count = scaled(60_000, 1_000_000);
    for n in 0..count {
        let random: String = (0..44).map(|_| char::from(base64[rng.random_range(0..64)])).collect();
        // A token of ours with one character changed: its check does not fit.
        let mut wrong = ours().into_bytes();
        let at = rng.random_range(18..56);
        wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
        writeln!(text, "{random} {}", String::from_utf8_lossy(&wrong)).expect("a string");
        if n % 600 == 7 {
            let token = ours();
            planted.push(("patctl".to_owned(), id_of(&token).to_owned()));
            let number = format!("{:012}", rng.random_range(0..1_000_000_000_000_u64));
            planted.push(("atlassian".to_owned(), number.clone()));
            let head = encode(&format!("{number}:"), base64);
            writeln!(text, "{token}{head}{}", &random[..26]).expect("a string");
        }
    }
    fs::create_dir(home.dir.path().join("d")).expect("a directory");
    for (index, part) in text.as_bytes().chunks(5_000_000).enumerate() {
        // A cut through a line is one more token that is none, or is in neither file.
        fs::write(home.dir.path().join(format!("d/{index:04}")), part).expect("a file");
    }
    let output = home.run(&["scan", "d", "-o", "jsonl"]);
    let found = found(&output);
    let missing = planted.iter().filter(|token| !found.contains(token)).count();
    let cuts = text.len() / 5_000_000;
    assert!(missing <= cuts, "{missing} of {} are missing", planted.len());
    assert!(found.iter().all(|token| planted.contains(token)), "something was found that was not planted");
    // The same, whichever thread is first.
    assert_eq!(output.stdout, home.run(&["scan", "d", "-o", "jsonl"]).stdout);
}

/// Thirteen bytes as the first eighteen characters of Base64, the last of which takes its other bits from
/// what follows.
fn encode(head: &str, alphabet: &[u8; 64]) -> String {
    let mut out = String::new();
    for group in head.as_bytes().chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        let places = if group.len() == 3 { 4 } else { 2 };
        out.extend((0..places).map(|place| char::from(alphabet[(bits >> (18 - 6 * place) & 63) as usize])));
    }
    out
}
