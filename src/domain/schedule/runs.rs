//! When a schedule runs next.
//!
//! croner finds times on a wall clock that knows no daylight saving; the zone then says which instants show
//! that time: one, none when the clock is put forward over it, two when it is put back. Schedulers differ in
//! what they do then, so it is told and not decided.
//!
//! croner is given numbers only, never the expression: it accepts what Quartz refuses, and lets `? * L`
//! parse without ever firing.

use super::field::{DAY_OF_MONTH, HOUR, MINUTE, MONTH, SECOND};
use super::piece::{Piece, Pieces, pieces};
use super::{Days, Schedule, Values, Zone};
use crate::domain::moment::Moment;
use chrono::{DateTime, Days as Distance, NaiveDateTime};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// A time at which a schedule wants to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// What the wall clock would show: `2027-03-28T02:30:00`.
    pub wall: String,
    /// When it shows that, and not before now: once; twice where it is put back; never where it is put
    /// forward.
    pub at: Vec<Moment>,
    /// Whether the wall clock shows it twice, though one of the two may be over.
    pub doubled: bool,
}

/// The runs after an instant, without end as long as there are any.
pub struct Runs<'s> {
    zone: &'s Zone,
    patterns: Vec<Cron>,
    /// Only what lies behind this counts.
    after: Moment,
    wall: NaiveDateTime,
}

const MONTHS_OF_31: [u32; 7] = [1, 3, 5, 7, 8, 10, 12];
const MONTHS_OF_30: [u32; 4] = [4, 6, 9, 11];

impl Schedule {
    /// The runs behind `after`, in a zone.
    #[must_use]
    pub fn runs<'s>(&self, zone: &'s Zone, after: Moment) -> Runs<'s> {
        let clock = |wall| DateTime::from_timestamp(wall, 0).unwrap_or_default().naive_utc();
        let mut wall = clock(zone.wall(after));
        if zone.instants(zone.wall(after)).len() > 1 {
            // The clock shows this hour twice: what is over the first time may lie ahead the second time.
            wall = wall.checked_sub_days(Distance::new(1)).unwrap_or(wall);
        }
        Runs { zone, patterns: self.patterns(), after, wall }
    }

    /// What the changes of the clock do to it, from `after` up to `until`: the first run of each change that
    /// is skipped or doubled.
    #[must_use]
    pub fn clock_changes(&self, zone: &Zone, after: Moment, until: Moment) -> Vec<Run> {
        let strange = |run: &Run| run.doubled || run.at.is_empty();
        let first = |before| self.runs(zone, before).next().filter(strange);
        zone.before_changes(after, until).into_iter().filter_map(first).collect()
    }

    /// Whether there is no run at all behind `after`.
    #[must_use]
    pub fn is_over(&self, after: Moment) -> bool {
        self.runs(&Zone::utc(), after).next().is_none()
    }

    /// Patterns for croner; the schedule is all of them together.
    fn patterns(&self) -> Vec<Cron> {
        let pattern = |months: &Values, years: &Values, days: &str, weekdays: &str| {
            let [seconds, minutes, hours] = &self.times;
            let text = [
                numbers(SECOND, seconds),
                numbers(MINUTE, minutes),
                numbers(HOUR, hours),
                days.to_owned(),
                numbers(MONTH, months),
                weekdays.to_owned(),
                // Never '*': croner would look as far as the year 5000.
                list(years),
            ]
            .join(" ");
            let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Required);
            parser.build().parse(&text).ok()
        };
        let one = |days: &str, weekdays: &str| {
            pattern(&self.months, &self.years, days, weekdays).into_iter().collect()
        };
        match &self.days {
            Days::Every => one("*", "*"),
            Days::OfMonth(days) => one(&numbers(DAY_OF_MONTH, days), "*"),
            Days::OfWeek(days) => one("*", &list(&days.iter().map(|day| day - 1).collect())),
            Days::Nth { day, nth } => one("*", &format!("{}#{nth}", day - 1)),
            Days::LastOfWeek(day) => one("*", &format!("{}L", day - 1)),
            Days::Nearest(day) => one(&format!("{day}W"), "*"),
            Days::Last { before: 0, weekday } => one(if *weekday { "LW" } else { "L" }, "*"),
            // croner does not count from the end, so there is a pattern for each length of a month.
            Days::Last { before, weekday } => {
                let class = |(length, months, years): (u32, Values, Values)| {
                    let day = length.checked_sub(*before).filter(|day| *day > 0)?;
                    let day = if *weekday { format!("{day}W") } else { day.to_string() };
                    (!months.is_empty() && !years.is_empty())
                        .then(|| pattern(&months, &years, &day, "*"))
                        .flatten()
                };
                self.lengths().into_iter().filter_map(class).collect()
            }
        }
    }

    /// The months and years by the length of the months.
    fn lengths(&self) -> [(u32, Values, Values); 4] {
        let months = |which: &[u32]| self.months.iter().copied().filter(|m| which.contains(m)).collect();
        let (leap, common) = self.years.iter().partition(|year| {
            year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
        });
        [
            (31, months(&MONTHS_OF_31), self.years.clone()),
            (30, months(&MONTHS_OF_30), self.years.clone()),
            (29, months(&[2]), leap),
            (28, months(&[2]), common),
        ]
    }
}

impl Iterator for Runs<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        loop {
            let next = |cron: &Cron| cron.find_next_occurrence(&self.wall, false).ok();
            self.wall = self.patterns.iter().filter_map(next).min()?;
            let wall = self.wall.and_utc().timestamp();
            let mut at = self.zone.instants(wall);
            let doubled = at.len() > 1;
            let skipped = at.is_empty();
            at.retain(|at| *at > self.after);
            if skipped || !at.is_empty() {
                let wall = self.wall.format("%Y-%m-%dT%H:%M:%S").to_string();
                return Some(Run { wall, at, doubled });
            }
        }
    }
}

/// A field for croner.
fn numbers(index: usize, values: &Values) -> String {
    if pieces(index, values) == Pieces::All { "*".to_owned() } else { list(values) }
}

fn list(values: &Values) -> String {
    let one = |Piece { from, to, .. }: &Piece| {
        if from == to { from.to_string() } else { format!("{from}-{to}") }
    };
    super::piece::ranges(values).iter().map(one).collect::<Vec<_>>().join(",")
}
