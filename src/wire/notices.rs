//! The shapes of `notify` and `expiring`.

use super::{Instant, Token};
use serde::Serialize;

/// What `notify -o json` prints.
#[derive(Serialize, Debug, Default)]
pub struct Notified<'a> {
    /// Whether this is only what would happen.
    pub dry_run: bool,
    /// How many mails were taken.
    pub sent: u64,
    /// How many were not; they are tried again.
    pub refused: u64,
    /// How many were refused for good; they are not tried again.
    pub rejected: u64,
    /// How many were handed over and got no answer; they are not tried again.
    pub uncertain: u64,
    /// How many are not sent at all: mail is off, or they were refused for too long.
    pub dropped: u64,
    /// How many wait for the next run because this one ended early.
    pub waiting: u64,
    /// How many tokens should have had a mail and have no address.
    pub unaddressed_count: u64,
    /// The first of them, at most 1,000.
    pub unaddressed: Vec<Told<'a>>,
    /// Each mail: one for each recipient.
    pub mails: Vec<Mail<'a>>,
}

/// What a mail says of a token.
#[derive(Serialize, Debug)]
pub struct Told<'a> {
    /// `created`, `revoked`, `pruned`, `expires-soon` or `expired`.
    pub kind: &'static str,
    /// The token.
    pub token_id: &'a str,
    /// What the token is called.
    pub name: &'a str,
    /// Whose it is; null: anybody's.
    pub user: Option<&'a str>,
    /// When it ends or ended; null: never.
    pub expires_at: Option<Instant>,
}

/// A mail. Its fields about a token are those of the first of `tokens`.
#[derive(Serialize, Debug)]
pub struct Mail<'a> {
    /// `created`, `revoked`, `pruned`, `expires-soon` or `expired`.
    pub kind: &'static str,
    /// The token it is about.
    pub token_id: &'a str,
    /// What the token is called.
    pub name: &'a str,
    /// Whose it is; null: anybody's.
    pub user: Option<&'a str>,
    /// When it ends or ended; null: never.
    pub expires_at: Option<Instant>,
    /// Everything it is about.
    pub tokens: Vec<Told<'a>>,
    /// To whom.
    pub recipient: &'a str,
    /// One line.
    pub subject: String,
    /// Its plain text.
    pub text: String,
    /// Its HTML.
    pub html: String,
    /// `pending` (in a preview), `sent`, `refused`, `rejected`, `uncertain` or `dropped`.
    pub state: &'static str,
    /// Why it was not sent, or not for sure.
    pub error: Option<&'a str>,
}

/// What `expiring -o json` prints.
#[derive(Serialize, Debug)]
pub struct Outlook<'a> {
    /// `OK`, `WARNING` or `CRITICAL`.
    pub status: &'static str,
    /// What ends within so many seconds is counted.
    pub within_seconds: i64,
    /// What ends within so many seconds is a warning.
    pub warning_seconds: i64,
    /// What ends within so many seconds is critical.
    pub critical_seconds: i64,
    /// How many tokens end within the first of these.
    pub expiring: u64,
    /// Within the second.
    pub warning: u64,
    /// Within the third.
    pub critical: u64,
    /// How many end within the first, too, but were made to live so short that it is too early to count them.
    pub short_lived: u64,
    /// How many have expired and are not pruned.
    pub expired: u64,
    /// When the next token ends; null: none does.
    pub next_expiry: Option<Instant>,
    /// How many tokens there are in each state; each counts once.
    pub tokens: States,
    /// The next to end, at most ten.
    pub first: Vec<Token<'a>>,
    /// How many tokens have rows that are not what patctl wrote: their ends are not certain, and none gives a yes.
    pub damaged: u64,
}

/// Tokens by their state.
#[derive(Serialize, Debug)]
pub struct States {
    /// May be used, and do not expire soon.
    pub active: u64,
    /// May be used, and expire soon.
    pub expires_soon: u64,
    /// May be used until their successors replace them.
    pub rotating: u64,
    /// Ended.
    pub expired: u64,
    /// Switched off.
    pub disabled: u64,
    /// Replaced by a successor.
    pub rotated: u64,
    /// Taken back.
    pub revoked: u64,
}
