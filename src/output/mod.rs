//! How answers look. The only room that writes: to stdout what was asked for, to stderr all talk.

pub mod hand_over;
pub mod prompt;
pub mod rows;
mod style;
pub mod table;
pub mod text;
pub mod when;

pub use style::Style;

use crate::cli::{Color, Format};
use crate::domain::token;
use crate::failure::Failure;
use crate::wire;
use crate::world::Output;
use serde::Serialize;
use std::ffi::OsString;
use std::io;

/// The two streams, and how this run talks on them.
pub struct Screen<'s> {
    out: &'s mut dyn Output,
    err: &'s mut dyn Output,
    format: Format,
    quiet: bool,
    /// How stdout is coloured.
    pub style: Style,
    err_style: Style,
}

impl<'s> Screen<'s> {
    /// Decides once how to talk: colour only on a terminal, `NO_COLOR` and `TERM=dumb` honoured,
    /// `--color` above all.
    pub fn new(
        out: &'s mut dyn Output,
        err: &'s mut dyn Output,
        format: Format,
        quiet: bool,
        color: Color,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> Self {
        let plain =
            env("NO_COLOR").is_some_and(|v| !v.is_empty()) || env("TERM").is_some_and(|t| t == "dumb");
        let style = |terminal: bool| {
            Style::new(match color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => terminal && !plain,
            })
        };
        let (out_style, err_style) = (style(out.is_terminal()), style(err.is_terminal()));
        Self { out, err, format, quiet, style: out_style, err_style }
    }

    /// The format that was asked for.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Stdout, for an answer.
    pub fn out(&mut self) -> &mut dyn Output {
        self.out
    }

    /// Whether stdout is a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.out.is_terminal()
    }

    /// Refuses a format this command has no answer in.
    ///
    /// # Errors
    /// Wrong usage.
    pub fn only(&self, formats: &[Format]) -> Result<(), Failure> {
        if formats.contains(&self.format) {
            return Ok(());
        }
        let names: Vec<&str> = formats.iter().map(|f| f.as_str()).collect();
        Err(Failure::usage(format!("this command has no output as '{}'", self.format.as_str()))
            .hint(format!("use --output {}", names.join(" or "))))
    }

    /// An answer as one line of JSON.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        wire::line(&mut *self.out, value)
    }

    /// An answer as a line of text.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(b"\n")
    }

    /// A line that repeats what the status says; silent with `--quiet`.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn answer(&mut self, text: &str) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.line(text) }
    }

    /// Everything said so far leaves the process.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Talk: what was done, a count, a next step. Silent with `--quiet`.
    pub fn say(&mut self, text: &str) {
        if !self.quiet {
            self.talk(text);
        }
    }

    /// Talk: what there is to know about a thing, a line each. Silent with `--quiet`.
    pub fn talk_of(&mut self, facts: &[(&str, &str)]) {
        for (label, fact) in facts {
            self.say(&format!("{label:<8} {}", text::safe(fact)));
        }
    }

    /// Something the administrator should mend. Silent with `--quiet`.
    pub fn warn(&mut self, text: &str) {
        if !self.quiet {
            let label = self.err_style.warning("warning:");
            self.talk(&format!("patctl: {label} {}", text::safe(&token::mask(text))));
        }
    }

    /// A failure. Never silent, and never with a token in it.
    pub fn fail(&mut self, failure: &Failure) {
        if self.format.is_json() {
            let masked = Failure { message: token::mask(&failure.message), ..failure.clone() };
            // Nobody is left to tell if this fails.
            let _ = wire::line(&mut *self.err, &wire::Error::from(&masked));
            return;
        }
        let mut lines = failure.message.lines();
        let label = self.err_style.error("patctl:");
        self.talk(&format!("{label} {}", text::safe(&token::mask(lines.next().unwrap_or_default()))));
        for line in lines {
            self.talk(&format!("        {}", text::safe(&token::mask(line))));
        }
        if let Some(hint) = &failure.hint {
            self.talk(&format!("  hint: {}", text::safe(&token::mask(hint))));
        }
    }

    fn talk(&mut self, text: &str) {
        // A closed stderr must not turn a done deed into a failure.
        let _ = self.err.write_all(format!("{text}\n").as_bytes()).and_then(|()| self.err.flush());
    }
}
