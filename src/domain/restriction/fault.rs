//! What is wrong with a rule, and where: for the person who wrote it.

use crate::domain::leak;
use std::fmt;

/// The kinds of error: stable words, for scripts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// The method part is no list of known methods.
    Method,
    /// A method where none may stand.
    MethodPlace,
    /// White space where none may stand.
    Space,
    /// A placeholder that is not closed, or that nothing stands behind.
    Placeholder,
    /// `http://` or `https://` without a plain host behind it.
    Origin,
    /// A clause that is not closed, not complete or not known.
    Clause,
    /// A character class that looks like a slip of a clause.
    ClauseLike,
    /// Something else than a clause behind a clause.
    AfterClause,
    /// The name in a clause.
    Key,
    /// A pattern with nothing in it.
    Empty,
    /// The regular expression does not parse, or asks for what is not there.
    Regex,
    /// A possessive quantifier, which would be read as something else.
    Possessive,
    /// A flag other than `s` and `i`.
    Flag,
    /// Set operations in a character class.
    ClassOp,
    /// A Unicode class.
    UnicodeClass,
    /// A character outside ASCII in a character class.
    NonAsciiClass,
    /// No request could ever match.
    NeverMatches,
    /// The automaton would be too big.
    TooBig,
    /// The line or the text is too long.
    TooLong,
    /// Too many rules or clauses.
    TooMany,
    /// No rule at all: a text that is blank or only comments.
    NoRules,
    /// A character that cannot be seen.
    Invisible,
    /// A whole token, which would be kept in the clear.
    Secret,
}

impl Code {
    /// Every code, in the order of the manual.
    pub const ALL: [Self; 23] = [
        Self::Method,
        Self::MethodPlace,
        Self::Space,
        Self::Placeholder,
        Self::Origin,
        Self::Clause,
        Self::ClauseLike,
        Self::AfterClause,
        Self::Key,
        Self::Empty,
        Self::Regex,
        Self::Possessive,
        Self::Flag,
        Self::ClassOp,
        Self::UnicodeClass,
        Self::NonAsciiClass,
        Self::NeverMatches,
        Self::TooBig,
        Self::TooLong,
        Self::TooMany,
        Self::NoRules,
        Self::Invisible,
        Self::Secret,
    ];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::MethodPlace => "method-place",
            Self::Space => "space",
            Self::Placeholder => "placeholder",
            Self::Origin => "origin",
            Self::Clause => "clause",
            Self::ClauseLike => "clause-like",
            Self::AfterClause => "after-clause",
            Self::Key => "key",
            Self::Empty => "empty",
            Self::Regex => "regex",
            Self::Possessive => "possessive",
            Self::Flag => "flag",
            Self::ClassOp => "class-op",
            Self::UnicodeClass => "unicode-class",
            Self::NonAsciiClass => "non-ascii-class",
            Self::NeverMatches => "never-matches",
            Self::TooBig => "too-big",
            Self::TooLong => "too-long",
            Self::TooMany => "too-many",
            Self::NoRules => "no-rules",
            Self::Invisible => "invisible",
            Self::Secret => "secret",
        }
    }
}

/// A fault within a line, before it is known which.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Bytes before it.
    pub at: usize,
    /// Its kind.
    pub code: Code,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl Fault {
    /// A fault behind `at` bytes.
    pub fn new(at: usize, code: Code, message: impl Into<String>) -> Self {
        Self { at, code, message: message.into() }
    }

    /// The same fault in a text that begins `by` bytes earlier.
    #[must_use]
    pub fn moved(self, by: usize) -> Self {
        Self { at: self.at + by, ..self }
    }
}

/// An error in a rule text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleError {
    /// The line, from 1.
    pub line: usize,
    /// The byte in the raw line, from 1.
    pub column: usize,
    /// Its kind.
    pub code: Code,
    /// What is wrong, and what to write instead.
    pub message: String,
    /// The raw line, its secrets masked.
    pub text: String,
}

impl RuleError {
    /// A fault in line `line`, which is `text`.
    #[must_use]
    pub fn new(line: usize, text: &str, fault: Fault) -> Self {
        let Fault { at, code, message } = fault;
        let text = leak::mask(text).into_owned();
        Self { line, column: at.min(text.len()) + 1, code, message, text }
    }

    /// What stands before the fault in its line.
    #[must_use]
    pub fn before(&self) -> &str {
        self.text.get(..self.column - 1).unwrap_or(&self.text)
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, code, message, .. } = self;
        write!(f, "rule {line}:{column}: {message} [{}]", code.as_str())
    }
}

impl std::error::Error for RuleError {}
