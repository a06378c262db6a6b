//! The fields of a Quartz expression, each read into the numbers it stands for.

use super::{Days, Values};

/// A field.
pub(super) struct Field {
    pub name: &'static str,
    pub low: u32,
    pub high: u32,
    /// Words for the values from `low` on.
    words: &'static [&'static str],
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
pub(super) const SECOND: usize = 0;
pub(super) const MINUTE: usize = 1;
pub(super) const HOUR: usize = 2;
pub(super) const DAY_OF_MONTH: usize = 3;
pub(super) const MONTH: usize = 4;
pub(super) const DAY_OF_WEEK: usize = 5;
pub(super) const YEAR: usize = 6;

/// In the order of an expression.
pub(super) const FIELDS: [Field; 7] = [
    Field { name: "seconds", low: 0, high: 59, words: &[] },
    Field { name: "minutes", low: 0, high: 59, words: &[] },
    Field { name: "hours", low: 0, high: 23, words: &[] },
    Field { name: "day of month", low: 1, high: 31, words: &[] },
    Field { name: "month", low: 1, high: 12, words: MONTHS },
    Field { name: "day of week", low: 1, high: 7, words: WEEKDAYS },
    Field { name: "year", low: 1970, high: 2199, words: &[] },
];

/// Whether these are all there are.
pub(super) fn is_full(index: usize, values: &Values) -> bool {
    let Field { low, high, .. } = FIELDS[index];
    values.len() == (high - low + 1) as usize
}

/// The numbers that an upper-case field stands for.
pub(super) fn values(index: usize, text: &str) -> Result<Values, String> {
    if text == "?" {
        return Err("'?' is for the two day fields only".to_owned());
    }
    let mut all = Values::new();
    for item in text.split(',') {
        all.extend(item_values(index, item)?);
    }
    Ok(all)
}

/// `*`, `5`, `5-9`, and each of them with a step `/n`. A range that ends before it begins goes round, as
/// in Quartz: `FRI-MON`, `22-2`.
fn item_values(index: usize, item: &str) -> Result<Vec<u32>, String> {
    let field = &FIELDS[index];
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(within(step, 1, field.high.min(2199 - 1970))?)),
        None => (item, None),
    };
    let (from, to) = match range.split_once('-') {
        _ if range == "*" || range.is_empty() && step.is_some() => (field.low, field.high),
        Some((from, to)) => (value(field, from)?, value(field, to)?),
        None => {
            let from = value(field, range)?;
            (from, if step.is_some() { field.high } else { from })
        }
    };
    if to < from && index == YEAR {
        return Err(format!("'{range}' ends before it begins"));
    }
    let round = field.high - field.low + 1;
    let end = if to < from { to + round } else { to };
    let walk = (from..=end).step_by(step.unwrap_or(1) as usize);
    Ok(walk.map(|n| if n > field.high { n - round } else { n }).collect())
}

/// What the day of month says; `None`: `?`.
pub(super) fn days_of_month(text: &str) -> Result<Option<Days>, String> {
    days(DAY_OF_MONTH, text, last_or_weekday, Days::OfMonth)
}

/// What the day of week says; `None`: `?`.
pub(super) fn days_of_week(text: &str) -> Result<Option<Days>, String> {
    days(DAY_OF_WEEK, text, last_or_nth, Days::OfWeek)
}

fn days(
    index: usize,
    text: &str,
    special: impl Fn(&str) -> Result<Option<Days>, String>,
    plain: impl Fn(Values) -> Days,
) -> Result<Option<Days>, String> {
    if text == "?" {
        return Ok(None);
    }
    for item in text.split(',') {
        match special(item)? {
            Some(days) if item == text => return Ok(Some(days)),
            Some(_) => return Err(format!("'{item}' cannot stand in a list")),
            None => {}
        }
    }
    let values = values(index, text)?;
    Ok(Some(if is_full(index, &values) { Days::Every } else { plain(values) }))
}

/// `L`, `LW`, `L-3`, `L-3W`, `15W`.
fn last_or_weekday(item: &str) -> Result<Option<Days>, String> {
    if item == "L" || item == "LW" {
        return Ok(Some(Days::Last { before: 0, weekday: item == "LW" }));
    }
    if let Some(offset) = item.strip_prefix("L-") {
        let (offset, weekday) = offset.strip_suffix('W').map_or((offset, false), |offset| (offset, true));
        return within(offset, 0, 30).map(|before| Some(Days::Last { before, weekday }));
    }
    item.strip_suffix('W').map(|day| within(day, 1, 31).map(Days::Nearest)).transpose()
}

/// `L` (Saturday, as in Quartz), `6L`, `FRIL`, `6#3`, `FRI#3`.
fn last_or_nth(item: &str) -> Result<Option<Days>, String> {
    let field = &FIELDS[DAY_OF_WEEK];
    if item == "L" {
        return Ok(Some(Days::OfWeek(Values::from([field.high]))));
    }
    if let Some((day, nth)) = item.split_once('#') {
        let (day, nth) = (value(field, day)?, within(nth, 1, 5)?);
        return Ok(Some(Days::Nth { day, nth }));
    }
    item.strip_suffix('L').map(|day| value(field, day).map(Days::LastOfWeek)).transpose()
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
