//! `patctl doctor`: each fault that is planted is found, with what to do; a healthy installation is silent.

use crate::harness::{Patctl, Run, id_of, moment};
use crate::older::schema_5;
use crate::process::Home;
use patctl::domain::moment::{Moment, Span};
use patctl::exit::Exit;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

pub fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
}

/// A life with everything in it: whatever patctl itself does is healthy.
fn lived() -> (Patctl, String) {
    lived_from(moment("2026-11-21T12:00:00Z"))
}

/// The same life, begun at some time; it is 40 days long.
pub fn lived_from(start: Moment) -> (Patctl, String) {
    let patctl = Patctl::new();
    patctl.set_now(start);
    patctl.configure("atlassian.pats.max.tokens.per.user = 100");
    let token = patctl.create(&["--user", "alice", "--restrict", "/a", "--restrict", "[get]/b"]);
    for deed in [&["edit", "--note", "x"][..], &["disable"], &["enable"]] {
        let mut all = vec![deed[0], id_of(&token)];
        all.extend(&deed[1..]);
        assert_eq!(patctl.run(&all).exit, Exit::Yes);
    }
    let _ = patctl.verify(&token, &["--url", "/a"]);
    let other = patctl.create(&["--expires", "1"]);
    let rotated = patctl.run(&["rotate", id_of(&other), "--until-first-use"]).stdout;
    let _ = patctl.verify(rotated.trim(), &[]);
    let gone = patctl.create(&[]);
    patctl.run(&["revoke", id_of(&gone)]);
    patctl.pass(Span::days(40));
    assert_eq!(patctl.run(&["prune"]).exit, Exit::Yes);
    (patctl, token)
}

#[test]
fn a_healthy_installation_is_silent_and_zero() {
    let (patctl, _) = lived();
    let run = patctl.run(&["doctor"]);
    assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (Exit::Yes, "", ""));
    let json = patctl.run(&["doctor", "-o", "json"]).json();
    assert_eq!(json["ok"], true);
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(0));
    let before = fs::read(patctl.db()).expect("the database");
    assert_eq!(patctl.run(&["doctor", "--fix"]).exit, Exit::Yes);
    assert_eq!(fs::read(patctl.db()).expect("the database"), before, "nothing to mend, nothing changed");
    let home = Home::new("");
    home.create(&[]);
    let output = home.run(&["doctor"]);
    assert_eq!(
        (output.status.code(), output.stdout.len(), output.stderr.len()),
        (Some(0), 0, 0),
        "{output:?}"
    );
}

/// Plants a fault into an installation; what is found must have this word, and these in what it says.
pub struct Fault {
    pub kind: &'static str,
    pub plant: fn(&Patctl, &str),
    says: &'static [&'static str],
    /// Whether `--fix` mends it.
    fixes: bool,
}

pub fn sql(patctl: &Patctl, statement: &str) {
    patctl.sql().execute_batch(statement).expect("by hand");
}

pub const FAULTS: &[Fault] = &[
    Fault {
        kind: "missing",
        plant: |patctl, _| fs::remove_file(patctl.db()).expect("unlink"),
        says: &["no database", "patctl create"],
        fixes: false,
    },
    Fault {
        kind: "link",
        plant: |patctl, _| {
            fs::rename(patctl.db(), patctl.path("real.db")).expect("a rename");
            symlink(patctl.path("real.db"), patctl.db()).expect("a link");
        },
        says: &["it is a link", "--db"],
        fixes: false,
    },
    Fault {
        kind: "not-a-file",
        plant: |patctl, _| {
            fs::remove_file(patctl.db()).expect("unlink");
            let made = std::process::Command::new("mkfifo").arg(patctl.db()).status().expect("mkfifo");
            assert!(made.success());
        },
        says: &["not a regular file"],
        fixes: false,
    },
    Fault {
        kind: "not-a-file",
        plant: |patctl, _| fs::write(patctl.db(), "").expect("a file"),
        says: &["it is empty", "restore a backup"],
        fixes: false,
    },
    Fault {
        kind: "hard-link",
        plant: |patctl, _| fs::hard_link(patctl.db(), patctl.path("other.db")).expect("a link"),
        says: &["another name", "find DIR -inum"],
        fixes: false,
    },
    Fault {
        kind: "mode",
        plant: |patctl, _| chmod(&patctl.db(), 0o666),
        says: &["written by everybody", "chmod 600"],
        fixes: true,
    },
    Fault {
        kind: "directory",
        plant: |patctl, _| chmod(patctl.dir.path(), 0o777),
        says: &["replace the database", "chmod 755"],
        fixes: true,
    },
    Fault {
        kind: "companion",
        plant: |patctl, _| fs::write(patctl.path("patctl.db-journal"), "planted").expect("a file"),
        says: &["rollback journal", "move it away"],
        fixes: false,
    },
    Fault {
        kind: "companion",
        plant: |patctl, _| {
            let _ = fs::remove_file(patctl.path("patctl.db-wal"));
            symlink("/dev/null", patctl.path("patctl.db-wal")).expect("a link");
        },
        says: &["patctl.db-wal", "no regular file", "move it away"],
        fixes: false,
    },
    Fault {
        kind: "companion",
        plant: |patctl, _| fs::create_dir(patctl.path("patctl.db.new-4999999-0")).expect("a directory"),
        says: &["left it behind", "remove it"],
        fixes: false,
    },
    Fault {
        kind: "foreign",
        plant: |patctl, _| sql(patctl, "PRAGMA application_id = 7"),
        says: &["another program", "--db"],
        fixes: false,
    },
    Fault {
        kind: "newer-schema",
        plant: |patctl, _| sql(patctl, "PRAGMA user_version = 99"),
        says: &["schema 99", "or a newer one"],
        fixes: false,
    },
    Fault {
        kind: "schema",
        plant: |patctl, _| {
            sql(patctl, "CREATE TRIGGER evil AFTER INSERT ON audit BEGIN DELETE FROM audit; END");
        },
        says: &["trigger evil", "DROP TRIGGER"],
        // Nothing is lost with it.
        fixes: true,
    },
    Fault {
        kind: "setting",
        plant: |patctl, _| {
            let set = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
            let mode = patctl.sql().pragma_update_and_check(None, "journal_mode", "delete", set);
            assert_eq!(mode.expect("a pragma"), "delete");
        },
        says: &["journal_mode is delete", "wal"],
        fixes: true,
    },
    Fault {
        kind: "structure",
        plant: |patctl, _| {
            // A row that its index does not know.
            let db = patctl.sql();
            let off = rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE;
            db.set_db_config(off, false).expect("a setting");
            db.execute_batch(
                "PRAGMA writable_schema = 1;
                 CREATE TABLE kept AS SELECT sql FROM sqlite_schema WHERE name = 'token_created';
                 DELETE FROM sqlite_schema WHERE name = 'token_created'; PRAGMA writable_schema = RESET;
                 UPDATE token SET created_at = '2026-01-01T00:00:00.000000Z';",
            )
            .expect("by hand");
            // The index is named again, with the pages it had.
            db.execute_batch("DROP TABLE kept").expect("by hand");
        },
        says: &["patctl restore"],
        fixes: false,
    },
    Fault {
        kind: "audit-chain",
        plant: |patctl, _| sql(patctl, "UPDATE audit SET actor = 'nobody' WHERE seq = 2"),
        says: &["row 2 was changed", "patctl restore"],
        fixes: false,
    },
    Fault {
        kind: "contradiction",
        plant: |patctl, token| {
            patctl.run(&["revoke", id_of(token)]);
            sql(patctl, "UPDATE token SET revoked_at = NULL");
            patctl.reseal();
        },
        says: &["the audit log says it was revoked", "patctl revoke"],
        fixes: false,
    },
    Fault {
        kind: "row",
        plant: |patctl, _| sql(patctl, "UPDATE token SET expires_at = '2030-01-01T00:00:00.000000Z'"),
        says: &["its seal does not fit", "patctl revoke"],
        fixes: false,
    },
    Fault {
        kind: "row",
        plant: |patctl, _| sql(patctl, "UPDATE token SET created_at = 'xxxxxxxxxxxxxxxxxxxxxxxxxxx'"),
        says: &["created_at", "patctl restore"],
        fixes: false,
    },
    Fault {
        kind: "verifier",
        plant: |patctl, _| {
            sql(patctl, "UPDATE token SET verifier = '$argon2id$v=19$m=4194304,t=2,p=1$AAAA$AAAA'");
            patctl.reseal();
        },
        says: &["cannot be read", "patctl revoke"],
        fixes: false,
    },
    Fault {
        kind: "restriction",
        plant: |patctl, _| {
            sql(patctl, "UPDATE restriction SET rule = '/b++' WHERE position = 2");
            patctl.reseal();
        },
        says: &["rule 2:4", "patctl edit"],
        fixes: false,
    },
    Fault {
        kind: "clock",
        plant: |patctl, _| patctl.set_now(moment("2026-11-21")),
        says: &["the clock says 2026-11-21", "set the clock"],
        fixes: false,
    },
    Fault {
        kind: "too-many",
        plant: |patctl, _| {
            patctl.create(&["--user", "alice"]);
            patctl.configure("atlassian.pats.max.tokens.per.user = 1");
        },
        says: &["alice", "holds 2 tokens, 1 are allowed"],
        fixes: false,
    },
    Fault {
        kind: "config",
        plant: |patctl, _| {
            patctl
                .configure("atlassian.pats.max.tokens.per.usr = 1\natlassian.pats.max.tokens.per.user = 99");
        },
        says: &["per.usr", "did you mean"],
        fixes: false,
    },
    Fault {
        kind: "config",
        plant: |patctl, _| chmod(&patctl.path("patctl.properties"), 0o666),
        says: &["patctl.properties", "written by everybody"],
        fixes: false,
    },
    Fault {
        kind: "key-file",
        plant: |patctl, _| {
            let key = patctl.path("vault.key");
            fs::write(&key, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").expect("a file");
            chmod(&key, 0o640);
            patctl.configure(&format!(
                "patctl.token.vault.key.file = {}\natlassian.pats.max.tokens.per.user = 99",
                key.display()
            ));
        },
        says: &["vault.key", "others can read it", "chmod 600"],
        fixes: true,
    },
];

fn found(run: &Run, fault: &Fault) {
    assert_eq!((run.exit, run.stderr.as_str()), (Exit::No, ""), "{run:?}");
    let head = format!("{}: ", fault.kind);
    assert!(run.stdout.lines().any(|line| line.starts_with(&head)), "{}: {run:?}", fault.kind);
    for word in fault.says {
        assert!(run.stdout.contains(word), "{}: {word:?} in {run:?}", fault.kind);
    }
    assert!(run.stdout.contains("    mend: "), "{run:?}");
}

#[test]
fn each_planted_fault_is_found_with_what_to_do_and_mended_where_that_is_safe() {
    for fault in FAULTS {
        let (patctl, token) = lived();
        (fault.plant)(&patctl, &token);
        found(&patctl.run(&["doctor"]), fault);
        let json = patctl.run(&["doctor", "-o", "json"]).json();
        let all = json["findings"].as_array().expect("findings");
        assert_eq!(json["ok"], false, "{}", fault.kind);
        assert!(all.iter().any(|one| one["kind"] == fault.kind && one["fixed"].is_null()), "{json}");
        let fixed = patctl.run(&["doctor", "--fix"]);
        if fault.fixes {
            assert_eq!(fixed.exit, Exit::Yes, "{}: {fixed:?}", fault.kind);
            assert!(fixed.stdout.contains("    fixed: "), "{fixed:?}");
            patctl.run(&["doctor"]).is(Exit::Yes, "");
        } else {
            found(&fixed, fault);
        }
        chmod(patctl.dir.path(), 0o700);
    }
}

#[test]
fn an_older_schema_is_named_and_brought_up_to_date_if_asked() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    schema_5(&patctl.sql());
    let run = patctl.run(&["doctor"]);
    assert_eq!(run.exit, Exit::No);
    assert!(run.stdout.contains("older-schema: ") && run.stdout.contains("it has schema 5"), "{run:?}");
    assert_eq!(patctl.count("PRAGMA user_version"), 5, "looked at, and nothing else");
    let run = patctl.run(&["doctor", "--fix"]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    assert!(run.stdout.contains("fixed: it has schema "), "{run:?}");
    patctl.run(&["doctor"]).is(Exit::Yes, "");
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
}

/// Bytes that are no database at all, and a database with holes: found, never a panic.
#[test]
fn a_database_that_every_other_command_refuses_is_examined_all_the_same() {
    let (patctl, _) = lived();
    let whole = fs::read(patctl.db()).expect("the database");
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(patctl.path(&format!("patctl.db{suffix}")));
    }
    fs::write(patctl.db(), b"not a database at all, but long enough to be looked at as one by anybody")
        .expect("a file");
    let run = patctl.run(&["doctor"]);
    assert_eq!(run.exit, Exit::No);
    assert!(run.stdout.contains("unreadable: ") && run.stdout.contains("patctl restore"), "{run:?}");
    let (mut found, mut silent) = (0, 0);
    for round in 0..crate::process::scaled(40, 500) {
        let mut bytes = whole.clone();
        // Golden-ratio steps cover the file evenly.
        let at = 100 + (round * 618_034) % (bytes.len() - 200);
        bytes[at..at + 64].iter_mut().for_each(|byte| *byte ^= 0xA5);
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(patctl.path(&format!("patctl.db{suffix}")));
        }
        fs::write(patctl.db(), &bytes).expect("a file");
        let run = patctl.run(&["doctor", "-o", "json"]);
        assert!(matches!(run.exit, Exit::Yes | Exit::No), "{run:?}");
        *(if run.exit == Exit::No { &mut found } else { &mut silent }) += 1;
    }
    // What lies in no row and no index is nobody's: free pages, and the gaps within pages.
    assert!(found >= 3, "{found} found, {silent} silent");
}

#[test]
fn what_is_left_of_the_draft_of_another_database_is_not_told_of_this_one() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    // As process 1 of another machine would have left it, were it this one's.
    let left = std::env::temp_dir().join(format!("patctl.new-4194305-{}", std::process::id()));
    fs::create_dir(&left).expect("a directory");
    let run = patctl.run(&["doctor"]);
    fs::remove_dir(&left).expect("the directory");
    assert_eq!((run.exit, run.stdout.as_str()), (Exit::Yes, ""), "{run:?}");
}

#[test]
fn whoever_says_yes_beforehand_may_say_so_to_any_deed() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    for deed in ["--fix", "--compact", "--accept-clock"] {
        assert_eq!(patctl.run(&["doctor", deed, "--yes"]).exit, Exit::Yes, "{deed}");
    }
}
