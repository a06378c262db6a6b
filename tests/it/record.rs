//! What the record knows of a token that its row does not say: versions, tombstones, and how late it is.

use crate::bring::import;
use crate::dumps::{self, Row, VECTORS};
use crate::harness::{Patctl, Run, Setup, id_of, moment};
use crate::log::{finds, forged, head, is_whole, some_rows};
use crate::older;
use patctl::domain::moment::Span;
use patctl::exit::Exit;

fn keyed() -> Patctl {
    let patctl = Patctl::new();
    let key = patctl.path("integrity.key").display().to_string();
    patctl.configure(&format!("patctl.integrity.key.file = {key}\n"));
    patctl
}

/// The row of the token with this id is kept, something is done, and the row is put back.
fn put_back(patctl: &Patctl, id: &str, done: &[&str]) {
    patctl.sql().execute_batch("CREATE TABLE kept AS SELECT * FROM token").expect("a copy");
    let run = patctl.run(done);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    patctl
        .sql()
        .execute_batch(&format!(
            "PRAGMA foreign_keys = 0; DELETE FROM token WHERE id = '{id}'; \
             INSERT INTO token SELECT * FROM kept WHERE id = '{id}'; DROP TABLE kept"
        ))
        .expect("the old row");
}

#[test]
fn a_row_that_was_put_back_is_named_whatever_was_undone() {
    for done in [
        &["disable", "ID"][..],
        &["edit", "ID", "--expires", "1d"],
        &["edit", "ID", "--restrict", "/a"],
        &["rotate", "ID"],
        &["revoke", "ID"],
    ] {
        let patctl = keyed();
        let token = patctl.create(&["--expires", "90"]);
        let id = id_of(&token);
        let done: Vec<&str> = done.iter().map(|word| if *word == "ID" { id } else { word }).collect();
        put_back(&patctl, id, &done);
        let run = patctl.run(&["doctor"]);
        assert_eq!(run.exit, Exit::No, "{done:?}");
        assert!(run.stdout.contains(&format!("contradiction: {id}")), "{done:?}: {run:?}");
        patctl.run(&["revoke", id]);
        patctl.run(&["doctor"]).is(Exit::Yes, "");
    }
}

#[test]
fn a_row_that_is_gone_or_ahead_of_the_log_is_named() {
    let patctl = Patctl::new();
    let (one, two) = (patctl.create(&[]), patctl.create(&[]));
    patctl.sql().execute("UPDATE token SET version = 7 WHERE id = ?1", [id_of(&one)]).expect("by hand");
    patctl.reseal();
    patctl.sql().execute("DELETE FROM token WHERE id = ?1", [id_of(&two)]).expect("by hand");
    let run = patctl.run(&["doctor"]);
    assert!(run.stdout.contains("is of version 7, the audit log says 1"), "{run:?}");
    assert!(run.stdout.contains("its row is gone"), "{run:?}");
}

#[test]
fn a_chain_that_was_made_to_fit_is_found_with_a_key() {
    let patctl = keyed();
    for _ in 0..3 {
        patctl.create(&[]);
    }
    is_whole(&patctl, &[]);
    for sql in ["DELETE FROM audit WHERE seq > 1", "DELETE FROM audit"] {
        let copy = forged(&patctl, sql);
        let key = patctl.path("integrity.key").display().to_string();
        copy.configure(&format!("patctl.integrity.key.file = {key}\n"));
        let run = copy.run(&["audit", "verify"]);
        assert_eq!(run.exit, Exit::No, "{run:?}");
        assert!(run.stderr.contains("a checksum where a key is due"), "{run:?}");
        // What is written behind it does not make it credible.
        let _ = copy.verify(Patctl::foreign_token(), &[]);
        assert_eq!(copy.run(&["audit", "verify"]).exit, Exit::No);
        assert!(copy.run(&["doctor"]).stdout.contains("audit-chain: "));
    }
}

#[test]
fn a_database_of_another_installation_is_refused_although_its_seals_fit() {
    let (patctl, other) = (keyed(), keyed());
    let token = patctl.create(&[]);
    let foreign = other.create(&[]);
    // The other one is sealed with the same key.
    let key = std::fs::read_to_string(patctl.path("integrity.key")).expect("a key");
    let (first, _) = key.split_once('\n').expect("two lines");
    assert!(key.contains("\ninstallation "), "pinned when it was made");
    std::fs::remove_file(other.path("integrity.key")).expect("unlink");
    std::fs::write(other.path("integrity.key"), format!("{first}\n")).expect("a key");
    older::chmod_600(&other.path("integrity.key"));
    std::fs::remove_file(other.db()).expect("unlink");
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(other.path(&format!("patctl.db{suffix}")));
    }
    let planted = other.create(&[]);
    assert_eq!(other.verify(&planted, &[]).0, Exit::Yes);
    let pinned = std::fs::read_to_string(other.path("integrity.key")).expect("a key");
    assert!(pinned.starts_with(first) && pinned.contains("\ninstallation "), "pinned at first use");
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(patctl.path(&format!("patctl.db{suffix}")));
    }
    std::fs::copy(other.db(), patctl.db()).expect("a copy");
    for token in [&planted, &token] {
        let run = verify(&patctl, token);
        assert_eq!(run.exit, Exit::Io, "{run:?}");
        assert!(run.stderr.contains("another-installation"), "{run:?}");
    }
    assert!(patctl.run(&["doctor"]).stdout.contains("pinned to another database"));
    let _ = foreign;
}

/// The file of the auth cache's key was replaced by one that the forger knows.
#[test]
fn the_key_of_the_cache_alone_makes_no_entry() {
    let patctl = keyed();
    let token = patctl.create(&[]);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    let digest: Vec<u8> =
        patctl.sql().query_row("SELECT digest FROM cache", [], |row| row.get(0)).expect("a proof");
    let at: String = patctl.sql().query_row("SELECT at FROM cache", [], |row| row.get(0)).expect("a proof");
    let verifier: String =
        patctl.sql().query_row("SELECT verifier FROM token", [], |row| row.get(0)).expect("a verifier");
    let name = std::fs::read_dir(patctl.dir.path()).expect("a directory").flatten().find_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.contains("-cache-key-").then_some(name)
    });
    let stolen = std::fs::read(patctl.path(&name.expect("a key"))).expect("the key");
    let key = patctl::domain::cache::CacheKey::from_bytes(&stolen).expect("a key");
    let verifier = patctl::domain::verifier::Verifier::parse(&verifier).expect("a verifier");
    let plain = token.parse().expect("a token");
    assert_ne!(key.entry(&plain, &verifier, moment(&at)).digest.as_slice(), digest);
}

#[test]
fn what_retention_did_not_delete_is_found_without_a_key() {
    let patctl = some_rows();
    let kept = head(&patctl);
    let sql = "UPDATE head SET (cut_seq, cut_hash, cut_at) = (SELECT seq, hash, at FROM audit WHERE seq = 5); \
               INSERT INTO audit (seq, at, actor, actor_uid, action, token_id, outcome, detail) \
               SELECT 10, at, actor, actor_uid, 'prune-audit', '-', 'done', '5 rows up to 5:' || hash FROM audit \
               WHERE seq = 5; DELETE FROM audit WHERE seq <= 5";
    let forger = crate::log::altered(&patctl, sql);
    crate::log::rehash_behind(&forger.sql());
    finds(&forger, &[], "retention", 5, "patctl.audit.retention.days is 0, which keeps all");
    finds(&forger, &["--head", &kept], "retention", 5, "were deleted");
    forger.configure("patctl.audit.retention.days = 30");
    finds(&forger, &[], "retention", 5, "before they were 30 days old");
    // A head that was kept since vouches for it; a retention that explains it does, too.
    let since = head(&forger);
    assert!(since.ends_with("@6"), "{since}");
    is_whole(&forger, &["--head", &since]);
    let old = since.replace("@6", "@3");
    finds(&forger, &["--head", &old], "retention", 5, "before they were 30 days old");
}

#[test]
fn no_export_writes_a_row_that_patctl_did_not_write() {
    let patctl = Patctl::new();
    let rows: Vec<Row> = VECTORS.iter().map(dumps::of_vector).collect();
    assert_eq!(import(&patctl, &dumps::copy(&rows), &[]).exit, Exit::Yes);
    let id: String =
        patctl.sql().query_row("SELECT min(id) FROM token", [], |row| row.get(0)).expect("an id");
    for (year, args) in [("2090", &["export", "jsonl"][..]), ("2091", &["export", "atlassian"])] {
        let whole = patctl.run(args);
        assert_eq!(whole.exit, Exit::Yes, "{whole:?}");
        let sql = format!("UPDATE token SET expires_at = '{year}-01-01T00:00:00.000000Z' WHERE id = ?1");
        patctl.sql().execute(&sql, [&id]).expect("by hand");
        let run = patctl.run(args);
        assert_eq!(run.exit, Exit::Io, "{run:?}");
        assert!(run.stderr.contains(&id) && !run.stdout.contains(year), "{run:?}");
        assert_eq!(run.stdout.lines().count() + 1, whole.stdout.lines().count());
        patctl.reseal();
    }
}

fn revoked_and_pruned() -> (Patctl, String, String) {
    let patctl = Patctl::new();
    let rows: Vec<Row> = VECTORS.iter().map(dumps::of_vector).collect();
    let dump = dumps::copy(&rows);
    assert_eq!(import(&patctl, &dump, &[]).exit, Exit::Yes);
    let token = VECTORS[0].1.to_owned();
    let setup = Setup { stdin: token.as_bytes(), ..Setup::default() };
    assert_eq!(patctl.run_with(&["revoke", "--token-stdin"], &setup).exit, Exit::Yes);
    patctl.pass(Span::days(31));
    patctl.run(&["prune"]).is(Exit::Yes, "");
    assert_eq!(patctl.verify(&token, &[]).1, "unknown");
    (patctl, dump, token)
}

#[test]
fn a_revoked_token_does_not_come_back_by_an_import() {
    let (patctl, dump, token) = revoked_and_pruned();
    for args in [&["--dry-run"][..], &[], &["-D", "patctl.audit.retention.days=1"]] {
        let run = import(&patctl, &dump, args);
        assert_eq!(run.exit, Exit::Yes, "{run:?}");
        assert!(run.stderr.contains("1 token was ended here before being pruned"), "{run:?}");
        assert_eq!(patctl.verify(&token, &[]).1, "unknown");
        patctl.pass(Span::days(2));
        patctl.run(&["prune", "-D", "patctl.audit.retention.days=1"]).is(Exit::Yes, "");
    }
    let id: String =
        patctl.sql().query_row("SELECT id FROM tombstone", [], |row| row.get(0)).expect("a tombstone");
    let run = import(&patctl, &dump, &["--bring-back", &id]);
    assert!(run.stderr.contains("1 token imported"), "{run:?}");
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'bring-back' AND token_id <> '-'"), 1);
    assert_eq!(patctl.count("SELECT count(*) FROM tombstone"), 0);
}

#[test]
fn a_tombstone_survives_backup_and_restore_and_its_loss_is_named() {
    let (patctl, dump, token) = revoked_and_pruned();
    let backup = patctl.path("backup").display().to_string();
    assert_eq!(patctl.run(&["backup", &backup]).exit, Exit::Yes);
    assert_eq!(patctl.run(&["restore", &backup, "--yes"]).exit, Exit::Yes);
    import(&patctl, &dump, &[]);
    assert_eq!(patctl.verify(&token, &[]).1, "unknown");
    patctl.sql().execute("UPDATE tombstone SET ended = 'disabled'", []).expect("by hand");
    assert!(patctl.run(&["doctor"]).stdout.contains("the tombstone of "), "an altered tombstone");
    patctl.sql().execute("DELETE FROM tombstone", []).expect("by hand");
    let run = patctl.run(&["doctor"]);
    assert!(run.stdout.contains("there are 0 tombstones, and the head of the log counts 1"), "{run:?}");
}

#[test]
fn an_upgrade_makes_tombstones_of_what_the_log_still_says() {
    let (patctl, dump, token) = revoked_and_pruned();
    older::schema_6(&patctl.sql());
    import(&patctl, &dump, &[]);
    assert_eq!(patctl.verify(&token, &[]).1, "unknown");
    patctl.run(&["audit", "verify", "-q"]).is(Exit::Yes, "");
}

#[test]
fn a_backup_of_before_brings_nothing_back_that_has_a_tombstone() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let backup = patctl.path("backup").display().to_string();
    assert_eq!(patctl.run(&["backup", &backup]).exit, Exit::Yes);
    patctl.run(&["revoke", id_of(&token)]);
    patctl.configure("patctl.audit.retention.days = 1");
    patctl.pass(Span::days(40));
    patctl.run(&["prune"]).is(Exit::Yes, "");
    patctl.pass(Span::days(2));
    patctl.run(&["prune"]).is(Exit::Yes, "");
    assert_eq!(patctl.run(&["restore", &backup, "--yes"]).exit, Exit::Yes);
    assert_eq!(patctl.verify(&token, &[]).1, "unknown");
}

fn verify(patctl: &Patctl, token: &str) -> Run {
    patctl.run_with(&["verify", "-o", "json"], &Setup { stdin: token.as_bytes(), ..Setup::default() })
}

#[test]
fn a_clock_that_went_back_brings_no_token_back_to_life() {
    let patctl = Patctl::new();
    let start = patctl.now();
    let (short, long) = (patctl.create(&["--expires", "1h"]), patctl.create(&["--expires", "90"]));
    patctl.pass(Span::hours(2));
    assert_eq!(patctl.verify(&short, &[]).1, "expired");
    patctl.set_now(start.plus(Span::minutes(30)).expect("in range"));
    let run = verify(&patctl, &short);
    assert_eq!(run.exit, Exit::Io, "neither a yes nor a no: {run:?}");
    assert!(run.stderr.contains("\"clock\"") && run.stderr.contains("--accept-clock"), "{run:?}");
    let rows = "SELECT count(*) FROM audit WHERE outcome = 'error' AND reason = 'clock'";
    assert_eq!(patctl.count(rows), 1);
    assert_eq!(patctl.verify(&long, &[]).0, Exit::Yes, "they agree about it");
    let whoami = patctl.run_with(&["whoami"], &Setup { stdin: short.as_bytes(), ..Setup::default() });
    assert_eq!(whoami.exit, Exit::Io, "{whoami:?}");
    assert!(patctl.run(&["doctor"]).stdout.contains("clock: "));
    assert_ne!(patctl.run(&["prune"]).exit, Exit::Yes);
    assert_eq!(patctl.run(&["doctor", "--accept-clock"]).exit, Exit::Usage);
    assert_eq!(patctl.run(&["doctor", "--accept-clock", "--yes"]).exit, Exit::Yes);
    assert_eq!(patctl.verify(&short, &[]).0, Exit::Yes);
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'accept-clock'"), 1);
    patctl.run(&["doctor"]).is(Exit::Yes, "");
}

#[test]
fn within_five_minutes_the_later_of_clock_and_log_decides() {
    let patctl = Patctl::new();
    let start = patctl.now();
    let token = patctl.create(&["--expires", "1h"]);
    patctl.pass(Span::minutes(61));
    assert_eq!(patctl.verify(&token, &[]).1, "expired");
    patctl.set_now(start.plus(Span::minutes(58)).expect("in range"));
    assert_eq!(patctl.verify(&token, &[]).1, "expired");
}

#[test]
fn a_use_that_is_dated_years_ahead_does_not_move_the_mark() {
    let patctl = Patctl::new();
    let start = patctl.now();
    let token = patctl.create(&["--expires", "90"]);
    patctl.set_now(moment("2106-01-01"));
    assert_eq!(patctl.verify(&token, &[]).1, "expired");
    patctl.set_now(start.plus(Span::days(1)).expect("in range"));
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    // A change by a person does: then it is trouble, which says what to do.
    patctl.set_now(moment("2028-06-01"));
    patctl.create(&[]);
    patctl.set_now(start.plus(Span::days(2)).expect("in range"));
    assert_eq!(verify(&patctl, &token).exit, Exit::Io);
}
