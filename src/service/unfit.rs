//! What a token must be to be changed: the reasons against it, shared by every change.

use super::Act;
use super::clock::Reading;
use crate::domain::moment::Moment;
use crate::domain::pat::{Pat, State};
use crate::domain::token::TokenId;

/// Why a token is not changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// It was taken back.
    Revoked,
    /// It is switched off.
    Disabled,
    /// It ended.
    Expired {
        /// When.
        at: Moment,
    },
    /// Its successor has taken its place.
    Rotated {
        /// Who.
        successor: Option<TokenId>,
    },
    /// It has a successor, which is about to take its place.
    Leaving {
        /// Who.
        successor: Option<TokenId>,
        /// When, at the latest.
        until: Moment,
    },
    /// It has a predecessor that still works, and would leave one itself: a third token for one.
    Arriving {
        /// Who.
        predecessor: TokenId,
        /// Until when, at the latest.
        until: Moment,
    },
    /// It has ended by the clock or by the audit log, not by both, and they are far apart.
    Doubtful(Reading),
    /// Today's limits end it (`patctl.policy.apply.to.existing`).
    Outlived,
    /// It was made in secure mode.
    Secure,
    /// It was not rotated, so there is nothing to undo.
    NotRotated,
    /// Its successor was rotated in turn.
    SuccessorRotated {
        /// Who.
        successor: TokenId,
    },
}

impl Unfit {
    /// Why a token that is not live cannot be rotated; `None` for one that is.
    #[must_use]
    pub fn to_rotate(act: &Act<'_>, pat: &Pat, now: Moment) -> Option<Self> {
        if let Some(why) = Self::to_use(pat, now) {
            return Some(why);
        }
        if let Some(until) = pat.life.rotated_at {
            return Some(Self::Leaving { successor: pat.successor, until });
        }
        act.policy.outlived(pat.life.created_at, pat.life.expires_at, now).then_some(Self::Outlived)
    }

    /// Why a token cannot be used; `None` for one that can.
    #[must_use]
    pub fn to_use(pat: &Pat, now: Moment) -> Option<Self> {
        match pat.life.state(now) {
            State::Active => None,
            State::Revoked { .. } => Some(Self::Revoked),
            State::Disabled { .. } => Some(Self::Disabled),
            State::Rotated { .. } => Some(Self::Rotated { successor: pat.successor }),
            State::Expired { at } => Some(Self::Expired { at }),
        }
    }

    /// What `ask` says by the later of the clock and the log: a clock that went back brings nothing back to life.
    /// Where the two are far apart and disagree, nothing is changed.
    #[must_use]
    pub fn by(reading: Reading, ask: impl Fn(Moment) -> Option<Self>) -> Option<Self> {
        let by_log = ask(reading.later());
        if reading.is_apart() && by_log.is_some() && ask(reading.clock).is_none() {
            return Some(Self::Doubtful(reading));
        }
        by_log
    }

    /// Why a token cannot be edited; `None` for one that can.
    #[must_use]
    pub fn to_edit(pat: &Pat, now: Moment) -> Option<Self> {
        if pat.secure {
            Some(Self::Secure)
        } else if pat.life.revoked_at.is_some() {
            Some(Self::Revoked)
        } else if pat.life.rotated_at.is_some_and(|at| now >= at) {
            Some(Self::Rotated { successor: pat.successor })
        } else {
            None
        }
    }
}
