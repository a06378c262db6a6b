//! `OnCalendar=` of a systemd timer, where it says exactly what Quartz says.
//!
//! A timer may have several: it fires at each of them. That is how "the weekday nearest to the 15th" can be
//! said: Monday to Friday the 15th, Friday the 14th, Monday the 16th.

use super::field::{DAY_OF_MONTH, HOUR, MINUTE, MONTH, SECOND, YEAR};
use super::piece::{Piece, Pieces, pieces, ranges};
use super::{Days, Inexact, Schedule, Values};

/// Monday first, as systemd counts; Quartz' number is the place plus two, and Sunday is 1.
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// systemd counts at most so many days from the end of a month.
const MOST_FROM_END: u32 = 28;
/// Every month has these days, and one more after.
const SURE: u32 = 27;

impl Schedule {
    /// The calendar events of a timer; all of them together are the schedule.
    ///
    /// # Errors
    /// What systemd cannot say.
    pub fn on_calendar(&self) -> Result<Vec<String>, Inexact> {
        let events = self.calendar_days()?;
        let [seconds, minutes, hours] = &self.times;
        let time =
            [(HOUR, hours), (MINUTE, minutes), (SECOND, seconds)].map(|(at, v)| field(at, v)).join(":");
        let date = format!("{}-{}", field(YEAR, &self.years), field(MONTH, &self.months));
        let event = |(weekday, day): (String, String)| {
            let blank = if weekday.is_empty() { "" } else { " " };
            format!("{weekday}{blank}{date}{day} {time}")
        };
        Ok(events.into_iter().map(event).collect())
    }

    /// Days of the week, and days of the month with what joins them to the month.
    fn calendar_days(&self) -> Result<Vec<(String, String)>, Inexact> {
        let one = |weekday: String, day: String| Ok(vec![(weekday, day)]);
        match &self.days {
            Days::Every => one(String::new(), "-*".to_owned()),
            Days::OfMonth(days) => one(String::new(), format!("-{}", field(DAY_OF_MONTH, days))),
            Days::OfWeek(days) => one(weekdays(days), "-*".to_owned()),
            Days::LastOfWeek(day) => one(weekday(*day), "~01..07".to_owned()),
            Days::Nth { day, nth } => {
                let first = nth * 7 - 6;
                one(weekday(*day), format!("-{first:02}..{:02}", (first + 6).min(31)))
            }
            Days::Last { before, weekday: false } if *before < MOST_FROM_END => {
                one(String::new(), format!("~{:02}", before + 1))
            }
            Days::Last { weekday: false, .. } => Err(Inexact::because(format!(
                "systemd counts at most {MOST_FROM_END} days from the end of a month"
            ))),
            // A last day on Saturday or Sunday moves to the Friday before: the last but one or two.
            Days::Last { before: 0, weekday: true } => {
                Ok(vec![("Mon..Fri".to_owned(), "~01".to_owned()), ("Fri".to_owned(), "~02..03".to_owned())])
            }
            Days::Last { weekday: true, .. } => Err(Inexact::because(
                "systemd has no 'W' (the nearest weekday), and not every month has the same number of days",
            )),
            Days::Nearest(1) => {
                Ok(vec![("Mon..Fri".to_owned(), "-01".to_owned()), ("Mon".to_owned(), "-02..03".to_owned())])
            }
            Days::Nearest(day) if *day <= SURE => Ok(vec![
                ("Mon..Fri".to_owned(), format!("-{day:02}")),
                ("Fri".to_owned(), format!("-{:02}", day - 1)),
                ("Mon".to_owned(), format!("-{:02}", day + 1)),
            ]),
            Days::Nearest(day) => Err(Inexact::because(format!(
                "systemd has no 'W' (the nearest weekday), and not every month has a day after the {day}th"
            ))),
        }
    }
}

/// Where a day of the week of Quartz stands in a week that begins on Monday.
fn place(day: u32) -> u32 {
    (day + 5) % 7
}

fn weekday(day: u32) -> String {
    WEEKDAYS[place(day) as usize].to_owned()
}

fn weekdays(days: &Values) -> String {
    let places: Values = days.iter().map(|day| place(*day)).collect();
    let name = |place: u32| WEEKDAYS[place as usize];
    let one = |Piece { from, to, .. }: &Piece| match to - from {
        0 => name(*from).to_owned(),
        _ => format!("{}..{}", name(*from), name(*to)),
    };
    ranges(&places).iter().map(one).collect::<Vec<_>>().join(",")
}

fn field(index: usize, values: &Values) -> String {
    match pieces(index, values) {
        Pieces::All => "*".to_owned(),
        Pieces::These(walk) if walk[0].step > 1 => {
            let Piece { from, to, step } = walk[0];
            // A walk without an end goes on to the end of its field; that of the years is not ours. Of a date,
            // systemd 252 gives up on it: `Sat *-01/5-29 … Europe/Berlin` never elapses, `01..11/5` does.
            let open = walk[0].is_open(index) && [HOUR, MINUTE, SECOND].contains(&index);
            if open { format!("{from:02}/{step}") } else { format!("{from:02}..{to:02}/{step}") }
        }
        Pieces::These(ranges) => {
            let one = |Piece { from, to, .. }: &Piece| match to - from {
                0 => format!("{from:02}"),
                _ => format!("{from:02}..{to:02}"),
            };
            ranges.iter().map(one).collect::<Vec<_>>().join(",")
        }
    }
}
