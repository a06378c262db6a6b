//! The audit log: its rows, its head, and whether it is whole.

use super::{Cells, Instant};
use crate::domain::actor::Actor;
use crate::domain::audit::Record;
use crate::domain::chain::{Fault, Intact, KeptHead};
use serde::Serialize;
use serde_json::Value;

/// An audit row.
#[derive(Serialize, Debug)]
pub struct Event<'a> {
    /// Its number.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// Who, by name.
    pub actor: &'a str,
    /// Who, by number; null: no user of this system.
    pub actor_uid: Option<i64>,
    /// The user id of the login behind it; null: the system keeps none.
    pub login_uid: Option<i64>,
    /// What.
    pub action: &'a str,
    /// The id of the token; null: the row is about no single one.
    pub token_id: Option<&'a str>,
    /// Whose token it is, where that is known.
    pub user: Option<&'a str>,
    /// For whom a yes was given.
    pub effective_user: Option<&'a str>,
    /// `done`, `allowed`, `denied` or `error`.
    pub outcome: &'a str,
    /// Why.
    pub reason: Option<&'a str>,
    /// For which method.
    pub method: Option<&'a str>,
    /// For which path.
    pub url: Option<&'a str>,
    /// What exactly was wrong.
    pub detail: Option<&'a str>,
    /// Of an edit: each field with what it was and what it became.
    pub changes: Option<Value>,
    /// The version of the token after a change of it.
    pub version: Option<i64>,
    /// Its hash, which covers this row and the one before.
    pub hash: Option<&'a str>,
    /// `local`, `token`, `session`, `proxy` or `job`.
    pub actor_kind: &'a str,
    /// The address of whoever sent the request; null: none was handed over.
    pub client: Option<&'a str>,
    /// What the service in front calls the request.
    pub request_id: Option<&'a str>,
    /// Which of several hosts wrote the row.
    pub node: Option<&'a str>,
}

impl<'a> From<&'a Record> for Event<'a> {
    fn from(record: &'a Record) -> Self {
        let exact = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| text.clone().into());
        Self {
            seq: record.seq,
            at: Instant(record.at),
            actor: &record.actor,
            actor_uid: record.actor_uid,
            login_uid: record.login_uid,
            action: &record.action,
            token_id: record.token(),
            user: record.user.as_deref(),
            effective_user: record.effective_user.as_deref(),
            outcome: &record.outcome,
            reason: record.reason.as_deref(),
            method: record.method.as_deref(),
            url: record.url.as_deref(),
            detail: record.detail.as_deref(),
            changes: record.changes.as_ref().map(exact),
            version: record.version,
            hash: record.hash.as_deref(),
            actor_kind: record.actor_kind.as_deref().unwrap_or(Actor::KINDS[0]),
            client: record.client.as_deref(),
            request_id: record.request_id.as_deref(),
            node: record.node.as_deref(),
        }
    }
}

impl Cells for Event<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "seq",
        "at",
        "actor",
        "actor_uid",
        "login_uid",
        "action",
        "token_id",
        "user",
        "effective_user",
        "outcome",
        "reason",
        "method",
        "url",
        "detail",
        "changes",
        "version",
        "hash",
        "actor_kind",
        "client",
        "request_id",
        "node",
    ];

    fn cells(&self) -> Vec<String> {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        vec![
            self.seq.to_string(),
            self.at.0.to_string(),
            self.actor.to_owned(),
            self.actor_uid.map_or_else(String::new, |uid| uid.to_string()),
            self.login_uid.map_or_else(String::new, |uid| uid.to_string()),
            self.action.to_owned(),
            text(self.token_id),
            text(self.user),
            text(self.effective_user),
            self.outcome.to_owned(),
            text(self.reason),
            text(self.method),
            text(self.url),
            text(self.detail),
            self.changes.as_ref().map_or_else(String::new, Value::to_string),
            self.version.map_or_else(String::new, |version| version.to_string()),
            text(self.hash),
            self.actor_kind.to_owned(),
            text(self.client),
            text(self.request_id),
            text(self.node),
        ]
    }
}

/// What `audit head -o json` prints: to be kept where who writes the database cannot write.
#[derive(Serialize, Debug)]
pub struct Head {
    /// `SEQ:HASH@FIRST`, for `audit verify --head`.
    pub head: String,
    /// The number of the last row.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
    /// The number of the first row.
    pub first: i64,
}

impl From<KeptHead> for Head {
    fn from(kept: KeptHead) -> Self {
        let (head, first) = (kept.to_string(), kept.first.unwrap_or(1));
        Self { head, seq: kept.last.seq, hash: kept.last.hash, first }
    }
}

/// What `audit verify -o json` prints.
#[derive(Serialize, Debug)]
pub struct Audited {
    /// Whether nothing was found wrong.
    pub intact: bool,
    /// How many rows there are; null: something is wrong.
    pub rows: Option<u64>,
    /// How many rows before them retention deleted; null: something is wrong.
    pub deleted: Option<i64>,
    /// The head, as `audit head` prints it; null: something is wrong.
    pub head: Option<String>,
    /// The first that is wrong; null: nothing.
    pub fault: Option<Broken>,
}

/// The first thing that is wrong with the log.
#[derive(Serialize, Debug)]
pub struct Broken {
    /// What: a stable word.
    pub kind: &'static str,
    /// The number of the row that is broken, missing or in the wrong place.
    pub seq: i64,
    /// The same for people.
    pub message: String,
}

impl From<&Result<Intact, Fault>> for Audited {
    fn from(found: &Result<Intact, Fault>) -> Self {
        let whole = found.as_ref().ok();
        let broken =
            |fault: &Fault| Broken { kind: fault.as_str(), seq: fault.seq(), message: fault.to_string() };
        Self {
            intact: whole.is_some(),
            rows: whole.map(|intact| intact.rows),
            deleted: whole.map(|intact| intact.deleted),
            head: whole.map(|intact| intact.head.to_string()),
            fault: found.as_ref().err().map(broken),
        }
    }
}
