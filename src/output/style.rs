//! Colour, which only ever repeats what the words say.

use crate::domain::pat::{DAMAGED, Pat, Status};

/// A state in the words of a table.
#[must_use]
pub fn label(status: Status) -> &'static str {
    match status {
        Status::ExpiresSoon => "EXPIRES SOON",
        other => other.as_str(),
    }
}

/// The state of a token in the words of a table; and a successor that somebody has not heard of.
#[must_use]
pub fn state(pat: &Pat, status: Status) -> &'static str {
    if pat.damaged {
        return DAMAGED;
    }
    if status == Status::Rotated && pat.reused_at.is_some() { "rotated, still used" } else { label(status) }
}

/// Whether to colour. The codes are those every terminal since the VT100 ignores or obeys.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    on: bool,
}

impl Style {
    /// Colours, or does not.
    #[must_use]
    pub const fn new(on: bool) -> Self {
        Self { on }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// What went wrong.
    #[must_use]
    pub fn error(self, text: &str) -> String {
        self.paint("31;1", text)
    }

    /// What deserves a look.
    #[must_use]
    pub fn warning(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// A yes.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// A no.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// A heading.
    #[must_use]
    pub fn heading(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What is over.
    #[must_use]
    pub fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// The same of a token, whose row may not be what patctl wrote.
    #[must_use]
    pub fn state(self, pat: &Pat, status: Status, text: &str) -> String {
        if pat.damaged { self.error(text) } else { self.status(status, text) }
    }

    /// `text`, which says that a token is in this state.
    #[must_use]
    pub fn status(self, status: Status, text: &str) -> String {
        match status {
            Status::Active => self.paint("32", text),
            Status::ExpiresSoon | Status::Rotating => self.warning(text),
            Status::Expired => self.paint("31", text),
            Status::Disabled | Status::Rotated | Status::Revoked => self.faint(text),
        }
    }
}
