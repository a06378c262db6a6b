//! Rules, and requests that are held against them.

use patctl::cli::{curl, http, shell};
use patctl::domain::restriction::request::Place;
use patctl::domain::restriction::rule::Subject;
use patctl::domain::restriction::{
    Base, Decision, Depth, Given, Merges, Request, Rules, json, judge, path, query,
};

/// Rule texts: what is accepted reads the same line by line, and every fault has a place in its line.
pub fn rule(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let base = Base::parse("https://jira.example.org/jira").expect("a base");
    for base in [None, Some(&base)] {
        match Rules::parse(text, base) {
            Ok(rules) => {
                for rule in rules.lines() {
                    let again =
                        Rules::parse(&rule.text, base).expect("a line that was accepted is accepted alone");
                    assert_eq!(again.lines()[0].text, rule.text);
                    assert_eq!(again.lines()[0].clauses.len(), rule.clauses.len());
                }
            }
            Err(errors) => {
                for error in errors {
                    assert!(error.column <= error.text.len() + 1, "{error}");
                    let _ = error.before();
                }
            }
        }
    }
}

/// Requests: what is accepted is canonical.
pub fn request(bytes: &[u8]) {
    let mut parts = bytes.splitn(4, |b| *b == 0xff);
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (url, query, kind) = (text(), text(), text());
    let body = parts.next();
    let given = Given { method: Some("POST"), url, query, body, content_type: kind, ..Given::default() };
    if let Ok(request) = Request::new(&given) {
        if let Some(target) = &request.target {
            assert_eq!(path::canonical(&target.path, Place::Url, 0).as_ref(), Ok(&target.path));
            assert!(std::str::from_utf8(&path::decoded(&target.path)).is_ok());
        }
        let _ = (request.json(), request.query.overrides_method());
        for merges in Merges::ALL {
            if let Ok(request) = Request::new(&Given { merges, ..given }) {
                let _ = request.taken();
            }
        }
    }
    let _ = http::parse(bytes);
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(words) = shell::words(text)
        && let Ok(sent) = curl::parse(&words, &mut |_| Ok(b"a\nb".to_vec()))
    {
        let _ = Request::new(&sent.given());
    }
}

fn allows(rules: &Rules, request: &Request, depth: Depth) -> bool {
    matches!(judge(rules, request, None, depth).decision, Decision::Allow { .. })
}

/// Verdicts: an added line never denies more, an added clause never allows more, and an explanation decides as
/// the decision does.
pub fn judge_it(bytes: &[u8]) {
    let mut parts = bytes.splitn(4, |b| *b == 0xff);
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (Some(rule), url, kind) = (text(), text(), text()) else { return };
    let body = parts.next();
    let Ok(rules) = Rules::parse(rule, None) else { return };
    let given = Given { method: Some("POST"), url, body, content_type: kind, ..Given::default() };
    let Ok(request) = Request::new(&given) else { return };
    let allowed = allows(&rules, &request, Depth::Decide);
    assert_eq!(allowed, allows(&rules, &request, Depth::Explain));
    for part in judge(&rules, &request, None, Depth::Explain).lines.iter().flat_map(|line| &line.parts) {
        if let (Some(pattern), Some(seen)) = (part.pattern, &part.seen) {
            let _ = pattern.nearest(seen.as_bytes());
        }
    }
    if allowed && let Some(url) = url {
        more_names(rule, &rules, url, &given);
    }
    if allowed {
        if let Ok(more) = Rules::parse(&format!("/never\n{rule}\n/never"), None) {
            assert!(allows(&more, &request, Depth::Decide), "a line took a yes away");
        }
    } else if !rule.contains('\n')
        && let Ok(more) = Rules::parse(&format!("{}[QueryParam::p==.*]", rule.trim_end()), None)
    {
        assert!(!allows(&more, &request, Depth::Decide), "a clause gave a yes");
    }
}

/// A parameter that nobody asked about never matters, and a second spelling of a guarded one always does.
fn more_names(rule: &str, rules: &Rules, url: &str, given: &Given<'_>) {
    let ask = |more: &str| {
        let joint = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{joint}{more}");
        // Too long, or too many by now, is another matter.
        let request = Request::new(&Given { url: Some(&url), ..*given }).ok()?;
        Some(allows(rules, &request, Depth::Decide))
    };
    if !rule.contains("unrelated") {
        assert_ne!(ask("unrelated0=1"), Some(false), "a parameter that is not named took a yes away");
    }
    if let [line] = rules.lines() {
        let guarded = line.clauses.iter().filter_map(|clause| match &clause.subject {
            Subject::Query(name) => Some(name),
            Subject::Json(path) => path.first(),
        });
        for name in guarded {
            let name = name.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
            assert_ne!(ask(&format!("%5B{name}=1")), Some(true), "a second spelling was allowed");
        }
    }
}

/// Parameters: where they are accepted strictly, a lenient server reads the same.
pub fn parameters(bytes: &[u8]) {
    let lenient = query::lenient(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match query::parse(text, Place::Query, 0) {
        Ok(strict) => assert_eq!(Some(strict), lenient),
        Err(refusal) => assert!(refusal.at.is_none_or(|at| at <= text.len()), "{refusal}"),
    }
}

/// JSON bodies: what is accepted is JSON for another reader, too. Behind a byte that no UTF-8 has stands a path.
pub fn json_body(bytes: &[u8]) {
    let mut parts = bytes.split(|b| *b == 0xff);
    let body = parts.next().unwrap_or_default();
    let path: Vec<String> = parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    match json::parse(body) {
        Ok(value) => {
            assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok(), "no JSON was accepted");
            let _ = value.texts(&path);
        }
        Err(refusal) => assert_eq!(refusal.place, Place::Body),
    }
}
