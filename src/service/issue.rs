//! Issuing a token: hash first, then one transaction that hands the secret over before it commits.

use super::Act;
use crate::domain::audit::{Action, Entry, Outcome};
use crate::domain::dice::Dice;
use crate::domain::lifetime::Lifetime;
use crate::domain::moment::Moment;
use crate::domain::pat::AuthMethods;
use crate::domain::policy::Refusal;
use crate::domain::text::{Note, User};
use crate::domain::token::PlainToken;
use crate::domain::verifier::Verifier;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::store::{Durability, NewPat, Store, StoreError};
use std::io;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What its holder calls it; a readable, unique name is made where there is none.
    pub name: Option<String>,
    /// Whose it will be.
    pub user: User,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// How it may be presented.
    pub auth: AuthMethods,
    /// A remark.
    pub note: Option<Note>,
}

/// A token that was made, with its secret.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: PlainToken,
    /// What its holder calls it.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// How it may be presented.
    pub auth: AuthMethods,
    /// When it was made.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Option<Moment>,
}

/// No token was made.
#[derive(Debug)]
pub enum IssueError {
    /// The policy says no.
    Refused {
        /// Why.
        refusal: Refusal,
        /// To whom.
        user: String,
    },
    /// The secret could not be handed over; the transaction was rolled back.
    Undelivered(io::Error),
    /// The configured Argon2 parameters do not fit together.
    Cost,
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for IssueError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Hands the secret to its holder: the last step before the commit.
pub type Deliver<'a> = &'a mut dyn FnMut(&Issued) -> io::Result<()>;

/// The checks of [`issue`], before there is a database and before anything is hashed.
///
/// # Errors
/// [`IssueError::Refused`], or what reading the database gave.
pub fn precheck(store: Option<&dyn Store>, act: &Act<'_>, draft: &Draft) -> Result<(), IssueError> {
    let held = store.map_or(Ok(0), |store| store.held(draft.user.as_str()))?;
    // A name that is made later always passes.
    let name = draft.name.as_deref().unwrap_or("x");
    admit(act, draft, name, (act.clock)(), held).map(|_| ())
}

/// Makes a token, hands it over with `deliver`, and only then commits.
///
/// # Errors
/// [`IssueError`]; then there is no token.
pub fn issue(
    store: &mut dyn Store,
    act: &Act<'_>,
    dice: &mut Dice,
    draft: &Draft,
    deliver: Deliver<'_>,
) -> Result<Issued, IssueError> {
    let token = PlainToken::generate(&act.policy.prefix, dice);
    let verifier = Verifier::make(&token, act.policy.cost, dice).map_err(|_| IssueError::Cost)?;
    let mut change = store.begin(Durability::Full)?;
    let created_at = (act.clock)();
    let user = draft.user.as_str();
    let name = draft.name.clone().unwrap_or_else(|| default_name(act, created_at, &token));
    let expires_at = admit(act, draft, &name, created_at, change.held(user)?)?;
    let inserted = change.insert(&NewPat {
        id: token.id(),
        name: &name,
        user,
        auth: draft.auth,
        verifier: &verifier,
        created_at,
        expires_at,
        secure: act.policy.secure_mode,
        note: draft.note.as_ref().map(Note::as_str),
    })?;
    if !inserted {
        // 50 random bits met a token that exists: once in ages, and asking again mends it.
        return Err(IssueError::Store(StoreError::Busy));
    }
    change.audit(&Entry {
        at: created_at,
        actor: act.actor,
        action: Action::Create,
        token_id: token.id().as_str(),
        user: Some(user),
        effective_user: None,
        outcome: Outcome::Done,
        reason: None,
    })?;
    let issued = Issued { token, name, user: user.to_owned(), auth: draft.auth, created_at, expires_at };
    deliver(&issued).map_err(IssueError::Undelivered)?;
    change.commit()?;
    Ok(issued)
}

fn admit(
    act: &Act<'_>,
    draft: &Draft,
    name: &str,
    now: Moment,
    held: u64,
) -> Result<Option<Moment>, IssueError> {
    act.policy
        .admit(name, draft.lifetime, now, held)
        .map_err(|refusal| IssueError::Refused { refusal, user: draft.user.as_str().to_owned() })
}

/// `token-20261121-7k3m9xq2v8`: says when, and cannot be taken. A short limit keeps its end.
fn default_name(act: &Act<'_>, now: Moment, token: &PlainToken) -> String {
    let name = format!("token-{}-{}", now.compact_date(), token.id());
    name[name.len().saturating_sub(act.policy.name_length)..].to_owned()
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Refused { refusal, user } => refused(refusal, &user),
            IssueError::Undelivered(error) => {
                Self::new(Exit::Io, "undelivered", format!("the token could not be handed over: {error}"))
                    .hint("no token was made; let something read stdout, or use --token-file FILE")
            }
            IssueError::Cost => Self::new(
                Exit::Config,
                "config",
                "patctl.argon2.memory.kib is too small for patctl.argon2.parallelism",
            )
            .hint("Argon2 needs at least 8 KiB for each lane"),
            IssueError::Store(error) => error.into(),
        }
    }
}

fn refused(refusal: Refusal, user: &str) -> Failure {
    let (message, hint) = match refusal {
        Refusal::Disabled => (
            "personal access tokens are switched off (atlassian.pats.enabled = false)".to_owned(),
            "switch them on in the configuration; 'patctl config check' names the file".to_owned(),
        ),
        Refusal::NameBlank => (
            "the name is blank".to_owned(),
            "say what the token is for, or leave the name out to have one made".to_owned(),
        ),
        Refusal::NameTooLong { length, max } => (
            format!("the name has {length} characters, {max} are allowed (atlassian.pats.token.name.length)"),
            "shorten it, or put the rest into --note".to_owned(),
        ),
        Refusal::NameHidden(c) => (
            format!("the name holds the invisible or control character U+{:04X}", u32::from(c)),
            "write the name without it".to_owned(),
        ),
        Refusal::ExpiryTooLong { max_days } => (
            format!("a token may live for {max_days} days at most (atlassian.pats.max.tokens.expiry.days)"),
            format!("ask for less: --expires {max_days}"),
        ),
        Refusal::ExpiryNotInFuture => (
            "the expiry is not in the future".to_owned(),
            "give a number of days (--expires 90) or a later date".to_owned(),
        ),
        Refusal::TooMany { count, max } => (
            format!(
                "{} has {count} tokens, {max} are allowed (atlassian.pats.max.tokens.per.user)",
                user.escape_debug()
            ),
            "revoke one ('patctl list', 'patctl revoke ID'), prune the expired ones, or raise the limit"
                .to_owned(),
        ),
        Refusal::EternalForbidden { max_days } => (
            "a token must have an expiry (atlassian.pats.eternal.tokens.enabled = false)".to_owned(),
            format!("give one of at most {max_days} days: --expires {max_days}"),
        ),
    };
    Failure::new(Exit::No, "refused", message).hint(hint)
}
