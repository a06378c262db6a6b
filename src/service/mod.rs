//! One function for each act: one transaction, one audit row. Every front end uses these.

pub mod issue;
pub mod look;
pub mod prune;
pub mod revoke;
pub mod verify;

use crate::domain::audit::Actor;
use crate::domain::moment::Moment;
use crate::domain::policy::Policy;

/// Who acts, under which limits, by which clock.
pub struct Act<'a> {
    /// The limits.
    pub policy: &'a Policy,
    /// Whose name the audit row bears.
    pub actor: &'a Actor,
    /// The time, asked for where a decision is made.
    pub clock: &'a dyn Fn() -> Moment,
}
