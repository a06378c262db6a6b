//! Rows for programs, one after the other: JSON, JSON lines, CSV, ids. Nothing is held back.

use super::Sink;
use super::rows::cell;
use crate::cli::Format;
use crate::wire::{self, Cells};
use serde::Serialize;
use std::io::{self, Write as _};

/// A stream of rows of one shape.
pub struct Stream<'r, 's> {
    form: Form<'r, 's>,
    columns: &'static [&'static str],
    is_empty: bool,
}

enum Form<'r, 's> {
    /// A row is put together in memory and written at once.
    Json(&'r mut Sink<'s>, Vec<u8>),
    Jsonl(&'r mut Sink<'s>, Vec<u8>),
    Csv(Box<csv::Writer<&'r mut Sink<'s>>>),
    Ids(&'r mut Sink<'s>),
}

impl<'r, 's> Stream<'r, 's> {
    /// A stream in a format that is not a table.
    pub fn new(out: &'r mut Sink<'s>, format: Format, columns: &'static [&'static str]) -> Self {
        let form = match format {
            Format::Json => Form::Json(out, Vec::with_capacity(1024)),
            Format::Table | Format::Jsonl => Form::Jsonl(out, Vec::with_capacity(1024)),
            Format::Csv => Form::Csv(Box::new(csv::Writer::from_writer(out))),
            Format::Ids => Form::Ids(out),
        };
        Self { form, columns, is_empty: true }
    }

    /// Goes on where another stream of the same shape ended.
    pub fn go_on(&mut self) {
        self.is_empty = false;
    }

    /// Writes a row, or only its id.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn push<T: Serialize + Cells>(
        &mut self,
        row: impl FnOnce() -> T,
        id: Option<&str>,
    ) -> io::Result<()> {
        let first = std::mem::replace(&mut self.is_empty, false);
        match &mut self.form {
            Form::Json(out, bytes) => {
                bytes.clear();
                bytes.push(if first { b'[' } else { b',' });
                wire::line(&mut *bytes, &row()).and_then(|()| out.write_all(bytes))
            }
            Form::Jsonl(out, bytes) => {
                bytes.clear();
                wire::line(&mut *bytes, &row()).and_then(|()| out.write_all(bytes))
            }
            Form::Csv(csv) => {
                if first {
                    csv.write_record(self.columns)?;
                }
                let terminal = csv.get_ref().is_terminal();
                Ok(csv.write_record(row().cells().iter().map(|one| cell(one, terminal).into_owned()))?)
            }
            Form::Ids(out) => id.map_or(Ok(()), |id| out.line(id)),
        }
    }

    /// Sends what was written so far on its way, and answers whether somebody is there to read it.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn pause(&mut self) -> io::Result<bool> {
        match &mut self.form {
            Form::Json(out, _) | Form::Jsonl(out, _) | Form::Ids(out) => {
                out.flush()?;
                Ok(out.has_reader())
            }
            Form::Csv(csv) => {
                csv.flush()?;
                Ok(csv.get_ref().has_reader())
            }
        }
    }

    /// Whether the reader left.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        match &self.form {
            Form::Json(out, _) | Form::Jsonl(out, _) | Form::Ids(out) => out.is_gone(),
            Form::Csv(csv) => csv.get_ref().is_gone(),
        }
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn finish(self) -> io::Result<()> {
        match self.form {
            Form::Json(out, _) => out.write_all(if self.is_empty { b"[]\n" } else { b"]\n" }),
            Form::Csv(mut csv) => {
                if self.is_empty {
                    csv.write_record(self.columns)?;
                }
                csv.flush()
            }
            Form::Jsonl(..) | Form::Ids(_) => Ok(()),
        }
    }
}
