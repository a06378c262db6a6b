//! How long a token lives, as a person writes it: `90`, `90d`, `12h`, `2w`, `2027-01-31`, RFC 3339.

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

/// The text cannot be read as a lifetime, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LifetimeError {
    /// `1M`, `3y`, `5m`: months and years have no fixed length, `m` may be minutes or months.
    Ambiguous,
    /// Anything else.
    Unreadable,
}

impl fmt::Display for LifetimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ambiguous => "months, years and 'm' have no fixed length",
            Self::Unreadable => "not a duration or a date",
        })?;
        f.write_str(
            "; write days (90 or 90d), hours (12h), weeks (2w), a date (2027-01-31) or an RFC 3339 instant",
        )
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

/// A duration: digits, then nothing (days), `d`, `h` or `w`.
///
/// # Errors
/// [`LifetimeError`] when it cannot be read; a number too large to count saturates instead.
pub fn duration(text: &str) -> Result<Span, LifetimeError> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = rest.split_at(digits);
    if number.is_empty() {
        return Err(LifetimeError::Unreadable);
    }
    let magnitude = number.parse::<i64>().unwrap_or(i64::MAX);
    let count = if negative { -magnitude } else { magnitude };
    match unit {
        "" | "d" => Ok(Span::days(count)),
        "h" => Ok(Span::hours(count)),
        "w" => Ok(Span::days(count.saturating_mul(7))),
        "m" | "M" | "y" | "Y" | "mo" => Err(LifetimeError::Ambiguous),
        _ => Err(LifetimeError::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_dates_are_read_and_the_ambiguous_is_not() {
        let read = |t: &str| t.parse::<Lifetime>();
        assert_eq!(read("90"), Ok(Lifetime::For(Span::days(90))));
        assert_eq!(read("90d"), Ok(Lifetime::For(Span::days(90))));
        assert_eq!(read("12h"), Ok(Lifetime::For(Span::hours(12))));
        assert_eq!(read("2w"), Ok(Lifetime::For(Span::days(14))));
        assert_eq!(read("never"), Ok(Lifetime::Never));
        assert_eq!(read("0"), Ok(Lifetime::For(Span::ZERO)));
        assert_eq!(read("-3"), Ok(Lifetime::For(Span::days(-3))));
        for ambiguous in ["1M", "3y", "5m"] {
            assert_eq!(read(ambiguous), Err(LifetimeError::Ambiguous), "{ambiguous}");
        }
        assert!(LifetimeError::Ambiguous.to_string().contains("no fixed length; write days (90 or 90d)"));
        for junk in ["", "d", "1.5d", "90 d", "2027-02-30", "2027-1-31", "0x5", "9d9", "٩", "+5"] {
            assert_eq!(read(junk), Err(LifetimeError::Unreadable), "{junk}");
        }
    }

    #[test]
    fn a_number_too_large_to_count_is_read_as_very_long() {
        let now = Moment::from_micros(0).expect("1970 is in range");
        for huge in ["99999999999999999999999d", "9223372036854775807w"] {
            let life: Lifetime = huge.parse().expect("read, to be refused by policy");
            assert!(life.ends(now) > now.plus(Span::days(365_000)), "{huge}");
        }
    }
}
