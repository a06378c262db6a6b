//! The JSON we promise: fields may be added, never renamed or removed.

mod audit;
pub mod backup;
pub mod batch;
pub mod bring;
pub mod carry;
pub mod change;
pub mod check;
pub mod doctor;
pub mod headers;
pub mod leak;
pub mod notices;
pub mod sarif;
pub mod schedule;
pub mod snippet;
pub mod stats;
mod token;

pub use audit::{Audited, Event, Head};
pub use token::Token;

use crate::domain::moment::Moment;
use crate::domain::text::is_hidden;
use crate::failure::Failure;
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;
use std::io;

/// An instant as RFC 3339 text.
#[derive(Clone, Copy, Debug)]
pub struct Instant(pub Moment);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.text().as_str())
    }
}

/// What `create -o json` prints: the only shape with a secret in it.
#[derive(Serialize)]
pub struct Created<'a> {
    /// The public name.
    pub id: String,
    /// The whole token, shown once.
    pub token: &'a str,
    /// What its holder calls it.
    pub name: &'a str,
    /// Whose it is; null: anybody's.
    pub user: Option<&'a str>,
    /// How it may be presented.
    pub auth: &'static str,
    /// When it was issued.
    pub created_at: Instant,
    /// When it ends; null: never.
    pub expires_at: Option<Instant>,
}

/// What `show --reveal -o json` prints.
#[derive(Serialize)]
pub struct Revealed<'a> {
    /// The public name.
    pub id: &'a str,
    /// The whole token.
    pub token: &'a str,
}

/// A token with what happened to it, latest first: `show -o json`.
#[derive(Serialize, Debug)]
pub struct Shown<'a> {
    /// The token.
    #[serde(flatten)]
    pub token: Token<'a>,
    /// What it may do, line by line; empty where it is not restricted.
    pub restrictions: &'a [String],
    /// Its latest audit rows.
    pub history: Vec<Event<'a>>,
}

/// The answer of `verify`, for the administrator: the presenter of a token sees none of it.
#[derive(Serialize, Debug)]
pub struct Verdict<'a> {
    /// Yes or no.
    pub allowed: bool,
    /// Why not: a stable word; null for a yes.
    pub reason: Option<&'static str>,
    /// What to do about it, where a setting or the caller can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'a str>,
    /// The id that was presented; null where it was no token.
    pub id: Option<&'a str>,
    /// The person a yes speaks for.
    pub effective_user: Option<&'a str>,
    /// `atlassian.pats.invalidate.session.enabled`, handed on: whether the caller should end the
    /// session that this token opens once the request is done.
    pub invalidate_session: bool,
    /// The line of its restrictions that allowed the request; null where it has none.
    pub rule: Option<usize>,
    /// The token, once its secret was proved.
    pub token: Option<Token<'a>>,
    /// Its restrictions, line by line.
    pub restrictions: &'a [String],
}

/// What `revoke -o json` prints.
#[derive(Serialize, Debug)]
pub struct Revoked<'a> {
    /// Whether this is only what would happen.
    pub dry_run: bool,
    /// Revoked by this call.
    pub revoked: Vec<Token<'a>>,
    /// Revoked before.
    pub already_revoked: Vec<Token<'a>>,
    /// Ids that no token has.
    pub unknown: Vec<&'a str>,
    /// Ids that several tokens could be.
    pub ambiguous: Vec<Ambiguous<'a>>,
    /// Tokens that still work because only the other token of their rotation was named.
    pub still_valid: Vec<Twin<'a>>,
}

/// A token that goes on working after the other one of its rotation was ended.
#[derive(Serialize, Debug)]
pub struct Twin<'a> {
    /// The id of the token that was ended.
    pub twin_of: &'a str,
    /// The token that goes on.
    #[serde(flatten)]
    pub token: Token<'a>,
}

/// An id that several tokens could be.
#[derive(Serialize, Debug)]
pub struct Ambiguous<'a> {
    /// What was typed.
    pub id: &'a str,
    /// What it could be.
    pub candidates: Vec<&'a str>,
}

/// What `prune -o json` prints.
#[derive(Serialize, Debug)]
pub struct Pruned {
    /// Whether this is only what would happen.
    pub dry_run: bool,
    /// How many tokens.
    pub count: u64,
    /// How many audit rows.
    pub audit_rows: u64,
}

/// A property and its value: `config show`.
#[derive(Serialize, Debug)]
pub struct Setting<'a> {
    /// The property.
    pub property: &'static str,
    /// Its value; null: unset.
    pub value: Option<&'a str>,
    /// `default`, `-D`, or `FILE:LINE:COLUMN`.
    pub origin: String,
    /// The value where none is set; null: unset.
    pub default: Option<&'static str>,
    /// Whether the value differs from the default.
    pub changed: bool,
}

/// Rows that can be shown as CSV, too.
pub trait Cells {
    /// The names of the columns: those of the fields.
    const COLUMNS: &'static [&'static str];
    /// The values; null is an empty cell.
    fn cells(&self) -> Vec<String>;
}

impl Cells for Setting<'_> {
    const COLUMNS: &'static [&'static str] = &["property", "value", "origin", "default", "changed"];

    fn cells(&self) -> Vec<String> {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let changed = self.changed.to_string();
        vec![self.property.to_owned(), text(self.value), self.origin.clone(), text(self.default), changed]
    }
}

impl Cells for Property {
    const COLUMNS: &'static [&'static str] = &["property", "type", "default", "meaning"];

    fn cells(&self) -> Vec<String> {
        let default = self.default.unwrap_or_default().to_owned();
        vec![self.property.to_owned(), self.r#type.clone(), default, self.meaning.to_owned()]
    }
}

/// A property and what it means: `config keys`.
#[derive(Serialize, Debug)]
pub struct Property {
    /// The property.
    pub property: &'static str,
    /// What a value must be.
    pub r#type: String,
    /// The value where none is set; null: unset.
    pub default: Option<&'static str>,
    /// What it does.
    pub meaning: &'static str,
}

/// What `config check -o json` prints.
#[derive(Serialize, Debug)]
pub struct Checked {
    /// Whether there is nothing to mend.
    pub ok: bool,
    /// The file that was read; null: none is there.
    pub file: Option<String>,
    /// What there is to mend.
    pub problems: Vec<Problem>,
}

/// What `config import -o json` prints.
#[derive(Serialize, Debug)]
pub struct Imported<'a> {
    /// Whether nothing was refused.
    pub ok: bool,
    /// The properties that were found.
    pub properties: Vec<Carried<'a>>,
    /// What was refused, and what is odd.
    pub problems: Vec<Problem>,
}

/// A property that was found among the arguments of a JVM.
#[derive(Serialize, Debug)]
pub struct Carried<'a> {
    /// The property.
    pub property: &'static str,
    /// Its value.
    pub value: &'a str,
    /// `FILE:LINE:COLUMN`.
    pub origin: String,
}

/// Something wrong with the settings.
#[derive(Serialize, Debug)]
pub struct Problem {
    /// `FILE:LINE:COLUMN`, or `-D`.
    pub origin: String,
    /// What and why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// An error, on stderr.
#[derive(Serialize, Debug)]
pub struct Error<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize, Debug)]
struct ErrorBody<'a> {
    kind: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

impl<'a> From<&'a Failure> for Error<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            error: ErrorBody { kind: failure.kind, message: &failure.message, hint: failure.hint.as_deref() },
        }
    }
}

/// A warning, on stderr.
#[derive(Serialize, Debug)]
pub struct Warning<'a> {
    warning: WarningBody<'a>,
}

#[derive(Serialize, Debug)]
struct WarningBody<'a> {
    message: &'a str,
}

impl<'a> Warning<'a> {
    /// A warning with this text.
    #[must_use]
    pub fn new(message: &'a str) -> Self {
        Self { warning: WarningBody { message } }
    }
}

/// `value` as one line of JSON.
///
/// # Errors
/// Only what the writer gives.
pub fn line(mut out: impl io::Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Harmless))?;
    out.write_all(b"\n")
}

/// Compact JSON, in which what a terminal would obey, or not show, is an escape (RFC 8259, section 7, allows it for
/// any character): the same to a program, and harmless where a person looks at it. `serde_json` escapes C0 by itself.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly every text, looked at many bytes at a time.
        if fragment.bytes().fold(true, |plain, b| plain & matches!(b, b' '..=b'~')) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut from = 0;
        for (at, hidden) in fragment.char_indices().filter(|(_, c)| is_hidden(*c)) {
            writer.write_all(&fragment.as_bytes()[from..at])?;
            for unit in hidden.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            from = at + hidden.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[from..])
    }
}
