//! Named pipes in the place of files: one that nobody writes to keeps no command waiting, one that is written slowly is
//! read to its end.

use crate::process::{Home, stderr, stdout};
use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What is done with a pipe `P` that nobody opens to write, and the status. It is 74 where a pipe may be named, and
/// there it is waited for; where only a regular file will do, the pipe is refused at once, as any other.
const COMMANDS: [(&str, i32); 33] = [
    ("verify --token-file P", 74),
    ("verify -o json --token-file P", 74),
    ("whoami --token-file P", 74),
    ("create --restrict-file P", 74),
    ("rotate ID --restrict-file P", 2),
    ("edit ID --restrict-file P", 74),
    ("check --restrict-file P --method GET --url /x", 74),
    ("check --restrict /x --method POST --url /x --data-file P", 74),
    ("check --restrict /x --curl-file P", 74),
    ("check --restrict /x --http-file P", 74),
    ("check --restrict /x --case-file P", 74),
    ("import jsonl P", 74),
    ("import jsonl P --dry-run", 74),
    ("import atlassian P", 74),
    ("import atlassian P --format csv", 74),
    ("import atlassian plain --user-map P", 74),
    ("config import P", 74),
    ("config import --format list P", 74),
    ("restore copy.db --yes --revoked-since P", 74),
    ("scan P", 74),
    ("scan --offline plain P", 74),
    ("scan --offline LINK", 74),
    ("scan --offline tree", 0),
    ("restore P --yes", 77),
    ("config check P", 78),
    ("--config P list", 78),
    ("--db P list", 77),
    ("--db P create", 77),
    ("-D patctl.integrity.key.file=HERE/P list", 78),
    ("-D patctl.token.vault.key.file=HERE/P create", 78),
    ("create --token-file P", 74),
    ("backup P", 74),
    ("list", 0),
];

/// Runs all of them at once, each to its end, and for 30 seconds at most.
fn together(home: &Home, lines: &[String]) -> Vec<(Output, Duration)> {
    let begun = Instant::now();
    let start = |line: &String| -> Child {
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = home.command(&words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("patctl")
    };
    let mut children: Vec<Child> = lines.iter().map(start).collect();
    let mut took = vec![None; children.len()];
    while took.contains(&None) && begun.elapsed() < Duration::from_secs(30) {
        for (child, took) in children.iter_mut().zip(&mut took) {
            if took.is_none() && child.try_wait().expect("a child").is_some() {
                *took = Some(begun.elapsed());
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
    let end = |(mut child, took): (Child, Option<Duration>)| {
        let _ = child.kill();
        (child.wait_with_output().expect("an end"), took.unwrap_or(Duration::MAX))
    };
    children.into_iter().zip(took).map(end).collect()
}

#[test]
fn a_pipe_that_nobody_writes_to_keeps_no_command_waiting() {
    let home = Home::new("");
    let token = home.create(&["--user", "alice"]);
    let setup = "mkfifo -m 600 P; echo > plain; patctl backup copy.db; ln -s P LINK; mkdir -p tree/below; mkfifo tree/pipe \
                 tree/.gitignore tree/below/.gitignore";
    assert!(home.shell(setup).status.success());
    let (id, here) = (crate::harness::id_of(&token), home.dir.path().display().to_string());
    let lines: Vec<String> =
        COMMANDS.iter().map(|(line, _)| line.replace("ID", id).replace("HERE", &here)).collect();
    let ended = together(&home, &lines);
    for ((output, took), (line, status)) in ended.iter().zip(COMMANDS) {
        assert!(*took < Duration::from_secs(15), "{line} waits: {took:?}");
        assert_eq!(output.status.code(), Some(status), "{line}: {}", stderr(output));
        let told = stderr(output);
        if told.contains("nobody opened this pipe") {
            assert!(told.contains('P') || told.contains("LINK"), "{line}: which one? {told}");
            assert!(told.contains("for 10 seconds; write to a file first, and name that"), "{line}: {told}");
        } else {
            assert!(*took < Duration::from_secs(8), "{line} waited and does not say so: {told}");
        }
    }
    let waited =
        ended.iter().filter(|(output, _)| stderr(output).contains("nobody opened this pipe")).count();
    assert_eq!(waited, 21, "those that read what is named");
    assert_eq!(home.count("SELECT count(*) FROM token"), 1, "nothing was made");
}

#[test]
fn a_pipe_that_is_written_slowly_is_read_to_its_end() {
    let home = Home::new("");
    let token = home.create(&["--user", "alice"]);
    std::fs::write(home.dir.path().join("token"), &token).expect("a file");
    std::fs::write(home.dir.path().join("plain"), "").expect("a file");
    std::fs::write(
        home.dir.path().join("cases"),
        "{\"method\":\"GET\",\"url\":\"/x\",\"expect\":\"allow\"}\n",
    )
    .expect("a file");
    let scripts = [
        ("patctl verify --token-file <(sleep 1; cat token)", 0),
        ("sleep 1 | cat - token | patctl verify --token-file /dev/stdin", 0),
        ("patctl verify --token-file /dev/stdin < token", 0),
        // Pauses count one by one, not together.
        (
            "patctl verify --token-file <(head -c 9 token; sleep 6; tail -c +10 token | head -c 9; sleep 6; tail -c +19 token)",
            0,
        ),
        ("patctl check --restrict /x --case-file <(sleep 1; cat cases)", 0),
        ("patctl create -q --restrict-file <(sleep 1; echo /x) > new", 0),
        ("patctl scan <(sleep 1; cat token)", 1),
        ("patctl scan <(cat token; sleep 1; seq 200000) plain", 1),
        ("patctl export jsonl > all; patctl --db other.db import jsonl <(sleep 1; cat all)", 0),
        ("mkfifo late; (sleep 2; cat token > late) & patctl verify --token-file late", 0),
        // A writer that has nothing to say.
        ("mkfifo silent; sleep 60 > silent & patctl verify --token-file silent; s=$?; kill %1; exit $s", 74),
        ("patctl verify --token-file <(:)", 1),
    ];
    let start = |(script, _): &(&str, i32)| {
        let mut bash = home.command_of("bash");
        bash.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("bash")
    };
    let children: Vec<Child> = scripts.iter().map(start).collect();
    for (child, (script, status)) in children.into_iter().zip(scripts) {
        let output = child.wait_with_output().expect("an end");
        assert_eq!(output.status.code(), Some(status), "{script}: {output:?}");
        if script.contains("silent") {
            assert!(
                stderr(&output).contains("nothing was written to this pipe for 10 seconds"),
                "{output:?}"
            );
        }
        if script.contains("scan") {
            assert!(stdout(&output).contains(":1  patctl_"), "{output:?}");
        }
    }
}
