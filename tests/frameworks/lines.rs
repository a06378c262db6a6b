//! The lines that are tried, and what each promises about what a handler reads.

use crate::wire::{Answer, Wire};
use patctl::domain::restriction::{Decision, Depth, Merges, Request, Rules, Sent, judge};
use serde_json::Value;

/// Names of parameters and top members that handlers read.
pub const NAMES: [&str; 5] = ["project", "project_id", "project.id", "key", "status"];
/// Members of members that handlers read.
pub const NESTED: [&str; 1] = ["project.key"];

/// What a line says about a value.
#[derive(Clone, Debug)]
struct Guard {
    json: bool,
    name: String,
    value: String,
}

/// A line and its promises.
#[derive(Debug)]
pub struct Line {
    pub text: String,
    rules: Rules,
    method: bool,
    guards: Vec<Guard>,
}

/// Lines for random requests.
const LINES: [&str; 11] = [
    "[post].*",
    "[get,put]/x",
    "[post,patch,delete]/x",
    "/x[QueryParam::project==JRA]",
    "[post]/x[QueryParam::project==JRA]",
    "/x[QueryParam::project_id==JRA]",
    "/x[QueryParam::project.id==JRA]",
    "/x[QueryParam::status==JRA]",
    "/x[JsonData::key==A]",
    "[post]/x[JsonData::project.key==A]",
    "/x[QueryParam::project==JRA][JsonData::key==A]",
];

pub fn lines() -> Vec<Line> {
    LINES.into_iter().map(Line::new).collect()
}

impl Line {
    pub fn new(text: &str) -> Self {
        let rules = Rules::parse(text, None).unwrap_or_else(|errors| panic!("{errors:?}"));
        let guards = text.split('[').filter_map(|clause| {
            let (kind, rest) = clause.strip_suffix(']')?.split_once("::")?;
            let (name, value) = rest.split_once("==")?;
            Some(Guard { json: kind == "JsonData", name: name.to_owned(), value: value.to_owned() })
        });
        let method = rules.lines()[0].methods.is_some();
        Self { text: text.to_owned(), method, guards: guards.collect(), rules }
    }

    /// Whether patctl allows it.
    pub fn allows(&self, sent: &Sent, merges: Merges) -> bool {
        let Ok(request) = Request::new(&sent.given_to(merges)) else { return false };
        matches!(judge(&self.rules, &request, None, Depth::Decide).decision, Decision::Allow { .. })
    }

    /// What a handler reads that the line forbids.
    pub fn broken_by(&self, wire: &Wire, answer: &Answer, merges: Merges) -> Option<String> {
        let counts = |place: &str| merges != Merges::Nothing || !matches!(place, "body" | "merged");
        if self.method
            && let Some((place, method)) =
                answer.methods.iter().find(|(place, method)| counts(place) && *method != wire.method)
        {
            return Some(format!("the method {method}, from the {place}"));
        }
        self.guards.iter().find_map(|guard| {
            let read = |(place, name, _): &&(String, String, Value)| {
                let place = place.as_str();
                let of_json = place == "json" && guard.json;
                let of_query = place == "query" && !guard.json;
                *name == guard.name && (of_json || of_query || (place == "merged" && counts(place)))
            };
            let reads = answer.reads.iter().filter(read);
            let mut wrong = reads.filter(|(_, _, value)| !is_only(value, &guard.value));
            wrong.next().map(|(place, name, value)| format!("{name} = {value}, from the {place}"))
        })
    }

    /// What this line looks for in names: the name of a parameter or the first of a path.
    pub fn guarded(&self) -> impl Iterator<Item = (bool, &str, &str)> {
        self.guards.iter().map(|guard| (guard.json, guard.name.as_str(), guard.value.as_str()))
    }

    pub const fn has_method(&self) -> bool {
        self.method
    }

    /// Whether its method part names this one.
    pub fn names_method(&self, method: &str) -> bool {
        self.rules.lines()[0].methods.as_ref().is_none_or(|methods| methods.contains(&method))
    }
}

/// The wanted text, or an array that holds nothing else.
fn is_only(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Array(values) => values.iter().all(|value| is_only(value, wanted)),
        _ => false,
    }
}
