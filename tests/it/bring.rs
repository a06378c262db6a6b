//! `import atlassian` and `export atlassian`: what comes, what is refused, and that the tokens keep working.

use crate::dumps::{self, Row, VECTORS};
use crate::harness::{Patctl, Setup};
use patctl::exit::Exit;

/// Imports what is on stdin.
pub fn import(patctl: &Patctl, dump: &str, args: &[&str]) -> crate::harness::Run {
    let mut all = vec!["import", "atlassian", "-"];
    all.extend(args);
    patctl.run_with(&all, &Setup { stdin: dump.as_bytes(), ..Setup::default() })
}

pub fn export(patctl: &Patctl, args: &[&str]) -> String {
    let mut all = vec!["export", "atlassian"];
    all.extend(args);
    let run = patctl.run(&all);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    run.stdout
}

/// A home with the tokens of the vectors.
fn with_vectors() -> Patctl {
    let patctl = Patctl::new();
    let rows: Vec<Row> = VECTORS.iter().map(dumps::of_vector).collect();
    assert_eq!(import(&patctl, &dumps::copy(&rows), &[]).exit, Exit::Yes);
    patctl
}

fn verifiers(patctl: &Patctl) -> Vec<String> {
    let db = patctl.sql();
    let mut statement = db.prepare("SELECT verifier FROM token ORDER BY seq").expect("a statement");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("texts")
}

/// The last character of a token, changed: another secret of the same number.
fn wrong(token: &str) -> String {
    let other = if token.ends_with('A') { "B" } else { "A" };
    format!("{}{other}", &token[..token.len() - 1])
}

#[test]
fn the_vectors_verify_a_wrong_secret_does_not_and_afterwards_the_hash_is_argon2id() {
    let patctl = with_vectors();
    assert!(verifiers(&patctl).iter().all(|verifier| verifier.starts_with("$pkcs5s2$")));
    for (_, token, _) in VECTORS {
        assert_eq!(patctl.verify(wrong(token), &[]), (Exit::No, "wrong-secret".to_owned()), "{token}");
    }
    assert!(
        verifiers(&patctl).iter().all(|verifier| verifier.starts_with("$pkcs5s2$")),
        "no use, no new hash"
    );
    // With the auth cache off each time is a computation; with it, the second is remembered.
    for args in [&["-D", "atlassian.pats.auth.cache.expiry.mins=0"][..], &[], &[]] {
        for (_, token, _) in VECTORS {
            for form in ["", "Bearer ", "Authorization: Bearer "] {
                assert_eq!(patctl.verify(format!("{form}{token}\n"), args).0, Exit::Yes, "{form}{token}");
            }
            assert_eq!(patctl.verify(wrong(token), args).0, Exit::No, "{token}");
        }
        assert!(verifiers(&patctl).iter().all(|verifier| verifier.starts_with("$argon2id$")));
    }
}

#[test]
fn a_property_keeps_the_hash_they_came_with() {
    let patctl = with_vectors();
    let args = ["-D", "patctl.import.rehash=false"];
    for (_, token, _) in VECTORS {
        for _ in 0..2 {
            assert_eq!(patctl.verify(token, &args).0, Exit::Yes);
        }
        assert_eq!(patctl.verify(wrong(token), &args).0, Exit::No);
    }
    assert!(verifiers(&patctl).iter().all(|verifier| verifier.starts_with("$pkcs5s2$")));
}

#[test]
fn a_look_a_denial_and_a_disabled_token_renew_nothing() {
    let patctl = with_vectors();
    let (_, token, _) = VECTORS[0];
    let stdin = |args: &[&str]| patctl.run_with(args, &Setup { stdin: token.as_bytes(), ..Setup::default() });
    let look = stdin(&["whoami"]);
    assert_eq!(look.exit, Exit::Yes, "{look:?}");
    assert!(look.stdout.contains("TOKEN_ID 123456789012"), "{look:?}");
    assert_eq!(patctl.run(&["disable", "dc3jz9j6gm"]).exit, Exit::Yes);
    assert_eq!(patctl.verify(token, &[]), (Exit::No, "disabled".to_owned()));
    assert!(verifiers(&patctl)[0].starts_with("$pkcs5s2$"));
}

/// As in the original: no Basic.
#[test]
fn an_imported_token_is_accepted_as_bearer_until_it_is_edited() {
    let patctl = with_vectors();
    let (_, token, _) = VECTORS[0];
    // base64 of "vera:" and the token
    let basic = "Basic dmVyYTpNVEl6TkRVMk56ZzVNREV5T2dBQkFnTUVCUVlIQ0FrS0N3d05EZzhRRVJJVA==";
    assert_eq!(patctl.verify(basic, &[]), (Exit::No, "wrong-auth-method".to_owned()));
    assert_eq!(patctl.run(&["edit", "dc3jz9j6gm", "--auth", "both"]).exit, Exit::Yes);
    assert_eq!(patctl.verify(basic, &[]).0, Exit::Yes);
    assert_eq!(patctl.verify(token, &[]).0, Exit::Yes);
}

#[test]
fn an_id_is_what_list_prints_or_a_beginning_of_it_or_the_number_of_twelve_digits() {
    let patctl = with_vectors();
    let ids = patctl.run(&["list", "-o", "ids", "--sort", "id"]).stdout;
    assert_eq!(ids, "dc00000000\ndc3jz9j6gm\ndcx3aaa3zz\n");
    for (typed, name) in
        [("dc3jz9j6gm", "token 0"), ("dc3j", "token 0"), ("999999999999", "token 2"), ("DC0000", "token 1")]
    {
        let shown = patctl.run(&["show", typed, "-o", "json"]).json();
        assert_eq!(shown["name"], name, "{typed}");
    }
    patctl.run(&["show", "123456789013"]).says(Exit::No, &["no token has the id 123456789013"]);
    patctl.run(&["check", "--id", "123456789012", "--method", "GET", "--url", "/x"]);
    let successor = patctl.run(&["rotate", "123456789012", "--yes"]);
    assert_eq!(successor.exit, Exit::Yes, "{successor:?}");
    assert_eq!(patctl.verify(VECTORS[0].1, &[]), (Exit::No, "rotated".to_owned()));
    assert_eq!(patctl.verify(successor.stdout.trim_end(), &[]).0, Exit::Yes);
    assert_eq!(patctl.run(&["revoke", "999999999999", "--yes"]).exit, Exit::Yes);
    assert_eq!(patctl.verify(VECTORS[2].1, &[]), (Exit::No, "revoked".to_owned()));
}

#[test]
fn a_leaked_one_is_revoked_by_its_secret_alone() {
    let patctl = with_vectors();
    let (_, token, _) = VECTORS[1];
    let revoke = |token: &str| {
        patctl
            .run_with(&["revoke", "--token-stdin"], &Setup { stdin: token.as_bytes(), ..Setup::default() })
            .exit
    };
    assert_eq!(revoke(&wrong(token)), Exit::No);
    assert_eq!(patctl.verify(token, &[]).0, Exit::Yes);
    assert_eq!(revoke(token), Exit::Yes);
    assert_eq!(patctl.verify(token, &[]), (Exit::No, "revoked".to_owned()));
}

#[test]
fn an_unknown_number_costs_one_computation_of_the_kind_that_its_neighbours_cost() {
    use patctl::domain::verifier::computations;
    let patctl = with_vectors();
    patctl.create(&[]);
    let unknown = "NDAwMDAwMDAwMDAwOgABAgMEBQYHCAkKCwwNDg8QERIT";
    let before = computations();
    assert_eq!(patctl.verify(unknown, &[]), (Exit::No, "unknown".to_owned()));
    assert_eq!(computations(), before + 1);
    // What one is like that stands alone among the imported ones, whatever else there is.
    let store = patctl::store::sqlite::SqliteStore::open(&patctl.db()).expect("the database");
    let work = |id: &str| {
        let near = patctl::store::Read::work_near(&store, id.parse().expect("an id")).expect("a look");
        format!("{near:?}")
    };
    for id in ["dc00000001", "dc50000000", "dcx3aaa3zz", "dczzzzzzzz"] {
        assert_eq!(work(id), "Some(Imported)", "{id}");
    }
    for id in ["0000000000", "dbzzzzzzzz", "dd00000000", "zzzzzzzzzz"] {
        assert!(work(id).starts_with("Some(Argon2id"), "{id}");
    }
}

#[test]
fn each_format_comes_in_and_goes_out_as_it_was() {
    let rows = dumps::many(500);
    for (name, dump) in
        [("copy", dumps::copy(&rows)), ("insert", dumps::insert(&rows)), ("csv", dumps::csv(&rows))]
    {
        let patctl = Patctl::new();
        let run = import(&patctl, &dump, &["-q"]);
        run.is(Exit::Yes, "");
        assert_eq!(export(&patctl, &[]), dumps::csv(&rows), "{name}");
        // What is exported can be imported.
        let again = Patctl::new();
        import(&again, &dumps::csv(&rows), &["-q"]).is(Exit::Yes, "");
        assert_eq!(export(&again, &[]), dumps::csv(&rows), "{name}");
    }
}

/// The programs themselves wrote these; tests/corpus/atlassian/README.md tells which.
#[test]
fn what_real_programs_write_comes_out_as_psql_writes_it() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/atlassian/");
    let expected = std::fs::read_to_string(format!("{corpus}psql-copy.csv")).expect("the corpus");
    for file in ["psql-copy.csv", "pg_dump.sql", "pg_dump-inserts.sql", "mariadb-dump.sql"] {
        let patctl = Patctl::new();
        patctl.run(&["import", "atlassian", &format!("{corpus}{file}"), "-q"]).is(Exit::Yes, "");
        assert_eq!(export(&patctl, &[]), expected, "{file}");
    }
}

#[test]
fn names_keys_and_times_of_every_shape_survive() {
    let mut rows = dumps::many(6);
    rows[0].name = "tab\there, \"quotes\", it's\na line\\n; -- 100% \u{202e}é漢".to_owned();
    rows[1].expiring_at = "9999-12-31 01:00:00".to_owned();
    rows[2].expiring_at = "9999-12-30 14:00:00".to_owned();
    rows[3].last_accessed_at = None;
    rows[4].created_at = "2024-02-29 23:59:59.000001".to_owned();
    rows[5].notification_state = "EXPIRED_SENT";
    for dump in [
        dumps::copy(&rows),
        dumps::insert(&rows),
        dumps::csv(&rows),
        format!("\u{feff}{}", dumps::csv(&rows)),
    ] {
        let patctl = Patctl::new();
        import(&patctl, &dump, &["-q"]).is(Exit::Yes, "");
        assert_eq!(export(&patctl, &[]), dumps::csv(&rows));
        let never = patctl.run(&["list", "-o", "json", "--expires-after", "9000-01-01"]).json();
        assert_eq!(never.as_array().map(Vec::len), Some(4), "however never is written: {never}");
        assert_eq!(never[0]["expires_at"], serde_json::Value::Null);
    }
}

#[test]
fn what_was_imported_before_stays_and_what_is_new_comes() {
    let patctl = Patctl::new();
    let rows = dumps::many(4);
    import(&patctl, &dumps::copy(&rows[..3]), &[]);
    patctl.run(&["revoke", &rows[0].id(), "--yes"]);
    patctl.run(&["edit", &rows[1].id(), "--name", "renamed"]);
    let run = import(&patctl, &dumps::copy(&rows), &["-o", "jsonl"]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    let fates: Vec<serde_json::Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let words: Vec<&str> = fates.iter().filter_map(|row| row["fate"].as_str()).collect();
    assert_eq!(words, ["present", "present", "present", "imported"]);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE revoked_at IS NULL"), 3);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE name = 'renamed'"), 1);
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'import'"), 4 + 2);
    let third = import(&patctl, &dumps::copy(&rows), &[]);
    assert!(third.stderr.contains("0 tokens imported, 4 imported before"), "{third:?}");
}

#[test]
fn one_row_that_stands_against_it_keeps_all_out() {
    let patctl = Patctl::new();
    let rows = dumps::many(9);
    let broken = |at: usize, change: fn(&mut Row)| {
        let mut rows = rows.clone();
        change(&mut rows[at]);
        rows
    };
    for (dump, words) in [
        (
            dumps::copy(&broken(4, |row| row.expiring_at = "soon".to_owned())),
            "line 10: EXPIRING_AT: 'soon' is no time",
        ),
        (
            dumps::insert(&broken(4, |row| row.hash = "{SSHA}x".to_owned())),
            "line 4, row 5: HASHED_TOKEN: it is no {PKCS5S2} hash",
        ),
        (
            dumps::csv(&broken(4, |row| row.token_id = "12345".to_owned())),
            "line 6: TOKEN_ID: '12345' is not twelve digits",
        ),
        (dumps::csv(&broken(4, |row| row.created_at = "0001-01-01".to_owned())), "line 6: CREATED_AT"),
        (dumps::csv(&broken(4, |row| row.user_key = "a:b".to_owned())), "line 6: USER_KEY: it holds a ':'"),
        (
            dumps::copy(&broken(8, |row| row.token_id = "000000000001".to_owned())),
            "line 14: line 6 has the same TOKEN_ID",
        ),
    ] {
        let run = import(&patctl, &dump, &[]);
        run.says(Exit::No, &[words, "nothing was imported", "--skip-bad"]);
        assert!(!patctl.db().exists(), "nothing was made");
        let dry = import(&patctl, &dump, &["--dry-run"]);
        assert_eq!(dry.exit, Exit::No);
        assert!(dry.stdout.contains("broken") || dry.stdout.contains("conflict"), "{dry:?}");
        let other = Patctl::new();
        let skipped = import(&other, &dump, &["--skip-bad", "-o", "ids"]);
        assert_eq!((skipped.exit, skipped.stdout.lines().count()), (Exit::Yes, 8), "{skipped:?}");
        assert_eq!(other.count("SELECT count(*) FROM token"), 8);
    }
}

#[test]
fn a_number_that_another_token_has_is_a_conflict_whatever_came_between() {
    let patctl = Patctl::new();
    let rows = dumps::many(3);
    import(&patctl, &dumps::copy(&rows), &[]);
    let mut others = rows.clone();
    others[1].user_key = "somebody else".to_owned();
    others[2].hash = others[0].hash.clone();
    let run = import(&patctl, &dumps::copy(&others), &[]);
    run.says(Exit::No, &["2 rows in conflict", "line 7: another token has its TOKEN_ID", "line 8: another"]);
    let run = import(&patctl, &dumps::copy(&others), &["--skip-bad", "-o", "csv"]);
    assert_eq!(run.exit, Exit::Yes);
    assert!(run.stdout.lines().nth(2).is_some_and(|line| line.contains(",conflict,")), "{run:?}");
    assert_eq!(export(&patctl, &[]), dumps::csv(&rows), "what was there is as it was");
}

#[test]
fn a_preview_changes_nothing_and_shows_what_would_come() {
    let patctl = Patctl::new();
    let dump = dumps::copy(&dumps::many(2));
    let run = import(&patctl, &dump, &["--dry-run"]);
    assert_eq!(run.exit, Exit::Yes);
    assert!(run.stdout.starts_with("LINE  ACTION  ID"), "{run:?}");
    assert!(run.stderr.contains("2 tokens would be imported"), "{run:?}");
    assert!(!patctl.db().exists());
    patctl.create(&[]);
    let rows = patctl.count("SELECT count(*) FROM audit");
    import(&patctl, &dump, &["--dry-run"]);
    assert_eq!(patctl.count("SELECT count(*) FROM audit"), rows);
    assert_eq!(patctl.count("SELECT count(*) FROM token"), 1);
}

#[test]
fn users_get_their_names_and_names_their_beginning_and_both_go_out_as_they_came() {
    let patctl = Patctl::new();
    let mut rows = dumps::many(3);
    for (row, key) in rows.iter_mut().zip(["JIRAUSER10000", "JIRAUSER10001", "JIRAUSER10002"]) {
        row.user_key = key.to_owned();
    }
    let map = patctl.path("users.csv");
    std::fs::write(&map, "user_key,lower_user_name\nJIRAUSER10000,alice\nJIRAUSER10001,bob\n")
        .expect("a file");
    let args = ["--user-map", map.to_str().expect("a path"), "--prefix-name", "jira: "];
    let run = import(&patctl, &dumps::csv(&rows), &args);
    run.says(Exit::Yes, &["1 row has a user who is not in the map", "JIRAUSER10002"]);
    let users = patctl.run(&["list", "-o", "json", "--sort", "user"]).json();
    let column = |name: &str| [0, 1, 2].map(|at| users[at][name].as_str().unwrap_or("").to_owned());
    assert_eq!(column("user"), ["JIRAUSER10002", "alice", "bob"]);
    assert!(column("name").iter().all(|name| name.starts_with("jira: token ")), "{users}");
    assert_eq!(export(&patctl, &["--prefix-name", "jira: "]), dumps::csv(&rows));
    std::fs::write(&map, "a,b\nc\n").expect("a file");
    import(&patctl, &dumps::csv(&rows), &args).says(Exit::No, &["line 2: it has not as many values"]);
    std::fs::write(&map, "JIRAUSER10000,a:b\n").expect("a file");
    import(&patctl, &dumps::csv(&rows), &args)
        .says(Exit::No, &["line 2: the name of its user in the map: it holds a ':'"]);
}

#[test]
fn who_is_over_the_limit_is_named_and_imported_all_the_same() {
    let patctl = Patctl::new();
    patctl.create(&["--user", "greedy"]);
    let mut rows = dumps::many(12);
    for row in &mut rows[..10] {
        row.user_key = "greedy".to_owned();
    }
    let warning = "1 user has more tokens than atlassian.pats.max.tokens.per.user allows (10)";
    let dry = import(&patctl, &dumps::csv(&rows), &["--dry-run"]);
    assert!(dry.stderr.contains(warning) && dry.stderr.contains("greedy (11)"), "{dry:?}");
    let run = import(&patctl, &dumps::csv(&rows), &[]);
    run.says(Exit::Yes, &[warning, "greedy (11)", "12 tokens imported"]);
    patctl.run(&["create", "--user", "greedy"]).says(Exit::No, &["greedy has 11 tokens"]);
}

#[test]
fn no_mail_is_written_for_tokens_that_nobody_made_today() {
    let patctl = Patctl::new();
    patctl.configure("patctl.mail.transport = sendmail\npatctl.mail.from = a@example.com\npatctl.mail.to = b@example.com\n");
    import(&patctl, &dumps::copy(&dumps::many(3)), &[]);
    assert_eq!(patctl.count("SELECT count(*) FROM outbox"), 0);
}

#[test]
fn a_token_that_somebody_put_into_a_name_is_not_kept() {
    let patctl = Patctl::new();
    let mut rows = dumps::many(2);
    rows[1].name = VECTORS[0].1.to_owned();
    let run = import(&patctl, &dumps::copy(&rows), &["-o", "json"]);
    assert!(run.stderr.contains("1 row has a token in the name"), "{run:?}");
    for bytes in
        [run.stdout.as_bytes(), run.stderr.as_bytes(), &std::fs::read(patctl.db()).expect("the database")]
    {
        crate::harness::assert_no_secret(&VECTORS[0].1[18..], bytes, "what is kept or said");
    }
}

#[test]
fn what_is_no_dump_is_refused_with_what_to_do() {
    let patctl = Patctl::new();
    for (input, args, words) in [
        ("", &[][..], "it begins neither as a dump nor"),
        ("hello", &["--format", "csv"], "columns CREATED_AT, EXPIRING_AT"),
        ("\u{1f}x", &["--format", "copy"], "there is no 'COPY … AO_81F455_PERSONAL_TOKEN"),
        ("PGDMP", &[], "pg_restore -f -"),
        ("COPY \"AO_81F455_PERSONAL_TOKEN\" FROM stdin;\n1\t2", &[], "the dump is not whole"),
    ] {
        import(&patctl, input, args).says(Exit::No, &[words, "stdin: "]);
    }
    patctl.run(&["import", "atlassian", "/nowhere/x"]).says(Exit::Io, &["/nowhere/x could not be read"]);
    patctl.run(&["import", "atlassian", "-", "--format", "xml"]).says(Exit::Usage, &["xml"]);
    patctl.run(&["import", "atlassian"]).says(Exit::Usage, &["<FILE>"]);
    let json = import(&patctl, "hello", &["-o", "json"]);
    let error: serde_json::Value = serde_json::from_str(json.stderr.trim()).expect("JSON");
    assert_eq!((json.exit, &error["error"]["kind"]), (Exit::No, &"dump".into()));
}
