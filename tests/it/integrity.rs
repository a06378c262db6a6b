//! Row integrity: what decides about a token carries a seal, and a row that was changed behind patctl's back
//! gives no yes.

use crate::harness::{Patctl, Setup, id_of};
use crate::process::{Home, scaled, stderr};
use patctl::domain::integrity::{KeyFile, Sealer};
use patctl::exit::Exit;
use patctl::store::integrity::Sealed as _;
use patctl::store::sqlite::SqliteStore;
use patctl::store::{Read as _, StoreError};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

const REQUEST: [&str; 4] = ["--method", "GET", "--url", "/a"];

/// An installation whose rows are sealed with a key, or with checksums.
fn installation(keyed: bool) -> Patctl {
    let patctl = Patctl::new();
    if keyed {
        patctl.configure(&keyed_by(&patctl));
    }
    patctl
}

fn key_file(patctl: &Patctl) -> std::path::PathBuf {
    patctl.path("integrity.key")
}

fn keyed_by(patctl: &Patctl) -> String {
    format!("patctl.integrity.key.file = {}\n", key_file(patctl).display())
}

fn damaged() -> (Exit, String) {
    (Exit::No, "damaged".to_owned())
}

fn yes() -> (Exit, String) {
    (Exit::Yes, String::new())
}

/// Statements that change what decides about the token with the row number 1, each by another hand.
fn alteration() -> impl Strategy<Value = String> {
    let set = |set: String| format!("UPDATE token SET {set} WHERE seq = 1");
    let instant =
        (2020..2040, 1..13, 1..29).prop_map(|(y, m, d)| format!("'{y}-{m:02}-{d:02}T00:00:00.000000Z'"));
    let word = "[a-z]{1,8}";
    let id = "[0-9a-hjkmnp-tv-z]{10}";
    prop_oneof![
        (
            prop_oneof![
                Just("expires_at"),
                Just("created_at"),
                Just("disabled_at"),
                Just("rotated_at"),
                Just("revoked_at")
            ],
            instant
        )
            .prop_map(move |(column, at)| set(format!("{column} = {at}"))),
        prop_oneof![Just("expires_at"), Just("disabled_at"), Just("rotated_at"), Just("user"), Just("email")]
            .prop_map(move |column| set(format!("{column} = NULL"))),
        (
            prop_oneof![
                Just("name"),
                Just("user"),
                Just("email"),
                Just("note"),
                Just("notify_to"),
                Just("revoke_reason"),
                Just("origin_user"),
                Just("origin_end")
            ],
            word
        )
            .prop_map(move |(column, word)| set(format!("{column} = '{word}'"))),
        (prop_oneof![Just("successor"), Just("predecessor"), Just("id")], id)
            .prop_map(move |(column, id)| set(format!("{column} = '{id}'"))),
        (prop_oneof![Just("restricted"), Just("secure"), Just("ends_predecessor")], 0..2)
            .prop_map(move |(column, flag)| set(format!("{column} = {flag}"))),
        prop_oneof![Just("both"), Just("bearer"), Just("basic")]
            .prop_map(move |auth| set(format!("auth = '{auth}'"))),
        (2..9_i64).prop_map(move |version| set(format!("version = {version}"))),
        prop_oneof![
            Just("verifier = (SELECT verifier FROM token WHERE seq = 2)"),
            Just("verifier = '$' || substr(verifier, 2, 40)"),
            Just("(verifier, integrity) = (SELECT verifier, integrity FROM token WHERE seq = 2)"),
            Just("integrity = NULL"),
            Just("integrity = zeroblob(33)"),
            Just("integrity = (SELECT integrity FROM token WHERE seq = 2)"),
            Just("integrity = CAST(substr(integrity, 1, 32) || x'00' AS BLOB)"),
        ]
        .prop_map(move |change| set(change.to_owned())),
        prop_oneof![
            Just("UPDATE restriction SET rule = '.*' WHERE token = 1 AND position = 1"),
            Just("DELETE FROM restriction WHERE token = 1 AND position = 2"),
            Just("INSERT INTO restriction VALUES (1, 3, '.*')"),
            Just("UPDATE restriction SET position = 4 - position WHERE token = 1"),
            Just("UPDATE restriction SET token = 2"),
            Just("UPDATE installation SET name = '00000000000000000000000000000000'"),
        ]
        .prop_map(str::to_owned),
    ]
}

/// What the two tokens are, row by row, as far as it decides.
fn deciding(patctl: &Patctl) -> Vec<String> {
    let sql = patctl.sql();
    let columns =
        patctl::domain::integrity::COLUMNS.map(|column| format!("quote({column})")).join(" || ',' || ");
    let mut all = Vec::new();
    for query in [
        format!("SELECT {columns} || ',' || quote(integrity) FROM token ORDER BY seq"),
        "SELECT token || ',' || rule FROM restriction ORDER BY token, position".to_owned(),
        "SELECT name FROM installation".to_owned(),
    ] {
        let mut statement = sql.prepare(&query).expect("a query");
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
        all.extend(rows.map(|row| row.expect("a text")));
    }
    all
}

/// The heart of it: whatever decides is changed with SQL, and nobody gets a yes.
#[test]
fn a_row_that_was_changed_behind_our_back_gives_no_yes_and_is_named_by_doctor() {
    for keyed in [false, true] {
        let patctl = installation(keyed);
        let all =
            ["--user", "alice", "--email", "a@example.com", "--restrict", "/a", "--restrict", "[get]/b"];
        let mine = patctl.create(&[&all[..], &["--expires", "90"]].concat());
        patctl.create(&["--user", "mallory"]);
        let (before, whole) = (deciding(&patctl), fs::read(patctl.db()).expect("the database"));
        let config = proptest::test_runner::Config {
            cases: u32::try_from(scaled(60, 3000)).expect("a number"),
            ..Default::default()
        };
        TestRunner::new(config)
            .run(&proptest::collection::vec(alteration(), 1..3), |alterations| {
                for suffix in ["-wal", "-shm"] {
                    let _ = fs::remove_file(patctl.path(&format!("patctl.db{suffix}")));
                }
                fs::write(patctl.db(), &whole).expect("the database");
                for alteration in &alterations {
                    // Some are against a CHECK, and the file stays as it is.
                    let _ = patctl.sql().execute_batch(alteration);
                }
                prop_assume!(deciding(&patctl) != before);
                let found = patctl.run(&["doctor"]);
                prop_assert_eq!(found.exit, Exit::No, "{:?}", alterations);
                let named: String = patctl
                    .sql()
                    .query_row("SELECT id FROM token WHERE seq = 1", [], |row| row.get(0))
                    .expect("an id");
                prop_assert!(found.stdout.contains(&named), "{:?} {:?}", alterations, found);
                for presented in [mine.clone(), format!("alice:{mine}")] {
                    let (exit, reason) = patctl.verify(presented, &REQUEST);
                    prop_assert!(exit != Exit::Yes, "{:?} {}", alterations, reason);
                }
                Ok(())
            })
            .expect("no alteration gives a yes");
    }
}

/// Everything that changes a token, in one life; afterwards each row is what patctl wrote.
#[test]
fn every_change_seals_the_row_anew() {
    for keyed in [false, true] {
        let patctl = installation(keyed);
        let more = if keyed { keyed_by(&patctl) } else { String::new() };
        patctl.configure(&format!("{more}atlassian.pats.max.tokens.per.user = 100"));
        let sealed = |what: &str| {
            let mut store = SqliteStore::open(&patctl.db()).expect("the database");
            if keyed {
                let key = KeyFile::parse(&fs::read(key_file(&patctl)).expect("the key")).expect("a key");
                store.seal_with(Sealer::new(Some(key.key)));
            }
            let run = patctl.run(&["list", "--all", "-o", "ids"]);
            for id in run.stdout.lines() {
                let evidence = store.evidence(id.parse().expect("an id")).expect("a row").expect("a row");
                assert_eq!(evidence.seal, Ok(()), "{what}: {id}");
            }
        };
        let token = patctl.create(&["--restrict", "/a", "--user", "u", "--expires", "300"]);
        let id = id_of(&token);
        for deed in [
            &["edit", id, "--name", "another"][..],
            &["edit", id, "--restrict", "/b", "--restrict", "/a"],
            &["edit", id, "--expires", "30", "--email", "u@example.com", "--auth", "bearer"],
            &["disable", id],
            &["enable", id],
            &["rotate", id, "--grace", "2h"],
            &["rotate", id, "--undo"],
            &["rotate", id, "--until-first-use"],
        ] {
            let run = patctl.run(deed);
            assert_eq!(run.exit, Exit::Yes, "{run:?}");
            sealed(&deed.join(" "));
        }
        let first = patctl.create(&["--user", "v"]);
        let rotated = patctl.run(&["rotate", id_of(&first), "--until-first-use"]).stdout.trim().to_owned();
        assert_eq!(patctl.verify(&rotated, &[]), yes());
        sealed("the first use of a successor");
        patctl.configure(&format!("{more}patctl.argon2.memory.kib = 2048"));
        assert_eq!(patctl.verify(&rotated, &[]), yes());
        assert_eq!(patctl.count("SELECT count(*) FROM token WHERE verifier LIKE '%m=2048%'"), 1);
        sealed("a verifier at another cost");
        patctl.run(&["revoke", id_of(&rotated)]);
        patctl.run(&["bulk-revoke", "--user", "u", "--yes"]);
        sealed("revocations");
        assert!(patctl.count("SELECT count(*) FROM token WHERE revoked_at IS NOT NULL") >= 2);
        assert_eq!(patctl.count("SELECT count(*) FROM token WHERE integrity IS NULL"), 0);
    }
}

#[test]
fn a_revocation_that_is_taken_out_of_a_row_leaves_one_that_is_not_believed() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    patctl.run(&["revoke", id_of(&token)]);
    assert_eq!(patctl.verify(&token, &[]).1, "revoked");
    patctl.sql().execute("UPDATE token SET revoked_at = NULL, version = 1", []).expect("by hand");
    assert_eq!(patctl.verify(&token, &[]), damaged());
    let why: String = patctl
        .sql()
        .query_row("SELECT detail FROM audit ORDER BY seq DESC LIMIT 1", [], |row| row.get(0))
        .expect("a detail");
    assert!(why.contains("its seal does not fit"), "{why}");
}

/// To seal it anew would make it credible.
#[test]
fn a_damaged_row_is_not_edited_enabled_or_rotated_and_can_be_disabled_and_revoked() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--expires", "30"]);
    let id = id_of(&token);
    patctl.sql().execute("UPDATE token SET expires_at = NULL", []).expect("by hand");
    for deed in [&["edit", id, "--note", "x"][..], &["rotate", id], &["edit", id, "--expires", "30"]] {
        let run = patctl.run(deed);
        run.says(Exit::Io, &["nothing was done with", id, "its seal does not fit", "patctl doctor"]);
    }
    assert_eq!(patctl.count("SELECT count(*) FROM token"), 1, "no successor");
    assert_eq!(patctl.run(&["disable", id]).exit, Exit::Yes);
    patctl.run(&["enable", id]).says(Exit::Io, &["nothing was done"]);
    assert_eq!(patctl.verify(&token, &[]), damaged());
    assert_eq!(patctl.run(&["revoke", id]).exit, Exit::Yes);
    assert_eq!(patctl.verify(&token, &[]).1, "revoked");
}

#[test]
fn a_key_is_made_on_first_use_seals_what_was_right_and_is_audited() {
    let patctl = Patctl::new();
    let (good, bad) = (patctl.create(&[]), patctl.create(&[]));
    let sql = "UPDATE token SET email = 'm@example.com' WHERE id = ?1";
    patctl.sql().execute(sql, [id_of(&bad)]).expect("by hand");
    patctl.configure(&keyed_by(&patctl));
    let run = patctl.run(&["list"]);
    assert_eq!(run.exit, Exit::Yes);
    assert!(run.stderr.contains("made the key") && run.stderr.contains("keep a copy"), "{run:?}");
    let mode = fs::metadata(key_file(&patctl)).expect("the key").mode() & 0o7777;
    assert_eq!(mode, 0o600);
    assert!(!patctl.path("integrity.key.new").exists());
    assert_eq!(patctl.verify(&good, &[]), yes());
    assert_eq!(patctl.verify(&bad, &[]), damaged(), "what was wrong before is not made right");
    let told = patctl.run(&["audit", "--action", "seal", "-o", "json"]).json();
    assert_eq!(told[0]["detail"], "1 rows, with a new key");
    assert_eq!(patctl.run(&["audit", "verify"]).exit, Exit::Yes);
    let key = fs::read(key_file(&patctl)).expect("the key");
    let later = patctl.create(&[]);
    assert_eq!(patctl.verify(&later, &[]), yes());
    assert_eq!(fs::read(key_file(&patctl)).expect("the key"), key, "made once");
}

#[test]
fn a_key_that_is_missing_unreadable_or_none_is_a_matter_of_configuration() {
    let patctl = installation(true);
    let token = patctl.create(&[]);
    let kept = patctl.path("kept.key");
    fs::rename(key_file(&patctl), &kept).expect("a rename");
    let refused = |why: &str| {
        for args in [&["verify"][..], &["create"], &["list"], &["revoke", id_of(&token)], &["prune"]] {
            let setup = crate::harness::Setup { stdin: token.as_bytes(), ..Default::default() };
            patctl.run_with(args, &setup).says(Exit::Config, &["integrity key file", why, "copy"]);
        }
    };
    refused("it is not there, and rows are sealed with a key");
    assert!(!key_file(&patctl).exists() && !patctl.path("integrity.key.new").exists());
    fs::write(key_file(&patctl), "secret\n").expect("a file");
    refused("others can read it");
    fs::set_permissions(key_file(&patctl), fs::Permissions::from_mode(0o600)).expect("chmod");
    refused("this is no key");
    fs::rename(&kept, key_file(&patctl)).expect("a rename");
    assert_eq!(patctl.verify(&token, &[]), yes());
}

#[test]
fn a_checksum_where_a_key_is_due_and_a_seal_of_another_key_deny() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let make = |text: &str| {
        fs::write(key_file(&patctl), text).expect("a file");
        fs::set_permissions(key_file(&patctl), fs::Permissions::from_mode(0o600)).expect("chmod");
    };
    // The key is there already, so no row is taken over: who strips the seals gains nothing.
    make("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    patctl.configure(&keyed_by(&patctl));
    assert_eq!(patctl.verify(&token, &[]), damaged());
    let keyed = patctl.create(&[]);
    assert_eq!(patctl.verify(&keyed, &[]), yes());
    make("AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    // Neither a yes nor a no: by this key every row would be wrong.
    let input = Setup { stdin: keyed.as_bytes(), ..Setup::default() };
    patctl
        .run_with(&["verify"], &input)
        .says(Exit::Config, &["not the key that the database is sealed with"]);
    patctl.configure("");
    assert_eq!(patctl.verify(&keyed, &[]), damaged(), "nobody knows the key");
    assert_eq!(patctl.verify(&token, &[]), yes());
}

/// The file is named last: who dies before that leaves both halves.
#[test]
fn a_key_whose_making_was_interrupted_is_found_by_the_next() {
    let patctl = installation(true);
    let token = patctl.create(&[]);
    let waiting = patctl.path("integrity.key.new");
    fs::rename(key_file(&patctl), &waiting).expect("a rename");
    assert_eq!(patctl.verify(&token, &[]), yes());
    assert!(key_file(&patctl).exists() && !waiting.exists());
    // A key that waits and seals nothing is not taken for the one that does.
    fs::rename(key_file(&patctl), patctl.path("kept")).expect("a rename");
    fs::write(&waiting, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").expect("a file");
    fs::set_permissions(&waiting, fs::Permissions::from_mode(0o600)).expect("chmod");
    assert_eq!(patctl.run(&["list"]).exit, Exit::Config);
    assert!(!key_file(&patctl).exists());
}

#[test]
fn eight_processes_make_one_key() {
    let home = Home::new("");
    let key = home.dir.path().join("integrity.key");
    let tokens: Vec<String> = (0..4).map(|_| home.create(&[])).collect();
    let text = format!("{}patctl.integrity.key.file = {}\n", crate::harness::CHEAP, key.display());
    fs::write(home.dir.path().join("patctl.properties"), text).expect("a file");
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let (home, token) = (&home, &tokens[worker % 4]);
            scope.spawn(move || {
                let output = home.feed(&["verify"], token.as_bytes());
                assert!(output.status.success(), "{output:?}: {}", stderr(&output));
            });
        }
    });
    assert!(key.exists());
    let left = fs::read_dir(home.dir.path()).expect("the home");
    let left: Vec<_> = left.map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("key.new")), "{left:?}");
    assert_eq!(home.count("SELECT count(*) FROM audit WHERE action = 'seal'"), 1);
}

/// The statements that write deciding columns stand where the seal is renewed, and nowhere else.
#[test]
fn every_statement_that_changes_a_token_is_in_a_file_that_seals() {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sqlite");
    for entry in fs::read_dir(store).expect("the source") {
        let path = entry.expect("an entry").path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for column in patctl::domain::integrity::COLUMNS {
            let sets = code.contains(&format!("SET {column} =")) || code.contains(&format!(", {column} ="));
            let seals = ["alter(", "integrity = NULL", "fn adopt", "reseal_these("]
                .iter()
                .any(|word| code.contains(word));
            assert!(!sets || seals, "{} sets {column}, and seals nothing", path.display());
        }
    }
}

#[test]
fn a_row_that_cannot_be_read_denies_itself() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    patctl.sql().execute("UPDATE token SET created_at = '2026-11-21T12:00:00.00000!Z'", []).expect("by hand");
    assert_eq!(patctl.verify(&token, &[]), (Exit::No, "damaged".to_owned()));
    let told = patctl.run(&["audit", "--outcome", "denied", "-o", "jsonl"]).stdout;
    assert!(told.contains("\"reason\":\"damaged\"") && told.contains("created_at"), "{told}");
    let store = SqliteStore::open(&patctl.db()).expect("the database");
    let evidence = store.evidence(id_of(&token).parse().expect("an id"));
    assert!(matches!(evidence, Err(StoreError::BadRow(_))), "{evidence:?}");
}
