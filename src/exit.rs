//! The exit statuses, named once. The manual, `--help` and the README repeat this table.

/// How a run ended. A script must be able to tell "revoked" from "database locked", and no trouble
/// may ever read as yes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Yes, or done.
    Yes,
    /// Checked, and the answer is no: denied, refused, not found.
    No,
    /// Wrong usage.
    Usage,
    /// The database, a stream or the mail failed (`EX_IOERR` of sysexits.h).
    Io,
    /// Another process holds the database; try again (`EX_TEMPFAIL`).
    Busy,
    /// Not allowed to, or not safe to (`EX_NOPERM`).
    Permission,
    /// The configuration is wrong (`EX_CONFIG`).
    Config,
    /// The answer of a monitoring check, which has numbers of its own.
    Monitor(Nagios),
}

/// The statuses of a monitoring check, as Nagios and its kin read them. Every trouble is `Unknown`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nagios {
    /// All is well.
    Ok,
    /// Somebody should look.
    Warning,
    /// Somebody must act.
    Critical,
    /// It cannot be told.
    Unknown,
}

impl Nagios {
    /// The word that a check begins its answer with.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Exit {
    /// The number a shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Yes | Self::Monitor(Nagios::Ok) => 0,
            Self::No | Self::Monitor(Nagios::Warning) => 1,
            Self::Usage | Self::Monitor(Nagios::Critical) => 2,
            Self::Monitor(Nagios::Unknown) => 3,
            Self::Io => 74,
            Self::Busy => 75,
            Self::Permission => 77,
            Self::Config => 78,
        }
    }
}

/// The table as `--help` shows it.
pub const HELP: &str = "\
Exit status:
  0   yes, or done
  1   checked, and the answer is no (denied, refused, not found)
  2   wrong usage
  74  trouble with the database, a stream or the mail
  75  busy, try again
  77  permission
  78  configuration";

/// The table of the one command that is a monitoring check.
pub const MONITOR_HELP: &str = "\
Exit status:
  0   OK
  1   WARNING
  2   CRITICAL
  3   UNKNOWN: any trouble, wrong usage included";
