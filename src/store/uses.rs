//! What a use leaves behind. It is decided on without the write lock, and written if what it was decided on still holds
//! under it: nobody computes while others wait.

use crate::domain::audit::Entry;
use crate::domain::cache::{CacheLimits, Proved};
use crate::domain::moment::Moment;
use crate::domain::token::TokenId;
use crate::domain::verifier::Verifier;

/// A row as it was when it was read. Whatever changes what is decided about a token changes one of these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowVersion {
    /// The number of the row: a token that is deleted and comes in again begins with version 1 again.
    pub seq: i64,
    /// The version of the token.
    pub version: i64,
    /// The seal, as it was stored.
    pub seal: Option<Vec<u8>>,
}

/// What must be there under the lock for a decision to hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Basis {
    /// Whatever is: nothing of it was looked at, or nothing of it could be read.
    Any,
    /// No row with this id.
    Absent,
    /// The very row that was read.
    Row(RowVersion),
}

/// A use that was decided on.
#[derive(Clone, Debug)]
pub struct Use<'u> {
    /// The id that was presented.
    pub id: TokenId,
    /// What it was decided on.
    pub basis: Basis,
    /// The moment from which another answer may be right; `None`: there is none.
    pub until: Option<Moment>,
    /// The audit row. Its time is that of the writing, whatever it says.
    pub entry: Entry<'u>,
    /// Whether the use is noted in the token.
    pub touch: bool,
    /// Whether a secret was presented that a successor has replaced.
    pub reused: bool,
    /// What the auth cache is to remember of it.
    pub remember: Option<(Proved, CacheLimits)>,
    /// The verifier that takes the place of the old one, which comes first.
    pub renew: Option<(&'u Verifier, &'u Verifier)>,
}

/// What came of a use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// It is written down.
    Done,
    /// Nothing was written: what it was decided on is no longer so. It has to be decided again.
    Again {
        /// The greatest time of the audit log.
        mark: Moment,
    },
}
