//! The shape of `stats`.

use super::Instant;
use serde::Serialize;

/// What `stats -o json` prints. The fields of `states`, those of `expiry`, those of `last_used`, and
/// `restricted` with `unrestricted`, add up to `total`.
#[derive(Serialize, Debug)]
pub struct Stats<'a> {
    /// The moment that all of it refers to.
    pub at: Instant,
    /// How many tokens the filter chose.
    pub total: u64,
    /// In which state they are.
    pub states: States,
    /// When they end.
    pub expiry: Expiry,
    /// When they were last used.
    pub last_used: LastUsed,
    /// How many may do only what their restrictions say.
    pub restricted: u64,
    /// How many may do everything.
    pub unrestricted: u64,
    /// Who holds them.
    pub users: Users<'a>,
    /// How often they were presented.
    pub calls: Calls<'a>,
    /// How many of them have rows that are not what patctl wrote: nothing of these is certain, and none gives a yes.
    pub damaged: u64,
}

/// Tokens by their state; each counts once.
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
    /// Taken back; null where the filter leaves them out.
    pub revoked: Option<u64>,
}

/// Tokens by their end.
#[derive(Serialize, Debug)]
pub struct Expiry {
    /// Week by week from now on.
    pub weeks: Vec<Week>,
    /// After these weeks.
    pub later: u64,
    /// Never.
    pub never: u64,
    /// Always 0: a rotating token counts in the week in which it stops working.
    pub replaced: u64,
    /// May not be used any more, or not now.
    pub ended: u64,
}

/// A stretch of seven times 24 hours.
#[derive(Serialize, Debug)]
pub struct Week {
    /// What ends later than this
    pub from: Instant,
    /// and not later than this
    pub to: Instant,
    /// is so many tokens.
    pub tokens: u64,
}

/// Tokens by their last use. Each counts in the first field that holds.
#[derive(Serialize, Debug)]
pub struct LastUsed {
    /// Within 24 hours.
    pub day: u64,
    /// Within 7 days.
    pub days_7: u64,
    /// Within 30 days.
    pub days_30: u64,
    /// Within 90 days.
    pub days_90: u64,
    /// Longer ago.
    pub earlier: u64,
    /// Never.
    pub never: u64,
}

/// Who holds the tokens.
#[derive(Serialize, Debug)]
pub struct Users<'a> {
    /// How many users.
    pub count: u64,
    /// Those with most tokens, most first.
    pub top: Vec<Holder<'a>>,
}

/// A user and what they hold.
#[derive(Serialize, Debug)]
pub struct Holder<'a> {
    /// The user; null: tokens that are anybody's.
    pub user: Option<&'a str>,
    /// How many tokens.
    pub tokens: u64,
}

/// How often the tokens were presented to `verify`.
#[derive(Serialize, Debug)]
pub struct Calls<'a> {
    /// Since when: the first audit row there is; null: there is none.
    pub since: Option<Instant>,
    /// How many tokens were presented at all.
    pub tokens: u64,
    /// How often the answer was yes.
    pub allowed: u64,
    /// How often it was no.
    pub denied: u64,
    /// The tokens that were presented most, most first.
    pub top: Vec<Called<'a>>,
}

/// A token and how often it was presented.
#[derive(Serialize, Debug)]
pub struct Called<'a> {
    /// Its id.
    pub id: String,
    /// What its holder calls it.
    pub name: &'a str,
    /// Whose it is; null: anybody's.
    pub user: Option<&'a str>,
    /// How often the answer was yes.
    pub allowed: u64,
    /// How often it was no.
    pub denied: u64,
}
