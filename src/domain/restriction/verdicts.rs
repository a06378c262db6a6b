//! Verdicts at the edges: each case is one that a slip in the code turned into another verdict, or
//! would have, and that nothing else noticed.

use super::judge::Outcome;
use super::{Base, Decision, Depth, Given, MAX_BODY, MAX_DEPTH, MAX_PARAMETERS, Request, Rules, judge};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn base(url: &str) -> Base {
    Base::parse(url).expect("a base")
}

fn rules(text: &str, base: Option<&Base>) -> Rules {
    Rules::parse(text, base).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

/// The decision as a word.
fn decide(text: &str, given: &Given<'_>, base: Option<&Base>) -> &'static str {
    let rules = rules(text, base);
    let Ok(request) = Request::new(given) else { return "malformed" };
    match judge(&rules, &request, base, Depth::Decide).decision {
        Decision::Allow { .. } => "allow",
        Decision::Deny | Decision::OtherOrigin | Decision::BodyUnseen => "deny",
        Decision::Malformed(_) => "malformed",
        Decision::RuleError(_) => "rule-error",
    }
}

/// A POST with a body.
fn post<'g>(url: &'g str, content_type: &'g str, body: &'g [u8]) -> Given<'g> {
    Given {
        method: Some("POST"),
        url: Some(url),
        body: Some(body),
        content_type: Some(content_type),
        ..Given::default()
    }
}

#[test]
fn a_placeholder_stands_for_its_path_and_what_is_below_it() {
    let (depot, root) = (base("https://h.example/depot"), base("https://h.example"));
    for (rule, base, url, expected) in [
        // The second branch begins anywhere, but not within a name: /depots is no /depot.
        ("{DEPOT_URL}/a|s/.*", &depot, "/depots/x", "deny"),
        ("{DEPOT_URL}/a|s/.*", &depot, "/depot/a", "allow"),
        // Nothing behind it: the root of the service, with its slash or without.
        ("{DEPOT_URL}", &depot, "/depot", "allow"),
        ("{DEPOT_URL}", &depot, "/depot/", "allow"),
        ("{DEPOT_URL}", &depot, "/depot/x", "deny"),
        ("{DEPOT_URL}", &depot, "/depots", "deny"),
        ("{DEPOT_URL}", &depot, "/", "deny"),
        ("{DEPOT_URL}", &depot, "https://h.example/depot", "allow"),
        ("{DEPOT_URL}", &root, "/", "allow"),
        ("{DEPOT_URL}", &root, "https://h.example", "allow"),
        ("{DEPOT_URL}", &root, "/x", "deny"),
    ] {
        let given = Given { url: Some(url), ..Given::default() };
        assert_eq!(decide(rule, &given, Some(base)), expected, "{rule} {url}");
    }
}

#[test]
fn the_brackets_of_an_address_open_no_clause() {
    for (rule, url, expected) in [
        ("https://[::1]/a[QueryParam::p==1]", "https://[::1]/a?p=1", "allow"),
        ("https://[::1]/a[QueryParam::p==1]", "https://[::1]/a?p=2", "deny"),
        ("https://[::1]:8443/a[bc][QueryParam::p==1]", "https://[::1]:8443/ab?p=1", "allow"),
        ("[get]https://[2001:db8::1]/a[QueryParam::p==1]", "https://[2001:db8::1]/a?p=1", "allow"),
        ("https://[::1]", "https://[::1]/", "allow"),
    ] {
        let given = Given { method: Some("GET"), url: Some(url), ..Given::default() };
        assert_eq!(decide(rule, &given, None), expected, "{rule} {url}");
    }
}

#[test]
fn a_semicolon_in_the_query_hides_no_second_value() {
    for (url, expected) in [("/a?p=1%3Bp=2", "allow"), ("/a?p=1;p=2", "deny"), ("/a?x;&p=1", "deny")] {
        let given = Given { url: Some(url), ..Given::default() };
        assert_eq!(decide("/a[QueryParam::p==1.*]", &given, None), expected, "{url}");
    }
}

/// What a servlet would merge with the query, or take the method from, has to be seen, or it is a no.
#[test]
fn a_body_that_may_hold_parameters_unseen_is_a_no() {
    let fields = |count: usize| vec!["a=1"; count].join("&").into_bytes();
    let (most, too_many) = (fields(MAX_PARAMETERS), fields(MAX_PARAMETERS + 1));
    for (rule, content_type, body, expected) in [
        ("[post]/a", FORM, most.as_slice(), "allow"),
        ("[post]/a", FORM, too_many.as_slice(), "deny"),
        ("/a[QueryParam::p==1]", FORM, too_many.as_slice(), "deny"),
        ("/a[QueryParam::p==1]", FORM, b"x=1&p=1", "allow"),
        ("/a[QueryParam::p==1]", FORM, b"x=1&p=2", "deny"),
        // Some servers end a field at the ';'.
        ("/a[QueryParam::p==1]", FORM, b"x=1;p=2", "deny"),
        // Types that cannot be read, which some servers take for a form all the same.
        ("[post]/a", "text/plain", b"x", "deny"),
        ("[post]/a", "", b"x", "deny"),
        ("[post]/a", "form", b"x", "deny"),
        ("[post]/a", "/form", b"x", "deny"),
        ("[post]/a", "application/", b"x", "deny"),
        ("[post]/a", "app lication/x-form", b"x", "deny"),
        ("[post]/a", "application/x form", b"x", "deny"),
        ("/a[QueryParam::p==1]", "application/x form", b"x", "deny"),
        // A form in another charset has other names in it.
        ("[post]/a", "application/x-www-form-urlencoded; charset=utf-8", b"x=1", "allow"),
        ("[post]/a", "application/x-www-form-urlencoded; charset=utf-7", b"x=1", "deny"),
        ("/a[QueryParam::p==1]", "application/x-www-form-urlencoded; charset=utf-7", b"x=1", "deny"),
    ] {
        let given = post("/a?p=1", content_type, body);
        assert_eq!(decide(rule, &given, None), expected, "{rule} {content_type:?} {}", body.len());
    }
}

#[test]
fn json_is_read_where_nothing_about_its_type_is_odd() {
    for (content_type, expected) in [
        (JSON, "allow"),
        ("application/json; charset=\"utf-8\"; a=\"b c\"", "allow"),
        ("application/json; a b=c", "deny"),
        ("application/json; =c", "deny"),
        ("application/json; a=\"b\"c\"", "deny"),
    ] {
        let given = post("/a", content_type, br#"{"k":"v"}"#);
        assert_eq!(decide("/a[JsonData::k==v]", &given, None), expected, "{content_type}");
    }
}

#[test]
fn a_body_is_read_up_to_its_last_byte_allowed() {
    for (length, expected) in [(MAX_BODY, "allow"), (MAX_BODY + 1, "malformed")] {
        let mut body = br#"{"k":"v"}"#.to_vec();
        body.resize(length, b' ');
        assert_eq!(decide("/a[JsonData::k==v]", &post("/a", JSON, &body), None), expected, "{length}");
    }
}

#[test]
fn a_body_is_nested_as_deep_as_allowed_and_no_deeper() {
    for (depth, expected) in [(MAX_DEPTH, "allow"), (MAX_DEPTH + 1, "malformed")] {
        let body = format!("{{\"k\":\"v\",\"x\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert_eq!(
            decide("/a[JsonData::k==v]", &post("/a", JSON, body.as_bytes()), None),
            expected,
            "{depth}"
        );
    }
}

#[test]
fn a_header_that_none_may_be_is_not_judged() {
    for (name, value, expected) in [
        ("X-A", "b c\td", "allow"),
        ("X-A", "", "allow"),
        ("", "b", "malformed"),
        ("X A", "b", "malformed"),
        ("X-A:", "b", "malformed"),
        ("X-A", "b\0", "malformed"),
        ("X-A", "b\u{1f}c", "malformed"),
        ("X-A", "b\r\nX-B: c", "malformed"),
        ("X-A", "b\u{7f}", "malformed"),
    ] {
        let headers = [(name.to_owned(), value.to_owned())];
        let given = Given { url: Some("/a"), headers: &headers, ..Given::default() };
        assert_eq!(decide("/a", &given, None), expected, "{name:?} {value:?}");
    }
}

#[test]
fn a_host_has_a_port_of_its_own_or_nothing_behind_it() {
    let long =
        |last: usize| [&"a".repeat(63), &"b".repeat(63), &"c".repeat(63), &*"d".repeat(last)].join(".");
    for (authority, good) in [
        ("[::1]", true),
        ("[::1]:80", true),
        ("[::1]x", false),
        ("[::1]80", false),
        ("h.example", true),
        ("h.example.", false),
        ("h..example", false),
        (".example", false),
        ("h:0", false),
        ("h:1", true),
        ("h:01", false),
        ("h:", false),
        ("h:65535", true),
        ("h:65536", false),
        (&*"a".repeat(63), true),
        (&*"a".repeat(64), false),
        (&*long(61), true),
        (&*long(62), false),
    ] {
        let url = format!("http://{authority}/a");
        let given = Given { url: Some(&url), ..Given::default() };
        assert_eq!(decide("/a", &given, None), if good { "allow" } else { "malformed" }, "{authority}");
        assert_eq!(Rules::parse(&url, None).is_ok(), good, "{authority} in a rule");
    }
}

#[test]
fn a_decision_stops_at_the_line_that_allows_and_an_explanation_has_all() {
    let rules = rules("/b\n/a\n/a.*", None);
    let request = Request::new(&Given { url: Some("/a"), ..Given::default() }).expect("a request");
    for (depth, lines) in [(Depth::Decide, 2), (Depth::Explain, 3)] {
        let verdict = judge(&rules, &request, None, depth);
        assert_eq!((verdict.decision, verdict.lines.len()), (Decision::Allow { line: 2 }, lines));
    }
}

#[test]
fn a_part_that_is_missed_is_named_and_says_why() {
    let body = |body, content_type| Given {
        method: Some("POST"),
        url: Some("/a"),
        body,
        content_type,
        ..Given::default()
    };
    for (rule, given, kind, why) in [
        ("[get]/a", body(None, None), "method", "it is another method"),
        ("https://h.example/a", body(None, None), "origin", "the origin is not known"),
        ("/b", body(None, None), "url", "the pattern does not match"),
        ("/a[QueryParam::p==1]", body(None, None), "QueryParam", "there is no such parameter"),
        ("/a[JsonData::k==v]", body(None, Some(JSON)), "JsonData", "body-unseen: the body was not"),
        ("/a[JsonData::k==v]", body(None, None), "JsonData", "no body was handed over"),
        ("/a[JsonData::k==v]", body(Some(b"{}"), None), "JsonData", "the content type is not"),
        ("/a[JsonData::k==v]", body(Some(b"{}"), Some(JSON)), "JsonData", "there is no such member"),
    ] {
        let (rules, request) = (rules(rule, None), Request::new(&given).expect("a request"));
        let verdict = judge(&rules, &request, None, Depth::Decide);
        let missed = verdict.lines[0].parts.iter().find_map(|part| match part.outcome {
            Outcome::Miss(why) | Outcome::Unseen(why) => Some((part.kind.as_str(), why)),
            _ => None,
        });
        let (part, said) = missed.expect("a part that is missed");
        assert!(part == kind && said.starts_with(why), "{rule}: {part}: {said}");
    }
}
