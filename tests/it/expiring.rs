//! The monitoring check: its words, its figures, and that every trouble is "unknown".

use crate::harness::{Patctl, Setup, Sink, id_of};
use crate::process::{Home, stdout};
use patctl::domain::moment::Span;
use patctl::exit::{Exit, Nagios};

const OK: Exit = Exit::Monitor(Nagios::Ok);
const WARNING: Exit = Exit::Monitor(Nagios::Warning);
const CRITICAL: Exit = Exit::Monitor(Nagios::Critical);
const UNKNOWN: Exit = Exit::Monitor(Nagios::Unknown);

#[test]
fn the_status_worsens_as_the_end_comes_nearer_to_the_microsecond() {
    let patctl = Patctl::new();
    patctl.create(&["eternal", "--user", "alice"]);
    let token = patctl.create(&["nightly|backup", "--user", "alice", "--expires", "30"]);
    let start = patctl.now();
    let at = |days: i64, micros: i64| {
        let now = start.plus(Span::days(days)).expect("in range").micros() + micros;
        patctl.set_now(patctl::domain::moment::Moment::from_micros(now).expect("in range"));
        patctl.run(&["expiring", "--within", "14d"])
    };
    at(16, -1).is(
        OK,
        "OK: no token expires within 14 days | expiring=0;;;0 warning=0;;;0 critical=0;;;0 expired=0;;;0 \
         next=1209600s;1209600:;259200:\n",
    );
    at(16, 0).is(
        WARNING,
        &format!(
            "WARNING: 1 token expires within 14 days | expiring=1;;;0 warning=1;;;0 critical=0;;;0 expired=0;;;0 \
             next=1209600s;1209600:;259200:\n{}  alice  nightly/backup  2026-12-21 12:00 UTC (in 14 days)\n",
            id_of(&token)
        ),
    );
    let run = at(27, -1);
    assert_eq!(run.exit, WARNING);
    let run = at(27, 0);
    assert_eq!(run.exit, CRITICAL);
    assert!(
        run.stdout.starts_with("CRITICAL: 1 token expires within 14 days, 1 of them within 3 days | "),
        "{run:?}"
    );
    let run = at(30, 0);
    assert_eq!(run.exit, OK);
    assert!(
        run.stdout.starts_with("OK: no token expires within 14 days; 1 token expired and not pruned | "),
        "{run:?}"
    );
    assert!(!run.stdout.contains("next="), "no token ends any more: {run:?}");
}

#[test]
fn the_thresholds_can_be_set_and_must_fit_together() {
    let patctl = Patctl::new();
    // Its life is long enough that no threshold here is cut short.
    patctl.create(&["--expires", "60"]);
    patctl.pass(Span::days(50));
    for (args, exit) in [
        (&["--within", "30d", "-w", "9d", "-c", "1d"][..], OK),
        (&["--within", "30d", "-w", "10d", "-c", "1d"], WARNING),
        (&["--within", "30d", "--warning", "2w", "--critical", "10"], CRITICAL),
        (&["-w", "2w"], WARNING),
        (&["--within", "2d"], OK),
        (&[], WARNING),
        (&["-w", "3d", "-c", "4d"], UNKNOWN),
        (&["--within", "3d", "-w", "4d"], UNKNOWN),
        (&["-w", "-3d"], UNKNOWN),
        (&["-w", "1M"], UNKNOWN),
        (&["-o", "csv"], UNKNOWN),
    ] {
        let mut all = vec!["expiring"];
        all.extend(args);
        assert_eq!(patctl.run(&all).exit, exit, "{args:?}");
    }
}

#[test]
fn every_trouble_is_unknown_and_said_where_a_monitor_looks() {
    let patctl = Patctl::new();
    let unknown = |args: &[&str], word: &str| {
        let run = patctl.run(args);
        assert_eq!(run.exit, UNKNOWN, "{args:?}: {run:?}");
        assert!(run.stdout.starts_with("UNKNOWN: ") && run.stdout.contains(word), "{args:?}: {run:?}");
        assert_eq!(run.stdout.lines().count(), 1, "{run:?}");
        assert_eq!(run.stderr, "", "{args:?}");
    };
    unknown(&["expiring"], "no database");
    patctl.create(&[]);
    unknown(&["expiring", "--bogus"], "--bogus");
    unknown(&["--bogus", "expiring"], "--bogus");
    unknown(&["-D", "expiring", "expiring"], "KEY=VALUE");
    unknown(&["expiring", "--within", "x|y"], "not a duration");
    unknown(&["expiring", "-D", "atlassian.pats.enabled=perhaps"], "true or false");
    unknown(&["expiring", "--config", "/nowhere"], "/nowhere");
    unknown(&["expiring", "--db", "/dev/null"], "/dev/null");
    std::fs::write(patctl.path("text.db"), "no database").expect("a file");
    unknown(&["expiring", "--db", patctl.path("text.db").to_str().expect("text")], "database");
    assert_eq!(patctl.run(&["list", "--bogus"]).exit, Exit::Usage, "the others keep their statuses");
    assert_eq!(patctl.run(&["-D", "expiring", "list"]).exit, Exit::Usage);
    assert_eq!(patctl.run(&["expiring", "--help"]).exit, Exit::Yes);

    for args in [&["expiring", "-o", "json", "--bogus"][..], &["expiring", "-o", "json", "--db", "/nowhere"]]
    {
        let run = patctl.run(args);
        run.is(UNKNOWN, "");
        assert!(run.stderr.starts_with("{\"error\":"), "{run:?}");
    }
    for args in
        [&["expiring", "--prometheus", "--bogus"][..], &["expiring", "--prometheus", "--db", "/nowhere"]]
    {
        let run = patctl.run(args);
        run.is(UNKNOWN, "");
        assert!(run.stderr.starts_with("patctl: "), "{run:?}");
    }
    let full = Setup { stdout: Sink::Full, ..Setup::default() };
    assert_eq!(patctl.run_with(&["expiring"], &full).exit, UNKNOWN);
    assert_eq!(patctl.run_with(&["expiring", "--prometheus"], &full).exit, UNKNOWN);
}

#[test]
fn the_process_leaves_with_the_numbers_of_nagios() {
    let home = Home::new("");
    home.create(&["--expires", "3"]);
    for (args, code, word) in [
        (&["expiring", "--within", "2d"][..], 0, "OK: "),
        (&["expiring", "-c", "1d"], 1, "WARNING: "),
        (&["expiring"], 2, "CRITICAL: "),
        (&["expiring", "--db", "/nowhere"], 3, "UNKNOWN: "),
        (&["expiring", "-w"], 3, "UNKNOWN: "),
    ] {
        let output = home.run(args);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(stdout(&output).starts_with(word), "{output:?}");
    }
    assert_eq!(home.shell("patctl expiring > /dev/full").status.code(), Some(3));
}

/// Tokens in every state, two of them replaced: one for good, one in its time of grace.
fn one_of_each(patctl: &Patctl) {
    for (name, days) in [("a", "100"), ("b", "4"), ("c", "1"), ("d", "4"), ("e", "4"), ("f", "4"), ("g", "4")]
    {
        patctl.create(&[name, "--expires", days]);
    }
    patctl.pass(Span::days(2));
    patctl
        .sql()
        .execute_batch(
            "UPDATE token SET revoked_at = created_at WHERE name = 'd';
             UPDATE token SET disabled_at = created_at WHERE name = 'e';
             UPDATE token SET rotated_at = created_at WHERE name = 'f';
             UPDATE token SET rotated_at = '2026-11-24T12:00:00.000000Z' WHERE name = 'g';",
        )
        .expect("changes by hand");
}

#[test]
fn json_and_gauges_count_what_list_lists() {
    let patctl = Patctl::new();
    one_of_each(&patctl);
    let run = patctl.run(&["expiring", "-o", "json"]);
    assert_eq!(run.exit, CRITICAL);
    let json = run.json();
    assert_eq!(json["status"], "CRITICAL");
    assert_eq!((&json["expiring"], &json["critical"], &json["expired"]), (&2.into(), &2.into(), &1.into()));
    assert_eq!((&json["first"][0]["name"], &json["first"][1]["name"]), (&"g".into(), &"b".into()));
    assert_eq!(json["first"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["next_expiry"], "2026-11-24T12:00:00.000000Z", "the end of a grace counts");
    let mut sum = 0;
    let listed =
        |status: &str| patctl.run(&["list", "--status", status, "-o", "ids"]).stdout.lines().count() as u64;
    for status in ["active", "expires-soon", "rotating", "expired", "disabled", "rotated", "revoked"] {
        // As questions, "active" includes what expires soon, and "expires-soon" what is rotating.
        let expected = match status {
            "active" => listed("active") - (listed("expires-soon") - listed("rotating")),
            "expires-soon" => listed("expires-soon") - listed("rotating"),
            other => listed(other),
        };
        assert_eq!(json["tokens"][status.replace('-', "_")], expected, "{status}");
        sum += expected;
    }
    assert_eq!(sum, 7, "each counts once");

    let run = patctl.run(&["expiring", "--prometheus"]);
    assert_eq!(run.exit, OK, "the status is for the job that writes the file");
    let gauges = run.stdout;
    for line in [
        "# HELP patctl_tokens Tokens by state, each in one.",
        "# TYPE patctl_tokens gauge",
        "patctl_tokens{state=\"active\"} 1",
        "patctl_tokens{state=\"expires-soon\"} 1",
        "patctl_tokens{state=\"rotating\"} 1",
        "patctl_tokens{state=\"rotated\"} 1",
        "patctl_tokens_expiring{threshold=\"within\"} 2",
        "patctl_expiry_threshold_seconds{threshold=\"critical\"} 259200",
        "patctl_next_expiry_timestamp_seconds 1795521600",
    ] {
        assert!(gauges.lines().any(|l| l == line), "{line}: {gauges}");
    }
    // Every sample has its HELP and TYPE before it.
    for sample in gauges.lines().filter(|line| !line.starts_with('#')) {
        let name = sample.split(['{', ' ']).next().expect("a name");
        let before = gauges.split(sample).next().expect("text");
        assert!(before.contains(&format!("# TYPE {name} gauge\n")), "{sample}");
        let value = sample.rsplit(' ').next().expect("a value");
        assert!(value.parse::<u64>().is_ok(), "{sample}");
    }
}

#[test]
fn an_empty_database_is_well_and_more_than_ten_are_counted_not_named() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 50");
    patctl.run(&["revoke", id_of(&patctl.create(&[]))]);
    assert_eq!(patctl.run(&["expiring"]).exit, OK);
    for _ in 0..12 {
        patctl.create(&["--expires", "3"]);
    }
    let run = patctl.run(&["expiring"]);
    assert_eq!(run.stdout.lines().count(), 12, "{run:?}");
    assert!(run.stdout.ends_with("\nand 2 more\n"), "{run:?}");
}
