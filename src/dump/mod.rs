//! How other programs write the table of tokens out: `pg_dump`, `mysqldump`, scripts of SQL Server's and Oracle's
//! tools, and CSV by whatever. Read
//! as a stream, in bounded memory, whatever else is in it; nothing of it is executed.

mod columns;
mod copy;
mod csv;
mod detect;
mod error;
mod insert;
mod literal;
#[cfg(test)]
mod others;
mod source;
mod tokens;
#[cfg(test)]
mod trip;
pub mod users;

pub use error::DumpError;

use crate::domain::atlassian::row::Fields;
use crate::domain::atlassian::{Format, Place};
use source::Source;
use std::io::Read;
use std::ops::ControlFlow;

type Result<T> = std::result::Result<T, DumpError>;

/// The longest value and the longest row that are kept. A row that is longer is no token.
const LONGEST: usize = 64 * 1024;

/// Receives a row after the other, or why there is none in a place where there should be; may stop.
pub type Each<'e> = &'e mut dyn FnMut(Place, std::result::Result<Fields<'_>, String>) -> ControlFlow<()>;

/// Reads the rows of the table, in the format that was named or else seems to be meant, and answers
/// which it was.
///
/// # Errors
/// [`DumpError`]: what was given to `each` by then may be a part.
pub fn read(input: &mut dyn Read, format: Option<Format>, each: Each<'_>) -> Result<Format> {
    let mut source = Source::new(input)?;
    let begin = source.begin();
    detect::refuse_what_is_no_text(begin)?;
    detect::refuse_what_is_for_people(begin)?;
    let format = format.or_else(|| detect::format(begin)).ok_or(DumpError::Unknown)?;
    let dialect = detect::dialect(begin);
    match format {
        Format::Copy => copy::read(&mut source, each),
        Format::Insert => insert::read(&mut source, dialect, each),
        Format::Csv => csv::read(&mut source, each),
    }?;
    Ok(format)
}
