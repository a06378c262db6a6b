//! What becomes of each row of an import, in whichever format was asked for; and imported tokens as the
//! table they came from.

use super::stream::Stream;
use super::{Screen, Sink, Style, text, when};
use crate::cli::Format;
use crate::domain::atlassian::COLUMNS;
use crate::domain::atlassian::staged::{Fate, Staged};
use crate::domain::moment::Moment;
use crate::wire::Cells as _;
use crate::wire::bring::{Incoming, Outlook};
use std::io;
use std::ops::ControlFlow;

/// Rows that are looked at before the first is printed.
const MEASURED: usize = 1000;
const WIDTH: usize = 7;
const HEADINGS: [&str; WIDTH] = ["LINE", "ACTION", "ID", "NAME", "USER", "EXPIRES", "WHY"];
/// The widest that names and users get on a terminal.
const WIDEST: usize = 24;
const ACTION: usize = 1;
const NAME: usize = 3;
const USER: usize = 4;
const WHY: usize = 6;

/// A stream of rows.
pub struct Fates<'r, 's> {
    form: Form<'r, 's>,
    now: Moment,
    outlook: Outlook,
    broken: Option<io::Error>,
}

enum Form<'r, 's> {
    Table(Table<'r, 's>),
    Stream(Stream<'r, 's>),
}

impl<'r, 's> Fates<'r, 's> {
    /// A stream to stdout.
    pub fn new(screen: &'r mut Screen<'s>, now: Moment, outlook: Outlook) -> Self {
        let (format, style) = (screen.format(), screen.style);
        let out = screen.out();
        let form = match format {
            Format::Table => Form::Table(Table { out, style, held: Vec::new(), widths: None }),
            other => Form::Stream(Stream::new(out, other, Incoming::COLUMNS)),
        };
        Self { form, now, outlook, broken: None }
    }

    /// Adds a row; breaks when nobody reads any more.
    pub fn push(&mut self, staged: &Staged) -> ControlFlow<()> {
        let incoming = Incoming::new(staged, self.outlook);
        let id = incoming.id.clone().filter(|_| staged.fate == Fate::New && self.outlook != Outlook::Held);
        let (done, gone) = match &mut self.form {
            Form::Table(table) => (table.row(cells(&incoming, self.now)), table.out.is_gone()),
            Form::Stream(stream) => (stream.push(|| incoming, id.as_deref()), stream.is_gone()),
        };
        self.broken = done.err();
        if self.broken.is_some() || gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// What stdout gave, now or on the way.
    pub fn finish(self) -> io::Result<()> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        match self.form {
            Form::Table(mut table) => table.release(),
            Form::Stream(stream) => stream.finish(),
        }
    }
}

fn cells(row: &Incoming<'_>, now: Moment) -> [String; WIDTH] {
    let safe = |value: Option<&str>| text::safe(value.unwrap_or_default()).into_owned();
    let nth = row.nth.map_or_else(String::new, |nth| format!(":{nth}"));
    let expires = row.expires_at.map_or_else(|| "never".to_owned(), |at| when::day(at.0, now));
    [
        format!("{}{nth}", row.line),
        row.fate.to_owned(),
        row.id.clone().unwrap_or_default(),
        safe(row.name),
        text::user(row.user.unwrap_or_default()).into_owned(),
        if row.id.is_some() { expires } else { String::new() },
        safe(row.why),
    ]
}

struct Table<'t, 's> {
    out: &'t mut Sink<'s>,
    style: Style,
    held: Vec<[String; WIDTH]>,
    widths: Option<[usize; WIDTH]>,
}

impl Table<'_, '_> {
    fn row(&mut self, row: [String; WIDTH]) -> io::Result<()> {
        if let Some(widths) = self.widths {
            return self.print(&row, &widths);
        }
        self.held.push(row);
        if self.held.len() == MEASURED { self.release() } else { Ok(()) }
    }

    /// Prints what is held back; an empty table prints nothing.
    fn release(&mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return Ok(());
        }
        let mut widths = HEADINGS.map(text::width);
        for row in &held {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(text::width(cell));
            }
        }
        if self.out.columns().is_some() {
            widths[NAME] = widths[NAME].min(WIDEST);
            widths[USER] = widths[USER].min(WIDEST);
        }
        let mut headings = HEADINGS.map(str::to_owned);
        if self
            .out
            .columns()
            .is_some_and(|columns| widths[..WHY].iter().sum::<usize>() + 2 * WHY + 8 > columns)
        {
            headings[WHY].clear();
        }
        let heading = self.style.heading(&line(&headings, &widths));
        self.out.line(&heading)?;
        held.iter().try_for_each(|row| self.print(row, &widths))?;
        self.widths = Some(widths);
        Ok(())
    }

    /// On a terminal a reason that does not fit beside its row stands below it: it is what the row is shown for.
    fn print(&mut self, row: &[String; WIDTH], widths: &[usize; WIDTH]) -> io::Result<()> {
        let whole = line(row, widths);
        let Some(columns) = self.out.columns().filter(|columns| text::width(&whole) > *columns) else {
            return self.out.line(&whole);
        };
        let (why, rest) = row.split_last().map_or(("", &row[..]), |(why, rest)| (why.as_str(), rest));
        let mut cut = String::new();
        text::fit(&line(rest, widths), columns, &mut cut);
        self.out.line(cut.trim_end())?;
        // Of what was imported before, all is said in the row.
        let why = if rest[ACTION] == Fate::Present.as_str() { "" } else { why };
        let below = text::wrap(why, columns.saturating_sub(INDENT.len()).max(1));
        below
            .iter()
            .filter(|part| !part.is_empty())
            .try_for_each(|part| self.out.line(&format!("{INDENT}{part}")))
    }
}

const INDENT: &str = "        ";

/// A line of the table.
fn line(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in row.iter().zip(widths) {
        text::fit(cell, *width, &mut line);
        line.push_str("  ");
    }
    line.truncate(line.trim_end().len());
    line
}

/// The table of imported tokens, as CSV: exact for programs that read it back, safe on a terminal.
pub struct Dump<'r, 's> {
    csv: csv::Writer<&'r mut Sink<'s>>,
}

impl<'r, 's> Dump<'r, 's> {
    /// A table on stdout, with its line of names.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn new(screen: &'r mut Screen<'s>) -> io::Result<Self> {
        let mut csv = csv::Writer::from_writer(screen.out());
        csv.write_record(COLUMNS)?;
        Ok(Self { csv })
    }

    /// Adds a row; false when nobody reads any more.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn push(&mut self, cells: &[String]) -> io::Result<bool> {
        if self.csv.get_ref().is_terminal() {
            self.csv.write_record(cells.iter().map(|cell| text::safe(cell).into_owned()))?;
        } else {
            self.csv.write_record(cells)?;
        }
        Ok(!self.csv.get_ref().is_gone())
    }

    /// Ends it.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn finish(mut self) -> io::Result<()> {
        self.csv.flush()
    }
}
