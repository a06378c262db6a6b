//! Many tokens, in whichever format was asked for: one stream for `list` and every preview.

use super::{Screen, table::Table};
use crate::cli::Format;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Pat;
use crate::wire;
use crate::world::Output;
use std::io;
use std::ops::ControlFlow;

/// A stream of tokens.
pub struct Rows<'r> {
    form: Form<'r>,
    now: Moment,
    warning: Span,
    count: u64,
    broken: Option<io::Error>,
}

enum Form<'r> {
    Table(Table<'r>),
    Json(&'r mut dyn Output),
    Ids(&'r mut dyn Output),
}

impl<'r> Rows<'r> {
    /// Tokens as they are at `now`.
    pub fn new(screen: &'r mut Screen<'_>, now: Moment, warning: Span) -> Self {
        let (format, style) = (screen.format(), screen.style);
        let out = screen.out();
        let form = match format {
            Format::Table => Form::Table(Table::new(out, style, now, warning)),
            Format::Json => Form::Json(out),
            Format::Ids => Form::Ids(out),
        };
        Self { form, now, warning, count: 0, broken: None }
    }

    /// Adds a token; breaks when nobody reads any more.
    pub fn push(&mut self, pat: &Pat) -> ControlFlow<()> {
        let done = match &mut self.form {
            Form::Table(table) => table.row(pat),
            Form::Json(out) => out
                .write_all(if self.count == 0 { b"[" } else { b"," })
                .and_then(|()| wire::line(&mut **out, &wire::Token::new(pat, self.now, self.warning))),
            Form::Ids(out) => out.write_all(pat.id.as_str().as_bytes()).and_then(|()| out.write_all(b"\n")),
        };
        self.count += 1;
        match done {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.broken = Some(error);
                ControlFlow::Break(())
            }
        }
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
            Form::Json(out) => out.write_all(if self.count == 0 { b"[]\n" } else { b"]\n" })?,
            Form::Ids(_) => {}
        }
        Ok(self.count)
    }
}
