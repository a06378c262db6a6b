//! What the outside gives to one run: the clock, the dice, the streams, the environment, and who is
//! asking. The program gives the real ones; a test gives its own and may run twice.

use crate::domain::actor::Actor;
use crate::domain::dice::Dice;
use crate::domain::moment::Moment;
use std::any::Any;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// Everything a run may know of the world or do to it, files apart.
pub struct World<'w> {
    /// The time. Asked for where a decision is made, so that waiting for a lock does not age it.
    pub clock: &'w dyn Fn() -> Moment,
    /// The source of ids, secrets and salts.
    pub dice: &'w mut Dice,
    /// Where a token is read from.
    pub stdin: &'w mut dyn Input,
    /// Where answers go.
    pub stdout: &'w mut dyn Output,
    /// Where all talk goes.
    pub stderr: &'w mut dyn Output,
    /// The person at the terminal.
    pub ask: &'w mut dyn Ask,
    /// Reads one environment variable. Nobody may list them.
    pub env: &'w dyn Fn(&str) -> Option<OsString>,
    /// Who runs this process, or why the system cannot tell now. A function: the look-up costs, and few commands need it.
    pub actor: &'w dyn Fn() -> io::Result<Actor>,
    /// The effective user id, for the ownership of files.
    pub euid: u32,
    /// The system-wide configuration file, read where the user has none.
    pub system_config: PathBuf,
    /// Where this program lies, if that can be known: what cron and systemd are told to run.
    pub program: &'w dyn Fn() -> Option<PathBuf>,
    /// The time zone of the machine, a `TZif` file or a link to one; where there is none it is UTC.
    pub localtime: PathBuf,
    /// The directory of all time zones, by name.
    pub zoneinfo: PathBuf,
    /// Takes what the end of the process closes and frees faster than its owner would. A run that is not the last
    /// of its process drops it.
    pub leave: &'w dyn Fn(Box<dyn Any>),
}

/// A stream to read.
pub trait Input: Read {
    /// Whether a person types there.
    fn is_terminal(&self) -> bool;
    /// Whether the process was started without it.
    fn is_closed(&self) -> bool;
}

/// A stream to write.
pub trait Output: Write {
    /// Whether a person reads there.
    fn is_terminal(&self) -> bool;
    /// How many columns the terminal has; `None` where there is none.
    fn columns(&self) -> Option<usize>;
    /// Whether the process was started without it.
    fn is_closed(&self) -> bool;
    /// Waits until a write would not block, for at most `limit`; false when it still would.
    ///
    /// # Errors
    /// The stream cannot be asked, or its reader is gone.
    fn wait_writable(&self, limit: Duration) -> io::Result<bool>;
}

/// Questions to the person at the terminal; only asked when there is one.
pub trait Ask {
    /// Yes or no; no is the default.
    ///
    /// # Errors
    /// The terminal cannot be read.
    fn confirm(&mut self, question: &str) -> io::Result<bool>;
    /// A line of text; an empty one is `default`.
    ///
    /// # Errors
    /// The terminal cannot be read.
    fn text(&mut self, prompt: &str, default: &str) -> io::Result<String>;
    /// Several of some lines, by their index; none is an answer.
    ///
    /// # Errors
    /// The terminal cannot be read.
    fn choose(&mut self, prompt: &str, items: &[String]) -> io::Result<Vec<usize>>;
    /// Something secret, typed or pasted without an echo.
    ///
    /// # Errors
    /// The terminal cannot be read.
    fn secret(&mut self, prompt: &str) -> io::Result<Zeroizing<String>>;
}
