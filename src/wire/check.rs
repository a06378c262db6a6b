//! What `check` reads and answers.

use super::headers::Headers;
use serde::{Deserialize, Serialize};

/// What `check -o json` prints.
#[derive(Serialize, Debug)]
pub struct Checked<'a> {
    /// `allow`, `deny` or `malformed`.
    pub verdict: &'static str,
    /// The line that allows; null: none does.
    pub line: Option<usize>,
    /// Why not; null for a yes.
    pub reason: Option<String>,
    /// The request as the rules see it; null: it cannot be judged.
    pub request: Option<Seen<'a>>,
    /// Every line.
    pub lines: Vec<Line<'a>>,
}

/// A request as rules see it.
#[derive(Serialize, Debug)]
pub struct Seen<'a> {
    /// The method; null: not handed over.
    pub method: Option<&'a str>,
    /// Scheme, host and port; null: a path alone was handed over.
    pub origin: Option<String>,
    /// The canonical path.
    pub path: Option<&'a str>,
    /// Names and values of the query, decoded.
    pub query: Vec<(&'a str, &'a str)>,
    /// The media type of the body.
    pub content_type: Option<&'a str>,
}

/// A line.
#[derive(Serialize, Debug)]
pub struct Line<'a> {
    /// Its number in the text.
    pub line: usize,
    /// The line.
    pub rule: &'a str,
    /// Whether it allows the request.
    pub allows: bool,
    /// Its parts, in the order of work.
    pub parts: Vec<Part<'a>>,
}

/// A part of a line.
#[derive(Serialize, Debug)]
pub struct Part<'a> {
    /// `method`, `origin`, `url`, `QueryParam` or `JsonData`.
    pub part: &'static str,
    /// As it was written.
    pub text: &'a str,
    /// `hit`, `miss`, `malformed` or `not-judged`.
    pub outcome: &'static str,
    /// The text it was held against.
    pub seen: Option<&'a str>,
    /// Why it does not hold.
    pub reason: Option<String>,
    /// How near a miss was.
    pub nearest: Option<Nearest<'a>>,
}

/// How far a pattern fits.
#[derive(Serialize, Debug)]
pub struct Nearest<'a> {
    /// The beginning of the pattern that fits.
    pub fits: &'a str,
    /// What follows in the pattern, and does not.
    pub wanted: &'a str,
    /// What is there in its place.
    pub found: &'a str,
}

/// An error in a rule text, in `error.rules` on stderr.
#[derive(Serialize, Debug)]
pub struct RuleError<'a> {
    /// The line, from 1.
    pub line: usize,
    /// The byte, from 1.
    pub column: usize,
    /// The stable word.
    pub code: &'static str,
    /// What and how to mend it.
    pub message: &'a str,
}

/// One line of a case file: a request and the verdict it should get.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What to call it.
    pub id: Option<String>,
    /// The rule text; without it, that of the command line.
    pub rule: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// The URL.
    pub url: Option<String>,
    /// The query apart from the URL.
    pub query: Option<String>,
    /// The body as text.
    pub body: Option<String>,
    /// The body in Base64.
    pub body_b64: Option<String>,
    /// What the body says it is.
    pub content_type: Option<String>,
    /// Headers.
    #[serde(default)]
    pub headers: Option<Headers>,
    /// Whether there may be a body that is not handed over.
    #[serde(default)]
    pub body_unseen: bool,
    /// `patctl.base.url` for this case.
    pub base_url: Option<String>,
    /// `patctl.service.merges.body` for this case.
    pub merges_body: Option<String>,
    /// The verdict it should get.
    pub expect: Expect,
    /// Whether the rule or the request is refused, where either would be `reject-as-malformed`.
    pub layer: Option<Layer>,
    /// Why.
    pub why: Option<String>,
    /// A heading, for people.
    pub family: Option<String>,
    /// Where it comes from, for people.
    pub source: Option<String>,
}

/// A verdict that is expected.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// A line allows it.
    Allow,
    /// No line does.
    Deny,
    /// It cannot be judged.
    Malformed,
    /// The rule text is refused.
    RuleError,
    /// Either of the last two.
    RejectAsMalformed,
}

/// What is refused.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The rule.
    Rule,
    /// The request.
    Request,
}

impl Case {
    /// Reads one line.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(line: &str) -> Result<Self, String> {
        serde_json::from_str(line).map_err(|error| error.to_string())
    }

    /// The verdicts that are right.
    #[must_use]
    pub fn right(&self) -> &'static [&'static str] {
        match (self.expect, self.layer) {
            (Expect::Allow, _) => &["allow"],
            (Expect::Deny, _) => &["deny"],
            (Expect::Malformed, _) | (Expect::RejectAsMalformed, Some(Layer::Request)) => &["malformed"],
            (Expect::RuleError, _) | (Expect::RejectAsMalformed, Some(Layer::Rule)) => &["rule-error"],
            (Expect::RejectAsMalformed, None) => &["malformed", "rule-error"],
        }
    }
}

/// A case that went otherwise: `check --case-file -o json`, one a line.
#[derive(Serialize, Debug)]
pub struct Difference<'a> {
    /// Its line in the file.
    pub line: usize,
    /// What it is called.
    pub id: Option<&'a str>,
    /// The verdicts that would be right.
    pub expected: &'static [&'static str],
    /// The verdict.
    pub verdict: &'static str,
    /// Why.
    pub reason: Option<String>,
}
