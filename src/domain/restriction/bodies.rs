//! Bodies that are seen, unseen or unclear, and headers that decide: each case was a wrong yes on a real
//! framework, or is the plain request beside it.

use super::judge::Outcome;
use super::{Decision, Depth, Given, Merges, Request, Rules, judge};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const PARTS: &str = "multipart/form-data; boundary=b";

fn word(rule: &str, given: &Given<'_>, base: Option<&str>) -> &'static str {
    let base = base.map(|url| super::Base::parse(url).expect("a base"));
    let rules = Rules::parse(rule, base.as_ref()).unwrap_or_else(|errors| panic!("{rule}: {errors:?}"));
    let Ok(request) = Request::new(given) else { return "malformed" };
    let verdict = judge(&rules, &request, base.as_ref(), Depth::Decide);
    let unseen = verdict
        .lines
        .iter()
        .flat_map(|line| &line.parts)
        .any(|part| matches!(part.outcome, Outcome::Unseen(why) if why.starts_with("body-unseen: ")));
    match verdict.decision {
        Decision::Allow { .. } => "allow",
        Decision::Deny | Decision::OtherOrigin => "deny",
        Decision::BodyUnseen => {
            assert!(unseen, "{rule}");
            "unseen"
        }
        Decision::Malformed(_) => "malformed",
        Decision::RuleError(_) => "rule-error",
    }
}

/// What the three settings say, in their order.
fn words(rule: &str, given: Given<'_>) -> [&'static str; 3] {
    Merges::ALL.map(|merges| word(rule, &Given { merges, ..given }, None))
}

fn post<'g>(url: &'g str, kind: Option<&'g str>, body: Option<&'g str>) -> Given<'g> {
    Given {
        method: Some("POST"),
        url: Some(url),
        content_type: kind,
        body: body.map(str::as_bytes),
        ..Given::default()
    }
}

#[test]
fn a_body_that_is_seen_counts_as_far_as_the_service_reads_it() {
    for (rule, kind, body, expected) in [
        // A method from a member, a field, a part, or what some server takes for one.
        ("[post]/x", Some(JSON), r#"{"_method":"DELETE"}"#, ["deny", "deny", "allow"]),
        ("[post]/x", Some(JSON), r#"{"_met\u0068od":"DELETE"}"#, ["deny", "deny", "allow"]),
        ("[post]/x", Some(JSON), r#"{"a":{"_method":"DELETE"}}"#, ["allow"; 3]),
        ("[post]/x", Some(JSON), r#"{"a":"&_method=DELETE&"}"#, ["deny", "allow", "allow"]),
        ("[post]/x", Some(JSON), r#"{"a":1,"a":2}"#, ["deny", "deny", "allow"]),
        ("[post]/x", Some(FORM), "_method]=DELETE", ["deny", "deny", "allow"]),
        ("[post]/x", Some(FORM), "_method%00x=DELETE", ["deny", "deny", "allow"]),
        ("[post]/x", Some(FORM), "a=1;_method=DELETE", ["deny", "deny", "allow"]),
        ("[post]/x", Some(FORM), "a=1", ["allow"; 3]),
        ("[post]/x", Some("application/xml"), "<a>&_method=PUT;</a>", ["deny", "allow", "allow"]),
        ("[post]/x", Some("application/xml"), "<a>&amp;</a>", ["allow"; 3]),
        ("[post]/x", Some("image/png"), "_method=DELETE", ["deny", "allow", "allow"]),
        ("[post]/x", Some("text/plain"), "a", ["unseen", "unseen", "allow"]),
        ("[post]/x", Some("image/png; x=/json"), "{}", ["unseen", "unseen", "allow"]),
        ("[post]/x", Some("application/x-www-form-urlencoded; x=+json"), "{}", ["unseen", "unseen", "allow"]),
        ("[post]/x", None, "_method=DELETE", ["unseen", "unseen", "allow"]),
        ("[post]/x", Some(PARTS), "anything", ["deny", "deny", "allow"]),
        // A parameter from the same places.
        ("/x[QueryParam::p==1]", Some(JSON), r#"{"p":"2"}"#, ["deny", "deny", "allow"]),
        ("/x[QueryParam::p==1]", Some(JSON), r#"{"P":"1"}"#, ["deny", "deny", "allow"]),
        ("/x[QueryParam::p==1]", Some(JSON), r#"{"p":1}"#, ["allow"; 3]),
        ("/x[QueryParam::p==1]", Some(JSON), r#"{"p":null}"#, ["deny", "deny", "allow"]),
        ("/x[QueryParam::p==1]", Some(JSON), r#"{"q":"&p=2"}"#, ["deny", "allow", "allow"]),
        ("/x[QueryParam::p==1]", Some(FORM), "p=2", ["deny", "deny", "allow"]),
        ("/x[QueryParam::p==1]", Some(FORM), "p=1&q=2", ["allow"; 3]),
        ("/x[QueryParam::p==1]", Some(FORM), "p[]=1", ["deny", "deny", "allow"]),
        ("/x[QueryParam::p==1]", None, "p=2", ["unseen", "unseen", "allow"]),
        ("/x[QueryParam::p==1]", Some(PARTS), "x", ["deny", "deny", "allow"]),
        // Some servers separate at ; and some do not: both readings have to be the allowed one.
        ("/x[QueryParam::p==1]", Some("application/pdf"), "p=1&a=1", ["allow"; 3]),
        ("/x[QueryParam::p==1]", Some("application/pdf"), "p=1;a=1", ["deny", "allow", "allow"]),
        ("/x[QueryParam::p==1]", Some("application/zip"), "a;p=2", ["deny", "allow", "allow"]),
        ("/x[QueryParam::p==1]", Some(JSON), "{\"q\":\"&p=1;a=1\"}", ["deny", "allow", "allow"]),
        // Nothing is in an empty body, whatever its type.
        ("[post]/x[QueryParam::p==1]", None, "", ["allow"; 3]),
        ("[post]/x[QueryParam::p==1]", Some("text/plain"), "", ["allow"; 3]),
    ] {
        assert_eq!(words(rule, post("/x?p=1", kind, Some(body))), expected, "{rule} {kind:?} {body}");
    }
}

#[test]
fn a_json_member_is_also_looked_for_in_query_and_pieces() {
    for (url, body, expected) in [
        ("/x", r#"{"k":"v"}"#, ["allow"; 3]),
        ("/x?k=v", r#"{"k":"v"}"#, ["allow"; 3]),
        ("/x?k=w", r#"{"k":"v"}"#, ["deny"; 3]),
        ("/x?K=v", r#"{"k":"v"}"#, ["deny"; 3]),
        ("/x?k[]=v", r#"{"k":"v"}"#, ["deny"; 3]),
        ("/x?a;k=w", r#"{"k":"v"}"#, ["deny"; 3]),
        ("/x?a;b=w", r#"{"k":"v"}"#, ["allow"; 3]),
        ("/x?other=w", r#"{"k":"v"}"#, ["allow"; 3]),
        ("/x", r#"{"k":"v","a":"&k=w&"}"#, ["deny", "allow", "allow"]),
        ("/x", r#"{"k":"v","a":"&ke%79=w&"}"#, ["allow"; 3]),
        ("/x", r#"{"\u212a":"w","k":"v"}"#, ["deny"; 3]),
    ] {
        assert_eq!(words("/x[JsonData::k==v]", post(url, Some(JSON), Some(body))), expected, "{url} {body}");
    }
    // Laravel follows the dots of a name into members.
    let dotted = "/x[QueryParam::a.b==1]";
    for (body, expected) in
        [(r#"{"a":{"b":"2"}}"#, "deny"), (r#"{"a.b":"1"}"#, "allow"), (r#"{"b":2}"#, "allow")]
    {
        assert_eq!(words(dotted, post("/x?a.b=1", Some(JSON), Some(body)))[0], expected, "{body}");
    }
    // PHP's own server drops the second question mark.
    assert_eq!(words("/x[QueryParam::p==1]", post("/x??p=2&p=1", None, None)), ["deny"; 3]);
    assert_eq!(words("[post]/x", post("/x??_method=PUT", None, None)), ["deny"; 3]);
}

#[test]
fn an_announced_body_that_was_not_handed_over_is_unseen() {
    let header = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
    let (none, five) = (header("Content-Length", "0"), header("content_length", "5"));
    let chunked = header("Transfer-Encoding", "chunked");
    let every = ["unseen", "unseen", "allow"];
    let inert = ["unseen", "allow", "allow"];
    for (method, kind, headers, flag, expected) in [
        ("POST", None, &[][..], false, ["allow"; 3]),
        ("POST", None, &none, false, ["allow"; 3]),
        ("POST", None, &five, false, every),
        ("GET", None, &five, false, every),
        ("GET", None, &chunked, false, every),
        ("GET", None, &[], true, every),
        ("POST", Some(JSON), &[], false, inert),
        ("POST", Some(JSON), &none, false, ["allow"; 3]),
        ("POST", Some(JSON), &none, true, inert),
        ("POST", Some("image/png"), &[], false, inert),
        ("GET", Some(JSON), &[], false, ["allow"; 3]),
        ("GET", Some("text/plain"), &[], false, ["allow"; 3]),
        ("POST", Some("text/plain"), &[], false, every),
        ("GET", Some(FORM), &[], false, every),
        ("GET", Some(FORM), &none, false, ["allow"; 3]),
        ("GET", Some(PARTS), &[], false, every),
        ("DELETE", Some("x"), &[], false, every),
    ] {
        let given = Given {
            method: Some(method),
            url: Some("/x?p=1"),
            content_type: kind,
            headers,
            body_unseen: flag,
            ..Given::default()
        };
        for rule in ["[get,post,delete]/x", "/x[QueryParam::p==1]", "[get,post,delete]/x[QueryParam::p==1]"] {
            assert_eq!(words(rule, given), expected, "{rule} {method} {kind:?} {headers:?} {flag}");
        }
        let json = words("/x[JsonData::k==v]", given);
        let there = expected != ["allow"; 3];
        assert_eq!(json, [if there { "unseen" } else { "deny" }; 3], "{method} {kind:?} {headers:?} {flag}");
        assert_eq!(words("/x", given), ["allow"; 3], "a path alone needs no body");
    }
    let both = Given { body_unseen: true, ..post("/x", Some(JSON), Some("{}")) };
    assert_eq!(words("/x", both), ["malformed"; 3]);
}

#[test]
fn the_body_is_the_reason_only_where_all_else_holds() {
    let given = |url| Given { body_unseen: true, ..post(url, None, None) };
    for (rule, url, expected) in [
        ("[post]/x", "/x", "unseen"),
        ("[post]/x", "/y", "deny"),
        ("[get]/x", "/x", "deny"),
        ("/x[QueryParam::p==1]", "/x?p=2", "deny"),
        ("/x[QueryParam::p==1][JsonData::k==v]", "/x?p=1", "unseen"),
        ("[post]/x\n/y", "/y", "allow"),
        ("[post]/x\n[get]/x", "/x", "unseen"),
    ] {
        assert_eq!(word(rule, &given(url), None), expected, "{rule} {url}");
    }
}

#[test]
fn a_header_that_decides_is_there_once() {
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    for (list, expected) in [
        (&[("Host", "h"), ("Host", "h")][..], "malformed"),
        (&[("Content-Type", JSON), ("content_type", JSON)], "malformed"),
        (&[("Content-Length", "0"), ("CONTENT-LENGTH", "0")], "malformed"),
        (&[("Transfer-Encoding", "a"), ("Transfer_Encoding", "a")], "malformed"),
        (&[("Authorization", "a"), ("Authorization", "a")], "malformed"),
        (&[("X-HTTP-Method", "POST"), ("X_HTTP_Method", "POST")], "malformed"),
        (&[("X-HTTP-Method", "POST")], "allow"),
        (&[("X-HTTP-Method", "PUT")], "malformed"),
        (&[("Content-Length", "-1")], "malformed"),
        (&[("Content-Length", "0, 0")], "malformed"),
        (&[("Content-Length", "")], "malformed"),
        (&[("Host", "")], "malformed"),
        (&[("Host", "a@h")], "malformed"),
        (&[("Host", "h:0")], "malformed"),
        (&[("X-Forwarded-For", "a"), ("X-Forwarded-For", "b"), ("Accept", "a"), ("Accept", "b")], "allow"),
    ] {
        let headers = pairs(list);
        assert_eq!(
            word("[post]/x", &Given { headers: &headers, ..post("/x", None, None) }, None),
            expected,
            "{list:?}"
        );
    }
    let wrong = pairs(&[("Content-Length", "3")]);
    let given = Given { headers: &wrong, ..post("/x", Some(JSON), Some("{}")) };
    assert_eq!(word("/x", &given, None), "malformed", "another length than it has");
    let packed = pairs(&[("Content-Encoding", "gzip")]);
    let given = Given { headers: &packed, ..post("/x?p=1", Some(FORM), Some("p=1")) };
    assert_eq!(word("/x[QueryParam::p==1]", &given, None), "unseen", "the service reads other bytes");
}

#[test]
fn a_host_is_that_of_the_url_and_makes_no_origin() {
    let base = "https://a.example";
    for (rule, url, host, base, expected) in [
        ("/x", "/x", "a.example", Some(base), "allow"),
        ("/x", "/x", "A.Example:443", Some(base), "allow"),
        ("/x", "/x", "b.example", Some(base), "deny"),
        ("/x", "/x", "a.example:444", Some(base), "deny"),
        ("/x", "https://a.example/x", "b.example", Some(base), "deny"),
        ("/x", "https://a.example/x", "b.example", None, "deny"),
        ("/x", "http://a.example/x", "a.example:80", None, "allow"),
        ("/x", "/x", "b.example", None, "allow"),
        ("https://b.example/x", "/x", "b.example", None, "deny"),
        ("https://a.example/x", "/x", "a.example", Some(base), "allow"),
    ] {
        let headers = [("Host".to_owned(), host.to_owned())];
        let given = Given { url: Some(url), headers: &headers, ..Given::default() };
        assert_eq!(word(rule, &given, base), expected, "{rule} {url} {host} {base:?}");
    }
}

#[test]
fn a_character_that_cannot_be_seen_is_no_part_of_a_path() {
    let refused = ('\u{80}'..='\u{e0fff}').filter(|c| super::is_invisible(*c) || c.is_whitespace());
    for c in refused {
        let encoded = c.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
        for url in [format!("/x{encoded}y"), format!("/x/..{encoded}/y")] {
            assert_eq!(
                word("/.*", &Given { url: Some(&url), ..Given::default() }, None),
                "malformed",
                "{c:?}"
            );
        }
    }
}
