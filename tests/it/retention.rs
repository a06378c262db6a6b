//! What `prune` deletes of the audit log, and what it leaves.

use crate::harness::{Patctl, moment};
use crate::log::{altered, finds, forged, head, is_whole, many_rows, some_rows};
use patctl::domain::moment::Span;
use patctl::exit::Exit;

/// Rows of ten days, then a pruning that keeps five.
fn trimmed() -> Patctl {
    let patctl = Patctl::new();
    for _ in 0..10 {
        patctl.create(&["--user", "u"]);
        patctl.pass(Span::days(1));
    }
    patctl.configure("patctl.audit.retention.days = 5");
    let dry = patctl.run(&["prune", "--dry-run", "-o", "json"]).json();
    assert_eq!((&dry["count"], &dry["audit_rows"]), (&0.into(), &5.into()));
    let said = patctl.run(&["prune", "--dry-run"]).stderr;
    assert!(said.contains("0 tokens and 5 audit rows would be deleted"), "{said}");
    assert_eq!(patctl.count("SELECT count(*) FROM audit"), 10);
    patctl.run(&["prune"]).is(Exit::Yes, "");
    patctl
}

#[test]
fn retention_deletes_old_rows_and_the_rest_is_whole() {
    let patctl = trimmed();
    assert_eq!(patctl.count("SELECT min(seq) FROM audit"), 6, "five days are not more than five days");
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'prune-audit'"), 1);
    patctl.run(&["audit", "verify"]).is(Exit::Yes, "intact: 6 rows, behind the 5 that retention deleted\n");
    let row = &patctl.run(&["audit", "--action", "prune-audit", "-o", "json"]).json()[0];
    assert_eq!((&row["token_id"], &row["seq"]), (&serde_json::Value::Null, &11.into()));
    assert!(row["detail"].as_str().is_some_and(|detail| detail.starts_with("5 rows up to 5:")), "{row}");

    let kept = head(&patctl);
    assert_eq!(patctl.run(&["prune", "-o", "json"]).json()["audit_rows"], 0);
    assert_eq!(head(&patctl), kept, "nothing to do leaves no row");
    patctl.pass(Span::days(2));
    assert_eq!(patctl.run(&["prune", "-o", "json"]).json()["audit_rows"], 2);
    is_whole(&patctl, &["--head", &kept]);

    // Everything is old: the rows go, their numbers are not given again.
    patctl.pass(Span::days(100));
    patctl.run(&["prune"]).is(Exit::Yes, "");
    assert_eq!(patctl.count("SELECT count(*) FROM audit"), 1);
    assert_eq!(patctl.count("SELECT seq FROM audit"), 13);
    is_whole(&patctl, &[]);
    finds(
        &patctl,
        &["--head", &kept],
        "head-too-old",
        11,
        "retention deleted rows up to 12: it proves nothing",
    );
    patctl.create(&[]);
    is_whole(&patctl, &[]);

    patctl.configure("");
    patctl.pass(Span::days(300));
    assert_eq!(patctl.run(&["prune", "-o", "json"]).json()["audit_rows"], 0, "0 keeps all");
}

#[test]
fn an_anchor_that_retention_did_not_leave_is_found() {
    let patctl = trimmed();
    finds(
        &altered(&patctl, &format!("UPDATE head SET cut_seq = 0, cut_hash = '{}'", "0".repeat(64))),
        &[],
        "missing",
        1,
        "rows 1 to 5 are missing, and no anchor",
    );
    let hash = "UPDATE head SET cut_hash = replace(cut_hash, substr(cut_hash, 1, 1), 'x')";
    finds(&altered(&patctl, hash), &[], "changed", 6, "does not follow from the anchor");
    finds(&altered(&patctl, "UPDATE head SET cut_seq = 3"), &[], "missing", 4, "rows 4 to 5 are missing");
    finds(&altered(&patctl, "UPDATE head SET cut_seq = 8"), &[], "stray", 6, "row 6 has a number");
    // The oldest rows removed as retention would, but not by it.
    let by_hand = "UPDATE head SET (cut_seq, cut_hash) = (SELECT seq, hash FROM audit WHERE seq = 7); \
                  DELETE FROM audit WHERE seq <= 7";
    finds(
        &altered(&patctl, by_hand),
        &[],
        "anchor",
        7,
        "rows up to 7 were deleted by retention, and the log does not",
    );
    let never = altered(
        &some_rows(),
        "UPDATE head SET (cut_seq, cut_hash) = (SELECT seq, hash FROM audit WHERE seq = 2); \
         DELETE FROM audit WHERE seq <= 2",
    );
    finds(&never, &[], "anchor", 2, "rows up to 2 were deleted by retention");
    let all = forged(&patctl, "DELETE FROM audit");
    finds(&all, &[], "anchor", 5, "rows up to 5 were deleted by retention");
    let both = "DELETE FROM audit; UPDATE head SET cut_seq = 0, cut_at = NULL, cut_hash = printf('%064d', 0)";
    finds(&altered(&patctl, both), &[], "cut", 1, "the last is 0");
    let both = forged(&patctl, both);
    is_whole(&both, &[]);
    finds(&both, &["--head", &head(&patctl)], "cut", 1, "cut off at the end");
}

/// Some rows were written while the clock was wrong.
#[test]
fn a_row_dated_in_the_future_neither_stays_for_ever_nor_takes_others_with_it() {
    let patctl = Patctl::new();
    let start = patctl.now();
    let token = patctl.create(&[]);
    patctl.set_now(moment("2106-01-01"));
    let _ = patctl.verify(&token, &[]);
    patctl.set_now(start.plus(Span::days(1)).expect("in range"));
    let _ = patctl.verify(&token, &[]);
    patctl.set_now(moment("2107-01-01"));
    let _ = patctl.verify(&token, &[]);
    patctl.set_now(start.plus(Span::days(10)).expect("in range"));
    patctl.configure("patctl.audit.retention.days = 5");
    patctl.create(&[]);
    patctl.run(&["prune"]).is(Exit::Yes, "");
    let left: Vec<i64> = vec![4, 5, 6];
    let seqs = patctl.run(&["audit", "-o", "json"]).json();
    let seqs: Vec<i64> =
        seqs.as_array().expect("rows").iter().filter_map(|row| row["seq"].as_i64()).collect();
    assert_eq!(seqs, left, "what is dated in the future is as old as the row after it");
    is_whole(&patctl, &[]);
}

#[test]
fn retention_works_in_steps() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    let rows = many_rows(&patctl, 5_500);
    patctl.pass(Span::days(30));
    patctl.configure("patctl.audit.retention.days = 1");
    assert_eq!(patctl.run(&["prune", "-o", "json"]).json()["audit_rows"], rows);
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'prune-audit'"), 2);
    is_whole(&patctl, &[]);
}
