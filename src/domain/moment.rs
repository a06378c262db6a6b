//! Instants and distances: the one home of the calendar.
//!
//! A [`Moment`] is UTC with microseconds, between the years 1 and 9999, so that its text has one
//! fixed width and sorts as text exactly as it sorts in time. The database relies on that.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Timelike, Utc};
use std::fmt;
use std::str::FromStr;

/// An instant in UTC, to the microsecond, years 1 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Moment(i64);

/// A distance in time, in microseconds; negative when it points into the past.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span(i64);

/// The text is no instant that can be stored: not RFC 3339, or outside the years 1 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAMoment;

const MICROS: i64 = 1_000_000;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z in microseconds since 1970.
const FIRST: i64 = -62_135_596_800 * MICROS;
const LAST: i64 = 253_402_300_800 * MICROS - 1;

impl Span {
    /// No distance at all.
    pub const ZERO: Self = Self(0);

    /// Whole seconds. Saturates.
    #[must_use]
    pub const fn seconds(n: i64) -> Self {
        Self(n.saturating_mul(MICROS))
    }

    /// Minutes of 60 seconds. Saturates.
    #[must_use]
    pub const fn minutes(n: i64) -> Self {
        Self::seconds(n.saturating_mul(60))
    }

    /// Hours of 60 minutes. Saturates.
    #[must_use]
    pub const fn hours(n: i64) -> Self {
        Self::minutes(n.saturating_mul(60))
    }

    /// Days of 24 hours, as the original counts them. Saturates.
    #[must_use]
    pub const fn days(n: i64) -> Self {
        Self::hours(n.saturating_mul(24))
    }

    /// One of `parts` equal parts, rounded towards zero.
    #[must_use]
    pub const fn part(self, parts: i64) -> Self {
        Self(self.0 / parts)
    }

    /// As microseconds.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The whole seconds in it, rounded towards zero.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0 / MICROS
    }
}

impl Moment {
    /// The last there is.
    pub const MAX: Self = Self(LAST);

    /// The instant `micros` microseconds after 1970-01-01T00:00:00Z, if it lies in the years 1 to 9999.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        (FIRST..=LAST).contains(&micros).then_some(Self(micros))
    }

    /// The instant a clock shows, in microseconds since 1970; what lies outside the calendar is its
    /// nearer end. A clock beyond the year 9999 then finds everything expired, and gives no yes.
    #[must_use]
    pub fn clamped(micros: i128) -> Self {
        Self(i64::try_from(micros).unwrap_or(if micros < 0 { FIRST } else { LAST }).clamp(FIRST, LAST))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Midnight UTC of a date written `2027-01-31`.
    #[must_use]
    pub fn from_date(text: &str) -> Option<Self> {
        let b = text.as_bytes();
        if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
            return None;
        }
        let date =
            NaiveDate::from_ymd_opt(number(&b[..4])?.cast_signed(), number(&b[5..7])?, number(&b[8..])?)?;
        Self::from_micros(date.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
    }

    /// Any RFC 3339 instant, with whatever offset it carries.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let parsed = DateTime::parse_from_rfc3339(text).ok()?;
        Self::from_micros(parsed.timestamp_micros())
    }

    /// The instant `span` later, or `None` outside the years 1 to 9999.
    #[must_use]
    pub fn plus(self, span: Span) -> Option<Self> {
        self.0.checked_add(span.0).and_then(Self::from_micros)
    }

    /// The instant `span` later, stopping at the ends of the calendar.
    #[must_use]
    pub fn saturating_plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0).clamp(FIRST, LAST))
    }

    /// The instant `span` earlier, stopping at the ends of the calendar.
    #[must_use]
    pub fn saturating_minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0).clamp(FIRST, LAST))
    }

    /// How far this lies behind `earlier`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// `20261121`: the date as part of a name.
    #[must_use]
    pub fn compact_date(self) -> String {
        let text = self.to_string();
        [&text[..4], &text[5..7], &text[8..10]].concat()
    }

    fn calendar(self) -> DateTime<Utc> {
        // In range by construction; the fallback keeps this total without a panic path.
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// The text of a [`Moment`]: `2026-11-21T20:23:11.000000Z`, always 27 bytes.
#[derive(Clone, Copy, Debug)]
pub struct MomentText([u8; 27]);

impl MomentText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // ASCII by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl Moment {
    /// The text, without the machinery of formatting: a million rows pass through here.
    #[must_use]
    pub fn text(self) -> MomentText {
        // Without a zone: one is added again for every part.
        let t = self.calendar().naive_utc();
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        for (at, width, value) in [
            (0, 4, t.year().unsigned_abs()),
            (5, 2, t.month()),
            (8, 2, t.day()),
            (11, 2, t.hour()),
            (14, 2, t.minute()),
            (17, 2, t.second()),
            (20, 6, t.nanosecond() / 1000),
        ] {
            put(&mut text[at..at + width], value);
        }
        MomentText(text)
    }
}

/// Reads the stored form, and any other RFC 3339 spelling.
impl FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        stored(text.as_bytes()).or_else(|| Self::from_rfc3339(text)).ok_or(NotAMoment)
    }
}

/// The fast way for the fixed width that [`Moment`] prints: a million rows pass through here.
fn stored(b: &[u8]) -> Option<Moment> {
    let shape = b.len() == 27
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (26, b'Z')]
            .iter()
            .all(|&(at, c)| b[at] == c);
    if !shape {
        return None;
    }
    let date =
        NaiveDate::from_ymd_opt(number(&b[..4])?.cast_signed(), number(&b[5..7])?, number(&b[8..10])?)?;
    let time = date.and_hms_micro_opt(
        number(&b[11..13])?,
        number(&b[14..16])?,
        number(&b[17..19])?,
        number(&b[20..26])?,
    )?;
    Moment::from_micros(time.and_utc().timestamp_micros())
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |n, d| d.is_ascii_digit().then(|| n * 10 + u32::from(d - b'0')))
}

fn put(digits: &mut [u8], mut value: u32) {
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_printed_reads_back_and_sorts_as_it_is_dated(a in FIRST..=LAST, b in FIRST..=LAST) {
            let (a, b) = (Moment(a), Moment(b));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.to_string().len(), 27);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn the_fast_reader_agrees_with_the_calendar_library(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{6}Z") {
            if let Some(fast) = stored(text.as_bytes()) {
                prop_assert_eq!(Some(fast), Moment::from_rfc3339(&text));
            }
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_what_they_say() {
        assert_eq!(Moment(FIRST).to_string(), "0001-01-01T00:00:00.000000Z");
        assert_eq!(Moment(LAST).to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Moment(LAST).plus(Span::seconds(1)), None);
    }

    #[test]
    fn a_clock_outside_the_calendar_shows_its_nearer_end() {
        assert_eq!(Moment::clamped(-1), Moment(-1));
        assert_eq!(Moment::clamped(i128::MIN), Moment(FIRST));
        assert_eq!(Moment::clamped(i128::from(u64::MAX) * 1_000_000), Moment(LAST));
    }

    #[test]
    fn an_offset_is_turned_into_utc() {
        let m = Moment::from_rfc3339("2027-01-31T01:00:00+02:00");
        assert_eq!(m.map(|m| m.to_string()).as_deref(), Some("2027-01-30T23:00:00.000000Z"));
    }

    #[test]
    fn spans_are_as_long_as_they_say() {
        let spans = [Span::seconds(1), Span::minutes(1), Span::hours(1), Span::days(1), Span::days(-2)];
        assert_eq!(spans.map(Span::as_seconds), [1, 60, 3600, 86_400, -172_800]);
        assert_eq!((Span(1_999_999).as_seconds(), Span(-1_999_999).as_seconds()), (1, -1));
        let (day, at) = (Span::days(1), Moment(5));
        assert_eq!(at.plus(day).map(Moment::micros), Some(86_400_000_005));
        assert_eq!((at.saturating_plus(day).since(at), at.since(at.saturating_minus(day))), (day, day));
    }

    #[test]
    fn a_text_of_the_right_length_and_another_shape_is_no_moment() {
        let text = "2026-11-21T20:23:11.000000Z";
        assert_eq!(text.parse::<Moment>().map(|moment| moment.to_string()).as_deref(), Ok(text));
        for at in 0..text.len() {
            let mut changed = text.to_owned();
            changed.replace_range(at..=at, "x");
            assert_eq!(changed.parse::<Moment>(), Err(NotAMoment), "{changed}");
        }
        for other in ["", "2026", "2026x11x21x20x23x11x000000x"] {
            assert_eq!(other.parse::<Moment>(), Err(NotAMoment), "{other}");
        }
        let date = "2026-11-21";
        assert_eq!(Moment::from_date(date).map(Moment::compact_date).as_deref(), Some("20261121"));
        for at in 0..date.len() {
            let mut changed = date.to_owned();
            changed.replace_range(at..=at, "x");
            assert_eq!(Moment::from_date(&changed), None, "{changed}");
        }
    }
}
