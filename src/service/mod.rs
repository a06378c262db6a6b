//! One function for each act: one transaction, one audit row. Every front end uses these.

pub mod audit;
pub mod backup;
pub mod bulk;
pub mod carry;
pub mod clock;
pub mod doctor;
pub mod edit;
pub mod expiring;
pub mod import;
pub mod intake;
pub mod integrity;
pub mod issue;
pub mod look;
pub mod notice;
pub mod notify;
pub mod power;
pub mod prune;
pub mod restore;
pub mod retention;
pub mod revoke;
pub mod rotate;
mod row_findings;
pub mod scan;
pub mod space;
pub mod stats;
pub mod twin;
pub mod unfit;
pub mod verify;

use crate::domain::actor::{Actor, Authority, RequestMeta};
use crate::domain::audit::{Action, Asked, Entry, Outcome};
use crate::domain::moment::Moment;
use crate::domain::policy::Policy;

/// Who acts, under which limits, by which clock.
pub struct Act<'a> {
    /// The limits.
    pub policy: &'a Policy,
    /// Whose name the audit row bears.
    pub actor: &'a Actor,
    /// On whose tokens they may act.
    pub authority: &'a Authority,
    /// Where the act came from.
    pub meta: &'a RequestMeta,
    /// The time, asked for where a decision is made.
    pub clock: &'a dyn Fn() -> Moment,
}

impl<'a> Act<'a> {
    /// The audit row of a change to a token.
    pub(super) fn done(
        &self,
        at: Moment,
        action: Action,
        token_id: &'a str,
        user: Option<&'a str>,
    ) -> Entry<'a> {
        let outcome = Outcome::Done;
        Entry {
            at,
            actor: self.actor,
            action,
            token_id,
            user,
            effective_user: None,
            outcome,
            reason: None,
            asked: Asked::default(),
            detail: None,
            changes: None,
            version: None,
            meta: self.meta,
        }
    }
}
