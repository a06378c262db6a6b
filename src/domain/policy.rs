//! What an installation allows: the limits of the `atlassian.pats.*` properties, applied.

use super::cache::CacheLimits;
use super::filter::Limits;
use super::moment::{Moment, Span};
use super::notice::Notices;
use super::text::{self, TextError};
use super::token::TokenPrefix;
use super::verifier::{Cost, Work};
use super::{
    lifetime::Lifetime,
    pat::{AuthMethods, Life},
};

/// The limits and switches. [`Policy::default`] is what the properties mean when none is set.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own, named by the field")]
pub struct Policy {
    /// `atlassian.pats.enabled`: off, nothing is created and nothing verifies.
    pub enabled: bool,
    /// `atlassian.pats.eternal.tokens.enabled`
    pub eternal_allowed: bool,
    /// `atlassian.pats.max.tokens.expiry.days`
    pub max_expiry_days: u32,
    /// `atlassian.pats.max.tokens.per.user`
    pub max_per_user: u32,
    /// `atlassian.pats.token.name.length`, in characters.
    pub name_length: usize,
    /// `atlassian.pats.pruning.delay.days`
    pub prune_delay: Span,
    /// `atlassian.pats.expiry.warning.days`
    pub expiry_warning: Span,
    /// `atlassian.pats.last.used.update.interval.mins`
    pub last_used_interval: Span,
    /// `patctl.auth.methods`
    pub auth: AuthMethods,
    /// `patctl.any.user.enabled`
    pub any_user_allowed: bool,
    /// `patctl.policy.apply.to.existing`
    pub applies_to_existing: bool,
    /// `extender.token.secure.mode`
    pub secure_mode: bool,
    /// `patctl.argon2.*`
    pub cost: Cost,
    /// `patctl.import.rehash`
    pub rehashes_imported: bool,
    /// `atlassian.pats.auth.cache.*`
    pub cache: CacheLimits,
    /// `patctl.token.prefix`
    pub prefix: TokenPrefix,
    /// `patctl.mail.*`, as far as the writing of mails needs it.
    pub notices: Notices,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: true,
            eternal_allowed: true,
            max_expiry_days: 365,
            max_per_user: 10,
            name_length: 40,
            prune_delay: Span::days(30),
            expiry_warning: Span::days(5),
            last_used_interval: Span::minutes(1),
            auth: AuthMethods::Both,
            any_user_allowed: false,
            applies_to_existing: false,
            secure_mode: false,
            cost: Cost::default(),
            rehashes_imported: true,
            cache: CacheLimits::default(),
            prefix: TokenPrefix::default(),
            notices: Notices::default(),
        }
    }
}

/// Why a token is not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// `atlassian.pats.enabled = false`.
    Disabled,
    /// `patctl.any.user.enabled = false`, and no user was named.
    AnyUserForbidden,
    /// It would be somebody else's than who asks for it.
    OtherUser,
    /// The name is nothing but white space.
    NameBlank,
    /// The name has more characters than allowed.
    NameTooLong {
        /// How many it has.
        length: usize,
        /// How many it may have.
        max: usize,
    },
    /// The name holds an invisible or control character.
    NameHidden(char),
    /// The name holds what looks like a token or a secret.
    NameSecret,
    /// It would live longer than allowed.
    ExpiryTooLong {
        /// The longest life, in days.
        max_days: u32,
    },
    /// An edit would let it live longer, from its creation on, than allowed.
    LifeTooLong {
        /// The longest life, in days.
        max_days: u32,
        /// When that is over.
        latest: Moment,
    },
    /// It would have expired at once.
    ExpiryNotInFuture,
    /// The user has as many tokens as allowed.
    TooMany {
        /// How many the user has.
        count: u64,
        /// How many more were asked for.
        more: u64,
        /// How many of those the user has are expired.
        expired: u64,
        /// How many are allowed.
        max: u32,
    },
    /// It would live for ever, which is not allowed.
    EternalForbidden {
        /// The longest life, in days.
        max_days: u32,
    },
}

impl Policy {
    /// The limits that tokens may violate which were issued under others.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            max_expiry_days: self.max_expiry_days,
            eternal_allowed: self.eternal_allowed,
            max_per_user: self.max_per_user,
        }
    }

    /// The checks of `create`, in their order; `held` is the number of the user's rows that are not
    /// revoked. Answers when the token ends (`None`: never).
    ///
    /// # Errors
    /// The first check that fails.
    pub fn admit(
        &self,
        name: &str,
        lifetime: Lifetime,
        now: Moment,
        held: u64,
    ) -> Result<Option<Moment>, Refusal> {
        if !self.enabled {
            return Err(Refusal::Disabled);
        }
        self.check_name(name)?;
        let ends = self.ends(lifetime, now)?;
        if held >= u64::from(self.max_per_user) {
            return Err(Refusal::TooMany { count: held, more: 1, expired: 0, max: self.max_per_user });
        }
        self.check_eternal(ends)?;
        Ok(ends)
    }

    /// The checks of a rotation: those of [`Policy::admit`] but for the name and the number, because the
    /// successor takes both over from a token that exists.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn renew(&self, lifetime: Lifetime, now: Moment) -> Result<Option<Moment>, Refusal> {
        if !self.enabled {
            return Err(Refusal::Disabled);
        }
        let ends = self.ends(lifetime, now)?;
        self.check_eternal(ends)?;
        Ok(ends)
    }

    /// The end that an edit at `now` may give a token. No new end is further away than one that a new
    /// token could have; and a later one keeps the whole life, from its creation, within the limit, so
    /// that no row of edits makes a token that outlives it.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn extend(&self, life: &Life, lifetime: Lifetime, now: Moment) -> Result<Option<Moment>, Refusal> {
        let ends = self.ends(lifetime, now)?;
        self.check_eternal(ends)?;
        let latest = life.created_at.saturating_plus(self.max_expiry());
        let is_later = |at: Moment| life.expires_at.is_some_and(|was| at > was);
        if ends.is_some_and(|at| is_later(at) && at > latest) {
            return Err(Refusal::LifeTooLong { max_days: self.max_expiry_days, latest });
        }
        Ok(ends)
    }

    fn max_expiry(&self) -> Span {
        Span::days(i64::from(self.max_expiry_days))
    }

    /// When what begins `now` ends.
    fn ends(&self, lifetime: Lifetime, now: Moment) -> Result<Option<Moment>, Refusal> {
        let ends = lifetime.ends(now);
        if ends.is_some_and(|at| at.since(now) > self.max_expiry()) {
            return Err(Refusal::ExpiryTooLong { max_days: self.max_expiry_days });
        }
        if ends.is_some_and(|at| at <= now) {
            return Err(Refusal::ExpiryNotInFuture);
        }
        Ok(ends)
    }

    fn check_eternal(&self, ends: Option<Moment>) -> Result<(), Refusal> {
        if ends.is_none() && !self.eternal_allowed {
            return Err(Refusal::EternalForbidden { max_days: self.max_expiry_days });
        }
        Ok(())
    }

    /// Whether a token may be called so.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub fn check_name(&self, name: &str) -> Result<(), Refusal> {
        if text::is_blank(name) {
            return Err(Refusal::NameBlank);
        }
        text::plain(name, self.name_length).map_err(|error| match error {
            TextError::Hidden(c) => Refusal::NameHidden(c),
            TextError::Secret => Refusal::NameSecret,
            _ => Refusal::NameTooLong { length: name.chars().count(), max: self.name_length },
        })
    }

    /// Whether a verifier of this kind is kept as it is; another is renewed on a use.
    #[must_use]
    pub fn keeps(&self, work: Work) -> bool {
        match work {
            Work::Argon2id(cost) => cost == self.cost,
            Work::Imported => !self.rehashes_imported,
        }
    }

    /// The moment before which what ended is pruned: a row goes when it expired or was revoked
    /// *more* than the delay ago.
    #[must_use]
    pub fn prune_before(&self, now: Moment) -> Moment {
        now.saturating_minus(self.prune_delay)
    }

    /// Whether today's limits would end a token that exists, under `patctl.policy.apply.to.existing`.
    #[must_use]
    pub fn outlived(&self, created_at: Moment, expires_at: Option<Moment>, now: Moment) -> bool {
        let too_old = self.outlived_from(created_at).is_some_and(|longest| now >= longest);
        too_old && expires_at.is_some()
            || self.applies_to_existing && expires_at.is_none() && !self.eternal_allowed
    }

    /// From when on a token that was made at `created_at` and has an end is older than today's limit allows; `None`:
    /// today's limits are for new tokens only.
    #[must_use]
    pub fn outlived_from(&self, created_at: Moment) -> Option<Moment> {
        self.applies_to_existing.then(|| created_at.saturating_plus(self.max_expiry()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Moment {
        Moment::from_date("2026-11-21").expect("a date")
    }

    #[test]
    fn the_first_failing_check_is_the_one_reported() {
        let off = Policy { enabled: false, eternal_allowed: false, ..Policy::default() };
        let eternal = Policy { eternal_allowed: false, ..Policy::default() };
        let long = Lifetime::For(Span::days(366));
        let past = Lifetime::For(Span::days(-1));
        assert_eq!(off.admit("", long, now(), 99), Err(Refusal::Disabled));
        assert_eq!(eternal.admit(" ", long, now(), 99), Err(Refusal::NameBlank));
        let name = "n".repeat(41);
        let too_long = Refusal::NameTooLong { length: 41, max: 40 };
        assert_eq!(eternal.admit(&name, long, now(), 99), Err(too_long));
        let expiry = Err(Refusal::ExpiryTooLong { max_days: 365 });
        assert_eq!(eternal.admit("n", long, now(), 99), expiry);
        assert_eq!(eternal.admit("n", past, now(), 99), Err(Refusal::ExpiryNotInFuture));
        let many = Err(Refusal::TooMany { count: 10, more: 1, expired: 0, max: 10 });
        assert_eq!(eternal.admit("n", Lifetime::Never, now(), 10), many);
        let forever = Err(Refusal::EternalForbidden { max_days: 365 });
        assert_eq!(eternal.admit("n", Lifetime::Never, now(), 9), forever);
    }

    #[test]
    fn the_longest_life_is_allowed_and_a_microsecond_more_is_not() {
        let policy = Policy::default();
        let longest = now().saturating_plus(Span::days(365));
        let more = Moment::from_micros(longest.micros() + 1).expect("in range");
        assert_eq!(policy.admit("n", Lifetime::Until(longest), now(), 0), Ok(Some(longest)));
        let refused = Err(Refusal::ExpiryTooLong { max_days: 365 });
        assert_eq!(policy.admit("n", Lifetime::Until(more), now(), 0), refused);
        assert_eq!(policy.admit("n", Lifetime::Until(now()), now(), 0), Err(Refusal::ExpiryNotInFuture));
    }

    #[test]
    fn a_name_is_counted_in_characters_not_bytes() {
        let policy = Policy::default();
        assert!(policy.admit(&"é".repeat(40), Lifetime::Never, now(), 0).is_ok());
        let bell = policy.admit("a\u{7}", Lifetime::Never, now(), 0);
        assert_eq!(bell, Err(Refusal::NameHidden('\u{7}')));
    }

    #[test]
    fn a_rotation_is_refused_for_what_creation_is_but_for_name_and_number() {
        let (off, policy) = (Policy { enabled: false, ..Policy::default() }, Policy::default());
        let day = Lifetime::For(Span::days(1));
        let ends = Ok(Some(now().saturating_plus(Span::days(1))));
        assert_eq!((off.renew(day, now()), policy.renew(day, now())), (Err(Refusal::Disabled), ends));
        let long = policy.renew(Lifetime::For(Span::days(366)), now());
        assert_eq!(long, Err(Refusal::ExpiryTooLong { max_days: 365 }));
        assert_eq!(policy.renew(Lifetime::Until(now()), now()), Err(Refusal::ExpiryNotInFuture));
        assert_eq!(policy.renew(Lifetime::Never, now()), Ok(None));
        let finite = Policy { eternal_allowed: false, ..policy };
        let forever = finite.renew(Lifetime::Never, now());
        assert_eq!(forever, Err(Refusal::EternalForbidden { max_days: 365 }));
    }

    /// Made 300 days ago: 65 are left of the life that a token may have.
    #[test]
    fn an_edit_moves_the_end_no_further_than_the_whole_life_allows() {
        let day = |n: i64| now().saturating_plus(Span::days(n));
        let refused = Err(Refusal::LifeTooLong { max_days: 365, latest: day(65) });
        let policy = Policy::default();
        for (was, wanted, expected) in [
            (Some(day(10)), day(64), Ok(Some(day(64)))),
            (Some(day(10)), day(65), Ok(Some(day(65)))),
            (Some(day(10)), day(66), refused),
            // It was made under other limits: it may keep its end, or have an earlier one, and no later one.
            (Some(day(100)), day(99), Ok(Some(day(99)))),
            (Some(day(100)), day(100), Ok(Some(day(100)))),
            (Some(day(100)), day(101), refused),
            // Any end is earlier than none.
            (None, day(365), Ok(Some(day(365)))),
            (None, day(366), Err(Refusal::ExpiryTooLong { max_days: 365 })),
        ] {
            let life = Life {
                created_at: day(-300),
                expires_at: was,
                revoked_at: None,
                disabled_at: None,
                rotated_at: None,
                last_used_at: None,
            };
            assert_eq!(policy.extend(&life, Lifetime::Until(wanted), now()), expected, "{was:?} {wanted:?}");
        }
    }

    #[test]
    fn a_name_holds_no_secret() {
        let name = "x_7k3m9xq2v8_ABCDEFGH";
        assert_eq!(Policy::default().check_name(name), Err(Refusal::NameSecret));
    }

    #[test]
    fn a_verifier_is_kept_where_it_costs_what_todays_would() {
        let policy = Policy::default();
        let other = Cost { iterations: 3, ..Cost::default() };
        assert!(policy.keeps(Work::Argon2id(Cost::default())) && !policy.keeps(Work::Argon2id(other)));
        let keeping = Policy { rehashes_imported: false, ..Policy::default() };
        assert!(!policy.keeps(Work::Imported) && keeping.keeps(Work::Imported));
    }
}
