//! A schedule in a sentence, in the order in which people say it: when in the day, on which days.

use super::field::{HOUR, MINUTE, SECOND, is_full};
use super::piece::{Piece, Pieces, pieces};
use super::{Days, Schedule, Values};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// Times of day that are listed one by one.
const LISTED: usize = 4;

impl Schedule {
    /// The schedule in words: `every day at 00:00`.
    #[must_use]
    pub fn words(&self) -> String {
        let months = if self.is_monthly() {
            String::new()
        } else {
            format!(" in {}", named(&self.months, 1, &MONTHS))
        };
        let years = if self.is_yearly() { String::new() } else { format!(", {}", spans(&self.years)) };
        format!("{}, {}{months}{years}", self.time_words(), self.day_words())
    }

    fn time_words(&self) -> String {
        let [seconds, minutes, hours] = &self.times;
        if let (Some(second), Some(minute), true) = (only(seconds), only(minutes), hours.len() <= LISTED) {
            let seconds = if second == 0 { String::new() } else { format!(":{second:02}") };
            let time = |hour: &u32| format!("{hour:02}:{minute:02}{seconds}");
            return format!("at {}", and(hours.iter().map(time).collect()));
        }
        let mut said = Vec::new();
        if only(seconds) != Some(0) {
            said.push(unit(SECOND, seconds, "second"));
        }
        if !is_full(MINUTE, minutes) || said.is_empty() {
            said.push(unit(MINUTE, minutes, "minute"));
        }
        if !is_full(HOUR, hours) {
            said.push(unit(HOUR, hours, "hour"));
        } else if only(minutes).is_some() {
            said.push("every hour".to_owned());
        }
        said.join(" of ")
    }

    fn day_words(&self) -> String {
        let weekday = |day: &u32| WEEKDAYS[(*day as usize + 6) % 7];
        match &self.days {
            Days::Every => "every day".to_owned(),
            Days::OfMonth(days) if days.len() == 1 => format!("on day {} of the month", spans(days)),
            Days::OfMonth(days) => format!("on days {} of the month", spans(days)),
            Days::Last { before: 0, weekday: false } => "on the last day of the month".to_owned(),
            Days::Last { before: 0, weekday: true } => {
                "on the last day from Monday to Friday of the month".to_owned()
            }
            Days::Last { before, weekday } => {
                let day = if *before == 1 { "1 day".to_owned() } else { format!("{before} days") };
                let near = if *weekday { "the day from Monday to Friday nearest to " } else { "" };
                format!("on {near}{day} before the last of the month")
            }
            Days::Nearest(day) => {
                format!("on the day from Monday to Friday nearest to day {day} of the month")
            }
            Days::OfWeek(days) => format!("on {}", named(days, 1, &WEEKDAYS)),
            Days::Nth { day, nth } => {
                let nth = ["first", "second", "third", "fourth", "fifth"][(*nth as usize + 4) % 5];
                format!("on the {nth} {} of the month", weekday(day))
            }
            Days::LastOfWeek(day) => format!("on the last {} of the month", weekday(day)),
        }
    }
}

fn only(values: &Values) -> Option<u32> {
    values.first().copied().filter(|_| values.len() == 1)
}

/// `every minute`, `every 5 minutes`, `minutes 5-9, 20`.
fn unit(index: usize, values: &Values, name: &str) -> String {
    match pieces(index, values) {
        Pieces::All => format!("every {name}"),
        Pieces::These(walk) if walk[0].step > 1 && walk[0].is_from_low(index) && walk[0].is_open(index) => {
            format!("every {} {name}s", walk[0].step)
        }
        Pieces::These(_) if values.len() == 1 => format!("{name} {}", spans(values)),
        Pieces::These(_) => format!("{name}s {}", spans(values)),
    }
}

fn spans(values: &Values) -> String {
    let one = |Piece { from, to, .. }: &Piece| match to - from {
        0 => from.to_string(),
        1 => format!("{from}, {to}"),
        _ => format!("{from} to {to}"),
    };
    super::piece::ranges(values).iter().map(one).collect::<Vec<_>>().join(", ")
}

fn named(values: &Values, first: u32, names: &[&str]) -> String {
    let name = |value: u32| names.get((value - first) as usize).copied().unwrap_or_default();
    let one = |Piece { from, to, .. }: &Piece| match to - from {
        0 => name(*from).to_owned(),
        1 => format!("{}, {}", name(*from), name(*to)),
        _ => format!("{} to {}", name(*from), name(*to)),
    };
    and(super::piece::ranges(values).iter().map(one).collect())
}

fn and(mut words: Vec<String>) -> String {
    match (words.pop(), words.is_empty()) {
        (Some(last), true) => last,
        (Some(last), false) => format!("{} and {last}", words.join(", ")),
        (None, _) => String::new(),
    }
}
