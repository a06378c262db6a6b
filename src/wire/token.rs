//! A token, as every command that shows one shows it.

use super::{Cells, Instant};
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::{DAMAGED, Pat, Status};
use serde::Serialize;

/// A token.
#[derive(Serialize, Debug)]
pub struct Token<'a> {
    /// Its public name.
    pub id: &'a str,
    /// What its holder calls it.
    pub name: &'a str,
    /// Whose it is; null: anybody's.
    pub user: Option<&'a str>,
    /// Also accepted as the user name of Basic.
    pub email: Option<&'a str>,
    /// `active`, `rotating`, `expired`, `disabled`, `rotated` or `revoked`; `damaged`: its row is not what patctl wrote.
    pub status: &'static str,
    /// Whether it can be used and stops working soon.
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
    /// Where mails about it go.
    pub notify_to: Option<&'a str>,
    /// From when its successor takes its place; null: none does.
    pub rotated_at: Option<Instant>,
    /// The id of the token that takes its place.
    pub successor: Option<String>,
    /// The id of the token whose place it takes.
    pub predecessor: Option<String>,
    /// When its secret was last presented although its successor had taken its place.
    pub reused_at: Option<Instant>,
    /// Since when it is switched off; null: it is not.
    pub disabled_at: Option<Instant>,
    /// The earlier of `expires_at` and `rotated_at`; null: never.
    pub stops_at: Option<Instant>,
    /// Who issued it; null: it was imported, or is older than this field.
    pub issued_by: Option<&'a str>,
    /// The address it was used from at `last_used_at`; null: none was handed over.
    pub last_used_from: Option<&'a str>,
}

impl<'a> Token<'a> {
    /// A token as it is at `now`.
    #[must_use]
    pub fn new(pat: &'a Pat, now: Moment, warning: Span) -> Self {
        let status = pat.life.status(now, warning);
        let expires_soon = !pat.damaged && pat.life.is(Status::ExpiresSoon, now, warning);
        Self {
            id: pat.id.as_str(),
            name: &pat.name,
            user: pat.user.as_deref(),
            email: pat.email.as_deref(),
            status: match status {
                _ if pat.damaged => DAMAGED,
                Status::ExpiresSoon => Status::Active.as_str(),
                status => status.as_str(),
            },
            expires_soon,
            auth: pat.auth.as_str(),
            created_at: Instant(pat.life.created_at),
            expires_at: pat.life.expires_at.map(Instant),
            last_used_at: pat.life.last_used_at.map(Instant),
            revoked_at: pat.life.revoked_at.map(Instant),
            revoke_reason: pat.revoke_reason.as_deref(),
            restricted: pat.restricted,
            secure: pat.secure,
            note: pat.note.as_deref(),
            notify_to: pat.notify_to.as_deref(),
            rotated_at: pat.life.rotated_at.map(Instant),
            successor: pat.successor.map(|id| id.to_string()),
            predecessor: pat.predecessor.map(|id| id.to_string()),
            reused_at: pat.reused_at.map(Instant),
            disabled_at: pat.life.disabled_at.map(Instant),
            stops_at: pat.life.stops_at().map(Instant),
            issued_by: pat.issued_by.as_deref(),
            last_used_from: pat.last_used_from.as_deref(),
        }
    }
}

impl Token<'_> {
    /// The names of the columns in CSV: those of the fields.
    pub const COLUMNS: [&'static str; 24] = [
        "id",
        "name",
        "user",
        "email",
        "status",
        "expires_soon",
        "auth",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
        "revoke_reason",
        "restricted",
        "secure",
        "note",
        "notify_to",
        "rotated_at",
        "successor",
        "predecessor",
        "reused_at",
        "disabled_at",
        "stops_at",
        "issued_by",
        "last_used_from",
    ];

    /// The values of the columns; null is an empty cell.
    #[must_use]
    pub fn cells(&self) -> [String; 24] {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let at = |value: Option<Instant>| value.map_or_else(String::new, |at| at.0.to_string());
        [
            self.id.to_owned(),
            self.name.to_owned(),
            text(self.user),
            text(self.email),
            self.status.to_owned(),
            self.expires_soon.to_string(),
            self.auth.to_owned(),
            self.created_at.0.to_string(),
            at(self.expires_at),
            at(self.last_used_at),
            at(self.revoked_at),
            text(self.revoke_reason),
            self.restricted.to_string(),
            self.secure.to_string(),
            text(self.note),
            text(self.notify_to),
            at(self.rotated_at),
            text(self.successor.as_deref()),
            text(self.predecessor.as_deref()),
            at(self.reused_at),
            at(self.disabled_at),
            at(self.stops_at),
            text(self.issued_by),
            text(self.last_used_from),
        ]
    }
}

impl Cells for Token<'_> {
    const COLUMNS: &'static [&'static str] = &Self::COLUMNS;

    fn cells(&self) -> Vec<String> {
        Self::cells(self).into()
    }
}
