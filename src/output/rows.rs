//! Many tokens, in whichever format was asked for: one stream for `list` and every preview.

use super::{Screen, Sink, table::Table};
use crate::cli::Format;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Pat;
use crate::wire;
use serde::Serialize;
use std::io::{self, Write as _};
use std::ops::ControlFlow;

/// A stream of tokens.
pub struct Rows<'r, 's> {
    form: Form<'r, 's>,
    now: Moment,
    warning: Span,
    count: u64,
    broken: Option<io::Error>,
}

enum Form<'r, 's> {
    Table(Box<Table<'r, 's>>),
    /// A row is put together in memory and written at once.
    Json(&'r mut Sink<'s>, Vec<u8>),
    Jsonl(&'r mut Sink<'s>, Vec<u8>),
    Csv(Box<csv::Writer<&'r mut Sink<'s>>>),
    Ids(&'r mut Sink<'s>),
}

impl<'r, 's> Rows<'r, 's> {
    /// Tokens as they are at `now`.
    pub fn new(screen: &'r mut Screen<'s>, now: Moment, warning: Span) -> Self {
        let (format, style) = (screen.format(), screen.style);
        let out = screen.out();
        let form = match format {
            Format::Table => Form::Table(Box::new(Table::new(out, style, now, warning))),
            Format::Json => Form::Json(out, Vec::with_capacity(1024)),
            Format::Jsonl => Form::Jsonl(out, Vec::with_capacity(1024)),
            Format::Csv => Form::Csv(Box::new(csv::Writer::from_writer(out))),
            Format::Ids => Form::Ids(out),
        };
        Self { form, now, warning, count: 0, broken: None }
    }

    /// Adds a token; breaks when nobody reads any more.
    pub fn push(&mut self, pat: &Pat) -> ControlFlow<()> {
        let token = || wire::Token::new(pat, self.now, self.warning);
        let (done, gone) = match &mut self.form {
            Form::Table(table) => (table.row(pat), table.is_gone()),
            Form::Json(out, row) => {
                row.clear();
                row.push(if self.count == 0 { b'[' } else { b',' });
                let written = wire::line(&mut *row, &token()).and_then(|()| out.write_all(row));
                (written, out.is_gone())
            }
            Form::Jsonl(out, row) => {
                row.clear();
                let written = wire::line(&mut *row, &token()).and_then(|()| out.write_all(row));
                (written, out.is_gone())
            }
            Form::Csv(csv) => (record(csv, self.count == 0, &token()), csv.get_ref().is_gone()),
            Form::Ids(out) => (out.line(pat.id.as_str()), out.is_gone()),
        };
        self.count += 1;
        self.broken = done.err();
        if self.broken.is_some() || gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Ends the stream and answers how many there were.
    ///
    /// # Errors
    /// What stdout gave, now or on the way.
    pub fn finish(self) -> io::Result<u64> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        match self.form {
            Form::Table(table) => table.finish()?,
            Form::Json(out, _) => out.write_all(if self.count == 0 { b"[]\n" } else { b"]\n" })?,
            Form::Csv(mut csv) => {
                if self.count == 0 {
                    csv.write_record(wire::Token::COLUMNS)?;
                }
                csv.flush()?;
            }
            Form::Jsonl(..) | Form::Ids(_) => {}
        }
        Ok(self.count)
    }
}

fn record(csv: &mut csv::Writer<&mut Sink<'_>>, first: bool, token: &wire::Token<'_>) -> io::Result<()> {
    if first {
        csv.write_record(wire::Token::COLUMNS)?;
    }
    Ok(csv.write_record(token.cells().iter().map(|cell| harmless(cell).into_owned()))?)
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
            let mut csv = csv::Writer::from_writer(screen.out());
            csv.write_record(T::COLUMNS)?;
            for row in rows {
                csv.write_record(row.cells().iter().map(|cell| harmless(cell).into_owned()))?;
            }
            csv.flush()
        }
    }
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
