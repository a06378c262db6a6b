//! One person, one spelling: white space, Unicode's forms, and rows that were written before that was so.

use crate::bring;
use crate::dumps::{self, VECTORS};
use crate::harness::{Patctl, Setup, id_of};
use base64::Engine as _;
use patctl::exit::Exit;

/// `zoë`, in one piece and in two.
const COMPOSED: &str = "zo\u{eb}";
const DECOMPOSED: &str = "zoe\u{308}";

fn ids(patctl: &Patctl, args: &[&str]) -> Vec<String> {
    let run = patctl.run(&[&["list", "-o", "ids"], args].concat());
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    run.stdout.lines().map(str::to_owned).collect()
}

fn live(patctl: &Patctl) -> i64 {
    patctl.count("SELECT count(*) FROM token WHERE revoked_at IS NULL")
}

#[test]
fn white_space_around_a_user_or_an_address_is_refused() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "d e"]);
    for (command, option) in [
        (&["create"][..], "--user"),
        (&["create"], "--email"),
        (&["create"], "--notify-to"),
        (&["edit", id_of(&token)], "--email"),
        (&["edit", id_of(&token)], "--notify-to"),
    ] {
        for value in
            ["bob@example.com ", " bob@example.com", "bob@example.com\u{a0}", "\u{3000}bob@example.com"]
        {
            let run = patctl.run(&[command, &[option, value]].concat());
            assert_eq!(run.exit, Exit::Usage, "{option} {value:?}: {run:?}");
            assert!(run.stderr.contains("write 'bob@example.com'"), "{option} {value:?}: {run:?}");
        }
    }
    assert_eq!(live(&patctl), 1);
}

#[test]
fn labels_are_kept_without_white_space_around_them() {
    let patctl = Patctl::new();
    let token = patctl.create(&[" nightly\u{a0}", "--note", " x "]);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE name = 'nightly' AND note = 'x'"), 1);
    patctl.run(&["edit", id_of(&token), "--name", "caf\u{65}\u{301} ", "--note", " y"]);
    assert_eq!(ids(&patctl, &["--name", "caf\u{e9}"]), [id_of(&token)]);
    assert_eq!(patctl.run(&["create", " \u{2003}"]).exit, Exit::No, "a blank name");
    patctl.run(&["revoke", id_of(&token), "--reason", " left "]);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE revoke_reason = 'left'"), 1);
}

#[test]
fn both_forms_of_a_letter_are_one_user_on_every_way_in() {
    let patctl = Patctl::new();
    let tokens = [patctl.create(&["--user", COMPOSED]), patctl.create(&["--user", DECOMPOSED])];
    assert_eq!(patctl.count(&format!("SELECT count(*) FROM token WHERE user = '{COMPOSED}'")), 2);
    for form in [COMPOSED, DECOMPOSED] {
        assert_eq!(ids(&patctl, &["--user", form]).len(), 2, "{form:?}");
        for token in &tokens {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{form}:{token}"));
            assert_eq!(patctl.verify(format!("Basic {pair}"), &[]).0, Exit::Yes, "{form:?}");
        }
    }
    let rows =
        VECTORS.iter().map(dumps::of_vector).map(|row| dumps::Row { user_key: DECOMPOSED.to_owned(), ..row });
    let dump = dumps::copy(&rows.collect::<Vec<_>>());
    assert_eq!(bring::import(&patctl, &dump, &[]).exit, Exit::Yes);
    assert_eq!(ids(&patctl, &["--user", COMPOSED]).len(), 2 + VECTORS.len());
    assert!(bring::export(&patctl, &[]).contains(DECOMPOSED), "the table is written again as it was");
    let other = Patctl::new();
    std::fs::write(other.path("map.csv"), format!("{COMPOSED},zo\u{65}\u{308}@example.com\n"))
        .expect("a file");
    let map = other.path("map.csv").display().to_string();
    assert_eq!(bring::import(&other, &dump, &["--user-map", &map]).exit, Exit::Yes);
    assert_eq!(ids(&other, &["--user", "zo\u{eb}@example.com"]).len(), VECTORS.len());
    let exported = patctl.run(&["export", "jsonl"]).stdout.replace(COMPOSED, DECOMPOSED);
    let third = Patctl::new();
    let run =
        third.run_with(&["import", "jsonl", "-"], &Setup { stdin: exported.as_bytes(), ..Setup::default() });
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    assert_eq!(ids(&third, &["--user", COMPOSED]).len(), 2 + VECTORS.len());
    let spaced = exported.replace(DECOMPOSED, "zoe ");
    let fourth = Patctl::new();
    let run =
        fourth.run_with(&["import", "jsonl", "-"], &Setup { stdin: spaced.as_bytes(), ..Setup::default() });
    assert!(run.exit == Exit::No && run.stderr.contains("line 1: user:"), "{run:?}");
    let spaced = dumps::copy(&[dumps::Row { user_key: "zoe ".to_owned(), ..dumps::of_vector(&VECTORS[0]) }]);
    let run = bring::import(&fourth, &spaced, &[]);
    assert!(run.exit == Exit::No && run.stderr.contains("USER_KEY"), "{run:?}");
}

/// Rows that an earlier version wrote.
#[test]
fn other_spellings_are_named_found_and_revoked() {
    let patctl = Patctl::new();
    let users = ["bob ", "Bob", "\u{a0}bob", DECOMPOSED, "bob"];
    for user in users {
        let token = patctl.create(&["--user", "x"]);
        patctl
            .sql()
            .execute("UPDATE token SET user = ?1 WHERE id = ?2", [user, id_of(&token)])
            .expect("an update");
    }
    patctl.reseal();
    let run = patctl.run(&["list", "--user", "bob"]);
    for other in ["'bob '", "'Bob'", "bob'"] {
        assert!(
            run.stderr.contains(&format!("1 token is of {other}")) || run.stderr.contains(other),
            "{run:?}"
        );
    }
    assert_eq!(run.stderr.matches("another spelling").count(), 3, "{run:?}");
    let run = patctl.run(&["bulk-revoke", "--user", "bob", "--yes"]);
    assert_eq!((run.exit, live(&patctl)), (Exit::Yes, 4), "{run:?}");
    assert_eq!(run.stderr.matches("another spelling").count(), 3, "{run:?}");
    for (user, left) in [("bob ", 3), ("Bob", 2), ("\u{a0}bob", 1), (COMPOSED, 0)] {
        let run = patctl.run(&["bulk-revoke", "--user", user, "--yes"]);
        assert_eq!((run.exit, live(&patctl)), (Exit::Yes, left), "{user:?}: {run:?}");
    }
    let run = patctl.run(&["list", "--user", "bob"]);
    assert!(!run.stderr.contains("another spelling"), "what is revoked is no matter: {run:?}");
}

#[test]
fn a_token_for_any_user_speaks_for_no_name_that_could_own_none() {
    let patctl = Patctl::new();
    patctl.configure("patctl.any.user.enabled = true\n");
    let token = patctl.create(&["--any-user"]);
    for (user, answer) in
        [("bob", Exit::Yes), ("bob ", Exit::No), (" bob", Exit::No), (DECOMPOSED, Exit::Yes)]
    {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{token}"));
        let header = format!("Basic {pair}");
        let setup = Setup { stdin: header.as_bytes(), ..Setup::default() };
        let run = patctl.run_with(&["verify", "--field", "effective_user"], &setup);
        assert_eq!(run.exit, answer, "{user:?}: {run:?}");
        let told = run.stdout.trim_end_matches('\n');
        assert!(told.is_empty() || told == "bob" || told == COMPOSED, "{run:?}");
    }
}
