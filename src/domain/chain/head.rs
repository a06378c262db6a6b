//! The head of the log: what is kept beside its rows, in one row that is sealed.

use super::{Link, NotALink};
use crate::domain::audit::{Action, Entry, Outcome};
use crate::domain::frame::{Frame, Value};
use crate::domain::integrity::Damage;
use crate::domain::moment::{Moment, MomentText, Span};
use std::fmt;
use std::str::FromStr;

/// How far ahead of every row before it a use may be dated and still move the mark. A clock that is wrong by
/// more would otherwise set the mark for everybody.
const AHEAD: Span = Span::days(400);

/// Where the log ends, where it begins, and how late it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The last row.
    pub last: Link,
    /// The greatest time of any row.
    pub mark: Moment,
    /// The last row that retention deleted; [`Link::start`]: none was.
    pub cut: Link,
    /// The greatest time of the rows that retention deleted.
    pub cut_at: Option<Moment>,
    /// How many tombstones there are.
    pub tombstones: i64,
    /// The version of the seals of the tokens; `None`: they wait for whoever has the key.
    pub row_seals: Option<i64>,
}

impl Head {
    /// The head of a log without a row.
    #[must_use]
    pub fn start() -> Self {
        Self {
            last: Link::start(),
            mark: Moment::clamped(i128::MIN),
            cut: Link::start(),
            cut_at: None,
            tombstones: 0,
            row_seals: None,
        }
    }

    /// Takes note of when a row is written.
    pub fn pass(&mut self, entry: &Entry<'_>) {
        self.mark = after(self.mark, entry.at, is_witness(entry.action.as_str(), entry.outcome.as_str()));
    }

    /// The last row that retention deleted, where it deleted any.
    #[must_use]
    pub fn anchor(&self) -> Option<&Link> {
        Some(&self.cut).filter(|cut| **cut != Link::start())
    }

    /// What is kept elsewhere of it.
    #[must_use]
    pub fn kept(&self) -> KeptHead {
        KeptHead { last: self.last.clone(), first: Some(self.cut.seq.saturating_add(1)) }
    }

    /// What is sealed.
    #[must_use]
    pub fn frame(&self, installation: &str) -> Frame {
        let (mark, cut_at) = (self.mark.text(), self.cut_at.map(Moment::text));
        let mut frame = Frame::new(b"patctl head 1");
        frame.put(0, b'd', installation.as_bytes());
        frame.put_row(&[
            Value::Integer(self.last.seq),
            self.last.hash.as_str().into(),
            mark.as_str().into(),
            Value::Integer(self.cut.seq),
            self.cut.hash.as_str().into(),
            cut_at.as_ref().map(MomentText::as_str).into(),
            Value::Integer(self.tombstones),
            self.row_seals.map_or(Value::Null, Value::Integer),
        ]);
        frame
    }
}

/// A head as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// The head.
    pub head: Head,
    /// Whether it is what patctl wrote.
    pub seal: Result<(), Damage>,
    /// Whether only who has the key can have sealed it.
    pub keyed: bool,
}

impl Sealed {
    /// Whether it was sealed with a key, and not with the one that it was looked at with.
    #[must_use]
    pub fn is_of_another_key(&self) -> bool {
        self.keyed && self.seal == Err(Damage::Changed)
    }
}

/// A head that was kept elsewhere: the last row there was, and the first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptHead {
    /// The last row.
    pub last: Link,
    /// The number of the first; `None`: patctl 0.1.0 did not print it.
    pub first: Option<i64>,
}

/// `SEQ:HASH@FIRST`, or `SEQ:HASH`
impl fmt::Display for KeptHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.last)?;
        self.first.map_or(Ok(()), |first| write!(f, "@{first}"))
    }
}

impl FromStr for KeptHead {
    type Err = NotALink;

    fn from_str(text: &str) -> Result<Self, NotALink> {
        let text = text.trim();
        let Some((last, first)) = text.split_once('@') else {
            return Ok(Self { last: text.parse()?, first: None });
        };
        let first = first.parse().ok().filter(|first| *first > 0).ok_or(NotALink)?;
        Ok(Self { last: last.parse()?, first: Some(first) })
    }
}

/// The mark behind a row of `at`.
#[must_use]
pub fn after(mark: Moment, at: Moment, is_witness: bool) -> Moment {
    let first = mark == Moment::clamped(i128::MIN);
    if at > mark && (first || is_witness || at <= mark.saturating_plus(AHEAD)) { at } else { mark }
}

/// Whether a row was written because a person changed something: then its time counts however far ahead it is.
/// Uses, mails and the ends that a use brings about are written by themselves.
#[must_use]
pub fn is_witness(action: &str, outcome: &str) -> bool {
    outcome == Outcome::Done.as_str()
        && action != Action::Notify.as_str()
        && action != Action::Switch.as_str()
}
