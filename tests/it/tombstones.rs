//! Tombstones: each way in which a token ends here, and each way in which it could come back.

use crate::bring::import;
use crate::dumps::{self, Row, VECTORS};
use crate::harness::{Patctl, Setup, id_of};
use patctl::domain::moment::Span;
use patctl::exit::Exit;

/// The word on the tombstone of a token.
fn word(patctl: &Patctl, id: &str) -> Option<String> {
    patctl.sql().query_row("SELECT ended FROM tombstone WHERE id = ?1", [id], |row| row.get(0)).ok()
}

fn done(patctl: &Patctl, args: &[&str]) {
    let run = patctl.run(args);
    assert_eq!(run.exit, Exit::Yes, "{args:?}: {run:?}");
}

fn prune(patctl: &Patctl) {
    patctl.pass(Span::days(60));
    done(patctl, &["prune"]);
}

/// How many tokens with this id there are.
fn rows(patctl: &Patctl, id: &str) -> i64 {
    patctl.count(&format!("SELECT count(*) FROM token WHERE id = '{id}'"))
}

#[test]
fn whatever_ended_here_comes_back_neither_by_jsonl_nor_by_a_restore() {
    let patctl = Patctl::new();
    let [revoked, disabled, rotated, edited, expired] =
        ["a", "b", "c", "d", "e"].map(|name| patctl.create(&[name, "-q", "--expires", "10"]));
    let text = patctl.run(&["export", "jsonl"]).stdout;
    let backup = patctl.path("backup").display().to_string();
    done(&patctl, &["backup", &backup]);
    done(&patctl, &["revoke", id_of(&revoked)]);
    done(&patctl, &["disable", id_of(&disabled)]);
    done(&patctl, &["rotate", "--yes", "-q", id_of(&rotated)]);
    done(&patctl, &["edit", id_of(&edited), "--expires", "5"]);
    prune(&patctl);
    let ended = [(&revoked, "revoked"), (&disabled, "disabled"), (&rotated, "rotated"), (&edited, "ended")];
    for (token, expected) in ended {
        assert_eq!(word(&patctl, id_of(token)).as_deref(), Some(expected));
    }
    assert_eq!(word(&patctl, id_of(&expired)), None, "it is expired wherever it comes from");

    let import = |more: &[&str]| {
        let setup = Setup { stdin: text.as_bytes(), ..Setup::default() };
        patctl.run_with(&[&["import", "jsonl", "-"], more].concat(), &setup)
    };
    let run = import(&[]);
    assert!(run.stderr.contains("4 tokens were ended here before being pruned"), "{run:?}");
    for (token, _) in ended {
        assert_eq!(rows(&patctl, id_of(token)), 0);
    }
    // One that is named comes, and nothing else; that it did is written down, by its id.
    done(&patctl, &["edit", id_of(&patctl.create(&["-q"])), "--name", "other"]);
    let run = import(&["--bring-back", id_of(&disabled)]);
    assert!(run.stderr.contains("3 tokens were ended here before being pruned"), "{run:?}");
    let told = "SELECT count(*) FROM audit WHERE action = 'bring-back' AND token_id <> '-'";
    assert_eq!((rows(&patctl, id_of(&disabled)), patctl.count(told)), (1, 1));
    assert_eq!(word(&patctl, id_of(&disabled)), None);
    done(&patctl, &["restore", &backup, "--yes"]);
    for token in [&revoked, &rotated, &edited] {
        assert_eq!((rows(&patctl, id_of(token)), patctl.verify(token, &[]).1.as_str()), (0, "unknown"));
    }
    assert_ne!(patctl.verify(&disabled, &[]).0, Exit::Yes);
    done(&patctl, &["doctor"]);
}

#[test]
fn whatever_ended_here_does_not_come_back_by_a_dump() {
    for (deed, expected) in [
        (&["disable", "{}"][..], "disabled"),
        (&["rotate", "--yes", "-q", "--expires", "5", "{}"], "rotated"),
        (&["edit", "{}", "--expires", "5"], "ended"),
        (&["revoke", "{}"], "revoked"),
    ] {
        let patctl = Patctl::new();
        let all: Vec<Row> = VECTORS.iter().map(dumps::of_vector).collect();
        let dump = dumps::copy(&all);
        assert_eq!(import(&patctl, &dump, &[]).exit, Exit::Yes);
        let ids = patctl.run(&["list", "--all", "-o", "ids", "--user", "vera"]).stdout;
        let token = VECTORS[0].1;
        let id = ids
            .lines()
            .find(|id| patctl.run(&["show", id]).stdout.contains(VECTORS[0].0))
            .expect("the first vector")
            .to_owned();
        done(&patctl, &["edit", &id, "--expires", "9"]);
        done(&patctl, &deed.iter().map(|word| if *word == "{}" { &id } else { *word }).collect::<Vec<_>>());
        prune(&patctl);
        assert_eq!(word(&patctl, &id).as_deref(), Some(expected));
        let run = import(&patctl, &dump, &[]);
        assert!(run.stderr.contains("1 token was ended here before being pruned"), "{deed:?}: {run:?}");
        assert_eq!((rows(&patctl, &id), patctl.verify(token, &[]).1.as_str()), (0, "unknown"), "{deed:?}");
    }
}

/// The dice of the harness fall the same way in every database.
#[test]
fn no_new_token_gets_the_id_of_a_tombstone() {
    for deed in ["create", "rotate"] {
        let make = |taken: Option<&str>| {
            let patctl = Patctl::new();
            let first = patctl.create(&["-q"]);
            if let Some(id) = taken {
                let sql = "INSERT INTO tombstone (id, ended, day) VALUES (?1, 'revoked', '2026-11-21')";
                patctl.sql().execute(sql, [id]).expect("by hand");
            }
            let run = match deed {
                "create" => patctl.run(&["create", "-q"]),
                _ => patctl.run(&["rotate", "--yes", "-q", id_of(&first)]),
            };
            assert_eq!(run.exit, Exit::Yes, "{run:?}");
            let token = run.stdout.trim().to_owned();
            assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
            id_of(&token).to_owned()
        };
        let id = make(None);
        assert_eq!(make(None), id, "the same dice");
        assert_ne!(make(Some(&id)), id, "{deed}");
    }
}

/// Who can write the file and has no key removes what says that a token was ended, and waits for the next import.
#[test]
fn nothing_comes_in_where_somebody_removed_what_says_that_tokens_were_ended() {
    let removals = [
        ("DELETE FROM tombstone", true, true),
        ("UPDATE tombstone SET id = '0123456789'", true, true),
        // As long as it is there, it counts, whatever it says.
        ("UPDATE tombstone SET day = '2020-01-01'", true, false),
        ("UPDATE tombstone SET integrity = NULL", true, false),
        ("DELETE FROM tombstone; UPDATE head SET tombstones = 0", true, true),
        ("DELETE FROM token WHERE revoked_at IS NOT NULL", false, true),
    ];
    for (removal, pruned, refused) in removals {
        let patctl = Patctl::new();
        patctl.configure(&format!("patctl.integrity.key.file = {}\n", patctl.path("seal.key").display()));
        let dump = dumps::copy(&VECTORS.iter().map(dumps::of_vector).collect::<Vec<Row>>());
        assert_eq!(import(&patctl, &dump, &[]).exit, Exit::Yes);
        let ended = patctl.run(&["list", "-o", "ids"]).stdout.lines().next().expect("a token").to_owned();
        done(&patctl, &["revoke", &ended]);
        let lines = patctl.run(&["export", "jsonl"]).stdout;
        if pruned {
            prune(&patctl);
            assert!(word(&patctl, &ended).is_some());
        }
        let before = patctl.count("SELECT count(*) FROM token");
        patctl.sql().execute_batch(removal).expect(removal);
        let there = patctl.count("SELECT count(*) FROM token");
        for run in [
            import(&patctl, &dump, &[]),
            patctl
                .run_with(&["import", "jsonl", "-"], &Setup { stdin: lines.as_bytes(), ..Setup::default() }),
        ] {
            if refused {
                run.says(Exit::Io, &["tokens that were ended here could come in again", "patctl doctor"]);
            }
            assert_eq!(rows(&patctl, &ended), 0, "{removal}");
            assert_eq!(patctl.count("SELECT count(*) FROM token"), there, "{removal}: of {before}");
        }
        assert_eq!(patctl.run(&["doctor"]).exit, Exit::No, "{removal}");
    }
}
