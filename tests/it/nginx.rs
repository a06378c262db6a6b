//! Canonical paths, against what nginx makes of the same bytes.

use crate::process::{have, scaled};
use patctl::domain::restriction::path::{canonical, decoded};
use patctl::domain::restriction::request::Place;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Answers with the path as nginx routes it: decoded, dots and slashes resolved.
const CONFIG: &str = "
    daemon off; master_process off; pid nginx.pid; error_log stderr;
    events {}
    http {
        access_log off; client_body_temp_path body; proxy_temp_path proxy;
        fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        keepalive_requests 1000000; default_type application/octet-stream;
        server { listen unix:SOCKET; location / { return 200 \"$uri\"; } }
    }";

/// nginx, until it is dropped: also when a test fails.
pub struct Nginx {
    child: Child,
    pub dir: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Nginx {
    /// One process on a socket of its own: a port could be taken between its choice and its use. `SOCKET` in
    /// the configuration is where it listens.
    pub fn start(config: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let socket = dir.path().join("socket").display().to_string();
        std::fs::write(dir.path().join("nginx.conf"), config.replace("SOCKET", &socket)).expect("a file");
        let child = Command::new("nginx")
            .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
            .arg(dir.path())
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx");
        Self { child, dir }
    }

    /// A connection, as soon as nginx listens.
    pub fn connect(&mut self) -> BufReader<UnixStream> {
        let begun = Instant::now();
        loop {
            if let Ok(stream) = UnixStream::connect(self.dir.path().join("socket")) {
                stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
                return BufReader::new(stream);
            }
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none(), "nginx did not start: {ended:?}");
            assert!(begun.elapsed() < Duration::from_secs(20), "nginx does not listen");
            sleep(Duration::from_millis(5));
        }
    }
}

/// What nginx routes by when it is asked for `path`.
fn routed(connection: &mut BufReader<UnixStream>, path: &str) -> Vec<u8> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
    connection.get_mut().write_all(request.as_bytes()).expect("a request");
    let mut line = || {
        let mut line = String::new();
        connection.read_line(&mut line).expect("a line");
        line
    };
    let status = line();
    assert!(status.starts_with("HTTP/1.1 200 "), "{path:?}: {status}");
    let mut length = 0;
    loop {
        let header = line();
        match header.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().expect("a number"),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).expect("a body");
    body
}

/// `%XX`, each digit in either case.
fn escaped(dice: &mut StdRng, byte: u8) -> String {
    let digit = |dice: &mut StdRng, value: u8| {
        let digit = char::from_digit(u32::from(value), 16).expect("a digit");
        if dice.random() { digit.to_ascii_uppercase() } else { digit }
    };
    let (high, low) = (digit(dice, byte >> 4), digit(dice, byte & 15));
    format!("%{high}{low}")
}

/// A piece of a path; now and then one that must be refused.
pub fn piece(dice: &mut StdRng) -> String {
    const PLAIN: &[u8] = b"abcXYZ019-_~!$&'()*+,=:@";
    const PLANES: [(u32, u32); 6] = [
        (0xa0, 0x24f),
        (0x370, 0x5ff),
        (0x900, 0x1fff),
        (0x2000, 0x2bff),
        (0x3040, 0xffff),
        (0x10000, 0x1ffff),
    ];
    const REFUSED: [&str; 14] =
        [";", "\\", " ", "//", "/./", "/../", "%", "%g0", "%2", "é", "[", "\"", "%c3", "%2F%2e%2e%2f"];
    match dice.random_range(0..100) {
        0..45 => char::from(*PLAIN.choose(dice).expect("some")).to_string(),
        45..60 => "/".to_owned(),
        60..64 => ".".to_owned(),
        // Those that stand for themselves, more often than those that are refused.
        64..84 => {
            let byte = dice.random_range(b' '..=b'~');
            escaped(dice, byte)
        }
        84..85 => {
            let byte = dice.random();
            escaped(dice, byte)
        }
        85..98 => {
            let (first, last) = *PLANES.choose(dice).expect("some");
            let c = char::from_u32(dice.random_range(first..=last)).unwrap_or('ß');
            c.to_string().bytes().map(|byte| escaped(dice, byte)).collect()
        }
        _ => (*REFUSED.choose(dice).expect("some")).to_owned(),
    }
}

/// A rule sees the canonical path and a server the raw one: both must mean the same bytes.
#[test]
fn nginx_routes_an_accepted_path_by_the_bytes_that_rules_see() {
    if !have("nginx", "nginx_routes_an_accepted_path_by_the_bytes_that_rules_see") {
        return;
    }
    let wanted = scaled(2_000, 50_000);
    let mut nginx = Nginx::start(CONFIG);
    let mut connection = nginx.connect();
    let mut dice = StdRng::seed_from_u64(11);
    let (mut accepted, mut refused) = (0, 0);
    let mut bytes = BTreeSet::new();
    while accepted < wanted {
        let pieces = dice.random_range(0..16);
        let raw: String =
            std::iter::once("/".to_owned()).chain((0..pieces).map(|_| piece(&mut dice))).collect();
        let Ok(path) = canonical(&raw, Place::Url, 0) else {
            refused += 1;
            continue;
        };
        accepted += 1;
        let seen = decoded(&path);
        assert_eq!(canonical(&path, Place::Url, 0).as_ref(), Ok(&path), "{raw:?}");
        assert_eq!(routed(&mut connection, &raw), seen, "{raw:?}");
        assert_eq!(routed(&mut connection, &path), seen, "{path:?} of {raw:?}");
        bytes.extend(seen);
    }
    // The source is neither so tame that nothing is refused, nor so wild that only a few bytes are left:
    // all printable ones were met but the five that are refused (\ ; % # ?).
    assert!(refused > wanted / 10, "only {refused} were refused");
    assert_eq!(bytes.range(b' '..=b'~').count(), 95 - 5, "{bytes:?}");
    assert!(bytes.range(0x80..).count() > 80, "{bytes:?}");
}
