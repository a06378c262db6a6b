//! A line of the restriction language: grammar to syntax tree, with the place of every fault.
//!
//! ```text
//! rule   = [ method ] , [ url ] , { clause }                       (not empty)
//! method = "[" , name , { "," , name } , "]"
//! url    = [ "{" , name , "}" | "http(s)://" , host ] , [ regex ]
//! clause = "[" , ( "QueryParam" | "JsonData" ) , "::" , key , "==" , regex , "]"
//! ```

use super::fault::{Code, Fault};
use super::method;
use super::origin::{self, Base, Origin};
use super::pattern::{Pattern, Place};
use super::scan::{CLAUSES, clause_start, end_of_regex};
use super::{MAX_CLAUSES, MAX_KEY};

/// A line: all its parts must hold.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its line in the text, from 1.
    pub line: usize,
    /// The line, trimmed.
    pub text: String,
    /// The methods it is for; `None`: any.
    pub methods: Option<Vec<&'static str>>,
    /// What it says about the path; `None`: nothing, and no URL is needed.
    pub url: Option<Url>,
    /// What it says about parameters and members, in its order.
    pub clauses: Vec<Clause>,
}

/// The URL part.
#[derive(Clone, Debug)]
pub struct Url {
    /// As it was written.
    pub text: String,
    /// The origin the request must have.
    pub origin: Option<Origin>,
    /// What the path must begin with before the pattern sees the rest: that of `patctl.base.url`.
    pub prefix: String,
    /// What the path must match; `None`: an origin alone, which means its root.
    pub pattern: Option<Pattern>,
}

/// What a clause looks at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// The query parameter of this name.
    Query(String),
    /// The member of the JSON body that these names lead to.
    Json(Vec<String>),
}

/// A clause.
#[derive(Clone, Debug)]
pub struct Clause {
    /// As it was written, brackets and all.
    pub text: String,
    /// What it looks at.
    pub subject: Subject,
    /// What every value must match.
    pub pattern: Pattern,
}

/// Reads one line that is neither blank nor a comment. Places are bytes of `line`.
///
/// # Errors
/// The first fault.
pub fn parse(number: usize, line: &str, base: Option<&Base>) -> Result<Rule, Fault> {
    let mut at = 0;
    let mut methods = None;
    if line.starts_with('[') && clause_start(line, 0).is_none() {
        let (names, end) = parse_methods(line)?;
        methods = Some(names);
        at = end;
    }
    let end = end_of_url(line, at)?;
    let url = if end > at { Some(parse_url(line, at, end, base)?) } else { None };
    at = end;
    let mut clauses = Vec::new();
    while at < line.len() {
        if clauses.len() == MAX_CLAUSES {
            let message = format!("a line has at most {MAX_CLAUSES} clauses; split it");
            return Err(Fault::new(at, Code::TooMany, message));
        }
        let (clause, end) = parse_clause(line, at)?;
        clauses.push(clause);
        at = end;
    }
    Ok(Rule { line: number, text: line.to_owned(), methods, url, clauses })
}

fn parse_methods(line: &str) -> Result<(Vec<&'static str>, usize), Fault> {
    let wrong = |at, message: &str| Err(Fault::new(at, Code::Method, message));
    let Some(close) = line.find(']') else {
        return wrong(0, "the method is not closed; write [get] or [get,post]");
    };
    let inside = &line[1..close];
    if inside.is_empty() {
        return wrong(0, "the method is empty; write [get], or nothing for any method");
    }
    if inside.starts_with('^') {
        return wrong(1, "'not this method' is not supported; list those that are allowed: [get,head]");
    }
    let mut names = Vec::new();
    let mut at = 1;
    for name in inside.split(',') {
        if let Some(space) = name.find([' ', '\t']) {
            let message = "no space in the method part; write [get,post]";
            return Err(Fault::new(at + space, Code::Space, message));
        }
        match method::known(name) {
            Some(known) => names.push(known),
            None if name.contains('|') => return wrong(at, "methods are separated by commas: [get,post]"),
            None => {
                let known = method::METHODS.join(", ");
                let message = format!(
                    "a [ at the beginning opens a method ({known}); a URL that begins with a character class \
                     is written (?:[a-z])"
                );
                return Err(Fault::new(at, Code::Method, message));
            }
        }
        at += name.len() + 1;
    }
    let end = close + 1;
    if line[end..].starts_with([' ', '\t']) {
        return Err(Fault::new(end, Code::Space, "no space behind the method; write [get]/rest/…"));
    }
    Ok((names, end))
}

/// The scheme of an origin, which a rule has in lower case.
fn lower_scheme(text: &str) -> Option<(&'static str, &str)> {
    origin::scheme(text).filter(|(scheme, _)| text.starts_with(scheme))
}

/// Where the URL part ends. The host of an origin may be an IPv6 address, whose bracket is no class.
fn end_of_url(line: &str, at: usize) -> Result<usize, Fault> {
    let host = lower_scheme(&line[at..]).filter(|(_, rest)| rest.starts_with('['));
    let from = host.and_then(|(_, rest)| Some(line.len() - rest.len() + rest.find(']')?)).unwrap_or(at);
    Ok(end_of_regex(line, from, false)?.unwrap_or(line.len()))
}

fn parse_url(line: &str, from: usize, end: usize, base: Option<&Base>) -> Result<Url, Fault> {
    let text = &line[from..end];
    let (origin, prefix, rest) = if text.starts_with('{') {
        let rest = placeholder(text).map_err(|message| Fault::new(from, Code::Placeholder, message))?;
        let message = "nothing is known to put here; set patctl.base.url, or write the origin out";
        let base = base.ok_or_else(|| Fault::new(from, Code::Placeholder, message))?;
        (Some(base.origin.clone()), base.prefix.clone(), rest)
    } else if let Some((scheme, rest)) = lower_scheme(text) {
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let start = from + text.len() - rest.len();
        let host = host.replace("\\.", ".");
        let origin = Origin::parse(scheme, &host).map_err(|why| {
            let message = format!("{why}; a host in a rule is plain text, and / or nothing follows it");
            Fault::new(start, Code::Origin, message)
        })?;
        (Some(origin), String::new(), path)
    } else {
        (None, String::new(), text)
    };
    let start = end - rest.len();
    let pattern = if rest.is_empty() {
        None
    } else {
        Some(Pattern::parse(rest, Place::Path).map_err(|f| f.moved(start))?)
    };
    Ok(Url { text: text.to_owned(), origin, prefix, pattern })
}

/// What follows `{NAME}`.
fn placeholder(text: &str) -> Result<&str, &'static str> {
    let inside = text.strip_prefix('{').unwrap_or(text);
    let length = inside.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let Some(rest) = inside[length..].strip_prefix('}') else {
        return Err("the placeholder is not closed; write {JIRA_URL}");
    };
    if length == 0 {
        return Err("the placeholder has no name; write {JIRA_URL}");
    }
    if rest.is_empty() || rest.starts_with('/') {
        Ok(rest)
    } else {
        Err("a / or nothing follows the placeholder; write {JIRA_URL}/rest/…")
    }
}

fn parse_clause(line: &str, at: usize) -> Result<(Clause, usize), Fault> {
    let Some(name) = clause_start(line, at) else {
        let message = "after a clause only clauses may come; move this before the first [";
        return Err(Fault::new(at, Code::AfterClause, message));
    };
    if !CLAUSES.contains(&name) {
        let message = format!("there is no clause {name}; there are QueryParam and JsonData, spelt so");
        return Err(Fault::new(at + 1, Code::Clause, message));
    }
    let start = at + 1 + name.len() + 2;
    let Some(length) = line[start..].find("==") else {
        let message = format!("the clause lacks its ==; write [{name}::name==regexp]");
        return Err(Fault::new(at, Code::Clause, message));
    };
    let key = &line[start..start + length];
    let subject = subject(name, key).map_err(|f| f.moved(start))?;
    let from = start + length + 2;
    let Some(close) = end_of_regex(line, from, true)? else {
        return Err(Fault::new(at, Code::Clause, "the clause is not closed; end it with ]"));
    };
    if close == from {
        let message = "the pattern is empty; write (?:) for an empty value, \\] for a bracket";
        return Err(Fault::new(from, Code::Empty, message));
    }
    let pattern = Pattern::parse(&line[from..close], Place::Value).map_err(|f| f.moved(from))?;
    Ok((Clause { text: line[at..=close].to_owned(), subject, pattern }, close + 1))
}

fn subject(clause: &str, key: &str) -> Result<Subject, Fault> {
    let wrong = |at, message: &str| Err(Fault::new(at, Code::Key, message));
    if key.is_empty() {
        return wrong(0, "the name is empty; write [QueryParam::name==regexp]");
    }
    if key.starts_with([' ', '\t']) || key.ends_with([' ', '\t']) {
        return Err(Fault::new(0, Code::Space, "no space around the name; write [QueryParam::name==regexp]"));
    }
    if let Some(at) = key.find(['[', ']', '=']) {
        return wrong(at, "a name holds none of [ ] =; between name and pattern stands ==");
    }
    if key.len() > MAX_KEY {
        return wrong(MAX_KEY, "the name is longer than 128 bytes");
    }
    if clause == CLAUSES[0] { Ok(Subject::Query(key.to_owned())) } else { json_names(key).map(Subject::Json) }
}

/// `a.b\.c` is `a`, then `b.c`.
fn json_names(key: &str) -> Result<Vec<String>, Fault> {
    let fault = |at, message: &str| Fault::new(at, Code::Key, message);
    let mut names = vec![String::new()];
    let mut starts = vec![0];
    let mut chars = key.char_indices();
    while let Some((at, c)) = chars.next() {
        let name = names.last_mut().ok_or_else(|| fault(at, "no name"))?;
        match c {
            '\\' => match chars.next() {
                Some((_, c @ ('.' | '\\'))) => name.push(c),
                _ => return Err(fault(at, "in a name only \\. and \\\\ are escapes")),
            },
            '.' => {
                names.push(String::new());
                starts.push(at + 1);
            }
            '*' | '$' => {
                return Err(fault(
                    at,
                    "a name leads to one member: a.b.c, without * and $ as JSONPath has them",
                ));
            }
            _ => name.push(c),
        }
    }
    for (name, at) in names.iter().zip(starts) {
        if name.is_empty() {
            return Err(fault(at, "a part of the name is empty; write \\. for a dot in a name"));
        }
        if name.bytes().all(|b| b.is_ascii_digit()) {
            return Err(fault(at, "there are no positions: every element of an array must match"));
        }
    }
    Ok(names)
}
