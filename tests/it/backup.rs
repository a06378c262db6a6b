//! `patctl backup`: a copy that can be put back, whatever others do meanwhile.

use crate::harness::{Patctl, Setup, id_of};
use crate::process::{Done, Home, scaled, stderr};
use patctl::exit::Exit;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a directory");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

fn backup(patctl: &Patctl, name: &str) -> crate::harness::Run {
    patctl.run(&["backup", patctl.path(name).to_str().expect("a path")])
}

#[test]
fn a_backup_is_private_complete_and_audited() {
    let patctl = Patctl::new();
    let (good, gone) = (patctl.create(&["--restrict", "/a"]), patctl.create(&[]));
    patctl.run(&["revoke", id_of(&gone)]);
    let head = patctl.run(&["audit", "head"]).stdout.trim().to_owned();
    let run = backup(&patctl, "copy");
    assert_eq!(
        (run.exit, run.stdout.as_str(), run.stderr.as_str()),
        (Exit::Yes, "", ""),
        "cron hears nothing"
    );
    assert_eq!(fs::metadata(patctl.path("copy")).expect("the copy").mode() & 0o7777, 0o600);
    assert!(
        !names(patctl.dir.path()).iter().any(|name| name.starts_with("copy.") || name.starts_with("copy-"))
    );
    let told = patctl.run(&["audit", "--action", "backup", "-o", "json"]).json();
    let detail = told[0]["detail"].as_str().expect("a detail");
    assert!(detail.ends_with(&format!("as of {head}")) && detail.contains("copy"), "{detail}");
    let other = Patctl::new();
    fs::rename(patctl.path("copy"), other.db()).expect("a rename");
    other.run(&["doctor"]).is(Exit::Yes, "");
    assert_eq!(other.run(&["audit", "verify", "--head", &head]).exit, Exit::Yes);
    assert_eq!(other.verify(&good, &["--url", "/a"]).0, Exit::Yes);
    assert_eq!(other.verify(&gone, &[]).1, "revoked");
    let run = patctl.run(&["backup", patctl.path("second").to_str().expect("a path"), "-o", "json"]);
    let json = run.json();
    assert_eq!((&json["tokens"], &json["damaged"]), (&2.into(), &serde_json::json!([])));
    let person = Setup { terminal: Some((&[], "")), ..Setup::default() };
    let run = patctl.run_with(&["backup", patctl.path("third").to_str().expect("a path")], &person);
    assert!(run.stderr.contains("2 tokens copied to"), "{run:?}");
}

#[test]
fn a_backup_is_never_written_over_anything_and_leaves_nothing_when_it_fails() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    fs::write(patctl.path("there"), "mine").expect("a file");
    backup(&patctl, "there").says(Exit::Io, &["is there already", "name a new one"]);
    assert_eq!(fs::read(patctl.path("there")).expect("the file"), b"mine");
    symlink(patctl.path("nowhere"), patctl.path("link")).expect("a link");
    backup(&patctl, "link").says(Exit::Io, &["is there already"]);
    assert!(!patctl.path("nowhere").exists());
    let run = backup(&patctl, "no/such/copy");
    assert_eq!(run.exit, Exit::Io, "{run:?}");
    assert!(!names(patctl.dir.path()).iter().any(|name| name.contains(".new-")));
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'backup'"), 0);
    let none = Patctl::new();
    backup(&none, "copy").says(Exit::Io, &["there is no database"]);
    patctl.run(&["backup"]).says(Exit::Usage, &["FILE"]);
}

#[test]
fn a_backup_says_that_it_is_as_damaged_as_the_database() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    patctl.sql().execute("UPDATE token SET email = 'm@example.com'", []).expect("by hand");
    backup(&patctl, "rows").says(Exit::No, &["the copy was made", id_of(&token), "doctor"]);
    assert!(patctl.path("rows").exists());
    patctl.sql().execute("UPDATE audit SET actor = 'x' WHERE seq = 1", []).expect("by hand");
    backup(&patctl, "log").says(Exit::No, &["audit log is as broken", "row 1 was changed"]);
    // A page of the middle that is none.
    let mut bytes = fs::read(patctl.db()).expect("the database");
    let root: i64 = patctl.count("SELECT rootpage FROM sqlite_schema WHERE name = 'token_user'");
    let at = usize::try_from(root - 1).expect("a page") * 4096;
    bytes[at..at + 8].fill(0xFF);
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(patctl.path(&format!("patctl.db{suffix}")));
    }
    fs::write(patctl.db(), bytes).expect("the database");
    let run = backup(&patctl, "structure");
    assert_eq!(run.exit, Exit::Io, "{run:?}");
    assert!(!patctl.path("structure").exists());
}

/// Eight processes create, use and revoke; what was acknowledged before the backup began is in it.
#[test]
fn a_backup_beside_eight_writers_loses_nothing_that_was_acknowledged_before() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100000");
    home.create(&[]);
    let (made, ended) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let stop = AtomicBool::new(false);
    let rounds = scaled(3, 20);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    let token = home.create(&["-q"]);
                    assert!(home.feed(&["verify"], token.as_bytes()).status.success());
                    number += 1;
                    if number % 3 == 0 {
                        assert!(home.run(&["revoke", id_of(&token)]).status.success());
                        ended.lock().expect("no panic").push(token);
                    } else {
                        made.lock().expect("no panic").push(token);
                    }
                }
            });
        }
        let _ends = Done(&stop);
        for round in 0..rounds {
            thread::sleep(Duration::from_millis(700));
            let (alive, dead) =
                (made.lock().expect("no panic").clone(), ended.lock().expect("no panic").clone());
            let file = home.dir.path().join(format!("backup-{round}"));
            let output = home.run(&["backup", file.to_str().expect("a path")]);
            assert!(output.status.success(), "{output:?}");
            assert_eq!((output.stdout.len(), output.stderr.len()), (0, 0), "{output:?}");
            let other = Home::new("atlassian.pats.max.tokens.per.user = 100000");
            let output = other.run(&["restore", file.to_str().expect("a path"), "--yes"]);
            assert!(output.status.success(), "{output:?}");
            let output = other.run(&["doctor"]);
            assert!(output.status.success(), "{output:?}");
            assert!(alive.len() >= round * 4, "the writers were at work: {}", alive.len());
            for token in &alive {
                assert!(
                    other.feed(&["verify"], token.as_bytes()).status.success(),
                    "lost: {}",
                    stderr(&output)
                );
            }
            for token in &dead {
                assert_eq!(other.feed(&["verify"], token.as_bytes()).status.code(), Some(1));
            }
        }
    });
}

#[test]
fn a_backup_that_is_killed_has_no_name() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100000");
    home.create(&["--count", "300", "-q"]);
    let file = home.dir.path().join("copy");
    let begun = std::time::Instant::now();
    assert!(home.run(&["backup", file.to_str().expect("a path")]).status.success());
    let life = u64::try_from(begun.elapsed().as_micros()).expect("a time").max(1);
    fs::remove_file(&file).expect("unlink");
    let (mut killed, rounds) = (0, scaled(25, 500));
    for round in 0..rounds {
        let mut command = home.command(&["backup", file.to_str().expect("a path")]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("patctl");
        thread::sleep(Duration::from_micros(round as u64 * (life * 618 / 1000) % life));
        let _ = child.kill();
        if child.wait().expect("patctl").success() {
            fs::remove_file(&file).expect("it has its name");
        } else {
            killed += 1;
            if file.exists() {
                // Named, and killed before it could say so: then it is whole.
                let other = Home::new("atlassian.pats.max.tokens.per.user = 100000");
                fs::rename(&file, other.db()).expect("a rename");
                assert!(other.run(&["doctor"]).status.success());
            }
        }
    }
    assert!(killed > rounds / 10, "only {killed} of {rounds} were killed");
    for name in names(home.dir.path()).iter().filter(|name| name.contains(".new-")) {
        fs::remove_dir_all(home.dir.path().join(name)).expect("a draft");
    }
    assert!(home.run(&["doctor"]).status.success());
}

#[test]
fn a_group_that_shares_the_database_gets_backups_of_its_own() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    fs::set_permissions(patctl.db(), fs::Permissions::from_mode(0o660)).expect("chmod");
    assert_eq!(backup(&patctl, "copy").exit, Exit::Yes);
    assert_eq!(fs::metadata(patctl.path("copy")).expect("the copy").mode() & 0o7777, 0o600);
}

/// What a program that writes to stdout does when it is told to: nobody finds an empty stream with a status of 0.
#[test]
fn a_dash_streams_the_copy_and_makes_no_file() {
    let home = Home::new("");
    let token = home.create(&[]);
    let copy = home.run(&["backup", "-"]);
    assert!(copy.status.success(), "{}", stderr(&copy));
    assert!(!home.dir.path().join("-").exists());
    let other = Home::new("");
    fs::write(other.db(), &copy.stdout).expect("a file");
    fs::set_permissions(other.db(), fs::Permissions::from_mode(0o600)).expect("chmod");
    assert!(other.feed(&["verify"], token.as_bytes()).status.success(), "the copy is a database");
    assert!(other.run(&["doctor"]).status.success());
    assert_eq!(home.run(&["backup", "-", "-o", "json"]).status.code(), Some(2));
    assert_eq!(home.shell("patctl backup - > /dev/full").status.code(), Some(74));
    assert!(home.run(&["backup", "./-"]).status.success() && home.dir.path().join("-").exists());
    for args in [&["restore", "-"][..], &["create", "--token-file", "-"], &["schedule", "--systemd", "-"]] {
        let output = home.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert!(stderr(&output).contains("./-"), "{args:?}: {output:?}");
    }
    let id = crate::harness::id_of(&token).to_owned();
    assert_eq!(home.run(&["rotate", &id, "--token-file", "-"]).status.code(), Some(2));
}
