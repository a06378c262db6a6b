//! The exit statuses, named once. The manual, `--help` and the README repeat this table.

use std::process::ExitCode;

/// How a run ended. A script must be able to tell "revoked" from "database locked", and no trouble
/// may ever read as yes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// Yes, or done.
    Yes = 0,
    /// Checked, and the answer is no: denied, refused, not found.
    No = 1,
    /// Wrong usage.
    Usage = 2,
    /// The database or a stream failed (`EX_IOERR` of sysexits.h).
    Io = 74,
    /// Another process holds the database; try again (`EX_TEMPFAIL`).
    Busy = 75,
    /// Not allowed to, or not safe to (`EX_NOPERM`).
    Permission = 77,
    /// The configuration is wrong (`EX_CONFIG`).
    Config = 78,
}

impl Exit {
    /// The number a shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table as `--help` shows it.
pub const HELP: &str = "\
Exit status:
  0   yes, or done
  1   checked, and the answer is no (denied, refused, not found)
  2   wrong usage
  74  trouble with the database or a stream
  75  busy, try again
  77  permission
  78  configuration";
