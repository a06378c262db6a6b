//! The auth cache: it spares the computation, and never answers for the token.

use crate::harness::{Patctl, id_of};
use crate::verify::forge;
use patctl::domain::actor::Actor;
use patctl::domain::cache::CacheKey;
use patctl::domain::decision::Reason;
use patctl::domain::dice::Dice;
use patctl::domain::moment::Span;
use patctl::domain::policy::Policy;
use patctl::domain::verifier::{Cost, computations};
use patctl::exit::Exit;
use patctl::service::verify;
use patctl::store::Durability;
use patctl::store::sqlite::SqliteStore;
use std::cell::Cell;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

pub const OFF: &str = "-Datlassian.pats.auth.cache.expiry.mins=0";

/// How many Argon2 computations a verify costs, and its answer.
pub fn cost(patctl: &Patctl, token: &str, args: &[&str]) -> (u64, Exit, String) {
    let before = computations();
    let (exit, reason) = patctl.verify(token, args);
    (computations() - before, exit, reason)
}

fn yes(computed: u64) -> (u64, Exit, String) {
    (computed, Exit::Yes, String::new())
}

fn no(computed: u64, reason: &str) -> (u64, Exit, String) {
    (computed, Exit::No, reason.to_owned())
}

/// The key file beside the database.
fn key_file(patctl: &Patctl) -> PathBuf {
    let mut found = std::fs::read_dir(patctl.dir.path()).expect("a directory").filter_map(|entry| {
        let path = entry.expect("an entry").path();
        path.to_string_lossy().contains("-cache-key-").then_some(path)
    });
    found.next().expect("a key file")
}

fn entries(patctl: &Patctl) -> i64 {
    patctl.count("SELECT count(*) FROM cache")
}

#[test]
fn the_second_use_costs_no_computation_and_an_hour_later_it_does_again() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    assert_eq!(cost(&patctl, &token, &[]), yes(1));
    assert_eq!(cost(&patctl, &token, &[]), yes(0));
    patctl.pass(Span::seconds(3599));
    assert_eq!(cost(&patctl, &token, &[]), yes(0));
    patctl.pass(Span::seconds(1));
    assert_eq!(cost(&patctl, &token, &[]), yes(1), "an entry is not renewed by its use");
    assert_eq!(cost(&patctl, &token, &[]), yes(0));
    patctl.pass(Span::hours(-2));
    assert_eq!(cost(&patctl, &token, &[]), yes(1), "a proof from the future is none");
}

#[test]
fn each_use_is_audited_whether_the_secret_was_remembered_or_not() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    for _ in 0..3 {
        assert!(patctl.verify(&token, &[]).0 == Exit::Yes);
    }
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'verify' AND outcome = 'allowed'"), 3);
}

#[test]
fn a_wrong_secret_is_wrong_beside_a_remembered_right_one_and_is_never_remembered() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let forged = forge(&token, id_of(&token));
    assert_eq!(cost(&patctl, &forged, &[]), no(1, "wrong-secret"));
    assert_eq!(entries(&patctl), 0);
    assert_eq!(cost(&patctl, &token, &[]), yes(1));
    for _ in 0..2 {
        assert_eq!(cost(&patctl, &forged, &[]), no(1, "wrong-secret"));
    }
    assert_eq!(cost(&patctl, &token, &[]), yes(0), "the right one is still remembered");
}

#[test]
fn what_takes_a_token_away_takes_its_entry_with_it() {
    for (deed, reason) in [
        (&["revoke"] as &[&str], "revoked"),
        (&["disable"], "disabled"),
        (&["rotate"], "rotated"),
        (&["bulk-revoke", "--yes", "--name", "*"], "revoked"),
    ] {
        let patctl = Patctl::new();
        let token = patctl.create(&[]);
        assert_eq!(cost(&patctl, &token, &[]), yes(1));
        assert_eq!(entries(&patctl), 1);
        let mut args = deed.to_vec();
        if deed.len() == 1 {
            args.push(id_of(&token));
        }
        assert_eq!(patctl.run(&args).exit, Exit::Yes, "{deed:?}");
        assert_eq!(entries(&patctl), 0, "{deed:?}");
        assert_eq!(cost(&patctl, &token, &[]), no(1, reason), "{deed:?}");
        assert_eq!(entries(&patctl), 0, "a token at its end is not remembered: {deed:?}");
    }
}

#[test]
fn a_remembered_secret_answers_for_no_state_no_policy_and_no_restriction() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--expires", "1h", "--restrict", "/a"]);
    let at = |url: &str| cost(&patctl, &token, &["--url", url]);
    assert_eq!(at("/a"), yes(1));
    assert_eq!(at("/b"), no(0, "restricted"));
    assert_eq!(cost(&patctl, &token, &[]), no(0, "restricted"));
    patctl.configure("atlassian.pats.enabled = false\n");
    assert_eq!(at("/a"), no(0, "disabled-globally"));
    patctl.configure("patctl.auth.methods = basic\n");
    assert_eq!(at("/a"), no(0, "wrong-auth-method"));
    patctl.configure("");
    patctl.run(&["edit", id_of(&token), "--restrict", "/b", "--unrestrict"]);
    patctl.pass(Span::minutes(59));
    assert_eq!(cost(&patctl, &token, &["--url", "/a"]).1, Exit::Yes);
    patctl.pass(Span::minutes(1));
    assert_eq!(at("/a").2, "expired");
}

#[test]
fn a_token_that_is_denied_for_its_request_only_is_remembered_too() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", "/a"]);
    assert_eq!(cost(&patctl, &token, &["--url", "/b"]), no(1, "restricted"));
    assert_eq!(cost(&patctl, &token, &["--url", "/b"]), no(0, "restricted"));
}

#[test]
fn either_property_at_zero_switches_the_cache_off_and_leaves_no_key_behind() {
    for name in ["expiry.mins", "max.items"] {
        let patctl = Patctl::new();
        let token = patctl.create(&[]);
        patctl.configure(&format!("atlassian.pats.auth.cache.{name} = 0\n"));
        for _ in 0..2 {
            assert_eq!(cost(&patctl, &token, &[]), yes(1), "{name}");
        }
        assert_eq!(entries(&patctl), 0);
        let files = std::fs::read_dir(patctl.dir.path()).expect("a directory");
        assert!(files.flatten().all(|file| !file.file_name().to_string_lossy().contains("cache-key")));
        patctl.configure("");
        assert_eq!(cost(&patctl, &token, &[]), yes(1));
        patctl.configure(&format!("atlassian.pats.auth.cache.{name} = 0\n"));
        assert_eq!(cost(&patctl, &token, &[]), yes(1), "what is remembered does not count: {name}");
    }
}

#[test]
fn a_full_cache_forgets_the_oldest() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.auth.cache.max.items = 2\n");
    let tokens: Vec<String> = (0..3).map(|_| patctl.create(&[])).collect();
    for token in &tokens {
        assert_eq!(cost(&patctl, token, &[]), yes(1));
        patctl.pass(Span::seconds(1));
    }
    assert_eq!(entries(&patctl), 2);
    assert_eq!(cost(&patctl, &tokens[1], &[]), yes(0));
    assert_eq!(cost(&patctl, &tokens[2], &[]), yes(0));
    assert_eq!(cost(&patctl, &tokens[0], &[]), yes(1), "the oldest had to go, and pushes the next one out");
    assert_eq!(cost(&patctl, &tokens[1], &[]), yes(1));
    // A clock that was ahead leaves entries that can never count; they go first.
    patctl.pass(Span::hours(-5));
    assert_eq!(cost(&patctl, &tokens[2], &[]), yes(1));
    assert_eq!(entries(&patctl), 1);
}

#[test]
fn a_key_that_is_lost_replaced_or_not_ours_alone_empties_the_cache_and_nothing_else() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    assert_eq!(cost(&patctl, &token, &[]), yes(1));
    let key = key_file(&patctl);
    let mode = std::fs::metadata(&key).expect("the key").permissions().mode();
    assert_eq!((mode & 0o777, std::fs::read(&key).expect("the key").len()), (0o600, 32));
    std::fs::remove_file(&key).expect("removed");
    assert_eq!(cost(&patctl, &token, &[]), yes(1), "a new key knows no entry");
    assert_eq!(cost(&patctl, &token, &[]), yes(0));
    std::fs::write(&key, [9; 31]).expect("written");
    for _ in 0..2 {
        assert_eq!(cost(&patctl, &token, &[]), yes(1), "no key, no cache");
    }
    let bytes: Vec<u8> = (0..32).collect();
    std::fs::write(&key, bytes).expect("written");
    assert_eq!(cost(&patctl, &token, &[]), yes(1));
    assert_eq!(cost(&patctl, &token, &[]), yes(0));
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).expect("a mode");
    assert_eq!(cost(&patctl, &token, &[]), yes(1), "others can read it");
    std::fs::remove_file(&key).expect("removed");
    std::os::unix::fs::symlink("/dev/zero", &key).expect("a link");
    assert_eq!(cost(&patctl, &token, &[]), yes(1), "a device is no key");
}

#[test]
fn an_entry_that_was_altered_or_moved_to_another_token_vouches_for_nothing() {
    let patctl = Patctl::new();
    let (a, b) = (patctl.create(&[]), patctl.create(&[]));
    for (token, change) in [
        (&a, "UPDATE cache SET digest = CAST(x'00' || substr(digest, 2) AS BLOB)"),
        (&a, "UPDATE cache SET digest = zeroblob(32)"),
        (&a, "UPDATE cache SET at = '2026-11-21T12:00:00.000001Z'"),
        (&b, "UPDATE cache SET token = 2"),
        (&b, "UPDATE token SET verifier = (SELECT verifier FROM token WHERE seq = 1) WHERE seq = 2"),
    ] {
        patctl.sql().execute("DELETE FROM cache", []).expect("emptied");
        assert_eq!(cost(&patctl, &a, &[]), yes(1));
        patctl.sql().execute(change, []).expect("changed");
        let (computed, ..) = cost(&patctl, token, &[]);
        assert_eq!(computed, 1, "{change}");
    }
}

/// One clock tick after the row was read and before the lock is taken, another process acts.
#[test]
fn a_revocation_between_the_look_and_the_lock_counts() {
    let patctl = Patctl::new();
    for (deed, reason) in
        [("revoke", Reason::Revoked), ("disable", Reason::Disabled), ("rotate", Reason::Rotated)]
    {
        let token = patctl.create(&[]);
        assert_eq!(cost(&patctl, &token, &[]), yes(1));
        let key = CacheKey::from_bytes(&std::fs::read(key_file(&patctl)).expect("the key")).expect("a key");
        let done = Cell::new(false);
        let clock = || {
            if !done.replace(true) {
                assert_eq!(patctl.run(&[deed, id_of(&token)]).exit, Exit::Yes);
            }
            patctl.now()
        };
        let cost = Cost { memory_kib: 1024, iterations: 1, parallelism: 1 };
        let policy = Policy { cost, ..Policy::default() };
        let actor = Actor::Local { uid: 0, name: "a".to_owned(), login_uid: None };
        let item = crate::harness::plain_use(&token, actor);
        let context = verify::VerifyContext {
            policy: &policy,
            base: None,
            cache: Some(&key),
            durability: Durability::Relaxed,
            clock: &clock,
        };
        let mut store = SqliteStore::open(&patctl.db()).expect("the database");
        let before = computations();
        let verdict = verify::verify(&mut store, &context, &mut Dice::system(), item);
        assert_eq!(verdict.expect("a verdict").answer.expect_err("a no").reason, reason);
        assert!(done.get());
        // What the cache held of it went with the deed: it is proved once more, before the lock is taken again.
        assert_eq!(computations() - before, 1 + u64::from(deed == "rotate"), "{deed}");
    }
    assert_eq!(entries(&patctl), 0);
}

#[test]
fn the_key_lies_in_the_runtime_directory_where_that_is_the_users_alone() {
    let mut patctl = Patctl::new();
    let runtime = patctl.path("runtime");
    std::fs::create_dir(&runtime).expect("a directory");
    std::fs::set_permissions(&runtime, PermissionsExt::from_mode(0o700)).expect("a mode");
    patctl.env.insert("XDG_RUNTIME_DIR".to_owned(), runtime.clone().into());
    let token = patctl.create(&[]);
    assert_eq!(cost(&patctl, &token, &[]), yes(1));
    assert!(runtime.join("patctl/cache.key").is_file());
    assert_eq!(cost(&patctl, &token, &[]), yes(0));
    std::fs::set_permissions(&runtime, PermissionsExt::from_mode(0o755)).expect("a mode");
    assert_eq!(cost(&patctl, &token, &[]), yes(1), "another key, beside the database");
    assert!(key_file(&patctl).is_file());
}

/// Whoever opens the database next reads the whole log; and a reader who stays must hold up neither a use nor, once it
/// has gone, the folding.
#[test]
fn the_log_of_uses_is_folded_in_by_the_first_use_that_meets_nobody() {
    const BOUND: u64 = 256 * 1024;
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let log = || std::fs::metadata(patctl.path("patctl.db-wal")).map_or(0, |log| log.len());
    let mut largest = 0;
    for _ in 0..150 {
        assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
        largest = largest.max(log());
    }
    assert!(largest > BOUND / 2 && largest <= BOUND, "{largest} bytes");

    let reader = patctl.sql();
    let look = "BEGIN; CREATE TEMP TABLE seen AS SELECT count(*) FROM audit";
    reader.execute_batch(look).expect("a reader who stays");
    for _ in 0..100 {
        assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    }
    assert!(log() > BOUND, "{} bytes, though a reader pins them", log());
    reader.execute_batch("COMMIT").expect("the reader goes");
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    assert_eq!(log(), 0, "the first use that meets nobody folds it in");
}
