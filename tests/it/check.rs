//! `patctl check`: what it says, in which words, with which status.

use crate::harness::{Patctl, Setup};
use patctl::exit::Exit;

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
