use crate::harness::{Patctl, id_of, moment};
use patctl::domain::moment::{Moment, Span};
use patctl::exit::Exit;

fn ids(patctl: &Patctl) -> Vec<String> {
    let listed = patctl.run(&["list", "--all", "-o", "ids"]).stdout;
    let mut ids: Vec<String> = listed.lines().map(str::to_owned).collect();
    ids.sort();
    ids
}

fn sorted<const N: usize>(tokens: [&String; N]) -> Vec<String> {
    let mut ids: Vec<String> = tokens.iter().map(|t| id_of(t).to_owned()).collect();
    ids.sort();
    ids
}

fn micros_after(at: Moment, micros: i64) -> Moment {
    Moment::from_micros(at.micros() + micros).expect("in range")
}

#[test]
fn what_ended_more_than_the_delay_ago_goes_and_nothing_else() {
    let patctl = Patctl::new();
    let start = patctl.now();
    let eternal = patctl.create(&[]);
    let expires = patctl.create(&["--expires", "1"]);
    let revoked = patctl.create(&[]);
    let long = patctl.create(&["--expires", "100"]);
    patctl.pass(Span::days(10));
    patctl.run(&["revoke", id_of(&revoked)]);

    // To the microsecond: 30 days after the expiry is not yet more than 30 days.
    let due = start.plus(Span::days(31)).expect("in range");
    patctl.set_now(due);
    patctl.run(&["prune"]).is(Exit::Yes, "");
    assert_eq!(ids(&patctl), sorted([&eternal, &expires, &revoked, &long]));
    patctl.set_now(micros_after(due, 1));
    let run = patctl.run(&["prune"]);
    assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (Exit::Yes, "", ""));
    assert_eq!(ids(&patctl), sorted([&eternal, &revoked, &long]));

    let due = start.plus(Span::days(40)).expect("in range");
    patctl.set_now(due);
    patctl.run(&["prune"]).is(Exit::Yes, "");
    assert_eq!(ids(&patctl), sorted([&eternal, &revoked, &long]));
    patctl.set_now(micros_after(due, 1));
    patctl.run(&["prune"]).is(Exit::Yes, "");
    assert_eq!(ids(&patctl), sorted([&eternal, &long]));
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'prune'"), 2);
}

#[test]
fn a_delay_of_zero_means_at_once() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.pruning.delay.days = 0");
    let token = patctl.create(&[]);
    patctl.run(&["revoke", id_of(&token)]);
    patctl.set_now(micros_after(patctl.now(), 1));
    patctl.run(&["prune", "-o", "ids"]).is(Exit::Yes, &format!("{}\n", id_of(&token)));
    assert_eq!(ids(&patctl), [""; 0]);
}

#[test]
fn a_dry_run_shows_the_same_rows_and_deletes_none() {
    let patctl = Patctl::new();
    let mut expected = Vec::new();
    for _ in 0..3 {
        expected.push(id_of(&patctl.create(&["--expires", "1"])).to_owned());
    }
    patctl.create(&[]);
    patctl.pass(Span::days(60));
    let preview = patctl.run(&["prune", "--dry-run", "-o", "ids"]);
    assert_eq!(preview.stdout.lines().collect::<Vec<_>>(), expected);
    assert_eq!(patctl.run(&["prune", "--dry-run", "-o", "json"]).json()["count"], 3);
    let table = patctl.run(&["prune", "--dry-run"]);
    assert!(table.stderr.contains("3 tokens would be deleted"), "{table:?}");
    assert_eq!(ids(&patctl).len(), 4);
    assert_eq!(patctl.run(&["prune", "-o", "ids"]).stdout, preview.stdout);
    assert_eq!(patctl.run(&["prune", "-o", "json"]).json()["count"], 0);
}

#[test]
fn more_rows_than_one_step_all_go() {
    let patctl = Patctl::new();
    patctl.create(&["--expires", "1"]);
    patctl
        .sql()
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
             INSERT INTO token (id, name, user, auth, verifier, created_at, expires_at)
             SELECT printf('%010d', i), 'n', 'u', 'both', '$', created_at,
                    iif(i % 2, expires_at, NULL) FROM n, (SELECT created_at, expires_at FROM token LIMIT 1)",
        )
        .expect("rows by hand");
    patctl.pass(Span::days(60));
    assert_eq!(patctl.run(&["prune", "-o", "json"]).json()["count"], 1251);
    assert_eq!(patctl.count("SELECT count(*) FROM token"), 1250);
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'prune'"), 1251);
}

#[test]
fn a_use_under_a_wrong_clock_does_not_vouch_for_that_clock() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--expires", "1"]);
    let other = patctl.create(&["--expires", "300"]);
    let start = patctl.now();
    // Uses over more than a year are witnesses, each for the next.
    for _ in 0..3 {
        patctl.pass(Span::days(200));
        let _ = patctl.verify(&other, &[]);
    }
    let honest = patctl.now();
    assert_eq!(patctl.run(&["prune", "--dry-run", "-o", "json"]).json()["count"], 2);
    patctl.set_now(moment("2106-01-01"));
    for _ in 0..2 {
        let _ = patctl.verify(&token, &[]);
    }
    patctl.run(&["prune"]).says(Exit::No, &["the clock says 2106", "the last audit row is of 2028"]);
    // A mail that cron sent under that clock is no better a witness.
    let mailed =
        "UPDATE audit SET action = 'notify', outcome = 'done' WHERE seq = (SELECT max(seq) FROM audit)";
    patctl.sql().execute(mailed, []).expect("by hand");
    patctl.run(&["prune"]).says(Exit::No, &["the last audit row is of 2028"]);
    // One far in the past, too; and the right time goes on from the last that was right.
    patctl.set_now(start);
    let _ = patctl.verify(&token, &[]);
    patctl.run(&["prune"]).says(Exit::No, &["the clock says 2026"]);
    patctl.set_now(honest);
    patctl.run(&["prune"]).is(Exit::Yes, "");
    assert_eq!(ids(&patctl), [""; 0]);
}

#[test]
fn a_clock_that_contradicts_the_audit_log_prunes_nothing() {
    let patctl = Patctl::new();
    patctl.create(&["--expires", "1"]);
    let last = patctl.now();
    for (now, refused) in [
        (last.saturating_minus(Span::minutes(5)), false),
        (micros_after(last.saturating_minus(Span::minutes(5)), -1), true),
        (last.saturating_plus(Span::days(400)), false),
        (micros_after(last.saturating_plus(Span::days(400)), 1), true),
        (moment("2106-01-01"), true),
    ] {
        patctl.set_now(now);
        let run = patctl.run(&["prune", "--dry-run", "-o", "json"]);
        assert_eq!(run.exit, if refused { Exit::No } else { Exit::Yes }, "{now}: {run:?}");
    }
    patctl.run(&["prune"]).says(Exit::No, &["the clock says 2106", "--force"]);
    assert_eq!(ids(&patctl).len(), 1);
    patctl.run(&["prune", "--force"]).is(Exit::Yes, "");
    assert_eq!(ids(&patctl).len(), 0);
}
