//! A PAT as it is kept, and its state at a moment.

mod status;

pub use status::{NOTICE_PARTS, SHORTEST_NOTICE, Status};

use super::moment::{Moment, Span};
use super::presented::Scheme;
use super::token::TokenId;
use std::str::FromStr;

/// Which ways to present a token are accepted: by the installation, and by the token itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AuthMethods {
    /// Bearer only.
    Bearer,
    /// Basic only.
    Basic,
    /// Either.
    #[default]
    Both,
}

impl AuthMethods {
    /// Every value, in the order of the manual.
    pub const ALL: [Self; 3] = [Self::Both, Self::Bearer, Self::Basic];

    /// The word for it in flags, JSON and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Basic => "basic",
            Self::Both => "both",
        }
    }

    /// Whether a token that came this way is accepted.
    #[must_use]
    pub fn allow(self, scheme: &Scheme) -> bool {
        match scheme {
            Scheme::Bearer => self != Self::Basic,
            Scheme::Basic { .. } => self != Self::Bearer,
        }
    }
}

impl FromStr for AuthMethods {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|m| m.as_str() == text).ok_or(())
    }
}

/// The moments that decide what state a token is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Life {
    /// When it was made.
    pub created_at: Moment,
    /// When it ends; `None` is never.
    pub expires_at: Option<Moment>,
    /// When it was taken back.
    pub revoked_at: Option<Moment>,
    /// When it was switched off.
    pub disabled_at: Option<Moment>,
    /// From when a successor takes its place; until then both may be used.
    pub rotated_at: Option<Moment>,
    /// When it last gave a yes, to the precision of `last.used.update.interval.mins`.
    pub last_used_at: Option<Moment>,
}

/// The state of a token, with its moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It may be used.
    Active,
    /// It ended.
    Expired {
        /// The moment it ended.
        at: Moment,
    },
    /// It is switched off for now.
    Disabled {
        /// Since when.
        at: Moment,
    },
    /// A successor has taken its place.
    Rotated {
        /// Since when.
        at: Moment,
    },
    /// It was taken back for good.
    Revoked {
        /// The moment it was taken back.
        at: Moment,
    },
}

impl Life {
    /// The state at `now`. A token is expired when `now >= expires_at`: the one rule, everywhere.
    #[must_use]
    pub fn state(&self, now: Moment) -> State {
        if let Some(at) = self.revoked_at {
            return State::Revoked { at };
        }
        if let Some(at) = self.disabled_at {
            return State::Disabled { at };
        }
        match (self.rotated_at, self.expires_at) {
            (Some(at), _) if now >= at => State::Rotated { at },
            (_, Some(at)) if now >= at => State::Expired { at },
            _ => State::Active,
        }
    }

    /// Whether a use at `now` is to be noted: not, where one was less than `interval` before.
    #[must_use]
    pub fn is_use_to_be_noted(&self, now: Moment, interval: Span) -> bool {
        // A use dated in the future (a clock that was wrong once) must not stop the noting for ever.
        self.last_used_at.is_none_or(|last| last <= now.saturating_minus(interval) || last > now)
    }
}

/// Which mails about the end of a token were sent: the states of the original.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Notified {
    /// None.
    #[default]
    NotSent,
    /// That it expires soon.
    ExpireSoonSent,
    /// That it has expired.
    ExpiredSent,
}

impl Notified {
    /// Every value, in their order.
    pub const ALL: [Self; 3] = [Self::NotSent, Self::ExpireSoonSent, Self::ExpiredSent];

    /// The word for it in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not-sent",
            Self::ExpireSoonSent => "expire-soon-sent",
            Self::ExpiredSent => "expired-sent",
        }
    }
}

impl FromStr for Notified {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|n| n.as_str() == text).ok_or(())
    }
}

/// What is said in the place of a status where a row is not what patctl wrote.
pub const DAMAGED: &str = "damaged";

/// Everything about a token but its verifier. What is shown, filtered and decided on.
#[expect(clippy::struct_excessive_bools, reason = "each is a column of its own")]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pat {
    /// The public name.
    pub id: TokenId,
    /// What its holder calls it.
    pub name: String,
    /// Whose it is; `None` is anybody's (`--any-user`).
    pub user: Option<String>,
    /// Also accepted as the user name of Basic.
    pub email: Option<String>,
    /// How it may be presented.
    pub auth: AuthMethods,
    /// Its moments.
    pub life: Life,
    /// Why it was revoked.
    pub revoke_reason: Option<String>,
    /// Whether restrictions apply. Restricted without a line denies everything.
    pub restricted: bool,
    /// Whether it was made in secure mode: shown once, never edited, never recoverable.
    pub secure: bool,
    /// A remark for people.
    pub note: Option<String>,
    /// Where mails about it go.
    pub notify_to: Option<String>,
    /// The token that takes its place.
    pub successor: Option<TokenId>,
    /// The token whose place it takes.
    pub predecessor: Option<TokenId>,
    /// Whether its first use ends the predecessor.
    pub ends_predecessor: bool,
    /// When its right secret was last presented although a successor had taken its place.
    pub reused_at: Option<Moment>,
    /// Which mails about its end were sent.
    pub notified: Notified,
    /// Grows with every change to the token or its restrictions; a use is no change.
    pub version: i64,
    /// Whether its row is known not to be what patctl wrote.
    pub damaged: bool,
    /// Who issued it; `None`: it was imported, or is older than this column.
    pub issued_by: Option<String>,
    /// From where it was used when its last use was noted.
    pub last_used_from: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moment::Span;

    fn micros(micros: i64) -> Moment {
        Moment::from_micros(micros).expect("in range")
    }

    /// A life without an end, made at 0.
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
    fn a_token_is_expired_from_the_very_instant_it_ends() {
        let (end, just_before) = (micros(1_000_000), micros(999_999));
        let life = Life { expires_at: Some(end), ..life() };
        assert_eq!(life.state(just_before), State::Active);
        assert_eq!(life.state(end), State::Expired { at: end });
        let revoked = Life { revoked_at: Some(just_before), ..life };
        assert_eq!(revoked.state(end), State::Revoked { at: just_before });
    }

    #[test]
    fn a_use_is_noted_once_in_an_interval_and_after_a_clock_that_was_ahead() {
        let noted = |last: Option<i64>| {
            let life = Life { last_used_at: last.map(micros), ..life() };
            life.is_use_to_be_noted(micros(60_000_000), Span::seconds(30))
        };
        assert_eq!(
            [None, Some(29_999_999), Some(30_000_000), Some(30_000_001), Some(60_000_000), Some(60_000_001)]
                .map(noted),
            [true, true, true, false, false, true],
        );
    }

    /// Revoked or switched off it is at once, whatever the moment says; the rest from its moment on.
    #[test]
    fn what_is_final_is_told_before_what_is_not() {
        let (now, later) = (micros(10), micros(11));
        let all = Life {
            revoked_at: Some(later),
            disabled_at: Some(later),
            rotated_at: Some(now),
            expires_at: Some(now),
            ..life()
        };
        let enabled = Life { revoked_at: None, disabled_at: None, ..all };
        for (life, state) in [
            (all, State::Revoked { at: later }),
            (Life { revoked_at: None, ..all }, State::Disabled { at: later }),
            (enabled, State::Rotated { at: now }),
            (Life { rotated_at: Some(later), ..enabled }, State::Expired { at: now }),
            (Life { rotated_at: Some(later), expires_at: Some(later), ..enabled }, State::Active),
            (life(), State::Active),
        ] {
            assert_eq!(life.state(now), state, "{life:?}");
            let status = match state {
                State::Active if life.rotated_at.is_some() => Status::Rotating,
                State::Active => Status::Active,
                State::Expired { .. } => Status::Expired,
                State::Disabled { .. } => Status::Disabled,
                State::Rotated { .. } => Status::Rotated,
                State::Revoked { .. } => Status::Revoked,
            };
            assert_eq!(life.status(now, Span::days(1)), status, "{life:?}");
        }
    }

    #[test]
    fn a_method_allows_its_own_way_and_both_allow_either() {
        let basic = Scheme::Basic { user: "alice".to_owned() };
        for (methods, bearer_may, basic_may) in [
            (AuthMethods::Bearer, true, false),
            (AuthMethods::Basic, false, true),
            (AuthMethods::Both, true, true),
        ] {
            assert_eq!((methods.allow(&Scheme::Bearer), methods.allow(&basic)), (bearer_may, basic_may));
        }
    }

    /// They stand in databases, scripts and configurations.
    #[test]
    fn the_words_are_what_they_always_were() {
        assert_eq!(AuthMethods::ALL.map(AuthMethods::as_str), ["both", "bearer", "basic"]);
        assert_eq!(
            Status::ALL.map(Status::as_str),
            ["active", "expires-soon", "rotating", "expired", "disabled", "rotated", "revoked"]
        );
        assert_eq!(Notified::ALL.map(Notified::as_str), ["not-sent", "expire-soon-sent", "expired-sent"]);
        assert!(AuthMethods::ALL.into_iter().all(|word| word.as_str().parse() == Ok(word)));
        assert!(Status::ALL.into_iter().all(|word| word.as_str().parse() == Ok(word)));
        assert!(Notified::ALL.into_iter().all(|word| word.as_str().parse() == Ok(word)));
        assert_eq!(("Both".parse::<AuthMethods>(), "".parse::<Status>()), (Err(()), Err(())));
    }
}
