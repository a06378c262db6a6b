//! A request that rules allow: to show how a call of a restricted token looks.

use super::judge::{Decision, Depth, judge};
use super::origin::Base;
use super::request::Request;
use super::rule::{Rule, Subject};
use super::sent::Sent;
use super::{Rules, path};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// A request that the first possible line allows, its URL a path unless the line names an origin;
/// `None`: none was found, which does not mean that there is none.
#[must_use]
pub fn example(rules: &Rules, base: Option<&Base>) -> Option<Sent> {
    let prefix = base.map_or("", |base| base.prefix.as_str());
    rules.lines().iter().flat_map(|rule| candidates(rule, prefix)).find(|sent| {
        let request = Request::new(&sent.given());
        let decision = request.map(|request| judge(rules, &request, base, Depth::Decide).decision);
        matches!(decision, Ok(Decision::Allow { .. }))
    })
}

fn candidates(rule: &Rule, prefix: &str) -> Vec<Sent> {
    let (mut query, mut json) = (Vec::new(), Map::new());
    for clause in &rule.clauses {
        let Some(value) = clause.pattern.example() else { return Vec::new() };
        match &clause.subject {
            Subject::Query(name) => query.push(format!("{}={}", encoded(name), encoded(&value))),
            Subject::Json(path) => insert(&mut json, path, value),
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let body = (!json.is_empty()).then(|| Value::Object(json).to_string().into_bytes());
    let default = if body.is_some() { "POST" } else { "GET" };
    let methods = rule.methods.as_deref().unwrap_or(&[]);
    let method = methods.iter().find(|method| **method == default).or(methods.first()).unwrap_or(&default);
    let sent = |url: String| Sent {
        method: Some((*method).to_owned()),
        url: Some(url + &query),
        content_type: body.is_some().then(|| "application/json".to_owned()),
        body: body.clone(),
        ..Sent::default()
    };
    urls(rule, prefix).into_iter().map(sent).collect()
}

/// Paths that the pattern may match: below the service's own if that can be, and each with a beginning.
fn urls(rule: &Rule, prefix: &str) -> Vec<String> {
    let Some(url) = &rule.url else { return vec![format!("{prefix}/"), "/".to_owned()] };
    let origin = url.origin.as_ref().map_or_else(String::new, ToString::to_string);
    let Some(pattern) = &url.pattern else { return vec![format!("{origin}{}/", url.prefix)] };
    let Some(path) = pattern.example() else { return Vec::new() };
    let prefixes = if url.prefix.is_empty() { [prefix, ""] } else { [url.prefix.as_str(), &url.prefix] };
    let roots = prefixes.map(|prefix| [format!("{prefix}{path}"), format!("{prefix}/{path}")]);
    let roots = roots.into_iter().flatten().filter(|path| path.starts_with('/'));
    roots.map(|path| format!("{origin}{}", escaped(&path))).collect()
}

/// A value of a query.
fn encoded(text: &str) -> String {
    percent(text, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// A path, as a pattern wrote it: canonical but for what it may not hold plainly.
fn escaped(text: &str) -> String {
    percent(text, |byte| path::is_plain(byte) || matches!(byte, b'/' | b'%'))
}

fn percent(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn insert(object: &mut Map<String, Value>, path: &[String], value: String) {
    match path {
        [] => {}
        [name] => {
            object.insert(name.clone(), Value::String(value));
        }
        [name, rest @ ..] => {
            let inner = object.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, base: Option<&str>) -> Option<String> {
        let base = base.map(|url| Base::parse(url).expect("a base"));
        let rules = Rules::parse(text, base.as_ref()).expect("rules");
        let sent = example(&rules, base.as_ref())?;
        let body = sent.body.map_or_else(String::new, |body| format!(" {}", String::from_utf8_lossy(&body)));
        Some(format!("{} {}{body}", sent.method?, sent.url?))
    }

    #[test]
    fn a_line_shows_the_shortest_request_that_it_allows() {
        for (rule, expected) in [
            ("[get].*/rest/api/2/issue/JRA.*", "GET /rest/api/2/issue/JRA"),
            ("[post,get]/a", "GET /a"),
            ("[delete]/a", "DELETE /a"),
            (".*", "GET /"),
            ("[put]", "PUT /"),
            (".*/issue/SCRUM-[1-2]{1}/comment.*", "GET /issue/SCRUM-1/comment"),
            ("/x/[^/]+(?:/y|/z)?", "GET /x/a"),
            ("/s[QueryParam::jql==project = J&R]", "GET /s?jql=project%20%3D%20J%26R"),
            (
                "[post]/i[JsonData::a.b==x\\d][JsonData::a.c==y|z]",
                "POST /i {\"a\":{\"b\":\"x0\",\"c\":\"y\"}}",
            ),
            ("[get]/i[JsonData::a==x]", "GET /i {\"a\":\"x\"}"),
            ("/caf%C3%A9/.*", "GET /caf%C3%A9/"),
            ("https://h.example/a", "GET https://h.example/a"),
            // The first line allows nothing: some server takes either name for the other.
            ("/a[QueryParam::k==x][QueryParam::K==y]\n/c", "GET /c"),
        ] {
            assert_eq!(told(rule, None).as_deref(), Some(expected), "{rule}");
        }
    }

    #[test]
    fn a_path_is_below_that_of_the_service_where_it_may_be() {
        let base = Some("https://h.example/jira");
        for (rule, expected) in [
            (".*/rest/x", "GET /jira/rest/x"),
            ("/rest/x", "GET /rest/x"),
            ("{JIRA_URL}/rest/x", "GET https://h.example/jira/rest/x"),
            ("[head]", "HEAD /jira/"),
        ] {
            assert_eq!(told(rule, base).as_deref(), Some(expected), "{rule}");
        }
        assert_eq!(told("https://other.example/x", base), None, "another origin is always denied");
    }
}
