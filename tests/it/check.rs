//! `patctl check`: what it says, in which words, with which status.

use crate::harness::{Patctl, Setup};
use patctl::domain::restriction::{Decision, Depth, Request, Rules, Sent, judge};
use patctl::exit::Exit;
use std::time::Instant;

/// Rules that are wrong, where the caret points, and what the hint makes of them.
const WRONG: [(&str, &str, &str, &str); 12] = [
    (r"/search\?jql=.*", "       ^", "never-matches", "/search[QueryParam::jql==.*]"),
    ("[pots].*", " ^", "method", "[post].*"),
    ("[get|post].*", " ^", "method", "[get,post].*"),
    ("/rest/issue[get]", "           ^", "method-place", "[get]/rest/issue"),
    ("/a[QueryParam:x==1]", "  ^", "clause-like", "/a[QueryParam::x==1]"),
    ("/a[queryparam::x==1]", "   ^", "clause", "/a[QueryParam::x==1]"),
    ("/a[QueryParam::x==1]/b", "                    ^", "after-clause", "/a/b[QueryParam::x==1]"),
    ("/caf\u{e9}/.*", "    ^", "never-matches", "/caf%C3%A9/.*"),
    ("/a/.*+", "     ^", "possessive", "/a/.*"),
    ("/%7Eme", " ^", "never-matches", "/~me"),
    ("/a[JsonData::k.0==x]", "               ^", "key", "/a[JsonData::k==x]"),
    ("[get] /a", "     ^", "space", "[get]/a"),
];

#[test]
fn the_caret_points_at_the_fault_and_the_hint_mends_it() {
    let patctl = Patctl::new();
    let mut said = String::new();
    for (rule, caret, code, mended) in WRONG {
        let run = patctl.run(&["check", "--restrict", rule, "--url", "/"]);
        run.says(Exit::Usage, &[&format!("[{code}]\n            {rule}\n            {caret}\n")]);
        said.push_str(&run.stderr);
        assert_ne!(patctl.run(&["check", "--restrict", mended, "--url", "/"]).exit, Exit::Usage, "{mended}");
    }
    let messages: Vec<&str> = said.lines().filter(|line| line.starts_with("patctl: ")).collect();
    assert_eq!(messages.join("\n"), MESSAGES.trim());
}

const MESSAGES: &str = "
patctl: rule 1:8: the URL pattern sees only the path; use [QueryParam::name==regexp] for the query [never-matches]
patctl: rule 1:2: a [ at the beginning opens a method (GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS); a URL that begins with a character class is written (?:[a-z]) [method]
patctl: rule 1:2: methods are separated by commas: [get,post] [method]
patctl: rule 1:12: a method stands at the beginning of the line; write [get] there [method-place]
patctl: rule 1:3: a character class with == in it looks like a clause; write [QueryParam::name==regexp] or [JsonData::name==regexp] [clause-like]
patctl: rule 1:4: there is no clause queryparam; there are QueryParam and JsonData, spelt so [clause]
patctl: rule 1:21: after a clause only clauses may come; move this before the first [ [after-clause]
patctl: rule 1:5: the canonical path is ASCII; write %C3%A9 [never-matches]
patctl: rule 1:6: possessive quantifiers are not supported, and would allow more than in Java; leave out the + [possessive]
patctl: rule 1:2: the canonical path has this decoded; write ~ [never-matches]
patctl: rule 1:16: there are no positions: every element of an array must match [key]
patctl: rule 1:6: no space behind the method; write [get]/rest/\u{2026} [space]
";

#[test]
fn every_error_of_a_text_is_told_with_its_line() {
    let patctl = Patctl::new();
    let run = patctl.run(&["check", "--restrict", "/ok\n\t/a;b\n# fine\n[get]/b?+", "--url", "/"]);
    run.says(Exit::Usage, &["rule 2:4:", "rule 4:9:", "[never-matches]", "[possessive]"]);
    let json = patctl.run(&["check", "--restrict", "/a;b", "--url", "/", "-o", "json"]);
    json.says(Exit::Usage, &[r#""kind":"rule""#, "rule 1:3:"]);
}

#[test]
fn an_explanation_says_what_each_part_saw_and_how_near_a_miss_was() {
    let patctl = Patctl::new();
    let run = patctl.run(&[
        "check",
        "--restrict",
        ".*/issue/KANBAN.*",
        "--restrict",
        "[get].*/issue/.*[QueryParam::expand==owner|me][QueryParam::a==1]",
        "--method",
        "GET",
        "--url",
        "/jira/issue/JRA-%31?expand=you",
    ]);
    run.is(Exit::No, EXPLAINED.trim_start());
}

const EXPLAINED: &str = "
deny: no line allows it

request  GET /jira/issue/JRA-1
query    expand = you

line 1  .*/issue/KANBAN.*
  miss       url        .*/issue/KANBAN.* on /jira/issue/JRA-1
                        the pattern does not match all of it
                        up to .*/issue/ it fits; then the pattern wants KANBAN.*, and there is JRA-1

line 2  [get].*/issue/.*[QueryParam::expand==owner|me][QueryParam::a==1]
  hit        method     [get] on GET
  hit        url        .*/issue/.* on /jira/issue/JRA-1
  miss       QueryParam [QueryParam::expand==owner|me] on you
                        the pattern does not match all of it
  not judged QueryParam [QueryParam::a==1]
";

#[test]
fn the_json_has_all_of_it() {
    let patctl = Patctl::new();
    let args =
        ["check", "--restrict", "/a.*", "--restrict", "/b", "--url", "https://h.example/b", "-o", "json"];
    let json = patctl.run(&args).json();
    assert_eq!(json["verdict"], "allow");
    assert_eq!(json["line"], 2);
    assert_eq!(json["request"]["origin"], "https://h.example");
    assert_eq!(json["lines"][0]["parts"][0]["nearest"]["wanted"], "a.*");
    assert_eq!(json["lines"][1]["parts"][0]["outcome"], "hit");
    let run = patctl.run(&["check", "--restrict", ".*", "--url", "/a//b", "-o", "json"]);
    assert_eq!((run.exit, run.json()["verdict"].as_str()), (Exit::No, Some("malformed")));
}

#[test]
fn quiet_says_nothing_and_the_status_answers() {
    let patctl = Patctl::new();
    patctl.run(&["check", "-q", "--restrict", "/a", "--url", "/a"]).is(Exit::Yes, "");
    patctl.run(&["check", "-q", "--restrict", "/a", "--url", "/b"]).is(Exit::No, "");
}

#[test]
fn what_is_missing_or_given_twice_is_named() {
    let patctl = Patctl::new();
    patctl.run(&["check", "--url", "/"]).says(Exit::Usage, &["no rules were given", "--restrict-file"]);
    patctl.run(&["check", "--restrict", "/"]).says(Exit::Usage, &["no request was given", "--curl-file"]);
    patctl
        .run(&["check", "--restrict", "/", "--url", "/", "--", "curl", "x"])
        .says(Exit::Usage, &["given twice"]);
    let token = patctl.create(&[]);
    let id = crate::harness::id_of(&token);
    patctl.run(&["check", "--id", id, "--url", "/"]).says(Exit::Usage, &["has no restrictions"]);
    patctl.run(&["check", "--id", "zzzz", "--url", "/"]).says(Exit::No, &["no token has the id"]);
}

#[test]
fn the_rules_of_a_token_are_tried_without_the_token() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", "[get]/a.*"]);
    let id = &crate::harness::id_of(&token)[..6];
    let ask = |method: &str| {
        patctl.run(&["check", "--id", id, "--", "curl", "-X", method, "https://h.example/a/b"]).exit
    };
    assert_eq!(ask("GET"), Exit::Yes);
    assert_eq!(ask("PUT"), Exit::No);
}

#[test]
fn a_case_file_tells_what_differs() {
    let patctl = Patctl::new();
    let ask = |cases: &str, args: &[&str]| {
        let all: Vec<&str> = ["check", "--case-file", "-"].iter().chain(args).copied().collect();
        patctl.run_with(&all, &Setup { stdin: cases.as_bytes(), ..Setup::default() })
    };
    let good = r#"{"rule":"/a","url":"/a","expect":"allow"}"#;
    let run = ask(good, &[]);
    assert_eq!((run.exit, run.stderr.as_str()), (Exit::Yes, "1 case: as expected\n"));
    let bad = format!("{good}\n\n{}", r#"{"id":"x-1","url":"/b","expect":"allow"}"#);
    let run = ask(&bad, &["--restrict", "/a"]);
    run.is(Exit::No, "line 3 (x-1): allow was expected, the verdict is deny: no line allows it\n");
    let run = ask(&bad, &["--restrict", "/a", "-o", "jsonl"]);
    assert_eq!(run.json()["verdict"], "deny");
    ask("", &[]).says(Exit::Usage, &["no case"]);
    ask(r#"{"rul":"/a","expect":"allow"}"#, &[]).says(Exit::Usage, &["stdin:1:", "unknown field `rul`"]);
    ask(r#"{"url":"/a","expect":"allow"}"#, &[]).says(Exit::Usage, &["it has no rule"]);
}

/// Each was allowed once.
#[test]
fn what_a_lenient_server_would_read_otherwise_is_denied() {
    let patctl = Patctl::new();
    let form = "application/x-www-form-urlencoded";
    for (rule, url, kind, body) in [
        ("[post]/x[QueryParam::id==ok]", "/x?id=ok", "application/x-www-form-urlencoded;x", "id=evil"),
        (
            "[post]/x[QueryParam::id==ok]",
            "/x?id=ok",
            "application/x-www-form-urlencoded;charset=\"utf-8",
            "id=evil",
        ),
        (
            "[post]/x[QueryParam::id==ok]",
            "/x?id=ok",
            "application/x-www-form-urlencoded, text/plain",
            "id=evil",
        ),
        ("[post]/x[QueryParam::id==ok]", "/x?id=ok", "", "id=evil"),
        ("/x[QueryParam::id==ok]", "/x?id=ok", "multipart/form-data; boundary=\"a;b\"", "--x"),
        ("/x[QueryParam::id==ok]", "/x?id=ok", form, "id=ok;evil"),
        (
            "/x[QueryParam::id==ok]",
            "/x?id=ok",
            "application/x-www-form-urlencoded; charset=ibm037",
            "%89%84=evil",
        ),
        ("[post]/x", "/x?a=1;_method=DELETE", form, ""),
        ("[post]/x", "/x?X_HTTP_Method_Override=DELETE", form, ""),
        (
            "[post]/x",
            "/x",
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"_Method\"\r\n\r\nPUT",
        ),
        ("/x[JsonData::a==1]", "/x", "application/json;charset*=utf-16", "{\"a\":1}"),
    ] {
        let args = ["check", "--restrict", rule, "--method", "POST", "--url", url];
        let body = ["--data", body, "--content-type", kind];
        let all: Vec<&str> = args.into_iter().chain(body).collect();
        assert_eq!(patctl.run(&all).exit, Exit::No, "{rule} {url} {kind} {body:?}");
    }
    let part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n";
    let upload = ["--data", part, "--content-type", "multipart/form-data; boundary=b"];
    let args = ["check", "--restrict", "[post]/x", "--method", "POST", "--url", "/x"];
    let all: Vec<&str> = args.into_iter().chain(upload).collect();
    assert_eq!(patctl.run(&all).exit, Exit::Yes, "an upload is none of these");
}

#[test]
fn a_file_that_is_too_long_is_refused_and_not_cut() {
    let patctl = Patctl::new();
    let write = |name: &str, text: String| {
        std::fs::write(patctl.path(name), text).expect("a file");
        patctl.path(name).display().to_string()
    };
    let command = write("command", format!("curl https://h/x \\\n{} -X DELETE", " ".repeat(1 << 20)));
    patctl
        .run(&["check", "--restrict", "[get]/x", "--curl-file", &command])
        .says(Exit::Usage, &["has more than"]);
    let body = write("body", format!("id=ok{}&id=evil", "\n".repeat(1 << 20)));
    let typed = format!("@{body}");
    let curl = ["--", "curl", "https://h/x?id=ok", "-d", &typed];
    let all: Vec<&str> = ["check", "--restrict", "/x[QueryParam::id==ok]"].into_iter().chain(curl).collect();
    patctl.run(&all).says(Exit::Usage, &["has more than"]);
    // A body that is too long is not seen whole: it may hold an override, and is no JSON.
    let args = [
        "check",
        "--url",
        "/x",
        "--method",
        "POST",
        "--content-type",
        "application/json",
        "--data-file",
        &body,
    ];
    let ask = |rule| patctl.run(&args.into_iter().chain(["--restrict", rule]).collect::<Vec<_>>());
    assert_eq!((ask("/x").exit, ask("[post]/x").exit), (Exit::Yes, Exit::No));
    assert!(ask("/x[JsonData::a==1]").stdout.starts_with("malformed"), "too long");
}

#[test]
fn a_pattern_that_does_not_compile_is_refused_before_it_is_kept() {
    let patctl = Patctl::new();
    for rule in [
        "/?[acegikmoqsuwyACEGIKMOQSUWY02468]{900}",
        "/a.{0,100000}",
        "(?:(?:a{100}){100}){100}",
        "/[a-c]{4000}",
    ] {
        patctl.run(&["create", "--restrict", rule]).says(Exit::Usage, &["[too-big]"]);
    }
}

#[test]
fn no_credential_of_a_mistyped_curl_command_is_repeated() {
    let patctl = Patctl::new();
    for words in [
        &["curl", "--user=alice:hunter2", "https://h/x"][..],
        &["curl", "--oauth2-bearer=hunter2", "https://h/x"],
        &["curl -u bob:hunter2 https://h/x"],
        &["https://bob:hunter2@h/x"],
    ] {
        let all: Vec<&str> = ["check", "--restrict", ".*", "--"].iter().chain(words).copied().collect();
        let run = patctl.run(&all);
        assert_eq!(run.exit, Exit::Usage, "{run:?}");
        assert!(!run.stderr.contains("hunter2"), "{run:?}");
    }
}

/// A large body is read once and its names are folded once, however many lines look into it: the ratio
/// of two timings in one run, the best of three each.
#[test]
fn many_lines_over_a_large_body_cost_little_more_than_one() {
    let members: Vec<String> = (0..50_000).map(|n| format!("\"k{n}\":{n}")).collect();
    let sent = Sent {
        body: Some(format!("{{{}}}", members.join(",")).into_bytes()),
        content_type: Some("application/json".to_owned()),
        ..Sent::default()
    };
    let best_of = |lines: usize| {
        let text: Vec<String> = (0..lines).map(|n| format!("[JsonData::b{n}==1]")).collect();
        let rules = Rules::parse(&text.join("\n"), None).expect("rules");
        let timed = (0..3).map(|_| {
            let request = Request::new(&sent.given()).expect("a request");
            let begin = Instant::now();
            assert_eq!(judge(&rules, &request, None, Depth::Decide).decision, Decision::Deny);
            begin.elapsed()
        });
        timed.min().expect("three")
    };
    let (one, many) = (best_of(1), best_of(99));
    assert!(many < one * 3, "{many:?} for 99 lines, {one:?} for one");
}
