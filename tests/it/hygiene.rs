//! What a process that holds secrets gives up, and how it dies.

use crate::harness::id_of;
use crate::process::{Home, PROGRAM, scaled, skip, stderr, stdout};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn there_are_no_core_dumps_and_whatever_is_made_is_for_its_owner_alone() {
    let home = Home::new("");
    let first = home.shell(&format!("umask 000; ulimit -c unlimited; {PROGRAM} create -q > /dev/null"));
    assert!(first.status.success(), "{first:?}");
    let token = home.create(&[]);
    assert!(home.feed(&["verify"], token.as_bytes()).status.success());
    for entry in fs::read_dir(home.dir.path()).expect("the home") {
        let entry = entry.expect("an entry");
        if entry.file_name().to_string_lossy().starts_with("patctl.db") {
            let mode = entry.metadata().expect("a file").mode() & 0o7777;
            assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        }
    }
    let mut child = home.command(&["verify"]).stdin(Stdio::piped()).spawn().expect("patctl");
    let limits = wait_for(&format!("/proc/{}/limits", child.id()), |text| {
        text.lines()
            .any(|line| line.starts_with("Max core file size") && line.split_whitespace().nth(4) == Some("0"))
    });
    drop(child.stdin.take());
    let _ = child.wait();
    assert!(limits, "a core could be dumped");
}

/// Reads a file of `/proc` until it says what it should; between fork and exec it does not yet.
fn wait_for(path: &str, fits: impl Fn(&str) -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        if fs::read_to_string(path).is_ok_and(|text| fits(&text)) {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

/// As another user, whose process it is: root may read everything.
#[test]
fn another_process_of_the_same_user_cannot_look_into_it() {
    let home = Home::new("");
    home.create(&[]);
    fs::set_permissions(home.dir.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    let as_root = fs::metadata("/proc/self").expect("procfs").uid() == 0;
    let become_other = if as_root { "setpriv --reuid=65534 --regid=65534 --clear-groups" } else { "" };
    let script = format!(
        "{become_other} bash -c 'sleep 3 | {PROGRAM} man >&2; sleep 3 | {PROGRAM} verify & sleep 1; \
         pid=$(pgrep -n -P $$ patctl || pgrep -n patctl); cat /proc/$pid/environ > /dev/null; echo $? ${{pid:-none}}'"
    );
    let output = home.shell(&script);
    let said = stdout(&output);
    if said.trim().ends_with("none") || stderr(&output).contains("No such file") || said.is_empty() {
        skip("another_process_of_the_same_user: another user cannot run the program from here");
        return;
    }
    assert!(
        said.starts_with("1 ") && stderr(&output).contains("Permission denied"),
        "{said} {}",
        stderr(&output)
    );
}

#[test]
fn a_file_that_may_grow_no_further_is_an_error_that_is_told() {
    let home = Home::new("");
    let token = home.create(&[]);
    for blocks in [0, 1, 8, 40] {
        let output = home.shell(&format!("ulimit -f {blocks}; {PROGRAM} create -q --expires 5"));
        let code = output.status.code();
        assert!(code == Some(74) || code == Some(0), "{blocks}: {output:?}");
        assert!(
            output.status.signal().is_none() && code.is_some_and(|code| code < 128),
            "{blocks}: {output:?}"
        );
        assert_eq!(code == Some(0), !output.stdout.is_empty(), "a token exactly where it says so");
    }
    assert!(home.run(&["list"]).status.success());
    assert!(home.feed(&["verify"], token.as_bytes()).status.success());
    assert!(home.run(&["revoke", crate::harness::id_of(&token)]).status.success());
    assert!(home.run(&["doctor"]).status.success());
}

/// A signal in the midst of a bulk change: all of it or nothing, and a status that says which signal.
#[test]
fn a_signal_during_bulk_work_leaves_all_or_nothing_and_says_its_number() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 1000000");
    home.create(&["--user", "keeper"]);
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
         INSERT INTO token (id, name, user, auth, verifier, created_at)
         SELECT printf('%010d', i), 'n', 'u', 'both', '$', created_at FROM n, (SELECT created_at FROM token LIMIT 1)";
    home.sql().execute_batch(fill).expect("rows by hand");
    let whole = fs::read(home.db()).expect("the database");
    let begun = Instant::now();
    assert!(home.run(&["bulk-revoke", "--user", "u", "--yes", "-q"]).status.success());
    let life = u64::try_from(begun.elapsed().as_micros()).expect("a time").max(1);
    let revoked = "SELECT count(*) FROM token WHERE revoked_at IS NOT NULL";
    let (mut stopped, rounds) = (0, scaled(12, 200));
    for round in 0..rounds {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(home.dir.path().join(format!("patctl.db{suffix}")));
        }
        fs::write(home.db(), &whole).expect("the database");
        let (name, number) = [("INT", 2), ("TERM", 15), ("HUP", 1)][round % 3];
        // A shell sees what a script sees. It must not ignore the signal itself.
        let script = format!(
            "{PROGRAM} bulk-revoke --user u --yes -q & pid=$!; read -r; kill -{name} $pid; wait $pid; echo $?"
        );
        let mut child = home
            .command_of("bash")
            .args(["-m", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("bash");
        thread::sleep(Duration::from_micros(round as u64 * (life * 618 / 1000) % life));
        let _ = child.stdin.take().expect("a pipe").write_all(b"\n");
        let output = child.wait_with_output().expect("bash");
        let status: i32 =
            stdout(&output).trim().lines().last().unwrap_or_default().parse().expect("a status");
        assert!(status == 0 || status == 128 + number, "{name}: {status}");
        let count = home.count(revoked);
        assert!(count == 0 || count == 6000, "{count} of 6000");
        assert!(status != 0 || count == 6000, "{name}: it said that it was done");
        stopped += usize::from(status != 0 && count == 0);
    }
    assert!(stopped > rounds / 6, "only {stopped} of {rounds} were stopped in time");
    assert!(home.run(&["audit", "verify"]).status.success());
}

#[test]
fn what_was_printed_before_a_failure_is_not_lost_with_it() {
    let home = Home::new("");
    home.create(&["older"]);
    let newer = home.create(&["newer"]);
    let damage = "PRAGMA ignore_check_constraints = ON; UPDATE token SET auth = '?' WHERE name = 'older'";
    home.sql().execute_batch(damage).expect("a damaged row");
    let listed = home.run(&["list", "-o", "jsonl"]);
    assert!(stderr(&listed).contains("'auth' cannot be read"), "{listed:?}");
    assert!(stdout(&listed).contains(id_of(&newer)), "{listed:?}");
}
