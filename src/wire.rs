//! The JSON we promise: fields may be added, never renamed or removed.

use crate::domain::audit::Record;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::{Pat, State};
use crate::failure::Failure;
use serde::{Serialize, Serializer};

/// An instant as RFC 3339 text.
#[derive(Clone, Copy, Debug)]
pub struct Instant(pub Moment);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A token.
#[derive(Serialize, Debug)]
pub struct Token<'a> {
    /// Its public name.
    pub id: &'a str,
    /// What its holder calls it.
    pub name: &'a str,
    /// Whose it is; null: anybody's.
    pub user: Option<&'a str>,
    /// `active`, `expired`, `disabled` or `revoked`.
    pub status: &'static str,
    /// Whether it is active and ends within `atlassian.pats.expiry.warning.days`.
    pub expires_soon: bool,
    /// How it may be presented: `both`, `bearer` or `basic`.
    pub auth: &'static str,
    /// When it was issued.
    pub created_at: Instant,
    /// When it ends; null: never.
    pub expires_at: Option<Instant>,
    /// When it last gave a yes; null: never.
    pub last_used_at: Option<Instant>,
    /// When it was revoked; null: it was not.
    pub revoked_at: Option<Instant>,
    /// Why it was revoked.
    pub revoke_reason: Option<&'a str>,
    /// Whether restrictions apply.
    pub restricted: bool,
    /// Whether it was issued in secure mode.
    pub secure: bool,
    /// A remark.
    pub note: Option<&'a str>,
}

impl<'a> Token<'a> {
    /// A token as it is at `now`.
    #[must_use]
    pub fn new(pat: &'a Pat, now: Moment, warning: Span) -> Self {
        Self {
            id: pat.id.as_str(),
            name: &pat.name,
            user: pat.user.as_deref(),
            status: pat.life.state(now).as_str(),
            expires_soon: expires_soon(pat, now, warning),
            auth: pat.auth.as_str(),
            created_at: Instant(pat.life.created_at),
            expires_at: pat.life.expires_at.map(Instant),
            last_used_at: pat.life.last_used_at.map(Instant),
            revoked_at: pat.life.revoked_at.map(Instant),
            revoke_reason: pat.revoke_reason.as_deref(),
            restricted: pat.restricted,
            secure: pat.secure,
            note: pat.note.as_deref(),
        }
    }
}

/// Whether a token is active at `now` and ends within `warning`.
#[must_use]
pub fn expires_soon(pat: &Pat, now: Moment, warning: Span) -> bool {
    pat.life.state(now) == State::Active
        && pat.life.expires_at.is_some_and(|at| at <= now.saturating_plus(warning))
}

/// What `create -o json` prints: the only shape with a secret in it.
#[derive(Serialize)]
pub struct Created<'a> {
    /// The public name.
    pub id: &'a str,
    /// The whole token, shown once.
    pub token: &'a str,
    /// What its holder calls it.
    pub name: &'a str,
    /// Whose it is.
    pub user: &'a str,
    /// How it may be presented.
    pub auth: &'static str,
    /// When it was issued.
    pub created_at: Instant,
    /// When it ends; null: never.
    pub expires_at: Option<Instant>,
}

/// A token with what happened to it, latest first: `show -o json`.
#[derive(Serialize, Debug)]
pub struct Shown<'a> {
    /// The token.
    #[serde(flatten)]
    pub token: Token<'a>,
    /// Its latest audit rows.
    pub history: Vec<Event<'a>>,
}

/// An audit row.
#[derive(Serialize, Debug)]
pub struct Event<'a> {
    /// Its number.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// Who, by name.
    pub actor: &'a str,
    /// What.
    pub action: &'a str,
    /// `done`, `allowed` or `denied`.
    pub outcome: &'a str,
    /// Why.
    pub reason: Option<&'a str>,
}

impl<'a> From<&'a Record> for Event<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            seq: record.seq,
            at: Instant(record.at),
            actor: &record.actor,
            action: &record.action,
            outcome: &record.outcome,
            reason: record.reason.as_deref(),
        }
    }
}

/// The answer of `verify`, for the administrator: the presenter of a token sees none of it.
#[derive(Serialize, Debug)]
pub struct Verdict<'a> {
    /// Yes or no.
    pub allowed: bool,
    /// Why not: a stable word; null for a yes.
    pub reason: Option<&'static str>,
    /// The id that was presented; null where it was no token.
    pub id: Option<&'a str>,
    /// The person a yes speaks for.
    pub effective_user: Option<&'a str>,
    /// `atlassian.pats.invalidate.session.enabled`, handed on: whether the caller should end the
    /// session that this token opens once the request is done.
    pub invalidate_session: bool,
    /// The token, once its secret was proved.
    pub token: Option<Token<'a>>,
}

/// What `revoke -o json` prints.
#[derive(Serialize, Debug)]
pub struct Revoked<'a> {
    /// Whether this is only what would happen.
    pub dry_run: bool,
    /// Revoked by this call.
    pub revoked: Vec<Token<'a>>,
    /// Revoked before.
    pub already_revoked: Vec<Token<'a>>,
    /// Ids that no token has.
    pub unknown: Vec<&'a str>,
    /// Ids that several tokens could be.
    pub ambiguous: Vec<Ambiguous<'a>>,
}

/// An id that several tokens could be.
#[derive(Serialize, Debug)]
pub struct Ambiguous<'a> {
    /// What was typed.
    pub id: &'a str,
    /// What it could be.
    pub candidates: Vec<&'a str>,
}

/// What `prune -o json` prints.
#[derive(Serialize, Debug)]
pub struct Pruned {
    /// Whether this is only what would happen.
    pub dry_run: bool,
    /// How many tokens.
    pub count: u64,
}

/// What `config check -o json` prints.
#[derive(Serialize, Debug)]
pub struct Checked {
    /// Whether there is nothing to mend.
    pub ok: bool,
    /// What there is to mend.
    pub problems: Vec<Problem>,
}

/// Something wrong with the settings.
#[derive(Serialize, Debug)]
pub struct Problem {
    /// `FILE:LINE:COLUMN`, or `-D`.
    pub origin: String,
    /// What and why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// An error, on stderr.
#[derive(Serialize, Debug)]
pub struct Error<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize, Debug)]
struct ErrorBody<'a> {
    kind: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

impl<'a> From<&'a Failure> for Error<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            error: ErrorBody { kind: failure.kind, message: &failure.message, hint: failure.hint.as_deref() },
        }
    }
}

/// `value` as one line of JSON.
///
/// # Errors
/// Only what the writer gives.
pub fn line(out: &mut dyn std::io::Write, value: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}
