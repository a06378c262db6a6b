//! The next runs: against a model that tries every second, against the lines of cron and the timers of
//! systemd, and over changes of the clock.

use crate::harness::moment;
use crate::process::{have, scaled, skip};
use crate::quartz::{naive, run_cases};
use crate::schedule::{BERLIN, tzif};
use chrono::{Datelike, Days, NaiveDateTime, Timelike};
use patctl::domain::moment::Moment;
use patctl::domain::schedule::{Schedule, Zone};
use proptest::prelude::*;
use std::path::Path;
use std::process::Command;

fn first_five(schedule: &Schedule, zone: &Zone, after: Moment) -> Vec<Moment> {
    schedule.runs(zone, after).filter_map(|run| run.at.first().copied()).take(5).collect()
}

#[test]
fn the_next_runs_are_those_of_a_model_that_tries_every_second() {
    run_cases(scaled(300, 5_000), |model, after| {
        let text = model.text();
        let schedule: Schedule = text.parse().map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        let days = 900;
        let expected = model.runs(naive(after), days);
        let mut found: Vec<_> = first_five(&schedule, &Zone::utc(), after).into_iter().map(naive).collect();
        let seen = naive(after).date().checked_add_days(Days::new(days)).expect("a day");
        found.retain(|at| at.date() < seen);
        prop_assert_eq!(found, expected, "{} after {}", text, after);
        prop_assert!(!schedule.is_over(after) || model.runs(naive(after), 3 * 366).is_empty(), "{}", text);
        Ok(())
    });
}

/// Whether cron runs a line in that minute (crontab(5), with one day field unrestricted).
fn cron_holds(line: &str, at: NaiveDateTime) -> bool {
    let fields: Vec<&str> = line.split(' ').collect();
    assert_eq!(fields.len(), 5, "{line}");
    assert!(fields[2] == "*" || fields[4] == "*", "cron would take either day: {line}");
    let values = [at.minute(), at.hour(), at.day(), at.month(), at.weekday().num_days_from_sunday()];
    let lows = [0, 0, 1, 1, 0];
    fields.iter().zip(values).zip(lows).all(|((field, value), low)| {
        field.split(',').any(|item| {
            let (range, step) = item.split_once('/').unwrap_or((item, "1"));
            let (from, to) = match range.split_once('-') {
                _ if range == "*" => (low, 99),
                Some((a, b)) => (a.parse().expect(line), b.parse().expect(line)),
                None => (range.parse().expect(line), range.parse().expect(line)),
            };
            (from..=to).contains(&value) && (value - from) % step.parse::<u32>().expect(line) == 0
        })
    })
}

#[test]
fn a_crontab_line_runs_when_the_expression_does() {
    run_cases(scaled(120, 5_000), |model, after| {
        let text = model.text();
        let schedule: Schedule = text.parse().map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        let Ok(line) = schedule.crontab() else { return Ok(()) };
        let minutes = 60 * 24 * 40;
        let start = naive(after).with_second(0).expect("a second");
        let expected: Vec<NaiveDateTime> = (1..minutes)
            .map(|n| start + chrono::TimeDelta::minutes(n))
            .filter(|at| cron_holds(&line, *at))
            .take(5)
            .collect();
        let end = start + chrono::TimeDelta::minutes(minutes);
        let mut found: Vec<_> = first_five(&schedule, &Zone::utc(), after).into_iter().map(naive).collect();
        found.retain(|at| *at < end);
        prop_assert_eq!(found, expected, "{} is {}", text, line);
        Ok(())
    });
}

/// The next five times of the events together, as systemd sees them.
fn systemd(events: &[String], after: Moment) -> Vec<Moment> {
    let output = Command::new("systemd-analyze")
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .args(["calendar", "--iterations=5", "--base-time"])
        .arg(format!("{} UTC", naive(after).format("%Y-%m-%d %H:%M:%S")))
        .args(events)
        .output()
        .expect("systemd-analyze");
    assert!(output.status.success(), "{events:?}: {output:?}");
    let mut found: Vec<Moment> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let (label, time) = line.trim().split_once(": ")?;
            let time =
                time.strip_suffix(" UTC").filter(|_| label == "Next elapse" || label.starts_with("Iter"))?;
            let at = NaiveDateTime::parse_from_str(time, "%a %Y-%m-%d %H:%M:%S").expect(line);
            Moment::from_micros(at.and_utc().timestamp_micros())
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(5);
    found
}

fn berlin() -> Zone {
    Zone::parse("Europe/Berlin", &tzif(BERLIN)).expect("a zone")
}

#[test]
fn a_timer_fires_when_the_expression_says() {
    let name = "a_timer_fires_when_the_expression_says";
    if !have("systemd-analyze", name) {
        return;
    }
    let zones = if Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
        vec![(Zone::utc(), ""), (berlin(), " Europe/Berlin")]
    } else {
        skip(&format!("{name}: there are no time zones on this machine, only UTC is tried"));
        vec![(Zone::utc(), "")]
    };
    let compare = |text: &str, after: Moment| {
        let schedule: Schedule = text.parse().expect(text);
        let Ok(events) = schedule.on_calendar() else { return 0 };
        for (zone, suffix) in &zones {
            let events: Vec<String> = events.iter().map(|event| format!("{event}{suffix}")).collect();
            assert_eq!(
                first_five(&schedule, zone, after),
                systemd(&events, after),
                "{text} is {events:?} after {after}"
            );
        }
        1
    };
    let fixed = [
        "0 0 0 * * ?",
        "0 0 * * * ?",
        "0 30 2 * * ?",
        "0 0/20 1-3 * * ?",
        "*/7 * 3 * * ?",
        "0 0 0 L * ?",
        "0 0 0 L-27 * ?",
        "0 0 0 LW * ?",
        "0 0 0 1W * ?",
        "0 0 0 15W * ?",
        "0 0 0 27W 2 ?",
        "0 0 0 ? * 6L",
        "0 0 0 ? * 1#5",
        "0 0 0 ? * SAT-MON",
        "0 0 0 29 2 ?",
        "0 0 0 1/3 1/2 ?",
        "0 0 12 ? * 2-6 2028/3",
        // With an open walk of months, systemd 252 gives up on this one in a zone.
        "0 3-53 13 ? 1/5 7#5",
        "0 3 13 ? 1/5 7",
    ];
    for text in fixed {
        // Noon, and the days before the clocks change.
        for after in ["2026-11-21T12:00:00Z", "2027-03-27T12:00:00Z", "2027-10-30T20:00:00Z"] {
            assert_eq!(compare(text, moment(after)), 1, "{text} has a timer");
        }
    }
    let tried = std::cell::Cell::new(0);
    run_cases(scaled(60, 1_000), |model, after| {
        let text = model.text();
        // Of what comes too rarely the lists end at different places.
        let schedule: Schedule = text.parse().expect(&text);
        if first_five(&schedule, &Zone::utc(), after).len() == 5 {
            tried.set(tried.get() + compare(&text, after));
        }
        Ok(())
    });
    assert!(tried.get() > 20, "{} of the random expressions have a timer", tried.get());
}

/// What the wall clock shows, the instants, and whether it comes twice.
fn shown(text: &str, after: &str, count: usize) -> Vec<String> {
    let zone = berlin();
    let schedule: Schedule = text.parse().expect(text);
    let run = |run: patctl::domain::schedule::Run| {
        let at: Vec<String> = run.at.iter().map(|at| at.to_string()[5..16].to_owned()).collect();
        format!("{} [{}]{}", &run.wall[5..16], at.join(" "), if run.doubled { " twice" } else { "" })
    };
    schedule.runs(&zone, moment(after)).take(count).map(run).collect()
}

#[test]
fn in_spring_a_run_is_skipped_and_in_autumn_it_comes_twice() {
    assert_eq!(
        shown("0 30 2 * * ?", "2027-03-26T12:00:00Z", 3),
        ["03-27T02:30 [03-27T01:30]", "03-28T02:30 []", "03-29T02:30 [03-29T00:30]"]
    );
    assert_eq!(
        shown("0 0 * * * ?", "2027-03-28T00:30:00Z", 3),
        ["03-28T02:00 []", "03-28T03:00 [03-28T01:00]", "03-28T04:00 [03-28T02:00]"]
    );
    assert_eq!(
        shown("0 30 2 * * ?", "2027-10-30T12:00:00Z", 2),
        ["10-31T02:30 [10-31T00:30 10-31T01:30] twice", "11-01T02:30 [11-01T01:30]"]
    );
    // Between the two: only the second lies ahead.
    assert_eq!(shown("0 30 2 * * ?", "2027-10-31T00:40:00Z", 1), ["10-31T02:30 [10-31T01:30] twice"]);
    assert_eq!(shown("0 30 2 * * ?", "2027-10-31T00:30:00Z", 1), ["10-31T02:30 [10-31T01:30] twice"]);
    assert_eq!(
        shown("0 0/20 2 * * ?", "2027-10-31T01:30:00Z", 2),
        ["10-31T02:40 [10-31T01:40] twice", "11-01T02:00 [11-01T01:00]"]
    );
    // The ends of the gap: 02:00 is not there, 03:00 is; and of the fold: 02:00 comes twice, 03:00 once.
    assert_eq!(
        shown("0 0 1-3 * * ?", "2027-03-27T23:30:00Z", 3),
        ["03-28T01:00 [03-28T00:00]", "03-28T02:00 []", "03-28T03:00 [03-28T01:00]"]
    );
    assert_eq!(
        shown("0 0 1-3 * * ?", "2027-10-30T22:30:00Z", 3),
        [
            "10-31T01:00 [10-30T23:00]",
            "10-31T02:00 [10-31T00:00 10-31T01:00] twice",
            "10-31T03:00 [10-31T02:00]"
        ]
    );
}

#[test]
fn an_expression_that_never_fires_is_found_out_in_time() {
    let begun = std::time::Instant::now();
    for never in
        ["0 0 0 31 2 ?", "0 0 0 30 FEB ? 2026/1", "59 59 23 * * ? 2025", "0 0 0 L-30 2 ?", "0 0 0 31W 4,6 ?"]
    {
        let schedule: Schedule = never.parse().expect(never);
        assert!(schedule.is_over(moment("2026-11-21")), "{never}");
        assert!(schedule.clock_changes(&berlin(), moment("2026-11-21"), moment("2030-01-01")).is_empty());
    }
    for rare in ["0 0 0 29 2 ?", "0 0 0 ? 2 1#5", "0 0 0 31 12 ? 2199", "0 0 0 L-28 2 ?"] {
        let schedule: Schedule = rare.parse().expect(rare);
        assert!(!schedule.is_over(moment("2026-11-21")), "{rare}");
    }
    let late: Schedule = "0 0 0 * * ?".parse().expect("a schedule");
    assert!(late.is_over(moment("2200-01-01")) && !late.is_over(moment("2199-12-30")));
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
