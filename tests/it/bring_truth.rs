//! `patctl import atlassian`: a dry run says what the run does, and errors name what to change.

use crate::bring::import;
use crate::dumps::{self, Row};
use crate::harness::Patctl;
use patctl::exit::Exit;

/// Twelve rows, of which the fourth cannot be read.
fn one_broken() -> Vec<Row> {
    let mut rows = dumps::many(12);
    "12345".clone_into(&mut rows[3].token_id);
    rows
}

#[test]
fn a_dry_run_says_that_one_broken_row_stops_the_import() {
    let patctl = Patctl::new();
    let dump = dumps::csv(&one_broken());
    let told = "nothing would be imported: 1 row is broken (line 5). With --skip-bad: 11\n";
    let dry = import(&patctl, &dump, &["--dry-run"]);
    assert!(dry.exit == Exit::No && dry.stderr.starts_with(told), "{dry:?}");
    assert!(!dry.stderr.contains("would be imported,"), "{dry:?}");
    assert!(!dry.stdout.contains("  new  ") && dry.stdout.contains("  held"), "{dry:?}");
    import(&patctl, &dump, &[]).says(Exit::No, &["nothing was imported"]);
    let dry = import(&patctl, &dump, &["--dry-run", "--skip-bad"]);
    assert!(dry.exit == Exit::Yes && dry.stderr.contains("11 tokens would be imported, 1 broken"), "{dry:?}");
    let run = import(&patctl, &dump, &["--skip-bad"]);
    assert!(run.exit == Exit::Yes && run.stderr.contains("11 tokens imported, 1 broken"), "{run:?}");
}

#[test]
fn every_format_of_a_dry_run_agrees_with_the_run() {
    let dump = dumps::csv(&one_broken());
    let fates = |args: &[&str]| {
        let rows = import(&Patctl::new(), &dump, &[&["-o", "json"][..], args].concat()).json();
        let rows = rows.as_array().cloned().unwrap_or_default();
        let count = |fate: &str| rows.iter().filter(|row| row["fate"] == fate).count();
        ["new", "held", "broken", "imported"].map(count)
    };
    assert_eq!(fates(&["--dry-run"]), [0, 11, 1, 0]);
    assert_eq!(fates(&["--dry-run", "--skip-bad"]), [11, 0, 1, 0]);
    assert_eq!(fates(&["--skip-bad"]), [0, 0, 1, 11]);
    let ids = |args: &[&str]| import(&Patctl::new(), &dump, &[&["-o", "ids"][..], args].concat()).stdout;
    assert_eq!(ids(&["--dry-run"]), "");
    assert_eq!(ids(&["--dry-run", "--skip-bad"]), ids(&["--skip-bad"]));
}

#[test]
fn a_dry_run_names_rows_in_conflict_beside_broken_ones() {
    let patctl = Patctl::new();
    let mut rows = dumps::many(6);
    import(&patctl, &dumps::csv(&rows[..2]), &[]);
    rows[0].user_key = "somebody else".to_owned();
    rows[2].token_id = "1".to_owned();
    rows[3].expiring_at = "soon".to_owned();
    let dry = import(&patctl, &dumps::csv(&rows), &["--dry-run"]);
    let told = "nothing would be imported: 2 rows are broken (line 4; line 5), 1 row is in conflict (line 2). \
                With --skip-bad: 2\n";
    assert!(dry.exit == Exit::No && dry.stderr.starts_with(told), "{dry:?}");
}

#[test]
fn a_user_map_with_semicolons_is_told_about_commas() {
    let patctl = Patctl::new();
    let map = patctl.path("users.csv");
    let dump = dumps::csv(&dumps::many(2));
    let args = ["--user-map", map.to_str().expect("a path")];
    for (text, words) in [
        ("user_key;lower_user_name\nalice;Alice\n", "separated by ';', not by ','"),
        ("alice|Alice\n", "separated by '|'"),
        ("alice\tAlice\n", "separated by a tab"),
        ("alice\n", "it has not as many values"),
    ] {
        std::fs::write(&map, text).expect("a file");
        let run = import(&patctl, &dump, &args);
        run.says(Exit::No, &[words, "users.csv: line 1: ", "comma", "user_key,lower_user_name"]);
        assert!(!run.stderr.contains("pg_dump") && !run.stderr.contains("SELECT"), "{run:?}");
    }
}

#[test]
fn one_misnamed_column_is_named_beside_the_missing_one() {
    let patctl = Patctl::new();
    let rows = dumps::many(2);
    for (column, other) in [("TOKEN_ID", "TOK"), ("USER_KEY", "OWNER")] {
        let words = format!("column {column} is missing, there is {other}");
        for dump in [dumps::csv(&rows), dumps::csv(&rows).replace(',', ";"), dumps::copy(&rows)] {
            import(&patctl, &dump.replacen(column, other, 1), &[]).says(Exit::No, &[&words]);
        }
    }
}
