//! Issuing a token: hash first, then one transaction that hands the secret over before it commits.

use super::{Act, notice};
use crate::domain::actor::Authority;
use crate::domain::audit::{Action, Entry};
use crate::domain::dice::Dice;
use crate::domain::filter::{Filter, Order};
use crate::domain::lifetime::Lifetime;
use crate::domain::moment::{Moment, Span};
use crate::domain::notice::{Kind, Recipients};
use crate::domain::pat::{AuthMethods, Status};
use crate::domain::policy::{Policy, Refusal};
use crate::domain::text::{Email, Note, User, is_same};
use crate::domain::token::{PlainToken, TokenId};
use crate::domain::vault::VaultKey;
use crate::domain::verifier::{MakeError, NoMemory, Verifier};
use crate::store::{Durability, NewPat, Query, Read, Store, StoreError, Transaction};
use std::io;
use std::ops::ControlFlow;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What its holder calls it; a readable, unique name is made where there is none.
    pub name: Option<String>,
    /// Whose it will be; `None` is anybody's.
    pub user: Option<User>,
    /// Also accepted as the user name of Basic.
    pub email: Option<Email>,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// How it may be presented.
    pub auth: AuthMethods,
    /// What it may do, line by line, each a rule that was parsed; `None`: everything.
    pub rules: Option<Vec<String>>,
    /// Seals the secret of a standard-mode token, so that it can be shown again.
    pub vault: Option<VaultKey>,
    /// A remark.
    pub note: Option<Note>,
    /// Where mails about it go.
    pub notify_to: Option<Recipients>,
}

/// A token that was made, with its secret.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: PlainToken,
    /// What its holder calls it.
    pub name: String,
    /// Whose it is; `None` is anybody's.
    pub user: Option<String>,
    /// How it may be presented.
    pub auth: AuthMethods,
    /// How many lines say what it may do; `None`: everything.
    pub rules: Option<usize>,
    /// When it was made.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Option<Moment>,
}

impl Issued {
    /// A token with its row.
    #[must_use]
    pub fn new(token: PlainToken, row: &NewPat<'_>) -> Self {
        Self {
            token,
            name: row.name.to_owned(),
            user: row.user.map(str::to_owned),
            auth: row.auth,
            rules: row.rules.map(<[String]>::len),
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}

/// No token was made.
#[derive(Debug)]
pub enum IssueError {
    /// The policy says no.
    Refused {
        /// Why.
        refusal: Refusal,
        /// To whom.
        user: Option<User>,
    },
    /// The secret could not be handed over; the transaction was rolled back.
    Undelivered(io::Error),
    /// The configured Argon2 parameters do not fit together.
    Cost,
    /// There is no memory for them.
    Memory(NoMemory),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for IssueError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Hands the secrets to their holder: the last step before the commit.
pub type Deliver<'a> = &'a mut dyn FnMut(&[Issued]) -> io::Result<()>;

/// The checks of [`issue`] for `count` tokens, before there is a database and before anything is
/// hashed.
///
/// # Errors
/// [`IssueError::Refused`], or what reading the database gave.
pub fn precheck(
    store: Option<&dyn Store>,
    act: &Act<'_>,
    draft: &Draft,
    count: u64,
) -> Result<(), IssueError> {
    let held = store.map_or(Ok(0), |store| store.held(draft.user()))?;
    let now = (act.clock)();
    // A name that is made later always passes.
    let name = draft.name.as_deref().unwrap_or("x");
    match admit(act, draft, name, now, held + count.saturating_sub(1)) {
        Err(IssueError::Refused { refusal: Refusal::TooMany { max, .. }, user }) => {
            let expired = store.map_or(Ok(0), |store| expired(store, draft.user(), now))?;
            Err(IssueError::Refused {
                refusal: Refusal::TooMany { count: held, more: count, expired, max },
                user,
            })
        }
        other => other.map(|_| ()),
    }
}

/// How many of a user's tokens are expired and still count against the limit.
///
/// # Errors
/// Returns the store's error.
pub fn expired(db: &(impl Read + ?Sized), user: Option<&str>, now: Moment) -> Result<u64, StoreError> {
    let Some(user) = user else { return Ok(0) };
    let filter =
        Filter { users: vec![user.to_owned()], statuses: vec![Status::Expired], ..Filter::default() };
    let order = Order::default();
    let query = Query { filter: &filter, order, now, expiry_warning: Span::ZERO, limit: None };
    let mut count = 0;
    db.list(&query, &mut |_| {
        count += 1;
        ControlFlow::Continue(())
    })?;
    Ok(count)
}

/// Gives `tokens` their rows, hands them over with `deliver`, and only then commits: all or none.
///
/// # Errors
/// [`IssueError`]; then there is no token.
pub fn issue(
    store: &mut dyn Store,
    act: &Act<'_>,
    dice: &mut Dice,
    draft: &Draft,
    tokens: Vec<PlainToken>,
    deliver: Deliver<'_>,
) -> Result<Vec<Issued>, IssueError> {
    // The slow part happens before the lock is taken.
    let verifiers = tokens.iter().map(|token| hash(token, act, dice)).collect::<Result<Vec<_>, _>>()?;
    let mut change = store.begin(Durability::Full)?;
    let created_at = (act.clock)();
    let held = change.held(draft.user())?;
    let mut issued = Vec::with_capacity(tokens.len());
    for (held, (token, verifier)) in (held..).zip(tokens.into_iter().zip(&verifiers)) {
        let token = free(change.as_ref(), token, dice)?;
        let name = draft.name.clone().unwrap_or_else(|| default_name(act.policy, created_at, &token));
        let expires_at = admit(act, draft, &name, created_at, held)?;
        let sealed = sealed(change.as_ref(), act, dice, draft.vault.as_ref(), &token)?;
        let row = draft.row(token.id(), &name, verifier, (created_at, expires_at), act.policy);
        let row = NewPat { sealed: sealed.as_deref(), ..row };
        insert(change.as_mut(), act, &row, None)?;
        issued.push(Issued::new(token, &row));
    }
    deliver(&issued).map_err(IssueError::Undelivered)?;
    change.commit()?;
    Ok(issued)
}

/// What proves the secret of a new token: the slow part.
///
/// # Errors
/// [`IssueError::Cost`], [`IssueError::Memory`]
pub fn hash(token: &PlainToken, act: &Act<'_>, dice: &mut Dice) -> Result<Verifier, IssueError> {
    Verifier::make(token, act.policy.cost, dice).map_err(|error| match error {
        MakeError::Cost => IssueError::Cost,
        MakeError::Memory(refused) => IssueError::Memory(refused),
    })
}

/// The secret for the vault, where there is one; secure mode keeps nothing that could be shown again.
///
/// # Errors
/// What the database gave.
pub fn sealed(
    db: &(impl Read + ?Sized),
    act: &Act<'_>,
    dice: &mut Dice,
    vault: Option<&VaultKey>,
    token: &PlainToken,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(key) = vault.filter(|_| !act.policy.secure_mode) else { return Ok(None) };
    Ok(Some(key.seal(token, &db.installation()?, dice)))
}

/// How many other ids are tried for a new token: each is taken once in ages.
const IDS: usize = 16;

/// The token under an id that no row has, and no token had that was ended here.
///
/// # Errors
/// What the database gave.
pub fn free(db: &dyn Transaction, mut token: PlainToken, dice: &mut Dice) -> Result<PlainToken, StoreError> {
    for _ in 0..IDS {
        match db.pat(token.id()) {
            Ok(None) if db.tombstone(token.id())?.is_none() => return Ok(token),
            // A row that cannot be read has its id, too.
            Ok(_) | Err(StoreError::BadRow(_)) => token = token.under_another_id(dice),
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Damaged(format!("{IDS} random ids were taken, one after the other")))
}

/// Adds the row of a new token and its audit row, however the token comes about; `detail` says how.
///
/// # Errors
/// What the database gave.
pub fn insert(
    change: &mut dyn Transaction,
    act: &Act<'_>,
    row: &NewPat<'_>,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    let row = &NewPat { issued_by: Some(act.actor.name()), ..*row };
    if !change.insert(row)? {
        // 50 random bits met a token that exists: once in ages, and asking again mends it.
        return Err(StoreError::Busy);
    }
    let entry = act.done(row.created_at, Action::Create, row.id.as_str(), row.user);
    change.audit(&Entry { detail, ..entry })?;
    notice::enqueue(change, act, row, Kind::Created)?;
    Ok(())
}

impl Draft {
    fn user(&self) -> Option<&str> {
        self.user.as_ref().map(User::as_str)
    }

    fn row<'r>(
        &'r self,
        id: TokenId,
        name: &'r str,
        verifier: &'r Verifier,
        (created_at, expires_at): (Moment, Option<Moment>),
        policy: &Policy,
    ) -> NewPat<'r> {
        NewPat {
            id,
            name,
            user: self.user(),
            email: self.email.as_ref().map(Email::as_str),
            auth: self.auth,
            verifier,
            created_at,
            expires_at,
            rules: self.rules.as_deref(),
            sealed: None,
            secure: policy.secure_mode,
            note: self.note.as_ref().map(Note::as_str),
            notify_to: self.notify_to.as_ref().map(Recipients::as_str),
            issued_by: None,
        }
    }
}

fn admit(
    act: &Act<'_>,
    draft: &Draft,
    name: &str,
    now: Moment,
    held: u64,
) -> Result<Option<Moment>, IssueError> {
    let refused = |refusal| IssueError::Refused { refusal, user: draft.user.clone() };
    if let Authority::Owner(owner) = act.authority
        && draft.user().is_none_or(|user| !is_same(user, owner))
    {
        return Err(refused(Refusal::OtherUser));
    }
    if draft.user.is_none() && act.policy.enabled && !act.policy.any_user_allowed {
        return Err(refused(Refusal::AnyUserForbidden));
    }
    act.policy.admit(name, draft.lifetime, now, held).map_err(refused)
}

/// `token-20261121-7k3m9xq2v8`: says when, and cannot be taken. A short limit keeps its end.
#[must_use]
pub fn default_name(policy: &Policy, now: Moment, token: &PlainToken) -> String {
    let name = format!("token-{}-{}", now.compact_date(), token.id());
    name[name.len().saturating_sub(policy.name_length)..].to_owned()
}
