//! A request as a call that works when it is pasted: one file for each language, one description of
//! a request that all of them write.
//!
//! Text in, text out: no token is ever here. Where one is to be embedded, a writer leaves a mark, and
//! whoever hands the text over puts the secret in its place.

mod call;
mod curl;
mod go;
mod header;
mod httpie;
mod javascript;
mod powershell;
mod python;
mod shell;
mod unfit;
mod wget;

use crate::domain::text::is_hidden;
pub use call::{Auth, Call, TokenFrom};
pub use unfit::Unfit;

/// Stands for the token where [`TokenFrom::Here`] embeds it. No request holds this character.
pub const TOKEN_MARK: char = '\0';
/// Stands for the Base64 of `user:token`, likewise.
pub const BASIC_MARK: char = '\u{1}';

/// What a call can be written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// curl in a POSIX shell.
    Curl,
    /// fetch, in Node.js 18 or later.
    JavaScript,
    /// Python 3 with requests.
    Python,
    /// `HTTPie` 3 in a POSIX shell.
    Httpie,
    /// wget in a POSIX shell.
    Wget,
    /// `PowerShell` 7.
    PowerShell,
    /// Go with its standard library.
    Go,
    /// No call: what a person who writes one needs for the authentication.
    Header,
}

impl Language {
    /// All of them, in the order of the manual.
    pub const ALL: [Self; 8] = [
        Self::Curl,
        Self::JavaScript,
        Self::Python,
        Self::Httpie,
        Self::Wget,
        Self::PowerShell,
        Self::Go,
        Self::Header,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::JavaScript => "javascript",
            Self::Python => "python",
            Self::Httpie => "httpie",
            Self::Wget => "wget",
            Self::PowerShell => "powershell",
            Self::Go => "go",
            Self::Header => "header",
        }
    }

    /// What sends the request there, for messages.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::JavaScript => "fetch",
            Self::Python => "requests",
            Self::Httpie => "HTTPie",
            Self::Wget => "wget",
            Self::PowerShell => "PowerShell",
            Self::Go => "net/http",
            Self::Header => "the header",
        }
    }
}

/// Why a language cannot say this call so that exactly it is sent; `None`: it can.
#[must_use]
pub fn unfit(language: Language, call: &Call) -> Option<Unfit> {
    // Everything but curl tidies such a URL up, and would call another one.
    let tidied = call.odd.filter(|_| !matches!(language, Language::Curl | Language::Header));
    let why = match language {
        Language::Curl | Language::Go | Language::Python | Language::Header => None,
        Language::JavaScript => javascript::unfit(call),
        Language::Httpie => httpie::unfit(call),
        Language::Wget => wget::unfit(call),
        Language::PowerShell => powershell::unfit(call),
    };
    tidied.map(Unfit::Odd).or_else(|| why.map(|why| Unfit::Language(language, why)))
}

/// Writes a call for which [`unfit`] has no objection. No line end follows the last line.
#[must_use]
pub fn write(language: Language, call: &Call, token: &TokenFrom) -> String {
    match language {
        Language::Curl => curl::write(call, token),
        Language::JavaScript => javascript::write(call, token),
        Language::Python => python::write(call, token),
        Language::Httpie => httpie::write(call, token),
        Language::Wget => wget::write(call, token),
        Language::PowerShell => powershell::write(call, token),
        Language::Go => go::write(call, token),
        Language::Header => header::write(call, token),
    }
}

/// What a reader of the call should know, sentence by sentence.
#[must_use]
pub fn remarks(language: Language, call: &Call) -> Vec<String> {
    if language == Language::Header {
        return Vec::new();
    }
    let program = language.program();
    let mut remarks = Vec::new();
    if call.body.as_ref().is_some_and(|body| !body.is_empty()) && call.content_type().is_none() {
        remarks.push(if matches!(language, Language::Wget | Language::PowerShell) {
            format!(
                "{program} sends no body without a type: it says {OCTETS}, which means as much as none; \
                 --content-type names another"
            )
        } else {
            "the body goes without a content type; --content-type application/json, say, names one".to_owned()
        });
    }
    if !call.follow && !matches!(call.method, "GET" | "HEAD") {
        remarks.push(redirects(language, call));
    }
    remarks
}

/// What would become of the request at a redirect.
fn redirects(language: Language, call: &Call) -> String {
    let (program, method) = (language.program(), call.method);
    match (language, method, call.body.is_some()) {
        (Language::Curl, _, false) => format!("curl follows no redirect of this {method}; with --follow it does"),
        (Language::Curl, "POST", true) => "curl follows no redirect of this POST; with --location alone it would \
                                           make a GET of it at 301, 302 and 303; --follow keeps method and body"
            .to_owned(),
        (Language::Curl, _, true) => format!(
            "curl follows no redirect of this {method}; with --location alone it would repeat it without its \
             body at 301, 302 and 303; --follow keeps both"
        ),
        (Language::Wget | Language::Httpie | Language::PowerShell, ..) => {
            format!("no redirect is followed: {program} would not keep method and body; curl can (--follow)")
        }
        _ => format!("no redirect is followed: {program} would not keep method and body; --follow does"),
    }
}

/// The type of a body of which no type is known (RFC 9110 §8.3).
const OCTETS: &str = "application/octet-stream";

/// The headers of a call for a program that sends no body without a type.
fn typed_headers(call: &Call) -> Vec<(&str, &str)> {
    let body = call.body.as_ref().is_some_and(|body| !body.is_empty());
    let mut headers: Vec<_> =
        call.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if body && call.content_type().is_none() {
        headers.push(("Content-Type", OCTETS));
    }
    headers
}

/// A string in double quotes, as several languages have it; what could not be seen is escaped as each does.
fn double_quoted(text: &str, hidden: impl Fn(char) -> String) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c != TOKEN_MARK && is_hidden(c) => quoted.push_str(&hidden(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
