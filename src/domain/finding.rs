//! What is wrong with an installation, why that matters, and what to do about it.

/// What `doctor` may find: stable words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// The configuration cannot be read, or a part of it is wrong.
    Config,
    /// A key or credentials file is missing, is none, or can be read by others.
    KeyFile,
    /// There is no database.
    Missing,
    /// The database is a link.
    Link,
    /// It is no regular file, or holds nothing.
    NotAFile,
    /// It has another name.
    HardLink,
    /// It belongs to somebody unexpected.
    Owner,
    /// A file can be read or written by everybody.
    Mode,
    /// The directory can be written by everybody.
    Directory,
    /// Something beside the database does not belong there.
    Companion,
    /// It lies on a network file system.
    Network,
    /// It cannot be opened or read.
    Unreadable,
    /// The caller may not open or read it; nothing is known of its state.
    Permission,
    /// It could not be looked at now: another process holds it, or the system has too little left.
    Busy,
    /// It is the database of another program.
    Foreign,
    /// It has a newer schema.
    NewerSchema,
    /// It has an older schema.
    OlderSchema,
    /// Its schema is not what patctl made.
    Schema,
    /// A setting of it is not what patctl sets.
    Setting,
    /// Its structure is damaged.
    Structure,
    /// The audit log is not whole.
    AuditChain,
    /// The log says something that the rows do not.
    Contradiction,
    /// A row is not what patctl wrote.
    Row,
    /// A verifier cannot be read.
    Verifier,
    /// A restriction cannot be read.
    Restriction,
    /// The clock contradicts the audit log.
    Clock,
    /// A user has more tokens than are allowed.
    TooMany,
    /// A token will end, and has no address to notify.
    Unaddressed,
    /// The mail server refused an address of a token for good.
    Undelivered,
    /// Much of the file is free.
    Space,
    /// Another program keeps a plain table or index in it, which does no harm.
    Tolerated,
}

impl Kind {
    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::KeyFile => "key-file",
            Self::Missing => "missing",
            Self::Link => "link",
            Self::NotAFile => "not-a-file",
            Self::HardLink => "hard-link",
            Self::Owner => "owner",
            Self::Mode => "mode",
            Self::Directory => "directory",
            Self::Companion => "companion",
            Self::Network => "network",
            Self::Unreadable => "unreadable",
            Self::Permission => "permission",
            Self::Busy => "busy",
            Self::Foreign => "foreign",
            Self::NewerSchema => "newer-schema",
            Self::OlderSchema => "older-schema",
            Self::Schema => "schema",
            Self::Setting => "setting",
            Self::Structure => "structure",
            Self::AuditChain => "audit-chain",
            Self::Contradiction => "contradiction",
            Self::Row => "row",
            Self::Verifier => "verifier",
            Self::Restriction => "restriction",
            Self::Clock => "clock",
            Self::TooMany => "too-many",
            Self::Unaddressed => "unaddressed",
            Self::Undelivered => "undelivered",
            Self::Space => "space",
            Self::Tolerated => "tolerated",
        }
    }

    /// Whether this is only said, and nothing is wrong.
    #[must_use]
    pub const fn is_note(self) -> bool {
        matches!(self, Self::Tolerated)
    }
}

/// One command of a remedy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// patctl, on the database and with the configuration that were examined.
    Patctl(Vec<String>),
    /// `patctl restore` of the newest backup that the audit log names and that is there, else of `FILE`.
    Restore(Vec<String>),
    /// Another program and its arguments.
    Program(Vec<String>),
}

impl Step {
    /// patctl with these arguments.
    #[must_use]
    pub fn patctl<const N: usize>(args: [&str; N]) -> Self {
        Self::Patctl(args.map(str::to_owned).into())
    }

    /// A restore.
    #[must_use]
    pub const fn restore() -> Self {
        Self::Restore(Vec::new())
    }

    /// A program with its arguments.
    #[must_use]
    pub fn program<const N: usize>(words: [&str; N]) -> Self {
        Self::Program(words.map(str::to_owned).into())
    }
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Of what: a file, the id of a token, a user.
    pub subject: String,
    /// What is wrong with it, and why that matters.
    pub why: String,
    /// What to do, in words.
    pub mend: String,
    /// The commands that do it; none where no command can.
    pub steps: Vec<Step>,
    /// What was done about it; it is wrong no longer.
    pub fixed: Option<String>,
}

impl Finding {
    /// Something that nobody has mended yet.
    #[must_use]
    pub fn new(
        kind: Kind,
        subject: impl Into<String>,
        why: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            subject: subject.into(),
            why: why.into(),
            mend: mend.into(),
            steps: Vec::new(),
            fixed: None,
        }
    }

    /// What could not be looked at now.
    #[must_use]
    pub fn busy(subject: impl Into<String>, why: impl Into<String>) -> Self {
        let mend =
            "try again, or raise the limit (ulimit, LimitNOFILE=, TasksMax=, MemoryMax=) of the process";
        Self::new(Kind::Busy, subject, why, mend)
    }

    /// The same, with the commands that mend it.
    #[must_use]
    pub fn by(self, steps: impl Into<Vec<Step>>) -> Self {
        Self { steps: steps.into(), ..self }
    }

    /// The same, mended: what was done, if it was.
    #[must_use]
    pub fn fixed(self, fixed: Option<impl Into<String>>) -> Self {
        Self { fixed: fixed.map(Into::into), ..self }
    }
}
