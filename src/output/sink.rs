//! Stdout, whose reader may leave: `| head -1` has seen enough, and that is no trouble.

use crate::world::Output;
use std::io::{self, Write};
use std::time::Duration;

/// Stdout. Once its reader is gone (or was never there), what is written vanishes, and the sink remembers.
pub struct Sink<'s> {
    out: &'s mut dyn Output,
    gone: bool,
}

impl<'s> Sink<'s> {
    pub(super) fn new(out: &'s mut dyn Output) -> Self {
        Self { out, gone: false }
    }

    /// Whether the reader left before everything was written.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Whether somebody is there to read what will be written; asked without writing.
    #[must_use]
    pub fn has_reader(&self) -> bool {
        !self.gone && !self.out.is_closed() && self.out.wait_writable(Duration::ZERO).is_ok()
    }

    /// Whether a person reads there.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.out.is_terminal()
    }

    /// How many columns the terminal has.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        self.out.columns()
    }

    /// The stream itself, for what must not vanish unnoticed.
    pub fn raw(&mut self) -> &mut dyn Output {
        self.out
    }

    /// A line.
    ///
    /// # Errors
    /// What the stream gives.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.write_all(text.as_bytes())?;
        self.write_all(b"\n")
    }

    fn forgive<T>(&mut self, result: io::Result<T>, instead: T) -> io::Result<T> {
        match result {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(instead)
            }
            other => other,
        }
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gone |= self.out.is_closed();
        if self.gone {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.forgive(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.forgive(flushed, ())
    }
}
