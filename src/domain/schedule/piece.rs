//! Values of a field in as few words as another language needs: all, a walk in steps, ranges.

use super::Values;
use super::field::{FIELDS, is_full};

/// `from` to `to`, every `step`-th.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub from: u32,
    pub to: u32,
    pub step: u32,
}

/// What a field's values are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Pieces {
    All,
    These(Vec<Piece>),
}

/// One walk in steps if that is what the values are, else ranges of neighbours.
pub(super) fn pieces(index: usize, values: &Values) -> Pieces {
    if is_full(index, values) {
        return Pieces::All;
    }
    Pieces::These(walk(values).map_or_else(|| ranges(values), |walk| vec![walk]))
}

fn walk(values: &Values) -> Option<Piece> {
    let (from, to) = (*values.first()?, *values.last()?);
    let step = values.iter().nth(1)? - from;
    let even = values.iter().zip(values.iter().skip(1)).all(|(a, b)| b - a == step);
    (values.len() > 2 && step > 1 && even).then_some(Piece { from, to, step })
}

/// Neighbours put together.
pub(super) fn ranges(values: &Values) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    for value in values.iter().copied() {
        match found.last_mut() {
            Some(last) if last.to + 1 == value => last.to = value,
            _ => found.push(Piece { from: value, to: value, step: 1 }),
        }
    }
    found
}

impl Piece {
    /// Whether the walk goes on to the end of the field.
    pub fn is_open(&self, index: usize) -> bool {
        self.to + self.step > FIELDS[index].high
    }

    /// Whether it begins where the field begins.
    pub fn is_from_low(&self, index: usize) -> bool {
        self.from == FIELDS[index].low
    }
}
