//! Bodies that were not seen, headers in batches, and tokens where they do not belong.

use crate::harness::{Patctl, Setup, assert_no_secret, id_of};
use patctl::exit::Exit;
use serde_json::{Value, json};

const PROPERTY: &str = "patctl.service.merges.body";

fn batch(patctl: &Patctl, lines: &[String]) -> Vec<Value> {
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat();
    let run = patctl.run_with(&["verify", "--batch"], &Setup { stdin: text.as_bytes(), ..Setup::default() });
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn an_unseen_body_is_named_everywhere_with_its_property() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", "[post]/x"]);
    let request = ["--method", "POST", "--url", "/x", "--body-unseen"];
    assert_eq!(patctl.verify(&token, &request), (Exit::No, "body-unseen".to_owned()));
    let shown = patctl.run(&["show", id_of(&token), "-o", "json"]).json();
    let event = &shown["history"][0];
    assert!(event.to_string().contains("body-unseen"), "{event}");
    assert!(event["detail"].as_str().is_some_and(|detail| detail.contains(PROPERTY)), "{event}");
    let run = |args: &[&str]| {
        let all: Vec<&str> = args.iter().copied().chain(request).collect();
        patctl.run_with(&all, &Setup { stdin: token.as_bytes(), ..Setup::default() })
    };
    let json = run(&["verify", "-o", "json"]).json();
    assert_eq!((&json["allowed"], &json["reason"]), (&json!(false), &json!("body-unseen")));
    assert!(json["hint"].as_str().is_some_and(|hint| hint.contains(PROPERTY)), "{json}");
    let checked = run(&["check", "--restrict", "[post]/x"]);
    assert!(checked.stdout.contains("body-unseen") && checked.stdout.contains(PROPERTY), "{checked:?}");
    let whoami = run(&["whoami"]);
    assert!(whoami.stdout.contains("would say no: body-unseen"), "{whoami:?}");
    assert!(whoami.stderr.contains(PROPERTY), "{whoami:?}");
    let none = ["-D", "patctl.service.merges.body=none"];
    let all: Vec<&str> = request.iter().chain(&none).copied().collect();
    assert_eq!(patctl.verify(&token, &all).0, Exit::Yes);
    for refused in [["--data", "x"], ["--data-file", "x"]] {
        let all: Vec<&str> =
            ["check", "--restrict", "/x"].into_iter().chain(request).chain(refused).collect();
        assert_eq!(patctl.run(&all).exit, Exit::Usage, "{refused:?}");
    }
    patctl.configure("patctl.service.merges.body = some");
    assert_eq!(patctl.run(&["list"]).exit, Exit::Config);
}

#[test]
fn a_batch_refuses_a_header_twice_in_an_object() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", "[post]/x"]);
    let line = |more: &str| format!(r#"{{"token":"{token}","method":"POST","url":"/x",{more}}}"#);
    let lines = [
        line(r#""headers":{"X-HTTP-Method-Override":"DELETE","X-HTTP-Method-Override":"POST"}"#),
        line(r#""headers":{"Content-Type":"application/json","content_type":"application/json"}"#),
        line(r#""headers":{"Accept":"a","accept":"b"}"#),
        line(r#""headers":[["Accept","a"],["Accept","b"]]"#),
        line(r#""headers":[["Content-Length","0"],["Content-Length","0"]]"#),
        line(r#""headers":[["Content-Length","0"]]"#),
        line(r#""headers":[["Accept"]]"#),
        line(r#""headers":null"#),
        line(r#""method":"POST""#),
        line(r#""body_unseen":true"#),
    ];
    let said: Vec<Value> = batch(&patctl, &lines).iter().map(|answer| answer["reason"].clone()).collect();
    let (unread, bad) = (json!("unreadable"), json!("malformed-request"));
    let yes = Value::Null;
    let unseen = json!("body-unseen");
    let expected = [&unread, &unread, &unread, &yes, &bad, &yes, &unread, &yes, &unread, &unseen];
    assert_eq!(said.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_case_file_says_what_is_unseen_and_what_is_merged() {
    let patctl = Patctl::new();
    let case = |more: &str, expect: &str| {
        format!(r#"{{"rule":"[post]/x","method":"POST","url":"/x",{more}"expect":"{expect}"}}"#)
    };
    let cases = [
        case("", "allow"),
        case(r#""body_unseen":true,"#, "deny"),
        case(r#""body_unseen":true,"merges_body":"none","#, "allow"),
        case(r#""content_type":"image/png","merges_body":"forms","#, "allow"),
        case(r#""headers":[["Content-Length","1"]],"#, "deny"),
    ]
    .join("\n");
    let args = ["check", "--case-file", "-"];
    let run = |text: &str| patctl.run_with(&args, &Setup { stdin: text.as_bytes(), ..Setup::default() });
    run(&cases).says(Exit::Yes, &["5 cases: as expected"]);
    run(&case(r#""merges_body":"some","#, "deny")).says(Exit::Usage, &["all, forms or none"]);
}

/// Refused, and not repeated.
#[test]
fn a_token_in_the_description_of_a_request_is_refused() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let secret = &token[token.len() - 38..];
    let url = format!("--url=/x?t={token}");
    let query = format!("--query=t={token}");
    let header = format!("--header=X-Key: {token}");
    let data = format!("--data={token}");
    let (upper, lower) = ("--header=Authorization: Bearer x", "--header=authorization: x");
    for command in [&["verify"][..], &["whoami"], &["check", "--restrict", "/x"]] {
        for place in [&url, &query, &header, &data, upper, lower] {
            let all: Vec<&str> = command.iter().copied().chain([place]).collect();
            let run = patctl.run_with(&all, &Setup { stdin: token.as_bytes(), ..Setup::default() });
            assert_eq!(run.exit, Exit::Usage, "{command:?} {place}: {run:?}");
            assert_no_secret(secret, run.stdout.as_bytes(), "stdout");
            assert_no_secret(secret, run.stderr.as_bytes(), "stderr");
        }
    }
    let curl = format!("https://h/x?t={token}");
    let run = patctl.run(&["check", "--restrict", "/x", "--", "curl", &curl]);
    assert_eq!(run.exit, Exit::Usage);
    assert_no_secret(secret, run.stderr.as_bytes(), "stderr");
}

#[test]
fn a_rule_that_holds_a_token_is_refused() {
    let patctl = Patctl::new();
    let token = patctl.create(&["kept"]);
    let secret = &token[token.len() - 38..];
    let rules = [
        format!("/x/{token}"),
        format!("/x[QueryParam::t=={token}]"),
        format!("/x[QueryParam::t=={token}"),
        format!("/x {token}"),
    ];
    for rule in &rules {
        for args in [&["create", "--restrict", rule][..], &["edit", id_of(&token), "--restrict", rule]] {
            let run = patctl.run(args);
            assert_eq!(run.exit, Exit::Usage, "{run:?}");
            assert_no_secret(secret, run.stderr.as_bytes(), "stderr");
        }
    }
    patctl.run(&["create", "--restrict", &rules[0]]).says(Exit::Usage, &["[secret]"]);
    assert_eq!(patctl.count("SELECT count(*) FROM restriction"), 0);
}
