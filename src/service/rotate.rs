//! Giving a token a successor: a new secret for the same grants, and a time for the old one to go.

use super::Act;
use super::clock::Reading;
use super::issue::{self, IssueError, Issued};
use super::look::{self, LookError};
use super::unfit::Unfit;
use crate::domain::audit::{Action, Entry};
use crate::domain::dice::Dice;
use crate::domain::id::IdPrefix;
use crate::domain::lifetime::Lifetime;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Pat;
use crate::domain::policy::Refusal;
use crate::domain::text::Note;
use crate::domain::token::{PlainToken, TokenId};
use crate::domain::vault::VaultKey;
use crate::domain::verifier::Verifier;
use crate::store::{Durability, NewPat, Read, Store, StoreError, Succession, Transaction};
use std::io;

/// How long a first use is waited for.
pub const LONGEST_WAIT: Span = Span::days(7);

/// When the old token stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handover {
    /// At once.
    Now,
    /// After so long; until then both work.
    Grace(Span),
    /// When the new one is first used, after [`LONGEST_WAIT`] in any case; until then both work.
    FirstUse,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Order<'o> {
    /// Which token.
    pub id: &'o IdPrefix,
    /// When it stops.
    pub handover: Handover,
    /// How long the new one lives; `None`: as long as the old one was meant to.
    pub lifetime: Option<Lifetime>,
    /// Why, for the audit log.
    pub reason: Option<&'o Note>,
    /// Seals the new secret, where there is a vault.
    pub vault: Option<&'o VaultKey>,
}

/// What a rotation does, before there is a new token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The token whose place is taken.
    pub old: Pat,
    /// What it may do, line by line; `None`: everything.
    pub rules: Option<Vec<String>>,
    /// When it was decided, which is when the new token begins.
    pub at: Moment,
    /// When the new token ends.
    pub expires_at: Option<Moment>,
    /// When the old one stops, at the latest.
    pub old_ends_at: Moment,
    /// Whether the first use of the new one stops it earlier.
    pub on_first_use: bool,
}

/// A rotation with its new token.
#[derive(Debug)]
pub struct Rotated {
    /// What it did.
    pub plan: Plan,
    /// The new token.
    pub issued: Issued,
}

/// A rotation that was undone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Undone {
    /// The token that goes on.
    pub old: Pat,
    /// Its successor, revoked; `None` where it was pruned before.
    pub new: Option<Pat>,
}

/// Nothing was rotated, or undone.
#[derive(Debug)]
pub enum RotateError {
    /// It is not known which token is meant.
    Look(LookError),
    /// This token is not rotated, or its rotation not undone.
    Unfit(TokenId, Unfit),
    /// The policy says no.
    Refused(Box<Pat>, Refusal),
    /// The successor was not made.
    Issue(IssueError),
}

impl From<LookError> for RotateError {
    fn from(error: LookError) -> Self {
        Self::Look(error)
    }
}

impl From<StoreError> for RotateError {
    fn from(error: StoreError) -> Self {
        Self::Issue(error.into())
    }
}

/// What [`rotate`] would do.
///
/// # Errors
/// [`RotateError`]
pub fn preview(db: &(impl Read + ?Sized), act: &Act<'_>, order: &Order<'_>) -> Result<Plan, RotateError> {
    let old = look::find(db, act.authority, order.id)?;
    let at = (act.clock)();
    let refuse = |why| Err(RotateError::Unfit(old.id, why));
    if let Some(why) = Unfit::by(Reading::of(db, at)?, |now| Unfit::to_rotate(act, &old, now)) {
        return refuse(why);
    }
    let old_ends_at = match order.handover {
        Handover::Now => at,
        Handover::Grace(span) => at.saturating_plus(span),
        Handover::FirstUse => at.saturating_plus(LONGEST_WAIT),
    };
    if old_ends_at > at
        && let Some((predecessor, until)) = still_works(db, &old, at)?
    {
        return refuse(Unfit::Arriving { predecessor, until });
    }
    if old.user.is_none() && act.policy.enabled && !act.policy.any_user_allowed {
        return Err(RotateError::Refused(Box::new(old), Refusal::AnyUserForbidden));
    }
    let length = |ends: Moment| Lifetime::For(ends.since(old.life.created_at));
    let lifetime = order.lifetime.unwrap_or_else(|| old.life.expires_at.map_or(Lifetime::Never, length));
    let expires_at = match act.policy.renew(lifetime, at) {
        Ok(expires_at) => expires_at,
        Err(refusal) => return Err(RotateError::Refused(Box::new(old), refusal)),
    };
    let rules = if old.restricted { Some(db.restrictions(old.id)?) } else { None };
    let on_first_use = order.handover == Handover::FirstUse;
    Ok(Plan { old, rules, at, expires_at, old_ends_at, on_first_use })
}

/// The token that `pat` takes the place of, if that one works still, and until when.
///
/// The limit of tokens does not count what has a successor, so one successor after the other, each with
/// a grace, would be any number of live tokens.
fn still_works(
    db: &(impl Read + ?Sized),
    pat: &Pat,
    now: Moment,
) -> Result<Option<(TokenId, Moment)>, StoreError> {
    let Some(predecessor) = pat.predecessor else { return Ok(None) };
    let before = match db.token(predecessor) {
        // A token whose row cannot be read is denied: it does not work.
        Err(StoreError::BadRow(_)) => None,
        read => read?.map(|stored| stored.pat),
    };
    let working = before.filter(|before| Unfit::to_use(before, now).is_none());
    let arriving = working.filter(|before| before.successor == Some(pat.id));
    Ok(arriving.and_then(|before| Some((before.id, before.life.rotated_at?))))
}

/// Hands the new secret to its holder: the last step before the commit.
pub type Deliver<'a> = &'a mut dyn FnMut(&Rotated) -> io::Result<()>;

/// Makes `token` the successor of a live token, hands it over with `deliver`, and only then commits.
///
/// # Errors
/// [`RotateError`]; then the old token is as it was, and there is no new one.
pub fn rotate(
    store: &mut dyn Store,
    act: &Act<'_>,
    dice: &mut Dice,
    order: &Order<'_>,
    token: PlainToken,
    deliver: Deliver<'_>,
) -> Result<Rotated, RotateError> {
    // The slow part happens before the lock is taken.
    let verifier = issue::hash(&token, act, dice).map_err(RotateError::Issue)?;
    let mut change = store.begin(Durability::Full)?;
    // Whoever was faster has made a successor by now, and this one is refused.
    let plan = preview(change.as_ref(), act, order)?;
    let token = issue::free(change.as_ref(), token, dice)?;
    let sealed = issue::sealed(change.as_ref(), act, dice, order.vault, &token)?;
    let row = NewPat { sealed: sealed.as_deref(), ..successor(&plan, act, token.id(), &verifier) };
    let issued = Issued::new(token, &row);
    issue::insert(change.as_mut(), act, &row, Some(&format!("takes the place of {}", plan.old.id)))?;
    let rotated = Rotated { plan, issued };
    link(change.as_mut(), act, &rotated, order.reason)?;
    deliver(&rotated).map_err(|error| RotateError::Issue(IssueError::Undelivered(error)))?;
    change.commit()?;
    Ok(rotated)
}

/// The row of the new token: what the old one was, under today's mode.
fn successor<'r>(plan: &'r Plan, act: &Act<'_>, id: TokenId, verifier: &'r Verifier) -> NewPat<'r> {
    let old = &plan.old;
    NewPat {
        id,
        name: &old.name,
        user: old.user.as_deref(),
        email: old.email.as_deref(),
        auth: old.auth,
        verifier,
        created_at: plan.at,
        expires_at: plan.expires_at,
        rules: plan.rules.as_deref(),
        sealed: None,
        secure: act.policy.secure_mode,
        note: old.note.as_deref(),
        notify_to: old.notify_to.as_deref(),
        issued_by: None,
    }
}

fn link(
    change: &mut dyn Transaction,
    act: &Act<'_>,
    rotated: &Rotated,
    reason: Option<&Note>,
) -> Result<(), StoreError> {
    let (plan, new) = (&rotated.plan, rotated.issued.token.id());
    let Plan { old, at, old_ends_at, on_first_use, .. } = plan;
    let succession = Succession { old: old.id, new, at: *old_ends_at, on_first_use: *on_first_use };
    if !change.succeed(&succession)? {
        return Err(StoreError::Damaged("a token that was read cannot be rotated".to_owned()));
    }
    let how = match (*on_first_use, *old_ends_at > *at) {
        (true, _) => format!("until the first use of {new}, at the latest until {old_ends_at}"),
        (false, true) => format!("{new} takes its place at {old_ends_at}"),
        (false, false) => format!("{new} takes its place"),
    };
    let entry = act.done(*at, Action::Rotate, old.id.as_str(), old.user.as_deref());
    change.audit(&Entry { reason: reason.map(Note::as_str), detail: Some(&how), ..entry })
}

/// What [`undo`] would do, for the old token or the new one.
///
/// # Errors
/// [`RotateError`]
pub fn preview_undo(
    db: &(impl Read + ?Sized),
    act: &Act<'_>,
    id: &IdPrefix,
) -> Result<(Undone, Moment), RotateError> {
    let named = look::find(db, act.authority, id)?;
    let now = (act.clock)();
    let other = |id: Option<TokenId>| id.map_or(Ok(None), |id| db.pat(id));
    // A token in a row of rotations is the old one of the latest that is still open.
    let (old, new) = if named.successor.is_some() {
        let new = other(named.successor)?;
        (named, new)
    } else {
        match other(named.predecessor)? {
            Some(old) if old.successor == Some(named.id) => (old, Some(named)),
            _ => return Err(RotateError::Unfit(named.id, Unfit::NotRotated)),
        }
    };
    // There must be something to go back to.
    if let Some(why) = Unfit::by(Reading::of(db, now)?, |now| Unfit::to_use(&old, now)) {
        return Err(RotateError::Unfit(old.id, why));
    }
    if let Some(new) = new.as_ref().filter(|new| new.successor.is_some() && new.life.revoked_at.is_none()) {
        return Err(RotateError::Unfit(old.id, Unfit::SuccessorRotated { successor: new.id }));
    }
    // A successor that is there still gives its place in the number of tokens back; one that was revoked
    // gave it away, perhaps to another token.
    if new.as_ref().is_none_or(|new| new.life.revoked_at.is_some()) {
        let (count, max) = (db.held(old.user.as_deref())?, act.policy.max_per_user);
        if count >= u64::from(max) {
            let expired = issue::expired(db, old.user.as_deref(), now)?;
            return Err(RotateError::Refused(
                Box::new(old),
                Refusal::TooMany { count, more: 1, expired, max },
            ));
        }
    }
    Ok((Undone { old, new }, now))
}

/// Takes the successor back while the old token still works, and lets that one go on.
///
/// # Errors
/// [`RotateError`]; then nothing was changed.
pub fn undo(
    store: &mut dyn Store,
    act: &Act<'_>,
    id: &IdPrefix,
    reason: Option<&Note>,
) -> Result<Undone, RotateError> {
    let mut change = store.begin(Durability::Full)?;
    let (mut undone, now) = preview_undo(change.as_ref(), act, id)?;
    let Undone { old, new } = &mut undone;
    let successor = old.successor;
    if !successor.map_or(Ok(false), |successor| change.reinstate(old.id, successor, now))? {
        return Err(RotateError::Unfit(old.id, Unfit::NotRotated));
    }
    let detail = successor.map(|id| format!("in place of {id}"));
    let entry = act.done(now, Action::UndoRotate, old.id.as_str(), old.user.as_deref());
    change.audit(&Entry { reason: reason.map(Note::as_str), detail: detail.as_deref(), ..entry })?;
    if let Some(new) = new
        && change.revoke(new.id, now, Some(UNDONE))?
    {
        new.life.revoked_at = Some(now);
        new.revoke_reason = Some(UNDONE.to_owned());
        let entry = act.done(now, Action::Revoke, new.id.as_str(), new.user.as_deref());
        change.audit(&Entry { reason: Some(UNDONE), ..entry })?;
    }
    (old.life.rotated_at, old.successor) = (None, None);
    change.commit()?;
    Ok(undone)
}

/// Why a successor was revoked.
const UNDONE: &str = "rotation undone";
