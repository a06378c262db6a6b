use crate::harness::{Patctl, Setup, Sink, id_of};
use patctl::domain::moment::Span;
use patctl::exit::Exit;

/// One token in each state, as the operator would have made them.
fn one_of_each() -> (Patctl, [String; 5]) {
    let patctl = Patctl::new();
    let expired = patctl.create(&["expired", "--user", "alice", "--expires", "1"]);
    patctl.pass(Span::days(2));
    let active = patctl.create(&["active", "--user", "alice", "--expires", "90"]);
    patctl.pass(Span::seconds(1));
    let soon = patctl.create(&["soon", "--user", "bob", "--expires", "3"]);
    patctl.pass(Span::seconds(1));
    let eternal = patctl.create(&["eternal", "--user", "bob"]);
    patctl.pass(Span::seconds(1));
    let revoked = patctl.create(&["revoked", "--user", "bob"]);
    patctl.run(&["revoke", id_of(&revoked), "--reason", "leaked"]);
    (patctl, [expired, active, soon, eternal, revoked])
}

fn names(patctl: &Patctl, args: &[&str]) -> Vec<String> {
    let mut all = vec!["list", "-o", "json"];
    all.extend(args);
    let json = patctl.run(&all).json();
    let name = |token: &serde_json::Value| token["name"].as_str().expect("a name").to_owned();
    json.as_array().expect("an array").iter().map(name).collect()
}

#[test]
fn revoked_tokens_are_shown_only_when_asked_for_newest_first() {
    let (patctl, _) = one_of_each();
    assert_eq!(names(&patctl, &[]), ["eternal", "soon", "active", "expired"]);
    assert_eq!(names(&patctl, &["--all"]), ["revoked", "eternal", "soon", "active", "expired"]);
    assert_eq!(names(&patctl, &["--limit", "2"]), ["eternal", "soon"]);
    assert_eq!(names(&patctl, &["--limit", "0"]), [""; 0]);
}

#[test]
fn states_and_users_choose() {
    let (patctl, _) = one_of_each();
    assert_eq!(names(&patctl, &["--status", "active"]), ["eternal", "soon", "active"]);
    assert_eq!(names(&patctl, &["--status", "expires-soon"]), ["soon"]);
    assert_eq!(names(&patctl, &["--status", "expired"]), ["expired"]);
    assert_eq!(names(&patctl, &["--status", "revoked"]), ["revoked"]);
    assert_eq!(names(&patctl, &["--status", "revoked", "--status", "expired"]), ["revoked", "expired"]);
    assert_eq!(names(&patctl, &["--user", "alice"]), ["active", "expired"]);
    assert_eq!(names(&patctl, &["--user", "alice", "--user", "bob", "--limit", "1"]), ["eternal"]);
    assert_eq!(names(&patctl, &["--user", "ali%"]), [""; 0]);
}

#[test]
fn the_table_reads_well_in_a_pipe() {
    let (patctl, tokens) = one_of_each();
    let [expired, active, soon, eternal, revoked] = tokens.each_ref().map(|t| id_of(t));
    patctl.run(&["list", "--all"]).is(
        Exit::Yes,
        &format!(
            "ID          NAME     USER   STATUS        EXPIRES                    LAST USED\n\
             {revoked}  revoked  bob    revoked       never                      never\n\
             {eternal}  eternal  bob    active        never                      never\n\
             {soon}  soon     bob    EXPIRES SOON  2026-11-26 (in 3 days)     never\n\
             {active}  active   alice  active        2027-02-21 (in 90 days)    never\n\
             {expired}  expired  alice  expired       2026-11-22 (24 hours ago)  never\n"
        ),
    );
}

#[test]
fn ids_are_for_xargs_and_an_empty_list_is_not_an_error() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    patctl.run(&["list", "-o", "ids"]).is(Exit::Yes, &format!("{}\n", id_of(&token)));
    patctl.run(&["list", "-o", "json", "--user", "nobody"]).is(Exit::Yes, "[]\n");
    patctl.run(&["list", "-o", "ids", "--user", "nobody"]).is(Exit::Yes, "");
    patctl.run(&["list", "--user", "nobody"]).says(Exit::Yes, &["no token matches"]);
    patctl.run(&["revoke", id_of(&token)]);
    patctl.run(&["list"]).says(Exit::Yes, &["no tokens", "patctl create"]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_trouble_and_a_full_disk_is() {
    let (patctl, _) = one_of_each();
    for format in ["table", "json", "jsonl", "csv", "ids"] {
        let to = |stdout| Setup { stdout, ..Setup::default() };
        let gone = patctl.run_with(&["list", "-o", format], &to(Sink::Gone));
        assert_eq!((gone.exit, gone.stderr.as_str()), (Exit::Yes, ""));
        patctl.run_with(&["list", "-o", format], &to(Sink::Full)).says(Exit::Io, &["No space left"]);
    }
}

/// The promise of the table: a name in the database that no `create` would accept does no harm.
#[test]
fn hostile_names_are_shown_and_not_obeyed_and_stay_exact_in_json() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "u"]);
    let hostile = "a\x1b]0;owned\x07\u{202e}b\nc\u{200b}";
    patctl
        .sql()
        .execute("UPDATE token SET name = ?1, note = ?1, revoke_reason = ?1, user = ?1", [hostile])
        .expect("a change by hand");
    patctl.reseal();
    let shown = "a\\u{1b}]0;owned\\u{7}\\u{202e}b\\u{a}c\\u{200b}";
    for args in [&["list"][..], &["list", "--color", "always"], &["show", id_of(&token)]] {
        let run = patctl.run(args);
        assert!(run.stdout.contains(shown), "{run:?}");
        let bare = run.stdout.replace("\x1b[0m", "").replace("\x1b[1m", "").replace("\x1b[32m", "");
        let odd = |c: char| patctl::domain::text::is_hidden(c) && c != '\n';
        assert!(!bare.contains(odd), "{run:?}");
    }
    assert_eq!(patctl.run(&["list", "-o", "json"]).json()[0]["name"], hostile);
}

#[test]
fn colour_follows_the_terminal_the_environment_and_the_flag() {
    let (mut patctl, _) = one_of_each();
    let terminal = Setup { terminal: Some((&[], "")), columns: Some(80), ..Setup::default() };
    let colours = |run: &crate::harness::Run| run.stdout.contains("\x1b[");
    assert!(colours(&patctl.run_with(&["list"], &terminal)));
    assert!(!colours(&patctl.run(&["list"])));
    assert!(colours(&patctl.run(&["list", "--color", "always"])));
    assert!(!colours(&patctl.run_with(&["list", "--color", "never"], &terminal)));
    patctl.env.insert("NO_COLOR".to_owned(), "1".into());
    assert!(!colours(&patctl.run_with(&["list"], &terminal)));
    assert!(colours(&patctl.run_with(&["list", "--color", "always"], &terminal)));
    patctl.env.clear();
    patctl.env.insert("TERM".to_owned(), "dumb".into());
    assert!(!colours(&patctl.run_with(&["list"], &terminal)));
}

#[test]
fn long_names_are_cut_to_the_terminal_and_whole_in_a_pipe() {
    let patctl = Patctl::new();
    let name = "a name as long as forty characters allow";
    patctl.create(&[name, "--user", "somebody.with.a.long.name@example.com"]);
    let at = |columns| {
        let setup = Setup { terminal: Some((&[], "")), columns: Some(columns), ..Setup::default() };
        patctl.run_with(&["list", "--color", "never"], &setup).stdout
    };
    for columns in [70, 80, 100] {
        let widest = at(columns).lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|w| w <= columns), "{columns}: {}", at(columns));
    }
    assert!(at(80).contains('…'));
    assert!(patctl.run(&["list"]).stdout.contains(name));
}

#[test]
fn show_finds_by_a_beginning_and_explains_what_it_cannot_find() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--user", "alice", "--note", "for the build", "--expires", "90"]);
    let id = id_of(&token);
    let _ = patctl.verify(&token, &[]);
    let run = patctl.run(&["show", &id[..4].to_uppercase()]);
    for word in [
        id,
        "ci",
        "alice",
        "for the build",
        "2027-02-19 12:00 UTC (in 90 days)",
        "verify allowed by operator",
    ] {
        assert!(run.stdout.contains(word), "{word}: {run:?}");
    }
    patctl.run(&["show", "zzzz"]).says(Exit::No, &["no token has the id zzzz", "list --all"]);
    patctl.run(&["list", "--after", "zzzz"]).says(Exit::No, &["no token has the id zzzz"]);
    patctl.run(&["show", "zz"]).says(Exit::Usage, &["at least its first 4 characters"]);
}

#[test]
fn an_ambiguous_beginning_lists_its_candidates() {
    let patctl = Patctl::new();
    let twins = ["aaaa000001", "aaaa000002"].map(|id| {
        let token = patctl.create(&[]);
        let sql = "UPDATE token SET id = ?1 WHERE id = ?2";
        patctl.sql().execute(sql, [id, id_of(&token)]).expect("a change by hand");
        id
    });
    patctl.run(&["show", "aaaa"]).says(Exit::No, &[twins[0], twins[1], "type more"]);
    patctl.run(&["revoke", "aaaa"]).says(Exit::No, &[twins[0], twins[1], "type more"]);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE revoked_at IS NOT NULL"), 0);
    assert_eq!(patctl.run(&["show", "aaaa000001"]).exit, Exit::Yes);
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 100");
    for n in 0..7 {
        patctl.create(&["--expires", if n % 3 == 0 { "never" } else { "9" }]);
        patctl.pass(Span::seconds(n % 2));
    }
    for sort in ["created", "expires", "used", "name", "user", "id"] {
        for direction in [&["--sort", sort][..], &["--sort", sort, "--reverse"]] {
            let whole = patctl.run(&[&["list", "-o", "ids"], direction].concat()).stdout;
            let mut paged = String::new();
            loop {
                let last = paged.lines().last().unwrap_or_default().to_owned();
                let mut args = [&["list", "-o", "ids", "--limit", "3"], direction].concat();
                if !last.is_empty() {
                    args.extend(["--after", &last]);
                }
                let page = patctl.run(&args).stdout;
                if page.is_empty() {
                    break;
                }
                paged.push_str(&page);
                assert!(paged.lines().count() <= 7, "a row came twice: {direction:?}\n{paged}");
            }
            assert_eq!(paged, whole, "{direction:?}");
            assert_eq!(whole.lines().count(), 7);
        }
    }
}

#[test]
fn csv_has_a_heading_quotes_what_it_must_and_computes_nothing() {
    let patctl = Patctl::new();
    patctl.create(&["=1+1", "--user", "a, \"b\""]);
    let run = patctl.run(&["list", "-o", "csv"]);
    let mut lines = run.stdout.lines();
    assert!(lines.next().is_some_and(|heading| heading.starts_with("id,name,user,email,status,")), "{run:?}");
    assert!(lines.next().is_some_and(|row| row.contains(",'=1+1,\"a, \"\"b\"\"\",")), "{run:?}");
    assert_eq!(patctl.run(&["list", "-o", "csv", "--user", "x"]).stdout.lines().count(), 1);
    let fields: Vec<String> = {
        let json = patctl.run(&["list", "-o", "json"]).json();
        json[0].as_object().expect("an object").keys().cloned().collect()
    };
    let mut columns: Vec<&str> = run.stdout.lines().next().expect("a heading").split(',').collect();
    columns.sort_unstable();
    assert_eq!(columns, fields, "a column for each field of the JSON");
}

#[test]
fn json_lines_are_the_rows_of_the_json() {
    let (patctl, _) = one_of_each();
    let json = patctl.run(&["list", "--all", "-o", "json"]).json();
    let lines = patctl.run(&["list", "--all", "-o", "jsonl"]).stdout;
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(serde_json::Value::Array(lines), json);
}

#[test]
fn a_whole_token_on_the_command_line_is_refused_and_not_repeated() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    for args in [
        &["show", &token][..],
        &["revoke", &token],
        &["verify", &token],
        &[&token],
        &["list", "--user", "x", &token],
    ] {
        let run = patctl.run(args);
        assert_eq!(run.exit, Exit::Usage, "{run:?}");
    }
    // That no message repeats the secret is checked for every harness when it is dropped.
}
