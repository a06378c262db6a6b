//! Instants for people: the moment to the minute, and how far away it is.

use crate::domain::moment::Moment;

/// `2027-02-19 20:23`, UTC.
#[must_use]
pub fn minute(at: Moment) -> String {
    at.to_string()[..16].replace('T', " ")
}

/// `in 12 days`, `3 hours ago`, `now`.
#[must_use]
pub fn distance(at: Moment, now: Moment) -> String {
    let seconds = at.since(now).as_seconds();
    let (count, unit) = match seconds.unsigned_abs() {
        0..60 => return "now".to_owned(),
        s @ 60..3_570 => ((s + 30) / 60, "minute"),
        s @ 3_570..171_000 => ((s + 1_800) / 3_600, "hour"),
        s => ((s + 43_200) / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if seconds > 0 { format!("in {count} {unit}{plural}") } else { format!("{count} {unit}{plural} ago") }
}

/// The day and the distance: `2027-02-19 (in 90 days)`.
#[must_use]
pub fn day(at: Moment, now: Moment) -> String {
    format!("{} ({})", &at.to_string()[..10], distance(at, now))
}

/// Both: `2027-02-19 20:23 UTC (in 90 days)`.
#[must_use]
pub fn both(at: Moment, now: Moment) -> String {
    format!("{} UTC ({})", minute(at), distance(at, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moment::Span;

    #[test]
    fn distances_are_rounded_to_a_unit_people_think_in() {
        let now = Moment::from_date("2026-11-21").expect("a date");
        let at = |span| distance(now.saturating_plus(span), now);
        assert_eq!(at(Span::seconds(59)), "now");
        assert_eq!(at(Span::seconds(-60)), "1 minute ago");
        assert_eq!(at(Span::hours(47)), "in 47 hours");
        assert_eq!(at(Span::seconds(90 * 86_400 - 1)), "in 90 days");
        assert_eq!(at(Span::seconds(3_599)), "in 1 hour");
        assert_eq!(both(now, now), "2026-11-21 00:00 UTC (now)");
    }
}
