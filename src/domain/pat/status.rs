//! The status of a token in lists and filters, and the one rule for when a token expires soon.

use super::{Life, State};
use crate::domain::moment::{Moment, Span};
use std::str::FromStr;

/// A state as it is shown and asked for: without its moment, and with a warning before the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// May be used, and has no successor. As a question it includes those that expire soon.
    Active,
    /// May be used and stops working soon (see [`Life::stops_soon`]). As a question it includes rotating tokens.
    ExpiresSoon,
    /// May be used until its successor replaces it.
    Rotating,
    /// Ended.
    Expired,
    /// Switched off.
    Disabled,
    /// Replaced by a successor.
    Rotated,
    /// Taken back.
    Revoked,
}

/// The shortest notice for a life of at least this length.
pub const SHORTEST_NOTICE: Span = Span::days(3);

/// The expiry is announced in the last of this many equal parts of a life.
pub const NOTICE_PARTS: i64 = 2;

impl Life {
    /// When the token stops working: the earlier of its expiry and the end of its rotation. `None`: never.
    #[must_use]
    pub fn stops_at(&self) -> Option<Moment> {
        match (self.expires_at, self.rotated_at) {
            (Some(expires), Some(rotated)) => Some(expires.min(rotated)),
            (expires, rotated) => expires.or(rotated),
        }
    }

    /// Whether the end lies within `warning` of `now`. This is the one rule for "soon".
    ///
    /// A short life was chosen to be short, so its expiry is not announced in its first half; a life of at least
    /// three days gets three days of notice, though. The end of a rotation is always announced `warning` before it,
    /// because something may still use the old secret.
    #[must_use]
    pub fn stops_soon(&self, now: Moment, warning: Span) -> bool {
        let soon = now.saturating_plus(warning);
        let expires_soon = |at: Moment| at <= soon && at.since(now) <= notice(at.since(self.created_at));
        self.rotated_at.is_some_and(|at| at <= soon) || self.expires_at.is_some_and(expires_soon)
    }

    /// The status at `now`; each token has one. `warning` is how long before its end a token expires soon.
    #[must_use]
    pub fn status(&self, now: Moment, warning: Span) -> Status {
        match self.state(now) {
            State::Active if self.rotated_at.is_some() => Status::Rotating,
            State::Active if self.stops_soon(now, warning) => Status::ExpiresSoon,
            State::Active => Status::Active,
            State::Expired { .. } => Status::Expired,
            State::Disabled { .. } => Status::Disabled,
            State::Rotated { .. } => Status::Rotated,
            State::Revoked { .. } => Status::Revoked,
        }
    }

    /// Whether a filter for `status` chooses the token: a token that is active or rotating may expire soon as well.
    #[must_use]
    pub fn is(&self, status: Status, now: Moment, warning: Span) -> bool {
        match status {
            Status::ExpiresSoon => self.state(now) == State::Active && self.stops_soon(now, warning),
            Status::Active => matches!(self.status(now, warning), Status::Active | Status::ExpiresSoon),
            other => self.status(now, warning) == other,
        }
    }
}

/// How long before its end a life of this length is announced at most.
fn notice(life: Span) -> Span {
    let part = life.part(NOTICE_PARTS);
    if life < SHORTEST_NOTICE { part } else { part.max(SHORTEST_NOTICE) }
}

impl Status {
    /// Every value, in the order of the manual.
    pub const ALL: [Self; 7] = [
        Self::Active,
        Self::ExpiresSoon,
        Self::Rotating,
        Self::Expired,
        Self::Disabled,
        Self::Rotated,
        Self::Revoked,
    ];

    /// The word for it on the command line and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::ExpiresSoon => "expires-soon",
            Self::Rotating => "rotating",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Rotated => "rotated",
            Self::Revoked => "revoked",
        }
    }
}

impl FromStr for Status {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(micros: i64) -> Moment {
        Moment::from_micros(micros).expect("in range")
    }

    fn life() -> Life {
        Life {
            created_at: micros(0),
            expires_at: None,
            revoked_at: None,
            disabled_at: None,
            rotated_at: None,
            last_used_at: None,
        }
    }

    #[test]
    fn a_token_expires_soon_from_the_warning_on() {
        let end = micros(0).saturating_plus(Span::days(20));
        let life = Life { expires_at: Some(end), ..life() };
        let warned = end.saturating_minus(Span::days(5)).micros();
        let status = |now: i64| life.status(micros(now), Span::days(5));
        assert_eq!(
            [status(warned - 1), status(warned), status(warned + 1)],
            [Status::Active, Status::ExpiresSoon, Status::ExpiresSoon]
        );
        assert_eq!(life.status(end, Span::days(5)), Status::Expired);
    }

    #[test]
    fn a_short_life_is_not_warned_of_in_its_first_half() {
        let hours = |n: i64| micros(0).saturating_plus(Span::hours(n));
        // How many hours a token lives, the warning in days, and how many hours before the end it expires soon.
        for (lives, days, before) in [
            (1, 5, 0),
            (12, 5, 6),
            (24, 5, 12),
            (71, 5, 35),
            (72, 5, 72),
            (5 * 24, 5, 72),
            (7 * 24, 7, 84),
            (7 * 24, 14, 84),
            (30 * 24, 14, 336),
            (90 * 24, 5, 120),
            (90 * 24, 1, 24),
        ] {
            let life = Life { expires_at: Some(hours(lives)), ..life() };
            let soon = |before: i64| life.stops_soon(hours(lives - before), Span::days(days));
            assert_eq!([soon(before), soon(before + 1)], [true, false], "{lives} h, {days} d");
        }
    }

    #[test]
    fn a_rotating_token_stops_with_its_grace_and_is_warned_of() {
        let life = Life { rotated_at: Some(micros(10)), expires_at: Some(micros(20)), ..life() };
        assert_eq!(life.stops_at(), Some(micros(10)));
        assert_eq!(life.status(micros(0), Span::days(5)), Status::Rotating);
        assert!(life.is(Status::ExpiresSoon, micros(0), Span::days(5)));
        assert!(!life.is(Status::Active, micros(0), Span::days(5)));
        assert_eq!(Life { rotated_at: Some(micros(30)), ..life }.stops_at(), Some(micros(20)));
    }
}
