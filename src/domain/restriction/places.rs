//! Where a fault is shown, what it is called, and what it says: in rules, and in requests.

use super::request::Place;
use super::{Base, Code, Given, Request, RuleError, Rules, Sent};

fn error(text: &str) -> RuleError {
    let base = Base::parse("https://h.example/depot").expect("a base");
    let errors = Rules::parse(text, Some(&base)).expect_err(text);
    errors.into_iter().next().expect("an error")
}

/// The `^` in a rule stands behind the byte that the fault is shown at; it is taken out first.
#[test]
fn a_fault_in_a_rule_is_shown_where_it_is() {
    for (marked, code) in [
        // The method.
        ("^[get/a", Code::Method),
        ("[get,^foo]/a", Code::Method),
        ("[get,put,^foo]/a", Code::Method),
        ("[get,post,^ head]/a", Code::Space),
        ("[get,p^ ost]/a", Code::Space),
        ("[get]^ /a", Code::Space),
        // Blanks before the line count, as an editor counts them.
        (" \t^{DEPOT_URL/a", Code::Placeholder),
        ("[get]^{DEPOT_URL}a", Code::Placeholder),
        ("[get]https://^h_.example:0/a", Code::Origin),
        (" /a^\u{200b}b", Code::Invisible),
        (" /a^\u{fe0f}b", Code::Invisible),
        // The URL, with what was taken from it before.
        ("/a^\\?b", Code::NeverMatches),
        ("[get]/a^\\?b", Code::NeverMatches),
        ("{DEPOT_URL}/a^ b", Code::NeverMatches),
        ("[get]https://h.example/a^#b", Code::NeverMatches),
        ("/a^]b", Code::NeverMatches),
        ("/a^[bc", Code::Regex),
        ("[get]/a^[bc", Code::Regex),
        // The clauses.
        ("/a[^QueryParams::p==1]", Code::Clause),
        ("/a^[QueryParam::p=1]", Code::Clause),
        ("/a^[QueryParam::p==1", Code::Clause),
        ("/a[QueryParam::p==1]^/b", Code::AfterClause),
        ("/a[QueryParam::p==^]", Code::Empty),
        ("/a[QueryParam::p==b*^*]", Code::Regex),
        ("/a[QueryParam::^==1]", Code::Key),
        ("/a[QueryParam::p^]q==1]", Code::Key),
        ("/a[JsonData::^.b==1]", Code::Key),
        ("/a[JsonData::a.b.^.c==1]", Code::Key),
        ("/a[JsonData::a.b.^0==1]", Code::Key),
        ("/a[JsonData::a^\\b==1]", Code::Key),
        ("/a[JsonData::a^*==1]", Code::Key),
    ] {
        let at = marked.find('^').expect("a mark");
        let text = marked.replacen('^', "", 1);
        let error = error(&text);
        assert_eq!((error.code, error.column), (code, at + 1), "{marked}: {error}");
        assert_eq!(error.before(), &text[..at], "{marked}");
        let told = format!("rule 1:{}: {} [{}]", at + 1, error.message, code.as_str());
        assert_eq!(error.to_string(), told);
    }
    let long = format!("  /{}", "a".repeat(super::MAX_LINE));
    assert_eq!((error(&long).code, error(&long).column), (Code::TooLong, 2 + super::MAX_LINE + 1));
}

/// What somebody who knows another dialect, or pastes, gets to read.
#[test]
fn what_means_something_else_elsewhere_is_refused_by_its_name() {
    for (rule, code, told) in [
        ("/(?>a)", Code::Regex, "atomic groups"),
        ("/(?z)a", Code::Flag, "only the flags"),
        ("/(?x)a", Code::Flag, "only the flags"),
        ("/\\Qa\\E", Code::Regex, "\\Q…\\E is not"),
        ("/a\\E", Code::Regex, "\\Q…\\E is not"),
        ("/a\\Z", Code::Regex, "\\Z is not"),
        ("/a\\h", Code::Regex, "\\h is not"),
        ("/a\\y", Code::Regex, "unrecognized escape"),
        ("[get|post]/a", Code::Method, "methods are separated by commas"),
        ("[gut]/a", Code::Method, "a [ at the beginning opens a method"),
        ("[QueryParam::p==(?P<a[b]>x)]", Code::Regex, "a bracket in the name of a group"),
        ("[QueryParam::p==[!-[]]]]", Code::Regex, "a [ at the end of a range"),
        ("[QueryParam::p==[é]]", Code::NonAsciiClass, "only ASCII"),
        ("[QueryParam::p==[a-é]]", Code::NonAsciiClass, "only ASCII"),
        ("[QueryParam::p==[ab[é]]]", Code::NonAsciiClass, "only ASCII"),
        ("[QueryParam::p==[\\pL]]", Code::UnicodeClass, "Unicode classes"),
        ("/a\"b", Code::NeverMatches, "a path never holds \\\" plainly; write it as %22"),
        ("/a<b", Code::NeverMatches, "a path never holds < plainly; write it as %3C"),
        ("/é", Code::NeverMatches, "the canonical path is ASCII; write %C3%A9"),
        ("/a/\\.\\./b", Code::NeverMatches, "paths with .."),
        ("/%c3%A9", Code::NeverMatches, "the canonical path has upper case here; write %C3"),
        ("/%C3%a9", Code::NeverMatches, "the canonical path has upper case here; write %A9"),
        ("/%Cf", Code::NeverMatches, "the canonical path has upper case here; write %CF"),
    ] {
        let error = error(rule);
        assert_eq!(error.code, code, "{rule}: {error}");
        assert!(error.message.starts_with(told), "{rule}: {error}");
    }
    assert_eq!(error("/ab(?>c)").column, 4, "shown where the group opens");
}

#[test]
fn what_only_resembles_it_is_accepted() {
    for rule in [
        "/\\.well-known/a",
        "/a/\\.\\.\\.b",
        "/a/b\\.\\./c",
        "/a\\.\\.b",
        "[QueryParam::p==[!-\\[]]",
        "[QueryParam::p==(?P<ab>x)]",
        "[QueryParam::p==[a-c[0-9]_]]",
        "/%C3%A9",
        "/(?i)%c3%a9",
    ] {
        assert!(Rules::parse(rule, None).is_ok(), "{rule}");
    }
}

#[test]
fn a_pattern_that_was_accepted_compiles() {
    for rule in [".*", "/a[QueryParam::p==b+]", "/a{1400}", "/(?:[a-z]{1,9}/){90}"] {
        assert!(Rules::parse(rule, None).expect(rule).compile().is_ok(), "{rule}");
    }
}

/// The `^` as above.
#[test]
fn what_is_refused_of_a_request_is_shown_where_it_is() {
    for (marked, told) in [
        ("/a/^%4", "a % is"),
        ("/a^%2f", "this must not be encoded"),
        ("/a/b^;c", "path parameters"),
        ("/a^\"", "this character may not stand plainly in a path"),
        ("/a^ b", "blanks, controls"),
        ("/a^#b", "a fragment"),
        ("https://^h:0/a", "a port is"),
        ("https://h.example/a/^%4", "a % is"),
        ("https://h.example:81/a/^%4", "a % is"),
        ("^ftp://h/a", "it begins with"),
        ("/a?b=^\"", "this character must be encoded in a query"),
        ("/a?^%4", "a % is"),
        ("/a?b=^%4", "a % is"),
        ("/a?b=c%20d^%4", "a % is"),
        ("/a?b=c&d=^%4", "a % is"),
        ("/a?b=c&&d%20^%g0=e", "a % is"),
        ("/a?b=c&^%00=e", "a parameter holds NUL"),
        ("/a?b=c&d=^%ff", "a parameter is not UTF-8"),
    ] {
        let at = marked.find('^').expect("a mark");
        let text = marked.replacen('^', "", 1);
        let given = Given { url: Some(&text), ..Given::default() };
        let refusal = Request::new(&given).expect_err(marked);
        assert_eq!((refusal.place, refusal.at), (Place::Url, Some(at)), "{marked}: {refusal}");
        let begins = format!("the url, byte {}: {told}", at + 1);
        assert!(refusal.to_string().starts_with(&begins), "{marked}: {refusal}");
    }
    let fields = vec!["a=1"; super::MAX_PARAMETERS].join("&");
    let query = format!("{fields}&b=2");
    let given = Given { url: Some("/a"), query: Some(&query), ..Given::default() };
    let refusal = Request::new(&given).expect_err("too many").to_string();
    assert_eq!(refusal, format!("the query, byte {}: there are more than 1000 parameters", fields.len() + 2));
    let headers = [("X-Original-URL".to_owned(), "/b".to_owned())];
    for (given, told) in [
        (Given { method: Some("get"), ..Given::default() }, "the method: methods are written in capitals"),
        (Given { headers: &headers, ..Given::default() }, "the header: X-Original-URL and X-Rewrite-URL"),
    ] {
        assert!(Request::new(&given).expect_err(told).to_string().starts_with(told), "{told}");
    }
    let body = Given { body: Some(b"{"), content_type: Some("application/json"), ..Given::default() };
    let request = Request::new(&body).expect("a request");
    let refusal = request.json().expect("JSON").as_ref().expect_err("not closed").to_string();
    assert_eq!(refusal, "the body: the body is not JSON as RFC 8259 has it");
    assert_eq!(request.media.map(|media| media.as_str().to_owned()).as_deref(), Some("application/json"));
}

/// The audit log has the path and the names of parameters, and nothing that may be a secret.
#[test]
fn a_url_is_written_down_without_values_and_without_its_origin() {
    let sent = |url: &str, query: Option<&str>| Sent {
        url: Some(url.to_owned()),
        query: query.map(str::to_owned),
        ..Sent::default()
    };
    for (sent, names, all) in [
        (sent("/a/b", None), "/a/b", "/a/b"),
        (sent("/a?b=c&d", None), "/a?b&d", "/a?b=c&d"),
        (sent("/a", Some("b=c&d=e")), "/a?b&d", "/a?b=c&d=e"),
        (sent("https://me:secret@h.example/a?b=c", None), "/a?b", "/a?b=c"),
        (sent("https://me:secret@h.example", None), "/", "/"),
    ] {
        assert_eq!(sent.told_url(false).as_deref(), Some(names));
        assert_eq!(sent.told_url(true).as_deref(), Some(all));
    }
    assert_eq!(Sent::default().told_url(true), None);
    assert_eq!(Sent::body_from_base64("YWI=").as_deref(), Some(b"ab".as_slice()));
    assert_eq!(Sent::body_from_base64("YWI"), None);
}

#[test]
fn a_path_stands_for_the_bytes_that_a_server_sees() {
    for (canonical, bytes) in
        [("/a", b"/a".as_slice()), ("/caf%C3%A9/b", "/café/b".as_bytes()), ("/%20%22", b"/ \""), ("", b"")]
    {
        assert_eq!(super::path::decoded(canonical), bytes, "{canonical}");
    }
}
