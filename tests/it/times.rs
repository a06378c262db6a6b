//! Every option that takes a time or a duration refuses what cannot be meant.

use crate::harness::Patctl;
use patctl::exit::Exit;

/// Every option that takes an instant, with the command it stands in.
const WHEN: &[&[&str]] = &[
    &["create", "--expires"],
    &["edit", "0000000000", "--expires"],
    &["rotate", "0000000000", "--expires"],
    &["list", "--created-after"],
    &["list", "--created-before"],
    &["list", "--expires-after"],
    &["list", "--expires-before"],
    &["list", "--used-after"],
    &["list", "--used-before"],
    &["bulk-revoke", "--yes", "--expires-before"],
    &["bulk-revoke", "--yes", "--created-before"],
    &["stats", "--expires-before"],
    &["audit", "--since"],
    &["audit", "--until"],
];

/// Every option that takes a duration.
const DURATION: &[&[&str]] = &[
    &["list", "--unused-for"],
    &["bulk-revoke", "--yes", "--unused-for"],
    &["stats", "--unused-for"],
    &["rotate", "0000000000", "--grace"],
];

/// Those of the monitoring check, whose wrong usage has another status.
const MONITOR: &[&[&str]] =
    &[&["expiring", "--within"], &["expiring", "--warning"], &["expiring", "--critical"]];

#[test]
fn no_option_reads_a_date_or_a_unix_time_as_days() {
    let patctl = Patctl::new();
    patctl.create(&["--expires", "30"]);
    for value in
        ["20261225", "1798675200", "1798675200000", "99999999", "99999999d", "2027", "36501", "1y", "1M"]
    {
        for option in [WHEN, DURATION, MONITOR].concat() {
            let run = patctl.run(&[option, &[value]].concat());
            let is_usage = run.exit == Exit::Usage || option[0] == "expiring" && run.exit.code() == 3;
            assert!(is_usage, "{option:?} {value}: {run:?}");
            let told = [run.stdout.as_str(), &run.stderr].concat();
            assert!(told.contains("write "), "{option:?} {value}: {run:?}");
        }
    }
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE revoked_at IS NULL"), 1);
}

#[test]
fn no_option_of_the_past_takes_a_sign() {
    let patctl = Patctl::new();
    patctl.create(&["--expires", "30"]);
    for option in WHEN.iter().filter(|option| {
        option.last().is_some_and(|name| {
            ["--created", "--used", "--since", "--until"].iter().any(|past| name.starts_with(past))
        })
    }) {
        let run = patctl.run(&[*option, &["-7d"]].concat());
        assert_eq!(run.exit, Exit::Usage, "{option:?}: {run:?}");
        assert!(run.stderr.contains("write 7d"), "{run:?}");
    }
    assert_eq!(patctl.run(&["list", "--expires-after", "-7d"]).exit, Exit::Yes);
}
