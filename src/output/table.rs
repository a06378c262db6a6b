//! Tokens as a table that streams: the columns are measured on the first rows, so that a million
//! rows need no more memory than a thousand.

use super::{Sink, Style, state, text, when};
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::{Pat, Status};
use std::io::{self, Write as _};

/// Rows that are looked at before the first is printed.
const MEASURED: usize = 1000;
const COLUMNS: usize = 6;
const HEADINGS: [&str; COLUMNS] = ["ID", "NAME", "USER", "STATUS", "EXPIRES", "LAST USED"];
const NAME: usize = 1;
const USER: usize = 2;
const STATUS: usize = 3;
/// A terminal of at least so many columns shows the instant, too, as a pipe always does.
const ROOMY: usize = 110;

struct Row {
    cells: [String; COLUMNS],
    status: Status,
    damaged: bool,
}

/// A table in the making; [`Table::finish`] prints what is still held back.
pub struct Table<'t, 's> {
    out: &'t mut Sink<'s>,
    style: Style,
    now: Moment,
    warning: Span,
    roomy: bool,
    held: Vec<Row>,
    /// Of the columns that are shown: the last are left out where a terminal is too narrow.
    widths: Option<Vec<usize>>,
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
        if let Some(widths) = self.widths.take() {
            let printed = self.print(&row, &widths);
            self.widths = Some(widths);
            return printed;
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
            pat.user.as_deref().map_or_else(|| "(any)".to_owned(), |user| text::user(user).into_owned()),
            state(pat, status).to_owned(),
            time(pat.life.stops_at()),
            time(pat.life.last_used_at),
        ];
        Row { cells, status, damaged: pat.damaged }
    }

    fn release(&mut self) -> io::Result<()> {
        let mut widths = HEADINGS.map(text::width).to_vec();
        for row in &self.held {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(text::width(cell));
            }
        }
        if let Some(columns) = self.out.columns() {
            shrink(&mut widths, columns);
        }
        let mut heading = String::new();
        for (name, width) in HEADINGS.iter().zip(&widths) {
            text::fit(name, *width, &mut heading);
            heading.push_str("  ");
        }
        let heading = self.style.heading(heading.trim_end());
        self.out.line(&heading)?;
        std::mem::take(&mut self.held).iter().try_for_each(|row| self.print(row, &widths))?;
        self.widths = Some(widths);
        Ok(())
    }

    fn print(&mut self, row: &Row, widths: &[usize]) -> io::Result<()> {
        self.line.clear();
        for (index, (cell, width)) in row.cells.iter().zip(widths).enumerate() {
            if index == STATUS {
                let mut fitted = String::with_capacity(*width);
                text::fit(cell, *width, &mut fitted);
                let fitted = if row.damaged {
                    self.style.error(&fitted)
                } else {
                    self.style.status(row.status, &fitted)
                };
                self.line.push_str(&fitted);
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

/// Fits a line into so many columns: names and users give way, the longer first, and where that is
/// not enough the last columns are left out.
fn shrink(widths: &mut Vec<usize>, columns: usize) {
    let excess =
        |widths: &[usize]| (widths.iter().sum::<usize>() + 2 * (widths.len() - 1)).saturating_sub(columns);
    for least in [12, 8] {
        while excess(widths) > 0 {
            let longer = if widths[NAME] >= widths[USER] { NAME } else { USER };
            if widths[longer] <= least {
                break;
            }
            widths[longer] -= 1;
        }
        // Shorter names still are worth less than the last use of a token.
        if excess(widths) > 0 && least == 12 && widths.len() == COLUMNS && columns < 70 {
            widths.pop();
        }
    }
    while excess(widths) > 0 && widths.len() > 2 {
        widths.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_line_fits_whatever_the_names_and_the_terminal(name in 4usize..60, user in 4usize..40, columns in 24usize..200) {
            let mut widths = vec![10, name, user, 12, 12, 12];
            let wide = widths.iter().sum::<usize>() + 10;
            shrink(&mut widths, columns);
            let line = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
            prop_assert!(line <= columns, "{:?}", widths);
            prop_assert!(wide > columns || widths.len() == COLUMNS && line == wide, "nothing is taken without need");
        }
    }
}
