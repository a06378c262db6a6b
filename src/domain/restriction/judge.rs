//! May this request pass? Pure: rules and request in, a verdict out that says which line, which part
//! and which text.
//!
//! One matching line allows; all parts of a line must hold. A part whose subject was not handed over
//! does not hold.

use super::Rules;
use super::body::Taken;
use super::elsewhere::{SPELLING, absent_from_pieces, gap, merged, method_replaced};
use super::fault::{Code, Fault, RuleError};
use super::origin::Base;
use super::pattern::{Fit, Pattern};
use super::request::{Place, Refusal, Request};
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
    /// It has another origin than `patctl.base.url`, or a Host header that names another than its URL.
    OtherOrigin,
    /// No line does, and one would if it were known what the body holds.
    BodyUnseen,
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
    /// It does not, because a body that was not seen could make it mean something else.
    Unseen(&'static str),
    /// It does not, because what the body holds cannot be read.
    Unread(&'static str),
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
            (now @ Decision::Malformed(_), _) | (now @ Decision::BodyUnseen, Decision::Deny) => now,
            (_, next) => next,
        };
        if depth == Depth::Decide && matches!(decision, Decision::RuleError(_) | Decision::Allow { .. }) {
            break;
        }
    }
    let own = request.target.as_ref().and_then(|target| target.origin.as_ref());
    let base = base.map(|base| &base.origin);
    let known = own.or(base);
    let elsewhere = own.zip(base).is_some_and(|(own, base)| own != base)
        || known.is_some_and(|origin| request.is_for_another(origin));
    if elsewhere && !matches!(decision, Decision::RuleError(_)) {
        decision = Decision::OtherOrigin;
    }
    Verdict { decision, lines }
}

fn decide(line: &Line<'_>) -> Decision {
    if line.holds() {
        return Decision::Allow { line: line.rule.line };
    }
    let decided = line.parts.iter().find_map(|part| match &part.outcome {
        Outcome::Malformed(refusal) => Some(Decision::Malformed(*refusal)),
        Outcome::Broken => {
            let at = line.rule.text.find(&part.text).unwrap_or(0);
            let fault = Fault::new(at, Code::TooBig, "the pattern cannot be compiled; write a smaller one");
            Some(Decision::RuleError(Box::new(RuleError::new(line.rule.line, &line.rule.text, fault))))
        }
        Outcome::Hit | Outcome::Miss(_) | Outcome::Unseen(_) | Outcome::Unread(_) | Outcome::NotJudged => {
            None
        }
    });
    let unseen = || {
        let hit_but_for_the_body =
            |part: &Part<'_>| matches!(part.outcome, Outcome::Hit | Outcome::Unseen(_));
        line.parts.iter().all(hit_but_for_the_body).then_some(Decision::BodyUnseen)
    };
    decided.or_else(unseen).unwrap_or(Decision::Deny)
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
        // Behind a body that is not seen or cannot be read it goes on: that is the reason only where all
        // else holds.
        if !matches!(part.outcome, Outcome::Hit | Outcome::Unseen(_) | Outcome::Unread(_)) {
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
    (method_replaced(request).unwrap_or(Outcome::Hit), seen)
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
    let mut values = match query.values(name) {
        Ok(values) => values,
        Err(other) => return (Outcome::Miss(SPELLING), Some(other.to_owned())),
    };
    if values.is_empty() {
        return miss("there is no such parameter");
    }
    let contents = match request.taken() {
        Taken::Nothing => return matched(pattern, &values),
        Taken::Seen(contents) => contents,
        Taken::Unseen(why) => {
            // The reason is the body only where the query alone would do.
            let (outcome, seen) = matched(pattern, &values);
            return (if outcome == Outcome::Hit { Outcome::Unseen(why) } else { outcome }, seen);
        }
    };
    match merged(name, &contents) {
        Ok(more) => values.extend(more),
        Err(why) => return (why, None),
    }
    matched(pattern, &values)
}

fn json_data(path: &[String], pattern: &Pattern, request: &Request) -> Found {
    let json = match request.json() {
        None if request.has_unseen_body() => {
            return (Outcome::Unseen("body-unseen: the body was not handed over"), None);
        }
        None if !request.has_body() => return miss("no body was handed over"),
        None => return miss("the content type is not application/json or application/…+json in UTF-8"),
        Some(Err(refusal)) => return (Outcome::Malformed(*refusal), None),
        Some(Ok(json)) => json,
    };
    let mut values = match json.texts(path) {
        Ok(values) => values,
        Err(why) => return miss(gap(why)),
    };
    if values.iter().any(|value| value.contains('\0')) {
        return (Outcome::Malformed(Refusal::new(Place::Body, "the guarded value holds NUL")), None);
    }
    // A service that merges both may take the query before the body.
    let first = path.first().map_or("", String::as_str);
    if let Err(why) = absent_from_pieces(first, request) {
        return miss(why);
    }
    if request.query.is_split_into(first) {
        return miss("a plain ; in the query, which some servers take for a &");
    }
    match request.query.values(first) {
        Ok(more) => values.extend(more),
        Err(other) => return (Outcome::Miss(SPELLING), Some(other.to_owned())),
    }
    matched(pattern, &values)
}

/// Whether every value matches; shown is the first that does not, or the first.
fn matched(pattern: &Pattern, values: &[&str]) -> Found {
    let (fit, which) = pattern.fits(values.iter().map(|value| value.as_bytes()));
    let which = which.and_then(|bytes| std::str::from_utf8(bytes).ok()).or(values.first().copied());
    (outcome(fit), which.map(str::to_owned))
}
