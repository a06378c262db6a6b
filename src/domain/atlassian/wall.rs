//! Times as the table has them: without a zone, as the clocks of the server showed them.

use crate::domain::moment::{Moment, MomentText};
use crate::domain::schedule::{Shown, Zone};
use std::fmt;
use std::str::FromStr;

const MICROS: i64 = 1_000_000;
/// From here on an end is none: never is 9999-12-31 00:00:00, shifted by the zone of whoever wrote it.
const NEVER: i64 = 253_402_128_000 * MICROS;
/// How never is written.
pub const NEVER_TEXT: &str = "9999-12-31 00:00:00";

/// A time on a clock: `2024-07-02 23:19:52.079`, with up to nine digits behind the point, of which six are kept:
/// SQL Server writes seven and Oracle nine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wall(i64);

/// The text is no such time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotATime;

impl Wall {
    /// Whether this, as an end, means never.
    #[must_use]
    pub fn is_never(self) -> bool {
        self.0 >= NEVER
    }

    /// The instant at which the clocks of a zone showed this, and how often they did; `None` where that
    /// lies outside the years 1 to 9999.
    #[must_use]
    pub fn instant(self, zone: &Zone) -> Option<(Moment, Shown)> {
        let (second, shown) = zone.instant(self.0.div_euclid(MICROS))?;
        let moment = Moment::from_micros(second.micros() + self.0.rem_euclid(MICROS))?;
        Some((moment, shown))
    }

    /// What the clocks of a zone show at an instant.
    #[must_use]
    pub fn of(at: Moment, zone: &Zone) -> Self {
        Self(zone.wall(at) * MICROS + at.micros().rem_euclid(MICROS))
    }
}

impl FromStr for Wall {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let (seconds, fraction) = match text.split_once('.') {
            Some((seconds, fraction)) => (seconds, fraction),
            None => (text, "0"),
        };
        let shaped = seconds.len() == 19
            && matches!(seconds.as_bytes()[10], b' ' | b'T')
            && (1..=9).contains(&fraction.len())
            && fraction.bytes().all(|b| b.is_ascii_digit());
        if !shaped {
            return Err(NotATime);
        }
        // The form in which instants are kept, which is read fast; six digits behind the point.
        let mut stored = *b"0000-00-00T00:00:00.000000Z";
        stored[..19].copy_from_slice(seconds.as_bytes());
        stored[10] = b'T';
        let kept = fraction.len().min(6);
        stored[20..20 + kept].copy_from_slice(&fraction.as_bytes()[..kept]);
        // The calendar knows leap seconds, and moves them; none was ever written here.
        let is_leap = stored[17] == b'6';
        let stored = std::str::from_utf8(&stored).ok().filter(|_| !is_leap).ok_or(NotATime)?;
        stored.parse().map(|moment: Moment| Self(moment.micros())).map_err(|_| NotATime)
    }
}

/// As `PostgreSQL` writes it: no zeros at the end of the fraction.
impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: MomentText = Moment::clamped(i128::from(self.0)).text();
        let text = text.as_str();
        let fraction = text[19..26].trim_end_matches('0').trim_end_matches('.');
        write!(f, "{} {}{fraction}", &text[..10], &text[11..19])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<String> {
        text.parse::<Wall>().ok().map(|wall| wall.to_string())
    }

    #[test]
    fn a_time_has_a_date_a_time_and_up_to_nine_digits_behind() {
        for (text, written) in [
            ("2024-07-02 23:19:52.079", "2024-07-02 23:19:52.079"),
            ("2024-07-03 17:44:39.117857", "2024-07-03 17:44:39.117857"),
            ("2024-07-03T17:44:39.100000", "2024-07-03 17:44:39.1"),
            ("2024-07-02 23:19:52.0790000", "2024-07-02 23:19:52.079"),
            ("2024-07-02 23:19:52.123456999", "2024-07-02 23:19:52.123456"),
            ("2024-02-29 00:00:00", "2024-02-29 00:00:00"),
            ("0001-01-01 00:00:00.0", "0001-01-01 00:00:00"),
            (NEVER_TEXT, NEVER_TEXT),
        ] {
            assert_eq!(read(text).as_deref(), Some(written), "{text}");
        }
        for text in [
            "",
            "2024-07-02",
            "2024-02-30 00:00:00",
            "2023-02-29 00:00:00",
            "2024-13-01 00:00:00",
            "2024-07-02 24:00:00",
            "2024-07-02 23:59:60",
            "2024-07-02 23:19:52.",
            "2024-07-02 23:19:52.1234567890",
            "2024-07-02 23:19:52,079",
            "2024-07-02 23:19:52+02",
            "2024-07-02 23:19:52Z",
            "+024-07-02 23:19:52",
            "10000-01-01 00:00:00",
            "0000-01-01 00:00:00",
            "infinity",
            "02-JUL-24 11.19.52",
            "2024-07-02é23:19:5",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn never_begins_two_days_before_the_end_of_the_calendar() {
        let never = |text: &str| text.parse::<Wall>().expect("a time").is_never();
        assert!(never("9999-12-30 00:00:00") && never(NEVER_TEXT));
        assert!(!never("9999-12-29 23:59:59.999999"));
    }

    proptest! {
        #[test]
        fn in_utc_a_time_is_its_instant(micros in -62_135_596_800_000_000..253_402_300_799_999_999i64) {
            let at = Moment::from_micros(micros).expect("in range");
            let wall = Wall::of(at, &Zone::utc());
            prop_assert_eq!(wall.instant(&Zone::utc()), Some((at, Shown::Once)));
            prop_assert_eq!(wall.to_string().parse(), Ok(wall));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[-0-9 :.T+é]{0,32}") {
            let _ = text.parse::<Wall>();
        }
    }
}
