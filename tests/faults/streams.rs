//! Nobody takes what patctl prints.

use crate::figure;
use crate::harness::id_of;
use crate::process::{Home, PROGRAM, stderr, stdout};

#[test]
fn whatever_is_printed_nowhere_is_told_and_never_a_panic() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 1000");
    let token = home.create(&["--restrict", "[get]/a.*"]);
    let id = id_of(&token).to_owned();
    let line = format!("echo '{{\"token\":\"{token}\"}}' | ");
    let uses =
        home.shell(&format!("yes '{{\"token\":\"{token}\"}}' | head -n 300 | {PROGRAM} verify --batch"));
    assert_eq!(stdout(&uses).lines().count(), 300, "{uses:?}");
    let say = format!("printf %s {token} | ");
    let commands = [
        ("", "create"),
        ("", "create -o json"),
        ("", "create --count 20"),
        ("", "create --count 20 -o jsonl"),
        ("", "list"),
        ("", "list -o json"),
        ("", "list -o csv"),
        ("", "list -o ids"),
        ("", &format!("show {id}")),
        ("", "audit"),
        ("", "audit -o jsonl"),
        ("", "export jsonl"),
        ("", "config show"),
        ("", "stats"),
        ("", &format!("snippet {id} --url https://example.com/a")),
        ("", "--help"),
        ("", "--version"),
        ("", "man"),
        ("", "completions bash"),
        (say.as_str(), "verify --field user --method GET --url /a"),
        (say.as_str(), "verify -o json --method GET --url /a"),
        (line.as_str(), "verify --batch"),
    ];
    let tokens = || home.count("SELECT count(*) FROM token");
    let mut cases = 0;
    for (before, command) in commands {
        let plain = home.shell(&format!("{before}{PROGRAM} {command}"));
        assert!(!plain.stdout.is_empty(), "{command} prints nothing: {plain:?}");
        let had = tokens();
        for redirection in [">&-", ">/dev/full"] {
            let output = home.shell(&format!("{before}{PROGRAM} {command} {redirection}"));
            let said = stderr(&output);
            // A listing that was asked to go nowhere may go there; a token or an answer may not.
            let matters = command.starts_with("create") || command.starts_with("verify");
            match output.status.code() {
                Some(0) if redirection == ">&-" && !matters => {}
                Some(74) => assert!(said.contains("stdout"), "{command} {redirection}: {output:?}"),
                _ => panic!("{command} {redirection}: {output:?}"),
            }
            assert!(!said.contains("panic"), "{command} {redirection}: {output:?}");
            assert_eq!(tokens(), had, "{command} {redirection}: a token that nobody holds");
            cases += 1;
        }
        let script = format!("{before}{PROGRAM} {command} | head -c 1; echo \" ${{PIPESTATUS[-2]}}\"");
        let output = home.shell(&script);
        let (said, told) = (stderr(&output), stdout(&output));
        let status: i32 = told.rsplit(' ').next().expect("a status").trim().parse().expect("a number");
        assert!(matches!(status, 0 | 1 | 74), "{command} | head: {output:?}");
        assert!(!said.contains("panic"), "{command} | head: {output:?}");
        cases += 1;
    }
    figure("stdout closed, full, gone", &format!("{cases} runs of {} commands, no panic", commands.len()));
}
