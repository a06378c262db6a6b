//! A time zone, from the very file that cron and systemd read (`TZif`, RFC 8536).

use crate::domain::moment::{Moment, Span};
use std::fmt;

const MICROS: i64 = 1_000_000;
/// 2199-12-31, behind which Quartz knows no year.
const FAR: i64 = 7_258_032_000;
const DAY: i64 = 86_400;
/// More than any zone is away from UTC.
const AWAY: i64 = 26 * 3600;

/// The difference between a wall clock and UTC, whenever.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    table: tz::TimeZone,
}

/// How often wall clocks showed a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Once, as nearly always.
    Once,
    /// Twice: they were put back.
    Twice,
    /// Never: they were put forward over it.
    Never,
}

/// The file holds no time zone, or not one for the years to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadZone;

impl fmt::Display for BadZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is no TZif file with the years to come in it")
    }
}

impl Zone {
    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), table: tz::TimeZone::utc() }
    }

    /// The zone in the bytes of a file, and what people call it.
    ///
    /// # Errors
    /// [`BadZone`]
    pub fn parse(name: &str, file: &[u8]) -> Result<Self, BadZone> {
        let table = tz::TimeZone::from_tz_data(file).map_err(|_| BadZone)?;
        table.find_local_time_type(0).and(table.find_local_time_type(FAR)).map_err(|_| BadZone)?;
        Ok(Self { name: name.to_owned(), table })
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many seconds its wall clocks are ahead of UTC at an instant, in seconds since 1970.
    fn offset(&self, at: i64) -> i64 {
        // The ends of the time that is looked at were tried when the zone was read.
        self.table.find_local_time_type(at).map_or(0, |local| i64::from(local.ut_offset()))
    }

    /// What its wall clocks show, in seconds since 1970 as if they showed UTC; a beginning second counts.
    #[must_use]
    pub fn wall(&self, at: Moment) -> i64 {
        let seconds = at.micros().div_euclid(MICROS);
        seconds + self.offset(seconds)
    }

    /// When its wall clocks showed this, and how often they did. Of two instants it is the first; a time that
    /// was skipped is read as if the clock had not been put forward. `None` outside the years 1 to 9999.
    #[must_use]
    pub fn instant(&self, wall: i64) -> Option<(Moment, Shown)> {
        let found = self.instants(wall);
        if let Some(first) = found.first() {
            return Some((*first, if found.len() == 1 { Shown::Once } else { Shown::Twice }));
        }
        let skipped = Moment::from_micros(wall.checked_sub(self.offset(wall - AWAY))?.checked_mul(MICROS)?)?;
        // At the very ends of the calendar nothing is found either.
        (self.wall(skipped) != wall).then_some((skipped, Shown::Never))
    }

    /// When its wall clocks show this: once, twice when they are put back, never when they are put forward.
    pub(super) fn instants(&self, wall: i64) -> Vec<Moment> {
        let mut found: Vec<i64> = [wall - AWAY, wall + AWAY]
            .map(|near| wall - self.offset(near))
            .into_iter()
            .filter(|at| at + self.offset(*at) == wall)
            .collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|at| Moment::from_micros(at * MICROS)).collect()
    }

    /// The last second before each change of its wall clocks.
    pub(super) fn before_changes(&self, after: Moment, until: Moment) -> Vec<Moment> {
        let seconds = |at: Moment| at.micros().div_euclid(MICROS);
        let mut found = Vec::new();
        let mut day = seconds(after);
        while day < seconds(until).min(FAR) {
            let (mut old, mut new) = (day, day + DAY);
            day = new;
            let (before, behind) = (self.offset(old), self.offset(new));
            if before == behind {
                continue;
            }
            while new - old > 1 {
                let middle = i64::midpoint(old, new);
                *(if self.offset(middle) == before { &mut old } else { &mut new }) = middle;
            }
            found.extend(Moment::from_micros(old * MICROS));
        }
        found
    }

    /// `2027-03-28T02:30:00+02:00`
    #[must_use]
    pub fn text(&self, at: Moment) -> String {
        let offset = self.offset(at.micros().div_euclid(MICROS));
        let sign = if offset < 0 { '-' } else { '+' };
        let (hours, minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
        let wall = Moment::clamped(i128::from(self.wall(at)) * i128::from(MICROS)).to_string();
        format!("{}{sign}{hours:02}:{minutes:02}", &wall[..19])
    }

    /// Whether wall clocks show the same in both, for twenty years: many zones differ in the past only.
    #[must_use]
    pub fn is_same_as(&self, other: &Self, from: Moment) -> bool {
        let until = from.saturating_plus(Span::days(20 * 366));
        let days = |at: &Moment| at.plus(Span::days(1)).filter(|at| *at < until);
        let agree = |at: Moment| self.wall(at) == other.wall(at);
        std::iter::successors(Some(from), days).all(agree)
            && self.before_changes(from, until) == other.before_changes(from, until)
    }
}
