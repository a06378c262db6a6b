//! What must hold for every rule and every request (`patctl-restrictions(7)`), tried on random ones.

use crate::process::scaled;
use patctl::domain::restriction::pattern::{Pattern, Place as In};
use patctl::domain::restriction::request::Place;
use patctl::domain::restriction::rule::Subject;
use patctl::domain::restriction::{Base, Decision, Depth, Request, Rules, Sent, judge, path};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use std::time::{Duration, Instant};

/// Random cases of each property: the full number in CI, ten times as many by hand.
fn check<S: Strategy>(strategy: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config {
        cases: u32::try_from(scaled(10_000, 100_000)).expect("a count"),
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config).run(&strategy, property).unwrap_or_else(|error| panic!("{error}"));
}

/// Lines that meet the requests below often: some allow, some do not, some cannot be read.
fn line() -> impl Strategy<Value = String> {
    let method = select(vec!["", "", "[get]", "[post]", "[get,post]", "[delete]"]);
    let url = select(vec![
        "",
        "/a",
        "/a/.*",
        ".*",
        "/(?:a|b)",
        "/[a-c]+",
        "/a/b",
        "{HERE}/a.*",
        "https://x.example/.*",
        "/.*/b",
        "(?i)/A.*",
        "/[^a].*",
        "/%20.*",
        "/caf%C3%A9",
        "/a@b",
    ]);
    let clause = select(vec![
        "[QueryParam::p==1]",
        "[QueryParam::p==.*]",
        "[QueryParam::q==a|b]",
        "[JsonData::k==1]",
        "[JsonData::k.l==.+]",
        "[QueryParam::p==[^]]+]",
        "[JsonData::k==true|x]",
        "[QueryParam::id==\\d+]",
    ]);
    (method, url, vec(clause, 0..3))
        .prop_map(|(method, url, clauses)| format!("{method}{url}{}", clauses.concat()))
}

fn some(texts: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    option::weighted(0.9, select(texts).prop_map(str::to_owned))
}

fn request() -> impl Strategy<Value = Sent> {
    let url = some(&[
        "/a",
        "/a/b",
        "/b",
        "/c?p=1",
        "/a?p=1&q=a",
        "/a?p=1&P=2",
        "/a/b?q=b&q=c",
        "https://x.example/a",
        "https://y.example/a?p=1",
        "/%41",
        "/a%20b",
        "/caf%c3%a9",
        "/a//b",
        "/a/../b",
        "/a;x=1",
        "/a?p=%zz",
        "/a%40b",
        "/a?p=1;q=a",
        "/a?p[]=1",
        "/a?id=12",
        "/a?_method=DELETE&p=1",
        "",
    ]);
    let body = option::of(select(vec![
        r#"{"k":1}"#,
        r#"{"k":{"l":"x"}}"#,
        r#"{"k":[1,1]}"#,
        r#"{"k":[1,2]}"#,
        r#"{"k":1,"k":1}"#,
        "p=1",
        "p=2&_method=PUT",
        "{",
        "",
        r#"{"k":1,"K":2}"#,
        r#"{"k":true}"#,
    ]));
    let kind = some(&[
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=b",
    ]);
    (some(&["GET", "POST", "DELETE", "get"]), url, body, kind).prop_map(
        |(method, url, body, content_type)| Sent {
            method,
            url,
            body: body.map(|text| text.as_bytes().to_vec()),
            content_type,
            ..Sent::default()
        },
    )
}

fn base() -> impl Strategy<Value = Option<Base>> {
    option::of(select(vec!["https://x.example", "https://x.example/a", "http://y.example:8080"]))
        .prop_map(|url| url.map(|url| Base::parse(url).expect("a base")))
}

/// The decision as a word; `None`: the rules are refused.
fn decide(rules: &str, sent: &Sent, base: Option<&Base>) -> Option<&'static str> {
    let rules = Rules::parse(rules, base).ok()?;
    let Ok(request) = Request::new(&sent.given()) else { return Some("malformed") };
    Some(match judge(&rules, &request, base, Depth::Decide).decision {
        Decision::Allow { .. } => "allow",
        Decision::Deny | Decision::OtherOrigin | Decision::BodyUnseen => "deny",
        Decision::Malformed(_) => "malformed",
        Decision::RuleError(_) => "rule-error",
    })
}

#[test]
fn adding_a_line_never_turns_an_allow_into_a_deny() {
    check(
        (vec(line(), 1..4), line(), any::<prop::sample::Index>(), request(), base()),
        |(lines, more, at, sent, base)| {
            let base = base.as_ref();
            if decide(&lines.join("\n"), &sent, base) == Some("allow") {
                let mut longer = lines.clone();
                longer.insert(at.index(lines.len() + 1), more);
                let after = decide(&longer.join("\n"), &sent, base);
                prop_assert!(
                    matches!(after, None | Some("allow")),
                    "{lines:?} {longer:?} {sent:?}: {after:?}"
                );
            }
            Ok(())
        },
    );
}

#[test]
fn adding_a_clause_or_a_method_never_turns_a_deny_into_an_allow() {
    let clause =
        select(vec!["[QueryParam::p==.*]", "[JsonData::k==.*]", "[QueryParam::zz==1]", "[get]", "[post]"]);
    check((line(), clause, request(), base()), |(line, more, sent, base)| {
        let longer = if more.contains("::") { format!("{line}{more}") } else { format!("{more}{line}") };
        let (before, after) = (decide(&line, &sent, base.as_ref()), decide(&longer, &sent, base.as_ref()));
        if before.is_some() && before != Some("allow") {
            prop_assert_ne!(after, Some("allow"), "{} {} {:?}", line, longer, sent);
        }
        Ok(())
    });
}

/// Paths made of pieces that matter.
fn raw_path() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "/",
        "/",
        "/",
        "a",
        "b",
        "Z",
        "0",
        "-",
        "~",
        "%20",
        "%41",
        "%c3%a9",
        "%C3%A9",
        "%2e",
        "%2E",
        "%2f",
        "@",
        ":",
        "+",
        "%25",
        "*",
        "'",
        "(",
        ".",
        "%7E",
        "%3a",
        "%24",
        "=",
        "%e2%82%ac",
        "%80",
        "é",
        ";",
        "%5B",
        "%f0%9f%98%80",
        "&",
        ",",
        "!",
        "%",
    ]);
    vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

#[test]
fn canonicalisation_is_idempotent_and_keeps_what_the_path_stands_for() {
    check(raw_path(), |raw| {
        if let Ok(canonical) = path::canonical(&raw, Place::Url, 0) {
            let again = path::canonical(&canonical, Place::Url, 0);
            prop_assert_eq!(again.as_ref(), Ok(&canonical));
            prop_assert_eq!(path::decoded(&canonical), path::decoded(&raw));
        }
        Ok(())
    });
}

#[test]
fn encoding_a_plain_character_never_changes_a_verdict() {
    check(
        (line(), request(), base(), any::<prop::sample::Index>(), any::<bool>()),
        |(line, sent, base, at, lower)| {
            let Some(url) = sent.url.clone().filter(|url| url.starts_with('/') && url.len() > 1) else {
                return Ok(());
            };
            let end = url.find('?').unwrap_or(url.len());
            let at = 1 + at.index(end.max(2) - 1);
            let byte = url.as_bytes()[at.min(end - 1)];
            let inside_escape = url[..at.min(end - 1)].ends_with('%')
                || url[..at.min(end - 1)].bytes().rev().nth(1) == Some(b'%');
            if byte == b'/' || byte == b'%' || inside_escape || !path::is_plain(byte) {
                return Ok(());
            }
            let at = at.min(end - 1);
            let code = if lower { format!("%{byte:02x}") } else { format!("%{byte:02X}") };
            let encoded =
                Sent { url: Some(format!("{}{code}{}", &url[..at], &url[at + 1..])), ..sent.clone() };
            let (plain, coded) =
                (decide(&line, &sent, base.as_ref()), decide(&line, &encoded, base.as_ref()));
            prop_assert_eq!(plain, coded, "{} {:?} {:?}", line, sent.url, encoded.url);
            Ok(())
        },
    );
}

#[test]
fn every_pattern_that_is_accepted_comes_back_out_of_a_clause() {
    let piece = select(vec![
        "a",
        "b",
        "[",
        "]",
        "[^]",
        "[-]",
        "[^-]",
        "[-",
        "[]a]",
        "[^]]",
        "[a-z]",
        "[[:alpha:]]",
        "\\]",
        "\\[",
        "\\\\",
        "(",
        ")",
        "|",
        "*",
        "+",
        "?",
        "{2}",
        ".",
        "-",
        "^",
        "$",
        "::",
        "==",
        "[--a]",
        "[&&b]",
        "\\d",
        "(?i)",
        "é",
        "[a[b]c]",
        "[",
        ":",
        "QueryParam",
    ]);
    check(vec(piece, 1..8).prop_map(|pieces| pieces.concat()), |text| {
        let Ok(pattern) = Pattern::parse(&text, In::Value) else { return Ok(()) };
        prop_assert_eq!(pattern.as_str(), text.as_str());
        match Rules::parse(&format!("[QueryParam::k=={text}]"), None) {
            Ok(rules) => {
                let clauses = &rules.lines()[0].clauses;
                prop_assert_eq!(clauses.len(), 1);
                prop_assert_eq!(&clauses[0].subject, &Subject::Query("k".to_owned()));
                prop_assert_eq!(clauses[0].pattern.as_str(), text.as_str());
            }
            // Only a bare ']' ends a clause early, and a slip of a class is refused.
            Err(errors) => {
                let code = errors[0].code.as_str();
                let bare = ["after-clause", "clause", "empty", "regex"].contains(&code) && text.contains(']');
                prop_assert!(
                    bare || ["clause-like", "method-place"].contains(&code),
                    "{text}: {}",
                    errors[0]
                );
            }
        }
        Ok(())
    });
}

#[test]
fn no_input_panics_or_takes_long() {
    let wild = prop_oneof![
        "\\PC{0,40}",
        vec(any::<u8>(), 0..60).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        "[\\[\\]()|*+?.a-c{},0-9\\\\^$:=#%/-]{0,60}",
    ];
    let url = prop_oneof![raw_path(), "\\PC{0,40}", "https?://[a-z0-9.:@\\[\\]%-]{0,20}/[a-z?&=%;]{0,30}"];
    let body = prop_oneof!["\\PC{0,60}", "[\\[\\]{}\",:a-c0-9\\\\u.e-]{0,60}"];
    check(
        (wild, url, body, some(&["application/json", "application/x-www-form-urlencoded"])),
        |(rule, url, body, kind)| {
            let sent = Sent {
                method: Some("POST".to_owned()),
                url: Some(url),
                body: Some(body.into_bytes()),
                content_type: kind,
                ..Sent::default()
            };
            let begin = Instant::now();
            for text in
                [rule.clone(), format!("[QueryParam::p=={rule}]"), format!("[JsonData::k=={rule}]\n.*")]
            {
                let _ = decide(&text, &sent, None);
            }
            // One look at the clock says nothing on a busy machine; a second one at the same input does.
            if begin.elapsed() > Duration::from_millis(50) {
                let begin = Instant::now();
                let _ = decide(&rule, &sent, None);
                prop_assert!(begin.elapsed() < Duration::from_millis(50), "{rule:?} {sent:?}");
            }
            Ok(())
        },
    );
}

/// The worst patterns known, on the longest subjects: ten milliseconds a part, the best of five looks.
#[test]
fn the_worst_patterns_known_stay_short_on_the_longest_values() {
    let mut seed = 88_172_645_463_325_252_u64;
    let noise: Vec<u8> = (0..8192)
        .map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            if seed >> 40 & 1 == 0 { b'a' } else { b'b' }
        })
        .collect();
    for text in [
        "(?s).*[ab].{400}[ab].{400}c",
        "(?s).*a.{150}b.{150}c",
        "(?s).*a.{60}c",
        "(?i)(.*)*\\.(.*)*",
        "(?:a|b|ab|ba|aab|.)*c",
        "(?:(?:a|b)*x?){40}c",
        "(?s)(?:.*a.{12}b){9}c",
        "(a?){150}(a){150}c",
        "(?:a*)*(?:[ab]?){250}c",
    ] {
        let pattern = Pattern::parse(text, In::Value).expect(text);
        let best = (0..5).map(|_| {
            let begin = Instant::now();
            let (fit, _) = pattern.fits([noise.as_slice()]);
            assert_ne!(fit, patctl::domain::restriction::pattern::Fit::Yes, "{text}");
            begin.elapsed()
        });
        let best = best.min().expect("five");
        assert!(best < Duration::from_millis(10), "{text} took {best:?}");
    }
}
