//! A directory whose owner exchanges names for links while root is at work in it.

use crate::figure;
use crate::harness::id_of;
use crate::process::{Done, Home, PROGRAM, scaled, skip, stdout};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// The user whose directory it is.
const OTHER: u32 = 4242;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

fn is_root(test: &str) -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !root {
        skip(&format!("{test}: it takes root to act on the files of somebody else"));
    }
    root
}

/// What must not change: names, owners, modes and contents of a tree of root's.
fn state(of: &Path) -> Vec<(PathBuf, u32, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut ahead = vec![of.to_owned()];
    while let Some(path) = ahead.pop() {
        let meta = fs::symlink_metadata(&path).expect("it");
        if meta.is_dir() {
            ahead.extend(
                fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()),
            );
        }
        let bytes = if meta.is_file() { fs::read(&path).expect("a file") } else { Vec::new() };
        found.push((path, meta.uid(), meta.mode(), bytes));
    }
    found.sort();
    found
}

/// Exchanges each of these pairs in turn until told to stop; counts how often.
fn exchange(pairs: &[(PathBuf, PathBuf)], done: &AtomicBool, count: &AtomicU64) {
    while !done.load(Ordering::Relaxed) {
        for (name, link) in pairs {
            for _ in 0..2 {
                if renameat2(AT_FDCWD, name, AT_FDCWD, link, RenameFlags::RENAME_EXCHANGE).is_ok() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                thread::yield_now();
            }
        }
    }
}

/// The place of the other user: a database of theirs, made by themselves, wide open, with links beside each name that
/// lead to files and directories of root's.
fn scene(home: &Home) -> (Vec<(PathBuf, PathBuf)>, String) {
    let (theirs, ours) = (home.dir.path().join("theirs"), home.dir.path().join("ours"));
    for dir in [&theirs, &ours, &theirs.join("d"), &ours.join("d")] {
        fs::create_dir_all(dir).expect("a directory");
    }
    chmod(home.dir.path(), 0o755);
    let token = home.create(&["-q"]);
    for suffix in ["", "-wal", "-shm"] {
        let from = home.dir.path().join(format!("patctl.db{suffix}"));
        if from.exists() {
            fs::rename(&from, theirs.join(format!("d/patctl.db{suffix}"))).expect("a rename");
        }
    }
    // Programs of root's, as a set-user-id bit would make them dangerous. What commands are to make is not there: a
    // file would stand in their way.
    for name in ["patctl.db", "patctl.db-wal", "patctl.db-shm"] {
        fs::copy("/bin/true", ours.join("d").join(name)).expect("a program");
        chmod(&ours.join("d").join(name), 0o755);
    }
    let mut pairs = Vec::new();
    for name in ["patctl.db", "patctl.db-wal", "patctl.db-shm"] {
        let link = theirs.join(format!("d/link-{name}"));
        symlink(ours.join("d").join(name), &link).expect("a link");
        pairs.push((theirs.join("d").join(name), link));
    }
    symlink(ours.join("d"), theirs.join("e")).expect("a link");
    pairs.push((theirs.join("d"), theirs.join("e")));
    for entry in state(&theirs) {
        std::os::unix::fs::lchown(&entry.0, Some(OTHER), Some(OTHER)).expect("chown");
    }
    chmod(&theirs.join("d/patctl.db"), 0o6777);
    (pairs, token)
}

#[test]
fn names_that_are_exchanged_under_root_lead_nowhere() {
    if !is_root("names_that_are_exchanged_under_root") {
        return;
    }
    let most = scaled(200, 2_000) as u64;
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100000");
    let (pairs, token) = scene(&home);
    let (theirs, ours) = (home.dir.path().join("theirs"), home.dir.path().join("ours"));
    fs::write(home.dir.path().join("token"), &token).expect("a file");
    let id = id_of(&token);
    let commands = [
        "doctor --fix",
        "doctor",
        "create -q",
        "verify --token-file ../token",
        "whoami --token-file ../token",
        "list --all",
        "show ID",
        "stats",
        "edit ID --note x",
        "disable ID",
        "enable ID",
        "rotate ID --grace 1h -q",
        "revoke ID",
        "bulk-revoke --user nobody --yes",
        "prune",
        "audit",
        "audit verify",
        "audit head",
        "expiring",
        "notify --dry-run",
        "backup d/out",
        "restore d/patctl.db --yes",
        "export jsonl",
        "import jsonl ../empty",
        "scan ../empty --revoke",
        "config show",
        "config check",
        "schedule --systemd d/units",
        "create -q --token-file d/out",
        "--config d/key list",
        "-D patctl.token.vault.key.file=THERE/d/key create -q",
        "-D patctl.integrity.key.file=THERE/d/key create -q",
        "__complete show 7",
    ];
    fs::write(home.dir.path().join("empty"), "").expect("a file");
    let before = state(&ours);
    let (mut swaps, mut runs, mut fewest) = (0, 0, u64::MAX);
    for command in commands {
        let (done, count) = (AtomicBool::new(false), AtomicU64::new(0));
        let mut times = 0;
        thread::scope(|scope| {
            scope.spawn(|| exchange(&pairs, &done, &count));
            let _done = Done(&done);
            while count.load(Ordering::Relaxed) < most || times < 3 {
                let line = command.replace("ID", id).replace("THERE", theirs.to_str().expect("a path"));
                let script =
                    format!("cd theirs && PATCTL_DB={}/d/patctl.db {PROGRAM} {line}", theirs.display());
                let _ = home.shell(&script);
                times += 1;
                let after = state(&ours);
                let changed =
                    after.iter().zip(&before).find(|(is, was)| is != was).map(|(is, was)| (&is.0, &was.0));
                assert!(after == before, "{command}, run {times}: {changed:?}");
                // What was made would stand in the way of the next run. One of the two names is the link.
                for dir in ["d", "e"].map(|name| theirs.join(name)) {
                    let _ = fs::remove_file(dir.join("out"));
                    let _ = fs::remove_dir_all(dir.join("units"));
                }
            }
        });
        (swaps, runs) = (swaps + count.load(Ordering::Relaxed), runs + times);
        fewest = fewest.min(count.load(Ordering::Relaxed));
        // Nothing that root made there has a set-id bit, and what was theirs is theirs.
        for (path, uid, mode, _) in state(&theirs) {
            let was_theirs = path.ends_with("d/patctl.db") || path.ends_with("e/patctl.db");
            assert!(mode & 0o6000 == 0 || (was_theirs && uid == OTHER), "{command}: {}", path.display());
        }
    }
    figure(
        "names exchanged for links under root",
        &format!(
            "{} commands, {runs} runs, {swaps} exchanges ({fewest} or more a command), 0 changes outside, 0 set-id bits",
            commands.len()
        ),
    );
}

/// In a directory that a group shares, a member who has no key puts files of their own in the place of drafts.
#[test]
fn no_draft_that_was_exchanged_is_sealed() {
    if !is_root("no_draft_that_was_exchanged") {
        return;
    }
    let home = Home::new("patctl.db = /nowhere/patctl.db\n");
    let (shared, key) = (home.dir.path().join("shared"), home.dir.path().join("key"));
    fs::create_dir(&shared).expect("a directory");
    chmod(home.dir.path(), 0o755);
    chown(&shared, None, Some(OTHER)).expect("chown");
    chmod(&shared, 0o2770);
    let run = |args: &str| {
        home.shell(&format!(
            "{PROGRAM} -D patctl.integrity.key.file={} --db {}/patctl.db {args}",
            key.display(),
            shared.display()
        ))
    };
    let token = stdout(&run("create -q --user mallory")).trim().to_owned();
    assert!(run("backup backup.db").status.success());
    // What the member would like to have sealed: the same database, with their token in the name of somebody else.
    let forged = home.dir.path().join("forged.db");
    fs::copy(home.dir.path().join("backup.db"), &forged).expect("a copy");
    let sql = rusqlite::Connection::open(&forged).expect("a database");
    sql.execute("UPDATE token SET user = 'thechef'", []).expect("by hand");
    drop(sql);
    let (done, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let rounds = scaled(25, 200);
    thread::scope(|scope| {
        let (done, count) = (&done, &count);
        let (shared, forged) = (&shared, &forged);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                for entry in fs::read_dir(shared).into_iter().flatten().flatten() {
                    let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                    if !name.contains(".new-") {
                        continue;
                    }
                    // A draft that is a file is exchanged, one that is a directory with all in it.
                    let aside = shared.join("aside");
                    if fs::rename(&path, &aside).is_ok() {
                        count.fetch_add(1, Ordering::Relaxed);
                        let _ = fs::copy(forged, &path);
                        let _ = fs::remove_dir_all(&aside);
                        let _ = fs::remove_file(&aside);
                    }
                }
            }
        });
        let _done = Done(done);
        for _ in 0..rounds {
            let _ = run("restore backup.db --yes -q");
            let verdict = home.shell(&format!(
                "printf %s {token} | {PROGRAM} -D patctl.integrity.key.file={} --db {}/patctl.db verify --field user",
                key.display(),
                shared.display()
            ));
            assert!(!stdout(&verdict).contains("thechef"), "{verdict:?}");
        }
    });
    let exchanged = count.load(Ordering::Relaxed);
    figure(
        "drafts exchanged under a restore",
        &format!("{rounds} restores, {exchanged} exchanged, 0 rows sealed"),
    );
}
