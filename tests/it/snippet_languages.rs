//! Snippets of every language, run by its real program against a server that records what arrives.

use crate::harness::{Patctl, Run};
use crate::process::{figure, have, scaled, skip, stderr, stdout};
use crate::snippet_place::{Place, base64_of};
use crate::snippet_server::Received;
use patctl::exit::Exit;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use std::fs;
use std::process::Command;

/// Tokens that are real in their form: one of ours, one as Jira and Confluence make them.
const TOKENS: [&str; 2] = [
    "patctl_7k3m9xq2v8_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123453X9qJF",
    "MDAwMDAwMDAwMDAwOv//////////////////////////+/++",
];

/// A request and how it is asked for.
#[derive(Debug)]
struct Asked {
    method: &'static str,
    /// Path and query.
    target: String,
    headers: Vec<(String, String)>,
    content_type: Option<&'static str>,
    body: Option<String>,
    /// The user of Basic; else Bearer.
    user: Option<String>,
    token: &'static str,
    source: From,
}

/// Where a snippet has the token from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum From {
    Variable,
    OtherVariable,
    File,
}

const FILE: &str = "-it's $(a) \"token\"!\u{e9}";

fn pick<T: Copy>(dice: &mut StdRng, from: &[T]) -> T {
    *from.choose(dice).expect("some")
}

/// What shells, languages and programs give a meaning to.
const PIECES: [&str; 42] = [
    "a",
    "B9",
    " ",
    "  ",
    "'",
    "''",
    "\"",
    "\"\"",
    "`id`",
    "$(id)",
    "${HOME}",
    "$PATCTL_TOKEN",
    "$$",
    "!",
    "!!",
    "!a",
    "@",
    "@/etc/hostname",
    "-",
    "--",
    "{",
    "[",
    "{[",
    "{a,b}",
    "[1-3]",
    "]}",
    "\\",
    "\\\\",
    "\\n",
    "\\'",
    "%",
    "%s",
    "%41",
    "#",
    ";",
    "&",
    "|",
    "é",
    "漢字",
    "🙂",
    "\u{2019}",
    "\u{feff}",
];

fn text(dice: &mut StdRng, most: usize, also: &[&str]) -> String {
    let mut text = String::new();
    for _ in 0..dice.random_range(0..=most) {
        text.push_str(if !also.is_empty() && dice.random_ratio(1, 5) {
            pick(dice, also)
        } else {
            pick(dice, &PIECES)
        });
    }
    text
}

/// Without what no header may hold.
fn visible(text: &str) -> String {
    let text = text.replace('\u{feff}', "");
    text.trim_matches([' ', '\t']).to_owned()
}

fn target(dice: &mut StdRng, as_it_is: bool) -> String {
    const SEGMENTS: [&str; 18] = [
        "a",
        "rest",
        "JRA-1",
        "@x",
        "-x",
        "a'b",
        "(x)",
        "a!b",
        "$x",
        "*+,",
        "a=b:c",
        "%20x",
        "%7e%C3%a9",
        "b&c~_.d",
        "g%2Fp",
        ";p=1",
        "%25%0a%ff",
        "...",
    ];
    const QUERY: [&str; 26] = [
        "a", "=", "&", "k=v", "'", "`id`", "$(id)", "$HOME", "!", "!!", "@", "-", "{", "}", "[", "]", "{[",
        "|", "^", "%20", "%27", "%7e", "%c3%A9", "+", "/?:", ";",
    ];
    // What all but curl would tidy up.
    const ODD: [&str; 10] = ["..", ".", "", "%2e%2E", "{[", "a{b,c}", "x[1-3]", "%zz", "\\\"", "^`|<"];
    let count = dice.random_range(0..4);
    let mut target = String::new();
    for _ in 0..count {
        target.push('/');
        target.push_str(if as_it_is && dice.random_ratio(1, 3) {
            pick(dice, &ODD)
        } else {
            pick(dice, &SEGMENTS)
        });
    }
    if count == 0 || dice.random_ratio(1, 4) {
        target.push('/');
    }
    if dice.random_ratio(2, 3) {
        target.push('?');
        for _ in 0..dice.random_range(0..8) {
            target.push_str(pick(dice, &QUERY));
        }
    }
    // A path that begins so is one of the odd ones.
    if as_it_is { target } else { target.replace("//", "/") }
}

fn asked(dice: &mut StdRng, as_it_is: bool) -> Asked {
    let method = pick(dice, &["GET", "POST", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]);
    let names = ["X-One", "x-two", "contextUser", "X_3.`'|~!", "Accept", "User-Agent", "Accept-Language"];
    let mut headers: Vec<(String, String)> = Vec::new();
    for name in names {
        if dice.random_ratio(1, 5) {
            let plain = name.starts_with(['A', 'U']);
            let value = if plain {
                "a/b; q=\"1\"".to_owned()
            } else {
                visible(&text(dice, 6, &["\t", ":", "=", "="]))
            };
            headers.push((name.to_owned(), value));
        }
    }
    let has_body = method != "HEAD" && dice.random_ratio(2, 3);
    let json = || Some("{\"it's\": [\"{[\", \"\\u00e9\n\"]}\n".to_owned());
    let body = if !has_body {
        None
    } else if dice.random_ratio(1, 8) {
        json()
    } else {
        Some(text(dice, 12, &["\n", "\n\n", "\t", "\u{202e}", "\n!x"]))
    };
    let types = [None, Some("application/json"), Some("text/plain; charset=\"utf-8\""), Some("a/b'c")];
    let content_type = if has_body { pick(dice, &types) } else { None };
    let user = dice.random::<bool>().then(|| {
        let user = visible(&text(dice, 5, &["alice", "bob@example.com"])).replace(':', "");
        if user.is_empty() { "alice".to_owned() } else { user }
    });
    let source = pick(dice, &[From::Variable, From::Variable, From::OtherVariable, From::File]);
    Asked {
        method,
        target: target(dice, as_it_is),
        headers,
        content_type,
        body,
        user,
        token: pick(dice, &TOKENS),
        source,
    }
}

impl Asked {
    fn flags(&self, language: &str, port: u16) -> Vec<String> {
        let mut flags =
            vec!["snippet".to_owned(), format!("--lang={language}"), format!("--method={}", self.method)];
        match self.target.split_once('?').filter(|_| self.target.len().is_multiple_of(2)) {
            Some((path, query)) => {
                flags.extend([format!("--url=http://127.0.0.1:{port}{path}"), format!("--query={query}")]);
            }
            None => flags.push(format!("--url=http://127.0.0.1:{port}{}", self.target)),
        }
        flags.extend(self.headers.iter().map(|(name, value)| format!("--header={name}: {value}")));
        flags.extend(self.content_type.map(|kind| format!("--content-type={kind}")));
        flags.extend(self.body.as_ref().map(|body| format!("--data={body}")));
        match &self.user {
            Some(user) => flags.push(format!("--user={user}")),
            None => flags.push("--auth=bearer".to_owned()),
        }
        match self.source {
            From::Variable => {}
            From::OtherVariable => flags.push("--token-env=_My_Token2".to_owned()),
            From::File => flags.push(format!("--token-file={FILE}")),
        }
        flags
    }

    fn authorization(&self) -> String {
        match &self.user {
            Some(user) => format!("Basic {}", base64_of(&format!("{user}:{}", self.token))),
            None => format!("Bearer {}", self.token),
        }
    }

    fn compare(&self, language: &str, received: &Received) -> Result<(), String> {
        let same = |what: &str, asked: &str, came: &str| {
            if asked == came { Ok(()) } else { Err(format!("{what}: asked {asked:?}, came {came:?}")) }
        };
        same("method", self.method, &received.method)?;
        // The others write the same URL in its normal form.
        let exact = matches!(language, "curl" | "go");
        let form = |target: &str| if exact { target.to_owned() } else { normal(target) };
        same("target", &form(&self.target), &form(&received.target))?;
        let body = String::from_utf8_lossy(&received.body);
        same("body", self.body.as_deref().unwrap_or_default(), &body)?;
        same("authorization", &self.authorization(), &received.named("Authorization").join("|"))?;
        let empty = self.body.as_ref().is_none_or(String::is_empty);
        let octets = matches!(language, "wget" | "powershell") && !empty;
        let untyped = if octets { "application/octet-stream" } else { "" };
        same("type", self.content_type.unwrap_or(untyped), &received.named("Content-Type").join("|"))?;
        for (name, value) in &self.headers {
            same(name, value, &received.named(name).join("|"))?;
        }
        let known = |name: &str| {
            let own = [
                "Host",
                "User-Agent",
                "Accept",
                "Accept-Encoding",
                "Accept-Language",
                "Connection",
                "Content-Length",
                "Content-Type",
                "Authorization",
                "Sec-Fetch-Mode",
            ];
            own.iter().any(|own| own.eq_ignore_ascii_case(name))
                || self.headers.iter().any(|(asked, _)| asked.eq_ignore_ascii_case(name))
        };
        match received.headers.iter().find(|(name, _)| !known(name)) {
            Some(header) => Err(format!("{header:?} was not asked for")),
            None => Ok(()),
        }
    }
}

/// RFC 3986 §6.2.2: what may stand plainly does, all else is escaped in capitals. An empty query is none.
fn normal(target: &str) -> String {
    let bytes = target.as_bytes();
    let (mut normal, mut at) = (String::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        let digits = target.get(at + 1..at + 3).filter(|_| byte == b'%');
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let own = b"'{}|^`[]".contains(&byte).then_some(byte);
        match escaped.filter(|value| !plain(*value)).or(own) {
            Some(value) => normal.extend(format!("%{value:02X}").chars()),
            None => normal.push(char::from(escaped.unwrap_or(byte))),
        }
        at += if escaped.is_some() { 3 } else { 1 };
    }
    normal.strip_suffix('?').map(str::to_owned).unwrap_or(normal)
}

/// Runs random requests in one language: those that it can say.
fn check(language: &'static str, program: &str, rounds: usize, seed: u64) {
    if !have(program, &format!("snippets in {language}")) {
        return;
    }
    let (patctl, place) = (Patctl::new(), Place::new());
    let mut dice = StdRng::seed_from_u64(seed);
    let (mut round, mut refused) = (0, 0);
    while round < rounds {
        let asked = asked(&mut dice, language == "curl");
        let flags = asked.flags(language, place.server.port);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let run: Run = patctl.run(&flags);
        if run.exit == Exit::Usage && run.stderr.contains(&format!("patctl: {language}: ")) {
            refused += 1;
            assert!(refused < rounds.max(20), "most requests are refused: {run:?}");
            continue;
        }
        assert_eq!(run.exit, Exit::Yes, "{run:?}");
        assert!(!run.stdout.contains(asked.token), "{run:?}");
        let mut snippet = run.stdout.clone();
        let variable = match asked.source {
            From::Variable => Some(asked.token),
            From::OtherVariable => {
                // The environment of the test has one name only.
                snippet = snippet.replace("_My_Token2", "PATCTL_TOKEN");
                Some(asked.token)
            }
            From::File => {
                fs::write(place.dir.path().join(FILE), format!("{}\n", asked.token)).expect("a file");
                None
            }
        };
        let output = place.run(language, &snippet, variable, round);
        let told =
            format!("{language} {round}: {asked:?}\n{snippet}\n{}{}", stdout(&output), stderr(&output));
        let received = place.server.received();
        assert_eq!(received.len(), 1, "{told}");
        if let Err(why) = asked.compare(language, &received[0]) {
            panic!("{why}\n{told}");
        }
        round += 1;
    }
    let left: Vec<_> = fs::read_dir(place.dir.path()).expect("it").filter_map(Result::ok).collect();
    assert!(!left.iter().any(|entry| entry.file_name().to_string_lossy().starts_with("tmp.")), "{left:?}");
}

#[test]
fn curl_sends_what_was_asked() {
    if have("dash", "curl_sends_what_was_asked") && have("zsh", "curl_sends_what_was_asked") {
        let rounds = scaled(60, 10_000);
        check("curl", "curl", rounds, 1);
        figure("shell", &format!("{rounds} snippets run by bash, dash and zsh, 0 requests that differ"));
    }
}

#[test]
fn node_sends_what_was_asked() {
    check("javascript", "node", scaled(10, 500), 2);
}

#[test]
fn python_sends_what_was_asked() {
    let found = Command::new("python3").args(["-c", "import requests"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("CI").is_none(), ".ci/run should install requests");
        return skip("python_sends_what_was_asked: python3 has no requests on this machine");
    }
    check("python", "python3", scaled(10, 500), 3);
}

#[test]
fn httpie_sends_what_was_asked() {
    check("httpie", "http", scaled(6, 500), 4);
}

#[test]
fn wget_sends_what_was_asked() {
    check("wget", "wget", scaled(30, 500), 5);
}

#[test]
fn go_sends_what_was_asked() {
    check("go", "go", scaled(4, 500), 6);
}

/// There is no package of it where `.ci/run` could take it from.
#[test]
fn powershell_sends_what_was_asked() {
    let found = Command::new("pwsh").arg("-Version").output().is_ok();
    if !found {
        return skip("powershell_sends_what_was_asked: there is no pwsh on this machine");
    }
    check("powershell", "pwsh", scaled(5, 500), 7);
}
