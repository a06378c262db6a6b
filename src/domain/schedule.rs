//! Quartz cron expressions, as `atlassian.pats.pruning.schedule.cron` holds them: 6 or 7 fields,
//! seconds first. What Quartz refuses is refused here.

use std::fmt;
use std::str::FromStr;

/// An expression that Quartz would accept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule(String);

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

struct Field {
    name: &'static str,
    low: u32,
    high: u32,
    /// Words for the values from `low` on.
    words: &'static [&'static str],
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const DAY_OF_MONTH: usize = 3;
const DAY_OF_WEEK: usize = 5;

const FIELDS: [Field; 7] = [
    Field { name: "seconds", low: 0, high: 59, words: &[] },
    Field { name: "minutes", low: 0, high: 59, words: &[] },
    Field { name: "hours", low: 0, high: 23, words: &[] },
    Field { name: "day of month", low: 1, high: 31, words: &[] },
    Field { name: "month", low: 1, high: 12, words: MONTHS },
    Field { name: "day of week", low: 1, high: 7, words: WEEKDAYS },
    Field { name: "year", low: 1970, high: 2199, words: &[] },
];

impl Schedule {
    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let whole = |fault: &str| ScheduleError { field: 0, fault: fault.to_owned() };
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != 6 && fields.len() != 7 {
            return Err(whole(&format!(
                "a Quartz expression has 6 or 7 fields (seconds first), this has {}",
                fields.len()
            )));
        }
        for (index, value) in fields.iter().enumerate() {
            check_field(index, &value.to_ascii_uppercase())
                .map_err(|fault| ScheduleError { field: index + 1, fault })?;
        }
        match (fields[DAY_OF_MONTH], fields[DAY_OF_WEEK]) {
            ("?", "?") => Err(whole("only one of day of month and day of week may be '?'")),
            ("?", _) | (_, "?") => Ok(Self(text.to_owned())),
            _ => Err(whole("one of day of month and day of week must be '?'")),
        }
    }
}

fn check_field(index: usize, text: &str) -> Result<(), String> {
    let days = index == DAY_OF_MONTH || index == DAY_OF_WEEK;
    if text == "?" {
        return if days { Ok(()) } else { Err("'?' is for the two day fields only".to_owned()) };
    }
    let items: Vec<&str> = text.split(',').collect();
    for item in &items {
        let special = match index {
            DAY_OF_MONTH => last_or_weekday(item)?,
            DAY_OF_WEEK => last_or_nth(item)?,
            _ => false,
        };
        if special && items.len() > 1 {
            return Err(format!("'{item}' cannot stand in a list"));
        }
        if !special {
            check_item(&FIELDS[index], item)?;
        }
    }
    Ok(())
}

/// `L`, `LW`, `L-3`, `15W`: true when `item` is one of them.
fn last_or_weekday(item: &str) -> Result<bool, String> {
    if item == "L" || item == "LW" {
        return Ok(true);
    }
    if let Some(offset) = item.strip_prefix("L-") {
        let offset = offset.strip_suffix('W').unwrap_or(offset);
        return within(offset, 0, 30).map(|_| true);
    }
    match item.strip_suffix('W') {
        Some(day) => within(day, 1, 31).map(|_| true),
        None => Ok(false),
    }
}

/// `L`, `6L`, `FRIL`, `6#3`, `FRI#3`: true when `item` is one of them.
fn last_or_nth(item: &str) -> Result<bool, String> {
    let field = &FIELDS[DAY_OF_WEEK];
    if item == "L" {
        return Ok(true);
    }
    if let Some((day, nth)) = item.split_once('#') {
        value(field, day)?;
        return within(nth, 1, 5).map(|_| true);
    }
    match item.strip_suffix('L') {
        Some(day) => value(field, day).map(|_| true),
        None => Ok(false),
    }
}

/// `*`, `5`, `5-9`, and each of them with a step `/n`.
fn check_item(field: &Field, item: &str) -> Result<(), String> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    if let Some(step) = step {
        within(step, 1, field.high.min(2199 - 1970))?;
    }
    match range.split_once('-') {
        _ if range == "*" || range.is_empty() && step.is_some() => Ok(()),
        Some((from, to)) => value(field, from).and(value(field, to)).map(|_| ()),
        None => value(field, range).map(|_| ()),
    }
}

fn value(field: &Field, text: &str) -> Result<u32, String> {
    match (field.low..).zip(field.words).find(|(_, word)| **word == text) {
        Some((number, _)) => Ok(number),
        None => within(text, field.low, field.high),
    }
}

fn within(text: &str, low: u32, high: u32) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|n| (low..=high).contains(n) && text.bytes().all(|b| b.is_ascii_digit()))
        .ok_or_else(|| format!("'{text}' is not a value from {low} to {high}"))
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
            assert_eq!(good.parse::<Schedule>().map(|s| s.0).as_deref(), Ok(good), "{good}");
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
        ] {
            let error = bad.parse::<Schedule>().expect_err(bad).to_string();
            assert!(error.contains(says), "{bad}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_check_panic(text in "[0-9*?LW#/,A-Z é-]{0,8}( [0-9*?LW#/,A-Z é-]{0,6}){4,7}") {
            let _ = text.parse::<Schedule>();
        }
    }
}
