//! Changing a token: its fields and its lines, in one transaction, with what they were before.

use super::Act;
use super::clock::Reading;
use super::look::{self, LookError};
use super::unfit::Unfit;
use crate::domain::audit::{Action, Entry};
use crate::domain::id::IdPrefix;
use crate::domain::lifetime::Lifetime;
use crate::domain::moment::Moment;
use crate::domain::notice::Recipients;
use crate::domain::pat::{AuthMethods, Notified, Pat};
use crate::domain::policy::Refusal;
use crate::domain::restriction::{Base, RuleError, Rules};
use crate::domain::text::{Email, Note, Optional};
use crate::domain::token::TokenId;
use crate::store::{Amended, Durability, Read, Store, StoreError, Transaction};
use crate::wire::change::Changes;

/// What is asked for; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Another name.
    pub name: Option<String>,
    /// Another end; a duration counts from now.
    pub lifetime: Option<Lifetime>,
    /// Other lines.
    pub rules: Option<RuleWish>,
    /// Other ways to present it.
    pub auth: Option<AuthMethods>,
    /// Another remark, or none.
    pub note: Option<Optional<Note>>,
    /// Another address for Basic, or none.
    pub email: Option<Optional<Email>>,
    /// Another address for mails, or none.
    pub notify_to: Option<Optional<Recipients>>,
}

/// What becomes of the lines of a token; each was parsed on its own.
#[derive(Clone, Debug)]
pub enum RuleWish {
    /// These, in place of all.
    Replace(Vec<String>),
    /// No restriction: it may do everything.
    Lift,
    /// Some go, some come behind the others.
    Adjust {
        /// Those that go.
        remove: Vec<Pick>,
        /// Those that come; one that is there already does not come twice.
        add: Vec<String>,
    },
}

/// A line of a token, as a person names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pick {
    /// By its number, from 1, before anything is changed.
    Number(usize),
    /// By its text.
    Text(String),
}

/// A token before and after an edit.
#[derive(Clone, Debug)]
pub struct Edited {
    /// As it was.
    pub before: Version,
    /// As it is now.
    pub after: Version,
}

/// A token with its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// The token.
    pub pat: Pat,
    /// What it may do, line by line; `None`: everything.
    pub rules: Option<Vec<String>>,
}

impl Edited {
    /// What is different.
    #[must_use]
    pub fn changes(&self) -> Changes<'_> {
        let (before, after) = (&self.before, &self.after);
        Changes::between((&before.pat, before.rules.as_deref()), (&after.pat, after.rules.as_deref()))
    }
}

/// Nothing was changed.
#[derive(Clone, Debug)]
pub enum EditError {
    /// It is not known which token is meant.
    Look(LookError),
    /// This token is not changed.
    Unfit(TokenId, Unfit),
    /// The policy says no.
    Refused(Refusal),
    /// A token for any user has no address of its own.
    AnyUser(TokenId),
    /// No line has this number or this text.
    NoSuchLine(TokenId, Pick),
    /// No line would be left.
    NoLineLeft(TokenId),
    /// The lines cannot be kept together.
    Rules(Vec<RuleError>),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for EditError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LookError> for EditError {
    fn from(error: LookError) -> Self {
        Self::Look(error)
    }
}

/// What [`edit`] would do.
///
/// # Errors
/// [`EditError`]
pub fn preview(
    store: &dyn Store,
    act: &Act<'_>,
    id: &IdPrefix,
    wish: &Wish,
    base: Option<&Base>,
) -> Result<Edited, EditError> {
    plan(store, act, id, wish, base, (act.clock)())
}

/// Changes a token; where nothing differs, nothing is written.
///
/// # Errors
/// [`EditError`]; then nothing was changed.
pub fn edit(
    store: &mut dyn Store,
    act: &Act<'_>,
    id: &IdPrefix,
    wish: &Wish,
    base: Option<&Base>,
) -> Result<Edited, EditError> {
    let mut change = store.begin(Durability::Full)?;
    let now = (act.clock)();
    let edited = plan(change.as_ref(), act, id, wish, base, now)?;
    let changes = edited.changes();
    if changes.is_empty() {
        return Ok(edited);
    }
    keep(change.as_mut(), act, &edited, &changes.to_text(), now)?;
    change.commit()?;
    Ok(edited)
}

fn keep(
    change: &mut dyn Transaction,
    act: &Act<'_>,
    edited: &Edited,
    changes: &str,
    now: Moment,
) -> Result<(), EditError> {
    let Version { pat, rules } = &edited.after;
    let amended = change.amend(
        pat.id,
        &Amended {
            name: &pat.name,
            email: pat.email.as_deref(),
            auth: pat.auth,
            expires_at: pat.life.expires_at,
            note: pat.note.as_deref(),
            notify_to: pat.notify_to.as_deref(),
            rules: rules.as_deref(),
            forgets_mails: pat.life.expires_at != edited.before.pat.life.expires_at,
        },
    )?;
    if !amended {
        return Err(StoreError::Damaged("a token that was read cannot be changed".to_owned()).into());
    }
    let entry = act.done(now, Action::Edit, pat.id.as_str(), pat.user.as_deref());
    change.audit(&Entry { changes: Some(changes), ..entry })?;
    Ok(())
}

fn plan(
    db: &(impl Read + ?Sized),
    act: &Act<'_>,
    id: &IdPrefix,
    wish: &Wish,
    base: Option<&Base>,
    now: Moment,
) -> Result<Edited, EditError> {
    let pat = look::find(db, act.authority, id)?;
    let reading = Reading::of(db, now)?;
    if let Some(why) = Unfit::by(reading, |now| Unfit::to_edit(&pat, now)) {
        return Err(EditError::Unfit(pat.id, why));
    }
    let rules = if pat.restricted { Some(db.restrictions(pat.id)?) } else { None };
    let mut after = Version { pat: pat.clone(), rules: rules.clone() };
    fields(&mut after.pat, act, wish, reading)?;
    if let Some(wish) = &wish.rules {
        after.rules = lines(pat.id, rules.as_deref(), wish)?;
        after.pat.restricted = after.rules.is_some();
    }
    if let Some(lines) = after.rules.as_deref().filter(|lines| rules.as_deref() != Some(lines)) {
        let parsed = Rules::parse(&lines.join("\n"), base).map_err(EditError::Rules)?;
        parsed.compile().map_err(EditError::Rules)?;
    }
    let mut edited = Edited { before: Version { pat, rules }, after };
    if !edited.changes().is_empty() {
        edited.after.pat.version += 1;
    }
    Ok(edited)
}

/// Gives a token its new fields, each checked as a creation checks it. What stays the same is not
/// checked: today's limits bind what is new.
fn fields(pat: &mut Pat, act: &Act<'_>, wish: &Wish, reading: Reading) -> Result<(), EditError> {
    let now = reading.clock;
    if let Some(name) = wish.name.as_ref().filter(|name| **name != pat.name) {
        act.policy.check_name(name).map_err(EditError::Refused)?;
        pat.name.clone_from(name);
    }
    if let Some(lifetime) = wish.lifetime.filter(|lifetime| lifetime.ends(now) != pat.life.expires_at) {
        // The time alone decides: what else is against the token does not make it any younger.
        let ended = |now| pat.life.expires_at.filter(|at| now >= *at).map(|at| Unfit::Expired { at });
        if let Some(why) = Unfit::by(reading, ended) {
            return Err(EditError::Unfit(pat.id, why));
        }
        pat.life.expires_at = act.policy.extend(&pat.life, lifetime, now).map_err(EditError::Refused)?;
        pat.notified = Notified::NotSent;
    }
    if let Some(auth) = wish.auth {
        pat.auth = auth;
    }
    let text = |email: &Email| email.as_str().to_owned();
    if let Some(Optional(email)) = &wish.email {
        if pat.user.is_none() && email.is_some() {
            return Err(EditError::AnyUser(pat.id));
        }
        pat.email = email.as_ref().map(text);
    }
    if let Some(Optional(address)) = &wish.notify_to {
        pat.notify_to = address.as_ref().map(|list| list.as_str().to_owned());
    }
    if let Some(Optional(note)) = &wish.note {
        pat.note = note.as_ref().map(|note| note.as_str().to_owned());
    }
    Ok(())
}

/// The lines a token has after the wish; `None`: it may do everything.
fn lines(id: TokenId, before: Option<&[String]>, wish: &RuleWish) -> Result<Option<Vec<String>>, EditError> {
    let (remove, add) = match wish {
        RuleWish::Lift => return Ok(None),
        RuleWish::Replace(lines) => return Ok(Some(lines.clone())),
        RuleWish::Adjust { remove, add } => (remove, add),
    };
    let before = before.unwrap_or_default();
    for pick in remove {
        if !before.iter().enumerate().any(|(index, line)| pick.means(index, line)) {
            return Err(EditError::NoSuchLine(id, pick.clone()));
        }
    }
    let goes = |index, line: &str| remove.iter().any(|pick| pick.means(index, line));
    let mut after: Vec<String> = before
        .iter()
        .enumerate()
        .filter(|(index, line)| !goes(*index, line))
        .map(|(_, line)| line.clone())
        .collect();
    for line in add {
        if !after.contains(line) {
            after.push(line.clone());
        }
    }
    // Without a line it would allow nothing, which nobody means by taking a line away.
    if after.is_empty() { Err(EditError::NoLineLeft(id)) } else { Ok(Some(after)) }
}

impl Pick {
    fn means(&self, index: usize, line: &str) -> bool {
        match self {
            Self::Number(number) => index + 1 == *number,
            Self::Text(text) => line == text,
        }
    }
}
