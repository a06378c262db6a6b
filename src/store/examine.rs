//! A database that is looked at whatever state it is in: one that every other command refuses, too.

use super::contract::Result;
use super::error::SchemaFault;
use super::log::EachPiece;
use super::space::Space;
use crate::domain::integrity::Damage;
use crate::domain::moment::Moment;

/// Whose database it is, and of which schema.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Identity {
    /// Ours, of today.
    Ours,
    /// Another program's.
    Foreign,
    /// Of an older schema, which the next use brings up to date.
    Older {
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Of a newer schema.
    Newer {
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Ours, read back from `sqlite3 .dump`, which leaves out whose it is.
    Unmarked(SchemaFault),
    /// Of today's number, with an altered schema; every fault.
    Altered(Vec<SchemaFault>),
}

/// A setting that is not what patctl sets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OddSetting {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub found: String,
    /// What it should be.
    pub due: &'static str,
}

/// A row of a token, whatever stands in it.
#[derive(Debug)]
pub struct Examined<'e> {
    /// Its id.
    pub id: &'e str,
    /// What proves its secret.
    pub verifier: &'e str,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Why it cannot be read, if so.
    pub unreadable: Option<String>,
    /// Its restrictions, line by line.
    pub rules: &'e [String],
    /// Whether it is what patctl wrote.
    pub seal: std::result::Result<(), Damage>,
}

/// A token that can be used, and where mails about it could go.
#[derive(Clone, Copy, Debug)]
pub struct Reachable<'a> {
    /// Its id.
    pub id: &'a str,
    /// Whose it is.
    pub user: Option<&'a str>,
    /// Its e-mail.
    pub email: Option<&'a str>,
    /// Where its mails were asked to go.
    pub notify_to: Option<&'a str>,
    /// Whether it stops working at a known time.
    pub ends: bool,
    /// Whether it can never be edited.
    pub secure: bool,
    /// The addresses that refused a mail about it for good, separated by commas.
    pub refused: Option<&'a str>,
}

/// Receives one row after the other.
pub type EachExamined<'a> = &'a mut dyn FnMut(&Examined<'_>);

/// A row of a token whose version is not the one that the audit log names last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misplaced {
    /// The token.
    pub id: String,
    /// The version of its row; `None`: there is no row.
    pub row: Option<i64>,
    /// The version that the log names.
    pub log: i64,
}

/// What can be asked of a database in any state. Each question stands alone: that one cannot be answered is
/// no reason not to ask the next.
pub trait Examine {
    /// Whose it is.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError), as for every call here.
    fn identity(&self) -> Result<Identity>;

    /// The notices that wait and are not what patctl wrote: the token each is about, and its recipient.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn altered_mails(&self) -> Result<Vec<(String, String)>>;

    /// Tables and indexes of other programs, which are tolerated.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn tolerated(&self) -> Result<Vec<String>>;

    /// Settings that are not as they should be.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn odd_settings(&self) -> Result<Vec<OddSetting>>;

    /// Marks a database that was read back from a dump as patctl's; false for any other.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn mark(&self) -> Result<bool>;

    /// Runs the statement that repairs a fault of the schema.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn cure(&self, cure: &str) -> Result<()>;

    /// Seals a token that was revoked by hand as revoked, and nothing else of it: a revocation only takes away.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn confirm_revocation(&self, id: &str) -> Result<()>;

    /// How much of the file is free.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn space(&self) -> Result<Space>;

    /// Sets the settings that are kept in the file.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn mend_settings(&self) -> Result<()>;

    /// What is wrong with its structure, in the database's own words.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn structure(&self) -> Result<Vec<String>>;

    /// The chain of the audit log.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn examine_chain(&self, each: EachPiece<'_>) -> Result<()>;

    /// When somebody last made a change, and each row after it: as
    /// [`Log::since_change`](super::log::Log::since_change).
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn moments(&self, each: &mut dyn FnMut(Moment)) -> Result<()>;

    /// Every token.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn examine_rows(&self, each: EachExamined<'_>) -> Result<()>;

    /// The users who hold more than `limit` tokens that count, and how many.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn crowded(&self, limit: u32) -> Result<Vec<(Option<String>, u64)>>;

    /// Every token that can be used at `now`, with its addresses.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn reachable(&self, now: Moment, each: &mut dyn FnMut(&Reachable<'_>)) -> Result<()>;

    /// Tokens whose row is older than the log says, newer than it says, or gone although the log does not say so.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn misplaced(&self) -> Result<Vec<Misplaced>>;

    /// What is wrong with the tombstones, in words.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn tombstones(&self) -> Result<Vec<String>>;

    /// Tokens that the audit log calls revoked or pruned, and the table does not.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn contradictions(&self) -> Result<Vec<(String, &'static str)>>;
}
