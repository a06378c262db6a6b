//! Bytes of the database change, or its end is missing.

use crate::figure;
use crate::process::{Home, scaled, stderr, stdout};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// What decides about a token, as it stands in a file; nothing if it cannot be read.
fn decisive(db: &Path, id: &str) -> Option<Vec<String>> {
    let db = rusqlite::Connection::open(db).ok()?;
    let columns = "id, user, email, auth, verifier, created_at, expires_at, revoked_at, disabled_at, restricted, \
                   rotated_at, successor";
    let row = db
        .query_row(&format!("SELECT {columns} FROM token WHERE id = ?1"), [id], |row| {
            (0..12).map(|at| Ok(format!("{:?}", row.get_ref(at)?))).collect::<Result<Vec<_>, _>>()
        })
        .ok()?;
    let mut rules = db
        .prepare("SELECT position, rule FROM restriction WHERE token = (SELECT seq FROM token WHERE id = ?1) ORDER BY 1")
        .ok()?;
    let rules: Vec<String> = rules
        .query_map([id], |row| Ok(format!("{:?} {:?}", row.get_ref(0)?, row.get_ref(1)?)))
        .ok()?
        .collect::<Result<_, _>>()
        .ok()?;
    Some(row.into_iter().chain(rules).collect())
}

/// Writes a database that others cannot read: one they can is refused before its bytes matter.
fn put(image: &Home, bytes: &[u8]) {
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(image.db());
    file.expect("a file").write_all(bytes).expect("bytes");
}

#[test]
fn no_damaged_file_makes_a_no_into_a_yes_or_ends_patctl() {
    let home = Home::new("");
    let live = home.create(&["-q", "--user", "alice"]);
    let bound = home.create(&["-q", "--user", "bob", "--restrict", "[get]/reports/.*"]);
    let revoked = home.create(&["-q", "--user", "carol"]);
    let disabled = home.create(&["-q", "--user", "dora"]);
    let id = |secret: &str| secret.split('_').nth(1).expect("an id").to_owned();
    assert!(home.run(&["revoke", &id(&revoked)]).status.success());
    assert!(home.run(&["disable", &id(&disabled)]).status.success());
    for _ in 0..2 {
        // One of them from the auth cache.
        assert!(home.feed(&["verify"], live.as_bytes()).status.success());
    }
    home.sql().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
    let whole = std::fs::read(home.db()).expect("the database");
    let post: &[&str] = &["verify", "--method", "POST", "--url", "/reports/2026"];
    let get: &[&str] = &["verify", "--method", "GET", "--url", "/reports/2026"];
    let files = scaled(40, 500);
    let seed = scaled(1, usize::try_from(std::process::id()).expect("a number")) as u64;
    let mut dice = StdRng::seed_from_u64(seed);
    let (mut yes, mut no, mut trouble) = (0, 0, 0);
    for file in 0..files {
        let image = Home::new("");
        let mut bytes = whole.clone();
        if file % 10 == 9 {
            bytes.truncate(dice.random_range(0..bytes.len()));
        } else {
            for _ in 0..dice.random_range(1..=64) {
                // Half of them where the rows of tokens are: most pages are empty.
                let at = if dice.random_bool(0.5) {
                    dice.random_range(0..bytes.len())
                } else {
                    near(&whole, &live, &mut dice)
                };
                bytes[at] = dice.random();
            }
        }
        put(&image, &bytes);
        for (secret, args, was_yes) in [
            (&live, post, true),
            (&bound, get, true),
            (&bound, post, false),
            (&revoked, get, false),
            (&disabled, get, false),
        ] {
            // SQLite may mend what it finds: each look has the file as it was.
            put(&image, &bytes);
            for rest in ["patctl.db-wal", "patctl.db-shm"] {
                let _ = std::fs::remove_file(image.dir.path().join(rest));
            }
            let output = image.feed(args, secret.as_bytes());
            let told = || format!("file {file} of seed {seed}: {args:?} {output:?}");
            match output.status.code() {
                Some(0) => {
                    yes += 1;
                    assert!(was_yes, "a no became a yes: {}", told());
                    let same = decisive(&home.db(), &id(secret)) == decisive(&image.db(), &id(secret));
                    assert!(same, "a yes for a row that changed: {}", told());
                }
                Some(1) => no += 1,
                Some(74 | 75 | 77 | 78) => trouble += 1,
                _ => panic!("{}", told()),
            }
            assert!(!stderr(&output).contains("internal error"), "{}", told());
        }
        for args in [&["list", "--all"][..], &["audit", "verify"]] {
            let output = image.run(args);
            assert!(
                matches!(output.status.code(), Some(0 | 1 | 74 | 78)),
                "file {file} of seed {seed}: {output:?}"
            );
        }
    }
    figure(
        "damaged database",
        &format!(
            "{files} files (seed {seed}): {yes} yes, {no} no, {trouble} trouble; none for a row that changed"
        ),
    );
    // Were every file refused for another reason, nothing above would have been tried.
    assert!(yes > 0 && no > 0 && trouble > 0, "{yes} yes, {no} no, {trouble} trouble");
}

/// The smallest change that still reads well, at each byte of a row in turn: what patctl did not write is no yes.
#[test]
fn a_row_in_which_one_bit_changed_gives_no_yes() {
    let home = Home::new("");
    let secret = home.create(&["-q", "--user", "alice", "--expires", "90"]);
    let id = secret.split('_').nth(1).expect("an id");
    home.sql().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
    let whole = std::fs::read(home.db()).expect("the database");
    let was = decisive(&home.db(), id);
    let places = whole.windows(id.len()).enumerate().filter(|(_, part)| *part == id.as_bytes());
    let mut changed = 0;
    let image = Home::new("");
    put(&image, &whole);
    assert!(image.feed(&["verify"], secret.as_bytes()).status.success(), "what did not change is a yes");
    for at in places.flat_map(|(at, _)| at..at + 300).step_by(scaled(3, 1)) {
        let image = Home::new("");
        let mut bytes = whole.clone();
        let Some(byte) = bytes.get_mut(at) else { continue };
        // A digit stays a digit, a letter a letter.
        *byte ^= 1;
        put(&image, &bytes);
        let is = decisive(&image.db(), id);
        if is.is_some() && is != was {
            changed += 1;
            let output = image.feed(&["verify"], secret.as_bytes());
            assert!(!output.status.success(), "byte {at}: {was:?}, and now {is:?}");
        }
    }
    figure("one bit of a row", &format!("{changed} rows that read well and changed, 0 yes"));
    assert!(changed > 20, "only {changed} rows changed");
}

/// One row of a group cannot be read, or was changed: at each of the 16 places it denies itself and nobody else.
#[test]
fn a_damaged_row_at_each_place_of_a_group_denies_itself_alone() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100\n");
    let good: Vec<String> = (0..15).map(|_| home.create(&["-q", "--user", "alice"])).collect();
    let (mut lines, mut denied) = (0, 0);
    for sql in [
        "auth = CAST(x'ff' AS TEXT)",
        "verifier = '$argon2id$'",
        "created_at = 'noon'",
        "user = 'mallory'",
        "integrity = NULL",
    ] {
        let bad = home.create(&["-q", "--user", "bob"]);
        let id = bad.split('_').nth(1).expect("an id");
        let statement =
            format!("PRAGMA ignore_check_constraints = 1; UPDATE token SET {sql} WHERE id = '{id}'");
        home.sql().execute_batch(&statement).expect("by hand");
        for place in 0..16 {
            let mut tokens = good.clone();
            tokens.insert(place, bad.clone());
            let input: String = tokens.iter().flat_map(|token| ["{\"token\":\"", token, "\"}\n"]).collect();
            let output = home.feed(&["verify", "--batch"], input.as_bytes());
            let answers: Vec<serde_json::Value> =
                stdout(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            assert_eq!(answers.len(), 16, "{sql}, {place}: {output:?}");
            for (at, answer) in answers.iter().enumerate() {
                let expected = (at == place).then_some("damaged");
                assert_eq!(answer["reason"].as_str(), expected, "{sql}, {place}, {at}: {answer}");
                assert_eq!(answer["allowed"], at != place, "{sql}, {place}, {at}");
                lines += 1;
            }
            denied += 1;
        }
        let told = format!("SELECT count(*) FROM audit WHERE token_id = '{id}' AND reason = 'damaged'");
        assert_eq!(home.count(&told), 16, "{sql}: each is written down");
    }
    assert!(home.run(&["audit", "verify"]).status.success());
    figure(
        "a damaged row at each place of a group of 16",
        &format!("{lines} lines, {denied} denied as damaged and written down, {} answered", lines - denied),
    );
}

/// A place within two pages of where the id of a token stands.
fn near(whole: &[u8], secret: &str, dice: &mut StdRng) -> usize {
    let id = secret.split('_').nth(1).expect("an id").as_bytes();
    let places: Vec<usize> =
        whole.windows(id.len()).enumerate().filter(|(_, part)| *part == id).map(|(at, _)| at).collect();
    let place = places[dice.random_range(0..places.len())];
    (place + dice.random_range(0..1024)).saturating_sub(512).min(whole.len() - 1)
}
