//! Reading the audit log, and finding out whether it is whole.

use crate::domain::audit::{Record, Selection};
use crate::domain::chain::{Fault, Intact, Link, Suspect, Terms, Walk};
use crate::store::contract::Result;
use crate::store::log::{EachPiece, Page, Piece};
use crate::store::{Store, StoreError};
use std::ops::ControlFlow;

/// Rows of one read: the database is let go between two, however slow the reader is.
const PAGE: u32 = 1000;

/// Receives one row after the other and may stop.
pub type EachRecord<'a> = &'a mut dyn FnMut(&Record) -> ControlFlow<()>;

/// Which rows, in which order.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// The choice.
    pub selection: &'q Selection,
    /// Newest first.
    pub newest_first: bool,
    /// Behind this row, whatever the clock said.
    pub after: Option<i64>,
    /// The newest so many; behind a row, the first so many.
    pub limit: Option<u64>,
}

/// The rows, as a stream. Answers the number from which on nothing was looked at.
///
/// # Errors
/// What the database gave.
pub fn rows(store: &dyn Store, question: &Question<'_>, each: EachRecord<'_>) -> Result<i64> {
    let Question { selection, newest_first, after, limit } = *question;
    let mut beyond = after.filter(|_| !newest_first);
    // What is written from now on is new, and a matter for who follows.
    let head = store.head()?.head.last.seq;
    if let Some(most) = limit.filter(|_| !newest_first && after.is_none()) {
        match store.first_of(selection, most)? {
            Some(first) if most > 0 => beyond = Some(first.saturating_sub(1)),
            _ => return Ok(head),
        }
    }
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0 {
        let size = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
        let page = store.records(&Page { selection, beyond, newest_first, limit: size })?;
        for record in &page {
            if after.is_some_and(|after| record.seq <= after) {
                return Ok(head);
            }
            beyond = Some(record.seq);
            left -= 1;
            if each(record).is_break() {
                return Ok(record.seq);
            }
        }
        if page.len() < size as usize {
            break;
        }
    }
    if left == 0
        && let Some(last) = beyond.filter(|_| after.is_some())
    {
        return Ok(last);
    }
    // The row it began behind need not be in this log.
    let shown = beyond.filter(|last| Some(*last) != after);
    Ok(head.max(shown.unwrap_or_default()))
}

/// The last row up to `last` that two logs have in common, each with all rows before it; 0: none. For a database that
/// took the place of another, which may be a copy of it.
///
/// # Errors
/// What the databases gave.
pub fn last_in_common(one: &dyn Store, other: &dyn Store, last: i64) -> Result<i64> {
    let row = |store: &dyn Store, seq: i64| -> Result<Option<String>> {
        let everything = Selection::default();
        let page = Page { selection: &everything, beyond: Some(seq - 1), newest_first: false, limit: 1 };
        let found = store.records(&page)?.pop().filter(|record| record.seq == seq);
        Ok(found.and_then(|record| record.hash))
    };
    let same = |seq: i64| -> Result<bool> {
        let (one, other) = (row(one, seq)?, row(other, seq)?);
        Ok(one.is_some() && one == other)
    };
    // The hash of a row covers all rows before it, so that those in common are a beginning.
    let (mut common, mut beyond) = (0, last.saturating_add(1));
    while beyond - common > 1 {
        let middle = common + (beyond - common) / 2;
        *(if same(middle)? { &mut common } else { &mut beyond }) = middle;
    }
    Ok(common)
}

/// The rows behind `after`, as a stream; answers the last that was looked at.
///
/// # Errors
/// What the database gave.
pub fn news(store: &dyn Store, selection: &Selection, after: i64, each: EachRecord<'_>) -> Result<i64> {
    let mut last = after;
    loop {
        let page = Page { selection, beyond: Some(last), newest_first: false, limit: PAGE };
        let page = store.records(&page)?;
        for record in &page {
            last = record.seq;
            if each(record).is_break() {
                return Ok(last);
            }
        }
        if page.len() < PAGE as usize {
            return Ok(last);
        }
    }
}

/// Walks the chain from its beginning to its head.
///
/// # Errors
/// What the database gave. That the log is not whole is an answer.
pub fn verify(store: &dyn Store, terms: Terms<'_>) -> Result<std::result::Result<Intact, Fault>> {
    walk(&|each| store.chain(each), terms)
}

/// Shows a chain, piece by piece.
pub type Chain<'c> = &'c dyn Fn(EachPiece<'_>) -> Result<()>;

/// As [`verify`], for any chain.
///
/// # Errors
/// What the database gave. That the log is not whole is an answer.
pub fn walk(chain: Chain<'_>, terms: Terms<'_>) -> Result<std::result::Result<Intact, Fault>> {
    let mut begun = None;
    let mut broken = None;
    chain(&mut |piece| {
        let row = match piece {
            Piece::Head(sealed) => {
                begun = Some(Walk::new(sealed.clone(), terms));
                return ControlFlow::Continue(());
            }
            Piece::Row(row) => row,
        };
        let Some(walk) = &mut begun else { return ControlFlow::Break(()) };
        match walk.step(row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(fault) => {
                let suspect = Suspect::new(row, walk.last().clone());
                broken = Some((fault, suspect));
                ControlFlow::Break(())
            }
        }
    })?;
    Ok(match broken {
        Some((Fault::Changed { seq, anchored }, suspect)) => {
            let moved = other_place(chain, &suspect)?;
            Err(moved.map_or(Fault::Changed { seq, anchored }, |other| Fault::Moved { seq, other }))
        }
        Some((fault, _)) => Err(fault),
        None => begun.ok_or_else(|| StoreError::Damaged("it has no head".to_owned()))?.end(),
    })
}

/// Where a row was written that does not fit where it stands.
fn other_place(chain: Chain<'_>, suspect: &Suspect) -> Result<Option<i64>> {
    let mut previous = Link::start();
    let mut found = suspect.was_behind(&previous);
    chain(&mut |piece| {
        let link = match piece {
            Piece::Head(sealed) => sealed.head.cut.clone(),
            Piece::Row(row) => {
                found = found.or_else(|| suspect.exchanged_with(row, &previous).then_some(row.seq));
                Link { seq: row.seq, hash: row.hash.as_deref().unwrap_or_default().to_owned() }
            }
        };
        found = found.or_else(|| suspect.was_behind(&link));
        previous = link;
        if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}
