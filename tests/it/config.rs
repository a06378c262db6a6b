use crate::harness::{Patctl, Setup};
use patctl::exit::Exit;
use std::ffi::OsString;

#[test]
fn a_bad_value_names_file_line_and_column_and_changes_nothing() {
    let patctl = Patctl::new();
    // The harness itself writes two lines before these.
    for (text, place, why) in [
        ("atlassian.pats.enabled = yes", ":3:26: ", "must be true or false"),
        ("\n  atlassian.pats.pruning.delay.days : -1", ":4:39: ", "from 0 to 36500"),
        ("atlassian.pats.max.tokens.per.user = 10x", ":3:38: ", "must be a whole number"),
        ("atlassian.pats.max.tokens.per.user = 99999999999999999999", ":3:38: ", "whole number"),
        ("atlassian.pats.max.tokens.per.user =", ":3:37: ", "whole number"),
        ("atlassian.pats.pruning.schedule.cron = 0 0 0 * *", ":3:40: ", "6 or 7 fields"),
        ("atlassian.pats.pruning.schedule.cron = '0 0 25 * * ?'", ":3:40: ", "field 3 (hours)"),
        ("patctl.auth.methods = Basic", ":3:23: ", "one of both, bearer, basic"),
        ("patctl.argon2.memory.kib = 4194304", ":3:28: ", "from 1024 to 262144"),
        ("patctl.token.prefix = a-b", ":3:23: ", "letters, digits or '_'"),
        ("patctl.db = relative.db", ":3:13: ", "an absolute path"),
        ("patctl.base.url = jira.example.com", ":3:19: ", "http:// or https://"),
        ("patctl.mail.transport = smtp://", ":3:25: ", "sendmail"),
        ("patctl.audit.sync = \\\n    sometimes", ":4:5: ", "one of normal, full"),
        ("x = \\u12", ":3:5: ", "four hexadecimal digits"),
    ] {
        patctl.configure(text);
        let run = patctl.run(&["create"]);
        run.says(Exit::Config, &[&format!("patctl.properties{place}"), why]);
        assert!(!patctl.db().exists(), "{text}");
        patctl.run(&["config", "check"]).says(Exit::Config, &[place, why]);
    }
}

/// Both sides of the command: `-D` before it, behind it, and both.
#[test]
fn a_define_counts_wherever_it_stands() {
    let patctl = Patctl::new();
    let key = "atlassian.pats.max.tokens.expiry.days";
    let (one, two) = (format!("-D{key}=1"), format!("-D{key}=2"));
    let other = "-Dpatctl.argon2.iterations=1";
    let asks = |args: &[&str]| patctl.run(&[args, &["--expires", "99"]].concat()).stderr;
    for args in [
        &[&one, "create"][..],
        &["create", &one],
        &[&one, "create", other],
        &[other, "create", &one],
        &[&two, "create", &one],
    ] {
        assert!(asks(args).contains("1 days at most"), "{args:?}: {}", asks(args));
    }
    for unknown in ["foo=1", "patctl.foo=1", "max.tokens.per.user=3"] {
        patctl.run(&["list", "-D", unknown]).says(Exit::Config, &["there is no property"]);
    }
    patctl.configure("max.tokens.per.user = 3\nAtlassian.pats.enabled = false\njira.title = x");
    let near = patctl.run(&["create"]).stderr;
    assert_eq!(near.matches("did you mean").count(), 2, "{near}");
    patctl.configure("");
    patctl.run(&["-D", "atlassian.pats.enabled=maybe", "list", other]).says(Exit::Config, &["true or false"]);
    patctl
        .run(&["-D", "atlassian.pats.enabled=maybe", "config", "check", other])
        .says(Exit::Config, &["true or false"]);
}

#[test]
fn show_names_the_origin_of_every_value_and_what_differs() {
    let patctl = Patctl::new();
    let show = |args: &[&str]| {
        let json = patctl.run(&[&["config", "show", "-o", "json"], args].concat()).json();
        json.as_array().expect("rows").clone()
    };
    let key = "atlassian.pats.expiry.warning.days";
    let file = patctl.path("patctl.properties").display().to_string();
    // default, file, -D: every combination of present and absent.
    for (in_file, defined, value, origin, changed) in [
        ("", "", "5", "default".to_owned(), false),
        ("7", "", "7", format!("{file}:3:38"), true),
        ("", "9", "9", "-D".to_owned(), true),
        ("7", "9", "9", "-D".to_owned(), true),
        ("5", "", "5", format!("{file}:3:38"), false),
    ] {
        patctl.configure(&if in_file.is_empty() { String::new() } else { format!("{key} = {in_file}") });
        let define = format!("{key}={defined}");
        let args = if defined.is_empty() { vec![key] } else { vec![key, "-D", &define] };
        let rows = show(&args);
        assert_eq!(rows.len(), 1);
        let (row, given) = (&rows[0], (in_file, defined));
        assert_eq!((&row["property"], &row["value"]), (&key.into(), &value.into()), "{given:?}");
        assert_eq!((&row["origin"], &row["default"]), (&origin.into(), &"5".into()), "{given:?}");
        assert_eq!(row["changed"], changed, "{given:?}");
    }
    assert_eq!(show(&[]).len(), patctl::config::keys::KEYS.len());
    let changed = patctl.run(&["config", "show", "--changed"]).stdout;
    assert!(
        changed.contains("patctl.argon2.iterations") && !changed.contains("max.tokens.per.user"),
        "{changed}"
    );
    patctl
        .run(&["config", "show", "patctl.audit.snyc"])
        .says(Exit::No, &["did you mean 'patctl.audit.sync'?"]);
    for format in ["table", "json", "jsonl", "csv"] {
        for what in ["show", "keys"] {
            let run = patctl.run(&["config", what, "-o", format]);
            assert!(run.stdout.contains("patctl.audit.sync"), "{what} {format}: {run:?}");
        }
    }
    let computed =
        patctl.run(&["config", "show", "-o", "csv", "patctl.mail.to", "-D", "patctl.mail.to==cmd@x"]).stdout;
    assert!(computed.contains("patctl.mail.to,'=cmd@x,'-D"), "{computed}");
    let keys = patctl.run(&["config", "keys", "patctl.audit.sync", "-o", "json"]).json();
    assert_eq!((&keys[0]["type"], &keys[0]["default"]), (&"one of normal, full".into(), &"normal".into()));
}

/// The same settings from TOML, with the same origins; and what is no TOML or of a wrong type.
#[test]
fn toml_is_read_as_toml_and_nothing_in_it_is_a_silent_default() {
    let patctl = Patctl::new();
    let file = patctl.path("patctl.toml");
    let path = file.to_str().expect("a path").to_owned();
    let db = patctl.db().to_str().expect("a path").to_owned();
    let run = |text: &str, args: &[&str]| {
        std::fs::write(&file, text).expect("a file");
        let all: Vec<OsString> =
            [&["patctl", "--config", &path, "--db", &db], args].concat().iter().map(OsString::from).collect();
        patctl.run_exactly(&all, &Setup::default())
    };
    let key = "atlassian.pats.max.tokens.expiry.days";
    for text in [
        "atlassian.pats.max.tokens.expiry.days = 3",
        "[atlassian.pats]\nmax.tokens.expiry.days = 3",
        "[atlassian.pats.max.tokens]\nexpiry = { days = 3 }\n[other]\nx = [1, 2]",
        "\u{feff}atlassian.pats.max.tokens.expiry.days = 3\r\njira.x = 1.5",
    ] {
        run(text, &["create", "--expires", "4"]).says(Exit::No, &["3 days at most"]);
    }
    let shown =
        run("# c\n[atlassian.pats]\nmax.tokens.expiry.days = 3", &["config", "show", key, "-o", "json"]);
    assert_eq!(shown.json()[0]["origin"], format!("{path}:3:26"));
    for (text, place, why) in [
        ("[atlassian.pats]\nenabled = \"false\"", ":2:11: ", "must be true or false, not string"),
        ("atlassian.pats.enabled = 1", ":1:26: ", "not integer"),
        ("atlassian.pats.max.tokens.per.user = \"10\"", ":1:38: ", "not string"),
        ("atlassian.pats.max.tokens.per.user = 1.5", ":1:38: ", "not a fraction"),
        ("atlassian.pats.max.tokens.per.user = 0x10", ":1:38: ", "not a number that is not decimal"),
        ("atlassian.pats.max.tokens.per.user = -1", ":1:38: ", "from 1 to 1000000"),
        ("atlassian.pats.max.tokens.per.user = 99999999999999999999", ":1:38: ", ""),
        ("atlassian.pats.max.tokens.per.user = [10]", ":1:38: ", "not a list"),
        ("patctl.audit.sync = 2027-01-31", ":1:21: ", "not a date"),
        ("patctl.audit.sync = full", ":1:21: ", ""),
        ("patctl.audit.sync = \"sometimes\"", ":1:21: ", "one of normal, full"),
        ("patctl.audit.sync = \"full\"\npatctl.audit.sync = \"full\"", ":2:", ""),
        ("[patctl\naudit.sync = \"full\"", ":1:", ""),
        ("= 3", ":1:", ""),
        ("patctl.db = \"relative\"", ":1:13: ", "an absolute path"),
        ("patctl.db = \"/a\\u0000b\"", ":1:13: ", ""),
    ] {
        let result = run(text, &["create"]);
        result.says(Exit::Config, &[&format!("patctl.toml{place}"), why]);
        assert!(!patctl.db().exists(), "{text}");
    }
    for misshapen in [
        "[[patctl]]\naudit.sync = \"full\"",
        "atlassian.pats = true",
        "patctl = 1",
        "[[atlassian.pats]]\nenabled = false",
    ] {
        run(misshapen, &["create"]).says(Exit::Config, &["properties lie below it"]);
    }
    let many: Vec<String> = (0..30_000).map(|n| format!("jira.x{n} = 1")).collect();
    let begun = std::time::Instant::now();
    run(&many.join("\n"), &["create", "--expires", "999"]).says(Exit::No, &["at most"]);
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    let odd = run("[patctl]\nnonsense = 1", &["create"]);
    assert!(odd.stderr.contains(":2:1: unknown property 'patctl.nonsense'"), "{odd:?}");
}

#[test]
fn a_hostile_file_costs_little_and_says_little() {
    let patctl = Patctl::new();
    let lines: Vec<String> = (0..20_000).map(|n| format!("patctl.unknown.property.{n} = 1")).collect();
    patctl.configure(&lines.join("\n"));
    let begun = std::time::Instant::now();
    let run = patctl.run(&["create"]);
    assert!(run.stderr.lines().count() < 20, "{} lines", run.stderr.lines().count());
    assert!(run.stderr.contains("and 19990 more"), "{run:?}");
    patctl.configure(&format!("patctl.{} = 1", "a".repeat(1_000_000)));
    patctl.run(&["create"]);
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn all_bad_values_are_told_at_once() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.enabled = 1\nextender.token.secure.mode = 2");
    patctl.run(&["create"]).says(Exit::Config, &[":3:26: ", ":4:30: "]);
}

/// What an administrator has: Jira's own file, where hardly a line is ours.
#[test]
fn a_jira_config_properties_full_of_other_keys_loads_in_silence() {
    let patctl = Patctl::new();
    let file = patctl.path("jira-config.properties");
    let text = "\
# Do not modify this file unless instructed.
! generated
jira.websudo.is.disabled = false
jira.title=Acme Jira \\u00e9
jira.projectkey.pattern = ([A-Z][A-Z]+)
jira.attachment.path = C:\\\\data\\\\attachments  
jira.table.cols.subtasks = issuetype, status, \\
    assignee, progress
ops.bar.group.size.opsbar-transitions = 2
jira.title = twice
jira.empty
jira.lf.date.time=hh:mm a
extender.token.secure.mode=true
atlassian.pats.pruning.schedule.cron='0 0 0 * * ?'
";
    std::fs::write(&file, text).expect("a file");
    let args = ["config", "check", file.to_str().expect("a path")];
    // But for the one property that counts here and not for Jira.
    let checked = patctl.run(&args);
    let line = format!(
        "patctl: {}:14:1: Jira does not read atlassian.pats.pruning.schedule.cron from this",
        args[2]
    );
    assert_eq!(checked.exit, Exit::Config);
    assert!(checked.stderr.starts_with(&line) && checked.stderr.lines().count() == 2, "{checked:?}");
    let all: Vec<OsString> =
        ["patctl", "-q", "--config", args[2], "--db", patctl.db().to_str().expect("a path"), "create"]
            .iter()
            .map(OsString::from)
            .collect();
    let run = patctl.run_exactly(&all, &Setup::default());
    assert_eq!((run.exit, run.stderr.as_str()), (Exit::Yes, ""));
    assert_eq!(patctl.run(&["list", "-o", "json"]).json()[0]["secure"], true);
}

#[test]
fn oddities_in_our_own_keys_are_warned_about_and_are_errors_under_check() {
    let patctl = Patctl::new();
    for (text, place, warning) in [
        (
            "atlassian.pats.max.token.per.user = 3",
            ":3:1: ",
            "did you mean 'atlassian.pats.max.tokens.per.user'?",
        ),
        ("patctl.nonsense = 3", ":3:1: ", "unknown property"),
        ("extender.token.secure.mode = false  ", ":3:30: ", "trailing blanks"),
        ("atlassian.pats.enabled = true\natlassian.pats.enabled = true", ":4:1: ", "set on line 3 already"),
    ] {
        patctl.configure(text);
        let run = patctl.run(&["create"]);
        assert_eq!(run.exit, Exit::Yes, "{run:?}");
        for word in ["warning:", place, warning] {
            assert!(run.stderr.contains(word), "{word}: {run:?}");
        }
        patctl.run(&["config", "check"]).says(Exit::Config, &[place]);
    }
}

#[test]
fn check_answers_in_json_with_place_and_hint() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.enable = true\natlassian.pats.eternal.tokens.enabled = 0");
    let run = patctl.run(&["config", "check", "-o", "json"]);
    assert_eq!(run.exit, Exit::Config);
    let json = run.json();
    assert_eq!(json["ok"], false);
    assert!(json["problems"][0]["origin"].as_str().is_some_and(|o| o.ends_with(":3:1")), "{json}");
    assert_eq!(json["problems"][0]["hint"], "did you mean 'atlassian.pats.enabled'?");
    patctl.configure("");
    assert_eq!(patctl.run(&["config", "check", "-o", "json"]).json()["ok"], true);
}

#[test]
fn the_command_line_wins_over_the_file_and_the_last_of_two_wins() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.expiry.days = 5\natlassian.pats.max.tokens.expiry.days = 7");
    let ask = |args: &[&str]| patctl.run(&[&["create", "-q", "--expires", "9"], args].concat()).exit;
    assert_eq!(ask(&[]), Exit::No);
    let key = "atlassian.pats.max.tokens.expiry.days";
    assert_eq!(ask(&["-D", &format!("{key}=9")]), Exit::Yes);
    assert_eq!(ask(&["-D", &format!("{key}=9"), "-D", &format!("{key}=8")]), Exit::No);
    assert_eq!(ask(&["-D", &format!("{key}=nine")]), Exit::Config);
    assert_eq!(ask(&["-D", "nine"]), Exit::Usage);
}

/// `--config`, `$PATCTL_CONFIG`, the user's file, the system's file: the first there is, and never
/// the next one when that cannot be read.
#[test]
fn the_first_file_in_the_order_counts_and_a_broken_one_is_the_end() {
    let mut patctl = Patctl::new();
    let write = |patctl: &Patctl, name: &str, limit: &str| {
        let path = patctl.path(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        let text = format!("{}atlassian.pats.max.tokens.expiry.days = {limit}", crate::harness::CHEAP);
        std::fs::write(&path, text).expect("a file");
        path.into_os_string()
    };
    let limit = |patctl: &Patctl, config: Option<&OsString>| {
        let mut args: Vec<OsString> = vec!["patctl".into(), "--db".into(), patctl.db().into()];
        if let Some(path) = config {
            args.extend(["--config".into(), path.clone()]);
        }
        args.extend(["create", "--expires", "9999"].map(OsString::from));
        patctl.run_exactly(&args, &Setup::default()).stderr
    };
    let at_most = |days: &str| format!("{days} days at most");
    assert!(limit(&patctl, None).contains(&at_most("365")));
    write(&patctl, "etc/patctl.properties", "4");
    assert!(limit(&patctl, None).contains(&at_most("4")));
    patctl.env.insert("HOME".to_owned(), patctl.path("home").into());
    write(&patctl, "home/.config/patctl/patctl.properties", "3");
    assert!(limit(&patctl, None).contains(&at_most("3")));
    patctl.env.insert("XDG_CONFIG_HOME".to_owned(), patctl.path("xdg").into());
    assert!(limit(&patctl, None).contains(&at_most("4")), "an empty XDG directory hides ~/.config");
    write(&patctl, "xdg/patctl/patctl.properties", "2");
    assert!(limit(&patctl, None).contains(&at_most("2")));
    let named = write(&patctl, "named.properties", "1");
    patctl.env.insert("PATCTL_CONFIG".to_owned(), named);
    assert!(limit(&patctl, None).contains(&at_most("1")));
    let flag = write(&patctl, "flag.properties", "9");
    assert!(limit(&patctl, Some(&flag)).contains(&at_most("9")));
    patctl.env.insert("PATCTL_CONFIG".to_owned(), patctl.path("absent").into());
    assert!(limit(&patctl, None).contains("No such file"));
    patctl.env.remove("PATCTL_CONFIG");
    write(&patctl, "xdg/patctl/patctl.properties", "broken");
    assert!(limit(&patctl, None).contains("must be a whole number"));
}

#[test]
fn latin_1_a_byte_order_mark_and_crlf_are_read() {
    let patctl = Patctl::new();
    let file = patctl.path("patctl.properties");
    let key = "atlassian.pats.max.tokens.expiry.days = 3\r\n";
    std::fs::write(&file, [b"# caf\xe9\r\n".as_slice(), key.as_bytes()].concat()).expect("a file");
    patctl.run(&["create", "--expires", "4"]).says(Exit::No, &["3 days at most"]);
    std::fs::write(&file, ["\u{feff}", key].concat()).expect("a file");
    patctl.run(&["create", "--expires", "4"]).says(Exit::No, &["3 days at most", "byte order mark"]);
}

/// Against `java-properties`, which knows no positions: random files, same pairs.
#[test]
fn random_files_are_read_as_another_library_reads_them() {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    let piece = prop_oneof![
        "[a-c.]{1,3}",
        Just("=".to_owned()),
        Just(":".to_owned()),
        Just(" ".to_owned()),
        Just("\t".to_owned()),
        Just("\\q".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("#".to_owned()),
        Just("!".to_owned()),
        Just("\\n".to_owned()),
        Just("\\u0041".to_owned()),
        Just("x\\\n".to_owned()),
        Just("x\\\r\n  ".to_owned()),
        Just("\\\\".to_owned()),
        Just("k = v\n".to_owned()),
    ];
    let mut runner = TestRunner::new(Config { cases: 2000, failure_persistence: None, ..Config::default() });
    runner
        .run(&proptest::collection::vec(piece, 0..24), |pieces| {
            // A continuation never starts from nothing here: a comment sign behind one is a comment
            // to java.util.Properties, and not to that crate. And that crate drops a line whose continuation is cut off by the end of the file, and
            // java.util.Properties keeps it; so the file does not end there.
            let text = pieces.concat() + "\nend=1\n";
            let mut theirs = java_properties::PropertiesIter::new(text.as_bytes());
            let mut pairs = Vec::new();
            let ok = theirs.read_into(|key, value| pairs.push((key, value))).is_ok();
            let ours = patctl::config::properties::parse(&text);
            prop_assert_eq!(ours.is_ok(), ok, "{:?}", text);
            if let Ok(entries) = ours {
                let entries: Vec<_> = entries.into_iter().map(|e| (e.key, e.value)).collect();
                prop_assert_eq!(entries, pairs, "{:?}", text);
            }
            Ok(())
        })
        .expect("the two agree");
}
