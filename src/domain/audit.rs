//! Who did what: the rows of the audit log.

use super::actor::{Actor, ClientAddress, RequestMeta};
use super::decision::Reason;
use super::filter::{Glob, Range};
use super::id::IdPrefix;
use super::moment::Moment;
use std::str::FromStr;

/// What stands in a row for a token where many are meant, or none.
pub const MANY: &str = "-";

/// What was done: stable words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A token was made.
    Create,
    /// A token was taken back.
    Revoke,
    /// A token was presented.
    Verify,
    /// A token was looked at by who holds it.
    Whoami,
    /// A row that had ended was deleted.
    Prune,
    /// A token was changed.
    Edit,
    /// A token was switched off.
    Disable,
    /// A token was switched on again.
    Enable,
    /// A successor was made.
    Rotate,
    /// A successor was taken back, and what it was to replace goes on.
    UndoRotate,
    /// The first use of a successor ended what it replaces.
    Switch,
    /// Tokens that a filter chose were taken back; each has a row of its own, too.
    BulkRevoke,
    /// A sealed secret was shown again.
    Reveal,
    /// Mails were sent.
    Notify,
    /// Audit rows past their retention were deleted.
    PruneAudit,
    /// Rows were sealed with a new key.
    Seal,
    /// The database was copied.
    Backup,
    /// The database was put back from a copy.
    Restore,
    /// A token was brought from elsewhere; one row speaks of all that came at once.
    Import,
    /// A token that was ended here and deleted may be imported again.
    BringBack,
    /// The clock was taken to be right although the log has later rows.
    AcceptClock,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 21] = [
        Self::Create,
        Self::Revoke,
        Self::Verify,
        Self::Whoami,
        Self::Prune,
        Self::Edit,
        Self::Disable,
        Self::Enable,
        Self::Rotate,
        Self::UndoRotate,
        Self::Switch,
        Self::BulkRevoke,
        Self::Reveal,
        Self::Notify,
        Self::PruneAudit,
        Self::Seal,
        Self::Backup,
        Self::Restore,
        Self::Import,
        Self::BringBack,
        Self::AcceptClock,
    ];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Revoke => "revoke",
            Self::Verify => "verify",
            Self::Whoami => "whoami",
            Self::Prune => "prune",
            Self::Edit => "edit",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Rotate => "rotate",
            Self::UndoRotate => "undo-rotate",
            Self::Switch => "switch",
            Self::BulkRevoke => "bulk-revoke",
            Self::Reveal => "reveal",
            Self::Notify => "notify",
            Self::PruneAudit => "prune-audit",
            Self::Seal => "seal",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Import => "import",
            Self::BringBack => "bring-back",
            Self::AcceptClock => "accept-clock",
        }
    }
}

impl FromStr for Action {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|action| action.as_str() == text).ok_or(())
    }
}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A change was made.
    Done,
    /// The answer was yes.
    Allowed,
    /// The answer was no.
    Denied(Reason),
    /// There was no answer, because something failed.
    Error(Reason),
}

impl Outcome {
    /// The words of all outcomes.
    pub const WORDS: [&str; 4] = ["done", "allowed", "denied", "error"];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Allowed => "allowed",
            Self::Denied(_) => "denied",
            Self::Error(_) => "error",
        }
    }
}

/// A row to be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// When.
    pub at: Moment,
    /// Who.
    pub actor: &'a Actor,
    /// What.
    pub action: Action,
    /// To which token; it may be one that never existed.
    pub token_id: &'a str,
    /// Whose token it is, where it is known.
    pub user: Option<&'a str>,
    /// For whom a yes was given.
    pub effective_user: Option<&'a str>,
    /// How it ended.
    pub outcome: Outcome,
    /// What the person gave as a reason; a denial has its own.
    pub reason: Option<&'a str>,
    /// For which request a token was presented.
    pub asked: Asked<'a>,
    /// What exactly was wrong; never shown to who presented a token.
    pub detail: Option<&'a str>,
    /// Of an edit: each field with what it was and what it became, as JSON.
    pub changes: Option<&'a str>,
    /// The version of the token after a change of it.
    pub version: Option<i64>,
    /// Where it came from.
    pub meta: &'a RequestMeta,
}

/// The request behind a use, as it is written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asked<'a> {
    /// Its method.
    pub method: Option<&'a str>,
    /// Its path and the names of its parameters, or all of it.
    pub url: Option<&'a str>,
}

/// The most bytes that are kept of the URL of a request whose token was not proved.
pub const SHORT_URL: usize = 200;

impl Asked<'_> {
    /// What is written down of it for somebody who proved nothing: the method, which is a known one, and the
    /// beginning of the path.
    #[must_use]
    pub fn short(self) -> Self {
        let path = self.url.map(|url| url.split(['?', '#']).next().unwrap_or_default());
        let end = |path: &str| {
            (0..=SHORT_URL.min(path.len())).rev().find(|at| path.is_char_boundary(*at)).unwrap_or(0)
        };
        let url = path.map(|path| &path[..end(path)]);
        Self { url, ..self }
    }
}

/// A row that was read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its number.
    pub seq: i64,
    /// When.
    pub at: Moment,
    /// Who, by name.
    pub actor: String,
    /// Who, by number, where it is a user of this system.
    pub actor_uid: Option<i64>,
    /// The user id of the login behind it.
    pub login_uid: Option<i64>,
    /// What.
    pub action: String,
    /// To which token; [`MANY`] where that is no single one.
    pub token_id: String,
    /// Whose token it is.
    pub user: Option<String>,
    /// For whom a yes was given.
    pub effective_user: Option<String>,
    /// How it ended.
    pub outcome: String,
    /// Why.
    pub reason: Option<String>,
    /// For which method.
    pub method: Option<String>,
    /// For which path.
    pub url: Option<String>,
    /// What exactly was wrong.
    pub detail: Option<String>,
    /// Of an edit: each field with what it was and what it became, as JSON.
    pub changes: Option<String>,
    /// The version of the token after a change of it.
    pub version: Option<i64>,
    /// Its place in the chain.
    pub hash: Option<String>,
    /// Which kind of actor: a word of [`Actor::KINDS`]; `None`: the first.
    pub actor_kind: Option<String>,
    /// The address of whoever sent the request.
    pub client: Option<String>,
    /// What the service in front calls the request.
    pub request_id: Option<String>,
    /// Which of several hosts wrote it.
    pub node: Option<String>,
}

impl Record {
    /// The token, where it is about a single one.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        Some(self.token_id.as_str()).filter(|id| *id != MANY)
    }
}

/// Which rows. Every field that is set must hold; a list holds when one of its values does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// How the id of the token begins.
    pub token: Option<IdPrefix>,
    /// Whose token it is, or for whom a yes was given.
    pub users: Vec<String>,
    /// Who, by name.
    pub actors: Vec<String>,
    /// Where the request came from.
    pub clients: Vec<ClientAddress>,
    /// What.
    pub actions: Vec<Action>,
    /// How it ended: words of [`Outcome::WORDS`].
    pub outcomes: Vec<String>,
    /// What the whole reason looks like.
    pub reasons: Vec<Glob>,
    /// When.
    pub at: Range,
}
