//! Quartz cron expressions, as `atlassian.pats.pruning.schedule.cron` holds them: 6 or 7 fields,
//! seconds first. What Quartz refuses is refused here.
//!
//! An expression is read once, into sets of numbers; the next runs, the crontab line, the timer of
//! systemd and the sentence for people are all made from those.

mod crontab;
mod field;
mod oncalendar;
mod piece;
mod runs;
mod words;
mod zone;

pub use runs::{Run, Runs};
pub use zone::{BadZone, Shown, Zone};

use field::{DAY_OF_MONTH, DAY_OF_WEEK, FIELDS, MONTH, YEAR};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// An expression that Quartz would accept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    text: String,
    /// Seconds, minutes, hours.
    times: [Values; 3],
    days: Days,
    months: Values,
    years: Values,
}

/// The values of a field.
type Values = BTreeSet<u32>;

/// On which days of a month.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Days {
    Every,
    /// On these, 1 to 31.
    OfMonth(Values),
    /// So many days before the last; on the weekday (Monday to Friday) nearest to it.
    Last {
        before: u32,
        weekday: bool,
    },
    /// On the weekday nearest to this day, in the same month.
    Nearest(u32),
    /// On these days of the week, 1 is Sunday.
    OfWeek(Values),
    /// On the `nth` such day of the week.
    Nth {
        day: u32,
        nth: u32,
    },
    /// On the last such day of the week.
    LastOfWeek(u32),
}

/// Why an expression has no exact form elsewhere, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inexact(String);

impl Inexact {
    fn because(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Inexact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with an expression, and in which field (1 is the seconds; 0 is the whole).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScheduleError {
    field: usize,
    fault: String,
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.checked_sub(1).and_then(|i| FIELDS.get(i)) {
            Some(field) => write!(f, "field {} ({}): {}", self.field, field.name, self.fault),
            None => f.write_str(&self.fault),
        }
    }
}

impl std::error::Error for ScheduleError {}

impl Schedule {
    /// The expression as it was written, in one line.
    #[must_use]
    pub fn text(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether every year is meant: none is named, or all that Quartz knows.
    fn is_yearly(&self) -> bool {
        field::is_full(YEAR, &self.years)
    }

    fn is_monthly(&self) -> bool {
        field::is_full(MONTH, &self.months)
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let whole = |fault: &str| ScheduleError { field: 0, fault: fault.to_owned() };
        let upper = text.to_ascii_uppercase();
        let fields: Vec<&str> = upper.split_whitespace().collect();
        if fields.len() != 6 && fields.len() != 7 {
            return Err(whole(&format!(
                "a Quartz expression has 6 or 7 fields (seconds first), this has {}",
                fields.len()
            )));
        }
        let at = |index: usize| move |fault: String| ScheduleError { field: index + 1, fault };
        let values =
            |index: usize| field::values(index, fields.get(index).copied().unwrap_or("*")).map_err(at(index));
        let times = [values(0)?, values(1)?, values(2)?];
        let of_month = field::days_of_month(fields[DAY_OF_MONTH]).map_err(at(DAY_OF_MONTH))?;
        let months = values(MONTH)?;
        let of_week = field::days_of_week(fields[DAY_OF_WEEK]).map_err(at(DAY_OF_WEEK))?;
        let years = values(YEAR)?;
        let days = match (of_month, of_week) {
            (Some(days), None) | (None, Some(days)) => days,
            (None, None) => return Err(whole("only one of day of month and day of week may be '?'")),
            (Some(_), Some(_)) => return Err(whole("one of day of month and day of week must be '?'")),
        };
        Ok(Self { text: text.to_owned(), times, days, months, years })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_quartz_accepts_is_accepted() {
        for good in [
            "0 0 0 * * ?",
            "0 0 * * * ?",
            "0 15 10 ? * MON-FRI",
            "0 15 10 L * ?",
            "0 15 10 L-2 * ?",
            "0 15 10 LW * ?",
            "0 15 10 15W * ?",
            "0 15 10 ? * 6L",
            "0 15 10 ? * 6#3",
            "0 0/5 14,18 * * ? 2027",
            "0 0 12 1/5 jan-mar,DEC ?",
            "0 15 10 ? * L",
        ] {
            assert_eq!(good.parse::<Schedule>().map(|s| s.text).as_deref(), Ok(good), "{good}");
        }
    }

    #[test]
    fn what_quartz_refuses_is_refused_with_the_field_named() {
        for (bad, says) in [
            ("0 0 * * *", "has 6 or 7 fields"),
            ("0 0 0 * * * * *", "this has 8"),
            ("60 0 0 * * ?", "field 1 (seconds): '60' is not a value from 0 to 59"),
            ("0 0 24 * * ?", "field 3 (hours)"),
            ("0 0 0 * * *", "must be '?'"),
            ("0 0 0 ? * ?", "only one of"),
            ("0 0 0 0 * ?", "field 4 (day of month)"),
            ("0 0 0 1,L * ?", "'L' cannot stand in a list"),
            ("0 0 0 ? * 8", "field 6 (day of week)"),
            ("0 0 0 ? * MON#6", "field 6 (day of week)"),
            ("0 ? 0 * * ?", "the two day fields only"),
            ("0 0/0 0 * * ?", "field 2 (minutes)"),
            ("0 +5 0 * * ?", "field 2 (minutes)"),
            ("0 0 0 * * ? 1969", "field 7 (year)"),
            ("0 0 0 * * ? 2030-2027", "field 7 (year): '2030-2027' ends before it begins"),
            ("0 0 0 L,1 * ?", "'L' cannot stand in a list"),
            ("0 0 0 1,,2 * ?", "'' is not a value"),
        ] {
            let error = bad.parse::<Schedule>().expect_err(bad).to_string();
            assert!(error.contains(says), "{bad}: {error}");
        }
    }

    #[test]
    fn a_range_that_ends_before_it_begins_goes_round_as_in_quartz() {
        for (wrapped, same) in [
            ("0 0 22-2 * * ?", "0 0 0,1,2,22,23 * * ?"),
            ("50-5/5 0 0 * * ?", "0,5,50,55 0 0 * * ?"),
            ("0 0 0 30-2 * ?", "0 0 0 1,2,30,31 * ?"),
            ("0 0 0 ? NOV-FEB FRI-MON", "0 0 0 ? 1,2,11,12 1,2,6,7"),
            ("0 0 0 ? * 1-7", "0 0 0 * * ?"),
            ("0 0 0 ? * L", "0 0 0 ? * SAT"),
        ] {
            let read = |text: &str| Schedule { text: String::new(), ..text.parse().expect(text) };
            assert_eq!(read(wrapped), read(same), "{wrapped}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_check_panic(text in "[0-9*?LW#/,A-Z é-]{0,8}( [0-9*?LW#/,A-Z é-]{0,6}){4,7}") {
            let _ = text.parse::<Schedule>();
        }
    }
}
