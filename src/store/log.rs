//! What every store must do with the audit log: it is appended to, read, and cut at its beginning.

use super::contract::Result;
use crate::domain::audit::{Record, Selection};
use crate::domain::chain::{Link, Row, Sealed};
use crate::domain::moment::Moment;
use std::ops::ControlFlow;

/// Some rows of the log, each with a number beyond `beyond`, so that no read lasts as long as its
/// reader.
#[derive(Clone, Copy, Debug)]
pub struct Page<'p> {
    /// The choice.
    pub selection: &'p Selection,
    /// Where the page begins: behind this row, or, newest first, before it.
    pub beyond: Option<i64>,
    /// Newest first.
    pub newest_first: bool,
    /// At most so many rows.
    pub limit: u32,
}

/// A piece of the chain. The head comes before the rows.
#[derive(Clone, Debug)]
pub enum Piece<'p> {
    /// The head.
    Head(Sealed),
    /// A row, whatever stands in it.
    Row(&'p Row<'p>),
}

/// Receives one piece after the other and may stop.
pub type EachPiece<'a> = &'a mut dyn FnMut(&Piece<'_>) -> ControlFlow<()>;

/// Rows at the beginning of the log that are older than they need to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outdated {
    /// The last of them.
    pub upto: i64,
    /// How many they are.
    pub count: u64,
}

/// The log as it can be read.
pub trait Log {
    /// A page of rows, in the order of their numbers.
    ///
    /// # Errors
    /// [`super::StoreError`], as for every call here.
    fn records(&self, page: &Page<'_>) -> Result<Vec<Record>>;

    /// The number of the first of the newest `most` rows of a selection.
    ///
    /// # Errors
    /// [`super::StoreError`]
    fn first_of(&self, selection: &Selection, most: u64) -> Result<Option<i64>>;

    /// The whole chain, as it is at one instant.
    ///
    /// # Errors
    /// [`super::StoreError`]
    fn chain(&self, each: EachPiece<'_>) -> Result<()>;

    /// The head, and whether it is what patctl wrote.
    ///
    /// # Errors
    /// [`super::StoreError`]
    fn head(&self) -> Result<Sealed>;

    /// Makes what was written so far survive a power cut, uses included, unless somebody else is about
    /// to do the same.
    fn settle(&self);

    /// When somebody last made a change, and when each row after it was written, in their order. What
    /// is written by itself (a mail that was sent, a rotation that a use completes) is no change here.
    ///
    /// # Errors
    /// [`super::StoreError`]
    fn since_change(&self, each: &mut dyn FnMut(Moment)) -> Result<()>;

    /// The rows at the beginning that were written before `before`, seen from `now`. A row that is
    /// dated later than `now` was written under a wrong clock, and is as old as the row after it.
    ///
    /// # Errors
    /// [`super::StoreError`]
    fn outdated(&self, before: Moment, now: Moment) -> Result<Option<Outdated>>;
}

/// What was cut off at the beginning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// How many rows.
    pub count: u64,
    /// The last of them, which is the anchor now.
    pub last: Link,
}

/// A greatest time of the log that nobody knows. Whatever depends on the time is not decided then.
pub const UNKNOWN: Moment = Moment::MAX;

/// The log as it can be cut, and its greatest time.
pub trait Trim {
    /// The time that no decision may fall behind: the mark, or [`UNKNOWN`] where it is not what patctl wrote although
    /// there is a key to tell.
    fn latest(&self) -> Moment;

    /// Takes the time of the next row for the greatest, although there are later ones. The caller writes that row.
    fn accept_clock(&mut self);

    /// Deletes the first rows, none beyond `upto` and at most `most`, and notes in the head up to where, and how
    /// late they were, seen from `now`; `None` where there are none. The caller writes down that it did.
    ///
    /// # Errors
    /// [`super::StoreError`]
    fn trim(&mut self, upto: i64, most: u32, now: Moment) -> Result<Option<Cut>>;
}
