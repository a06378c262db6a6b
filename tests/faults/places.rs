//! What stands where the database, or the configuration, should be.

use crate::figure;
use crate::harness::id_of;
use crate::process::{Home, PROGRAM, skip, stderr, stdout};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

/// Puts something at `path` in place of the file that is at `real` now; false where this machine cannot.
type Plant = fn(path: &Path, real: &Path) -> bool;

const PLANTS: [(&str, Plant); 8] = [
    ("a link to it", |path, real| symlink(real, path).is_ok()),
    ("a link to nothing", |path, _| symlink("/nowhere/at/all", path).is_ok()),
    ("a link to a file of somebody else", |path, _| symlink("/etc/passwd", path).is_ok()),
    ("a directory", |path, _| fs::create_dir(path).is_ok()),
    ("a FIFO", |path, _| Command::new("mkfifo").arg(path).status().is_ok_and(|s| s.success())),
    ("a socket", |path, _| UnixListener::bind(path).is_ok()),
    ("a device", |path, _| {
        let made = Command::new("mknod").arg(path).args(["c", "1", "3"]).output();
        made.is_ok_and(|made| made.status.success())
    }),
    ("mode 666", |path, real| {
        fs::copy(real, path).expect("a copy");
        chmod(path, 0o666);
        true
    }),
];

/// Runs everything that opens it, with a token that was good; none may say yes, and nothing may change.
fn refused(home: &Home, what: &str, token: &str, real: &Path, code: i32, doctor: bool) -> usize {
    let before = fs::read(real).expect("what was there");
    let id = id_of(token).to_owned();
    let commands = [
        &["create", "-q"][..],
        &["list"],
        &["show", &id],
        &["verify"],
        &["revoke", &id],
        &["bulk-revoke", "--yes"],
        &["prune"],
        &["audit"],
        &["export", "jsonl"],
        &["backup", "copy"],
    ];
    for args in commands {
        let output = home.feed(args, token.as_bytes());
        assert_eq!(output.status.code(), Some(code), "{what}: {args:?}: {output:?}");
        assert_eq!(stdout(&output), "", "{what}: {args:?}");
        assert!(stderr(&output).contains("patctl: "), "{what}: {args:?}: {output:?}");
    }
    if doctor {
        let output = home.run(&["doctor"]);
        assert!(matches!(output.status.code(), Some(1 | 78)), "{what}: doctor: {output:?}");
    }
    assert_eq!(fs::read(real).expect("what was there"), before, "{what}: it was written");
    assert!(!home.dir.path().join("copy").exists(), "{what}: a backup of it");
    commands.len()
}

#[test]
fn what_is_no_file_of_ours_is_refused_and_nothing_is_written_through_it() {
    let (mut cases, mut kinds) = (0, 0);
    // An own link to the configuration is a choice, as is a configuration in /dev/null: nothing is written there.
    for (file, code, fine) in [
        ("patctl.db", 77, &[][..]),
        ("patctl.properties", 78, &["a link to it", "a link to a file of somebody else"]),
    ] {
        for (what, plant) in PLANTS {
            if fine.contains(&what) {
                continue;
            }
            let home = Home::new("");
            let token = home.create(&["-q"]);
            let (path, real) = (home.dir.path().join(file), home.dir.path().join("real"));
            fs::rename(&path, &real).expect("a rename");
            if !plant(&path, &real) {
                skip(&format!("what_is_no_file_of_ours: {what} cannot be made here"));
                continue;
            }
            let passwd = fs::read("/etc/passwd").expect("it");
            cases += refused(&home, &format!("{file}: {what}"), &token, &real, code, true);
            assert_eq!(fs::read("/etc/passwd").expect("it"), passwd);
            kinds += 1;
        }
    }
    figure("link, FIFO, directory, device, mode 666", &format!("{kinds} kinds, {cases} commands refused"));
}

/// Whatever may not be written: a yes would have no audit row.
#[test]
fn a_database_that_cannot_be_written_gives_no_yes() {
    let as_root = fs::metadata("/proc/self").expect("procfs").uid() == 0;
    let mut cases = 0;
    // Modes of the directory, of the file, and of what lies beside it.
    for (directory, file, beside) in [
        (0o755, 0o400, 0o400),
        (0o755, 0o600, 0o400),
        (0o755, 0o400, 0o600),
        (0o555, 0o400, 0o400),
        (0o555, 0o600, 0o400),
        (0o555, 0o600, 0o000),
        (0o755, 0o000, 0o600),
        (0o000, 0o600, 0o600),
    ] {
        for has_log in [false, true] {
            // Without one it is made, where the directory and the file allow it.
            if !has_log && directory == 0o755 && file == 0o600 {
                continue;
            }
            let home = Home::new("");
            let token = home.create(&["-q"]);
            let id = id_of(&token);
            let place = home.dir.path().join("place");
            fs::create_dir(&place).expect("a directory");
            let db = place.join("patctl.db");
            // What is beside it as after a use, or nothing as after a copy.
            for suffix in ["", "-wal", "-shm"] {
                let name = format!("patctl.db{suffix}");
                if (suffix.is_empty() || has_log) && home.dir.path().join(&name).exists() {
                    fs::copy(home.dir.path().join(&name), place.join(&name)).expect("a copy");
                    chmod(&place.join(&name), if suffix.is_empty() { file } else { beside });
                }
            }
            let program = home.dir.path().join("program");
            // By another process: a child that this one starts meanwhile would hold it open to write.
            let copied = Command::new("cp").arg(PROGRAM).arg(&program).status();
            assert!(copied.expect("cp").success());
            chmod(home.dir.path(), 0o755);
            fs::write(home.dir.path().join("token"), &token).expect("a file");
            chmod(&home.dir.path().join("token"), 0o644);
            if as_root {
                let owned = Command::new("chown").args(["-R", "65534:65534"]).arg(&place).status();
                assert!(owned.expect("chown").success());
            }
            chmod(&place, directory);
            let other = if as_root { "setpriv --reuid=65534 --regid=65534 --clear-groups " } else { "" };
            let run = |command: &str| {
                home.shell(&format!("PATCTL_DB={} {other}{} {command}", db.display(), program.display()))
            };
            let what = format!("{directory:o} {file:o} {beside:o} log: {has_log}");
            for command in ["verify --token-file token", "verify -o json --token-file token"] {
                let output = run(command);
                let code = output.status.code().expect("no signal");
                assert!(matches!(code, 74 | 77), "{what}: {command}: {output:?}");
                assert!(!stdout(&output).contains("\"allowed\""), "{what}: {output:?}");
                cases += 1;
            }
            for command in ["create -q", &format!("revoke {id}"), "bulk-revoke --yes --user root"] {
                let output = run(command);
                assert!(matches!(output.status.code(), Some(74 | 77)), "{what}: {command}: {output:?}");
                assert_eq!(stdout(&output), "", "{what}: {command}");
                cases += 1;
            }
            chmod(&place, 0o700);
        }
    }
    figure("read-only database or directory", &format!("{cases} commands, none said yes"));
}
