//! What is printed for a restricted token is what `verify` allows.

use crate::harness::{Patctl, Setup, id_of};
use crate::process::scaled;
use crate::snippet_place::base64_of;
use patctl::exit::Exit;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use std::collections::HashMap;

fn pick<T: Copy>(dice: &mut StdRng, from: &[T]) -> T {
    *from.choose(dice).expect("some")
}

/// A token with random rules, how it was asked for, and where its service is.
fn restricted(patctl: &Patctl, dice: &mut StdRng) -> (String, Vec<String>, &'static str) {
    const RULES: [&str; 16] = [
        "[get].*/rest/api/2/issue/JRA.*",
        "[post,put]/a/.*",
        "/a(?:/b)?",
        ".*",
        "[delete]",
        "/s[QueryParam::q==x+]",
        "/s[QueryParam::q==[a-z]+][QueryParam::p==1]",
        "[post]/i[JsonData::a.b==\\d+]",
        "/i[JsonData::k==x|y]",
        "https://h.example/a.*",
        "http://other.example/.*",
        "/caf%C3%A9",
        "[head,options]/.*",
        "/a b?",
        " /[^S].*",
        "{BASE}/a",
    ];
    loop {
        let base =
            pick(dice, &["", "patctl.base.url = https://h.example", "patctl.base.url = https://h.example/j"]);
        patctl.configure(&format!("{base}\natlassian.pats.max.tokens.per.user = 100000"));
        let mut args = vec!["create".to_owned(), "--user=alice".to_owned()];
        for _ in 0..dice.random_range(1..4) {
            args.push(format!("--restrict={}", pick(dice, &RULES).trim()));
        }
        if dice.random_ratio(1, 8) {
            args.push(pick(dice, &["--auth=basic", "--auth=bearer"]).to_owned());
        }
        // Some rules are none, and some need to know the service.
        let created = patctl.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        if created.exit == Exit::Yes {
            return (created.stdout.trim_end().to_owned(), args, base);
        }
    }
}

/// A random request, as it is typed; sometimes none.
fn typed(dice: &mut StdRng) -> Vec<String> {
    const URLS: [&str; 26] = [
        "/a",
        "/a/b",
        "/a/b/",
        "/a//b",
        "/a/../b",
        "/rest/api/2/issue/JRA-1",
        "/rest/api/2/issue/HR-1",
        "/s?q=xx",
        "/s?q=xx&Q=1",
        "/s?q=a&p=1",
        "/s?q=x;p=1",
        "/i",
        "/%53ECRET",
        "/SECRET",
        "/caf%c3%a9",
        "/caf%C3%A9",
        "https://h.example/a",
        "https://h.example:443/a?x",
        "https://H.EXAMPLE/a",
        "http://h.example/a",
        "http://other.example/x",
        "/a?_method=PUT",
        "/j/a",
        "https://h.example/j/a",
        "/a%2fb",
        "/j/../a",
    ];
    const BODIES: [&str; 9] = [
        "{\"a\":{\"b\":1}}",
        "{\"k\":\"x\"}",
        "{\"k\":\"z\"}",
        "{\"k\":\"x\",\"k\":\"y\"}",
        "{\"k\":\"x\"",
        "k=x",
        "",
        "_method=PUT",
        "[]",
    ];
    const TYPES: [&str; 6] = [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
    ];
    const HEADERS: [&str; 5] = [
        "X-HTTP-Method-Override: PUT",
        "X-Original-URL: /b",
        "X-A: b",
        "Content-Type: application/json",
        "contextUser: a",
    ];
    if dice.random_ratio(1, 10) {
        return Vec::new();
    }
    let method = pick(dice, &["GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "get"]);
    let mut request = vec![format!("--method={method}"), format!("--url={}", pick(dice, &URLS))];
    if dice.random() {
        request.push(format!("--data={}", pick(dice, &BODIES)));
    }
    if dice.random() {
        request.push(format!("--content-type={}", pick(dice, &TYPES)));
    }
    if dice.random_ratio(1, 4) {
        request.push(format!("--header={}", pick(dice, &HEADERS)));
    }
    request
}

/// The request that a snippet holds, as the service that is called would hand it to `verify`.
fn handed(answer: &Value, language: &str) -> Vec<String> {
    let request = &answer["request"];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut flags =
        vec![format!("--method={}", text(&request["method"])), format!("--url={}", text(&request["url"]))];
    flags.extend(request["body"].as_str().map(|body| format!("--data={body}")));
    for pair in request["headers"].as_array().expect("pairs") {
        flags.push(format!("--header={}: {}", text(&pair[0]), text(&pair[1])));
    }
    let typed = flags.iter().any(|flag| flag.contains("Content-Type: "));
    let body = request["body"].as_str().is_some_and(|body| !body.is_empty());
    if body && !typed && matches!(language, "wget" | "powershell") {
        flags.push("--content-type=application/octet-stream".to_owned());
    }
    flags
}

fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Random rules, random requests: what is printed would be allowed, and what would be allowed is printed.
#[test]
fn no_call_is_printed_that_verify_would_deny() {
    const LANGUAGES: [&str; 7] = ["curl", "javascript", "python", "httpie", "wget", "powershell", "go"];
    let patctl = Patctl::new();
    let mut dice = StdRng::seed_from_u64(17);
    let (mut printed, mut denied) = (0, 0);
    let mut holder = (String::new(), Vec::new(), "");
    for round in 0..scaled(250, 6000) {
        if round % 8 == 0 {
            holder = restricted(&patctl, &mut dice);
        }
        let (token, args, base) = &holder;
        let request = typed(&mut dice);
        let auth = pick(&mut dice, &[&[][..], &[], &["--auth=basic"], &["--auth=bearer"]]);
        let language = pick(&mut dice, &LANGUAGES);
        let first = ["snippet", id_of(token), "-o", "json", "--lang", language];
        let run = patctl.run(&[&first, &refs(&request)[..], auth].concat());
        let told = format!("{round}: {args:?} {base:?} {request:?} {run:?}");
        if run.exit == Exit::Usage {
            // Its language cannot say it, it is no request at all, or none could be made up.
            assert_eq!(run.stdout, "", "{told}");
            continue;
        }
        let answer = run.json();
        let presented = match answer["auth"]["type"].as_str() {
            Some("basic") => format!("Basic {}", base64_of(&format!("alice:{token}"))),
            _ => format!("Bearer {token}"),
        };
        let verified = patctl.verify(&presented, &refs(&handed(&answer, language)));
        let as_typed =
            if request.is_empty() { verified.clone() } else { patctl.verify(&presented, &refs(&request)) };
        if run.exit == Exit::Yes {
            printed += 1;
            assert!(answer["snippet"].is_string(), "{told}");
            assert_eq!((verified.0, as_typed.0), (Exit::Yes, Exit::Yes), "{told} {verified:?} {as_typed:?}");
        } else {
            denied += 1;
            assert!(run.exit == Exit::No && answer["snippet"].is_null(), "{told}");
            assert!(!request.is_empty() || answer["reason"] != "restricted", "{told}");
            let reason = answer["reason"].as_str().expect("a reason").to_owned();
            assert_eq!((&verified, as_typed.0), (&(Exit::No, reason), Exit::No), "{told}");
            assert_ne!(answer["check"]["verdict"], "allow", "{told}");
        }
    }
    assert!(printed > 20 && denied > 20, "{printed} printed, {denied} denied");
}

/// The cases of the language's corpus: one that is not allowed is never printed.
#[test]
fn no_case_of_the_corpus_is_printed_that_is_not_allowed() {
    let patctl = Patctl::new();
    let (mut printed, mut tokens) = (0, HashMap::new());
    for line in include_str!("../corpus/restrictions.jsonl").lines() {
        let case: Value = serde_json::from_str(line).expect("a case");
        let text = |field: &str| case[field].as_str().unwrap_or_default().to_owned();
        if !case["body_b64"].is_null() || !case["headers"].is_null() || text("url").is_empty() {
            continue;
        }
        let known = if text("base_url").is_empty() {
            "https://elsewhere.example".to_owned()
        } else {
            text("base_url")
        };
        patctl.configure(&format!("atlassian.pats.max.tokens.per.user = 10000\npatctl.base.url = {known}"));
        let token = tokens.entry((text("rule"), known)).or_insert_with_key(|(rule, _)| {
            let created = patctl.run(&["create", &format!("--restrict={rule}")]);
            (created.exit == Exit::Yes).then(|| created.stdout.trim_end().to_owned())
        });
        let Some(token) = token else { continue };
        let mut flags = vec![format!("--url={}", text("url"))];
        for (field, flag) in
            [("method", "method"), ("query", "query"), ("content_type", "content-type"), ("body", "data")]
        {
            flags.extend(case[field].as_str().map(|text| format!("--{flag}={text}")));
        }
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let run = patctl.run(&[&["snippet", id_of(token)], &flags[..]].concat());
        if run.exit == Exit::Yes {
            // Without a method curl says GET or POST, and that is judged.
            let method = format!("--method={}", if case["body"].is_null() { "GET" } else { "POST" });
            let flags = if case["method"].is_null() { [&flags[..], &[&method]].concat() } else { flags };
            let verified = patctl.run_with(
                &[&["verify", "-q"], &flags[..]].concat(),
                &Setup { stdin: token.as_bytes(), ..Setup::default() },
            );
            assert_eq!(verified.exit, Exit::Yes, "{case} {run:?}");
            printed += 1;
        } else {
            assert_eq!(run.stdout, "", "{case}");
        }
    }
    assert!(printed > 80, "{printed}");
}
