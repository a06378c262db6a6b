//! The clock is wrong.

use crate::figure;
use crate::process::{Home, have, stderr, stdout};
use std::path::Path;
use std::process::Output;

fn library() -> Option<&'static str> {
    let places = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib64/faketime/libfaketime.so.1",
    ];
    places.into_iter().find(|place| Path::new(place).exists())
}

fn at(home: &Home, zone: &str, moment: &str, args: &[&str]) -> Output {
    home.command(args)
        .env("LD_PRELOAD", library().expect("libfaketime"))
        .env("FAKETIME", format!("@{moment}"))
        .env("TZ", zone)
        .output()
        .expect("patctl")
}

#[test]
fn an_expired_token_stays_expired_and_prune_distrusts_a_clock_that_jumped() {
    if library().is_none() {
        have("faketime", "the clock jumps");
        return;
    }
    let home = Home::new("");
    let day = |moment, args: &[&str]| at(&home, "UTC", moment, args);
    let made = day("2026-03-01 12:00:00", &["create", "--expires", "10", "--token-file", "token"]);
    assert!(made.status.success(), "{made:?}");
    let verify = ["verify", "--token-file", "token"];
    let mut cases = 0;
    for (moment, code) in [
        ("2026-03-01 12:00:01", 0),
        ("2026-03-11 11:59:58", 0),
        ("2026-03-11 12:00:01", 1),
        ("2036-03-01 12:00:00", 1),
        ("2038-01-19 03:14:08", 1),
        ("2099-12-31 23:59:59", 1),
    ] {
        let output = day(moment, &verify);
        assert_eq!(output.status.code(), Some(code), "{moment}: {output:?}");
        cases += 1;
    }
    // A change is a witness of the time; a use that was far from it, as those above, is none.
    let kept = day("2026-12-01 00:00:00", &["create", "--token-file", "kept"]);
    assert!(kept.status.success(), "{kept:?}");
    let left = || stdout(&day("2026-12-01 00:00:00", &["list", "--all", "-o", "ids"])).lines().count();
    for moment in [
        "2016-03-01 12:00:00",
        "2026-04-20 00:00:00",
        "2026-11-30 23:54:00",
        "2028-02-01 00:00:00",
        "2038-01-19 03:14:08",
    ] {
        let output = day(moment, &["prune"]);
        assert_eq!(output.status.code(), Some(1), "{moment}: {output:?}");
        assert!(stderr(&output).contains("--force"), "{output:?}");
        assert_eq!(left(), 2, "{moment}");
        cases += 1;
    }
    let output = day("2026-12-02 00:00:00", &["prune"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(left(), 1);
    figure("clock", &format!("{} moments from 2016 to 2099, no expired token came back", cases + 2));
}

/// Nights in which an hour is missing, or comes twice, and zones that are far from UTC: a token ends at its instant.
#[test]
fn where_clocks_are_put_forward_or_back_a_token_ends_at_its_instant() {
    if library().is_none() {
        have("faketime", "days on which clocks change");
        return;
    }
    let mut cases = 0;
    // The zone, a moment there when the token is made, and moments around its end an hour of real time later.
    for (zone, made, last, over) in [
        // 02:00 becomes 03:00.
        ("Europe/Berlin", "2026-03-29 01:30:00", "2026-03-29 03:29:57", "2026-03-29 03:30:01"),
        ("America/New_York", "2026-03-08 01:30:00", "2026-03-08 03:29:57", "2026-03-08 03:30:01"),
        // Half an hour forward.
        ("Australia/Lord_Howe", "2026-10-04 01:45:00", "2026-10-04 03:14:57", "2026-10-04 03:15:01"),
        // 03:00 becomes 02:00: 02:10 comes twice, and libfaketime takes the first where TZ says so.
        ("Europe/Berlin", "2026-10-25 00:30:00", "2026-10-25 01:29:57", "2026-10-25 01:30:01"),
        ("Europe/Berlin", "2026-10-25 03:30:00", "2026-10-25 04:29:57", "2026-10-25 04:30:01"),
        ("Pacific/Kiritimati", "2026-06-01 00:30:00", "2026-06-01 01:29:57", "2026-06-01 01:30:01"),
        ("Asia/Kathmandu", "2026-06-01 23:30:00", "2026-06-02 00:29:57", "2026-06-02 00:30:01"),
    ] {
        let home = Home::new("");
        let day = |moment, args: &[&str]| at(&home, zone, moment, args);
        let issued = day(made, &["create", "--expires", "1h", "--token-file", "token"]);
        assert!(issued.status.success(), "{zone}: {issued:?}");
        for (moment, code) in [(made, 0), (last, 0), (over, 1)] {
            let output = day(moment, &["verify", "--token-file", "token"]);
            assert_eq!(output.status.code(), Some(code), "{zone} {made}: {moment}: {output:?}");
            cases += 1;
        }
    }
    figure("clock, nights on which it is put forward or back", &format!("{cases} moments in 6 zones"));
}
