//! Tokens as a table that streams: the columns are measured on the first rows, so that a million
//! rows need no more memory than a thousand.

use super::{Sink, Style, label, text, when};
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::{Pat, Status};
use std::io::{self, Write as _};

/// Rows that are looked at before the first is printed.
const MEASURED: usize = 1000;
const COLUMNS: usize = 6;
const HEADINGS: [&str; COLUMNS] = ["ID", "NAME", "USER", "STATUS", "EXPIRES", "LAST USED"];
/// Where a terminal is too narrow: what may shrink, and how far.
const SHRINKS: [(usize, usize); 2] = [(1, 8), (2, 6)];
const STATUS: usize = 3;
/// A terminal of at least so many columns shows the instant, too, as a pipe always does.
const ROOMY: usize = 110;

struct Row {
    cells: [String; COLUMNS],
    status: Status,
}

/// A table in the making; [`Table::finish`] prints what is still held back.
pub struct Table<'t, 's> {
    out: &'t mut Sink<'s>,
    style: Style,
    now: Moment,
    warning: Span,
    roomy: bool,
    held: Vec<Row>,
    widths: Option<[usize; COLUMNS]>,
    line: String,
}

impl<'t, 's> Table<'t, 's> {
    /// A table of tokens as they are at `now`.
    pub fn new(out: &'t mut Sink<'s>, style: Style, now: Moment, warning: Span) -> Self {
        let roomy = out.columns().is_none_or(|columns| columns >= ROOMY);
        Self { out, style, now, warning, roomy, held: Vec::new(), widths: None, line: String::new() }
    }

    /// Whether the reader left.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.out.is_gone()
    }

    /// Adds a row.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn row(&mut self, pat: &Pat) -> io::Result<()> {
        let row = self.cells(pat);
        if let Some(widths) = self.widths {
            return self.print(&row, &widths);
        }
        self.held.push(row);
        if self.held.len() == MEASURED { self.release() } else { Ok(()) }
    }

    /// Prints what is held back; an empty table prints nothing.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn finish(mut self) -> io::Result<()> {
        if self.widths.is_none() && !self.held.is_empty() { self.release() } else { Ok(()) }
    }

    fn cells(&self, pat: &Pat) -> Row {
        let status = pat.life.status(self.now, self.warning);
        let time = |at: Option<Moment>| match at {
            None => "never".to_owned(),
            Some(at) if self.roomy => when::day(at, self.now),
            Some(at) => when::distance(at, self.now),
        };
        let cells = [
            pat.id.to_string(),
            text::safe(&pat.name).into_owned(),
            pat.user.as_deref().map_or_else(|| "(any)".to_owned(), |user| text::safe(user).into_owned()),
            label(status).to_owned(),
            time(pat.life.expires_at),
            time(pat.life.last_used_at),
        ];
        Row { cells, status }
    }

    fn release(&mut self) -> io::Result<()> {
        let mut widths = HEADINGS.map(text::width);
        for row in &self.held {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(text::width(cell));
            }
        }
        if let Some(columns) = self.out.columns() {
            shrink(&mut widths, columns);
        }
        self.widths = Some(widths);
        let mut heading = String::new();
        for (name, width) in HEADINGS.iter().zip(widths) {
            text::fit(name, width, &mut heading);
            heading.push_str("  ");
        }
        let heading = self.style.heading(heading.trim_end());
        self.out.line(&heading)?;
        std::mem::take(&mut self.held).iter().try_for_each(|row| self.print(row, &widths))
    }

    fn print(&mut self, row: &Row, widths: &[usize; COLUMNS]) -> io::Result<()> {
        self.line.clear();
        for (index, (cell, width)) in row.cells.iter().zip(widths).enumerate() {
            if index == STATUS {
                let mut fitted = String::with_capacity(*width);
                text::fit(cell, *width, &mut fitted);
                self.line.push_str(&self.style.status(row.status, &fitted));
            } else {
                text::fit(cell, *width, &mut self.line);
            }
            self.line.push_str("  ");
        }
        self.line.truncate(self.line.trim_end().len());
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes())
    }
}

/// Takes columns from what may shrink until the line fits, or nothing is left to take.
fn shrink(widths: &mut [usize; COLUMNS], columns: usize) {
    let gaps = 2 * (COLUMNS - 1);
    for (index, least) in SHRINKS {
        let excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(columns);
        widths[index] = widths[index].saturating_sub(excess).max(least.min(widths[index]));
    }
}
