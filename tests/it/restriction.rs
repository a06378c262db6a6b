//! Restricted tokens: the corpus through `check` and through `verify`, and what becomes of lines that
//! are stored.

use crate::harness::{Patctl, Setup, id_of};
use crate::process::{Home, stdout};
use patctl::domain::restriction::Code;
use patctl::exit::Exit;
use patctl::wire::check::Case;
use serde_json::Value;
use std::collections::HashMap;

const CORPUS: &str = include_str!("../corpus/restrictions.jsonl");

fn cases() -> Vec<Value> {
    CORPUS.lines().map(|line| serde_json::from_str(line).expect("a case")).collect()
}

#[test]
fn every_case_of_the_corpus_has_its_verdict_through_check() {
    assert!(cases().len() >= 400, "{}", cases().len());
    let home = Home::new("");
    let output = home.feed(&["check", "--case-file", "-"], CORPUS.as_bytes());
    assert!(output.status.success(), "{}", stdout(&output));
}

/// The verdicts that are right for a case.
fn right(case: &Value) -> &'static [&'static str] {
    Case::parse(&case.to_string()).expect("a case").right()
}

/// The flags that hand a case over.
fn flags(case: &Value, patctl: &Patctl) -> Vec<String> {
    let mut flags = Vec::new();
    let names =
        [("method", "--method"), ("url", "--url"), ("query", "--query"), ("content_type", "--content-type")];
    for (field, flag) in names {
        if let Some(text) = case[field].as_str() {
            flags.push(format!("{flag}={text}"));
        }
    }
    let body = match (case["body"].as_str(), case["body_b64"].as_str()) {
        (Some(text), _) => Some(text.as_bytes().to_vec()),
        (None, Some(text)) => patctl::domain::restriction::Sent::body_from_base64(text),
        (None, None) => None,
    };
    if let Some(body) = body {
        std::fs::write(patctl.path("body"), body).expect("a file");
        flags.push(format!("--data-file={}", patctl.path("body").display()));
    }
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        flags.push(format!("--header={name}: {}", value.as_str().expect("a text")));
    }
    flags
}

#[test]
fn every_case_of_the_corpus_has_its_verdict_through_verify() {
    let patctl = Patctl::new();
    let mut tokens: HashMap<(String, String), Option<String>> = HashMap::new();
    for case in cases() {
        let rule = case["rule"].as_str().expect("a rule");
        let base = case["base_url"].as_str().unwrap_or("");
        let many = "atlassian.pats.max.tokens.per.user = 10000\n";
        let base_line = if base.is_empty() { String::new() } else { format!("patctl.base.url = {base}\n") };
        patctl.configure(&format!("{many}{base_line}"));
        let token = tokens.entry((rule.to_owned(), base.to_owned())).or_insert_with(|| {
            let run = patctl.run(&["create", &format!("--restrict={rule}")]);
            match run.exit {
                Exit::Yes => Some(run.stdout.trim_end().to_owned()),
                Exit::Usage => None,
                other => panic!("{other:?}: {case}"),
            }
        });
        let Some(token) = token else {
            assert!(right(&case).contains(&"rule-error"), "{case}");
            continue;
        };
        let flags = flags(&case, &patctl);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let (exit, reason) = patctl.verify(token.as_str(), &flags);
        let verdict = match (exit, reason.as_str()) {
            (Exit::Yes, "") => "allow",
            (Exit::No, "restricted" | "body-unseen") => "deny",
            (Exit::No, "malformed-request") => "malformed",
            other => panic!("{other:?}: {case}"),
        };
        assert!(right(&case).contains(&verdict), "{verdict}: {case}");
    }
}

/// The lines that Extender's manual shows, and what it says they allow.
#[test]
fn the_lines_of_extenders_manual_work_as_it_says() {
    let patctl = Patctl::new();
    for (rule, method, url, allowed) in [
        (".*/rest/api/2/issue/JRA.*", "PUT", "/jira/rest/api/2/issue/JRA-7", true),
        (".*/rest/api/2/issue/JRA.*", "PUT", "/jira/rest/api/2/issue/HR-7", false),
        (
            "[post].*/rest/api/2/issue/KANBAN-100/comment.*",
            "POST",
            "/rest/api/2/issue/KANBAN-100/comment",
            true,
        ),
        (
            "[post].*/rest/api/2/issue/KANBAN-100/comment.*",
            "GET",
            "/rest/api/2/issue/KANBAN-100/comment",
            false,
        ),
        (
            "[post].*/rest/api/2/issue/KANBAN-100/comment.*",
            "POST",
            "/rest/api/2/issue/KANBAN-101/comment",
            false,
        ),
        (".*/rest/api/2/issue/SCRUM-[1-2]{1}/comment.*", "GET", "/rest/api/2/issue/SCRUM-2/comment/5", true),
        (".*/rest/api/2/issue/SCRUM-[1-2]{1}/comment.*", "GET", "/rest/api/2/issue/SCRUM-3/comment/5", false),
        (".*/rest/api/2/issue.*", "DELETE", "/rest/api/2/issue/X-1", true),
        (".*/rest/extender/1.0/customField/all.*", "GET", "/rest/extender/1.0/customField/all", true),
        ("[get].*/rest/api/2/project.*", "GET", "/rest/api/2/project/JRA", true),
        ("[get].*/rest/api/2/project.*", "DELETE", "/rest/api/2/project/JRA", false),
        ("[delete].*/rest/api/2/project.*", "DELETE", "/rest/api/2/project/JRA", true),
    ] {
        let run = patctl.run(&["check", "--restrict", rule, "--method", method, "--url", url]);
        assert_eq!(run.exit, if allowed { Exit::Yes } else { Exit::No }, "{rule} {method} {url}: {run:?}");
    }
}

#[test]
fn a_restricted_token_without_a_request_is_denied() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", ".*"]);
    assert_eq!(patctl.verify(&token, &[]), (Exit::No, "restricted".to_owned()));
    assert_eq!(patctl.verify(&token, &["--method", "GET"]), (Exit::No, "restricted".to_owned()));
    assert_eq!(patctl.verify(&token, &["--url", "/x"]), (Exit::Yes, String::new()));
    let free = patctl.create(&[]);
    assert_eq!(patctl.verify(&free, &["--method", "GET", "--url", "/a;b"]), (Exit::Yes, String::new()));
}

#[test]
fn a_restricted_token_that_lost_its_lines_allows_nothing() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", ".*"]);
    patctl.sql().execute("DELETE FROM restriction", []).expect("a change");
    patctl.reseal();
    assert_eq!(
        patctl.verify(&token, &["--method", "GET", "--url", "/"]),
        (Exit::No, "restricted".to_owned())
    );
    let run = patctl.run(&["check", "--id", id_of(&token), "--url", "/"]);
    run.says(Exit::No, &["has no line"]);
}

#[test]
fn a_stored_line_that_no_longer_parses_denies_the_whole_token() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", "/a", "--restrict", "/b"]);
    assert_eq!(patctl.verify(&token, &["--url", "/a"]).0, Exit::Yes);
    patctl.sql().execute("UPDATE restriction SET rule = '/b++' WHERE position = 2", []).expect("a change");
    patctl.reseal();
    assert_eq!(patctl.verify(&token, &["--url", "/a"]), (Exit::No, "rule-error".to_owned()));
    patctl
        .run(&["check", "--id", id_of(&token), "--url", "/a"])
        .says(Exit::Usage, &["rule 2:4", "[possessive]"]);
}

/// A placeholder is nothing without `patctl.base.url`.
#[test]
fn a_placeholder_follows_the_configuration() {
    let patctl = Patctl::new();
    patctl
        .run(&["create", "--restrict", "{JIRA_URL}/rest/.*"])
        .says(Exit::Usage, &["[placeholder]", "patctl.base.url"]);
    patctl.configure("patctl.base.url = https://jira.example.org/jira");
    let token = patctl.create(&["--restrict", "{JIRA_URL}/rest/.*"]);
    assert_eq!(patctl.verify(&token, &["--url", "https://jira.example.org/jira/rest/x"]).0, Exit::Yes);
    assert_eq!(patctl.verify(&token, &["--url", "https://jira.example.net/jira/rest/x"]).1, "restricted");
    patctl.configure("");
    assert_eq!(patctl.verify(&token, &["--url", "/jira/rest/x"]).1, "rule-error");
}

#[test]
fn lines_are_kept_in_their_order_and_shown() {
    let patctl = Patctl::new();
    std::fs::write(patctl.path("ci.rules"), "# read\n[get]/a.*\r\n\n  /b.*  \n").expect("a file");
    let file = patctl.path("ci.rules").display().to_string();
    let token = patctl.create(&["--restrict", "/first", "--restrict-file", &file]);
    let shown = patctl.run(&["show", id_of(&token), "-o", "json"]).json();
    assert_eq!(shown["restricted"], true);
    assert_eq!(shown["restrictions"], serde_json::json!(["/first", "[get]/a.*", "/b.*"]));
    let table = patctl.run(&["show", id_of(&token)]).stdout;
    assert!(
        table.contains("may do      1  /first\n            2  [get]/a.*\n            3  /b.*\n"),
        "{table}"
    );
    let whoami = patctl.run_with(&["whoami"], &Setup { stdin: token.as_bytes(), ..Setup::default() });
    assert!(
        whoami.stdout.contains("[get]/a.*") && whoami.stdout.contains("would say no: restricted"),
        "{whoami:?}"
    );
}

#[test]
fn no_token_is_made_with_a_rule_that_is_refused() {
    let patctl = Patctl::new();
    std::fs::write(patctl.path("bad.rules"), "/ok\n/a;b\n").expect("a file");
    let file = patctl.path("bad.rules").display().to_string();
    patctl
        .run(&["create", "--restrict-file", &file])
        .says(Exit::Usage, &[&format!("{file}: rule 2:3:"), "[never-matches]"]);
    for empty in ["", "  ", "# nothing", "\n\n"] {
        patctl.run(&["create", "--restrict", empty]).says(Exit::Usage, &["[no-rules]"]);
    }
    patctl.run(&["create", "--restrict-file", "/nonexistent/x"]).says(Exit::Io, &["could not be read"]);
    assert!(!patctl.db().exists(), "nothing was made");
}

#[test]
fn a_line_that_looks_into_the_body_comes_with_a_warning() {
    let patctl = Patctl::new();
    let run = patctl.run(&["create", "--restrict", "/a[JsonData::k==1]"]);
    assert_eq!(run.exit, Exit::Yes);
    assert!(run.stderr.contains("auth_request") && run.stderr.contains("forwardBody"), "{run:?}");
    assert!(!patctl.run(&["create", "--restrict", "/a[QueryParam::k==1]"]).stderr.contains("warning"));
}

/// Paths and names of parameters are written down, values only where that is asked for, and the
/// reason of a line for the administrator only.
#[test]
fn the_audit_log_has_the_path_and_the_line_and_the_answer_has_not() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", "[get]/a.*"]);
    let args = ["--method", "POST", "--url", "https://u.example/a/b?key=hush&x=1", "-o", "json"];
    let all: Vec<&str> = std::iter::once("verify").chain(args).collect();
    let run = patctl.run_with(&all, &Setup { stdin: token.as_bytes(), ..Setup::default() });
    assert_eq!(run.json()["reason"], "restricted");
    assert!(!run.stdout.contains("another method"), "{run:?}");
    let shown = patctl.run(&["show", id_of(&token), "-o", "json"]).json();
    let event = &shown["history"][0];
    assert_eq!(event["method"], "POST");
    assert_eq!(event["url"], "/a/b?key&x");
    assert_eq!(event["detail"], "line 1, method: it is another method");
    patctl.configure("patctl.audit.url = full");
    assert_eq!(patctl.verify(&token, &["--method", "GET", "--url", "/a?key=hush"]).0, Exit::Yes);
    let shown = patctl.run(&["show", id_of(&token), "-o", "json"]).json();
    assert_eq!(shown["history"][0]["url"], "/a?key=hush");
}

#[test]
fn the_answer_names_the_line_that_allowed() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", "/a", "--restrict", "/b"]);
    let all = ["verify", "-o", "json", "--url", "/b"];
    let json = patctl.run_with(&all, &Setup { stdin: token.as_bytes(), ..Setup::default() }).json();
    assert_eq!((&json["allowed"], &json["rule"]), (&Value::Bool(true), &Value::from(2)));
}

#[test]
fn token_and_body_cannot_both_come_from_stdin() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", "[post]/a[JsonData::k==1]", "-q"]);
    patctl.run(&["verify", "--data-file", "-"]).says(Exit::Usage, &["--token-file"]);
    std::fs::write(patctl.path("t"), &token).expect("a file");
    let file = patctl.path("t").display().to_string();
    let args = ["verify", "--token-file", &file, "--method", "POST", "--url", "/a", "--data-file", "-"];
    let typed = ["--content-type", "application/json"];
    let all: Vec<&str> = args.into_iter().chain(typed).collect();
    let run = |body: &str| patctl.run_with(&all, &Setup { stdin: body.as_bytes(), ..Setup::default() }).exit;
    assert_eq!(run(r#"{"k":1}"#), Exit::Yes);
    assert_eq!(run(r#"{"k":2}"#), Exit::No);
    let header = ["--header", "Content-Type: application/json"];
    let all: Vec<&str> = args.into_iter().chain(header).collect();
    let run = patctl.run_with(&all, &Setup { stdin: br#"{"k":1}"#, ..Setup::default() });
    assert_eq!(run.exit, Exit::Yes, "the header says it as well");
}

/// The page names every code, and its examples are rules.
#[test]
fn the_manual_page_of_the_language_holds() {
    let page = include_str!("../../man/patctl-restrictions.7");
    let text = page.replace("\\-", "-").replace("\\(aq", "'").replace("\\&", "").replace("\\e", "\\");
    let errors = text.split(".SH ERRORS").nth(1).expect("a section");
    for code in Code::ALL {
        let named = errors
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .any(|word| word == code.as_str());
        assert!(named, "{}", code.as_str());
    }
    let examples = text.split(".SH LINES").next().expect("a section");
    let patctl = Patctl::new();
    patctl.configure("patctl.base.url = https://jira.example.com");
    let rules: Vec<&str> =
        examples.lines().filter(|line| line.starts_with(['[', '{']) || line.contains("/rest/")).collect();
    let rules: Vec<&str> =
        rules.into_iter().filter(|line| !line.starts_with("patctl") && !line.contains("\\f")).collect();
    assert_eq!(rules.len(), 7, "{rules:?}");
    for rule in rules {
        let run = patctl.run(&["check", "--restrict", rule, "--method", "GET", "--url", "/"]);
        assert_eq!(run.exit, Exit::No, "{rule}: {run:?}");
    }
    let command = examples.lines().find_map(|line| line.strip_prefix("patctl check ")).expect("a command");
    let home = Home::new("");
    assert!(home.shell(&format!("patctl check {command}")).status.success(), "{command}");
}
