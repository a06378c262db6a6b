//! The fold of names, by properties: what collides fails a line, and what does not never matters.

use crate::process::scaled;
use patctl::domain::restriction::fold::Keys;
use patctl::domain::restriction::{Decision, Depth, Merges, Request, Rules, Sent, judge};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use std::time::{Duration, Instant};

fn check<S: Strategy>(strategy: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config {
        cases: u32::try_from(scaled(5_000, 100_000)).expect("a count"),
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config).run(&strategy, property).unwrap_or_else(|error| panic!("{error}"));
}

fn allows(rule: &str, sent: &Sent, merges: Merges) -> bool {
    let rules = Rules::parse(rule, None).expect(rule);
    let Ok(request) = Request::new(&sent.given_to(merges)) else { return false };
    matches!(judge(&rules, &request, None, Depth::Decide).decision, Decision::Allow { .. })
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Names made of what frameworks strip, map and cut at.
fn name() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "k", "K", "\u{212a}", "s", "\u{17f}", "i", "\u{131}", "\u{130}", "_", "-", ".", " ", "[", "]", "[]",
        "\u{200b}", "\u{ad}", "\t", "\\", "method", "ß", "SS", "?", "\u{a0}", "id", "x",
    ]);
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A request that has the guarded name and another one, and the rule.
fn with(place: usize, guard: &str, other: &str) -> (String, Sent) {
    let query = format!("/x[QueryParam::{guard}==1]");
    let url = |more: &str| Some(format!("/x?{}=1{more}", encoded(guard)));
    let typed = |url, kind: &str, body: String| Sent {
        method: Some("POST".to_owned()),
        url,
        content_type: Some(kind.to_owned()),
        body: Some(body.into_bytes()),
        ..Sent::default()
    };
    let json = |text: &str| serde_json::Value::from(text).to_string();
    match place {
        0 => (query, Sent { url: url(&format!("&{}=1", encoded(other))), ..Sent::default() }),
        1 => (query, typed(url(""), "application/x-www-form-urlencoded", format!("{}=1", encoded(other)))),
        2 => (query, typed(url(""), "application/json", format!("{{{}:1}}", json(other)))),
        _ => {
            let body = format!("{{{}:1,{}:1}}", json(guard), json(other));
            (format!("/x[JsonData::{guard}==1]"), typed(Some("/x".to_owned()), "application/json", body))
        }
    }
}

#[test]
fn a_name_that_collides_with_the_guarded_one_fails_the_line() {
    let guarded = select(vec!["k", "sk", "id", "k_id", "i-d", "ss", "x"]);
    check((guarded, name(), 0..4_usize), |(guard, other, place)| {
        let (rule, sent) = with(place, guard, &other);
        let allowed = allows(&rule, &sent, Merges::All);
        if guard != other {
            let collide = Keys::of(guard).collide(&Keys::of(&other));
            prop_assert_eq!(allowed, !collide, "{} {:?}", rule, sent);
        } else if place < 3 {
            prop_assert!(allowed, "{} {:?}", rule, sent);
        }
        Ok(())
    });
}

#[test]
fn a_name_that_folds_to_an_override_fails_a_method() {
    check((name(), 0..3_usize), |(other, place)| {
        let (_, sent) = with(place, "zz", &other);
        let sent = Sent { method: Some("POST".to_owned()), ..sent };
        let replaces = Keys::of(&other).override_method();
        prop_assert_eq!(allows("[post]/x", &sent, Merges::All), !replaces, "{:?}", sent);
        Ok(())
    });
}

#[test]
fn what_one_setting_allows_the_next_one_allows() {
    let body = select(vec![
        "",
        "k=1",
        "k=2",
        "_method=PUT",
        "{}",
        "{\"k\":1}",
        "{\"k\":2}",
        "{\"_method\":1}",
        "{",
        "a&k=1",
        "[k]=1",
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n",
    ]);
    let kind = select(vec![
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "image/png",
        "",
        "multipart/form-data; boundary=b",
        "application/x",
    ]);
    let rule = select(vec!["[post]/x", "/x[QueryParam::k==1]", "[post]/x[JsonData::k==1]", "/x", "[post]"]);
    check((rule, kind, prop::option::of(body), any::<bool>()), |(rule, kind, body, unseen)| {
        let sent = Sent {
            method: Some("POST".to_owned()),
            url: Some("/x?k=1".to_owned()),
            content_type: Some(kind.to_owned()),
            body_unseen: unseen && body.is_none(),
            body: body.map(|text| text.as_bytes().to_vec()),
            ..Sent::default()
        };
        let [all, forms, none] = Merges::ALL.map(|merges| allows(rule, &sent, merges));
        prop_assert!((!all || forms) && (!forms || none), "{} {:?}: {} {} {}", rule, sent, all, forms, none);
        Ok(())
    });
}

/// A hundred lines, and the largest bodies of every kind: no request keeps anybody waiting.
#[test]
fn the_largest_bodies_are_judged_in_bounded_time() {
    let fill = |unit: &str| unit.repeat((1 << 20) / unit.len());
    let part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
    let (form, json) = ("application/x-www-form-urlencoded", "application/json");
    let guarded = "[post]/x[QueryParam::k==2]";
    for (rule, kind, body) in [
        (guarded, form, fill("a=1&")),
        (guarded, form, fill("[")),
        (guarded, "image/png", fill("a&;[")),
        (guarded, "application/xml", fill("\u{200b}")),
        (guarded, json, format!("[{}1]", "1,".repeat(90_000))),
        (guarded, json, format!("{{\"{}\":1}}", "[".repeat(1_000_000))),
        ("[post]/y", "multipart/form-data; boundary=b", format!("{part}{}\r\n--b--", "-".repeat(1_000_000))),
    ] {
        let rules = Rules::parse(&vec![rule; 100].join("\n"), None).expect(rule);
        let sent = Sent {
            method: Some("POST".to_owned()),
            url: Some("/x?k=1".to_owned()),
            content_type: Some(kind.to_owned()),
            body: Some(body.into_bytes()),
            ..Sent::default()
        };
        let begun = Instant::now();
        let request = Request::new(&sent.given()).expect("a request");
        let allowed = matches!(judge(&rules, &request, None, Depth::Decide).decision, Decision::Allow { .. });
        assert!(!allowed, "{rule} {kind}");
        // Unoptimized, and beside other tests; a release takes less than a tenth.
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?} for {kind}", begun.elapsed());
    }
}
