//! How answers look. The only room that writes: to stdout what was asked for, to stderr all talk.

pub mod bring;
pub mod chart;
pub mod choice;
pub mod facts;
pub mod hand_over;
pub mod invocation;
pub mod leaks;
pub mod log;
pub mod monitor;
pub mod one_line;
pub mod progress;
pub mod prompt;
pub mod rows;
mod sink;
mod stream;
mod style;
mod table;
pub mod text;
pub mod units;
pub mod verdict;
pub mod when;

pub use sink::Sink;
pub use style::{Style, label, state};

use crate::cli::{Color, Format, Stop};
use crate::domain::token;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::wire;
use crate::world::Output;
use serde::Serialize;
use std::ffi::OsString;
use std::io::{self, BufWriter, IntoInnerError};

/// Bytes of an answer that are put together before they are written.
const PIECES: usize = 1024;

/// The two streams, and how this run talks on them. Whatever text it is given, no invisible or
/// control character of it reaches a terminal, and no secret of a token.
pub struct Screen<'s> {
    out: Sink<'s>,
    err: &'s mut dyn Output,
    format: Format,
    quiet: bool,
    /// How stdout is coloured.
    pub style: Style,
    err_style: Style,
}

/// How this run was asked to talk.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// `--output`
    pub format: Format,
    /// `--quiet`
    pub quiet: bool,
    /// `--color`
    pub color: Color,
}

impl<'s> Screen<'s> {
    /// Decides once how to talk: colour only on a terminal, `NO_COLOR` and `TERM=dumb` honoured,
    /// `--color` above all.
    pub fn new(
        out: &'s mut dyn Output,
        err: &'s mut dyn Output,
        manner: Manner,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> Self {
        let plain =
            env("NO_COLOR").is_some_and(|v| !v.is_empty()) || env("TERM").is_some_and(|t| t == "dumb");
        let style = |terminal: bool| {
            Style::new(match manner.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => terminal && !plain,
            })
        };
        let (out_style, err_style) = (style(out.is_terminal()), style(err.is_terminal()));
        let Manner { format, quiet, .. } = manner;
        Self { out: Sink::new(out), err, format, quiet, style: out_style, err_style }
    }

    /// The format that was asked for.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Stdout, for an answer.
    pub fn out(&mut self) -> &mut Sink<'s> {
        &mut self.out
    }

    /// Whether a person reads stdout.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.out.is_terminal()
    }

    /// Whether a person reads stderr.
    #[must_use]
    pub fn has_a_person(&self) -> bool {
        self.err.is_terminal()
    }

    /// How many columns the terminal of questions has.
    #[must_use]
    pub fn err_columns(&self) -> Option<usize> {
        self.err.columns()
    }

    /// Whether a person reads stderr and wants to hear of progress.
    #[must_use]
    pub fn talks_to_a_person(&self) -> bool {
        self.err.is_terminal() && !self.quiet
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
        // JSON comes in pieces of a few bytes, and each would ask whether the reader is still there.
        let mut pieces = BufWriter::with_capacity(PIECES, &mut self.out);
        wire::line(&mut pieces, value)?;
        pieces.into_inner().map(drop).map_err(IntoInnerError::into_error)
    }

    /// An answer as a line of text that is ours, colours and all.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.out.line(text)
    }

    /// A value as a line: exact for a program, safe for a person.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn value(&mut self, value: &str) -> io::Result<()> {
        if self.out.is_terminal() { self.out.line(&text::safe(value)) } else { self.out.line(value) }
    }

    /// A line that repeats what the status says; silent with `--quiet`.
    ///
    /// # Errors
    /// What stdout gives.
    pub fn answer(&mut self, text: &str) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.out.line(&text::safe(text)) }
    }

    /// Everything said so far leaves the process.
    ///
    /// # Errors
    /// What stdout gives; not that its reader is gone, which [`Sink::is_gone`] tells.
    pub fn flush(&mut self) -> io::Result<()> {
        io::Write::flush(&mut self.out)
    }

    /// Talk: what was done, a count, a next step. Silent with `--quiet`.
    pub fn say(&mut self, text: &str) {
        if !self.quiet {
            self.talk(&text::safe(text));
        }
    }

    /// Talk that is heard with `--quiet`, too.
    pub fn insist(&mut self, text: &str) {
        let quiet = std::mem::replace(&mut self.quiet, false);
        self.say(text);
        self.quiet = quiet;
    }

    /// Talk of several lines, tabs and all. Silent with `--quiet`.
    pub fn block(&mut self, text: &str) {
        for line in text.split('\n').filter(|_| !self.quiet).collect::<Vec<_>>() {
            let pieces: Vec<_> = line.split('\t').map(text::safe).collect();
            self.talk(&pieces.join("\t"));
        }
    }

    /// Something the administrator should mend. Silent with `--quiet`.
    pub fn warn(&mut self, text: &str) {
        let text = token::mask(text);
        if self.quiet {
        } else if self.format.is_json() {
            // Nobody is left to tell if this fails.
            let _ = wire::line(&mut *self.err, &wire::Warning::new(&text));
        } else {
            let label = self.err_style.warning("warning:");
            self.talk(&format!("patctl: {label} {}", text::safe(&text)));
        }
    }

    /// A failure. Never silent.
    pub fn fail(&mut self, failure: &Failure) {
        let masked = Failure {
            message: token::mask(&failure.message),
            hint: failure.hint.as_deref().map(token::mask),
            ..failure.clone()
        };
        if self.format.is_json() {
            // Nobody is left to tell if this fails.
            let _ = wire::line(&mut *self.err, &wire::Error::from(&masked));
            return;
        }
        let label = self.err_style.error("patctl:");
        for (index, line) in masked.message.lines().enumerate() {
            let margin = if index == 0 { label.as_str() } else { "       " };
            self.talk(&format!("{margin} {}", text::safe(line)));
        }
        if let Some(hint) = &masked.hint {
            self.talk(&format!("  hint: {}", text::safe(hint)));
        }
    }

    /// Prints a help text that was asked for, or what is wrong with a command line.
    pub fn explain(&mut self, stop: &Stop) -> Exit {
        let text = text::safe_lines(&if stop.exit == Exit::Yes {
            stop.text.clone()
        } else {
            token::mask_strictly(&stop.text)
        });
        if stop.exit == Exit::Yes {
            let written = self.out.line(text.trim_end()).and_then(|()| self.flush());
            let Err(error) = written else { return Exit::Yes };
            self.fail(&stdout_failed(error));
            return Exit::Io;
        }
        if stop.is_help && !self.format.is_json() {
            self.talk(text.trim_end());
            return stop.exit;
        }
        self.fail(&mistake(stop));
        stop.exit
    }

    fn talk(&mut self, text: &str) {
        // A closed stderr must not turn a done deed into a failure.
        let _ = self.err.write_all(format!("{text}\n").as_bytes()).and_then(|()| self.err.flush());
    }
}

/// A failed write to stdout.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err calls")]
pub fn stdout_failed(error: io::Error) -> Failure {
    Failure::new(Exit::Io, "io", format!("stdout: {error}"))
        .hint("let something read it, or free space")
        .because_of(&error)
}

/// What is wrong with a command line.
#[must_use]
pub fn mistake(stop: &Stop) -> Failure {
    if stop.is_help {
        return Failure::usage("no command was given").hint("'patctl --help' lists them");
    }
    let text = text::safe_lines(&token::mask_strictly(&stop.text));
    let (message, hint) = text.trim().split_once("\n\n").unwrap_or((text.trim(), ""));
    let hint = hint
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with("For more information"))
        .collect::<Vec<_>>()
        .join("; ");
    let failure = Failure::usage(message.trim_start_matches("error: "));
    if let Some(meant) = &stop.hint {
        return failure.hint(token::mask_strictly(meant));
    }
    if hint.is_empty() { failure } else { failure.hint(hint.trim_start_matches("tip: ")) }
}
