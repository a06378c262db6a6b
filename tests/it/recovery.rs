//! A damaged database: `restore` moves it aside by itself, and what it still says of ended tokens counts.

use crate::harness::{Patctl, Run, Setup, id_of};
use crate::restore::{backup, done};
use patctl::exit::Exit;
use serde_json::json;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

/// Tokens of which one each was revoked, disabled and rotated after the backup.
struct Scene {
    patctl: Patctl,
    alive: String,
    revoked: String,
    disabled: String,
    rotated: String,
}

impl Scene {
    fn new() -> Self {
        let patctl = Patctl::new();
        patctl.configure("atlassian.pats.max.tokens.per.user = 1000");
        let mut made = (0..4).map(|_| patctl.create(&["--restrict", "/a", "--note", &"n".repeat(200)]));
        let mut next = || made.next().expect("four");
        let (alive, revoked, disabled, rotated) = (next(), next(), next(), next());
        drop(made);
        for _ in 0..20 {
            patctl.create(&["--note", &"n".repeat(200)]);
        }
        backup(&patctl);
        done(&patctl.run(&["revoke", id_of(&revoked)]));
        done(&patctl.run(&["disable", id_of(&disabled)]));
        done(&patctl.run(&["rotate", id_of(&rotated)]));
        let scene = Self { patctl, alive, revoked, disabled, rotated };
        scene.without_log();
        scene
    }

    fn without_log(&self) {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(self.patctl.path(&format!("patctl.db{suffix}")));
        }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.patctl.db()).expect("the database");
        change(&mut bytes);
        fs::write(self.patctl.db(), bytes).expect("the database");
    }

    fn restore(&self, more: &[&str]) -> Run {
        let file = self.patctl.path("backup");
        let mut args = vec!["restore", file.to_str().expect("a path"), "--yes"];
        args.extend(more);
        self.patctl.run(&args)
    }

    fn reason(&self, token: &str) -> String {
        self.patctl.verify(token, &["--url", "/a"]).1
    }

    fn aside(&self) -> Vec<PathBuf> {
        let names = fs::read_dir(self.patctl.dir.path()).expect("the directory");
        let names = names.map(|entry| entry.expect("an entry").path());
        names.filter(|path| path.to_string_lossy().contains(".damaged-")).collect()
    }
}

/// What was done to the file; whether the rows of tokens and the log survive it.
type Damage = (&'static str, fn(&Scene), bool);

const DAMAGES: &[Damage] = &[
    ("empty", |scene| scene.change(Vec::clear), false),
    ("text", |scene| scene.change(|bytes| *bytes = b"not a database, but long enough ".repeat(99)), false),
    ("zeroed header", |scene| scene.change(|bytes| bytes[..100].fill(0)), true),
    ("first page gone", |scene| scene.change(|bytes| bytes[..4096].fill(0xA5)), true),
    ("truncated", |scene| scene.change(|bytes| bytes.truncate(bytes.len() - 2 * 4096)), true),
    ("half a page", |scene| scene.change(|bytes| bytes.truncate(bytes.len() - 777)), true),
    (
        "an index page",
        |scene| {
            let root = scene.patctl.count("SELECT rootpage FROM sqlite_schema WHERE name = 'token_user'");
            let at = usize::try_from(root - 1).expect("a page") * 4096;
            scene.without_log();
            scene.change(|bytes| bytes[at..at + 4096].fill(0x5A));
        },
        true,
    ),
    ("trigger", |scene| by_sql(scene, "CREATE TRIGGER t AFTER INSERT ON audit BEGIN SELECT 1; END"), true),
    ("altered table", |scene| by_sql(scene, "ALTER TABLE token ADD COLUMN extra TEXT"), true),
    ("missing table", |scene| by_sql(scene, "DROP TABLE cache"), true),
    ("no installation", |scene| by_sql(scene, "DELETE FROM installation"), true),
    ("marks", |scene| by_sql(scene, "PRAGMA application_id = 7"), true),
    ("version", |scene| by_sql(scene, "PRAGMA user_version = 0"), true),
];

fn by_sql(scene: &Scene, sql: &str) {
    scene.patctl.sql().execute_batch(sql).expect("by hand");
}

#[test]
fn every_kind_of_damage_is_moved_aside_and_what_it_says_counts() {
    for (name, damage, readable) in DAMAGES {
        let scene = Scene::new();
        fs::set_permissions(scene.patctl.db(), fs::Permissions::from_mode(0o660)).expect("chmod");
        damage(&scene);
        let left = fs::read(scene.patctl.db()).expect("the damaged database");
        let dry = scene.restore(&["--dry-run"]);
        assert_eq!(dry.exit, Exit::Yes, "{name}: {dry:?}");
        assert_eq!(fs::read(scene.patctl.db()).expect("it"), left, "{name}: only looked at");
        let run = scene.restore(&["-o", "json"]);
        assert_eq!(run.exit, Exit::Yes, "{name}: {run:?}");
        assert!(run.stderr.contains("the database was damaged"), "{name}: {run:?}");
        assert!(run.stderr.contains("the damaged database was moved to"), "{name}: {run:?}");
        let told = run.json();
        let aside = told["kept"].as_str().expect("a file");
        assert!(aside.contains("patctl.db.damaged-20261121T120000Z"), "{name}: {told}");
        assert_eq!(fs::metadata(scene.patctl.db()).expect("it").mode() & 0o7777, 0o660, "{name}");
        assert_eq!(scene.patctl.verify(&scene.alive, &["--url", "/a"]).0, Exit::Yes, "{name}");
        let reasons = [&scene.revoked, &scene.disabled, &scene.rotated].map(|token| scene.reason(token));
        if *readable {
            assert_eq!(reasons, ["revoked", "disabled", "rotated"], "{name}: {told}");
            assert!(told["salvaged"]["tokens"].as_u64() >= Some(24), "{name}: {told}");
        } else {
            assert_eq!(told["active_again"].as_array().map(Vec::len), Some(24), "{name}: {told}");
            assert!(run.stderr.contains(id_of(&scene.alive)), "{name}: {run:?}");
        }
        let run = scene.patctl.run(&["doctor"]);
        assert_eq!((run.exit, run.stdout.as_str()), (Exit::Yes, ""), "{name}");
        done(&scene.patctl.run(&["audit", "verify"]));
    }
}

#[test]
fn a_revocation_that_only_the_log_of_a_damaged_file_holds_survives() {
    let scene = Scene::new();
    let victim = scene.patctl.create(&[]);
    fs::remove_file(scene.patctl.path("backup")).expect("unlink");
    backup(&scene.patctl);
    let reader = scene.patctl.sql();
    reader.execute_batch("BEGIN; SELECT count(*) FROM token").expect("a reader");
    done(&scene.patctl.run(&["revoke", id_of(&victim)]));
    let log = fs::read(scene.patctl.path("patctl.db-wal")).expect("its log");
    assert!(log.len() > 4096, "the reader keeps the revocation in the log");
    let main = fs::read(scene.patctl.db()).expect("the database");
    drop(reader);
    scene.without_log();
    fs::write(scene.patctl.db(), &main[..2 * 4096]).expect("a file");
    scene.change(|bytes| bytes.fill(0xA5));
    // A log that SQLite does not accept any more: its checksums are broken.
    fs::write(scene.patctl.path("patctl.db-wal"), [&[0; 32], &log[32..]].concat()).expect("a file");
    let run = scene.restore(&[]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    assert_eq!(scene.patctl.verify(&victim, &[]).1, "revoked", "{run:?}");
    let aside = scene.aside();
    assert!(aside.iter().any(|path| path.to_string_lossy().ends_with("Z-wal")), "{aside:?}");
}

/// SQLite plays any log that lies beside a database into it.
#[test]
fn the_log_of_a_database_that_is_gone_is_not_played_into_a_new_one() {
    let scene = Scene::new();
    let reader = scene.patctl.sql();
    reader.execute_batch("BEGIN; SELECT count(*) FROM token").expect("a reader");
    done(&scene.patctl.run(&["revoke", id_of(&scene.alive)]));
    let log = fs::read(scene.patctl.path("patctl.db-wal")).expect("its log");
    drop(reader);
    fs::remove_file(scene.patctl.db()).expect("unlink");
    scene.without_log();
    fs::write(scene.patctl.path("patctl.db-wal"), log).expect("a file");
    let run = scene.patctl.run(&["create"]);
    run.says(Exit::Permission, &["patctl.db-wal", "a database that is gone", "restore a backup"]);
    let run = scene.restore(&[]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    assert!(run.stderr.contains("only its log is left"), "{run:?}");
    assert_eq!(scene.reason(&scene.alive), "revoked", "{run:?}");
    assert!(!scene.aside().is_empty());
    scene.patctl.run(&["doctor"]).is(Exit::Yes, "");
}

#[test]
fn a_database_of_another_program_is_only_replaced_if_asked() {
    let scene = Scene::new();
    fs::remove_file(scene.patctl.db()).expect("unlink");
    scene
        .patctl
        .sql()
        .execute_batch("CREATE TABLE photos (a); INSERT INTO photos VALUES (1)")
        .expect("theirs");
    fs::set_permissions(scene.patctl.db(), fs::Permissions::from_mode(0o600)).expect("chmod");
    let before = fs::read(scene.patctl.db()).expect("theirs");
    scene.restore(&[]).says(Exit::Io, &["another program", "--db", "--replace-foreign"]);
    assert_eq!(fs::read(scene.patctl.db()).expect("theirs"), before);
    assert!(scene.aside().is_empty());
    done(&scene.restore(&["--replace-foreign"]));
    assert_eq!(fs::read(&scene.aside()[0]).expect("theirs"), before);
    assert_eq!(scene.patctl.verify(&scene.alive, &["--url", "/a"]).0, Exit::Yes);
}

#[test]
fn a_damaged_database_of_another_installation_is_left_alone() {
    let scene = Scene::new();
    let other = Scene::new();
    fs::copy(other.patctl.db(), scene.patctl.db()).expect("a copy");
    scene.change(|bytes| bytes[..100].fill(0));
    scene.restore(&[]).says(Exit::No, &["another database"]);
    assert!(scene.aside().is_empty());
}

#[test]
fn it_asks_before_it_moves_a_damaged_database() {
    let scene = Scene::new();
    scene.change(|bytes| bytes[..4096].fill(0));
    let file = scene.patctl.path("backup");
    let args = ["restore", file.to_str().expect("a path")];
    scene.patctl.run(&args).says(Exit::Usage, &["nobody can be asked", "--yes"]);
    for (answer, exit) in [(false, Exit::No), (true, Exit::Yes)] {
        let answers = [answer];
        let run = scene.patctl.run_with(&args, &Setup { terminal: Some((&answers, "")), ..Setup::default() });
        assert_eq!(run.exit, exit, "{run:?}");
        assert_eq!(scene.aside().is_empty(), !answer, "{run:?}");
    }
    assert_eq!(scene.reason(&scene.revoked), "revoked");
}

#[test]
fn restoring_into_nothing_names_what_may_be_active_again() {
    let scene = Scene::new();
    fs::rename(scene.patctl.db(), scene.patctl.path("moved.db")).expect("a rename");
    scene.patctl.pass(patctl::domain::moment::Span::hours(3));
    let run = scene.restore(&[]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    for words in
        ["there was no database", "(3 hours ago)", id_of(&scene.revoked), "and 4 more", "--revoked-since"]
    {
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    }
    assert_eq!(scene.patctl.verify(&scene.revoked, &["--url", "/a"]).0, Exit::Yes, "nothing is known of it");
    fs::remove_file(scene.patctl.db()).expect("unlink");
    scene.without_log();
    let list = scene.patctl.path("ids");
    fs::write(&list, format!("{}\n\n{}\nzzzzzzzzzz\n", id_of(&scene.revoked), &id_of(&scene.disabled)[..6]))
        .expect("a file");
    let run = scene.restore(&["--revoked-since", list.to_str().expect("a path"), "-o", "json"]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    let told = run.json();
    assert_eq!(told["not_in_backup"], json!(["zzzzzzzzzz"]));
    assert_eq!(told["active_again"].as_array().map(Vec::len), Some(22), "{told}");
    assert_eq!(told["backup_at"], "2026-11-21T12:00:00.000000Z");
    assert_eq!([scene.reason(&scene.revoked), scene.reason(&scene.disabled)], ["revoked", "revoked"]);
    scene.patctl.run(&["doctor"]).is(Exit::Yes, "");
}

#[test]
fn a_backup_sealed_with_a_key_is_refused_without_it() {
    let patctl = Patctl::new();
    let key = format!("patctl.integrity.key.file = {}\n", patctl.path("integrity.key").display());
    patctl.configure(&key);
    let token = patctl.create(&[]);
    backup(&patctl);
    let file = patctl.path("backup").to_str().expect("a path").to_owned();
    fs::remove_file(patctl.db()).expect("unlink");
    patctl.configure("");
    let run = patctl.run(&["restore", &file, "--yes"]);
    run.says(Exit::Config, &["sealed with a key", "patctl.integrity.key.file", "--without-key"]);
    assert!(!patctl.db().exists());
    let run = patctl.run(&["restore", &file, "--yes", "--without-key"]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    assert!(run.stderr.contains("1 token is sealed with a key and denied"), "{run:?}");
    assert!(run.stdout.starts_with("1 token is as in "), "{run:?}");
    assert_eq!(patctl.verify(&token, &[]).1, "damaged");
    let run = patctl.run(&["doctor"]);
    assert!(run.stdout.contains("restore again with the key"), "{run:?}");
    patctl.configure(&key);
    done(&patctl.run(&["restore", &file, "--yes"]));
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    patctl.run(&["doctor"]).is(Exit::Yes, "");
}

#[test]
fn a_dump_that_was_read_back_is_recognised_marked_and_restored() {
    if !crate::process::have("sqlite3", "a_dump_that_was_read_back_is_recognised_marked_and_restored") {
        return;
    }
    let scene = Scene::new();
    let dump = |from: &str, to: &str| {
        let script = format!("sqlite3 {from} .dump | sqlite3 {to} && chmod 600 {to}");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]).current_dir(scene.patctl.dir.path());
        assert!(shell.status().expect("sh").success());
    };
    dump("patctl.db", "new.db");
    fs::rename(scene.patctl.path("new.db"), scene.patctl.db()).expect("a rename");
    scene.without_log();
    let run = scene.patctl.run(&["list"]);
    run.says(Exit::Io, &["'sqlite3 .dump' leaves out", "PRAGMA user_version", "PRAGMA application_id"]);
    let run = scene.patctl.run(&["doctor"]);
    assert_eq!(run.exit, Exit::No, "{run:?}");
    assert!(run.stdout.contains("doctor --fix"), "{run:?}");
    done(&scene.patctl.run(&["doctor", "--fix"]));
    let run = scene.patctl.run(&["doctor"]);
    assert_eq!((run.exit, run.stdout.as_str()), (Exit::Yes, ""));
    assert_eq!(scene.reason(&scene.revoked), "revoked");
    // As a backup, too.
    fs::remove_file(scene.patctl.path("backup")).expect("unlink");
    dump("patctl.db", "backup");
    done(&scene.restore(&[]));
    assert_eq!(scene.patctl.verify(&scene.alive, &["--url", "/a"]).0, Exit::Yes);
    scene.patctl.run(&["doctor"]).is(Exit::Yes, "");
}

#[test]
fn a_database_that_litestream_keeps_tables_in_goes_on_working() {
    let scene = Scene::new();
    by_sql(
        &scene,
        "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER); CREATE TABLE _litestream_lock (id INTEGER);
         CREATE INDEX report ON audit (at); INSERT INTO _litestream_seq VALUES (1, 7)",
    );
    assert_eq!(scene.patctl.verify(&scene.alive, &["--url", "/a"]).0, Exit::Yes);
    assert_eq!(scene.patctl.run(&["list"]).exit, Exit::Yes);
    // The replica, into an empty place and over the database.
    fs::remove_file(scene.patctl.path("backup")).expect("unlink");
    backup(&scene.patctl);
    done(&scene.restore(&[]));
    fs::remove_file(scene.patctl.db()).expect("unlink");
    scene.without_log();
    done(&scene.restore(&[]));
    assert_eq!(scene.patctl.count("SELECT seq FROM _litestream_seq"), 7);
    assert_eq!(scene.reason(&scene.revoked), "revoked");
    let run = scene.patctl.run(&["doctor"]);
    assert_eq!((run.exit, run.stdout.as_str()), (Exit::Yes, ""), "{run:?}");
    assert!(run.stderr.contains("note: tolerated: table _litestream_seq"), "{run:?}");
    let json = scene.patctl.run(&["doctor", "-o", "json"]).json();
    assert_eq!((&json["ok"], json["notes"].as_array().map(Vec::len)), (&json!(true), Some(3)), "{json}");
}

/// What was pruned, and whose audit rows are deleted, too, has nothing but a tombstone.
#[test]
fn a_tombstone_in_a_damaged_database_counts() {
    let scene = Scene::new();
    scene.patctl.pass(patctl::domain::moment::Span::days(40));
    done(&scene.patctl.run(&["prune"]));
    let id = id_of(&scene.revoked);
    by_sql(
        &scene,
        &format!("DELETE FROM audit WHERE token_id = '{id}'; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"),
    );
    scene.without_log();
    scene.change(|bytes| bytes[..100].fill(0));
    let run = scene.restore(&[]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    assert!(run.stdout.contains("pruned since: not brought back"), "{run:?}");
    assert_eq!(scene.patctl.verify(&scene.revoked, &["--url", "/a"]).0, Exit::No);
    assert_eq!(scene.patctl.count(&format!("SELECT count(*) FROM tombstone WHERE id = '{id}'")), 1);
    scene.patctl.run(&["doctor"]).is(Exit::Yes, "");
}
