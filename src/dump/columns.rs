//! Where each column of the table stands in a source.

use super::{DumpError, Result};
use crate::domain::atlassian::COLUMNS;
use crate::domain::atlassian::row::Fields;

/// Columns that a token cannot be without.
const NEEDED: [usize; 6] = [0, 1, 2, 5, 7, 8];

/// The place of each of [`COLUMNS`] in a row of the source.
#[derive(Clone, Debug)]
pub struct Columns {
    places: [Option<usize>; COLUMNS.len()],
    width: usize,
}

impl Columns {
    /// By the names in line `line`; others than ours are passed over.
    pub fn named(names: &[Vec<u8>], line: u64) -> Result<Self> {
        let wrong = |why: String| DumpError::Columns { line, why };
        let mut places = [None; COLUMNS.len()];
        for (place, name) in names.iter().enumerate() {
            let Some(column) = COLUMNS.iter().position(|c| name.eq_ignore_ascii_case(c.as_bytes())) else {
                continue;
            };
            if places[column].replace(place).is_some() {
                return Err(wrong(format!("the column {} is there twice", COLUMNS[column])));
            }
        }
        let missing: Vec<&str> = NEEDED
            .iter()
            .filter(|column| places[**column].is_none())
            .map(|column| COLUMNS[*column])
            .collect();
        if !missing.is_empty() {
            return Err(wrong(format!("there is no column {}", missing.join(", "))));
        }
        Ok(Self { places, width: names.len() })
    }

    /// All of them in the order in which dumps have them, where a source does not say.
    pub fn usual() -> Self {
        let mut places = [None; COLUMNS.len()];
        for (place, column) in places.iter_mut().enumerate() {
            *column = Some(place);
        }
        Self { places, width: COLUMNS.len() }
    }

    /// The fields of a row whose values are these; `count` is how many it has, if not all are here.
    pub fn fields<'v>(
        &self,
        count: usize,
        value: impl Fn(usize) -> Option<&'v [u8]>,
    ) -> std::result::Result<Fields<'v>, String> {
        if count != self.width {
            return Err(format!("it has {count} values, there are {} columns", self.width));
        }
        Ok(self.places.map(|place| place.and_then(&value)))
    }
}
