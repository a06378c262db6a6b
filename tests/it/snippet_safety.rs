//! What a snippet must not do: leak the token, lose a request at a redirect, or be refused.

use crate::harness::{Patctl, Setup, assert_no_secret};
use crate::process::{have, scaled, stderr, stdout};
use crate::snippet_languages::{Place, base64_of};
use patctl::exit::Exit;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::HashMap;
use std::fs;
use std::process::Stdio;

const TOKEN: &str = "patctl_7k3m9xq2v8_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123453X9qJF";

fn snippet(args: &[&str]) -> String {
    let run = Patctl::new().run(&[&["snippet"], args].concat());
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    run.stdout
}

/// Argument lists and environments of all processes that have `word` in their arguments.
fn processes_with(word: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("procfs").filter_map(Result::ok) {
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let arguments = read("cmdline");
        if arguments.windows(word.len()).any(|window| window == word.as_bytes()) {
            let name = String::from_utf8_lossy(&read("comm")).trim().to_owned();
            found.push((name, [arguments, read("environ")].concat()));
        }
    }
    found
}

/// Runs a snippet against a server that does not answer, and looks at who calls it.
fn caught(place: &Place, snippet: &str, shell: &str) -> Vec<(String, Vec<u8>)> {
    let gate = place.server.gate.lock().expect("the gate");
    fs::write(place.dir.path().join("call.sh"), snippet).expect("a file");
    fs::write(place.dir.path().join("token"), TOKEN).expect("a file");
    let mut command = place.command(shell);
    command.arg("call.sh").env("PATCTL_TOKEN", TOKEN).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect(shell);
    let received = place.server.next();
    assert_eq!(received.named("Authorization").len(), 1, "{received:?}");
    let found = processes_with(&format!("127.0.0.1:{}/slow", place.server.port));
    let names: Vec<_> = fs::read_dir(place.dir.path()).expect("it").filter_map(Result::ok).collect();
    assert!(!names.iter().any(|entry| entry.file_name().to_string_lossy().starts_with("tmp.")), "{names:?}");
    drop(gate);
    let output = child.wait_with_output().expect(shell);
    assert!(output.status.success(), "{snippet}\n{}{}", stdout(&output), stderr(&output));
    found
}

#[test]
fn no_argument_list_and_no_environment_of_what_calls_holds_the_token() {
    let place = Place::new();
    let url = place.server.url("/slow");
    for (language, program, comm) in
        [("curl", "curl", "curl"), ("wget", "wget", "wget"), ("httpie", "http", "http")]
    {
        if !have(program, "no_argument_list_and_no_environment_of_what_calls_holds_the_token") {
            continue;
        }
        let flags: [&[&str]; 4] = [
            &["--auth=bearer"],
            &["--user=alice"],
            &["--token-file=token"],
            &["--user=a", "--token-file=token"],
        ];
        for (flags, shell) in flags.into_iter().zip(["dash", "bash", "zsh", "dash"]) {
            if !have(shell, "no_argument_list_and_no_environment_of_what_calls_holds_the_token") {
                continue;
            }
            let text =
                snippet(&[&["--lang", language, "--method=POST", "--data=x", "--url", &url], flags].concat());
            // HTTPie has a child that looks for updates.
            let found = caught(&place, &text, shell);
            assert!(!found.is_empty(), "{text}");
            for (name, bytes) in found {
                assert_eq!(name, comm, "{text}");
                assert_no_secret(&TOKEN[18..], &bytes, &text);
                // The pair of Basic.
                for pair in ["YWxpY2U6cGF0Y3Rs", "YTpwYXRjdGxf"] {
                    assert!(!String::from_utf8_lossy(&bytes).contains(pair), "{text}");
                }
            }
        }
        // And it would be noticed.
        let leaky = snippet(&["--lang", language, "--url", &url]).replace("env -u PATCTL_TOKEN", "env");
        let found = caught(&place, &leaky, "bash");
        assert!(String::from_utf8_lossy(&found[0].1).contains(TOKEN), "{leaky}");
    }
}

#[test]
fn without_its_token_a_snippet_calls_nobody() {
    let place = Place::new();
    let url = place.server.url("/a");
    for (language, program) in [
        ("curl", "curl"),
        ("wget", "wget"),
        ("httpie", "http"),
        ("javascript", "node"),
        ("python", "python3"),
    ] {
        if !have(program, "without_its_token_a_snippet_calls_nobody") {
            continue;
        }
        for flags in [&[][..], &["--token-file=missing"], &["--user=alice"]] {
            let text = snippet(&[&["--lang", language, "--url", &url], flags].concat());
            let output = place.run(language, &text, None, 0);
            assert!(!output.status.success(), "{text}: {output:?}");
            let why = stderr(&output);
            assert!(why.contains("PATCTL_TOKEN") || why.contains("missing"), "{text}: {why}");
        }
    }
    assert_eq!(place.server.received(), []);
}

#[test]
fn method_and_body_survive_redirects_with_follow() {
    let (place, elsewhere) = (Place::new(), Place::new());
    for (language, program) in [("curl", "curl"), ("javascript", "node"), ("python", "python3"), ("go", "go")]
    {
        if !have(program, "method_and_body_survive_redirects_with_follow") {
            continue;
        }
        let codes: &[&str] =
            if language == "go" { &["301", "303"] } else { &["301", "302", "303", "307", "308"] };
        for (round, code) in codes.iter().enumerate() {
            for (method, body) in [("POST", "--data=a=1&b"), ("PUT", "--data={}"), ("DELETE", "")] {
                if method != "POST" && (language == "go" || round != 1) {
                    continue;
                }
                let url = place.server.url(&format!("/redirect/{code}/redirect/{code}/there?x=1"));
                let mut args =
                    vec!["--lang", language, "--url", &url, "--method", method, "--content-type=a/b"];
                args.extend(Some(body).filter(|body| !body.is_empty()));
                let user = ["--auth=bearer", "--user=alice"][round % 2];
                let text = snippet(&[&args[..], &[user, "--follow"]].concat());
                let output = place.run(language, &text, Some(TOKEN), 0);
                let arrived = place.server.received();
                assert_eq!(arrived.len(), 3, "{code} {text}\n{}{}", stdout(&output), stderr(&output));
                let last = &arrived[2];
                assert_eq!(last.target, "/there?x=1", "{text}");
                assert_eq!(last.method, method, "{code} {text}");
                assert_eq!(
                    String::from_utf8_lossy(&last.body),
                    body.trim_start_matches("--data="),
                    "{code} {text}"
                );
                assert_eq!(last.named("Authorization"), arrived[0].named("Authorization"), "{text}");
                assert_eq!(last.named("Content-Type"), ["a/b"], "{text}");
            }
        }
        let alone =
            snippet(&["--lang", language, "--url", &place.server.url("/redirect/302/there"), "--data=x"]);
        place.run(language, &alone, Some(TOKEN), 0);
        assert_eq!(place.server.received().len(), 1, "{alone}");
        // Nobody else gets the token.
        let url = place.server.url(&format!("/redirect/302/to/{}", elsewhere.server.port));
        let text = snippet(&["--lang", language, "--url", &url, "--data=x", "--follow"]);
        place.run(language, &text, Some(TOKEN), 0);
        assert_eq!(place.server.received().len(), 1, "{text}");
        for stranger in elsewhere.server.received() {
            assert_eq!(stranger.named("Authorization"), [""; 0], "{text}");
        }
    }
}

/// What is said of curl is true of this curl.
#[test]
fn what_is_explained_about_redirects_is_what_curl_does() {
    if !have("curl", "what_is_explained_about_redirects_is_what_curl_does") {
        return;
    }
    let (patctl, place) = (Patctl::new(), Place::new());
    for code in ["301", "302", "303"] {
        for (method, becomes, said) in
            [("POST", "GET", "make a GET of it"), ("PUT", "PUT", "without its body")]
        {
            let url = place.server.url(&format!("/redirect/{code}/there"));
            let run = patctl.run(&["snippet", "--url", &url, "--method", method, "--data=x"]);
            let told = run.stderr.replace('\n', " ");
            assert!(
                told.contains(said) && told.contains("301, 302 and 303") && told.contains("--follow"),
                "{told}"
            );
            let text = run.stdout.replace("curl --silent", "curl --location --silent");
            place.run("curl", &text, Some(TOKEN), 0);
            let arrived = place.server.received();
            assert_eq!(arrived.len(), 2, "{text}");
            assert_eq!((arrived[1].method.as_str(), arrived[1].body.len()), (becomes, 0), "{code} {text}");
        }
    }
    patctl
        .run(&["help", "snippet"])
        .stdout
        .contains("301, 302 and 303")
        .then_some(())
        .expect("the help says it, too");
}

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

/// Random rules, random requests: what is printed would be allowed, and what would be allowed is printed.
#[test]
fn no_call_is_printed_that_verify_would_deny() {
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
        let id = crate::harness::id_of(token);
        let method = pick(&mut dice, &["GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "get"]);
        let mut request = vec![format!("--method={method}"), format!("--url={}", pick(&mut dice, &URLS))];
        if dice.random() {
            request.push(format!("--data={}", pick(&mut dice, &BODIES)));
        }
        if dice.random() {
            request.push(format!("--content-type={}", pick(&mut dice, &TYPES)));
        }
        if dice.random_ratio(1, 4) {
            request.push(format!("--header={}", pick(&mut dice, &HEADERS)));
        }
        if dice.random_ratio(1, 10) {
            request = Vec::new();
        }
        let auth = pick(&mut dice, &["", "", "--auth=basic", "--auth=bearer"]);
        let language = pick(&mut dice, &LANGUAGES);
        let lang = format!("--lang={language}");
        let request: Vec<&str> = request.iter().map(String::as_str).collect();
        let extra: Vec<&str> = [auth].into_iter().filter(|flag| !flag.is_empty()).collect();
        let run = patctl.run(&[&["snippet", id, &lang, "-o", "json"], &request[..], &extra].concat());
        let told = format!("{round}: {args:?} {base:?} {request:?} {run:?}");
        if run.exit == Exit::Usage {
            // Its language cannot say it, it is no request at all, or none could be made up.
            assert_eq!(run.stdout, "", "{told}");
            continue;
        }
        let answer = run.json();
        // The request that the snippet holds, handed to verify as the service would that is called.
        let text = |field: &str| answer["request"][field].as_str().map(str::to_owned);
        let mut handed = vec![
            format!("--method={}", text("method").expect("a method")),
            format!("--url={}", text("url").expect("a URL")),
        ];
        handed.extend(text("body").map(|body| format!("--data={body}")));
        for pair in answer["request"]["headers"].as_array().expect("pairs") {
            handed.push(format!(
                "--header={}: {}",
                pair[0].as_str().expect("it"),
                pair[1].as_str().expect("it")
            ));
        }
        let handed: Vec<&str> = handed.iter().map(String::as_str).collect();
        let presented = match answer["auth"]["type"].as_str() {
            Some("basic") => format!("Basic {}", base64_of(&format!("alice:{token}"))),
            _ => format!("Bearer {token}"),
        };
        let verified = patctl.verify(&presented, &handed);
        let made_up = request.is_empty();
        let as_typed = if made_up { verified.clone() } else { patctl.verify(&presented, &request) };
        match run.exit {
            Exit::Yes => {
                printed += 1;
                assert!(answer["snippet"].is_string(), "{told}");
                assert_eq!(verified.0, Exit::Yes, "{told} {verified:?}");
                assert_eq!(as_typed.0, Exit::Yes, "{told} {as_typed:?}");
            }
            Exit::No => {
                denied += 1;
                assert!(answer["snippet"].is_null(), "{told}");
                assert!(!made_up || answer["reason"] != "restricted", "{told}");
                assert_eq!(
                    verified,
                    (Exit::No, answer["reason"].as_str().expect("a reason").to_owned()),
                    "{told}"
                );
                assert_eq!(as_typed.0, Exit::No, "{told}");
                let checked = answer["check"]["verdict"].as_str();
                assert_ne!(checked, Some("allow"), "{told}");
            }
            other => panic!("{other:?}: {told}"),
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
        let case: serde_json::Value = serde_json::from_str(line).expect("a case");
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
        let run = patctl.run(&[&["snippet", crate::harness::id_of(token)], &flags[..]].concat());
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
