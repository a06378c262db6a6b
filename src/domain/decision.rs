//! May this token be used? The order of decisions from the secret to the restrictions, as a pure
//! function: `service::verify` gathers the facts, this judges them.

use super::moment::Moment;
use super::pat::{Pat, State};
use super::policy::Policy;
use super::presented::Scheme;
use super::restriction::judge::{Line, Outcome};
use super::restriction::{self, Base, Decision, Depth, Refusal, Request, Rules};
use super::text::{self, User};

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
    /// A successor has taken its place.
    Rotated,
    /// Past its end.
    Expired,
    /// Today's limits end it (`patctl.policy.apply.to.existing`), or it speaks for anybody and that is
    /// switched off (`patctl.any.user.enabled`).
    Policy,
    /// Its restrictions do not allow this.
    Restricted,
    /// The request cannot be judged safely.
    MalformedRequest,
    /// A body that was not handed over could hold what its restrictions do not allow.
    BodyUnseen,
    /// A stored restriction cannot be used.
    RuleError,
    /// What is stored for it cannot be trusted: its verifier cannot be read, or its row is not what patctl
    /// wrote.
    Damaged,
    /// Nothing was decided: the system refused the memory that proving the secret takes.
    Unavailable,
    /// Nothing was decided: the clock and the audit log disagree about whether the token has ended.
    Clock,
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
            Self::Rotated => "rotated",
            Self::Expired => "expired",
            Self::Policy => "policy",
            Self::Restricted => "restricted",
            Self::MalformedRequest => "malformed-request",
            Self::BodyUnseen => "body-unseen",
            Self::RuleError => "rule-error",
            Self::Damaged => "damaged",
            Self::Unavailable => "unavailable",
            Self::Clock => "clock",
        }
    }

    /// Whether this is no answer about the token but trouble: neither a yes nor a no, and status 74.
    #[must_use]
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Unavailable | Self::Clock)
    }
}

/// A yes, with the person it speaks for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Grant {
    /// The token's user; for a token of nobody in particular, the name that Basic gave.
    pub effective_user: String,
    /// The line of its restrictions that allowed the request; `None`: it has no restrictions.
    pub rule: Option<usize>,
}

/// A no.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Denial {
    /// Why, for everybody.
    pub reason: Reason,
    /// What exactly, for the audit log only: who presents a token is not told how to get around its
    /// restrictions.
    pub detail: Option<String>,
}

impl From<Reason> for Denial {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: None }
    }
}

/// What is asked of a token whose secret was right.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// How it was presented.
    pub scheme: &'q Scheme,
    /// When.
    pub now: Moment,
    /// For which request. Restrictions need one; what was not handed over of it allows nothing.
    pub request: &'q Result<Request, Refusal>,
    /// Where the guarded service lives.
    pub base: Option<&'q Base>,
    /// The stored restrictions, in order.
    pub rules: &'q [String],
}

/// Decides about a token whose secret was right.
///
/// # Errors
/// The first reason against it, in the order of the manual: method, user, revoked, disabled,
/// expired, policy, restrictions.
pub fn decide(policy: &Policy, pat: &Pat, question: &Question<'_>) -> Result<Grant, Denial> {
    let Question { scheme, now, .. } = *question;
    if !policy.auth.allow(scheme) || !pat.auth.allow(scheme) {
        return Err(Reason::WrongAuthMethod.into());
    }
    let effective_user = speaks_for(pat, scheme)?;
    match pat.life.state(now) {
        State::Revoked { .. } => return Err(Reason::Revoked.into()),
        State::Disabled { .. } => return Err(Reason::Disabled.into()),
        State::Rotated { .. } => {
            let detail = pat.successor.map(|id| format!("{id} has taken its place"));
            return Err(Denial { reason: Reason::Rotated, detail });
        }
        State::Expired { .. } => return Err(Reason::Expired.into()),
        State::Active => {}
    }
    if pat.user.is_none() && !policy.any_user_allowed {
        return Err(Reason::Policy.into());
    }
    if policy.outlived(pat.life.created_at, pat.life.expires_at, now) {
        return Err(Reason::Policy.into());
    }
    let rule = if pat.restricted { Some(restricted(question)?) } else { None };
    Ok(Grant { effective_user, rule })
}

/// The first moment after `now` from which [`decide`] may answer otherwise about this very row; `None`: however late
/// it gets, the answer is the same.
#[must_use]
pub fn stands_until(policy: &Policy, pat: &Pat, now: Moment) -> Option<Moment> {
    let life = &pat.life;
    let ends = [life.rotated_at, life.expires_at, policy.outlived_from(life.created_at)];
    ends.into_iter().flatten().filter(|end| *end > now).min()
}

/// The line that allows the request.
fn restricted(question: &Question<'_>) -> Result<usize, Denial> {
    let no = |reason, detail: String| Denial { reason, detail: Some(detail) };
    if question.rules.is_empty() {
        return Err(no(Reason::Restricted, "it is restricted, and has no line".to_owned()));
    }
    // Read anew every time: a line that was tampered with, or is of another version, denies the token.
    let rules = Rules::parse(&question.rules.join("\n"), question.base).map_err(|errors| {
        no(Reason::RuleError, errors.first().map_or_else(String::new, ToString::to_string))
    })?;
    let request =
        question.request.as_ref().map_err(|refusal| no(Reason::MalformedRequest, refusal.to_string()))?;
    let verdict = restriction::judge(&rules, request, question.base, Depth::Decide);
    match verdict.decision {
        Decision::Allow { line } => Ok(line),
        Decision::BodyUnseen => {
            let line = verdict.lines.iter().find_map(unseen_body).unwrap_or_default();
            Err(no(Reason::BodyUnseen, format!("{line}; {BODY_UNSEEN_HINT}")))
        }
        Decision::Deny => {
            Err(no(Reason::Restricted, verdict.lines.first().map_or_else(String::new, first_miss)))
        }
        Decision::OtherOrigin => {
            Err(no(Reason::Restricted, "another origin than patctl.base.url, or another Host".to_owned()))
        }
        Decision::Malformed(refusal) => Err(no(Reason::MalformedRequest, refusal.to_string())),
        Decision::RuleError(error) => Err(no(Reason::RuleError, error.to_string())),
    }
}

/// What to do about [`Reason::BodyUnseen`].
pub const BODY_UNSEEN_HINT: &str =
    "hand the body over, or say with patctl.service.merges.body what the service takes from it";

/// Which part of a line needs the body that was not seen.
fn unseen_body(line: &Line<'_>) -> Option<String> {
    line.parts.iter().find_map(|part| match part.outcome {
        Outcome::Unseen(why) => Some(format!("line {}, {}: {why}", line.rule.line, part.kind.as_str())),
        _ => None,
    })
}

/// Why the first line did not allow it.
fn first_miss(line: &Line<'_>) -> String {
    let why = line.parts.iter().find_map(|part| match part.outcome {
        Outcome::Miss(why) | Outcome::Unseen(why) | Outcome::Unread(why) => {
            Some(format!("line {}, {}: {why}", line.rule.line, part.kind.as_str()))
        }
        _ => None,
    });
    why.unwrap_or_default()
}

fn speaks_for(pat: &Pat, scheme: &Scheme) -> Result<String, Reason> {
    match (scheme, &pat.user) {
        (Scheme::Bearer, None) => Err(Reason::WrongAuthMethod),
        (Scheme::Bearer, Some(owner)) => Ok(owner.clone()),
        (Scheme::Basic { user }, Some(owner)) => {
            let known = text::is_same(user, owner)
                || pat.email.as_ref().is_some_and(|email| text::is_same(user, email));
            known.then(|| owner.clone()).ok_or(Reason::WrongUser)
        }
        // What the service is told must be a name that could own a token.
        (Scheme::Basic { user }, None) => {
            user.parse::<User>().map(String::from).map_err(|_| Reason::WrongUser)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moment::Span;
    use crate::domain::pat::{AuthMethods, Life, Notified};

    /// [`super::decide`] with no request handed over, its reason alone.
    fn decide(policy: &Policy, pat: &Pat, scheme: &Scheme, now: Moment) -> Result<Grant, Reason> {
        let request = Request::new(&restriction::Given::default());
        let question = Question { scheme, now, request: &request, base: None, rules: &[] };
        super::decide(policy, pat, &question).map_err(|denial| denial.reason)
    }

    fn yes(user: &str) -> Grant {
        Grant { effective_user: user.to_owned(), rule: None }
    }

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
                rotated_at: None,
                last_used_at: None,
            },
            revoke_reason: None,
            restricted: false,
            secure: false,
            note: None,
            notify_to: None,
            successor: None,
            predecessor: None,
            ends_predecessor: false,
            reused_at: None,
            notified: Notified::NotSent,
            version: 1,
            damaged: false,
            issued_by: None,
            last_used_from: None,
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
        pat.life.rotated_at = Some(now());
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
        assert_eq!(ask(&policy, &pat), Err(Reason::Rotated));
        pat.life.rotated_at = Some(now().saturating_plus(Span::days(1)));
        assert_eq!(ask(&policy, &pat), Err(Reason::Expired));
        pat.life.expires_at = Some(now().saturating_plus(Span::days(1)));
        assert_eq!(ask(&policy, &pat), Err(Reason::Policy));
        policy.max_expiry_days = 11;
        assert_eq!(ask(&policy, &pat), Err(Reason::Restricted));
        pat.restricted = false;
        assert_eq!(ask(&policy, &pat), Ok(yes("bob")));
    }

    #[test]
    fn basic_may_name_the_user_or_the_e_mail_and_the_yes_speaks_for_the_user() {
        let alice = Ok(yes("alice"));
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
        let carol = Ok(yes("carol"));
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

    /// For the audit log; who presented the token is told nothing of it.
    #[test]
    fn a_denial_says_which_part_of_the_first_line_was_missed() {
        let pat = Pat { restricted: true, ..pat() };
        let given = restriction::Given { method: Some("GET"), url: Some("/a"), ..Default::default() };
        let request = Request::new(&given);
        for (rules, detail) in [
            (&["[get,post]/b", "/c"] as &[&str], "line 1, url: the pattern does not match all of it"),
            (&["[post]/a"], "line 1, method: it is another method"),
            (&[], "it is restricted, and has no line"),
        ] {
            let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
            let question = Question {
                scheme: &Scheme::Bearer,
                now: now(),
                request: &request,
                base: None,
                rules: &rules,
            };
            let denial = super::decide(&Policy::default(), &pat, &question).expect_err(detail);
            assert_eq!((denial.reason.as_str(), denial.detail.as_deref()), ("restricted", Some(detail)));
        }
    }
}
