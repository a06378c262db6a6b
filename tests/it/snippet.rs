//! `patctl snippet`: what it prints and what it refuses.

use crate::harness::{Patctl, Run, Setup, id_of};
use crate::process::Home;
use patctl::exit::Exit;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const LANGUAGES: [&str; 8] = ["curl", "javascript", "python", "httpie", "wget", "powershell", "go", "header"];
const URL: &str = "--url=https://h.example/a";

fn snippet(patctl: &Patctl, args: &[&str]) -> Run {
    patctl.run(&[&["snippet"], args].concat())
}

/// What was printed.
fn text(patctl: &Patctl, args: &[&str]) -> String {
    let run = snippet(patctl, args);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    run.stdout
}

#[test]
fn the_token_is_read_at_run_time_and_goes_to_curl_on_stdin() {
    let patctl = Patctl::new();
    assert_eq!(
        text(&patctl, &["--method=POST", URL, "--data={\"it's\":1}", "--content-type=application/json"]),
        r#": "${PATCTL_TOKEN:?}" &&
printf 'Authorization: Bearer %s\n' "$PATCTL_TOKEN" |
  env -u PATCTL_TOKEN curl --silent --show-error --globoff --path-as-is \
    --header @- \
    --header 'Content-Type: application/json' \
    --data-raw '{"it'\''s":1}' \
    'https://h.example/a'
"#
    );
    let basic = text(&patctl, &[URL, "--auth=basic", "--user=a\"b", "--token-file=ci's token", "--follow"]);
    assert_eq!(
        basic,
        r#"(PATCTL_TOKEN=$(cat < 'ci'\''s token') &&
printf 'user = "%s:%s"\n' 'a\"b' "$PATCTL_TOKEN" |
  env -u PATCTL_TOKEN curl --silent --show-error --globoff --path-as-is \
    --config - \
    --location --post301 --post302 --post303 \
    'https://h.example/a')
"#
    );
    assert!(!patctl.db().exists(), "it makes no database");
}

#[test]
fn without_a_request_every_language_shows_the_service() {
    let patctl = Patctl::new();
    for language in LANGUAGES {
        let run = snippet(&patctl, &["--lang", language]);
        assert_eq!(run.exit, Exit::Yes, "{run:?}");
        if language != "header" {
            assert!(run.stdout.contains("https://service.example/"), "{run:?}");
            assert!(run.stderr.contains("patctl.base.url"), "{run:?}");
        }
    }
    patctl.configure("patctl.base.url = https://jira.example.com/jira");
    let run = snippet(&patctl, &[]);
    assert!(run.stdout.contains("'https://jira.example.com/jira/'"), "{run:?}");
    assert_eq!(run.stderr, "");
}

/// A call that its restrictions allow is made up; so is one of a token without any.
#[test]
fn a_token_shows_a_call_that_it_may_make() {
    let patctl = Patctl::new();
    let rules =
        ["--restrict", "[post].*/rest/api/2/issue[JsonData::fields.project.key==JRA]", "--auth", "basic"];
    let token = patctl.create(&[&["--user", "alice"], &rules[..]].concat());
    let shown = text(&patctl, &[id_of(&token)]);
    for part in [
        "'https://service.example/rest/api/2/issue'",
        "--data-raw '{\"fields\":{\"project\":{\"key\":\"JRA\"}}}'",
        "'Content-Type: application/json'",
        "'alice' \"$PATCTL_TOKEN\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains(&token[token.len() - 38..]));
    let never = patctl.create(&["--restrict", "/a[QueryParam::k==x][QueryParam::K==x]"]);
    snippet(&patctl, &[id_of(&never)]).says(Exit::Usage, &["none could be made up", "--method and --url"]);
    assert!(text(&patctl, &[id_of(&never), "--lang=header"]).contains("Authorization: Bearer $PATCTL_TOKEN"));
}

#[test]
fn a_refused_call_is_explained_as_check_does_and_not_printed() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--restrict", "[get].*/rest/api/2/issue/JRA.*"]);
    let args = ["--method=POST", "--url=https://h.example/rest/api/2/issue/JRA-1"];
    let run = snippet(&patctl, &[&[id_of(&token)], &args[..]].concat());
    run.says(
        Exit::No,
        &["deny: no line allows it", "it is another method", "would be refused", "patctl show"],
    );
    let checked = patctl.run(&[&["check", "--id", id_of(&token)], &args[..]].concat());
    assert!(run.stderr.starts_with(&checked.stdout), "{}\n{}", run.stderr, checked.stdout);
    let json = snippet(&patctl, &[&[id_of(&token), "-o", "json"], &args[..]].concat());
    assert_eq!(json.exit, Exit::No);
    let answer = json.json();
    assert!(answer["snippet"].is_null(), "{answer}");
    assert_eq!((&answer["reason"], &answer["check"]["verdict"]), (&"restricted".into(), &"deny".into()));
    let checked = patctl.run(&[&["check", "-o", "json", "--id", id_of(&token)], &args[..]].concat()).json();
    assert_eq!(answer["check"], checked);
    // What a library would tidy up is refused by the rules first.
    let odd = ["--url=https://h.example/rest/api/2/issue/JRA/../x"];
    snippet(&patctl, &[&[id_of(&token)], &odd[..]].concat()).says(Exit::No, &["malformed: the url"]);
}

#[test]
fn a_token_that_verify_would_refuse_has_no_snippet() {
    let patctl = Patctl::new();
    let create = |args: &[&str]| id_of(&patctl.create(args)).to_owned();
    let revoked = create(&[]);
    patctl.run(&["revoke", &revoked]);
    let disabled = create(&[]);
    patctl.run(&["disable", &disabled]);
    let bearer = create(&["--auth", "bearer", "--user", "alice"]);
    let alice = create(&["--user", "alice", "--email", "a@example.com"]);
    let ended = create(&["--expires", "1d"]);
    patctl.pass(patctl::domain::moment::Span::days(1));
    for (args, why) in [
        (&[revoked.as_str()][..], "it is revoked"),
        (&[&disabled], "patctl enable"),
        (&[&ended], "it is expired"),
        (&[&bearer, "--auth=basic"], "may not be presented"),
        (&[&alice, "--user=bob"], "the token of alice"),
        (&["--lang=header", &revoked], "it is revoked"),
    ] {
        snippet(&patctl, &[args, &[URL]].concat()).says(Exit::No, &[why]);
    }
    assert!(text(&patctl, &[&alice, "--user=a@example.com"]).contains("'a@example.com'"));
    snippet(&patctl, &["zzzz"]).says(Exit::No, &["no token"]);
    patctl.configure("patctl.auth.methods = basic");
    assert!(text(&patctl, &[&alice]).contains("--config -"), "what is allowed is chosen");
    snippet(&patctl, &["--auth=bearer"]).says(Exit::No, &["patctl.auth.methods = basic"]);
    patctl.configure("atlassian.pats.enabled = false");
    snippet(&patctl, &[&alice]).says(Exit::No, &["switched off"]);
}

#[test]
fn a_token_of_nobody_names_its_user_in_basic() {
    let patctl = Patctl::new();
    patctl.configure("patctl.any.user.enabled = true");
    let token = patctl.create(&["--any-user"]);
    snippet(&patctl, &[id_of(&token)]).says(Exit::Usage, &["Basic needs a user name", "--user"]);
    assert!(text(&patctl, &[id_of(&token), "--user=carol"]).contains("'carol' \"$PATCTL_TOKEN\""));
    snippet(&patctl, &["--auth=basic"]).says(Exit::Usage, &["--user"]);
    snippet(&patctl, &["--auth=bearer", "--user=x"]).says(Exit::Usage, &["Bearer names no user"]);
}

#[test]
fn the_calls_of_the_token_service_are_presets() {
    let patctl = Patctl::new();
    snippet(&patctl, &["--preset=list-tokens"])
        .says(Exit::Usage, &["patctl.base.url is not set", "--url https://"]);
    patctl.configure("patctl.base.url = https://jira.example.com/jira");
    let service = "https://jira.example.com/jira/rest/pat/latest/tokens";
    for (args, method, url, body) in [
        (&["list-tokens"][..], "GET", service.to_owned(), None),
        (
            &["create-token"],
            "POST",
            service.to_owned(),
            Some("{\"name\":\"made by a call\",\"expirationDuration\":90}"),
        ),
        (&["create-token", "--data={\"name\":\"x\"}"], "POST", service.to_owned(), Some("{\"name\":\"x\"}")),
        (&["revoke-token", "--target=42"], "DELETE", format!("{service}/42"), None),
        (&["revoke-token"], "DELETE", format!("{service}/ID"), None),
    ] {
        for auth in [&["--auth=bearer"][..], &["--user=alice"]] {
            let run = snippet(&patctl, &[&["-o", "json", "--preset"], args, auth].concat());
            let request = &run.json()["request"];
            assert_eq!(
                (&request["method"], &request["url"]),
                (&method.into(), &url.clone().into()),
                "{run:?}"
            );
            assert_eq!(request["body"].as_str(), body, "{run:?}");
            let typed = request["headers"].to_string().contains("application/json");
            assert_eq!(typed, body.is_some(), "{run:?}");
        }
    }
    assert!(snippet(&patctl, &["--preset=revoke-token"]).stderr.contains("--target"));
    snippet(&patctl, &["--preset=list-tokens", "--target=1"]).says(Exit::Usage, &["revoke-token"]);
    snippet(&patctl, &["--preset=list-tokens", "--method=PUT"]).says(Exit::Usage, &["cannot be used with"]);
    let token = patctl.create(&["--restrict", "[get]{JIRA_URL}/rest/pat/.*"]);
    assert!(text(&patctl, &[id_of(&token), "--preset=list-tokens"]).contains(service));
    snippet(&patctl, &[id_of(&token), "--preset=create-token"]).says(Exit::No, &["it is another method"]);
}

#[test]
fn on_behalf_of_somebody_is_a_header() {
    let patctl = Patctl::new();
    for language in LANGUAGES {
        let shown = text(&patctl, &["--lang", language, URL, "--on-behalf=bob b"]);
        assert!(shown.contains("contextUser") && shown.contains("bob b"), "{shown}");
    }
}

#[test]
fn what_cannot_be_said_is_a_clear_mistake() {
    let patctl = Patctl::new();
    let token = Patctl::foreign_token();
    let pasted = format!("--data=x {token} y");
    fs::write(patctl.path("bytes"), b"a\xff").expect("a file");
    let bytes = format!("--data-file={}", patctl.path("bytes").display());
    fs::write(patctl.path("long"), "x".repeat(40_000)).expect("a file");
    let long = format!("--data-file={}", patctl.path("long").display());
    for (args, why) in [
        (&["--method=FETCH", URL][..], "none of GET, HEAD"),
        (&["--method=post", URL], "in capitals"),
        (&["--url=/rest/x"], "patctl.base.url is not set"),
        (&["--data=x"], "no URL was given"),
        (&["--url=ftp://h/a"], "http://"),
        (&["--url=https://u:p@h/a"], "user name or password"),
        (&["--url=https://h/a#b"], "fragment"),
        (&["--url=https://h/a b"], "must be encoded"),
        (&["--url=https://h/ü"], "must be encoded"),
        (&["--url=https://h/a?x", "--query=y"], "in the URL already"),
        (&["--url=https://h/a/../b", "--lang=python"], "--lang curl"),
        (&["--url=https://h/{a}", "--lang=go"], "--lang curl"),
        (&[URL, "--header=Authorization: x"], "is made by the snippet"),
        (&[URL, "--header=content-length: 3"], "is made by the snippet"),
        (&[URL, "--header=X: 1", "--header=x: 2"], "given twice"),
        (&[URL, "--header=X: a\u{202e}b"], "U+202E"),
        (&[URL, "--header=X: a\nb"], "U+000A"),
        (&[URL, "--header=X Y: a"], "a name holds"),
        (&[URL, "--data=a\rb"], "byte 2: the control character U+000D"),
        (&[URL, "--data=a\u{1b}[31m"], "U+001B"),
        (&[URL, "--data=a\u{7f}"], "U+007F"),
        (&[URL, "--data=a\u{85}"], "U+0085"),
        (&[URL, &bytes], "not UTF-8"),
        (&[URL, &long], "more than 32768 bytes"),
        (&[URL, "--method=HEAD", "--data=x"], "HEAD has no body"),
        (&[URL, &pasted], "looks like a token"),
        (&[URL, "--method=GET", "--data=x", "--lang=javascript"], "fetch sends no body with a GET"),
        (&[URL, "--follow", "--lang=wget"], "whatever host"),
        (&[URL, "--follow", "--data=x", "--lang=httpie"], "redirect"),
        (&[URL, "--lang=httpie", "--header=X: a\\:"], "backslash"),
        (&[URL, "--lang=httpie", "--data=--"], "end of its options"),
        (&[URL, "--token-env", &token], "this is a token"),
        (&[URL, "--token-file", &token], "this is a token"),
        (
            &[URL, "--target", &token, "--preset=revoke-token", "-Dpatctl.base.url=https://h"],
            "cannot be used with",
        ),
        (&["--target", &token, "--preset=revoke-token", "-Dpatctl.base.url=https://h"], "looks like a token"),
        (&[&token], "invalid value"),
        (&[URL, "--token-env=2x"], "letters, digits and _"),
        (&[URL, "--token-env=A", "--token-file=b"], "cannot be used with"),
        (&[URL, "--lang=cobol"], "curl, javascript, python, httpie, wget, powershell, go, header"),
        (&[URL, "--with-token"], "<ID>"),
        (&[URL, "-o", "csv"], "no output as 'csv'"),
    ] {
        let run = snippet(&patctl, args);
        run.says(Exit::Usage, &[why]);
        let typed = ["invalid value", "cannot be used with"].iter().any(|words| run.stderr.contains(words));
        assert!(!run.stderr.contains(&token[18..]) && (typed || run.stderr.contains("hint: ")), "{run:?}");
    }
    assert!(!patctl.db().exists());
    assert!(
        text(&patctl, &["--url=https://h/a/../{b}[1-2]"]).contains("'https://h/a/../{b}[1-2]'"),
        "curl can"
    );
}

#[test]
fn the_token_is_embedded_only_where_the_vault_has_it_and_that_is_audited() {
    let patctl = Patctl::new();
    let plain = patctl.create(&["--user", "alice"]);
    let with =
        |token: &str, more: &[&str]| snippet(&patctl, &[&[id_of(token), URL, "--with-token"], more].concat());
    with(&plain, &[]).says(Exit::Config, &["no vault is configured"]);
    let key = patctl.path("vault.key");
    fs::write(&key, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").expect("a file");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("chmod");
    let vault = format!("patctl.token.vault.key.file = {}\n", key.display());
    patctl.configure(&vault);
    with(&plain, &[]).says(Exit::No, &["not in the vault"]);
    let token = patctl.create(&["--user", "alice", "--restrict", "[get]/a"]);
    let reveals = || patctl.count("SELECT count(*) FROM audit WHERE action = 'reveal'");
    for (round, language) in (1..).zip(LANGUAGES) {
        let run = with(&token, &["--lang", language]);
        assert_eq!(run.exit, Exit::Yes, "{run:?}");
        assert!(run.stdout.contains(&token) && !run.stdout.contains("PATCTL_TOKEN"), "{run:?}");
        assert!(!run.stdout.contains(['\0', '\u{1}']) && run.stderr.contains("keep it out of"), "{run:?}");
        assert_eq!(reveals(), round);
    }
    let header = with(&token, &["--lang=header", "--user=alice"]).stdout;
    let pair = crate::snippet_place::base64_of(&format!("alice:{token}"));
    assert!(header.ends_with(&format!("header    Authorization: Basic {pair}\n")), "{header}");
    assert_eq!(patctl.verify(format!("Basic {pair}"), &["--method=GET", "--url=/a"]).0, Exit::Yes);
    let json = with(&token, &["-o", "json"]).json();
    assert!(
        json["snippet"].as_str().is_some_and(|text| text.contains(&token)) && json["token_from"] == "here"
    );
    let before = reveals();
    with(&token, &["--method=POST"]).says(Exit::No, &["would be refused"]);
    with(&token, &["--lang=wget", "--follow"]).says(Exit::Usage, &["wget"]);
    assert_eq!(reveals(), before, "what is not printed is not revealed");
    patctl.configure(&format!("{vault}extender.token.secure.mode = true"));
    let secure = patctl.create(&[]);
    with(&secure, &[]).says(Exit::No, &["secure mode"]);
}

#[test]
fn create_prints_a_call_beside_the_token_and_never_in_its_way() {
    let patctl = Patctl::new();
    let asked = patctl.run(&["create", "--user=alice", "--snippet", "python"]);
    assert_eq!(asked.exit, Exit::Yes);
    assert_eq!(asked.stdout.lines().count(), 1, "the token alone: {asked:?}");
    let token = asked.stdout.trim_end();
    assert_eq!(patctl.verify(token, &[]).0, Exit::Yes);
    assert!(asked.stderr.contains("requests.request(") && !asked.stderr.contains(&token[18..]), "{asked:?}");
    let seated = Setup { terminal: Some((&[], "")), columns: Some(80), ..Setup::default() };
    let person =
        patctl.run_with(&["create", "--user=alice", "--snippet=go", "--restrict=[get]/a.*"], &seated);
    assert!(person.stderr.contains("\thttp") || person.stderr.contains("\t\"net/http\""), "{person:?}");
    assert!(
        person.stderr.contains("https://service.example/a") && person.stderr.contains("read -rs"),
        "{person:?}"
    );
    assert!(!patctl.run(&["create", "--user=alice"]).stderr.contains("curl"));
    let file = patctl.path("new.token").display().to_string();
    let filed = patctl.run(&["create", "--user=alice", "--snippet=curl", "--token-file", &file]);
    assert!(filed.stderr.contains(&format!("$(cat < '{file}')")), "{filed:?}");
    // Nothing keeps a token from being made.
    let odd = patctl.run(&[
        "create",
        "--user=alice",
        "--snippet=curl",
        "--restrict=/a[QueryParam::k==x][QueryParam::K==x]",
    ]);
    assert_eq!(odd.exit, Exit::Yes);
    assert!(odd.stderr.contains("no snippet: "), "{odd:?}");
    patctl.run(&["create", "--snippet=curl", "-o", "json"]).says(Exit::Usage, &["no part of this JSON"]);
    patctl.run(&["create", "--snippet=curl", "--count=2"]).says(Exit::Usage, &["cannot be used with"]);
    let home = Home::new("");
    let output = home.shell(
        "T=$(patctl create --user alice --snippet curl 2>/dev/null) && printf %s \"$T\" | patctl verify",
    );
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_json_has_every_part() {
    let patctl = Patctl::new();
    let json =
        snippet(&patctl, &["-o", "json", URL, "--data=x", "--user=bob", "--header=X: y", "--follow"]).json();
    assert_eq!(json["language"], "curl");
    assert_eq!(
        json["request"],
        serde_json::json!({"method": "POST", "url": "https://h.example/a", "headers": [["X", "y"]], "body": "x"})
    );
    assert_eq!(json["auth"], serde_json::json!({"type": "basic", "user": "bob"}));
    assert_eq!((&json["token_from"], &json["token_name"]), (&"variable".into(), &"PATCTL_TOKEN".into()));
    assert_eq!(json["follow"], true);
    assert!(json["remarks"].to_string().contains("content type") && json["reason"].is_null(), "{json}");
    assert!(json["snippet"].as_str().is_some_and(|text| text.contains("--config -")), "{json}");
    let header = snippet(&patctl, &["-o", "json", "--lang=header"]).json();
    assert!(header["request"].is_null() && header["auth"]["type"] == "bearer", "{header}");
}

#[test]
fn what_cannot_be_seen_is_warned_of_and_notes_are_silenced() {
    let patctl = Patctl::new();
    let shown = snippet(&patctl, &[URL, "--data=a\u{202e}b"]);
    assert!(shown.stderr.contains("cannot be seen"), "{shown:?}");
    let escaped = snippet(&patctl, &[URL, "--data=a\u{202e}b", "--lang=javascript"]);
    assert!(
        escaped.stdout.contains("\\u{202e}") && !escaped.stderr.contains("cannot be seen"),
        "{escaped:?}"
    );
    assert_eq!(snippet(&patctl, &[URL, "--data=x", "-q"]).stderr, "");
    patctl.configure("patctl.base.url = https://h.example/jira");
    assert!(snippet(&patctl, &["--url=/rest/x"]).stderr.contains("not below /jira"));
    assert!(!snippet(&patctl, &["--url=/jira/rest/x"]).stderr.contains("not below"));
}

#[test]
fn the_readme_shows_the_call_that_is_printed() {
    let readme = include_str!("../../README.md");
    let shown = readme.split("$ patctl snippet --url ").nth(1).and_then(|rest| rest.split("```").next());
    let (url, call) = shown.and_then(|shown| shown.split_once('\n')).expect("a command and what it prints");
    assert_eq!(text(&Patctl::new(), &["--url", url]), call);
}
