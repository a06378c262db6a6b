//! Showing the audit log, and following it.

use crate::harness::{Patctl, Setup, id_of};
use crate::log::{altered, is_whole, many_rows, some_rows};
use crate::process::{Home, PROGRAM, stderr, stdout};
use patctl::domain::chain::COLUMNS;
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

#[test]
fn the_rows_come_as_they_were_written_in_every_format() {
    let patctl = some_rows();
    let ids = patctl.run(&["audit", "-o", "ids"]).stdout;
    assert_eq!(ids.lines().count(), 9);
    let json = patctl.run(&["audit", "-o", "json"]).json();
    let rows = json.as_array().expect("rows");
    let seqs: Vec<i64> = rows.iter().filter_map(|row| row["seq"].as_i64()).collect();
    assert_eq!(seqs, (1..=9).collect::<Vec<_>>());
    for (row, id) in rows.iter().zip(ids.lines()) {
        assert_eq!(row["token_id"], id);
    }
    assert_eq!(rows[0]["actor"], "operator");
    assert_eq!((&rows[0]["actor_uid"], &rows[0]["login_uid"]), (&1000.into(), &1001.into()));
    assert_eq!((&rows[2]["method"], &rows[2]["url"]), (&"GET".into(), &"/b?x".into()));
    assert_eq!((&rows[2]["outcome"], &rows[2]["reason"]), (&"denied".into(), &"restricted".into()));
    assert_eq!((&rows[6]["user"], &rows[6]["effective_user"]), (&serde_json::Value::Null, &"carol".into()));
    let jsonl = patctl.run(&["audit", "-o", "jsonl"]).stdout;
    let lines: Vec<serde_json::Value> =
        jsonl.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(&lines, rows);
    let csv = patctl.run(&["audit", "-o", "csv"]).stdout;
    assert_eq!(csv.lines().count(), 10);
    // What came later stands behind the hash, so that nobody who counts columns is led astray.
    let (first, later) = COLUMNS.split_at(16);
    let headings = format!("{},hash,{}", first.join(","), later.join(","));
    assert_eq!(csv.lines().next(), Some(headings.as_str()));
    let table = patctl.run(&["audit"]).stdout;
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(words(lines[0]), ["ROW", "TIME", "WHAT", "TOKEN", "USER", "BY", "WHY"]);
    assert_eq!(words(lines[2])[3..5], ["verify", "allowed"]);
    assert!(lines[3].contains("restricted; GET /b?x; line 1, url"), "{table}");
    assert!(lines[7].contains("carol"), "{table}");
    assert!(lines[8].ends_with("laptop stolen"), "{table}");

    let empty = altered(&patctl, "DELETE FROM audit");
    empty.run(&["audit", "-o", "json"]).is(Exit::Yes, "[]\n");
    assert_eq!(empty.run(&["audit"]).stderr, "the audit log is empty\n");
    assert_eq!(patctl.run(&["audit", "--user", "nobody"]).stderr, "no row matches\n");
}

#[test]
fn rows_are_chosen() {
    let patctl = some_rows();
    let rows = |args: &[&str]| -> Vec<i64> {
        let mut all = vec!["audit", "-o", "json"];
        all.extend(args);
        let json = patctl.run(&all).json();
        json.as_array().expect("rows").iter().filter_map(|row| row["seq"].as_i64()).collect()
    };
    let json = patctl.run(&["audit", "-o", "json"]).json();
    let id = json[0]["token_id"].as_str().expect("an id");
    assert_eq!(rows(&["--token", id]), [1, 2, 3, 4, 5]);
    assert_eq!(rows(&["--token", &id[..4].to_uppercase()]), [1, 2, 3, 4, 5]);
    assert_eq!(rows(&["--user", "bob"]), [9]);
    assert_eq!(
        rows(&["--user", "bob", "--user", "carol"]),
        [7, 9],
        "whose token it is, or for whom it spoke"
    );
    assert_eq!(rows(&["--actor", "operator"]).len(), 9);
    assert_eq!(rows(&["--actor", "root"]), [0; 0]);
    assert_eq!(rows(&["--action", "create"]), [1, 6, 9]);
    assert_eq!(rows(&["--action", "create", "--action", "revoke"]), [1, 6, 8, 9]);
    assert_eq!(rows(&["--outcome", "denied"]), [3, 5]);
    assert_eq!(rows(&["--outcome", "denied", "--outcome", "allowed"]), [2, 3, 4, 5, 7]);
    assert_eq!(rows(&["--reason", "restricted"]), [3, 5]);
    assert_eq!(rows(&["--reason", "laptop*", "--reason", "expired"]), [8]);
    assert_eq!(rows(&["--reason", "%"]), [0; 0]);
    assert_eq!(rows(&["--limit", "3"]), [7, 8, 9]);
    assert_eq!(rows(&["--limit", "3", "--reverse"]), [9, 8, 7]);
    assert_eq!(rows(&["--limit", "0"]), [0; 0]);
    assert_eq!(rows(&["--limit", "1", "--outcome", "denied"]), [5]);
    assert_eq!(rows(&["--reverse"]), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    patctl.pass(Span::hours(30));
    patctl.create(&[]);
    assert_eq!(rows(&["--since", "1d"]), [10]);
    assert_eq!(rows(&["--until", "1d"]).len(), 9);
    assert_eq!(rows(&["--since", "2026-11-21", "--until", "2026-11-22"]).len(), 9);
    assert_eq!(rows(&["--since", "2026-11-21T12:00:00Z"]).len(), 10, "the instant it names is within");
    assert_eq!(rows(&["--until", "2026-11-21T12:00:00Z"]), [0; 0], "and not before itself");
    for (args, word) in [
        (&["--action", "creat"][..], "create"),
        (&["--outcome", "maybe"], "allowed"),
        (&["--token", "ab"], "4 characters"),
        (&["--since", "1M"], "no fixed length"),
        (&["--follow", "--reverse"], "cannot be used with"),
        (&["--follow", "-o", "json"], "jsonl"),
        (&["--limit", "3", "verify"], "no place here"),
        (&["--since", "1d", "head"], "no place here"),
    ] {
        let mut all = vec!["audit"];
        all.extend(args);
        patctl.run(&all).says(Exit::Usage, &[word]);
    }
    for args in [&["audit", "-o", "json", "verify"][..], &["-q", "audit", "verify", "-o", "json"]] {
        assert_eq!(patctl.run(args).json()["intact"], true);
    }
    patctl.run(&["audit", "verify", "-o", "csv"]).says(Exit::Usage, &["use --output table"]);
}

#[test]
fn more_rows_than_one_read_come_once_each_and_in_order() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    let count = many_rows(&patctl, 1200);
    is_whole(&patctl, &[]);
    let seqs = |args: &[&str]| -> Vec<i64> {
        let mut all = vec!["audit", "-o", "jsonl"];
        all.extend(args);
        let out = patctl.run(&all).stdout;
        let seq = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["seq"].as_i64();
        out.lines().filter_map(seq).collect()
    };
    assert_eq!(seqs(&[]), (1..=count).collect::<Vec<_>>());
    assert_eq!(seqs(&["--reverse"]), (1..=count).rev().collect::<Vec<_>>());
    assert_eq!(seqs(&["--limit", "1100"]), (101..=count).collect::<Vec<_>>());
    assert_eq!(seqs(&["--limit", "1100", "--reverse"]), (101..=count).rev().collect::<Vec<_>>());
    assert_eq!(patctl.run(&["audit"]).stdout.lines().count(), 1201);
}

#[test]
fn rows_behind_a_row_come_once_each_whatever_the_clock_said() {
    let patctl = some_rows();
    let seqs = |args: &[&str]| -> Vec<i64> {
        let out = patctl.run(&[&["audit", "-o", "jsonl"], args].concat()).stdout;
        let seq = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["seq"].as_i64();
        out.lines().filter_map(seq).collect()
    };
    assert_eq!(seqs(&["--after", "0"]), (1..=9).collect::<Vec<_>>());
    assert_eq!(seqs(&["--after", "6"]), [7, 8, 9]);
    assert_eq!(seqs(&["--after", "6", "--reverse"]), [9, 8, 7]);
    assert_eq!(seqs(&["--after", "2", "--limit", "3"]), [3, 4, 5], "the first behind it, for pages");
    assert_eq!(seqs(&["--after", "9"]), [0; 0]);
    assert_eq!(seqs(&["--after", "2", "--user", "bob"]), [9]);
    // The clock steps back, and what is written then is not lost.
    patctl.pass(Span::minutes(-2));
    patctl.create(&["late", "--user", "mallory"]);
    assert_eq!(seqs(&["--after", "9"]), [10]);
    patctl.run(&["audit", "--after", "11"]).says(Exit::No, &["row 11"]);
    for wrong in ["-1", "x", ""] {
        assert_eq!(patctl.run(&["audit", "--after", wrong]).exit, Exit::Usage, "{wrong}");
    }
}

#[test]
fn a_hostile_reason_is_shown_and_not_obeyed() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "alice"]);
    patctl.run(&["revoke", id_of(&token), "--reason", "=1+1"]);
    patctl
        .sql()
        .execute("UPDATE audit SET reason = reason || char(27) || '[31m', actor = '=x'", [])
        .expect("by hand");
    let setup = Setup { terminal: Some((&[], "")), columns: Some(80), ..Setup::default() };
    let shown = patctl.run_with(&["audit", "--color", "never"], &setup).stdout;
    assert!(shown.contains("\\u{1b}") && !shown.contains('\x1b'), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let csv = patctl.run(&["audit", "-o", "csv"]).stdout;
    assert!(csv.contains(",'=x,") && csv.contains("'=1+1"), "{csv}");
    assert!(patctl.run(&["audit", "-o", "json"]).stdout.contains("\\u001b[31m"));
}

/// What a process prints, line by line as it comes.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let (send, receive) = channel();
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    receive
}

fn next(lines: &Receiver<String>) -> String {
    lines.recv_timeout(Duration::from_secs(20)).expect("a line")
}

fn follow(home: &Home, args: &[&str]) -> Child {
    // What started the tests may ignore an interruption, as a shell's job in the background does.
    let mut patctl = home.command_of("env");
    patctl.args(["--default-signal=INT", PROGRAM, "audit", "--follow"]).args(args);
    patctl.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("patctl")
}

/// Ends within a second or so.
fn ended(child: &mut Child) -> std::process::ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it goes on and on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn following_shows_what_was_and_what_comes_until_interrupted() {
    use std::os::unix::process::ExitStatusExt;
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100");
    for _ in 0..12 {
        home.create(&[]);
    }
    for (format, heading) in [("ids", 0), ("jsonl", 0), ("csv", 1), ("table", 1)] {
        let mut child = follow(&home, &["-o", format]);
        let lines = lines_of(&mut child);
        for _ in 0..10 + heading {
            next(&lines);
        }
        let token = home.create(&[]);
        assert!(next(&lines).contains(id_of(&token)), "{format}");
        let token = home.create(&[]);
        assert!(next(&lines).contains(id_of(&token)), "{format}");
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(killed.expect("kill").success());
        assert_eq!(ended(&mut child).signal(), Some(2));
        assert!(lines.recv().is_err(), "{format}: nothing comes twice");
    }
    let mut child = follow(&home, &["--limit", "0", "--action", "revoke", "-o", "jsonl"]);
    let lines = lines_of(&mut child);
    std::thread::sleep(Duration::from_millis(600));
    let token = home.create(&[]);
    assert!(home.run(&["revoke", id_of(&token)]).status.success());
    assert!(next(&lines).contains("\"action\":\"revoke\""), "what does not match is passed over");
    child.kill().expect("kill");
    child.wait().expect("a child");
}

#[test]
fn following_ends_when_nobody_reads_any_more() {
    let home = Home::new("");
    home.create(&[]);
    for format in ["ids", "csv", "table"] {
        let mut child = follow(&home, &["-o", format]);
        drop(child.stdout.take());
        // Nothing is written meanwhile: it is noticed all the same.
        let status = ended(&mut child);
        assert!(status.success(), "{format}: {status}");
    }
    let output =
        home.shell(&format!("timeout 20 {PROGRAM} audit -f -o ids | head -1; echo ${{PIPESTATUS[0]}}"));
    assert!(stdout(&output).ends_with("\n0\n"), "{output:?}");
    assert_eq!(stderr(&output), "");
    let closed = home.shell(&format!("timeout 20 {PROGRAM} audit -f >&-"));
    assert_eq!(closed.status.code(), Some(0), "{closed:?}");
}

#[test]
fn who_proves_nothing_leaves_no_long_row() {
    let patctl = Patctl::new();
    let token = patctl.create(&["-q", "--restrict", "/a"]);
    let url = format!("/{}?secret={}", "é".repeat(1000), "x".repeat(2000));
    let _ = patctl.verify(Patctl::foreign_token(), &["--method", "GET", "--url", "/short?x=1"]);
    for junk in [Patctl::foreign_token(), crate::verify::forge(&token, id_of(&token))] {
        let _ = patctl.verify(&junk, &["--method", "GET", "--url", &url]);
    }
    assert_eq!(patctl.count("SELECT max(length(CAST(url AS BLOB))) FROM audit"), 6);
    let _ = patctl
        .verify(Patctl::foreign_token(), &["--method", "GET", "--url", &format!("/{}", "a".repeat(900))]);
    assert_eq!(patctl.count("SELECT max(length(CAST(url AS BLOB))) FROM audit"), 200);
    let size = "SELECT max(length(at) + length(actor) + length(token_id) + length(hash) + length(url) + 60) FROM audit";
    assert!(patctl.count(size) < 600);
}
