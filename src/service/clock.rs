//! By which time an expiry is judged: the one rule for whoever decides about a token, and whoever shows it.

use crate::domain::moment::{Moment, Span};
use crate::store::Read;
use crate::store::contract::Result;

/// How far the clock may fall behind the audit log.
pub const BACK: Span = Span::minutes(5);

/// What the clock says, and the greatest time of the audit log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// The clock of this machine.
    pub clock: Moment,
    /// The greatest time of any row of the log, as far as it is believed.
    pub mark: Moment,
}

impl Reading {
    /// Reads the mark beside what the clock says.
    ///
    /// # Errors
    /// What the database gave.
    pub fn of(db: &(impl Read + ?Sized), clock: Moment) -> Result<Self> {
        Ok(Self { clock, mark: db.mark()? })
    }

    /// The time that an expiry is judged by: a clock that went back brings nothing back to life.
    #[must_use]
    pub fn later(self) -> Moment {
        self.clock.max(self.mark)
    }

    /// The time by which a token is told to be of no use to anybody: where nothing is decided, it may be.
    #[must_use]
    pub fn surely(self) -> Moment {
        if self.is_apart() { self.clock } else { self.later() }
    }

    /// Whether the clock is so far behind the log that nothing is decided about a token they disagree about.
    #[must_use]
    pub fn is_apart(self) -> bool {
        self.mark > self.clock.saturating_plus(BACK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_decides_and_more_than_five_minutes_are_apart() {
        let at = |minutes: i64| Moment::clamped(0).saturating_plus(Span::minutes(minutes));
        for (mark, later, apart) in [(-600, 0, false), (0, 0, false), (5, 5, false), (6, 6, true)] {
            let reading = Reading { clock: at(0), mark: at(mark) };
            assert_eq!((reading.later(), reading.is_apart()), (at(later), apart), "{mark}");
            assert_eq!(reading.surely(), at(if apart { 0 } else { later }), "{mark}");
        }
    }
}
