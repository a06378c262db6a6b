//! Recording uses of tokens. A use is decided without the write lock and recorded only if the decision still holds under
//! the lock, so that no hash is computed while other processes wait.

use crate::domain::audit::Entry;
use crate::domain::cache::{CacheLimits, Proved};
use crate::domain::moment::Moment;
use crate::domain::token::TokenId;
use crate::domain::verifier::Verifier;

/// Identifies one state of a token's row. Every change that affects a decision changes at least one field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowVersion {
    /// The row number. Needed beside the version, which restarts at 1 when a deleted token is imported again.
    pub seq: i64,
    /// The version of the token.
    pub version: i64,
    /// The stored seal, unverified.
    pub seal: Option<Vec<u8>>,
}

/// The row that a decision depends on, compared again under the write lock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Basis {
    /// None: the row was not read, or is unreadable.
    Any,
    /// There must be no row with this id.
    Absent,
    /// The row must be in this state.
    Row(RowVersion),
}

/// A decided use, ready to be recorded.
#[derive(Clone, Debug)]
pub struct Use<'u> {
    /// The id that was presented.
    pub id: TokenId,
    /// The row that the decision depends on.
    pub basis: Basis,
    /// The time from which the decision may be different; `None` if it does not depend on time.
    pub until: Option<Moment>,
    /// The audit entry. Its `at` is replaced by the time of recording.
    pub entry: Entry<'u>,
    /// Whether to update the token's last use.
    pub touch: bool,
    /// Whether the presented token had already been replaced by its successor.
    pub reused: bool,
    /// The auth cache entry to store.
    pub remember: Option<(Proved, CacheLimits)>,
    /// The old verifier and the new one that replaces it.
    pub renew: Option<(&'u Verifier, &'u Verifier)>,
}

/// The result of recording one use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// The use was recorded.
    Done,
    /// Nothing was recorded, because the row or the time has changed. The use must be decided again.
    Again {
        /// The greatest time of the audit log.
        mark: Moment,
    },
}
