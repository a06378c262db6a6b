//! What can be wrong with the audit log, and how it is said.

use crate::domain::integrity::Damage;
use std::fmt;

/// What is wrong with the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Rows are not there.
    Missing {
        /// The first of them.
        from: i64,
        /// The last of them.
        to: i64,
        /// Whether they lie at the beginning, where retention would have left an anchor.
        unanchored: bool,
    },
    /// A row has a number that was given to a deleted one, or to none.
    Stray {
        /// Its number.
        seq: i64,
    },
    /// A row has no hash, so patctl did not write it.
    Unhashed {
        /// Its number.
        seq: i64,
    },
    /// A row does not have the hash it should have.
    Changed {
        /// Its number.
        seq: i64,
        /// Whether it is the first behind the anchor, so that the anchor may be what was changed.
        anchored: bool,
    },
    /// A row holds what was written as another.
    Moved {
        /// Its number.
        seq: i64,
        /// The number of the other.
        other: i64,
    },
    /// The anchor is not what the last deletion by retention said it left.
    Anchor {
        /// The row that the anchor names; `None`: there is no anchor.
        seq: Option<i64>,
    },
    /// The head is not what patctl wrote.
    Head {
        /// The row that it calls the last.
        seq: i64,
        /// How that is known.
        damage: Damage,
    },
    /// Rows were deleted that retention would have kept.
    Early {
        /// The last of them.
        seq: i64,
        /// For how many days rows are kept; 0: for ever.
        days: i64,
    },
    /// Rows were cut off at the end.
    Cut {
        /// The last row there is.
        last: i64,
        /// The last row there was.
        head: i64,
    },
    /// The row that a head names has another hash: it or rows before it were written anew.
    Rewritten {
        /// Its number.
        seq: i64,
    },
    /// The row that a head names was deleted by retention, so that the head proves nothing.
    TooOld {
        /// The row it names.
        head: i64,
        /// The last row that was deleted.
        deleted: i64,
    },
}

impl Fault {
    /// A stable word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Stray { .. } => "stray",
            Self::Unhashed { .. } => "unhashed",
            Self::Changed { .. } => "changed",
            Self::Moved { .. } => "moved",
            Self::Anchor { .. } => "anchor",
            Self::Head { .. } => "head",
            Self::Early { .. } => "retention",
            Self::Cut { .. } => "cut",
            Self::Rewritten { .. } => "rewritten",
            Self::TooOld { .. } => "head-too-old",
        }
    }

    /// The row that it is about: the first that is broken, missing or in the wrong place.
    #[must_use]
    pub fn seq(&self) -> i64 {
        match *self {
            Self::Missing { from, .. } => from,
            Self::Stray { seq }
            | Self::Unhashed { seq }
            | Self::Changed { seq, .. }
            | Self::Moved { seq, .. }
            | Self::Head { seq, .. }
            | Self::Early { seq, .. }
            | Self::Rewritten { seq } => seq,
            Self::Anchor { seq } => seq.unwrap_or_default(),
            Self::Cut { last, .. } => last.saturating_add(1),
            Self::TooOld { head, .. } => head,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { from, to, unanchored } => {
                if from == to {
                    write!(f, "row {from} is missing")?;
                } else {
                    write!(f, "rows {from} to {to} are missing")?;
                }
                f.write_str(if *unanchored { ", and no anchor says that retention deleted them" } else { "" })
            }
            Self::Stray { seq } => write!(f, "row {seq} has a number that it cannot have been given"),
            Self::Unhashed { seq } => write!(f, "row {seq} has no hash: patctl did not write it so"),
            Self::Changed { seq, anchored: false } => write!(f, "row {seq} was changed"),
            Self::Changed { seq, anchored: true } => {
                write!(f, "row {seq} does not follow from the anchor before it: one of the two was changed")
            }
            Self::Moved { seq, other } => {
                write!(f, "row {seq} does not stand where it was written: that was as row {other}")
            }
            Self::Anchor { seq: Some(seq) } => write!(
                f,
                "the anchor says that rows up to {seq} were deleted by retention, and the log does not say so"
            ),
            Self::Anchor { seq: None } => {
                f.write_str("the log says that rows were deleted by retention, and there is no anchor")
            }
            Self::Head { seq, damage } => {
                write!(f, "the head, which names row {seq}, is not what patctl wrote: {}", damage.of_head())
            }
            Self::Early { seq, days: 0 } => write!(
                f,
                "rows up to {seq} were deleted, and patctl.audit.retention.days is 0, which keeps all"
            ),
            Self::Early { seq, days } => write!(
                f,
                "rows up to {seq} were deleted before they were {days} days old (patctl.audit.retention.days)"
            ),
            Self::Cut { last, head } => {
                write!(f, "rows were cut off at the end: the last is {last}, and the head names row {head}")
            }
            Self::Rewritten { seq } => {
                write!(f, "row {seq} is not the one the head names: it or rows before it were written anew")
            }
            Self::TooOld { head, deleted } => write!(
                f,
                "the head names row {head}, and retention deleted rows up to {deleted}: it proves nothing"
            ),
        }
    }
}
