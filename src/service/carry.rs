//! Tokens from one patctl to another, without what proves their secrets: who has the file can use none of
//! them, and neither can who imports it. A successor of each gets a new secret.

use super::Act;
use super::import::bring_back;
use crate::domain::actor::ClientAddress;
use crate::domain::audit::{Action, Entry, MANY};
use crate::domain::moment::Moment;
use crate::domain::notice::Recipients;
use crate::domain::pat::{Life, Pat};
use crate::domain::restriction::{Base, Rules};
use crate::domain::text::{Email, Note, User, is_hidden};
use crate::domain::token::{self, TokenId};
use crate::store::contract::Result;
use crate::store::spool::Spool;
use crate::store::{Durability, Read, Store, StoreError};
use crate::wire::carry::{Line, SHAPE};
use std::collections::HashSet;
use std::str::FromStr;

/// A token that was read from a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brought {
    /// The token.
    pub pat: Pat,
    /// Its restrictions, line by line.
    pub rules: Vec<String>,
}

/// What becomes of the tokens of a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counted {
    /// New here.
    pub imported: u64,
    /// Here already, just so.
    pub present: u64,
    /// Ids that are here and are another token, or the same in another state.
    pub conflicts: Vec<TokenId>,
    /// Ids of tokens that were ended here and are deleted.
    pub ended: Vec<TokenId>,
}

/// The tokens of a file. Each line was read once and waits in a [`Spool`]; in memory are the ids alone.
pub struct Tokens {
    lines: Spool,
    ids: HashSet<TokenId>,
    base: Option<Base>,
}

/// Why a line was not added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LineError {
    /// It is no token, or the token of an earlier line, and why.
    Wrong(String),
    /// It could not be kept.
    Store(StoreError),
}

impl Tokens {
    /// None yet; `base` is the URL below which restrictions are.
    ///
    /// # Errors
    /// There is no room for them.
    pub fn new(base: Option<Base>) -> Result<Self> {
        Ok(Self { lines: Spool::new()?, ids: HashSet::new(), base })
    }

    /// Adds the token of a line, which has this number in its file.
    ///
    /// # Errors
    /// [`LineError`]
    pub fn push(&mut self, number: u64, line: &[u8]) -> std::result::Result<(), LineError> {
        let id = read(line, self.base.as_ref()).map_err(LineError::Wrong)?.pat.id;
        if !self.ids.insert(id) {
            return Err(LineError::Wrong(format!("{id} is there twice")));
        }
        self.lines.push(number, line).map_err(LineError::Store)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.lines.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn each(&self, each: &mut dyn FnMut(&Brought) -> Result<()>) -> Result<()> {
        self.lines.each(&mut |number, line| {
            // It could be read before: the file in which it waited is damaged.
            let brought = read(line, self.base.as_ref())
                .map_err(|why| StoreError::Damaged(format!("line {number}, read again: {why}")))?;
            each(&brought)
        })
    }
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it.
pub fn read(line: &[u8], base: Option<&Base>) -> std::result::Result<Brought, String> {
    let line = Line::parse(line)?;
    if line.patctl != SHAPE {
        return Err(format!("its shape is {}, this patctl knows {SHAPE}", line.patctl));
    }
    let moments = Life {
        created_at: field("created_at", &line.created_at)?,
        expires_at: maybe("expires_at", line.expires_at.as_deref())?,
        revoked_at: maybe("revoked_at", line.revoked_at.as_deref())?,
        disabled_at: maybe("disabled_at", line.disabled_at.as_deref())?,
        rotated_at: maybe("rotated_at", line.rotated_at.as_deref())?,
        last_used_at: maybe("last_used_at", line.last_used_at.as_deref())?,
    };
    let rules = line.restrictions.clone().unwrap_or_default();
    if rules.iter().any(|rule| rule.contains('\n')) {
        return Err("restrictions: one of them is several lines".to_owned());
    }
    if !rules.is_empty() {
        Rules::parse(&rules.join("\n"), base).and_then(|rules| rules.hold_no_token()).map_err(|errors| {
            format!("restrictions: {}", errors.first().map_or_else(String::new, ToString::to_string))
        })?;
    }
    let user = text::<User>("user", line.user.as_deref())?.map(String::from);
    let email = text::<Email>("email", line.email.as_deref())?.map(String::from);
    // Older versions stored any address that Basic accepts.
    let notify_to = match line.notify_to.as_deref().and_then(|list| list.parse::<Recipients>().ok()) {
        Some(list) => Some(list.as_str().to_owned()),
        None => text::<Email>("notify_to", line.notify_to.as_deref())?.map(String::from),
    };
    text::<Note>("note", line.note.as_deref())?;
    text::<Note>("revoke_reason", line.revoke_reason.as_deref())?;
    if line.name.trim().is_empty() || line.name.chars().any(is_hidden) || token::mask(&line.name) != line.name
    {
        return Err("name: it is blank, or holds what a name must not hold".to_owned());
    }
    let pat = Pat {
        id: field("id", &line.id)?,
        name: line.name,
        user,
        email,
        auth: field("auth", &line.auth)?,
        life: moments,
        revoke_reason: line.revoke_reason,
        restricted: line.restrictions.is_some(),
        secure: line.secure,
        note: line.note,
        notify_to,
        successor: maybe("successor", line.successor.as_deref())?,
        predecessor: maybe("predecessor", line.predecessor.as_deref())?,
        ends_predecessor: line.ends_predecessor,
        reused_at: maybe::<Moment>("reused_at", line.reused_at.as_deref())?,
        notified: field("notified", &line.notified)?,
        damaged: false,
        version: 1,
        issued_by: text::<Note>("issued_by", line.issued_by.as_deref())?.map(|name| name.as_str().to_owned()),
        last_used_from: maybe::<ClientAddress>("last_used_from", line.last_used_from.as_deref())?
            .map(|client| client.to_string()),
    };
    Ok(Brought { pat, rules })
}

fn field<T: FromStr>(name: &str, text: &str) -> std::result::Result<T, String> {
    text.parse().map_err(|_| format!("{name}: cannot be read"))
}

fn maybe<T: FromStr>(name: &str, text: Option<&str>) -> std::result::Result<Option<T>, String> {
    text.map(|text| field(name, text)).transpose()
}

/// A text that must be one that could have been typed here.
fn text<T: FromStr<Err: std::fmt::Display>>(
    name: &str,
    text: Option<&str>,
) -> std::result::Result<Option<T>, String> {
    text.map(|text| text.parse::<T>().map_err(|why| format!("{name}: {why}"))).transpose()
}

/// Whether there is such a token, just so; `None`: there is none.
fn is_here(db: &(impl Read + ?Sized), brought: &Brought) -> Result<Option<bool>> {
    let stored = match db.token(brought.pat.id) {
        Err(StoreError::BadRow(_)) => return Ok(Some(false)),
        read => read?,
    };
    let Some(stored) = stored else { return Ok(None) };
    let rules = if stored.pat.restricted { db.restrictions(brought.pat.id)? } else { Vec::new() };
    Ok(Some(Pat { version: 1, ..stored.pat } == brought.pat && rules == brought.rules))
}

/// What [`import`] would do; `None` for a store: there is no database yet.
///
/// # Errors
/// What the database gave.
pub fn preview(store: Option<&dyn Store>, all: &Tokens, back: &[TokenId]) -> Result<Counted> {
    let mut counted = Counted::default();
    all.each(&mut |brought| {
        let here = store.map(|store| is_here(store, brought)).transpose()?.flatten();
        let id = brought.pat.id;
        if here.is_none()
            && !back.contains(&id)
            && store.map_or(Ok(None), |store| store.tombstone(id))?.is_some()
        {
            counted.ended.push(id);
        } else {
            count(&mut counted, here, brought);
        }
        Ok(())
    })?;
    Ok(counted)
}

fn count(counted: &mut Counted, here: Option<bool>, brought: &Brought) {
    match here {
        None => counted.imported += 1,
        Some(true) => counted.present += 1,
        Some(false) => counted.conflicts.push(brought.pat.id),
    }
}

/// Takes in all that are not here, in one transaction; with a conflict, none. What was ended here comes in only
/// where its id is one of `back`.
///
/// # Errors
/// What the database gave; then nothing was imported.
pub fn import(
    store: &mut dyn Store,
    act: &Act<'_>,
    all: &Tokens,
    source: &str,
    back: &[TokenId],
    each: &mut dyn FnMut(u64),
) -> Result<Counted> {
    let mut change = store.begin(Durability::Full)?;
    change.check_ends()?;
    let mut counted = Counted::default();
    all.each(&mut |brought| {
        let here = is_here(change.as_ref(), brought)?;
        let id = brought.pat.id;
        each(1);
        if here.is_none() && !bring_back(change.as_mut(), act, id, back)? && change.tombstone(id)?.is_some() {
            counted.ended.push(id);
            return Ok(());
        }
        count(&mut counted, here, brought);
        if here.is_none() && !change.carry(&brought.pat, &brought.rules)? {
            return Err(StoreError::Damaged(format!("{id} is there and is not")));
        }
        Ok(())
    })?;
    if counted.conflicts.is_empty() && counted.imported > 0 {
        let detail = format!("{} tokens without verifiers from {source}", counted.imported);
        let entry = act.done((act.clock)(), Action::Import, MANY, None);
        change.audit(&Entry { detail: Some(&detail), ..entry })?;
        change.commit()?;
    }
    Ok(counted)
}
