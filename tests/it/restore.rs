//! `patctl restore`: nothing that has ended lives again.

use crate::harness::{Patctl, Run, Setup, id_of};
use crate::older::schema_5;
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use serde_json::json;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

fn path(patctl: &Patctl, name: &str) -> String {
    patctl.path(name).to_str().expect("a path").to_owned()
}

pub fn backup(patctl: &Patctl) {
    let run = patctl.run(&["backup", &path(patctl, "backup")]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
}

pub fn restore(patctl: &Patctl) -> serde_json::Value {
    let run = patctl.run(&["restore", &path(patctl, "backup"), "--yes", "-o", "json"]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    run.json()
}

fn refused(patctl: &Patctl, exit: Exit, words: &[&str]) {
    let before = fs::read(patctl.db()).ok();
    patctl.run(&["restore", &path(patctl, "backup"), "--yes"]).says(exit, words);
    assert_eq!(fs::read(patctl.db()).ok(), before, "nothing was done");
    let left = fs::read_dir(patctl.dir.path()).expect("the directory");
    let left: Vec<_> = left.map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains(".new-")), "{left:?}");
}

pub fn done(run: &Run) {
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
}

/// One token for each way to end, and one that lives.
struct Tokens {
    alive: String,
    revoked: String,
    disabled: String,
    rotated: String,
    graced: String,
    switched: (String, String),
    ended: String,
    pruned: String,
    edited: String,
}

fn tokens(patctl: &Patctl) -> Tokens {
    patctl.configure("atlassian.pats.max.tokens.per.user = 100\natlassian.pats.pruning.delay.days = 0");
    let switched = patctl.create(&[]);
    let successor = patctl.run(&["rotate", id_of(&switched), "--until-first-use"]).stdout.trim().to_owned();
    Tokens {
        alive: patctl.create(&["--user", "alice"]),
        revoked: patctl.create(&[]),
        disabled: patctl.create(&[]),
        rotated: patctl.create(&[]),
        graced: patctl.create(&[]),
        switched: (switched, successor),
        ended: patctl.create(&["--expires", "300"]),
        pruned: patctl.create(&["--expires", "1h"]),
        edited: patctl.create(&["--restrict", "/a"]),
    }
}

#[test]
fn whatever_ended_since_the_backup_stays_ended_and_the_log_goes_on() {
    let patctl = Patctl::new();
    let all = tokens(&patctl);
    assert_eq!(patctl.verify(&all.alive, &[]).0, Exit::Yes);
    backup(&patctl);
    let at_backup = patctl.run(&["audit", "head"]).stdout;
    patctl.pass(Span::seconds(2 * 3600));
    done(&patctl.run(&["prune"]));
    done(&patctl.run(&["revoke", id_of(&all.revoked), "--reason", "leaked"]));
    done(&patctl.run(&["disable", id_of(&all.disabled)]));
    let new = patctl.run(&["rotate", id_of(&all.rotated)]).stdout.trim().to_owned();
    patctl.run(&["rotate", id_of(&all.graced), "--grace", "2h"]);
    assert_eq!(patctl.verify(&all.switched.1, &[]).0, Exit::Yes);
    done(&patctl.run(&["edit", id_of(&all.ended), "--expires", "3h"]));
    done(&patctl.run(&["edit", id_of(&all.edited), "--restrict", "/b"]));
    patctl.pass(Span::seconds(4 * 3600));
    let since = patctl.create(&["--user", "bob"]);
    let at_restore = patctl.run(&["audit", "head"]).stdout;

    let dry = patctl.run(&["restore", &path(&patctl, "backup"), "--dry-run"]);
    for line in [
        "9 tokens would be as in ",
        "1 token revoked since: still revoked",
        "1 token disabled since: still disabled",
        "3 tokens rotated since: still rotated",
        "1 token pruned since: not brought back",
        "tokens issued since: gone",
    ] {
        assert!(dry.stdout.contains(line), "{line}: {dry:?}");
    }
    assert!(dry.stdout.contains(&format!("gone      {}  bob", id_of(&since))), "{dry:?}");
    assert_eq!(patctl.run(&["audit", "head"]).stdout, at_restore, "only looked at");

    let told = restore(&patctl);
    assert_eq!(told["log_goes_on"], true);
    assert_eq!(told["previous_head"].as_str(), Some(at_restore.trim()));
    let reason = |token: &str| patctl.verify(token, &[]).1;
    assert_eq!(patctl.verify(&all.alive, &[]).0, Exit::Yes);
    assert_eq!(reason(&all.revoked), "revoked");
    assert_eq!(reason(&all.disabled), "disabled");
    assert_eq!([reason(&all.rotated), reason(&all.graced), reason(&all.switched.0)], ["rotated"; 3]);
    assert_eq!(patctl.verify(&all.switched.1, &[]).0, Exit::Yes);
    assert_eq!(reason(&all.ended), "expired");
    assert_eq!([reason(&all.pruned), reason(&since), reason(&new)], ["unknown"; 3]);
    assert_eq!(patctl.verify(&all.edited, &["--url", "/a"]).0, Exit::Yes, "as in the backup");
    let shown = patctl.run(&["show", id_of(&all.revoked), "-o", "json"]).json();
    assert_eq!(shown["revoke_reason"], "leaked");

    for head in [at_backup, at_restore] {
        done(&patctl.run(&["audit", "verify", "--head", head.trim()]));
    }
    let rows = patctl.run(&["audit", "--action", "restore", "-o", "json"]).json();
    let last =
        rows.as_array().expect("rows").last().expect("a row")["detail"].as_str().expect("words").to_owned();
    assert!(last.contains(told["head"].as_str().expect("a head")), "{last}");
    assert!(
        last.ends_with(&format!("before it {}", told["previous_head"].as_str().expect("a head"))),
        "{last}"
    );
    let of_gone = patctl.run(&["audit", "--token", id_of(&since), "-o", "json"]).json();
    assert_eq!(of_gone[1]["detail"], "gone: issued after the backup");
    patctl.run(&["doctor"]).is(Exit::Yes, "");
    // What was there is a database of its own.
    let kept = told["kept"].as_str().expect("a file");
    assert!(kept.contains("patctl.db.before-restore-20261121T180000Z"), "{kept}");
    let other = Patctl::new();
    fs::copy(kept, other.db()).expect("a copy");
    assert_eq!(other.verify(&since, &[]).0, Exit::Yes);
}

#[test]
fn the_cache_is_empty_and_every_version_is_higher_than_before() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    done(&patctl.run(&["edit", id_of(&token), "--note", "x"]));
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    backup(&patctl);
    for note in ["y", "z"] {
        done(&patctl.run(&["edit", id_of(&token), "--note", note]));
    }
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    let version = patctl.count("SELECT version FROM token");
    assert_eq!(patctl.count("SELECT count(*) FROM cache"), 1);
    restore(&patctl);
    assert_eq!(patctl.count("SELECT count(*) FROM cache"), 0);
    assert!(patctl.count("SELECT version FROM token") > version);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    assert_eq!(patctl.run(&["show", id_of(&token), "-o", "json"]).json()["note"], "x");
}

/// The rows may have been altered, the log cut off: either is enough to end a token.
#[test]
fn a_revocation_that_only_the_log_or_only_the_row_knows_survives() {
    for knows in ["row", "log"] {
        let patctl = Patctl::new();
        let token = patctl.create(&[]);
        backup(&patctl);
        done(&patctl.run(&["revoke", id_of(&token)]));
        if knows == "row" {
            patctl.sql().execute("DELETE FROM audit WHERE seq > 2", []).expect("by hand");
        } else {
            patctl.sql().execute("UPDATE token SET revoked_at = NULL, version = 1", []).expect("by hand");
            patctl.reseal();
            assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes, "the attack works");
        }
        restore(&patctl);
        assert_eq!(patctl.verify(&token, &[]).1, "revoked", "{knows}");
        patctl.run(&["doctor"]).is(Exit::Yes, "");
    }
}

#[test]
fn a_row_that_was_lost_comes_back_and_disabled_where_more_may_have_happened() {
    let patctl = Patctl::new();
    let (quiet, edited) = (patctl.create(&[]), patctl.create(&[]));
    backup(&patctl);
    done(&patctl.run(&["edit", id_of(&edited), "--expires", "1h"]));
    patctl.sql().execute("DELETE FROM token", []).expect("by hand");
    let told = restore(&patctl);
    assert_eq!(told["exceptions"], json!([{"id": id_of(&edited), "user": "operator", "kept": "unknown"}]));
    assert_eq!(patctl.verify(&quiet, &[]).0, Exit::Yes);
    assert_eq!(patctl.verify(&edited, &[]).1, "disabled");
    done(&patctl.run(&["enable", id_of(&edited)]));
    // Retention has deleted what might be known.
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    backup(&patctl);
    patctl.pass(Span::days(1));
    patctl.create(&[]);
    patctl.pass(Span::days(40));
    patctl.configure("patctl.audit.retention.days = 2");
    done(&patctl.run(&["prune"]));
    patctl.sql().execute("DELETE FROM token WHERE id = ?1", [id_of(&token)]).expect("by hand");
    restore(&patctl);
    assert_eq!(patctl.verify(&token, &[]).1, "disabled");
    done(&patctl.run(&["audit", "verify"]));
}

#[test]
fn a_log_that_is_broken_is_left_in_the_kept_file_and_its_head_is_named() {
    let patctl = Patctl::new();
    let (token, gone) = (patctl.create(&[]), patctl.create(&[]));
    backup(&patctl);
    done(&patctl.run(&["revoke", id_of(&gone)]));
    let head = patctl.run(&["audit", "head"]).stdout.trim().to_owned();
    patctl.sql().execute("UPDATE audit SET actor = 'nobody' WHERE seq = 1", []).expect("by hand");
    assert_eq!(patctl.run(&["audit", "verify"]).exit, Exit::No);
    let told = restore(&patctl);
    assert_eq!(told["log_goes_on"], false);
    done(&patctl.run(&["audit", "verify"]));
    patctl.run(&["doctor"]).is(Exit::Yes, "");
    let rows = patctl.run(&["audit", "--action", "restore", "-o", "json"]).json();
    let words = rows[1]["detail"].as_str().expect("words");
    assert!(words.contains(&format!("before it {head}, whose log is broken")), "{words}");
    assert_eq!(rows[0]["detail"], "stays revoked");
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    assert_eq!(patctl.verify(&gone, &[]).1, "revoked");
}

#[test]
fn what_is_no_backup_of_this_database_is_refused() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    refused(&patctl, Exit::Io, &["there is no backup at"]);
    let file = patctl.path("backup");
    let private = || fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("chmod");
    fs::write(&file, "not a database at all, but long enough to be looked at as one by anybody")
        .expect("a file");
    private();
    refused(&patctl, Exit::Io, &["backup", "not a database", "nothing was changed; restore another backup"]);
    fs::remove_file(&file).expect("unlink");

    let other = Patctl::new();
    other.create(&[]);
    backup(&other);
    fs::rename(other.path("backup"), &file).expect("a rename");
    refused(&patctl, Exit::No, &["another database", "move the one that is there away"]);
    fs::remove_file(&file).expect("unlink");

    backup(&patctl);
    let on_backup = |statement: &str| {
        let db = rusqlite::Connection::open(&file).expect("the backup");
        db.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).expect("a pragma");
        db.execute_batch(statement).expect("by hand");
    };
    let whole = fs::read(&file).expect("the backup");
    for (statement, why) in [
        ("PRAGMA user_version = 99", &["schema 99", "knows up to"][..]),
        ("PRAGMA application_id = 7", &["another program"]),
        ("CREATE TRIGGER evil AFTER INSERT ON audit BEGIN DELETE FROM audit; END", &["trigger evil"]),
        ("UPDATE audit SET actor = 'x' WHERE seq = 1", &["audit log in", "row 1 was changed"]),
    ] {
        fs::write(&file, &whole).expect("the backup");
        on_backup(statement);
        refused(&patctl, Exit::Io, why);
    }
    fs::remove_file(&file).expect("unlink");
    symlink(patctl.db(), &file).expect("a link");
    refused(&patctl, Exit::Permission, &["it is a link"]);
}

#[test]
fn a_backup_becomes_the_database_where_there_is_none() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    backup(&patctl);
    fs::remove_file(patctl.db()).expect("unlink");
    let told = restore(&patctl);
    assert_eq!((&told["kept"], &told["previous_head"]), (&json!(null), &json!(null)));
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    patctl.run(&["doctor"]).is(Exit::Yes, "");
    done(&patctl.run(&["audit", "verify"]));
    assert_eq!(fs::metadata(patctl.db()).expect("it").permissions().mode() & 0o7777, 0o600);
}

#[test]
fn it_asks_a_person_and_needs_yes_elsewhere() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    backup(&patctl);
    let file = path(&patctl, "backup");
    patctl.create(&["--user", "bob"]);
    patctl.run(&["restore", &file]).says(Exit::Usage, &["nobody can be asked", "--dry-run"]);
    let person = |answer: &'static [bool]| {
        patctl.run_with(&["restore", &file], &Setup { terminal: Some((answer, "")), ..Setup::default() })
    };
    let run = person(&[false]);
    assert_eq!(run.exit, Exit::No);
    assert!(run.stderr.contains("1 token issued since: gone") && run.stderr.contains("nothing was restored"));
    assert_eq!(patctl.count("SELECT count(*) FROM token"), 2);
    let run = person(&[true]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    assert!(run.stdout.contains("what was there is kept in"), "{run:?}");
    assert_eq!(patctl.count("SELECT count(*) FROM token"), 1);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
}

#[test]
fn a_backup_with_an_older_schema_is_brought_up_to_date() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", "/a"]);
    backup(&patctl);
    let db = rusqlite::Connection::open(patctl.path("backup")).expect("the backup");
    schema_5(&db);
    db.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).expect("a pragma");
    drop(db);
    let before = fs::read(patctl.path("backup")).expect("the backup");
    patctl.create(&[]);
    restore(&patctl);
    assert_eq!(patctl.verify(&token, &["--url", "/a"]).0, Exit::Yes);
    patctl.run(&["doctor"]).is(Exit::Yes, "");
    assert_eq!(fs::read(patctl.path("backup")).expect("the backup"), before, "the backup stays what it was");
}

#[test]
fn seals_with_a_key_survive_and_a_backup_of_before_the_key_must_be_trusted_by_name() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    backup(&patctl);
    patctl.configure(&format!("patctl.integrity.key.file = {}\n", path(&patctl, "integrity.key")));
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    let run = patctl.run(&["restore", &path(&patctl, "backup"), "--yes"]);
    assert!(run.stderr.contains("not what patctl wrote") && run.stderr.contains(id_of(&token)), "{run:?}");
    assert_eq!(patctl.verify(&token, &[]).1, "damaged");
    done(&patctl.run(&["restore", &path(&patctl, "backup"), "--yes", "--adopt"]));
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    patctl.run(&["doctor"]).is(Exit::Yes, "");
    fs::remove_file(patctl.path("backup")).expect("unlink");
    backup(&patctl);
    restore(&patctl);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    // A row that was altered in the backup is altered after it, too.
    let db = rusqlite::Connection::open(patctl.path("backup")).expect("the backup");
    db.execute_batch("UPDATE token SET email = 'm@example.com'").expect("by hand");
    drop(db);
    restore(&patctl);
    assert_eq!(patctl.verify(&token, &[]).1, "damaged");
}
