//! May this request pass? Pure: rules and request in, a verdict out that says which line, which part
//! and which text.
//!
//! One matching line allows; all parts of a line must hold. A part whose subject was not handed over
//! does not hold.

use super::Rules;
use super::fault::{Code, Fault, RuleError};
use super::json::Gap;
use super::method::PARAMETERS;
use super::origin::Base;
use super::pattern::{Fit, Pattern};
use super::request::{Place, Refusal, Request, TooLong};
use super::rule::{Clause, Rule, Subject};

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Decision {
    /// This line allows it.
    Allow {
        /// Its number in the text.
        line: usize,
    },
    /// No line does.
    Deny,
    /// It has another origin than `patctl.base.url`.
    OtherOrigin,
    /// It cannot be judged safely.
    Malformed(Refusal),
    /// A line cannot be used.
    RuleError(Box<RuleError>),
}

/// The answer and how it came about.
#[derive(Debug)]
#[must_use]
pub struct Verdict<'r> {
    /// The answer.
    pub decision: Decision,
    /// The lines that were looked at, in order.
    pub lines: Vec<Line<'r>>,
}

/// What became of a line.
#[derive(Debug)]
pub struct Line<'r> {
    /// The line.
    pub rule: &'r Rule,
    /// Its parts in the order of work: method, origin, URL, clauses.
    pub parts: Vec<Part<'r>>,
}

impl Line<'_> {
    /// Whether all parts hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.parts.iter().all(|part| part.outcome == Outcome::Hit)
    }
}

/// What a part looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The method.
    Method,
    /// Scheme, host, port.
    Origin,
    /// The canonical path.
    Url,
    /// A query parameter.
    QueryParam,
    /// A member of the JSON body.
    JsonData,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Origin => "origin",
            Self::Url => "url",
            Self::QueryParam => "QueryParam",
            Self::JsonData => "JsonData",
        }
    }
}

/// What became of a part.
#[derive(Clone, Debug)]
pub struct Part<'r> {
    /// What it looks at.
    pub kind: Kind,
    /// As it was written.
    pub text: String,
    /// Whether it holds.
    pub outcome: Outcome,
    /// The text it was held against.
    pub seen: Option<String>,
    /// The pattern, for a look at how near a miss was.
    pub pattern: Option<&'r Pattern>,
}

/// Whether a part holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It does.
    Hit,
    /// It does not, for this reason.
    Miss(&'static str),
    /// The body cannot be judged.
    Malformed(Refusal),
    /// An earlier part did not hold.
    NotJudged,
    /// Its pattern cannot be used.
    Broken,
}

/// How much of the text is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// Until a line allows: for a decision.
    Decide,
    /// Every line: for an explanation.
    Explain,
}

/// Judges a request.
pub fn judge<'r>(rules: &'r Rules, request: &Request, base: Option<&Base>, depth: Depth) -> Verdict<'r> {
    let mut lines: Vec<Line<'r>> = Vec::new();
    let mut decision = Decision::Deny;
    for rule in rules.lines() {
        let line = judge_line(rule, request, base);
        let next = decide(&line);
        lines.push(line);
        decision = match (decision, next) {
            // A line that cannot be used denies the whole token; the first that allows stands.
            (now @ (Decision::RuleError(_) | Decision::Allow { .. }), _) => now,
            (_, next @ (Decision::RuleError(_) | Decision::Allow { .. })) => next,
            (now @ Decision::Malformed(_), _) => now,
            (_, next) => next,
        };
        if depth == Depth::Decide && matches!(decision, Decision::RuleError(_) | Decision::Allow { .. }) {
            break;
        }
    }
    let origin = request.target.as_ref().and_then(|target| target.origin.as_ref());
    if origin.is_some_and(|origin| base.is_some_and(|base| base.origin != *origin))
        && !matches!(decision, Decision::RuleError(_))
    {
        decision = Decision::OtherOrigin;
    }
    Verdict { decision, lines }
}

fn decide(line: &Line<'_>) -> Decision {
    if line.holds() {
        return Decision::Allow { line: line.rule.line };
    }
    line.parts
        .iter()
        .find_map(|part| match &part.outcome {
            Outcome::Malformed(refusal) => Some(Decision::Malformed(*refusal)),
            Outcome::Broken => {
                let at = line.rule.text.find(&part.text).unwrap_or(0);
                let fault =
                    Fault::new(at, Code::TooBig, "the pattern cannot be compiled; write a smaller one");
                Some(Decision::RuleError(Box::new(RuleError::new(line.rule.line, &line.rule.text, fault))))
            }
            Outcome::Hit | Outcome::Miss(_) | Outcome::NotJudged => None,
        })
        .unwrap_or(Decision::Deny)
}

fn judge_line<'r>(rule: &'r Rule, request: &Request, base: Option<&Base>) -> Line<'r> {
    let mut parts = parts_of(rule);
    let mut clauses = rule.clauses.iter();
    for part in &mut parts {
        (part.outcome, part.seen) = match part.kind {
            Kind::Method => method(rule, request),
            Kind::Origin => origin(rule, request, base),
            Kind::Url => url(rule, request),
            Kind::QueryParam | Kind::JsonData => {
                clauses.next().map_or((Outcome::Hit, None), |c| clause(c, request))
            }
        };
        if part.outcome != Outcome::Hit {
            break;
        }
    }
    Line { rule, parts }
}

/// The parts of a line in the order of work, nothing judged yet.
fn parts_of(rule: &Rule) -> Vec<Part<'_>> {
    let part =
        |kind, text: String, pattern| Part { kind, text, outcome: Outcome::NotJudged, seen: None, pattern };
    let mut parts = Vec::new();
    if let Some(methods) = &rule.methods {
        parts.push(part(Kind::Method, format!("[{}]", methods.join(",").to_ascii_lowercase()), None));
    }
    if let Some(url) = &rule.url {
        if let Some(origin) = &url.origin {
            parts.push(part(Kind::Origin, origin.to_string(), None));
        }
        parts.push(part(Kind::Url, url.text.clone(), url.pattern.as_ref()));
    }
    parts.extend(rule.clauses.iter().map(|clause| {
        let kind = match clause.subject {
            Subject::Query(_) => Kind::QueryParam,
            Subject::Json(_) => Kind::JsonData,
        };
        part(kind, clause.text.clone(), Some(&clause.pattern))
    }));
    parts
}

const UNCLEAR: &str = "the content type cannot be read, and the body may be a form";
const LONG_FORM: &str = "the form has more than 1 MiB or 1000 fields, and not all of it is seen";

type Found = (Outcome, Option<String>);

fn miss(why: &'static str) -> Found {
    (Outcome::Miss(why), None)
}

fn method(rule: &Rule, request: &Request) -> Found {
    let Some(method) = request.method else { return miss("no method was handed over") };
    let seen = Some(method.to_owned());
    if !rule.methods.as_ref().is_none_or(|methods| methods.contains(&method)) {
        return (Outcome::Miss("it is another method"), seen);
    }
    (method_replaced(request).map_or(Outcome::Hit, Outcome::Miss), seen)
}

/// Whether the request may arrive behind the check with another method.
fn method_replaced(request: &Request) -> Option<&'static str> {
    if request.query.method_override {
        return Some("a query parameter may replace the method behind the check");
    }
    if request.is_unclear() {
        return Some(UNCLEAR);
    }
    match request.form() {
        Some(Err(TooLong)) => return Some(LONG_FORM),
        Some(Ok(form)) if form.method_override => {
            return Some("a form field may replace the method behind the check");
        }
        _ => {}
    }
    let named = |body: &[u8]| {
        let body = body.to_ascii_lowercase();
        PARAMETERS.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            body.windows(name.len()).any(|window| window == name.as_bytes())
        })
    };
    let found = request.multipart().is_some_and(named);
    found.then_some("a part of the multipart body may replace the method behind the check")
}

fn origin(rule: &Rule, request: &Request, base: Option<&Base>) -> Found {
    let Some(target) = &request.target else { return miss("no URL was handed over") };
    let Some(origin) = target.origin.as_ref().or(base.map(|base| &base.origin)) else {
        return miss("the origin is not known: the request is a path alone, and patctl.base.url is not set");
    };
    let same = rule.url.as_ref().is_some_and(|url| url.origin.as_ref() == Some(origin));
    (if same { Outcome::Hit } else { Outcome::Miss("it is another origin") }, Some(origin.to_string()))
}

fn url(rule: &Rule, request: &Request) -> Found {
    let Some(target) = &request.target else { return miss("no URL was handed over") };
    let Some(url) = &rule.url else { return (Outcome::Hit, None) };
    let seen = Some(target.path.clone());
    let rest = match target.path.strip_prefix(&url.prefix) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => return (Outcome::Miss("the path is not below that of patctl.base.url"), seen),
    };
    match &url.pattern {
        None if matches!(rest, "" | "/") => (Outcome::Hit, seen),
        None => (Outcome::Miss("an origin with nothing behind it means its root only"), seen),
        Some(pattern) => (outcome(pattern.fits([rest.as_bytes()]).0), Some(rest.to_owned())),
    }
}

fn outcome(fit: Fit) -> Outcome {
    match fit {
        Fit::Yes => Outcome::Hit,
        Fit::No => Outcome::Miss("the pattern does not match all of it"),
        Fit::TooLong => Outcome::Miss("it is too long for so ambiguous a pattern to be tried on"),
        Fit::Broken => Outcome::Broken,
    }
}

fn clause(clause: &Clause, request: &Request) -> Found {
    match &clause.subject {
        Subject::Query(name) => query_param(name, &clause.pattern, request),
        Subject::Json(path) => json_data(path, &clause.pattern, request),
    }
}

fn query_param(name: &str, pattern: &Pattern, request: &Request) -> Found {
    if request.target.is_none() {
        return miss("no URL was handed over");
    }
    let query = &request.query;
    if query.semicolon {
        return miss("a plain ; in the query, which some servers take for a &");
    }
    if request.multipart().is_some() {
        return miss("the multipart body may hold the parameter, too");
    }
    if request.is_unclear() {
        return miss(UNCLEAR);
    }
    if let Some(other) = query.second_spelling(name) {
        let seen = Some(other.to_owned());
        return (Outcome::Miss("a second spelling of the name, which some servers take for it"), seen);
    }
    let merged = match request.form() {
        Some(Err(TooLong)) => return miss(LONG_FORM),
        Some(Ok(form)) if form.semicolon => {
            return miss("a plain ; in the form, which some servers take for a &");
        }
        Some(Ok(form)) => form.values_folded(name).collect(),
        None => Vec::new(),
    };
    let mut values: Vec<&str> = query.values(name).collect();
    if values.is_empty() {
        return miss("there is no such parameter");
    }
    values.extend(merged);
    matched(pattern, &values)
}

fn json_data(path: &[String], pattern: &Pattern, request: &Request) -> Found {
    let json = match request.json() {
        None if !request.has_body() => return miss("no body was handed over"),
        None => return miss("the content type is not application/json or application/…+json in UTF-8"),
        Some(Err(refusal)) => return (Outcome::Malformed(*refusal), None),
        Some(Ok(json)) => json,
    };
    let values = match json.texts(path) {
        Ok(values) => values,
        Err(gap) => {
            return miss(match gap {
                Gap::Top => "the top of the body is no object",
                Gap::Absent => "there is no such member",
                Gap::SecondSpelling => "a second spelling of the name, which some servers take for it",
                Gap::Array => "an empty array, or an array in an array",
                Gap::NoText => {
                    "null, an object, a fraction or a large number: nothing that has one text only"
                }
            });
        }
    };
    if values.iter().any(|value| value.contains('\0')) {
        return (Outcome::Malformed(Refusal::new(Place::Body, "the guarded value holds NUL")), None);
    }
    matched(pattern, &values)
}

/// Whether every value matches; shown is the first that does not, or the first.
fn matched(pattern: &Pattern, values: &[&str]) -> Found {
    let (fit, which) = pattern.fits(values.iter().map(|value| value.as_bytes()));
    let which = which.and_then(|bytes| std::str::from_utf8(bytes).ok()).or(values.first().copied());
    (outcome(fit), which.map(str::to_owned))
}
