//! Writing a mail into the outbox, in the transaction of its cause. Only `notify` sends.

use super::Act;
use crate::domain::moment::Moment;
use crate::domain::notice::{Kind, Mailbox, Notice};
use crate::domain::pat::Pat;
use crate::domain::policy::Policy;
use crate::domain::token::TokenId;
use crate::store::contract::Result;
use crate::store::{NewPat, StoreError, Transaction};

/// What a mail says of a token, and who may get it.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The public name.
    pub id: TokenId,
    /// What its holder calls it.
    pub name: &'a str,
    /// Whose it is.
    pub user: Option<&'a str>,
    /// When it stops working.
    pub expires_at: Option<Moment>,
    /// Its e-mail.
    pub email: Option<&'a str>,
    /// Where its mails were asked to go.
    pub notify_to: Option<&'a str>,
}

impl<'a> From<&'a Pat> for About<'a> {
    fn from(pat: &'a Pat) -> Self {
        Self {
            id: pat.id,
            name: &pat.name,
            user: pat.user.as_deref(),
            expires_at: pat.life.stops_at(),
            email: pat.email.as_deref(),
            notify_to: pat.notify_to.as_deref(),
        }
    }
}

impl<'a> From<&'a NewPat<'a>> for About<'a> {
    fn from(pat: &'a NewPat<'a>) -> Self {
        Self {
            id: pat.id,
            name: pat.name,
            user: pat.user,
            expires_at: pat.expires_at,
            email: pat.email,
            notify_to: pat.notify_to,
        }
    }
}

/// The mails of `kind` about a token, one for each recipient; none where it has no address.
#[must_use]
pub fn notices<'a>(policy: &Policy, at: Moment, about: impl Into<About<'a>>, kind: Kind) -> Vec<Notice> {
    let About { id, name, user, expires_at, email, notify_to } = about.into();
    let recipients = policy.notices.recipients(notify_to, email, user);
    let notice = |recipient: &Mailbox| Notice {
        at,
        kind,
        token_id: id.to_string(),
        name: name.to_owned(),
        user: user.map(str::to_owned),
        expires_at,
        recipient: recipient.as_str().to_owned(),
    };
    recipients.iter().map(notice).collect()
}

/// Whether a mail about a token has somewhere to go.
#[must_use]
pub fn has_recipient<'a>(policy: &Policy, about: impl Into<About<'a>>) -> bool {
    let About { email, notify_to, user, .. } = about.into();
    !policy.notices.recipients(notify_to, email, user).is_empty()
}

/// Whether mails are written at all, so that what they need is read only then.
#[must_use]
pub fn are_written(act: &Act<'_>) -> bool {
    let notices = &act.policy.notices;
    !notices.off && notices.route.is_some()
}

/// Whether a row may be spoken of in a mail: one that is there is what patctl wrote. Whoever could write it otherwise
/// would have patctl mail his words to anybody.
///
/// # Errors
/// What the database gave.
pub fn is_credible(change: &dyn Transaction, id: TokenId) -> Result<bool> {
    match change.evidence(id) {
        Ok(evidence) => Ok(evidence.is_none_or(|evidence| evidence.seal.is_ok())),
        Err(StoreError::BadRow(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes the mails of `kind` about a token, a [`Pat`] or a [`NewPat`], into the outbox. Writes none if mail is off,
/// no transport is set, the token has no address, or its row is not what patctl wrote.
///
/// # Errors
/// What the database gave.
pub fn enqueue<'a>(
    change: &mut dyn Transaction,
    act: &Act<'_>,
    about: impl Into<About<'a>>,
    kind: Kind,
) -> Result<()> {
    let about = about.into();
    if !are_written(act) || !is_credible(change, about.id)? {
        return Ok(());
    }
    notices(act.policy, (act.clock)(), about, kind).iter().try_for_each(|notice| change.post(notice))
}
