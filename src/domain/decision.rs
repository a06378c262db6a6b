//! May this token be used? The order of decisions from the secret to the restrictions, as a pure
//! function: `service::verify` gathers the facts, this judges them.

use super::moment::Moment;
use super::pat::{Pat, State};
use super::policy::Policy;
use super::presented::Scheme;

/// Why the answer is no: stable words, in JSON and in the audit log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// No token at all: wrong shape or checksum.
    Malformed,
    /// No token has this id.
    Unknown,
    /// The id is known, the secret is another.
    WrongSecret,
    /// `atlassian.pats.enabled = false`.
    DisabledGlobally,
    /// Basic or Bearer is not allowed, by the installation or by the token.
    WrongAuthMethod,
    /// Basic named somebody else.
    WrongUser,
    /// Taken back.
    Revoked,
    /// Switched off.
    Disabled,
    /// Past its end.
    Expired,
    /// Today's limits end it (`patctl.policy.apply.to.existing`), or it speaks for anybody and that is
    /// switched off (`patctl.any.user.enabled`).
    Policy,
    /// Its restrictions do not allow this.
    Restricted,
    /// What is stored for it cannot be trusted.
    Damaged,
}

impl Reason {
    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::WrongSecret => "wrong-secret",
            Self::DisabledGlobally => "disabled-globally",
            Self::WrongAuthMethod => "wrong-auth-method",
            Self::WrongUser => "wrong-user",
            Self::Revoked => "revoked",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Policy => "policy",
            Self::Restricted => "restricted",
            Self::Damaged => "damaged",
        }
    }
}

/// A yes, with the person it speaks for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Grant {
    /// The token's user; for a token of nobody in particular, the name that Basic gave.
    pub effective_user: String,
}

/// Decides about a token whose secret was right.
///
/// # Errors
/// The first reason against it, in the order of the manual: method, user, revoked, disabled,
/// expired, policy, restrictions.
pub fn decide(policy: &Policy, pat: &Pat, scheme: &Scheme, now: Moment) -> Result<Grant, Reason> {
    if !policy.auth.allow(scheme) || !pat.auth.allow(scheme) {
        return Err(Reason::WrongAuthMethod);
    }
    let effective_user = speaks_for(pat, scheme)?;
    match pat.life.state(now) {
        State::Revoked { .. } => return Err(Reason::Revoked),
        State::Disabled { .. } => return Err(Reason::Disabled),
        State::Expired { .. } => return Err(Reason::Expired),
        State::Active => {}
    }
    if pat.user.is_none() && !policy.any_user_allowed {
        return Err(Reason::Policy);
    }
    if policy.outlived(pat.life.created_at, pat.life.expires_at, now) {
        return Err(Reason::Policy);
    }
    if pat.restricted {
        return Err(Reason::Restricted);
    }
    Ok(Grant { effective_user })
}

fn speaks_for(pat: &Pat, scheme: &Scheme) -> Result<String, Reason> {
    match (scheme, &pat.user) {
        (Scheme::Bearer, None) => Err(Reason::WrongAuthMethod),
        (Scheme::Bearer, Some(owner)) => Ok(owner.clone()),
        (Scheme::Basic { user }, Some(owner)) => {
            let known = user == owner || Some(user) == pat.email.as_ref();
            known.then(|| owner.clone()).ok_or(Reason::WrongUser)
        }
        (Scheme::Basic { user }, None) => Ok(user.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moment::Span;
    use crate::domain::pat::{AuthMethods, Life};

    fn now() -> Moment {
        Moment::from_date("2026-11-21").expect("a date")
    }

    fn pat() -> Pat {
        Pat {
            id: "7k3m9xq2v8".parse().expect("an id"),
            name: "ci".to_owned(),
            user: Some("alice".to_owned()),
            email: Some("alice@example.com".to_owned()),
            auth: AuthMethods::Both,
            life: Life {
                created_at: now().saturating_minus(Span::days(10)),
                expires_at: None,
                revoked_at: None,
                disabled_at: None,
                last_used_at: None,
            },
            revoke_reason: None,
            restricted: false,
            secure: false,
            note: None,
            notify_to: None,
            version: 1,
        }
    }

    fn basic(user: &str) -> Scheme {
        Scheme::Basic { user: user.to_owned() }
    }

    /// A token with every fault at once, and what undoes them in the order they are reported.
    #[test]
    fn faults_are_reported_in_the_order_of_the_manual() {
        let mut policy = Policy { auth: AuthMethods::Bearer, ..Policy::default() };
        policy.applies_to_existing = true;
        policy.max_expiry_days = 5;
        let mut pat = pat();
        pat.restricted = true;
        pat.life.revoked_at = Some(now());
        pat.life.disabled_at = Some(now());
        pat.life.expires_at = Some(now());
        let ask = |policy: &Policy, pat: &Pat| decide(policy, pat, &basic("bob"), now());
        assert_eq!(ask(&policy, &pat), Err(Reason::WrongAuthMethod));
        policy.auth = AuthMethods::Both;
        assert_eq!(ask(&policy, &pat), Err(Reason::WrongUser));
        pat.user = Some("bob".to_owned());
        assert_eq!(ask(&policy, &pat), Err(Reason::Revoked));
        pat.life.revoked_at = None;
        assert_eq!(ask(&policy, &pat), Err(Reason::Disabled));
        pat.life.disabled_at = None;
        assert_eq!(ask(&policy, &pat), Err(Reason::Expired));
        pat.life.expires_at = Some(now().saturating_plus(Span::days(1)));
        assert_eq!(ask(&policy, &pat), Err(Reason::Policy));
        policy.max_expiry_days = 11;
        assert_eq!(ask(&policy, &pat), Err(Reason::Restricted));
        pat.restricted = false;
        assert_eq!(ask(&policy, &pat), Ok(Grant { effective_user: "bob".to_owned() }));
    }

    #[test]
    fn basic_may_name_the_user_or_the_e_mail_and_the_yes_speaks_for_the_user() {
        let alice = Ok(Grant { effective_user: "alice".to_owned() });
        for name in ["alice", "alice@example.com"] {
            assert_eq!(decide(&Policy::default(), &pat(), &basic(name), now()), alice);
        }
        for name in ["Alice", "alice@example.org", ""] {
            let answer = decide(&Policy::default(), &pat(), &basic(name), now());
            assert_eq!(answer, Err(Reason::WrongUser), "{name}");
        }
    }

    #[test]
    fn a_token_of_nobody_speaks_for_whom_basic_names_and_bearer_names_nobody() {
        let anybody = Pat { user: None, ..pat() };
        let off = decide(&Policy::default(), &anybody, &basic("carol"), now());
        assert_eq!(off, Err(Reason::Policy), "switched off, it ends at once");
        let policy = Policy { any_user_allowed: true, ..Policy::default() };
        let carol = Ok(Grant { effective_user: "carol".to_owned() });
        assert_eq!(decide(&policy, &anybody, &basic("carol"), now()), carol);
        assert_eq!(decide(&policy, &anybody, &Scheme::Bearer, now()), Err(Reason::WrongAuthMethod));
    }

    #[test]
    fn eternal_tokens_end_only_when_the_eternal_rule_is_applied_to_them() {
        let mut policy = Policy { max_expiry_days: 1, applies_to_existing: true, ..Policy::default() };
        assert!(decide(&policy, &pat(), &Scheme::Bearer, now()).is_ok());
        policy.eternal_allowed = false;
        assert_eq!(decide(&policy, &pat(), &Scheme::Bearer, now()), Err(Reason::Policy));
        policy.applies_to_existing = false;
        assert!(decide(&policy, &pat(), &Scheme::Bearer, now()).is_ok());
    }
}
