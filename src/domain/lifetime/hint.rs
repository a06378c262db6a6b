//! What was probably meant by a text that is no time and no duration.

use super::{BARE_DAYS, DAYS, FORMS};
use crate::domain::moment::Moment;

/// Whether digits without a unit are a year, a date or a Unix time rather than a number of days.
pub(super) fn reads_as_date(digits: &str) -> bool {
    digits.len() > 5 || (digits.len() == 4 && matches!(&digits[..2], "19" | "20" | "21"))
}

/// The fault of `text` and what to write instead.
pub(super) fn for_text(text: &str) -> String {
    let sign = text.strip_prefix('-').unwrap_or(text);
    let digits = sign.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = sign.split_at(digits);
    let found = match unit {
        "" if !number.is_empty() => Some(bare(number)),
        "m" => Some("'m' may be minutes or months: write hours (1h), or days (30d)".to_owned()),
        "M" | "mo" | "mon" | "month" | "months" => {
            Some(format!("a month has no fixed length: write days ({}), or the date", fixed(number, 30)))
        }
        "y" | "Y" | "yr" | "year" | "years" => {
            Some(format!("a year has no fixed length: write days ({}), or the date", fixed(number, 365)))
        }
        "s" | "sec" | "min" | "mins" | "minutes" | "seconds" if !number.is_empty() => {
            Some("the shortest unit is the hour: write 1h, or an RFC 3339 instant".to_owned())
        }
        "D" | "day" | "days" if !number.is_empty() => Some(format!("write {number}d for days")),
        "H" | "hour" | "hours" if !number.is_empty() => Some(format!("write {number}h for hours")),
        "W" | "week" | "weeks" if !number.is_empty() => Some(format!("write {number}w for weeks")),
        "d" | "h" | "w" if !number.is_empty() => {
            let date = compact(number).map(|date| format!(", and reads as a date: write {date}"));
            let longest = format!("it is too long: write at most {DAYS}d, or the date");
            Some(date.map_or(longest, |date| format!("it is too long{date}")))
        }
        _ => calendar(text),
    };
    found.unwrap_or_else(|| format!("not a duration or a date; {FORMS}"))
}

/// So many days, for a number of months or years.
fn fixed(number: &str, days: i64) -> String {
    let count = number.parse::<i64>().unwrap_or(1).clamp(1, DAYS / days);
    format!("{}d", count * days)
}

/// Digits alone that are no number of days.
fn bare(digits: &str) -> String {
    if let Some(date) = compact(digits) {
        return format!("digits alone count days, and these read as a date: write {date}");
    }
    let unit = match digits.len() {
        9..=10 => Some(1_000_000),
        12..=13 => Some(1_000),
        15..=16 => Some(1),
        _ => None,
    };
    let epoch = unit
        .and_then(|micros| digits.parse::<i64>().ok()?.checked_mul(micros))
        .and_then(Moment::from_micros)
        .map(|at| at.to_string());
    if let Some(at) = epoch {
        return format!("digits alone count days, and these read as a Unix time: write {}Z", &at[..19]);
    }
    if digits.len() == 4 {
        return format!(
            "digits alone count days, and these read as a year: write {digits}-01-01 for its beginning, or {digits}d"
        );
    }
    format!("digits alone count days, at most {BARE_DAYS}: write a date (2027-01-31), or {DAYS}d at most")
}

/// The date, and perhaps the time of day, in 8, 12 or 14 digits.
fn compact(digits: &str) -> Option<String> {
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.is_ascii() {
        return None;
    }
    let orders = [[(0, 4), (4, 6), (6, 8)], [(4, 8), (2, 4), (0, 2)], [(4, 8), (0, 2), (2, 4)]];
    let found: Vec<String> = orders
        .iter()
        .map(|parts| parts.map(|(from, to)| &digits[from..to]).join("-"))
        .filter(|date| ("1900".."2200").contains(&&date[..4]) && Moment::from_date(date).is_some())
        .collect();
    let date = found.first()?;
    let time = match digits.len() {
        8 => String::new(),
        12 => format!("T{}:{}:00Z", &digits[8..10], &digits[10..12]),
        _ => format!("T{}:{}:{}Z", &digits[8..10], &digits[10..12], &digits[12..]),
    };
    let text = format!("{date}{time}");
    (time.is_empty() || Moment::from_rfc3339(&text).is_some()).then_some(text)
}

/// What is wrong with a date, or how it is written here.
fn calendar(text: &str) -> Option<String> {
    if let Some(seconds) = text.strip_prefix('@').filter(|rest| rest.bytes().all(|b| b.is_ascii_digit())) {
        let at = Moment::from_micros(seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?)?.to_string();
        return Some(format!("a Unix time is not read: write {}Z", &at[..19]));
    }
    if text == "never" {
        return Some(format!("'never' is no instant; {FORMS}"));
    }
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let numbers = [first, second, third].map(|part| {
        let digits = part.len() <= 4 && !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    });
    let [Some(a), Some(b), Some(c)] = numbers else { return None };
    let (year, month, day) = match (first.len(), third.len()) {
        (4, _) => (a, b, c),
        (_, 4) if date.contains('.') => (c, b, a),
        _ => return None,
    };
    if !(1..=12).contains(&month) {
        return Some(format!("there is no month {month}: write year, month and day (2027-01-31)"));
    }
    let written = format!("{year:04}-{month:02}-{day:02}");
    if Moment::from_date(&written).is_none() {
        return Some(unknown_day(year, month, day));
    }
    match time {
        None => Some(format!("write {written}")),
        Some(time) => with_time(&written, time),
    }
}

fn unknown_day(year: u32, month: u32, day: u32) -> String {
    const NAMES: [&str; 12] = [
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
    let last =
        (28..=31).rev().find(|day| Moment::from_date(&format!("{year:04}-{month:02}-{day:02}")).is_some());
    let name = usize::try_from(month).ok().and_then(|at| NAMES.get(at.wrapping_sub(1)));
    match (last, name) {
        (Some(last), Some(name)) if day > 0 => {
            format!(
                "{name} {year} has {last} days: write {year:04}-{month:02}-{last}, or the day that is meant"
            )
        }
        _ => format!("{year:04}-{month:02}-{day:02} is not in the calendar; {FORMS}"),
    }
}

fn with_time(date: &str, time: &str) -> Option<String> {
    let time = time.trim().replacen(' ', "", 1);
    for (zone, why) in
        [("", "written with a T"), ("Z", "written with its zone"), (":00Z", "written with its zone")]
    {
        let text = format!("{date}T{time}{zone}");
        if Moment::from_rfc3339(&text).is_some() {
            return Some(format!("an instant is {why}: write {text}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Lifetime;

    #[test]
    fn a_refused_text_names_what_to_write() {
        for (text, hint) in [
            ("20261225", "write 2026-12-25"),
            ("25122026", "write 2026-12-25"),
            ("20261225101500", "write 2026-12-25T10:15:00Z"),
            ("20261225d", "write 2026-12-25"),
            ("1798675200", "write 2026-12-31T00:00:00Z"),
            ("1798675200000", "write 2026-12-31T00:00:00Z"),
            ("@1798675200", "write 2026-12-31T00:00:00Z"),
            ("2027", "write 2027-01-01 for its beginning, or 2027d"),
            ("99999", "at most 36500"),
            ("400000d", "write at most 365000d"),
            ("1y", "write days (365d)"),
            ("6mo", "write days (180d)"),
            ("1M", "write days (30d)"),
            ("30m", "'m' may be minutes or months"),
            ("30min", "write 1h"),
            ("3days", "write 3d"),
            ("2027-02-30", "February 2027 has 28 days"),
            ("2028-02-30", "February 2028 has 29 days"),
            ("2027-04-31", "April 2027 has 30 days"),
            ("2027-13-01", "there is no month 13"),
            ("2027-1-31", "write 2027-01-31"),
            ("2027/01/31", "write 2027-01-31"),
            ("31.01.2027", "write 2027-01-31"),
            ("2027-01-31T10:15:00", "write 2027-01-31T10:15:00Z"),
            ("2027-01-31 10:15", "write 2027-01-31T10:15:00Z"),
            ("0000-01-01", "write days (90 or 90d)"),
            ("tomorrow", "not a duration or a date; write days (90 or 90d)"),
            ("", "not a duration or a date; write days (90 or 90d)"),
        ] {
            let error = text.parse::<Lifetime>().expect_err(text).to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
