//! A token as `export jsonl` writes it and `import jsonl` reads it: everything about it but what proves its
//! secret.

use super::Instant;
use crate::domain::pat::Pat;
use crate::domain::token::TokenId;
use serde::{Deserialize, Serialize};

/// The number of this shape; another one is refused.
pub const SHAPE: u32 = 1;

/// A line that is written.
#[derive(Serialize, Debug)]
pub struct Carried<'a> {
    /// [`SHAPE`].
    pub patctl: u32,
    /// The public name.
    pub id: &'a str,
    /// What its holder calls it.
    pub name: &'a str,
    /// Whose it is; null: anybody's.
    pub user: Option<&'a str>,
    /// Also accepted as the user name of Basic.
    pub email: Option<&'a str>,
    /// How it may be presented.
    pub auth: &'static str,
    /// When it was issued.
    pub created_at: Instant,
    /// When it ends; null: never.
    pub expires_at: Option<Instant>,
    /// When it was last used.
    pub last_used_at: Option<Instant>,
    /// When it was taken back.
    pub revoked_at: Option<Instant>,
    /// Why.
    pub revoke_reason: Option<&'a str>,
    /// Since when it is switched off.
    pub disabled_at: Option<Instant>,
    /// From when a successor takes its place.
    pub rotated_at: Option<Instant>,
    /// The successor.
    pub successor: Option<&'a str>,
    /// The token whose place it takes.
    pub predecessor: Option<&'a str>,
    /// Whether its first use ends that.
    pub ends_predecessor: bool,
    /// When it was presented although a successor had taken its place.
    pub reused_at: Option<Instant>,
    /// Which mails about its end were sent.
    pub notified: &'static str,
    /// Whether it was made in secure mode.
    pub secure: bool,
    /// What it may do, line by line; null: everything.
    pub restrictions: Option<&'a [String]>,
    /// A remark.
    pub note: Option<&'a str>,
    /// Where mails about it go.
    pub notify_to: Option<&'a str>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_by: Option<&'a str>,
    /// From where it was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_from: Option<&'a str>,
}

impl<'a> Carried<'a> {
    /// A token and its lines.
    #[must_use]
    pub fn new(pat: &'a Pat, rules: &'a [String]) -> Self {
        Self {
            patctl: SHAPE,
            id: pat.id.as_str(),
            name: &pat.name,
            user: pat.user.as_deref(),
            email: pat.email.as_deref(),
            auth: pat.auth.as_str(),
            created_at: Instant(pat.life.created_at),
            expires_at: pat.life.expires_at.map(Instant),
            last_used_at: pat.life.last_used_at.map(Instant),
            revoked_at: pat.life.revoked_at.map(Instant),
            revoke_reason: pat.revoke_reason.as_deref(),
            disabled_at: pat.life.disabled_at.map(Instant),
            rotated_at: pat.life.rotated_at.map(Instant),
            successor: pat.successor.as_ref().map(TokenId::as_str),
            predecessor: pat.predecessor.as_ref().map(TokenId::as_str),
            ends_predecessor: pat.ends_predecessor,
            reused_at: pat.reused_at.map(Instant),
            notified: pat.notified.as_str(),
            secure: pat.secure,
            restrictions: pat.restricted.then_some(rules),
            note: pat.note.as_deref(),
            notify_to: pat.notify_to.as_deref(),
            issued_by: pat.issued_by.as_deref(),
            last_used_from: pat.last_used_from.as_deref(),
        }
    }
}

/// What `import jsonl -o json` prints.
#[derive(Serialize, Debug)]
pub struct Imported<'a> {
    /// Whether this is only what would happen.
    pub dry_run: bool,
    /// How many tokens are new here.
    pub imported: u64,
    /// How many are here already, just so.
    pub present: u64,
    /// Ids of tokens that were ended here and are deleted, and are not imported.
    pub ended: Vec<&'a str>,
}

/// A line that is read, before its fields are looked at.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// [`SHAPE`].
    pub patctl: u32,
    /// As in [`Carried`], as are all others.
    pub id: String,
    /// The name.
    pub name: String,
    /// The user.
    pub user: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// The methods.
    pub auth: String,
    /// Issued.
    pub created_at: String,
    /// Ends.
    pub expires_at: Option<String>,
    /// Used.
    pub last_used_at: Option<String>,
    /// Revoked.
    pub revoked_at: Option<String>,
    /// Why.
    pub revoke_reason: Option<String>,
    /// Disabled.
    pub disabled_at: Option<String>,
    /// Replaced.
    pub rotated_at: Option<String>,
    /// By.
    pub successor: Option<String>,
    /// Replaces.
    pub predecessor: Option<String>,
    /// At once.
    pub ends_predecessor: bool,
    /// Presented all the same.
    pub reused_at: Option<String>,
    /// Mails.
    pub notified: String,
    /// Secure mode.
    pub secure: bool,
    /// Lines.
    pub restrictions: Option<Vec<String>>,
    /// Remark.
    pub note: Option<String>,
    /// Address of mails.
    pub notify_to: Option<String>,
    /// Issuer.
    pub issued_by: Option<String>,
    /// Address of the client.
    pub last_used_from: Option<String>,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it; nothing of its content.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| {
            if error.is_data() { error.to_string() } else { format!("this is no JSON object: {error}") }
        })
    }
}
