//! Where each column of the table stands in a source.

use super::{DumpError, Result};
use crate::domain::atlassian::COLUMNS;
use crate::domain::atlassian::row::Fields;

/// Columns that a token cannot be without.
const NEEDED: [usize; 6] = [0, 1, 2, 5, 7, 8];

/// More unknown names than these are not listed.
const NAMED: usize = 5;
/// A line with so many of our columns is a line of column names, even if the one that matters most is misnamed.
const TELLING: usize = 3;
/// The longest unknown name that is repeated.
const LONGEST_NAME: usize = 40;

/// Whether a line with these cells names the columns of the table.
pub fn is_heading<'c>(cells: impl Iterator<Item = &'c [u8]>) -> bool {
    let mut known = 0;
    for cell in cells {
        let cell = cell.trim_ascii();
        let cell = cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\"")).unwrap_or(cell);
        if cell.eq_ignore_ascii_case(b"TOKEN_ID") {
            return true;
        }
        known += usize::from(position(cell).is_some());
    }
    known >= TELLING
}

fn position(name: &[u8]) -> Option<usize> {
    COLUMNS.iter().position(|column| name.eq_ignore_ascii_case(column.as_bytes()))
}

/// What is wrong with names that lack these columns. Unknown names are repeated only where the line
/// is one of names for sure: in a row, they would be values.
fn told(missing: &[&str], names: &[Vec<u8>]) -> String {
    let are = if missing.len() == 1 { ("column", "is") } else { ("columns", "are") };
    let mut why = format!("{} {} {} missing", are.0, missing.join(", "), are.1);
    if !is_heading(names.iter().map(Vec::as_slice)) {
        return why;
    }
    let is_name = |name: &&str| {
        let fits = |c: char| c.is_alphanumeric() || "_ -.$#".contains(c);
        !name.is_empty() && name.chars().count() <= LONGEST_NAME && name.chars().all(fits)
    };
    let unknown: Vec<&str> = names
        .iter()
        .filter(|name| position(name).is_none())
        .filter_map(|name| std::str::from_utf8(name).ok())
        .filter(is_name)
        .collect();
    if !unknown.is_empty() {
        let is = if unknown.len() == 1 { "is" } else { "are" };
        let more = if unknown.len() > NAMED { " …" } else { "" };
        let first = unknown.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        why = format!("{why}, there {is} {first}{more}");
    }
    why
}

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
            let Some(column) = position(name) else {
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
            return Err(wrong(told(&missing, names)));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn why(names: &[&str]) -> String {
        let names: Vec<Vec<u8>> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        Columns::named(&names, 1).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn a_missing_column_is_named_beside_the_unknown_ones() {
        let with = |last: &[&'static str]| {
            let mut names = vec!["CREATED_AT", "expiring_at", "HASHED_TOKEN", "NAME"];
            names.extend(last);
            why(&names)
        };
        assert_eq!(with(&["TOKEN_ID", "USER_KEY"]), "");
        assert_eq!(with(&["TOK", "USER_KEY"]), "line 1: column TOKEN_ID is missing, there is TOK");
        assert_eq!(
            with(&["TOK", "KEY"]),
            "line 1: columns TOKEN_ID, USER_KEY are missing, there are TOK, KEY"
        );
        assert_eq!(with(&["USER_KEY"]), "line 1: column TOKEN_ID is missing");
        assert_eq!(with(&["{PKCS5S2}a/b+c", "USER_KEY"]), "line 1: column TOKEN_ID is missing");
    }

    #[test]
    fn values_of_a_row_are_never_repeated_as_names() {
        let told = why(&["2024-01-01", "", "hash", "1", "", "deploy", "", "123456789012", "alice"]);
        assert!(!told.contains("deploy") && !told.contains("there"), "{told}");
    }
}
