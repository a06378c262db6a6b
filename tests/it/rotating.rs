//! A rotated token in its grace: its state and its true end, wherever tokens are shown, chosen or counted.

use crate::harness::{Patctl, Setup, id_of};
use crate::rotate::{rotate, shown};
use patctl::domain::moment::Span;
use patctl::exit::{Exit, Nagios};
use serde_json::Value;

const END: &str = "2026-11-22T12:00:00.000000Z";

#[test]
fn list_shows_the_state_and_the_true_end() {
    let patctl = Patctl::new();
    let old = patctl.create(&["ci", "--expires", "90"]);
    let new = rotate(&patctl, &old, &["--grace", "24h"]);
    let table = patctl.run(&["list"]).stdout;
    let row = table.lines().find(|line| line.starts_with(id_of(&old))).expect("its row");
    assert!(row.contains("  rotating  ") && row.contains("in 24 hours"), "{row}");
    let json = shown(&patctl, &old);
    assert_eq!((&json["status"], &json["stops_at"]), (&"rotating".into(), &END.into()));
    assert_eq!((&json["rotated_at"], &json["expires_soon"]), (&END.into(), &true.into()));
    assert_eq!(json["expires_at"], "2027-02-19T12:00:00.000000Z", "what it was given stays");
    assert_eq!(shown(&patctl, &new)["status"], "active");
    let page = patctl.run(&["show", id_of(&old)]).stdout;
    assert!(
        page.contains("status      rotating\n") && page.contains("expires     2026-11-22 12:00 UTC"),
        "{page}"
    );
    assert!(page.contains("works until 2026-11-22 12:00 UTC (in 24 hours)\n"), "{page}");
    patctl.pass(Span::days(1));
    assert_eq!(shown(&patctl, &old)["status"], "rotated");
}

#[test]
fn filters_and_the_order_go_by_the_true_end() {
    let patctl = Patctl::new();
    for args in [&["--grace", "24h"][..], &["--until-first-use"]] {
        let old = patctl.create(&["eternal"]);
        let new = rotate(&patctl, &old, args);
        let ids = |args: &[&str]| patctl.run(&[&["list", "-o", "ids"], args].concat()).stdout;
        let only_old = format!("{}\n", id_of(&old));
        assert_eq!(ids(&["--expires-before", "8d"]), only_old, "{args:?}");
        assert_eq!(ids(&["--status", "rotating"]), only_old);
        assert_eq!(ids(&["--status", "active"]), format!("{}\n", id_of(&new)));
        assert_eq!(ids(&["--expires-after", "8d"]), format!("{}\n", id_of(&new)));
        assert!(ids(&["--sort", "expires"]).starts_with(&only_old));
        patctl.run(&["revoke", id_of(&old), id_of(&new)]);
    }
}

#[test]
fn the_check_and_the_counts_go_by_the_true_end() {
    let patctl = Patctl::new();
    let old = patctl.create(&["ci", "--user", "alice"]);
    rotate(&patctl, &old, &["--grace", "24h"]);
    let run = patctl.run(&["expiring", "--within", "2d"]);
    assert_eq!(run.exit, Exit::Monitor(Nagios::Critical));
    assert!(run.stdout.starts_with("CRITICAL: 1 token expires within 2 days"), "{run:?}");
    assert!(run.stdout.contains("(in 24 hours)") && run.stdout.contains(" next=86400s;"), "{run:?}");
    let other = patctl.run(&["expiring", "--within", "2d", "--user", "bob", "-o", "json"]);
    assert_eq!((other.exit, &other.json()["tokens"]["rotating"]), (Exit::Monitor(Nagios::Ok), &0.into()));
    let json = patctl.run(&["stats", "-o", "json"]).json();
    let expected = (&json["states"]["active"], &json["states"]["rotating"], &json["states"]["expires_soon"]);
    assert_eq!(expected, (&1.into(), &1.into(), &0.into()));
    assert_eq!((&json["expiry"]["weeks"][0]["tokens"], &json["expiry"]["never"]), (&1.into(), &1.into()));
}

#[test]
fn a_warning_about_the_grace_does_not_use_up_the_one_about_the_expiry() {
    let patctl = Patctl::new();
    let old = patctl.create(&["ci", "--expires", "30", "--email", "a@x"]);
    rotate(&patctl, &old, &["--grace", "24h"]);
    let mails = || {
        let json = patctl.run(&["notify", "--dry-run", "-o", "json"]).json();
        json["mails"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|mail| mail["expires_at"].clone())
            .collect::<Vec<Value>>()
    };
    assert_eq!(mails(), [END]);
    patctl.sql().execute("UPDATE token SET notified = 'expire-soon-sent'", []).expect("an update");
    patctl.run(&["rotate", "--undo", id_of(&old)]);
    patctl.pass(Span::days(26));
    assert_eq!(mails(), ["2026-12-21T12:00:00.000000Z"]);
}

#[test]
fn a_short_life_raises_no_alarm_in_its_first_half() {
    let patctl = Patctl::new();
    patctl.create(&["job", "--user", "ci", "--expires", "12h", "--notify-to", "ci@x.example"]);
    let seen = || {
        let soon = patctl.run(&["list"]).stdout.contains("EXPIRES SOON");
        let mails =
            patctl.run(&["notify", "--dry-run"]).stdout.lines().filter(|l| l.starts_with("Subject")).count();
        (soon, mails, patctl.run(&["expiring"]).exit)
    };
    assert_eq!(seen(), (false, 0, Exit::Monitor(Nagios::Ok)));
    let run = patctl.run(&["expiring"]);
    assert!(
        run.stdout.starts_with("OK: 1 token short-lived; no other token expires within 14 days"),
        "{run:?}"
    );
    patctl.pass(Span::hours(6));
    assert_eq!(seen(), (true, 1, Exit::Monitor(Nagios::Critical)));
}

#[test]
fn ending_one_of_two_names_the_other() {
    let patctl = Patctl::new();
    let pair = || {
        let old = patctl.create(&["ci", "--user", "alice"]);
        let new = rotate(&patctl, &old, &["--grace", "24h"]);
        (old, new)
    };
    let (old, new) = pair();
    let preview = patctl.run(&["revoke", id_of(&new), "--dry-run"]);
    let named = format!(
        "{} still works until 2026-11-22 12:00 UTC (in 24 hours): it is the predecessor",
        id_of(&old)
    );
    assert!(preview.exit == Exit::Yes && preview.stderr.contains(&named), "{preview:?}");
    let run =
        patctl.run_with(&["revoke", "--token-stdin"], &Setup { stdin: new.as_bytes(), ..Setup::default() });
    assert!(run.exit == Exit::Yes && run.stderr.contains(&named), "{run:?}");
    assert_eq!(patctl.verify(&old, &[]).0, Exit::Yes);
    let again = patctl.run(&["revoke", id_of(&new), "-o", "json"]);
    let json: Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(
        (&json["still_valid"][0]["id"], &json["still_valid"][0]["twin_of"]),
        (&id_of(&old).into(), &id_of(&new).into())
    );

    let (old, new) = pair();
    let run = patctl.run(&["disable", id_of(&old)]);
    assert!(
        run.stderr.contains(&format!("{} still works: it is the successor of {}", id_of(&new), id_of(&old))),
        "{run:?}"
    );
    assert_eq!(patctl.run(&["enable", id_of(&old)]).stderr, "");
    let run = patctl.run(&["disable", id_of(&new), "-o", "json"]);
    let json: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(json["still_valid"][0]["id"], id_of(&old));
    assert_eq!(patctl.run(&["disable", id_of(&old), id_of(&new)]).stderr, "", "both are off");
    // Once the grace is over there is only one.
    patctl.run(&["enable", id_of(&new)]);
    patctl.run(&["enable", id_of(&old)]);
    patctl.pass(Span::days(1));
    assert_eq!(patctl.run(&["revoke", id_of(&new)]).stderr, "");
}

#[test]
fn family_takes_both_tokens_of_a_rotation() {
    let patctl = Patctl::new();
    for named in [0, 1] {
        let old = patctl.create(&["ci"]);
        let new = rotate(&patctl, &old, &["--until-first-use"]);
        let (id, both) = ([id_of(&old), id_of(&new)][named], [id_of(&old), id_of(&new)]);
        let live = || both.map(|id| patctl.run(&["show", id, "-o", "json"]).json()["revoked_at"].is_null());
        let run = patctl.run(&["revoke", id, "--family", "--dry-run", "-o", "ids"]);
        assert_eq!((run.stdout.lines().count(), run.stderr.as_str(), live()), (2, "", [true; 2]), "{run:?}");
        let no = patctl.run_with(
            &["revoke", id, "--family"],
            &Setup { terminal: Some((&[false], "")), ..Setup::default() },
        );
        assert!(no.exit == Exit::No && both.iter().all(|id| no.stderr.contains(id)), "{no:?}");
        patctl.run(&["disable", id, "--family"]);
        assert!(both.iter().all(|id| !shown_null(&patctl, id)));
        patctl.run(&["enable", both[0], both[1]]);
        patctl.run(&["revoke", id, "--family"]);
        assert_eq!(live(), [false; 2]);
    }
}

fn shown_null(patctl: &Patctl, id: &str) -> bool {
    patctl.run(&["show", id, "-o", "json"]).json()["disabled_at"].is_null()
}

#[test]
fn a_bulk_revoke_names_the_tokens_that_go_on() {
    let patctl = Patctl::new();
    let old = patctl.create(&["ci", "--expires", "90"]);
    rotate(&patctl, &old, &["--grace", "24h"]);
    let run = patctl.run(&["bulk-revoke", "--expires-after", "10d", "--yes"]);
    assert!(run.stderr.contains(&format!("{} still works until", id_of(&old))), "{run:?}");
    let both = patctl.run(&["bulk-revoke", "--name", "*", "--yes"]);
    assert!(!both.stderr.contains("still works"), "{both:?}");
}
