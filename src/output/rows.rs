//! Many tokens, in whichever format was asked for: one stream for `list` and every preview.

use super::stream::Stream;
use super::{Screen, table::Table};
use crate::cli::Format;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Pat;
use crate::domain::token::TokenId;
use crate::wire;
use serde::Serialize;
use std::io;
use std::ops::ControlFlow;

/// A stream of tokens.
pub struct Rows<'r, 's> {
    form: Form<'r, 's>,
    now: Moment,
    warning: Span,
    count: u64,
    damaged: Damaged,
    broken: Option<io::Error>,
}

enum Form<'r, 's> {
    Table(Box<Table<'r, 's>>),
    Stream(Stream<'r, 's>),
}

impl<'r, 's> Rows<'r, 's> {
    /// Tokens as they are at `now`.
    pub fn new(screen: &'r mut Screen<'s>, now: Moment, warning: Span) -> Self {
        let (format, style) = (screen.format(), screen.style);
        let out = screen.out();
        let form = match format {
            Format::Table => Form::Table(Box::new(Table::new(out, style, now, warning))),
            other => Form::Stream(Stream::new(out, other, &wire::Token::COLUMNS)),
        };
        Self { form, now, warning, count: 0, damaged: Damaged::default(), broken: None }
    }

    /// Adds a token; breaks when nobody reads any more.
    pub fn push(&mut self, pat: &Pat) -> ControlFlow<()> {
        let token = || wire::Token::new(pat, self.now, self.warning);
        let (done, gone) = match &mut self.form {
            Form::Table(table) => (table.row(pat), table.is_gone()),
            Form::Stream(stream) => (stream.push(token, Some(pat.id.as_str())), stream.is_gone()),
        };
        self.count += 1;
        if pat.damaged {
            self.damaged.add(pat.id);
        }
        self.broken = done.err();
        if self.broken.is_some() || gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Ends the stream and answers how many there were, and which were damaged.
    ///
    /// # Errors
    /// What stdout gave, now or on the way.
    pub fn finish(self) -> io::Result<(u64, Damaged)> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        match self.form {
            Form::Table(table) => table.finish()?,
            Form::Stream(stream) => stream.finish()?,
        }
        Ok((self.count, self.damaged))
    }
}

/// Damaged rows that are named one by one; of the others only how many there are.
const NAMED: usize = 10;

/// Tokens whose rows are not what patctl wrote.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Damaged {
    first: Vec<TokenId>,
    more: u64,
}

impl Damaged {
    /// One more.
    pub fn add(&mut self, id: TokenId) {
        if self.first.len() < NAMED { self.first.push(id) } else { self.more += 1 }
    }

    /// How many.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.first.len() as u64 + self.more
    }

    /// Says so, once, to whoever is still there.
    pub fn warn(&self, screen: &mut Screen<'_>) {
        if self.first.is_empty() || screen.out().is_gone() {
            return;
        }
        let ids: Vec<&str> = self.first.iter().map(TokenId::as_str).collect();
        let more = if self.more == 0 { String::new() } else { format!(" and {} more", self.more) };
        let ids = format!("{}{more}", ids.join(", "));
        screen.warn(&format!("not what patctl wrote: {ids}; 'patctl doctor' says what is wrong with them"));
    }
}

/// Settings and the like: few rows of one shape, as JSON, JSON lines or CSV.
///
/// # Errors
/// What stdout gives.
pub fn records<T: Serialize + wire::Cells>(screen: &mut Screen<'_>, rows: &[T]) -> io::Result<()> {
    match screen.format() {
        Format::Json => screen.json(&rows),
        Format::Jsonl => rows.iter().try_for_each(|row| screen.json(row)),
        _ => {
            let terminal = screen.is_terminal();
            let mut csv = csv::Writer::from_writer(screen.out());
            csv.write_record(T::COLUMNS)?;
            for row in rows {
                csv.write_record(row.cells().iter().map(|one| cell(one, terminal).into_owned()))?;
            }
            csv.flush()
        }
    }
}

/// A cell of CSV: harmless to a spreadsheet, and on a terminal without what a terminal would obey.
#[must_use]
pub fn cell(text: &str, terminal: bool) -> std::borrow::Cow<'_, str> {
    let cell = harmless(text);
    if terminal { super::text::safe(&cell).into_owned().into() } else { cell }
}

/// A spreadsheet computes a cell that begins with one of these; an apostrophe makes it text.
#[must_use]
pub fn harmless(cell: &str) -> std::borrow::Cow<'_, str> {
    if cell
        .trim_start_matches(' ')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
    {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_spreadsheet_would_compute_is_text_and_nothing_else_is_touched() {
        for sign in ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"] {
            // Blanks before it are passed over there.
            for cell in [format!("{sign}1+1"), format!("  {sign}1+1")] {
                assert_eq!(harmless(&cell), format!("'{cell}"), "{cell:?}");
            }
        }
        for cell in ["", " ", "a=1", "1-2", "a@b.example", "'=1"] {
            assert_eq!(harmless(cell), cell);
        }
    }
}
