//! What a person is told when a run fails: what happened, why, and what to do next.

use crate::exit::Exit;
use crate::files;
use std::io;

/// A failed run. Rooms have error types of their own; this is what they become at the top.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The status to leave with.
    pub exit: Exit,
    /// A stable word for scripts.
    pub kind: &'static str,
    /// What happened and why, in one sentence. Never holds a secret.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without a hint.
    #[must_use]
    pub fn new(exit: Exit, kind: &'static str, message: impl Into<String>) -> Self {
        Self { exit, kind, message: message.into(), hint: None }
    }

    /// Wrong usage (status 2).
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// The system has too little left for something (status 75): descriptors, memory, threads.
    #[must_use]
    pub fn exhausted(what: &str) -> Self {
        Self::new(Exit::Busy, "exhausted", format!("the system has too little left: {what}")).hint(
            "try again, or raise the limit (ulimit, LimitNOFILE=, TasksMax=, MemoryMax=) of the process",
        )
    }

    /// The same, unless the error behind it is one that passes: that decides the status, whatever was being done.
    #[must_use]
    pub fn because_of(self, error: &io::Error) -> Self {
        if files::is_exhaustion(error) { Self::exhausted(&self.message) } else { self }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
