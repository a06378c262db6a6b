//! What a seal covers, across versions: databases of before schema 8 are sealed anew once, and never again.

use crate::harness::{Patctl, id_of};
use crate::older;
use patctl::domain::integrity::{KeyFile, Sealer};
use patctl::exit::Exit;
use std::fs;

fn installation(keyed: bool) -> Patctl {
    let patctl = Patctl::new();
    if keyed {
        patctl.configure(&configuration(&patctl));
    }
    patctl
}

fn configuration(patctl: &Patctl) -> String {
    format!("patctl.integrity.key.file = {}\n", patctl.path("integrity.key").display())
}

fn sealer(patctl: &Patctl, keyed: bool) -> Sealer {
    if !keyed {
        return Sealer::default();
    }
    Sealer::of(KeyFile::parse(&fs::read(patctl.path("integrity.key")).expect("the key")).expect("a key"))
}

/// Takes out of the key file what the patctl of before did not write.
fn unpin(patctl: &Patctl) {
    let path = patctl.path("integrity.key");
    let text = fs::read_to_string(&path).expect("the key");
    assert!(text.contains("rows 2\n"), "{text}");
    fs::write(&path, text.replace("rows 2\n", "")).expect("the key");
}

/// Tokens of every kind: one that is good, one that is revoked, one that is not what patctl wrote.
fn filled(patctl: &Patctl) -> [String; 3] {
    let good = patctl.create(&["--restrict", "/a", "--note", "a note", "--notify-to", "n@example.com"]);
    let (revoked, bad) = (patctl.create(&[]), patctl.create(&["--expires", "30"]));
    assert_eq!(patctl.run(&["revoke", id_of(&revoked), "--reason", "lost"]).exit, Exit::Yes);
    [good, revoked, bad]
}

fn spoil(patctl: &Patctl, token: &str) {
    let sql = "UPDATE token SET expires_at = NULL WHERE id = ?1";
    patctl.sql().execute(sql, [id_of(token)]).expect("by hand");
}

#[test]
fn an_older_database_is_sealed_anew_and_what_was_wrong_stays_wrong() {
    for (keyed, schema) in [(false, 7), (true, 7), (false, 6), (true, 6)] {
        let patctl = installation(keyed);
        let [good, revoked, bad] = filled(&patctl);
        let with = sealer(&patctl, keyed);
        if schema == 7 {
            older::schema_7(&patctl.sql(), &with);
        } else {
            older::schema_6_sealed(&patctl.sql(), &with);
        }
        spoil(&patctl, &bad);
        if keyed {
            unpin(&patctl);
            if schema == 6 {
                // As the patctl of then left it.
                let text = fs::read_to_string(patctl.path("integrity.key")).expect("the key");
                let key = text.lines().next().expect("a line").to_owned() + "\n";
                fs::write(patctl.path("integrity.key"), key).expect("the key");
            }
            // Whoever comes without the key brings the schema up to date, and loses nothing.
            patctl.configure("");
            assert_eq!(patctl.run(&["list", "-q"]).exit, Exit::Yes);
            assert_eq!(patctl.count("PRAGMA user_version"), 9);
            patctl.configure(&configuration(&patctl));
        }
        assert_eq!(
            patctl.verify(&good, &["--method", "GET", "--url", "/a"]).0,
            Exit::Yes,
            "{keyed} {schema}"
        );
        assert_eq!(patctl.verify(&revoked, &[]).1, "revoked");
        assert_eq!(patctl.verify(&bad, &[]).1, "damaged", "never healed");
        let kinds = "SELECT group_concat(hex(substr(integrity, 1, 1))) FROM token WHERE id <> ?1";
        let kinds: String = patctl.sql().query_row(kinds, [id_of(&bad)], |row| row.get(0)).expect("seals");
        assert_eq!(kinds, if keyed { "04,04" } else { "03,03" }, "{keyed} {schema}");
        let found = patctl.run(&["doctor"]);
        assert!(found.stdout.contains(id_of(&bad)) && !found.stdout.contains(id_of(&good)), "{found:?}");
        assert!(!found.stdout.contains(id_of(&revoked)), "{found:?}");
        if keyed {
            let key = fs::read_to_string(patctl.path("integrity.key")).expect("the key");
            assert!(key.ends_with("rows 2\n") && key.contains("installation "), "{key}");
            assert!(patctl.run(&["audit", "--action", "seal"]).stdout.contains("all that leaves"));
        }
        patctl.run(&["audit", "verify", "-q"]).is(Exit::Yes, "");
    }
}

/// A row of before, with the seal that it had then, over a column that this did not cover.
#[test]
fn an_old_seal_is_not_taken_over_twice() {
    let patctl = installation(true);
    let [good, ..] = filled(&patctl);
    let with = sealer(&patctl, true);
    older::schema_7(&patctl.sql(), &with);
    unpin(&patctl);
    let backup = patctl.path("of-before.db");
    fs::copy(patctl.db(), &backup).expect("a copy");
    assert_eq!(patctl.verify(&good, &["--method", "GET", "--url", "/a"]).0, Exit::Yes);
    let old: Vec<u8> = rusqlite::Connection::open(&backup)
        .and_then(|sql| {
            sql.query_row("SELECT integrity FROM token WHERE id = ?1", [id_of(&good)], |r| r.get(0))
        })
        .expect("a seal");
    assert_eq!(old[0], 2);
    let sql = "UPDATE token SET integrity = ?2, notify_to = 'm@example.com' WHERE id = ?1";
    patctl.sql().execute(sql, (id_of(&good), old)).expect("by hand");
    let refused = || {
        let (exit, reason) = patctl.verify(&good, &["--method", "GET", "--url", "/a"]);
        assert_eq!((exit, reason.as_str()), (Exit::No, "damaged"));
        assert!(patctl.run(&["doctor"]).stdout.contains(id_of(&good)));
    };
    refused();
    // The head of then is put back, too, so that the database says that nothing was sealed anew.
    patctl
        .sql()
        .execute_batch(&format!(
            "ATTACH '{}' AS old; UPDATE head SET row_seals = NULL, integrity = (SELECT integrity FROM old.head), \
             (seq, hash, clock_mark) = (SELECT seq, hash, clock_mark FROM old.head);
             DELETE FROM audit WHERE seq > (SELECT seq FROM head)",
            backup.display()
        ))
        .expect("by hand");
    refused();
    // A restore of the file of before is what somebody asked for.
    let backup = backup.display().to_string();
    let run = patctl.run(&["restore", &backup, "--yes"]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    let kinds = "SELECT count(*) FROM token WHERE hex(substr(integrity, 1, 1)) <> '04'";
    assert_eq!(patctl.count(kinds), 0);
}

/// A revocation is part of the seal: planting one, moving one and taking one out are all found.
#[test]
fn a_revocation_that_patctl_did_not_write_is_named() {
    for keyed in [false, true] {
        for (of, sql) in [
            (0, "UPDATE token SET revoked_at = '2026-11-21T12:00:00.000000Z', integrity = NULL"),
            (0, "UPDATE token SET revoked_at = '2026-11-21T12:00:00.000000Z'"),
            (1, "UPDATE token SET revoke_reason = 'found on the street'"),
            (1, "UPDATE token SET revoked_at = '2020-11-21T12:00:00.000000Z'"),
            (1, "UPDATE token SET integrity = NULL"),
            (1, "UPDATE token SET revoked_at = NULL"),
            (0, "UPDATE token SET note = 'another'"),
            (0, "UPDATE token SET notify_to = NULL"),
            (0, "UPDATE token SET origin_row = 1, origin_user = 'u', origin_end = 'e'"),
        ] {
            let patctl = installation(keyed);
            let tokens = filled(&patctl);
            patctl.run(&["doctor"]).is(Exit::Yes, "");
            let id = id_of(&tokens[of]);
            patctl.sql().execute(&format!("{sql} WHERE id = '{id}'"), []).expect("by hand");
            let run = patctl.run(&["doctor"]);
            assert_eq!(run.exit, Exit::No, "{sql}");
            assert!(run.stdout.contains(id), "{sql}: {run:?}");
            assert_eq!(patctl.verify(&tokens[of], &["--method", "GET", "--url", "/a"]).0, Exit::No, "{sql}");
        }
    }
}

/// That it is over is known from then on, and nothing else of it.
#[test]
fn what_is_revoked_because_it_is_damaged_is_no_finding_and_never_exported() {
    for keyed in [false, true] {
        let patctl = installation(keyed);
        let [.., bad] = filled(&patctl);
        spoil(&patctl, &bad);
        assert_eq!(patctl.run(&["doctor"]).exit, Exit::No);
        assert_eq!(patctl.run(&["revoke", id_of(&bad)]).exit, Exit::Yes);
        patctl.run(&["doctor"]).is(Exit::Yes, "");
        assert_eq!(patctl.verify(&bad, &[]).1, "revoked");
        let run = patctl.run(&["export", "jsonl"]);
        assert!(run.stderr.contains("left out") && run.stderr.contains(id_of(&bad)), "{run:?}");
        assert!(run.exit == Exit::Io && !run.stdout.contains(id_of(&bad)), "{run:?}");
        patctl
            .sql()
            .execute("UPDATE token SET revoked_at = NULL WHERE id = ?1", [id_of(&bad)])
            .expect("by hand");
        assert_eq!(patctl.verify(&bad, &[]).1, "damaged");
        assert_eq!(patctl.run(&["doctor"]).exit, Exit::No);
    }
}

#[test]
fn whoever_lists_shows_what_is_damaged_and_says_so_once() {
    for keyed in [false, true] {
        let patctl = installation(keyed);
        let [good, revoked, bad] = filled(&patctl);
        let told = |run: &crate::harness::Run, what: &str| {
            assert_eq!(run.exit, Exit::Yes, "{what}: {run:?}");
            assert_eq!(run.stderr.matches("not what patctl wrote").count(), 1, "{what}: {run:?}");
            assert!(
                run.stderr.contains("patctl doctor") && run.stderr.contains(id_of(&bad)),
                "{what}: {run:?}"
            );
            assert!(!run.stderr.contains(id_of(&good)), "{what}: {run:?}");
        };
        patctl.run(&["list", "--all", "-q"]);
        assert_eq!(patctl.run(&["list", "--all", "-o", "ids"]).stderr, "");
        spoil(&patctl, &bad);
        for format in ["table", "json", "jsonl", "csv", "ids"] {
            told(&patctl.run(&["list", "--all", "-o", format]), format);
        }
        let listed = patctl.run(&["list", "--all", "-o", "json"]).json();
        for token in listed.as_array().expect("tokens") {
            let due = [(&good, "active"), (&revoked, "revoked"), (&bad, "damaged")];
            let due = due.iter().find(|(of, _)| token["id"] == id_of(of)).expect("one of them");
            assert_eq!(token["status"], due.1);
        }
        let row = |stdout: &str| stdout.lines().find(|line| line.contains(id_of(&bad))).map(str::to_owned);
        let table = row(&patctl.run(&["list"]).stdout).expect("a row");
        assert!(table.contains("  damaged  "), "{table}");
        assert!(row(&patctl.run(&["list", "-o", "csv"]).stdout).expect("a row").contains(",damaged,"));
        let shown = patctl.run(&["show", id_of(&bad)]);
        told(&shown, "show");
        assert!(shown.stdout.contains("status      damaged"), "{shown:?}");
        assert_eq!(patctl.run(&["show", id_of(&bad), "-o", "json"]).json()["status"], "damaged");
        assert_eq!(patctl.run(&["show", id_of(&good)]).stderr, "");
        told(&patctl.run(&["bulk-revoke", "--dry-run", "--status", "active"]), "bulk-revoke");
        let setup = crate::harness::Setup { stdin: bad.as_bytes(), ..Default::default() };
        let who = patctl.run_with(&["whoami"], &setup);
        assert!(who.exit == Exit::No && who.stderr.contains("damaged"), "{who:?}");
    }
}

#[test]
fn of_many_damaged_rows_a_few_are_named() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 100");
    (0..14).for_each(|_| drop(patctl.create(&[])));
    patctl.sql().execute("UPDATE token SET note = 'x'", []).expect("by hand");
    let run = patctl.run(&["list"]);
    assert!(run.stderr.contains(" and 4 more; "), "{run:?}");
}
