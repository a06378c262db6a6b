//! Which tokens: one filter for everything that shows or changes many.

use super::lifetime::{Lifetime, LifetimeError};
use super::moment::{Moment, Span};
use super::pat::Status;
use super::token::TokenId;
use std::str::FromStr;

/// What a row must be to be chosen. Every field that is set must hold; a list holds when one of its
/// values does. "After" includes the instant it names and "before" does not, so that two ranges
/// that meet neither overlap nor leave a gap.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Exact user names.
    pub users: Vec<String>,
    /// What the name must look like.
    pub name: Option<Glob>,
    /// States.
    pub statuses: Vec<Status>,
    /// Revoked rows too, where no status is named.
    pub all: bool,
    /// When it was issued.
    pub created: Range,
    /// When it stops working ([`Life::stops_at`](super::pat::Life::stops_at)); never is later than any instant.
    pub expires: Range,
    /// When it was last used; never used is outside every range.
    pub used: Range,
    /// Never used.
    pub unused: bool,
    /// Neither used nor issued for so long.
    pub unused_for: Option<Span>,
    /// What these limits would refuse, were it issued today.
    pub violates: Option<Limits>,
    /// Can be used, and stops working within this.
    pub stops_within: Option<Span>,
}

/// The limits that a token may violate which was issued under others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `atlassian.pats.max.tokens.expiry.days`
    pub max_expiry_days: u32,
    /// `atlassian.pats.eternal.tokens.enabled`
    pub eternal_allowed: bool,
    /// `atlassian.pats.max.tokens.per.user`: those issued later than so many of the same user.
    pub max_per_user: u32,
}

/// A stretch of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Range {
    /// From this instant on.
    pub after: Option<Moment>,
    /// Up to but not including this instant.
    pub before: Option<Moment>,
}

/// A pattern for a whole name: `*` any text, `?` one character, `[a-z]` one of these, `[^a-z]` none
/// of these. Case counts, and no other character is special.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glob(String);

/// Why a text is no pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GlobError {
    /// A `[` is not closed.
    Open,
    /// It has more than 1,000 bytes.
    TooLong,
}

impl std::fmt::Display for GlobError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open => "a '[' is not closed; a '[' that stands for itself is written [[]",
            Self::TooLong => "a pattern has at most 1,000 bytes",
        })
    }
}

impl std::error::Error for GlobError {}

impl Glob {
    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Glob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        if text.len() > 1000 {
            return Err(GlobError::TooLong);
        }
        let mut rest = text;
        while let Some((_, class)) = rest.split_once('[') {
            // A ']' that comes first, perhaps behind '^', stands for itself.
            let body = class.strip_prefix('^').unwrap_or(class);
            let first = body.chars().next().ok_or(GlobError::Open)?;
            rest = body[first.len_utf8()..].split_once(']').ok_or(GlobError::Open)?.1;
        }
        Ok(Self(text.to_owned()))
    }
}

/// What rows are sorted by. Each has the direction people mean by it; the row number breaks ties.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sort {
    /// Newest first.
    #[default]
    Created,
    /// What stops working first comes first, what never does last.
    Expires,
    /// Latest use first, never used last.
    Used,
    /// By name, in byte order.
    Name,
    /// By user, in byte order; nobody's first.
    User,
    /// By id.
    Id,
}

impl Sort {
    /// Every value, in the order of the manual.
    pub const ALL: [Self; 6] = [Self::Created, Self::Expires, Self::Used, Self::Name, Self::User, Self::Id];

    /// The word for it on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Expires => "expires",
            Self::Used => "used",
            Self::Name => "name",
            Self::User => "user",
            Self::Id => "id",
        }
    }
}

impl FromStr for Sort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or(())
    }
}

/// In which order rows come, and from where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Order {
    /// What they are sorted by.
    pub sort: Sort,
    /// The other way round.
    pub reverse: bool,
    /// Begin behind this token: the last of the page before.
    pub after: Option<TokenId>,
}

/// An instant as a person writes it in a filter: a date, an RFC 3339 instant, or a distance from now
/// (`7d`, `12h`, `2w`), which points back for what has been and forward for what will be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// That instant.
    At(Moment),
    /// So far away.
    Away(Span),
}

impl FromStr for When {
    type Err = LifetimeError;

    fn from_str(text: &str) -> Result<Self, LifetimeError> {
        match text.parse()? {
            Lifetime::Until(moment) => Ok(Self::At(moment)),
            Lifetime::For(span) => Ok(Self::Away(span)),
            Lifetime::Never => Err(LifetimeError::new("'never' is no instant")),
        }
    }
}

impl When {
    /// The instant, a distance counted back from `now`.
    #[must_use]
    pub fn past(self, now: Moment) -> Moment {
        match self {
            Self::At(moment) => moment,
            Self::Away(span) => now.saturating_minus(span),
        }
    }

    /// The instant, a distance counted forward from `now`.
    #[must_use]
    pub fn future(self, now: Moment) -> Moment {
        match self {
            Self::At(moment) => moment,
            Self::Away(span) => now.saturating_plus(span),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_closes_its_classes() {
        for good in ["", "*", "ci-?", "[a-z]*", "[]]", "[^]a]b", "[[]", "100%", "a]b"] {
            assert!(good.parse::<Glob>().is_ok(), "{good}");
        }
        for bad in ["[", "[]", "a[b", "[^]", "[a]["] {
            assert_eq!(bad.parse::<Glob>(), Err(GlobError::Open), "{bad}");
        }
    }

    #[test]
    fn a_distance_points_back_for_what_was_and_forward_for_what_will_be() {
        let now = Moment::from_date("2026-11-21").expect("a date");
        let week: When = "1w".parse().expect("a distance");
        assert_eq!(Some(week.past(now)), Moment::from_date("2026-11-14"));
        assert_eq!(Some(week.future(now)), Moment::from_date("2026-11-28"));
        let date: When = "2026-01-01".parse().expect("a date");
        assert_eq!(date.past(now), date.future(now));
        assert!("never".parse::<When>().is_err());
    }
}
