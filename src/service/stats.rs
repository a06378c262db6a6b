//! How many tokens there are in which state, when they end, who holds them, and how much they are used.
//! Only counts and the first of each list are kept: a million tokens need no more memory than a thousand.

use crate::domain::moment::{Moment, Span};
use crate::domain::pat::{Life, Status};
use crate::domain::token::TokenId;
use crate::store::Store;
use crate::store::contract::Result;
use crate::store::survey::{Caller, Choice, Surveyor};

/// How long ago a token was last used: each of these, then longer ago, then never.
pub const AGES: [Span; 4] = [Span::days(1), Span::days(7), Span::days(30), Span::days(90)];

/// When tokens end, as seen from now; each token of the choice counts in one field.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ends {
    /// Within the first week, the second … its last instant included, as in every warning.
    pub weeks: Vec<u64>,
    /// After the last of these weeks.
    pub later: u64,
    /// Never.
    pub never: u64,
    /// May not be used any more, or not now.
    pub ended: u64,
}

/// Who holds tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The user; `None`: tokens that are anybody's.
    pub user: Option<String>,
    /// How many.
    pub tokens: u64,
}

/// A token and how often it was presented.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Called {
    /// The token.
    pub id: TokenId,
    /// What its holder calls it.
    pub name: String,
    /// Whose it is; `None` is anybody's.
    pub user: Option<String>,
    /// How often the answer was yes.
    pub allowed: u64,
    /// How often it was no.
    pub denied: u64,
}

/// The counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// How many tokens the filter chose.
    pub total: u64,
    /// In the order of [`Status::ALL`]; each token counts once, so the first are those that do not
    /// expire soon.
    pub by_status: [u64; Status::ALL.len()],
    /// How many of them have restrictions.
    pub restricted: u64,
    /// When they end.
    pub ends: Ends,
    /// When they were last used: within each of [`AGES`] and not within the one before, then longer ago.
    pub used: [u64; AGES.len() + 1],
    /// How many were never used.
    pub unused: u64,
    /// How many users hold them; what is anybody's is one.
    pub users: u64,
    /// Those who hold most of them.
    pub holders: Vec<Holder>,
    /// How many of them were presented.
    pub called: u64,
    /// How often the answer was yes.
    pub allowed: u64,
    /// How often it was no.
    pub denied: u64,
    /// Those that were presented most.
    pub callers: Vec<Called>,
    /// Since when calls are counted: the beginning of the audit log. `None`: it is empty.
    pub since: Option<Moment>,
}

/// How much is told.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How many weeks ahead.
    pub weeks: u32,
    /// How many users and how many tokens are named.
    pub top: usize,
}

/// Counts the tokens of a choice.
///
/// # Errors
/// What the database gave.
pub fn stats(store: &dyn Store, choice: &Choice<'_>, extent: Extent) -> Result<Stats> {
    let weeks = vec![0; extent.weeks as usize];
    let stats = Stats { ends: Ends { weeks, ..Ends::default() }, ..Stats::default() };
    let mut count = Count { now: choice.now, warning: choice.expiry_warning, top: extent.top, stats };
    let since = store.survey(choice, &mut count)?;
    Ok(Stats { since, ..count.stats })
}

struct Count {
    now: Moment,
    warning: Span,
    top: usize,
    stats: Stats,
}

impl Count {
    /// The field of [`Ends`] that a token belongs to.
    fn end(&mut self, life: &Life, status: Status) -> &mut u64 {
        let ends = &mut self.stats.ends;
        if !matches!(status, Status::Active | Status::ExpiresSoon | Status::Rotating) {
            return &mut ends.ended;
        }
        let Some(at) = life.stops_at() else { return &mut ends.never };
        // What may be used ends after now, so the distance is positive; a whole week belongs to its end.
        let micros = at.micros().saturating_sub(self.now.micros()).saturating_sub(1);
        let week = usize::try_from(micros / (7 * 86_400 * 1_000_000)).unwrap_or(0);
        ends.weeks.get_mut(week).unwrap_or(&mut ends.later)
    }
}

impl Surveyor for Count {
    fn token(&mut self, life: &Life, restricted: bool) {
        let status = life.status(self.now, self.warning);
        let place = Status::ALL.iter().position(|s| *s == status).unwrap_or(0);
        self.stats.total += 1;
        self.stats.by_status[place] += 1;
        self.stats.restricted += u64::from(restricted);
        *self.end(life, status) += 1;
        match life.last_used_at {
            None => self.stats.unused += 1,
            Some(at) => {
                let age = self.now.since(at);
                let place = AGES.iter().position(|limit| age <= *limit).unwrap_or(AGES.len());
                self.stats.used[place] += 1;
            }
        }
    }

    fn holder(&mut self, user: Option<&str>, tokens: u64) {
        self.stats.users += 1;
        let make = || Holder { user: user.map(str::to_owned), tokens };
        keep(&mut self.stats.holders, self.top, |held| held.tokens, tokens, make);
    }

    fn caller(&mut self, caller: &Caller<'_>) {
        let &Caller { id, name, user, allowed, denied } = caller;
        self.stats.called += 1;
        self.stats.allowed += allowed;
        self.stats.denied += denied;
        let make = || Called { id, name: name.to_owned(), user: user.map(str::to_owned), allowed, denied };
        keep(&mut self.stats.callers, self.top, |kept| kept.allowed + kept.denied, allowed + denied, make);
    }
}

/// Keeps the `top` largest in falling order; of equal ones, those that came first.
fn keep<T>(list: &mut Vec<T>, top: usize, size: impl Fn(&T) -> u64, this: u64, make: impl FnOnce() -> T) {
    let place = list.partition_point(|kept| size(kept) >= this);
    if place < top {
        list.truncate(top - 1);
        list.insert(place, make());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_largest_are_kept_and_of_equal_ones_the_first(sizes in prop::collection::vec(0u64..9, 0..60), top in 0usize..12) {
            let mut kept: Vec<(u64, usize)> = Vec::new();
            for (at, size) in sizes.iter().enumerate() {
                keep(&mut kept, top, |k| k.0, *size, || (*size, at));
            }
            let mut all: Vec<(u64, usize)> = sizes.iter().copied().zip(0..).collect();
            all.sort_by_key(|(size, at)| (std::cmp::Reverse(*size), *at));
            all.truncate(top);
            prop_assert_eq!(kept, all);
        }
    }
}
