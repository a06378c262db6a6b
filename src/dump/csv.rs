//! Comma-separated values below a line of column names; semicolons, tabs and bars separate, too.

use super::columns::{Columns, is_heading};
use super::source::Source;
use super::{DumpError, Each, LONGEST, Result};
use crate::domain::atlassian::{Format, Place};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The separators, the usual first.
pub const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How databases write NULL where they do not leave the field empty.
const NULLS: [&[u8]; 3] = [b"\\N", b"NULL", b"(null)"];
/// Where that can be meant, and no token is called so: `ID`, `LAST_ACCESSED_AT`, `NOTIFICATION_STATE`.
const MAY_BE_NULL: [usize; 3] = [3, 4, 6];
/// More columns than any table here has.
const WIDEST: usize = 256;

/// The separator of a line of column names; `None` where it is none.
pub fn delimiter(heading: &[u8]) -> Option<u8> {
    SEPARATORS.into_iter().find(|separator| is_heading(heading.split(|byte| byte == separator)))
}

/// Reads every row.
pub fn read(source: &mut Source<'_>, each: Each<'_>) -> Result<()> {
    let mut lines = source.begin().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let separator = lines.find(|line| !line.is_empty()).and_then(delimiter).unwrap_or(b',');
    let mut rows = Rows::new(source, separator);
    if !rows.next()? {
        return Err(DumpError::NoTable(Format::Csv));
    }
    let names: Vec<Vec<u8>> = rows.values().map(|name| name.trim_ascii().to_vec()).collect();
    let columns = Columns::named(&names, rows.line())?;
    let mut is_padded = false;
    while rows.next()? {
        // sqlcmd draws a rule below the names, pads values with blanks, and counts the rows at the end.
        if rows.values().all(|value| !value.is_empty() && value.iter().all(|byte| *byte == b'-')) {
            is_padded = true;
            continue;
        }
        if rows.width() == 1 && is_count(rows.value(0).unwrap_or_default()) {
            continue;
        }
        let value = |at| {
            rows.value(at)
                .map(|value| if is_padded { value.trim_ascii() } else { value })
                .filter(|value| !value.is_empty())
        };
        let fields = columns.fields(rows.width(), value).map(|mut fields| {
            for column in MAY_BE_NULL {
                fields[column] = fields[column].filter(|value| !is_null(value));
            }
            fields
        });
        if each(Place { line: rows.line(), nth: None }, fields).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// `(3 rows affected)`, as sqlcmd ends, or `(3 rows)`, as psql does.
fn is_count(value: &[u8]) -> bool {
    let inner = value.trim_ascii().strip_prefix(b"(").and_then(|value| value.strip_suffix(b")"));
    let mut words = inner.unwrap_or_default().split(|byte| *byte == b' ');
    let is_number = words.next().is_some_and(|word| !word.is_empty() && word.iter().all(u8::is_ascii_digit));
    is_number && matches!(words.next(), Some(b"row" | b"rows"))
}

fn is_null(value: &[u8]) -> bool {
    NULLS.iter().any(|null| value.eq_ignore_ascii_case(null))
}

/// One row after the other, each of a bounded length.
pub struct Rows<'s, 'r> {
    source: &'s mut Source<'r>,
    reader: Reader,
    bytes: Vec<u8>,
    /// Where in the bytes each value ends.
    ends: Vec<usize>,
    width: usize,
    line: u64,
    /// Whether the quotes of the row so far are odd in number.
    is_open: bool,
}

impl<'s, 'r> Rows<'s, 'r> {
    /// The rows of a source.
    pub fn new(source: &'s mut Source<'r>, separator: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(separator).build();
        let (bytes, ends) = (vec![0; LONGEST], vec![0; WIDEST]);
        Self { source, reader, bytes, ends, width: 0, line: 1, is_open: false }
    }

    /// Reads a row; false: there is none left.
    pub fn next(&mut self) -> Result<bool> {
        // Blank lines, and what is left of the end of the row before, belong to no row.
        while matches!(self.source.peek()?, Some(b'\r' | b'\n')) {
            self.source.next()?;
        }
        (self.line, self.width, self.is_open) = (self.source.line(), 0, false);
        let mut length = 0;
        loop {
            let input = self.source.at_hand()?;
            let (bytes, ends) = (&mut self.bytes[length..], &mut self.ends[self.width..]);
            let (result, read, written, ended) = self.reader.read_record(input, bytes, ends);
            self.is_open = input[..read].iter().fold(self.is_open, |open, byte| open ^ (*byte == b'"'));
            self.source.take(read);
            length += written;
            self.width += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    return Err(self.wrong("a row has no end; a quote may not be closed"));
                }
                ReadRecordResult::OutputEndsFull => return Err(self.wrong("a row has too many values")),
                // Such a row ends where the input does, and its last value is as much as there is of it.
                ReadRecordResult::Record if self.is_open => return Err(self.wrong("a quote is not closed")),
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// What is wrong with the row that was read last.
    pub fn wrong(&self, why: &'static str) -> DumpError {
        DumpError::Syntax { line: self.line, why }
    }

    /// The line in which the row begins.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// How many values it has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A value of it.
    pub fn value(&self, at: usize) -> Option<&[u8]> {
        let ends = &self.ends[..self.width];
        let begin = if at == 0 { 0 } else { *ends.get(at - 1)? };
        self.bytes.get(begin..*ends.get(at)?)
    }

    /// All of them.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.width).filter_map(|at| self.value(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_names_says_what_separates() {
        for (line, separator) in [
            ("CREATED_AT,TOKEN_ID,USER_KEY", Some(b',')),
            ("\"token_id\";\"user_key\"", Some(b';')),
            ("ID\tTOKEN_ID", Some(b'\t')),
            ("ID| TOKEN_ID |NAME", Some(b'|')),
            ("CREATED_AT;NAME;TOK;USER_KEY", Some(b';')),
            ("CREATED_AT,MY_TOKEN_ID", None),
            ("INSERT INTO x (TOKEN_IDS) VALUES", None),
        ] {
            assert_eq!(delimiter(line.as_bytes()), separator, "{line}");
        }
    }

    #[test]
    fn every_row_knows_its_line_whatever_ends_the_lines() {
        for end in ["\n", "\r\n"] {
            let text = ["a,b", "c,d", "", "", "e,f", "\"x", "y\",z", "l,m"].join(end);
            for text in [text.clone(), text + end] {
                let mut input = text.as_bytes();
                let mut source = Source::new(&mut input).expect("bytes");
                let mut rows = Rows::new(&mut source, b',');
                let mut lines = Vec::new();
                while rows.next().expect("a row") {
                    lines.push((rows.line(), rows.width()));
                }
                assert_eq!(lines, [(1, 2), (2, 2), (5, 2), (6, 2), (8, 2)], "{text:?}");
            }
        }
    }
}
