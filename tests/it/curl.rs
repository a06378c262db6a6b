//! The reading of curl commands, against what the real curl sends.

use crate::process::{have, scaled, stdout};
use patctl::cli::curl;
use patctl::domain::restriction::Sent;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const SECRET: &str = "s3cr3t";

#[derive(Debug)]
struct Received {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Answers every request with an empty 200, and tells of it before.
fn record(listener: &TcpListener, tell: &Sender<Received>) {
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        let received = receive(&stream);
        if tell.send(received).is_err() {
            return;
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
}

fn receive(stream: &TcpStream) -> Received {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    let first = line();
    let [method, target, _] = first.split(' ').collect::<Vec<_>>()[..] else { panic!("{first:?}") };
    let mut headers = Vec::new();
    loop {
        let line = line();
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "Content-Length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().expect("a number"))];
    reader.read_exact(&mut body).expect("a body");
    Received { method: method.to_owned(), target: target.to_owned(), headers, body }
}

/// Where commands run: with files to send, and a server to send them to.
struct Place {
    dir: TempDir,
    port: u16,
    received: Receiver<Received>,
}

const FILES: [(&str, &[u8]); 5] = [
    ("lines", b"a=1&b=x y\nc=2\n\n"),
    ("crlf", b"a=1\r\nb=\xc3\xbc\r\n"),
    ("empty", b""),
    ("bytes", b"\0\x01\r\n\r\xff &=+%41"),
    ("headers", b"X-Filed: 1\r\n\r\nx-more:  2 \nAccept-Language:\n"),
];

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for (name, bytes) in FILES {
            std::fs::write(dir.path().join(name), bytes).expect("a file");
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (tell, received) = channel();
        thread::spawn(move || record(&listener, &tell));
        Self { dir, port, received }
    }

    /// Runs the real curl, and answers with the requests that came.
    fn send(&self, words: &[String]) -> (Vec<Received>, Output) {
        let output = Command::new("curl")
            .args(["-q", "--max-time", "10", "--noproxy", "*"])
            .args(&words[1..])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .current_dir(self.dir.path())
            .output()
            .expect("curl");
        (self.received.try_iter().collect(), output)
    }
}

/// As `patctl check` reads them.
fn parse(words: &[String]) -> Result<Sent, String> {
    curl::parse(words, &mut |name| {
        let file = FILES.iter().find(|(known, _)| *known == name);
        file.map(|(_, bytes)| bytes.to_vec()).ok_or_else(|| format!("no file {name}"))
    })
}

/// An option: its name, its letter (or a space), and values; none where it takes none.
type Known = (&'static str, char, &'static [&'static str]);

/// What does not change the request, and what says who sends it.
const ASIDE: [Known; 16] = [
    ("user", 'u', &["u:s3cr3t", ":s3cr3t"]),
    ("oauth2-bearer", ' ', &["s3cr3t"]),
    ("cookie", 'b', &["k=s3cr3t", "s3cr3t"]),
    ("output", 'o', &["out"]),
    ("write-out", 'w', &["%{http_code}\n"]),
    ("connect-timeout", ' ', &["5"]),
    ("compressed", ' ', &[]),
    ("insecure", 'k', &[]),
    ("silent", 's', &[]),
    ("show-error", 'S', &[]),
    ("location", 'L', &[]),
    ("fail", 'f', &[]),
    ("include", 'i', &[]),
    ("verbose", 'v', &[]),
    ("http1.0", '0', &[]),
    ("disable", 'q', &[]),
];

const HEADERS: [Known; 5] = [
    ("user-agent", 'A', &["", "me/1.0", "ü (x; y)"]),
    ("referer", 'e', &["", "http://a/", ";auto", "http://b/;auto", "c;auto;auto;d"]),
    ("header", 'H', &["@headers"]),
    ("header", 'H', &["Authorization: s3cr3t", "cookie:s3cr3t", "Proxy-Authorization:  s3cr3t"]),
    ("header", 'H', &["X-One: 1", "x-two;", "Accept:", "Host: other.example"]),
];

const METHODS: [Known; 1] = [("request", 'X', &["GET", "POST", "PUT", "PATCH", "delete", "OPTIONS", "X-Y"])];
const JSON: [Known; 1] = [("json", ' ', &["[1,", "", "2]", "@lines", "@bytes"])];
const BODIES: [Known; 4] = [
    ("data", 'd', &["@lines", "@crlf", "@empty", "a b", "ü=\n#"]),
    ("data-ascii", ' ', &["@lines", "@crlf", "\r\n"]),
    ("data-binary", ' ', &["@lines", "@crlf", "@empty", "@bytes", "a\nb"]),
    ("data-raw", ' ', &["@lines", "@", " "]),
];

fn pick<T: Copy>(dice: &mut StdRng, from: &[T]) -> T {
    *from.choose(dice).expect("some")
}

fn one_of(dice: &mut StdRng, known: &[Known]) -> Vec<String> {
    let (long, letter, values) = pick(dice, known);
    let value = values.choose(dice).copied();
    spelled(dice, long, letter, value)
}

/// An option in one of its spellings: `--request X`, `-X X`, `-XX`, `-sXX`.
fn spelled(dice: &mut StdRng, long: &str, letter: char, value: Option<&str>) -> Vec<String> {
    let mut word = format!("--{long}");
    if letter != ' ' && dice.random_ratio(2, 3) {
        word = format!("-{}{letter}", pick(dice, &["", "", "", "s", "kL", "sS", "4"]));
        if let Some(value) = value.filter(|value| !value.is_empty() && dice.random()) {
            return vec![word + value];
        }
    }
    std::iter::once(word).chain(value.map(str::to_owned)).collect()
}

fn header(dice: &mut StdRng) -> Vec<String> {
    const NAMES: [&str; 6] = ["X-One", "x-two", "Content-Type", "content-type", "User-Agent", "Referer"];
    if dice.random() {
        return one_of(dice, &HEADERS);
    }
    let name = pick(dice, &NAMES);
    let rest = pick(dice, &[": a", ":b", ": text/plain; q=\"x:y\"", ":", ": ", ";", ":\t c\td  "]);
    spelled(dice, "header", 'H', Some(&format!("{name}{rest}")))
}

/// A piece of a body or of a query, with what is read in it.
fn text(dice: &mut StdRng) -> String {
    const PIECES: [&str; 14] =
        ["a", "=", "&", "x=1", "%41", "%c3%bC", "+", "@", "/", "?", "~", "{\"k\":[1]}", "-.", ":"];
    (0..dice.random_range(0..5)).map(|_| pick(dice, &PIECES)).collect()
}

/// All forms of `--data-urlencode`, which are those of `--url-query`.
fn encoded(dice: &mut StdRng, long: &str) -> Vec<String> {
    let content = text(dice) + pick(dice, &["", " ü", "\n", "\u{7f}#"]);
    let (name, file) =
        (pick(dice, &["n", "a@b", "%", "@lines"]), pick(dice, &["lines", "crlf", "empty", "bytes"]));
    let value = match dice.random_range(0..5) {
        0 => content.replace(['=', '@', '+'], ""),
        1 => format!("={content}"),
        2 => format!("{name}={content}"),
        3 => format!("@{file}"),
        _ => format!("n@{file}"),
    };
    spelled(dice, long, ' ', Some(&value))
}

/// Data; `in_query` that of a query, where more of it would be refused.
fn data(dice: &mut StdRng, in_query: bool) -> Vec<String> {
    match dice.random_range(0..5) {
        0 => encoded(dice, "data-urlencode"),
        1 | 2 if !in_query => one_of(dice, &BODIES),
        _ => {
            let (long, letter, _) = pick(dice, &BODIES);
            let text = text(dice);
            let text = if long == "data-raw" { &text } else { text.trim_start_matches('@') };
            spelled(dice, long, letter, Some(text))
        }
    }
}

fn in_url(dice: &mut StdRng) -> Vec<String> {
    if dice.random() {
        return encoded(dice, "url-query");
    }
    vec!["--url-query".to_owned(), format!("+{}", text(dice))]
}

/// A URL of the server, and the options that it needs.
fn url(dice: &mut StdRng, port: u16, appended: bool) -> (String, Vec<String>) {
    const PATHS: [&str; 8] = ["", "/", "/a/b", "/a//b/", "/a%2fB/%7e%C3", "/.../~u.", "/a;p=..", "/a\\b@c:d"];
    const QUERIES: [&str; 8] = ["", "?", "?a", "?a=1&", "?b=http://h/../x", "?c?", "?d=%3D%e2/./", "?&"];
    let scheme = pick(dice, &["http://", "HTTP://", ""]);
    let user = pick(dice, &["", "", "u@", "u:s3cr3t@", ":s3cr3t@", "u:%40s3cr3t@"]);
    let host = pick(dice, &["127.0.0.1", "localhost", "LOCALHOST"]);
    let (mut path, mut query) = (pick(dice, &PATHS), pick(dice, &QUERIES));
    let fragment = pick(dice, &["", "", "#f", "#f?x/../y", "#"]);
    let mut options = Vec::new();
    if dice.random_ratio(1, 8) && !appended {
        path = pick(dice, &["/a/../b/.", "/..", "/%2e%2E/x"]);
        options.push("--path-as-is".to_owned());
    }
    if dice.random_ratio(1, 8) {
        query = pick(dice, &["?a[]=1", "?{b,c}", "?d=[1-3]&"]);
        options.extend(spelled(dice, "globoff", 'g', None));
    }
    (format!("{scheme}{user}{host}:{port}{path}{query}{fragment}"), options)
}

/// A command whose every word is understood, and whether it may add to the query of its URL.
fn command(dice: &mut StdRng, port: u16) -> (Vec<String>, bool) {
    let mut options: Vec<Vec<String>> = Vec::new();
    let mut add = |dice: &mut StdRng, most: usize, one: &dyn Fn(&mut StdRng) -> Vec<String>| {
        (0..dice.random_range(0..=most)).for_each(|_| options.push(one(dice)));
    };
    add(dice, 3, &|dice| one_of(dice, &ASIDE));
    add(dice, 3, &header);
    add(dice, 1, &|dice| one_of(dice, &METHODS));
    let shape = dice.random_range(0..9);
    match shape {
        0 => add(dice, 3, &|dice| one_of(dice, &JSON)),
        1..=3 => add(dice, 3, &|dice| data(dice, false)),
        4 | 5 => add(dice, 3, &|dice| data(dice, true)),
        6 => add(dice, 2, &|dice| data(dice, false)),
        _ => {}
    }
    if matches!(shape, 6 | 7) {
        add(dice, 3, &in_url);
    }
    if matches!(shape, 4 | 5) {
        options.push(spelled(dice, "get", 'G', None));
    }
    if matches!(shape, 5 | 7 | 8) && dice.random() {
        options.push(spelled(dice, "head", 'I', None));
    }
    let (url, needed) = url(dice, port, (4..=7).contains(&shape));
    options.extend(needed.into_iter().map(|option| vec![option]));
    let mut last = Vec::new();
    match dice.random_range(0..4) {
        0 => options.push(vec!["--url".to_owned(), url]),
        1 => options.push(vec![url]),
        2 => last = vec![url],
        _ => last = vec!["--".to_owned(), url],
    }
    options.shuffle(dice);
    let words = std::iter::once("curl".to_owned()).chain(options.into_iter().flatten()).chain(last);
    (words.collect(), (4..=7).contains(&shape))
}

fn named<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    let mine = headers.iter().filter(|header| header.0.eq_ignore_ascii_case(name));
    mine.map(|(_, value)| value.as_str()).collect()
}

/// Escapes in small letters, as curl 7.88 writes them where it adds to a query.
fn small_escapes(url: &str) -> String {
    let mut parts = url.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |url, part| {
        let (escape, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        format!("{url}%{}{rest}", escape.to_ascii_lowercase())
    })
}

/// What curl sends of its own, and what is dropped because it is a credential.
const NOT_TOLD: [&str; 9] = [
    "Host",
    "User-Agent",
    "Accept",
    "Accept-Encoding",
    "Content-Length",
    "Authorization",
    "Proxy-Authorization",
    "Cookie",
    "Expect",
];

#[test]
fn a_command_is_read_as_the_request_that_curl_sends() {
    if !have("curl", "a_command_is_read_as_the_request_that_curl_sends") {
        return;
    }
    let place = Place::new();
    let mut dice = StdRng::seed_from_u64(5);
    for round in 0..scaled(200, 5000) {
        let (words, appended) = command(&mut dice, place.port);
        let sent = parse(&words).unwrap_or_else(|why| panic!("{round}: {why}: {words:?}"));
        let (mut received, output) = place.send(&words);
        let told = format!("{round}: {words:?}\nread as {sent:?}\nreceived {received:?}\n{output:?}");
        assert_eq!((received.len(), output.status.code()), (1, Some(0)), "{told}");
        let received = received.remove(0);
        assert_eq!(sent.method.as_ref(), Some(&received.method), "{told}");
        let url = sent.url.as_deref().expect("a URL");
        let target = url.split_once(&format!(":{}", place.port)).expect("the port").1;
        if appended {
            assert_eq!(small_escapes(target), small_escapes(&received.target), "{told}");
        } else {
            assert_eq!(target, received.target, "{told}");
        }
        assert_eq!((sent.query.as_ref(), sent.content_type.as_ref()), (None, None), "{told}");
        assert_eq!(sent.body.as_deref().unwrap_or_default(), received.body, "{told}");
        let types = [&sent.headers, &received.headers].map(|headers| named(headers, "Content-Type"));
        assert_eq!(types[0], types[1], "{told}");
        for header in &sent.headers {
            assert!(received.headers.contains(header), "{header:?} was not sent\n{told}");
        }
        for header in &received.headers {
            let known = NOT_TOLD.iter().any(|name| name.eq_ignore_ascii_case(&header.0));
            assert!(known || sent.headers.contains(header), "{header:?} is not told\n{told}");
        }
        assert!(!format!("{sent:?}").contains(SECRET), "{told}");
    }
}

/// An option that took a value here and none there would give every word behind it another meaning.
#[test]
fn every_option_takes_a_value_where_curl_takes_one() {
    if !have("curl", "every_option_takes_a_value_where_curl_takes_one") {
        return;
    }
    let help = Command::new("curl").args(["-q", "--help", "all"]).output().expect("curl");
    let mut understood = 0;
    for line in stdout(&help).lines() {
        let Some((letter, rest)) = line.split_once("--") else { continue };
        let (name, rest) = rest.split_once(' ').expect("an option and its meaning");
        let letter = letter.trim().trim_end_matches(',');
        for option in [letter, &format!("--{name}")].into_iter().filter(|option| !option.is_empty()) {
            let mut words = vec!["curl", option, "http://value/", "http://url/"];
            if name == "url" || !rest.starts_with(['<', '[']) {
                words.remove(3);
                words[2] = "http://url/";
            }
            match parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()) {
                Ok(_) if name == "url" => {}
                Ok(sent) => assert!(sent.url.is_some_and(|url| url.starts_with("http://url/")), "{words:?}"),
                Err(why) => {
                    let known = ["not understood", "--form makes", "--next makes"];
                    assert!(known.iter().any(|known| why.contains(known)), "{words:?}: {why}");
                    continue;
                }
            }
            understood += 1;
        }
    }
    assert!(understood > 120, "{understood}");
}
