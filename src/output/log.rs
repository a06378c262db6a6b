//! The audit log, in whichever format was asked for. As a table the columns are measured on the first
//! rows; what happened comes last and takes the room that is left.

use super::stream::Stream;
use super::{Screen, Sink, Style, text, when};
use crate::cli::Format;
use crate::domain::audit::{MANY, Record};
use crate::wire::change::read_back;
use crate::wire::{Cells as _, Event};
use std::io::{self, Write as _};
use std::ops::ControlFlow;

/// Rows that are looked at before the first is printed.
const MEASURED: usize = 1000;
const COLUMNS: usize = 7;
const HEADINGS: [&str; COLUMNS] = ["ROW", "TIME", "WHAT", "TOKEN", "USER", "BY", "WHY"];
/// Columns are at least so wide, because a row that is yet to come may need it.
const LEAST: [usize; COLUMNS] = [4, 16, 14, 10, 8, 8, 12];
const ROW: usize = 0;
const WHAT: usize = 2;
const TOKEN: usize = 3;
const USER: usize = 4;
const BY: usize = 5;
const WHY: usize = 6;
/// A terminal of at least so many columns shows numbers and seconds, too, as a pipe always does.
const ROOMY: usize = 110;

/// A stream of audit rows.
pub struct Events<'r, 's> {
    form: Form<'r, 's>,
    count: u64,
    broken: Option<io::Error>,
}

enum Form<'r, 's> {
    Table(Box<Table<'r, 's>>),
    Stream(Stream<'r, 's>),
}

impl<'r, 's> Events<'r, 's> {
    /// A stream to stdout.
    pub fn new(screen: &'r mut Screen<'s>) -> Self {
        let (format, style) = (screen.format(), screen.style);
        let out = screen.out();
        let form = match format {
            Format::Table => Form::Table(Box::new(Table::new(out, style))),
            other => Form::Stream(Stream::new(out, other, Event::COLUMNS)),
        };
        Self { form, count: 0, broken: None }
    }

    /// Goes on where another stream ended that printed the names of the columns.
    pub fn go_on(&mut self) {
        match &mut self.form {
            Form::Table(table) => table.headed = true,
            Form::Stream(stream) => stream.go_on(),
        }
    }

    /// Whether there was a row.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.count > 0
    }

    /// Adds a row; breaks when nobody reads any more.
    pub fn push(&mut self, record: &Record) -> ControlFlow<()> {
        let (done, gone) = match &mut self.form {
            Form::Table(table) => (table.row(record), table.out.is_gone()),
            Form::Stream(stream) => (stream.push(|| Event::from(record), record.token()), stream.is_gone()),
        };
        self.count += 1;
        self.broken = done.err();
        if self.broken.is_some() || gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Sends the rows so far on their way, and answers whether somebody is there to read more.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn pause(&mut self) -> io::Result<bool> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        match &mut self.form {
            Form::Table(table) => table.pause(),
            Form::Stream(stream) => stream.pause(),
        }
    }

    /// Ends the stream and answers how many there were.
    ///
    /// # Errors
    /// What stdout gave, now or on the way.
    pub fn finish(mut self) -> io::Result<u64> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        match self.form {
            Form::Table(mut table) => table.release()?,
            Form::Stream(stream) => stream.finish()?,
        }
        Ok(self.count)
    }
}

/// What happened and why, in a line: the reason, the request, what exactly was wrong, what an edit
/// changed. Not yet safe for a terminal.
#[must_use]
pub fn why(record: &Record) -> String {
    let request = [record.method.as_deref(), record.url.as_deref()];
    let request: Vec<&str> = request.into_iter().flatten().collect();
    let request = Some(request.join(" ")).filter(|request| !request.is_empty());
    let told = |text: &String| match read_back(text) {
        Some(fields) => {
            let one = |(field, was, is): &(String, String, String)| format!("{field}: {was} -> {is}");
            fields.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        None => text.clone(),
    };
    let changes = record.changes.as_ref().map(told);
    let from = record.client.as_ref().map(|client| format!("from {client}"));
    let parts = [record.reason.clone(), request, from, record.detail.clone(), changes];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

struct Row {
    cells: [String; COLUMNS],
    outcome: String,
}

struct Table<'t, 's> {
    out: &'t mut Sink<'s>,
    style: Style,
    /// Whether the headings were printed.
    headed: bool,
    held: Vec<Row>,
    widths: Option<[usize; COLUMNS]>,
}

impl<'t, 's> Table<'t, 's> {
    fn new(out: &'t mut Sink<'s>, style: Style) -> Self {
        Self { out, style, headed: false, held: Vec::new(), widths: None }
    }

    fn row(&mut self, record: &Record) -> io::Result<()> {
        let row = cells(record, self.out.columns().is_none_or(|columns| columns >= ROOMY));
        if let Some(widths) = self.widths {
            return self.print(&row, &widths);
        }
        self.held.push(row);
        if self.held.len() == MEASURED { self.release() } else { Ok(()) }
    }

    fn pause(&mut self) -> io::Result<bool> {
        self.release()?;
        self.out.flush()?;
        Ok(self.out.has_reader())
    }

    /// Prints what is held back; an empty table prints nothing.
    fn release(&mut self) -> io::Result<()> {
        if self.widths.is_some() || self.held.is_empty() {
            return Ok(());
        }
        let mut widths = LEAST;
        for row in &self.held {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(text::width(cell));
            }
        }
        match self.out.columns() {
            Some(columns) => share(&mut widths, columns),
            None => widths[WHY] = usize::MAX,
        }
        if !self.headed {
            let headings = Row { cells: HEADINGS.map(str::to_owned), outcome: String::new() };
            let heading = self.line(&headings, &widths);
            self.out.line(&self.style.heading(heading.trim_end()))?;
        }
        std::mem::take(&mut self.held).iter().try_for_each(|row| self.print(row, &widths))?;
        self.widths = Some(widths);
        Ok(())
    }

    fn print(&mut self, row: &Row, widths: &[usize; COLUMNS]) -> io::Result<()> {
        let line = self.line(row, widths);
        self.out.line(line.trim_end())
    }

    fn line(&self, row: &Row, widths: &[usize; COLUMNS]) -> String {
        let mut line = String::with_capacity(160);
        for (index, (cell, &width)) in row.cells.iter().zip(widths).enumerate() {
            if width == 0 {
                continue;
            }
            let mut fitted = String::new();
            // A pipe cuts nothing.
            let longer = self.out.columns().is_none() && text::width(cell) > width;
            if index == WHY && width == usize::MAX || longer {
                fitted.push_str(cell);
            } else {
                text::fit(cell, width, &mut fitted);
            }
            line.push_str(&match (index, row.outcome.as_str()) {
                (WHAT, "allowed") => self.style.good(&fitted),
                (WHAT, "denied") => self.style.bad(&fitted),
                _ => fitted,
            });
            line.push_str("  ");
        }
        line
    }
}

fn cells(record: &Record, roomy: bool) -> Row {
    let what = match record.outcome.as_str() {
        "done" => record.action.clone(),
        outcome => format!("{} {outcome}", record.action),
    };
    let at = record.at.to_string();
    let user = record.effective_user.as_ref().or(record.user.as_ref());
    let cells = [
        if roomy { record.seq.to_string() } else { String::new() },
        if roomy { at[..19].replace('T', " ") } else { when::minute(record.at) },
        what,
        record.token_id.clone(),
        user.map_or_else(|| MANY.to_owned(), |user| text::user(user).into_owned()),
        record.actor.clone(),
        why(record),
    ];
    Row { cells: cells.map(|cell| text::safe(&cell).into_owned()), outcome: record.outcome.clone() }
}

/// Shares so many columns out: users give way first, are left out where that is not enough, and what
/// happened comes last of all to go.
fn share(widths: &mut [usize; COLUMNS], columns: usize) {
    if columns < ROOMY {
        widths[ROW] = 0;
    }
    let room = columns + 2;
    let used = |widths: &[usize; COLUMNS]| widths.iter().filter(|w| **w > 0).map(|w| w + 2).sum::<usize>();
    // The reasons take what is left, and leave some to the others.
    let wanted = std::mem::replace(&mut widths[WHY], LEAST[WHY]);
    while used(widths) > room && widths[USER].max(widths[BY]) > 6 {
        let longer = if widths[USER] >= widths[BY] { USER } else { BY };
        widths[longer] -= 1;
    }
    for index in [BY, USER, WHY, TOKEN, WHAT] {
        if used(widths) > room {
            widths[index] = 0;
        }
    }
    if widths[WHY] > 0 {
        widths[WHY] = wanted.min(room - (used(widths) - widths[WHY]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_line_fits_whatever_the_names_and_the_terminal(user in 0usize..60, by in 0usize..40, why in 0usize..300, columns in 20usize..200) {
            let mut widths = LEAST;
            for (index, width) in [(USER, user), (BY, by), (WHY, why)] {
                widths[index] = widths[index].max(width);
            }
            let wide = widths.iter().map(|w| w + 2).sum::<usize>() - 2;
            share(&mut widths, columns);
            let line = widths.iter().filter(|w| **w > 0).map(|w| w + 2).sum::<usize>() - 2;
            prop_assert!(line <= columns, "{:?}", widths);
            prop_assert!(columns < ROOMY || wide > columns || line == wide, "nothing is taken without need");
        }
    }
}
