//! Tokens as a table that streams: the columns are measured on the first rows, so that a million
//! rows need no more memory than a thousand.

use super::{Style, text, when};
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Pat;
use crate::wire;
use crate::world::Output;
use std::io;

/// Rows that are looked at before the first is printed.
const MEASURED: usize = 1000;
const COLUMNS: usize = 6;
const HEADINGS: [&str; COLUMNS] = ["ID", "NAME", "USER", "STATUS", "EXPIRES", "LAST USED"];
/// Where a terminal is too narrow: what may shrink, and how far.
const SHRINKS: [(usize, usize); 2] = [(1, 8), (2, 6)];
const STATUS: usize = 3;

type Cells = [String; COLUMNS];

/// A table in the making; [`Table::finish`] prints what is still held back.
pub struct Table<'t> {
    out: &'t mut dyn Output,
    style: Style,
    now: Moment,
    warning: Span,
    held: Vec<Cells>,
    widths: Option<[usize; COLUMNS]>,
}

impl<'t> Table<'t> {
    /// A table of tokens as they are at `now`.
    pub fn new(out: &'t mut dyn Output, style: Style, now: Moment, warning: Span) -> Self {
        Self { out, style, now, warning, held: Vec::new(), widths: None }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn row(&mut self, pat: &Pat) -> io::Result<()> {
        let cells = self.cells(pat);
        if let Some(widths) = self.widths {
            return self.print(&cells, &widths, false);
        }
        self.held.push(cells);
        if self.held.len() == MEASURED { self.release() } else { Ok(()) }
    }

    /// Prints what is held back; an empty table prints nothing.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn finish(mut self) -> io::Result<()> {
        if self.widths.is_none() && !self.held.is_empty() { self.release() } else { Ok(()) }
    }

    fn cells(&self, pat: &Pat) -> Cells {
        let status = if wire::expires_soon(pat, self.now, self.warning) {
            "EXPIRES SOON"
        } else {
            pat.life.state(self.now).as_str()
        };
        let distance =
            |at: Option<Moment>| at.map_or_else(|| "never".to_owned(), |at| when::distance(at, self.now));
        [
            pat.id.as_str().to_owned(),
            text::safe(&pat.name).into_owned(),
            pat.user.as_deref().map_or_else(|| "(any)".to_owned(), |user| text::safe(user).into_owned()),
            status.to_owned(),
            distance(pat.life.expires_at),
            distance(pat.life.last_used_at),
        ]
    }

    fn release(&mut self) -> io::Result<()> {
        let mut widths = HEADINGS.map(text::width);
        for cells in &self.held {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(text::width(cell));
            }
        }
        if let Some(columns) = self.out.columns() {
            shrink(&mut widths, columns);
        }
        self.widths = Some(widths);
        self.print(&HEADINGS.map(str::to_owned), &widths, true)?;
        for cells in std::mem::take(&mut self.held) {
            self.print(&cells, &widths, false)?;
        }
        Ok(())
    }

    fn print(&mut self, cells: &Cells, widths: &[usize; COLUMNS], heading: bool) -> io::Result<()> {
        let mut line = String::with_capacity(96);
        for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let mut fitted = String::with_capacity(*width);
            text::fit(cell, *width, &mut fitted);
            if index == COLUMNS - 1 {
                fitted.truncate(fitted.trim_end().len());
            }
            line.push_str(&match index {
                _ if heading => self.style.heading(&fitted),
                STATUS => self.style.status(&fitted),
                _ => fitted,
            });
            line.push_str(if index == COLUMNS - 1 { "\n" } else { "  " });
        }
        self.out.write_all(line.as_bytes())
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
