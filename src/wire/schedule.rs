//! What `schedule -o json` prints.

use super::Instant;
use serde::Serialize;

/// The jobs.
#[derive(Serialize, Debug)]
pub struct Schedule<'a> {
    /// The zone in which the expressions are meant.
    pub timezone: &'a str,
    /// Each job.
    pub jobs: Vec<Job<'a>>,
}

/// A job and when it runs.
#[derive(Serialize, Debug)]
pub struct Job<'a> {
    /// `prune` or `notify`.
    pub job: &'static str,
    /// The property that says when.
    pub property: &'static str,
    /// Its value.
    pub expression: &'a str,
    /// `default`, `-D`, or `FILE:LINE:COLUMN`.
    pub origin: String,
    /// The expression in words.
    pub words: String,
    /// Whether it runs at no time from now on.
    pub never: bool,
    /// The next runs.
    pub next: Vec<Run>,
    /// Runs that a change of the clock skips or doubles: the first of each, for a year and as far as `next`.
    pub clock_changes: Vec<ClockChange>,
    /// As a line of a crontab.
    pub crontab: Crontab<'a>,
    /// As a timer.
    pub systemd: Systemd<'a>,
}

/// A run.
#[derive(Serialize, Debug)]
pub struct Run {
    /// When.
    pub at: Instant,
    /// The same on the wall clock.
    pub local: String,
    /// Whether the wall clock shows that time twice.
    pub doubled: bool,
}

/// A run that a change of the clock makes strange.
#[derive(Serialize, Debug)]
pub struct ClockChange {
    /// The time on the wall clock, without an offset: it has none, or two.
    pub local: String,
    /// `skipped` or `doubled`.
    pub what: &'static str,
}

/// A line, or why there is none.
#[derive(Serialize, Debug)]
pub struct Crontab<'a> {
    /// The line.
    pub line: Option<&'a str>,
    /// Why there is none.
    pub refused: Option<&'a str>,
}

/// Calendar events, or why there are none.
#[derive(Serialize, Debug)]
pub struct Systemd<'a> {
    /// Values for `OnCalendar=`.
    pub on_calendar: &'a [String],
    /// Why there are none.
    pub refused: Option<&'a str>,
}
