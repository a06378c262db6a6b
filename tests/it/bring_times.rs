//! The times of imported tokens: clocks of a zone, and ends.

use crate::bring::{export, import};
use crate::dumps::{self, Row, VECTORS};
use crate::harness::{Patctl, moment};
use crate::schedule::{BERLIN, tzif};
use patctl::domain::moment::Span;
use patctl::exit::Exit;

#[test]
fn times_are_those_of_the_zone_and_an_odd_one_has_a_defined_answer_and_a_warning() {
    let patctl = Patctl::new();
    std::fs::create_dir_all(patctl.path("zoneinfo/Europe")).expect("a directory");
    std::fs::write(patctl.path("zoneinfo/Europe/Berlin"), tzif(BERLIN)).expect("a file");
    let mut rows = dumps::many(4);
    rows[0].expiring_at = "2027-07-01 12:00:00.5".to_owned();
    // Put back at 3:00 summer time: 2:30 came twice.
    rows[1].expiring_at = "2026-10-25 02:30:00".to_owned();
    // Put forward at 2:00: 2:30 never was.
    rows[2].expiring_at = "2027-03-28 02:30:00".to_owned();
    rows[3].expiring_at = "2026-12-01 00:00:00".to_owned();
    let args = ["--source-tz", "Europe/Berlin"];
    let run = import(&patctl, &dumps::copy(&rows), &args);
    run.says(
        Exit::Yes,
        &[
            "1 row has a time that the clocks of Europe/Berlin showed twice; the first is taken: line 7",
            "1 row has a time that the clocks of Europe/Berlin skipped; is that the server's zone?: line 8",
        ],
    );
    assert!(!run.stderr.contains("--source-tz"), "{run:?}");
    let ends = |row: &Row| patctl.run(&["show", &row.id(), "-o", "json"]).json()["expires_at"].clone();
    let ends: Vec<_> = rows.iter().map(ends).collect();
    let expected = [
        "2027-07-01T10:00:00.500000Z",
        "2026-10-25T00:30:00.000000Z",
        "2027-03-28T01:30:00.000000Z",
        "2026-11-30T23:00:00.000000Z",
    ];
    assert_eq!(ends, expected);
    let out = export(&patctl, &args);
    let expected = dumps::csv(&rows).replace("2027-03-28 02:30:00", "2027-03-28 03:30:00");
    assert_eq!(out, expected, "but for the time that never was");
    import(&patctl, "", &["--source-tz", "Mars/Olympus"]).says(Exit::Usage, &["no time zone 'Mars/Olympus'"]);
}

/// An end is an end, by the very instant.
#[test]
fn an_imported_token_ends_when_it_says() {
    let patctl = Patctl::new();
    let mut row = dumps::of_vector(&VECTORS[0]);
    row.expiring_at = "2026-11-22 12:00:00".to_owned();
    import(&patctl, &dumps::csv(&[row]), &[]);
    patctl.pass(Span::hours(23));
    assert_eq!(patctl.verify(VECTORS[0].1, &[]).0, Exit::Yes);
    patctl.set_now(moment("2026-11-22T12:00:00Z"));
    assert_eq!(patctl.verify(VECTORS[0].1, &[]), (Exit::No, "expired".to_owned()));
}
