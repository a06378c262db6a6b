//! What every store must do. SQLite is behind it today; another database is another room.

use super::amend::Amend;
use super::carry::Carry;
use super::census::Census;
use super::error::StoreError;
use super::intake::{Export, Intake, Origins};
use super::integrity::{Reseal, Sealed};
use super::log::{Log, Trim};
use super::outbox::{Outbox, OutboxChange};
use super::survey::Survey;
use super::uses::{Basis, RowVersion, Use, Written};
use crate::domain::actor::ClientAddress;
use crate::domain::audit::{Entry, Record};
use crate::domain::cache::{CacheLimits, Proved};
use crate::domain::filter::{Filter, Order};
use crate::domain::id::IdPrefix;
use crate::domain::integrity::Damage;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::{AuthMethods, Pat};
use crate::domain::token::TokenId;
use crate::domain::verifier::{Verifier, VerifierError, Work};
use std::ops::ControlFlow;

/// The result of every call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// How durable a commit is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// Survives a power cut once committed; and the database file alone holds it once the store is
    /// closed. For every change.
    Full,
    /// As [`Full`](Self::Full), but one of many: the file alone holds it once the log has grown long or
    /// [`settle`](crate::store::log::Log::settle) was called. For work in many small steps.
    Step,
    /// Survives the death of the process; a power cut may lose the last moments. For mere use.
    Relaxed,
}

/// A token with what proves its secret; a verifier that cannot be trusted is kept as such.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The token.
    pub pat: Pat,
    /// Its verifier, parsed and bounded.
    pub verifier: std::result::Result<Verifier, VerifierError>,
    /// When its secret was last proved, where that is remembered.
    pub proved: Option<Proved>,
}

/// All that a decision about a token rests on.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The token.
    pub stored: Stored,
    /// Its restrictions, line by line, in order.
    pub rules: Vec<String>,
    /// Whether all of that is what patctl wrote.
    pub seal: std::result::Result<(), Damage>,
    /// By what it is known again.
    pub row: RowVersion,
}

/// A token to be inserted.
#[derive(Debug)]
pub struct NewPat<'a> {
    /// The public name.
    pub id: TokenId,
    /// What its holder calls it.
    pub name: &'a str,
    /// Whose it is; `None` is anybody's.
    pub user: Option<&'a str>,
    /// Also accepted as the user name of Basic.
    pub email: Option<&'a str>,
    /// How it may be presented.
    pub auth: AuthMethods,
    /// What proves its secret.
    pub verifier: &'a Verifier,
    /// When it was made.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// What it may do, line by line; `None`: everything.
    pub rules: Option<&'a [String]>,
    /// Whether it was made in secure mode.
    pub secure: bool,
    /// Its secret, sealed for [`Read::installation`]; never in secure mode.
    pub sealed: Option<&'a [u8]>,
    /// A remark.
    pub note: Option<&'a str>,
    /// Where mails about it go.
    pub notify_to: Option<&'a str>,
    /// Who issues it.
    pub issued_by: Option<&'a str>,
}

/// Which rows, seen from when, in which number.
#[derive(Debug)]
pub struct Query<'a> {
    /// The choice.
    pub filter: &'a Filter,
    /// The order.
    pub order: Order,
    /// The moment that states refer to.
    pub now: Moment,
    /// How long before its end a token expires "soon".
    pub expiry_warning: Span,
    /// At most so many rows.
    pub limit: Option<u64>,
}

/// A row with its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The number, in the order of insertion.
    pub seq: i64,
    /// The token in it.
    pub pat: Pat,
}

/// Receives one row after the other and may stop.
pub type EachPat<'a> = &'a mut dyn FnMut(&Pat) -> ControlFlow<()>;

/// What can be read: outside a transaction as it is committed at that instant, inside one as it will
/// be when that commits.
pub trait Read {
    /// The token with this id.
    ///
    /// # Errors
    /// [`StoreError`], as for every call here.
    fn token(&self, id: TokenId) -> Result<Option<Stored>>;

    /// The same without what proves its secret, where nothing is proved.
    ///
    /// # Errors
    /// [`StoreError`]
    fn pat(&self, id: TokenId) -> Result<Option<Pat>>;

    /// The token with this id, and whether its row is to be believed.
    ///
    /// # Errors
    /// [`StoreError`]
    fn evidence(&self, id: TokenId) -> Result<Option<Evidence>>;

    /// The lines of a restricted token, in order.
    ///
    /// # Errors
    /// [`StoreError`]
    fn restrictions(&self, id: TokenId) -> Result<Vec<String>>;

    /// The sealed secret of a token; `None`: only the verifier is kept.
    ///
    /// # Errors
    /// [`StoreError`]
    fn sealed(&self, id: TokenId) -> Result<Option<Vec<u8>>>;

    /// The name of this database, which no other has.
    ///
    /// # Errors
    /// [`StoreError`]
    fn installation(&self) -> Result<String>;

    /// The tokens whose id begins so, in the order of their ids, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn with_prefix(&self, prefix: &IdPrefix, limit: u32) -> Result<Vec<Pat>>;

    /// The tokens that a filter chooses, in an order, as a stream.
    ///
    /// # Errors
    /// [`StoreError`]
    fn list(&self, query: &Query<'_>, each: EachPat<'_>) -> Result<()>;

    /// The same, each looked at whether it is what patctl wrote.
    ///
    /// # Errors
    /// [`StoreError`]
    fn list_checked(&self, query: &Query<'_>, each: EachPat<'_>) -> Result<()>;

    /// How many rows of the user count against the limit: all that are not revoked.
    ///
    /// # Errors
    /// [`StoreError`]
    fn held(&self, user: Option<&str>) -> Result<u64>;

    /// What verifying some token takes: the nearest of those that were imported, for the id of an imported
    /// one, else of the others. An unknown id is made to cost that, so that it takes as long as those
    /// there are, whatever the configuration says today.
    ///
    /// # Errors
    /// [`StoreError`]
    fn work_near(&self, id: TokenId) -> Result<Option<Work>>;

    /// The greatest time of any row of the audit log, as far as it is believed: a use that is dated far ahead of all
    /// before it leaves it alone.
    ///
    /// # Errors
    /// [`StoreError`]
    fn mark(&self) -> Result<Moment>;
}

/// A database of tokens.
pub trait Store: Read + Log + Outbox + Census + Survey + Origins + Export + Sealed {
    /// The latest audit rows about a token, latest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn history(&self, id: TokenId, limit: u32) -> Result<Vec<Record>>;

    /// The rows numbered above `after` that expired or were revoked before `before`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn prunable(&self, before: Moment, after: i64, limit: u32) -> Result<Vec<Row>>;

    /// The number of the last row that [`prunable`](Self::prunable) would answer.
    ///
    /// # Errors
    /// [`StoreError`]
    fn last_prunable(&self, before: Moment, after: i64, limit: u32) -> Result<Option<i64>>;

    /// The users who hold tokens and whose names begin so, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn users(&self, prefix: &str, limit: u32) -> Result<Vec<String>>;

    /// Other spellings of a user that a person takes for the same one, with how many tokens each holds that
    /// are not revoked.
    ///
    /// # Errors
    /// [`StoreError`]
    fn spellings(&self, user: &str) -> Result<Vec<(String, u64)>>;

    /// Takes the write lock, waiting for it as long as the store waits at all.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the lock was not to be had.
    fn begin(&mut self, durability: Durability) -> Result<Box<dyn Transaction + '_>>;

    /// Writes down uses that were decided on, in one transaction; answers for each, in their order, whether it was.
    ///
    /// # Errors
    /// [`StoreError`]; then none of them is.
    fn record_uses(
        &mut self,
        uses: &[Use<'_>],
        clock: &dyn Fn() -> Moment,
        durability: Durability,
    ) -> Result<Vec<Written>> {
        let mut change = self.begin(durability)?;
        let written = change.record_uses(uses, clock)?;
        change.commit()?;
        Ok(written)
    }
}

/// A change in the making, under the write lock. Dropped, nothing has happened.
pub trait Transaction: Read + Trim + Amend + OutboxChange + Intake + Reseal + Carry {
    /// Adds a token; false when the id is taken.
    ///
    /// # Errors
    /// [`StoreError`], as for every call here.
    fn insert(&mut self, pat: &NewPat<'_>) -> Result<bool>;

    /// Takes a token back; false when it was revoked already or is not there.
    ///
    /// # Errors
    /// [`StoreError`]
    fn revoke(&mut self, id: TokenId, at: Moment, reason: Option<&str>) -> Result<bool>;

    /// Whether a decision that rests on this holds.
    ///
    /// # Errors
    /// [`StoreError`]
    fn is_as_read(&self, id: TokenId, basis: &Basis) -> Result<bool>;

    /// [`Store::record_uses`] as a part of a change.
    ///
    /// # Errors
    /// [`StoreError`]
    fn record_uses(&mut self, uses: &[Use<'_>], clock: &dyn Fn() -> Moment) -> Result<Vec<Written>> {
        let (now, mark) = (clock(), self.latest());
        let mut written = Vec::with_capacity(uses.len());
        for used in uses {
            let stands = used.until.is_none_or(|until| now.max(mark) < until)
                && self.is_as_read(used.id, &used.basis)?;
            written.push(if stands { Written::Done } else { Written::Again { mark } });
        }
        // All was compared before anything of it is written: a token may be used several times.
        let mut entries = Vec::with_capacity(uses.len());
        for used in
            uses.iter().zip(&written).filter(|(_, written)| **written == Written::Done).map(|(used, _)| used)
        {
            if let Some((old, new)) = used.renew {
                self.renew(used.id, old, new)?;
            }
            if let Some((proved, limits)) = &used.remember {
                self.remember(used.id, proved, *limits)?;
            }
            if used.touch {
                self.touch(used.id, now, used.entry.meta.client)?;
            }
            if used.reused {
                self.reused(used.id, now)?;
            }
            entries.push(Entry { at: now, ..used.entry.clone() });
        }
        self.audit_all(&entries)?;
        Ok(written)
    }

    /// Notes a use, and from where.
    ///
    /// # Errors
    /// [`StoreError`]
    fn touch(&mut self, id: TokenId, at: Moment, client: Option<ClientAddress>) -> Result<()>;

    /// Remembers that a secret was right. What cannot count any longer, and the oldest beyond the limits, is
    /// forgotten.
    ///
    /// # Errors
    /// [`StoreError`]
    fn remember(&mut self, id: TokenId, proved: &Proved, limits: CacheLimits) -> Result<()>;

    /// Replaces a verifier by one of the same secret, if it still is `old`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn renew(&mut self, id: TokenId, old: &Verifier, new: &Verifier) -> Result<()>;

    /// Deletes the rows numbered above `after` up to `upto` that [`Store::prunable`] answers for `before`, and
    /// answers them in their order. Of those that were ended here a tombstone of the day of `at` is left.
    ///
    /// # Errors
    /// [`StoreError`]
    fn prune(&mut self, before: Moment, after: i64, upto: i64, at: Moment) -> Result<Vec<Pat>>;

    /// Writes an audit row, as the next of the chain.
    ///
    /// # Errors
    /// [`StoreError`]
    fn audit(&mut self, entry: &Entry<'_>) -> Result<()>;

    /// Writes many, in their order.
    ///
    /// # Errors
    /// [`StoreError`]
    fn audit_all(&mut self, entries: &[Entry<'_>]) -> Result<()> {
        entries.iter().try_for_each(|entry| self.audit(entry))
    }

    /// Makes it so.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing has happened.
    fn commit(self: Box<Self>) -> Result<()>;
}
