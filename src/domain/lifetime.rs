//! How long a token lives, as a person writes it: `90`, `90d`, `12h`, `2w`, `2027-01-31`, RFC 3339.
//!
//! Every option that takes a time or a duration goes through here, so that the same bounds hold everywhere: a
//! count never leads out of the calendar, and digits that read as a date or as a Unix time are never a count.

mod hint;

use super::moment::{Moment, Span};
use std::fmt;
use std::str::FromStr;

/// An expiry as it was asked for, before it meets a clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lifetime {
    /// So long after the creation. Zero or negative is kept: it is read, and then refused by policy.
    For(Span),
    /// Until that instant.
    Until(Moment),
    /// Without end (`never`).
    Never,
}

/// The text cannot be read as a time or a duration: what is wrong with it, and what to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LifetimeError(String);

/// The forms that are read.
const FORMS: &str =
    "write days (90 or 90d), hours (12h), weeks (2w), a date (2027-01-31) or an RFC 3339 instant";

/// The most days a number without a unit may count.
const BARE_DAYS: i64 = 36_500;

/// The most days a number with a unit may count; also the upper bound of `atlassian.pats.max.tokens.expiry.days`.
const DAYS: i64 = 365_000;

impl LifetimeError {
    /// The error for a text that has `fault`, with the forms that are read.
    #[must_use]
    pub fn new(fault: &str) -> Self {
        Self(format!("{fault}; {FORMS}"))
    }
}

impl fmt::Display for LifetimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LifetimeError {}

impl FromStr for Lifetime {
    type Err = LifetimeError;

    fn from_str(text: &str) -> Result<Self, LifetimeError> {
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Some(moment) = Moment::from_date(text).or_else(|| Moment::from_rfc3339(text)) {
            return Ok(Self::Until(moment));
        }
        duration(text).map(Self::For)
    }
}

impl Lifetime {
    /// The instant it ends when it begins at `created`: `None` for never. Beyond the year 9999 it
    /// stops at the calendar's end, which every maximum refuses.
    #[must_use]
    pub fn ends(self, created: Moment) -> Option<Moment> {
        match self {
            Self::For(span) => Some(created.saturating_plus(span)),
            Self::Until(moment) => Some(moment),
            Self::Never => None,
        }
    }
}

/// Reads a duration: digits, then nothing (days), `d`, `h` or `w`.
///
/// # Errors
/// [`LifetimeError`] when it cannot be read, counts more than 365,000 days, or has no unit and more than 36,500.
pub fn duration(text: &str) -> Result<Span, LifetimeError> {
    read(text).ok_or_else(|| LifetimeError(hint::for_text(text)))
}

fn read(text: &str) -> Option<Span> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = rest.split_at(digits);
    let count = number.parse::<i64>().ok()?;
    let (span, most) = match unit {
        "" if hint::reads_as_date(number) => return None,
        "" => (Span::days(sign * count), BARE_DAYS),
        "d" => (Span::days(sign * count), DAYS),
        "h" => (Span::hours(sign * count), DAYS.checked_mul(24)?),
        "w" => (Span::days(sign * count.checked_mul(7)?), DAYS / 7),
        _ => return None,
    };
    (count <= most).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Lifetime, LifetimeError> {
        text.parse()
    }

    #[test]
    fn durations_and_dates_are_read_and_junk_is_not() {
        assert_eq!(read("90"), Ok(Lifetime::For(Span::days(90))));
        assert_eq!(read("90d"), Ok(Lifetime::For(Span::days(90))));
        assert_eq!(read("12h"), Ok(Lifetime::For(Span::hours(12))));
        assert_eq!(read("2w"), Ok(Lifetime::For(Span::days(14))));
        assert_eq!(read("never"), Ok(Lifetime::Never));
        assert_eq!(read("0"), Ok(Lifetime::For(Span::ZERO)));
        assert_eq!(read("-3"), Ok(Lifetime::For(Span::days(-3))));
        for junk in ["", "d", "1.5d", "90 d", "2027-02-30", "2027-1-31", "0x5", "9d9", "٩", "+5", "1M", "3y"]
        {
            assert!(read(junk).is_err(), "{junk}");
        }
    }

    #[test]
    fn both_bounds_of_a_duration_are_read_and_one_beyond_is_not() {
        for (most, beyond) in [
            ("36500", "36501"),
            ("-36500", "-36501"),
            ("365000d", "365001d"),
            ("8760000h", "8760001h"),
            ("52142w", "52143w"),
        ] {
            assert!(read(most).is_ok(), "{most}");
            assert!(read(beyond).is_err(), "{beyond}");
        }
        for huge in ["99999999999999999999999d", "9223372036854775807w", "9223372036854775807", "99999999"] {
            assert!(read(huge).is_err(), "{huge}");
        }
    }

    #[test]
    fn digits_that_read_as_a_date_are_never_a_count() {
        for date in
            ["20261225", "00010101", "261225", "202612", "2027", "1999", "1798675200", "1798675200000"]
        {
            for sign in ["", "-"] {
                assert!(read(&format!("{sign}{date}")).is_err(), "{sign}{date}");
            }
        }
        for count in ["7", "90", "0365", "365", "1825", "3650", "36500", "2027d"] {
            assert!(read(count).is_ok(), "{count}");
        }
    }

    proptest! {
        #[test]
        fn no_text_that_is_read_leaves_the_calendar(
            text in "-?[0-9]{0,21}[dhw]?|[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:00:00(Z|[+-][0-2][0-9]:00))?",
        ) {
            let now = Moment::from_date("2026-12-01").expect("a date");
            match read(&text) {
                Ok(Lifetime::For(span)) => {
                    let (later, earlier) = (now.saturating_plus(span), now.saturating_minus(span));
                    prop_assert_eq!((later.since(now), now.since(earlier)), (span, span), "{}", text);
                    let digits = text.trim_start_matches('-').trim_end_matches(['d', 'h', 'w']);
                    prop_assert!(digits.len() < 8 || digits.starts_with('0') || text.ends_with('h'), "{text}");
                }
                Ok(Lifetime::Until(moment)) => {
                    prop_assert!(Moment::from_micros(moment.micros()).is_some() && text.len() >= 10, "{text}");
                }
                Ok(Lifetime::Never) => prop_assert!(false, "{text}"),
                Err(error) => prop_assert!(error.to_string().contains("write "), "{text}: {error}"),
            }
        }

        #[test]
        fn no_date_written_in_digits_is_a_count(days in 0i64..3_652_059, form in 0usize..6) {
            let first = Moment::from_date("0001-01-01").expect("a date");
            let date = first.plus(Span::days(days)).expect("in the calendar");
            let compact = date.compact_date();
            let (year, month, day) = (&compact[..4], &compact[4..6], &compact[6..]);
            let text = match form {
                0 => compact.clone(),
                1 => format!("{day}{month}{year}"),
                2 => format!("{month}{day}{year}"),
                3 => format!("{compact}120000"),
                4 => date.micros().unsigned_abs().to_string(),
                _ => format!("{compact}0815"),
            };
            prop_assert!(text.len() < 8 || read(&text).is_err(), "{text}");
        }
    }
}
