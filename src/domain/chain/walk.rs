//! Walking the chain from its first row to its head.

use super::{Fault, KeptHead, Link, Row, Sealed, Value, deleted_to, hash};
use crate::domain::audit::Action;
use crate::domain::moment::{Moment, Span};

/// The places of these columns in [`super::COLUMNS`].
const AT: usize = 1;
const ACTION: usize = 5;
const DETAIL: usize = 13;

/// What is known about the log from elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'t> {
    /// A head that was kept.
    pub kept: Option<&'t KeptHead>,
    /// How long rows are kept, by the configuration; zero: for ever. `None`: not to be asked.
    pub retention: Option<Span>,
}

/// A walk over the rows in the order of their numbers. It stops at the first fault.
#[derive(Clone, Debug)]
pub struct Walk {
    sealed: Sealed,
    kept: Option<KeptHead>,
    retention: Option<Span>,
    last: Link,
    /// What the latest deletion by retention said it left, and when it was.
    deleted: Option<(Link, Option<Moment>)>,
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
    /// Its head.
    pub head: KeptHead,
}

impl Walk {
    /// A walk that begins behind the last row that was deleted, or at the first row of all.
    #[must_use]
    pub fn new(sealed: Sealed, terms: Terms<'_>) -> Self {
        // The head of an empty log claims nothing.
        let kept = terms.kept.filter(|kept| kept.last != Link::start()).cloned();
        let last = sealed.head.cut.clone();
        let retention = terms.retention;
        let mut walk = Self { sealed, kept, retention, last, deleted: None, rows: 0, head_found: false };
        walk.head_found = walk.names(&walk.last) == Some(true);
        walk
    }

    /// Whether the head is this link; `None` where it names another row.
    fn names(&self, link: &Link) -> Option<bool> {
        let kept = self.kept.as_ref().filter(|kept| kept.last.seq == link.seq)?;
        Some(kept.last.hash == link.hash)
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
            let unanchored = self.rows == 0 && self.sealed.head.anchor().is_none();
            return Err(Fault::Missing { from: expected, to: seq - 1, unanchored });
        }
        let Some(found) = &row.hash else { return Err(Fault::Unhashed { seq }) };
        let hash = hash(&self.last.hash, &row.values);
        if *found != hash {
            let anchored = self.rows == 0 && self.sealed.head.anchor().is_some();
            return Err(Fault::Changed { seq, anchored });
        }
        self.last = Link { seq, hash };
        self.rows += 1;
        match self.names(&self.last) {
            Some(true) => self.head_found = true,
            Some(false) => return Err(Fault::Rewritten { seq }),
            None => {}
        }
        if row.values[ACTION] == Value::from(Action::PruneAudit.as_str()) {
            self.deleted = deleted_to(&row.values[DETAIL]).map(|last| (last, moment(&row.values[AT])));
        }
        Ok(())
    }

    /// Ends the walk behind the last row.
    ///
    /// # Errors
    /// What is wrong with the ends of the log.
    pub fn end(self) -> Result<Intact, Fault> {
        self.own_head()?;
        let deleted = self.sealed.head.cut.seq;
        let last = self.last.seq;
        match self.kept.as_ref().map(|kept| kept.last.seq) {
            Some(head) if head > last => return Err(Fault::Cut { last, head }),
            Some(head) if head < deleted => return Err(Fault::TooOld { head, deleted }),
            Some(seq) if !self.head_found => return Err(Fault::Rewritten { seq }),
            _ => {}
        }
        self.retention()?;
        Ok(Intact { rows: self.rows, deleted, head: self.sealed.head.kept() })
    }

    /// Whether the head agrees with the rows, and is what patctl wrote.
    fn own_head(&self) -> Result<(), Fault> {
        let head = &self.sealed.head;
        if head.last.seq > self.last.seq {
            return Err(Fault::Cut { last: self.last.seq, head: head.last.seq });
        }
        let deleted = self.deleted.as_ref().map(|(last, _)| last);
        if head.anchor() != deleted {
            return Err(Fault::Anchor { seq: head.anchor().map(|anchor| anchor.seq) });
        }
        if head.last.seq < self.last.seq {
            return Err(Fault::Stray { seq: head.last.seq.saturating_add(1) });
        }
        if head.last.hash != self.last.hash {
            return Err(Fault::Rewritten { seq: self.last.seq });
        }
        self.sealed.seal.map_err(|damage| Fault::Head { seq: head.last.seq, damage })
    }

    /// Whether the configuration explains what was deleted. Where the head is sealed with a key, the key does;
    /// and a head that was kept does, if as much was deleted then.
    fn retention(&self) -> Result<(), Fault> {
        let head = &self.sealed.head;
        let Some((keep, anchor)) = self.retention.zip(head.anchor()).filter(|_| !self.sealed.keyed) else {
            return Ok(());
        };
        if self.kept.as_ref().and_then(|kept| kept.first).is_some_and(|first| first > anchor.seq) {
            return Ok(());
        }
        let at = self.deleted.as_ref().and_then(|(_, at)| *at);
        let early = || head.cut_at.zip(at).is_some_and(|(cut, at)| cut >= at.saturating_minus(keep));
        if keep == Span::ZERO || early() {
            return Err(Fault::Early { seq: anchor.seq, days: keep.as_seconds() / 86_400 });
        }
        Ok(())
    }
}

/// When a row was written, if that can be read.
fn moment(at: &Value<'_>) -> Option<Moment> {
    let Value::Text(text) = at else { return None };
    std::str::from_utf8(text).ok()?.parse().ok()
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
