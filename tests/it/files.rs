//! What stands in the place of the database or the configuration, and is refused.

use crate::harness::{Patctl, Setup, id_of};
use crate::process::{Home, stderr};
use patctl::exit::Exit;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
}

#[test]
fn the_database_is_private_and_so_is_its_new_directory() {
    let mut patctl = Patctl::new();
    patctl.env.insert("XDG_DATA_HOME".to_owned(), patctl.path("a").into());
    let config = patctl.path("patctl.properties");
    let args = ["patctl", "--config", config.to_str().expect("a path"), "create"].map(Into::into);
    let run = patctl.run_exactly(&args, &Setup::default());
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o7777;
    assert_eq!(mode(&patctl.path("a/patctl/patctl.db")), 0o600);
    assert_eq!((mode(&patctl.path("a")), mode(&patctl.path("a/patctl"))), (0o700, 0o700));
    for entry in fs::read_dir(patctl.path("a/patctl")).expect("the directory") {
        let entry = entry.expect("an entry");
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
        assert!(!entry.file_name().to_string_lossy().contains(".new-"), "{entry:?}");
    }
}

/// A misspelled name is noticed by nothing else.
#[test]
fn a_named_database_needs_its_directory_and_is_told_of() {
    let mut patctl = Patctl::new();
    patctl.env.insert("PATCTL_DB".to_owned(), patctl.path("nowhere/patctl.db").into());
    let config = patctl.path("patctl.properties").to_string_lossy().into_owned();
    let create = |patctl: &Patctl, more: &[&str]| {
        let args = ["patctl", "--config", &config, "create", "-q"];
        let args: Vec<_> = args.into_iter().chain(more.iter().copied()).map(Into::into).collect();
        patctl.run_exactly(&args, &Setup::default())
    };
    create(&patctl, &[]).says(Exit::Io, &["there is no directory", "nowhere", "mkdir -m 700"]);
    assert!(!patctl.path("nowhere").exists());
    patctl.env.insert("PATCTL_DB".to_owned(), patctl.path("other.db").into());
    let made = create(&patctl, &[]);
    assert_eq!(made.exit, Exit::Yes);
    assert!(made.stderr.contains("made the database"), "{made:?}");
    assert_eq!(create(&patctl, &[]).stderr, "");
    let typed = patctl.path("typed.db").to_string_lossy().into_owned();
    assert_eq!(create(&patctl, &["--db", &typed]).stderr, "", "its name was just typed");
}

#[test]
fn links_pipes_directories_devices_and_open_doors_are_refused() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let real = patctl.path("real.db");
    fs::rename(patctl.db(), &real).expect("a rename");
    let verify = || patctl.run_with(&["verify"], &Setup { stdin: token.as_bytes(), ..Setup::default() });
    let refused = |why: &str| {
        verify().says(Exit::Permission, &[why]);
        patctl.run(&["create"]).says(Exit::Permission, &[why]);
    };

    let before = fs::read(&real).expect("the database");
    symlink(&real, patctl.db()).expect("a link");
    refused("it is a link");
    assert_eq!(fs::read(&real).expect("the database"), before, "nothing was written through the link");
    fs::remove_file(patctl.db()).expect("unlink");

    symlink("/nowhere/at/all", patctl.db()).expect("a link");
    refused("it is a link");
    fs::remove_file(patctl.db()).expect("unlink");

    fs::create_dir(patctl.db()).expect("a directory");
    refused("it is not a regular file");
    fs::remove_dir(patctl.db()).expect("rmdir");

    let fifo = std::process::Command::new("mkfifo").arg(patctl.db()).status().expect("mkfifo");
    assert!(fifo.success());
    refused("it is not a regular file");
    fs::remove_file(patctl.db()).expect("unlink");

    fs::rename(&real, patctl.db()).expect("a rename");
    chmod(&patctl.db(), 0o666);
    refused("it can be written by everybody");
    chmod(&patctl.db(), 0o644);
    refused("it can be read by everybody");
    patctl.run(&["revoke", id_of(&token)]).says(Exit::Permission, &["chmod o-r"]);
    let looked = patctl.run(&["list", "-o", "ids"]);
    assert_eq!((looked.exit, looked.stdout.as_str()), (Exit::Yes, format!("{}\n", id_of(&token)).as_str()));
    assert!(looked.stderr.contains("can be read by everybody"), "{looked:?}");
    chmod(&patctl.db(), 0o660);
    assert_eq!((verify().exit, verify().stderr.as_str()), (Exit::Yes, ""), "a group is a choice");
    let open = patctl.path("open");
    fs::create_dir(&open).expect("a directory");
    chmod(&open, 0o777);
    fs::copy(patctl.db(), open.join("patctl.db")).expect("a copy");
    let args = ["patctl", "--db", &format!("{}/patctl.db", open.display()), "list"].map(Into::into);
    let why = "its directory can be written by everybody";
    patctl.run_exactly(&args, &Setup::default()).says(Exit::Permission, &[why]);

    let device = ["patctl", "--db", "/dev/null", "list"].map(Into::into);
    assert_eq!(patctl.run_exactly(&device, &Setup::default()).exit, Exit::Permission);
}

/// Under another name it would have another log: a revocation under the one would not be seen
/// under the other.
#[test]
fn a_second_name_for_the_file_is_refused() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    fs::hard_link(patctl.db(), patctl.path("other.db")).expect("a link");
    let setup = Setup { stdin: token.as_bytes(), ..Setup::default() };
    patctl.run_with(&["verify"], &setup).says(Exit::Permission, &["hard link"]);
    fs::remove_file(patctl.path("other.db")).expect("unlink");
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
}

/// SQLite plays what lies beside the file into it: it must be the owner's.
#[test]
fn planted_companions_are_refused() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let setup = Setup { stdin: token.as_bytes(), ..Setup::default() };
    let verify = || patctl.run_with(&["verify"], &setup);
    fs::write(patctl.path("patctl.db-journal"), "planted").expect("a file");
    verify().says(Exit::Permission, &["patctl.db-journal", "rollback journal"]);
    fs::remove_file(patctl.path("patctl.db-journal")).expect("unlink");
    let wal = patctl.path("patctl.db-wal");
    chmod(&wal, 0o666);
    verify().says(Exit::Permission, &["patctl.db-wal", "not a regular file of its owner"]);
    fs::remove_file(&wal).expect("unlink");
    symlink("/dev/null", &wal).expect("a link");
    verify().says(Exit::Permission, &["patctl.db-wal"]);
    fs::remove_file(&wal).expect("unlink");
    assert_eq!(verify().exit, Exit::Yes);
}

/// Every process starts with the log that the last one left.
#[test]
fn the_log_stays_short_whatever_the_number_of_changes_and_uses() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 1000");
    let token = patctl.create(&[]);
    let log = || fs::metadata(patctl.path("patctl.db-wal")).map_or(0, |log| log.len());
    for _ in 0..30 {
        patctl.create(&[]);
        assert_eq!(log(), 0, "a change folds its log in");
    }
    let mut longest = 0;
    for _ in 0..200 {
        assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
        longest = longest.max(log());
    }
    assert!((1..400 * 1024).contains(&longest), "{longest} bytes");
}

#[test]
fn create_in_a_refused_directory_leaves_nothing() {
    let patctl = Patctl::new();
    let open = patctl.path("open");
    fs::create_dir(&open).expect("a directory");
    chmod(&open, 0o777);
    let db = open.join("patctl.db");
    let args = ["patctl", "--db", db.to_str().expect("a path"), "create"].map(Into::into);
    assert_eq!(patctl.run_exactly(&args, &Setup::default()).exit, Exit::Permission);
    assert_eq!(fs::read_dir(&open).expect("the directory").count(), 0);
}

#[test]
fn a_link_in_the_directory_is_followed_before_the_file_is_looked_at() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    symlink(patctl.dir.path(), patctl.path("other")).expect("a link");
    let db = patctl.path("other/patctl.db");
    let args = ["patctl", "--db", db.to_str().expect("a path"), "verify"].map(Into::into);
    let setup = Setup { stdin: token.as_bytes(), ..Setup::default() };
    assert_eq!(patctl.run_exactly(&args, &setup).exit, Exit::Yes);
}

#[test]
fn what_is_no_database_of_ours_is_refused_and_left_alone() {
    let patctl = Patctl::new();
    for (content, why) in [
        (b"".as_slice(), "is empty"),
        (b"not a database at all, but long enough to be looked at as one by anybody", "not a database"),
        (b"SQLite format 3\0garbage", "not a database"),
    ] {
        fs::write(patctl.db(), content).expect("a file");
        chmod(&patctl.db(), 0o600);
        for args in [&["create"][..], &["list"], &["prune"]] {
            patctl.run(args).says(Exit::Io, &["not what patctl wrote", why]);
        }
        assert_eq!(fs::read(patctl.db()).expect("the file"), content);
    }
}

/// What an older patctl made is brought up to date, and nothing of it is lost.
#[test]
fn an_older_schema_is_brought_up_to_date_with_all_that_is_in_it() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--note", "kept"]);
    let newer = patctl.path("newer.db");
    fs::rename(patctl.db(), &newer).expect("a rename");
    let old = patctl.sql();
    old.execute_batch(include_str!("../../src/store/sqlite/migrations/0001_tokens.sql")).expect("schema 1");
    let columns = "seq, id, name, user, email, auth, verifier, created_at, expires_at, last_used_at, revoked_at, \
                 revoke_reason, disabled_at, restricted, secure, notify_to, note, version";
    let audit =
        "seq, at, actor, actor_uid, login_uid, action, token_id, user, effective_user, outcome, reason";
    old.execute_batch(&format!(
        "PRAGMA application_id = 0x50415443; PRAGMA user_version = 1; ATTACH '{}' AS newer; \
         INSERT INTO token SELECT {columns} FROM newer.token; INSERT INTO audit SELECT {audit} FROM newer.audit;",
        newer.display()
    ))
    .expect("the rows of today fit schema 1");
    // A log as it may have grown: more rows than one step of the upgrade takes.
    old.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
         INSERT INTO audit (at, actor, actor_uid, action, token_id, outcome, reason)
         SELECT at, actor, actor_uid, 'verify', '0000000000', 'denied', 'unknown' FROM n, (SELECT * FROM audit LIMIT 1)",
    )
    .expect("rows by hand");
    drop(old);
    chmod(&patctl.db(), 0o600);
    patctl.run(&["audit", "verify"]).is(Exit::Yes, "intact: 2501 rows\n");
    assert_eq!(patctl.verify(&token, &["--method", "GET", "--url", "/a"]), (Exit::Yes, String::new()));
    let shown = patctl.run(&["show", id_of(&token), "-o", "json"]).json();
    assert_eq!(shown["note"], "kept");
    assert_eq!(shown["history"][0]["url"], "/a");
    assert_eq!(shown["history"][1]["action"], "create");
}

#[test]
fn a_newer_schema_is_refused_with_both_numbers() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    patctl.sql().pragma_update(None, "user_version", 99).expect("a pragma");
    let setup = Setup { stdin: token.as_bytes(), ..Setup::default() };
    patctl.run_with(&["verify"], &setup).says(Exit::Io, &["schema 99", "this patctl knows up to "]);
    patctl.run(&["create"]).says(Exit::Io, &["schema 99", "newer"]);
}

#[test]
fn an_altered_schema_is_refused_by_every_command() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let evil = "CREATE TRIGGER evil AFTER INSERT ON audit BEGIN DELETE FROM audit; END";
    patctl.sql().execute_batch(evil).expect("by hand");
    for args in [&["list"][..], &["show", id_of(&token)], &["revoke", id_of(&token)], &["prune"], &["create"]]
    {
        patctl.run(args).says(Exit::Io, &["schema was altered", "trigger evil"]);
    }
    let setup = Setup { stdin: token.as_bytes(), ..Setup::default() };
    patctl.run_with(&["verify"], &setup).says(Exit::Io, &["trigger evil"]);
}

#[test]
fn settings_that_were_altered_by_hand_are_set_again() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let mode: String =
        patctl.sql().pragma_update_and_check(None, "journal_mode", "delete", |r| r.get(0)).expect("a pragma");
    assert_eq!(mode, "delete");
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    let mode: String = patctl.sql().pragma_query_value(None, "journal_mode", |r| r.get(0)).expect("a pragma");
    assert_eq!(mode, "wal");
}

#[test]
fn a_plain_copy_of_the_file_holds_every_change() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let kept = patctl.create(&[]);
    let _ = patctl.verify(&kept, &[]);
    patctl.run(&["revoke", id_of(&token)]);
    let copy = Patctl::new();
    fs::copy(patctl.db(), copy.db()).expect("a copy");
    assert_eq!(copy.verify(&token, &[]).1, "revoked");
    assert_eq!(copy.verify(&kept, &[]).0, Exit::Yes);
}

#[test]
fn the_like_for_the_configuration() {
    let patctl = Patctl::new();
    let config = patctl.path("patctl.properties");
    let refused = |why: &str| patctl.run(&["create"]).says(Exit::Config, &[why]);
    chmod(&config, 0o666);
    refused("can be written by everybody");
    chmod(&config, 0o644);
    assert_eq!(patctl.run(&["create", "-q"]).stderr, "", "a readable configuration is no news");
    fs::rename(&config, patctl.path("real")).expect("a rename");
    refused("No such file");
    symlink(patctl.path("real"), &config).expect("a link");
    assert_eq!(patctl.run(&["create"]).exit, Exit::Yes, "an own link is fine");
    fs::remove_file(&config).expect("unlink");
    fs::create_dir(&config).expect("a directory");
    refused("not a regular file");
    fs::remove_dir(&config).expect("rmdir");
    let fifo = std::process::Command::new("mkfifo").arg(&config).status().expect("mkfifo");
    assert!(fifo.success());
    refused("not a regular file");
    fs::remove_file(&config).expect("unlink");
    fs::write(&config, vec![b'#'; (1 << 20) + 1]).expect("a file");
    refused("larger than 1 MiB");
}

/// Root may write anything, so this one becomes somebody else where it can.
#[test]
fn who_cannot_write_the_database_gets_no_answer_from_it() {
    let home = Home::new("");
    let token = home.create(&[]);
    fs::set_permissions(home.dir.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    let as_root = fs::metadata("/proc/self").expect("procfs").uid() == 0;
    let verify = |mode: u32| {
        chmod(&home.db(), mode);
        let program = crate::process::PROGRAM;
        let script = if as_root {
            format!("printf %s {token} | setpriv --reuid=65534 --regid=65534 --clear-groups {program} verify")
        } else {
            format!("printf %s {token} | {program} verify")
        };
        home.shell(&script)
    };
    if as_root && !verify(0o600).status.code().is_some_and(|code| code != 126 && code != 127) {
        crate::process::skip("who_cannot_write_the_database: another user cannot run the program from here");
        return;
    }
    for mode in [0o600, 0o644] {
        if as_root || mode == 0o644 {
            let output = verify(if as_root { mode } else { 0o444 });
            assert_eq!(output.status.code(), Some(77), "{output:?}");
            let why = if mode == 0o644 { "read by everybody" } else { "cannot be used" };
            assert!(!as_root || stderr(&output).contains(why), "{output:?}");
        }
    }
}
