//! Walking the chain from its first row to its head.

use super::{Fault, Link, Row, Value, deleted_to, hash};
use crate::domain::audit::Action;

/// The places of these columns in [`super::COLUMNS`].
const ACTION: usize = 5;
const DETAIL: usize = 13;

/// A walk over the rows in the order of their numbers. It stops at the first fault.
#[derive(Clone, Debug)]
pub struct Walk {
    anchor: Option<Link>,
    head: Option<Link>,
    last: Link,
    /// What the latest deletion by retention said it left.
    deleted: Option<Link>,
    rows: u64,
    head_found: bool,
}

/// A log in which nothing was found wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intact {
    /// How many rows it has.
    pub rows: u64,
    /// How many rows retention deleted before them.
    pub deleted: i64,
    /// Its last row, or what a first row would follow.
    pub head: Link,
}

impl Walk {
    /// A walk that begins at the anchor, or, where there is none, at the first row of all; `head` is
    /// a last row that was kept elsewhere.
    #[must_use]
    pub fn new(anchor: Option<Link>, head: Option<Link>) -> Self {
        // The head of an empty log claims nothing.
        let head = head.filter(|head| *head != Link::start());
        let last = anchor.clone().unwrap_or_else(Link::start);
        let mut walk = Self { anchor, head, last, deleted: None, rows: 0, head_found: false };
        walk.head_found = walk.names(&walk.last) == Some(true);
        walk
    }

    /// Whether the head is this link; `None` where it names another row.
    fn names(&self, link: &Link) -> Option<bool> {
        let head = self.head.as_ref().filter(|head| head.seq == link.seq)?;
        Some(head.hash == link.hash)
    }

    /// The row that was last found good, or what the first one follows.
    #[must_use]
    pub fn last(&self) -> &Link {
        &self.last
    }

    /// Looks at the next row.
    ///
    /// # Errors
    /// What is wrong with it, or with what should stand before it.
    pub fn step(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let seq = row.seq;
        let expected = self.last.seq.saturating_add(1);
        if seq < expected {
            return Err(Fault::Stray { seq });
        }
        if seq > expected {
            let unanchored = self.rows == 0 && self.anchor.is_none();
            return Err(Fault::Missing { from: expected, to: seq - 1, unanchored });
        }
        let Some(found) = &row.hash else { return Err(Fault::Unhashed { seq }) };
        let hash = hash(&self.last.hash, &row.values);
        if *found != hash {
            return Err(Fault::Changed { seq, anchored: self.rows == 0 && self.anchor.is_some() });
        }
        self.last = Link { seq, hash };
        self.rows += 1;
        match self.names(&self.last) {
            Some(true) => self.head_found = true,
            Some(false) => return Err(Fault::Rewritten { seq }),
            None => {}
        }
        if row.values[ACTION] == Value::from(Action::PruneAudit.as_str()) {
            self.deleted = deleted_to(&row.values[DETAIL]);
        }
        Ok(())
    }

    /// Ends the walk behind the last row.
    ///
    /// # Errors
    /// What is wrong with the ends of the log.
    pub fn end(self) -> Result<Intact, Fault> {
        if self.anchor != self.deleted {
            return Err(Fault::Anchor { seq: self.anchor.map(|anchor| anchor.seq) });
        }
        let deleted = self.anchor.map_or(0, |anchor| anchor.seq);
        match self.head {
            Some(head) if head.seq > self.last.seq => Err(Fault::Cut { last: self.last.seq, head: head.seq }),
            Some(head) if head.seq < deleted => Err(Fault::TooOld { head: head.seq, deleted }),
            Some(head) if !self.head_found => Err(Fault::Rewritten { seq: head.seq }),
            _ => Ok(Intact { rows: self.rows, deleted, head: self.last }),
        }
    }
}

/// A row that does not have the hash it should have, and the question whether it has only moved.
#[derive(Clone, Debug)]
pub struct Suspect {
    row: Row<'static>,
    previous: Link,
}

impl Suspect {
    /// `row`, found behind `previous`.
    #[must_use]
    pub fn new(row: &Row<'_>, previous: Link) -> Self {
        Self { row: row.to_owned(), previous }
    }

    /// Whether the suspect was written right behind `link`, or, if the two are neighbours that changed
    /// places, in the place where `link` stands now: the number it had then.
    #[must_use]
    pub fn was_behind(&self, link: &Link) -> Option<i64> {
        let fits = |seq: i64| {
            let hash = self.row.hash_as(&link.hash, seq);
            (seq != self.row.seq && self.row.hash.as_deref() == Some(&hash)).then_some(seq)
        };
        fits(link.seq.saturating_add(1)).or_else(|| fits(link.seq))
    }

    /// Whether the suspect and `row`, which stands behind `previous`, exchanged what they say and kept
    /// their hashes.
    #[must_use]
    pub fn exchanged_with(&self, row: &Row<'_>, previous: &Link) -> bool {
        let fits = |what: &Row<'_>, place: &Row<'_>, previous: &Link| {
            place.hash.as_deref() == Some(&what.hash_as(&previous.hash, place.seq))
        };
        row.seq != self.row.seq && fits(row, &self.row, &self.previous) && fits(&self.row, row, previous)
    }
}
