//! The recipe for nginx, as it is printed in the README: a real nginx asks a real fcgiwrap, which runs the
//! script, which runs patctl.

use crate::harness::{assert_no_secret, id_of};
use crate::nginx::{Nginx, piece};
use crate::process::{Home, have, scaled, stderr, stdout};
use crate::readme::{blocks, written};
use patctl::domain::restriction::path::canonical;
use patctl::domain::restriction::request::Place;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The recipe in a home of its own, and the service behind it.
pub struct Guarded {
    pub home: Home,
    nginx: Nginx,
    fcgiwrap: Child,
    /// The head of every request that reached the service.
    arrived: Receiver<String>,
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.fcgiwrap.kill();
        let _ = self.fcgiwrap.wait();
    }
}

/// A service that answers everything with 200 and tells what it was asked.
fn service() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let head = head(&mut BufReader::new(&stream));
            let _ = (&stream).write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
            if tell.send(head).is_err() {
                break;
            }
        }
    });
    (port, told)
}

fn head(stream: &mut BufReader<&TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).is_ok_and(|n| n > 0) {}
    head
}

/// Everything of the recipe as printed; only the places differ.
pub fn start(properties: &str) -> Guarded {
    let home = Home::new(properties);
    let at = |name: &str| home.dir.path().join(name);
    let script = at("patctl-auth");
    std::fs::write(&script, written("AUTH")).expect("a file");
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).expect("a mode");
    let (port, arrived) = service();
    let socket = at("fcgiwrap.socket");
    let mut config = blocks("nginx")[0].to_owned();
    for (printed, here) in [
        ("listen 80;", "listen unix:SOCKET;".to_owned()),
        ("127.0.0.1:3000;", format!("127.0.0.1:{port};")),
        ("/run/fcgiwrap.socket", socket.display().to_string()),
        ("/usr/local/lib/patctl-auth", script.display().to_string()),
        ("/var/lib/patctl/patctl.db", home.db().display().to_string()),
    ] {
        assert_eq!(config.matches(printed).count(), 1, "{printed}");
        config = config.replace(printed, &here);
    }
    let frame = format!(
        "daemon off; master_process off; pid nginx.pid; error_log error.log info; events {{}}
         http {{ access_log access.log; client_body_temp_path body; proxy_temp_path proxy;
         fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi; {config} }}"
    );
    let fcgiwrap = home
        .command_of("fcgiwrap")
        // The recipe hands the database over itself.
        .env_remove("PATCTL_DB")
        .args(["-f", "-s", &format!("unix:{}", socket.display()), "-p"])
        .arg(&script)
        .stdout(Stdio::null())
        .spawn()
        .expect("fcgiwrap");
    let begun = Instant::now();
    while UnixStream::connect(&socket).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "fcgiwrap does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
    Guarded { home, nginx: Nginx::start(&frame), fcgiwrap, arrived }
}

impl Guarded {
    /// Sends a request and answers the status and the head of the answer.
    fn ask(&mut self, method: &str, uri: &str, headers: &[&str]) -> (u16, String) {
        self.ask_with(method, uri, headers, "")
    }

    pub fn ask_with(&mut self, method: &str, uri: &str, headers: &[&str], body: &str) -> (u16, String) {
        let mut stream = self.nginx.connect();
        let headers = headers.iter().flat_map(|header| [header, "\r\n"]).collect::<String>();
        let request =
            format!("{method} {uri} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n{body}");
        stream.get_mut().write_all(request.as_bytes()).expect("a request");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("an answer");
        let answer = String::from_utf8_lossy(&bytes).into_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("a status: {answer}")), answer)
    }

    pub fn status(&mut self, method: &str, uri: &str, token: &str) -> u16 {
        let authorization = format!("Authorization: Bearer {token}");
        // Without it a body could come that nobody sees.
        let length = if ["GET", "HEAD"].contains(&method) { "X-None: 0" } else { "Content-Length: 0" };
        self.ask(method, uri, &[&authorization, length]).0
    }

    /// The head of the one request that reached the service since.
    pub fn one_arrival(&self) -> String {
        let arrived = self.arrived.recv_timeout(Duration::from_secs(20)).expect("an arrival");
        self.no_arrival();
        arrived
    }

    pub fn no_arrival(&self) {
        assert!(self.arrived.try_recv().is_err(), "the service was asked");
    }

    fn logs(&self) -> String {
        let log = |name: &str| std::fs::read_to_string(self.nginx.dir.path().join(name)).expect("a log");
        log("access.log") + &log("error.log")
    }
}

pub fn has_what_it_takes(test: &str) -> bool {
    have("nginx", test) & have("fcgiwrap", test) & have("jq", test)
}

#[test]
fn nginx_lets_the_right_token_in_and_tells_401_from_403() {
    if !has_what_it_takes("nginx_lets_the_right_token_in_and_tells_401_from_403") {
        return;
    }
    let mut guarded = start("patctl.any.user.enabled = true\n");
    let home = &guarded.home;
    let free = home.create(&["--user", "alice"]);
    let narrow = home.create(&["--user", "bob", "--restrict", "[get,head]/reports/.*"]);
    let any = home.create(&["--any-user"]);
    let revoked = home.create(&[]);
    assert!(home.run(&["revoke", id_of(&revoked), "--yes"]).status.success());

    assert_eq!(guarded.status("POST", "/a/b%20c?x=1&y=%2F", &free), 200);
    let head = guarded.one_arrival();
    assert!(head.starts_with("POST /a/b%20c?x=1&y=%2F HTTP/1.0\r\n"), "{head}");
    assert!(head.contains("\r\nX-User: alice\r\n"), "{head}");
    assert_no_secret(&free[free.len() - 38..], head.as_bytes(), "what the service gets");

    // Without a token, or with one that is not good: who are you?
    let (status, answer) = guarded.ask("GET", "/", &[]);
    assert_eq!(status, 401, "{answer}");
    assert!(answer.contains("\r\nWWW-Authenticate: Bearer\r\n"), "{answer}");
    let mut wrong = free.clone();
    wrong.replace_range(free.len() - 10..free.len() - 9, if wrong.ends_with('A') { "B" } else { "A" });
    for bad in ["", "x", &wrong, &revoked, "$(id)", "`id`", "a b\tc"] {
        assert_eq!(guarded.status("GET", "/", bad), 401, "{bad}");
    }
    // With a good one, for what it may not do: not this.
    for (method, uri, status) in [
        ("GET", "/reports/2026", 200),
        ("HEAD", "/reports/2026", 200),
        ("GET", "/reports/2026?x=/../", 200),
        ("GET", "/other", 403),
        ("POST", "/reports/2026", 403),
        ("GET", "/reports/..%2fadmin", 403),
        ("GET", "/reports/../reports/2026", 403),
        ("GET", "/reports//2026", 403),
        ("GET", "/reports/;x", 403),
        ("BREW", "/reports/2026", 403),
        // Nobody from outside asks the script itself.
        ("GET", "/.patctl", 404),
    ] {
        assert_eq!(guarded.status(method, uri, &narrow), status, "{method} {uri}");
        if status == 200 {
            assert!(guarded.one_arrival().starts_with(&format!("{method} {uri} HTTP")), "{uri}");
        }
    }
    // A token that Basic names the user of; headers that would say something else do not get through.
    let basic = |pair: &str| {
        let encoded = stdout(&guarded.home.shell(&format!("printf %s '{pair}' | base64 -w0")));
        format!("Authorization: Basic {encoded}")
    };
    let [carol, evil] = [basic(&format!("carol:{any}")), basic(&format!("x\r\nX-Admin: yes:{any}"))];
    let forged = ["X-User: root", "X-HTTP-Method-Override: DELETE", "X-Original-URL: /admin"];
    let headers = [&[carol.as_str()][..], &forged].concat();
    assert_eq!(guarded.ask("GET", "/x", &headers).0, 200);
    let head = guarded.one_arrival();
    assert!(head.contains("\r\nX-User: carol\r\n"), "{head}");
    assert!(!["root", "DELETE", "admin"].iter().any(|word| head.contains(word)), "{head}");
    assert_eq!(guarded.ask("GET", "/x", &[&evil]).0, 401);
    guarded.no_arrival();
    for token in [&free, &narrow, &any, &revoked] {
        assert_no_secret(&token[token.len() - 38..], guarded.logs().as_bytes(), "a log of nginx");
    }
}

#[test]
fn trouble_is_never_a_yes_for_nginx() {
    if !has_what_it_takes("trouble_is_never_a_yes_for_nginx") {
        return;
    }
    let mut guarded = start("");
    let token = guarded.home.create(&["--user", "alice"]);
    assert_eq!(guarded.status("GET", "/", &token), 200);
    guarded.one_arrival();
    // 75: somebody else holds the lock for longer than patctl waits.
    let lock = guarded.home.sql();
    lock.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    assert_eq!(guarded.status("GET", "/", &token), 500);
    lock.execute_batch("ROLLBACK").expect("a rollback");
    drop(lock);
    // 74: no database.
    let (db, away) = (guarded.home.db(), guarded.home.dir.path().join("away"));
    std::fs::rename(&db, &away).expect("a move");
    assert_eq!(guarded.status("GET", "/", &token), 500);
    std::fs::rename(&away, &db).expect("a move");
    // 77: everybody could write it.
    std::fs::set_permissions(&db, PermissionsExt::from_mode(0o666)).expect("a mode");
    assert_eq!(guarded.status("GET", "/", &token), 500);
    std::fs::set_permissions(&db, PermissionsExt::from_mode(0o600)).expect("a mode");
    // 78: a setting that cannot be read.
    let config = guarded.home.dir.path().join("patctl.properties");
    let text = std::fs::read_to_string(&config).expect("the settings");
    std::fs::write(&config, "atlassian.pats.enabled = perhaps\n").expect("a file");
    assert_eq!(guarded.status("GET", "/", &token), 500);
    std::fs::write(&config, text).expect("a file");
    // And no script at all.
    let script = guarded.home.dir.path().join("patctl-auth");
    std::fs::rename(&script, &away).expect("a move");
    let without = guarded.status("GET", "/", &token);
    assert!([403, 500].contains(&without), "{without}");
    std::fs::rename(&away, &script).expect("a move");
    guarded.no_arrival();
    assert_eq!(guarded.status("GET", "/", &token), 200);
    let log = guarded.logs();
    for word in ["busy", "no database", "perhaps"] {
        assert!(log.contains(word), "the administrator finds {word:?} in the error log: {log}");
    }
}

/// The status that the script gives where patctl cannot be asked, or says something unheard of.
#[test]
fn the_script_for_nginx_says_503_when_busy_and_500_when_it_cannot_tell() {
    if !have("jq", "the_script_for_nginx_says_503_when_busy_and_500_when_it_cannot_tell") {
        return;
    }
    let home = Home::new("");
    let token = home.create(&[]);
    std::fs::write(home.dir.path().join("patctl-auth"), written("AUTH")).expect("a file");
    let status = || {
        let mut script = home.command_of("sh");
        script.arg("patctl-auth").env("HTTP_AUTHORIZATION", format!("Bearer {token}"));
        let output = script.envs([("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/")]).output().expect("sh");
        (stdout(&output).lines().next().unwrap_or_default().to_owned(), stderr(&output))
    };
    assert_eq!(status(), ("Status: 204".to_owned(), String::new()));
    let lock = home.sql();
    lock.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    assert_eq!(status().0, "Status: 503");
    drop(lock);
    std::fs::write(home.dir.path().join("patctl.properties"), "a\0 = \\u00\n").expect("a file");
    std::fs::remove_file(home.db()).expect("a file");
    assert_eq!(status().0, "Status: 500");
}

/// What reaches the service is, byte for byte, what patctl judged; and what nginx and patctl could take for
/// two different paths does not reach it.
#[test]
fn the_service_gets_the_very_request_that_was_judged() {
    if !has_what_it_takes("the_service_gets_the_very_request_that_was_judged") {
        return;
    }
    let mut guarded = start("patctl.audit.url = full\n");
    let token = guarded.home.create(&["--restrict", "[get,put]/.*"]);
    let mut dice = StdRng::seed_from_u64(6);
    let (mut allowed, mut refused) = (0, 0);
    for _ in 0..scaled(25, 2_000) {
        let pieces = dice.random_range(1..14);
        let path: String =
            std::iter::once("/".to_owned()).chain((0..pieces).map(|_| piece(&mut dice))).collect();
        let query = if dice.random() { "?a=%2F..%2f&b" } else { "" };
        let method = if dice.random() { "GET" } else { "PUT" };
        let uri = format!("{path}{query}");
        let status = guarded.status(method, &uri, &token);
        if canonical(&path, Place::Url, 0).is_err() {
            // 400: nginx itself found it malformed.
            assert!([400, 403].contains(&status), "{status} for {uri:?}");
            guarded.no_arrival();
            refused += 1;
            continue;
        }
        assert_eq!(status, 200, "{uri:?}");
        let head = guarded.one_arrival();
        assert_eq!(head.lines().next(), Some(format!("{method} {uri} HTTP/1.0").as_str()));
        let row = "SELECT method || ' ' || url FROM audit WHERE action = 'verify' ORDER BY seq DESC LIMIT 1";
        let judged: String = guarded.home.sql().query_row(row, [], |row| row.get(0)).expect("a row");
        assert_eq!(judged, format!("{method} {uri}"));
        allowed += 1;
    }
    assert!(allowed > 5 && refused > 5, "{allowed} were allowed, {refused} refused");
}

/// While requests are answered, the token is in nobody's argument list.
#[test]
fn behind_nginx_the_token_is_in_no_argument_list() {
    if !has_what_it_takes("behind_nginx_the_token_is_in_no_argument_list") {
        return;
    }
    let mut guarded = start("");
    let token = guarded.home.create(&[]);
    let secret = token[token.len() - 38..].to_owned();
    let (stop, stopped) = channel::<()>();
    let watcher = std::thread::spawn(move || {
        let (mut found, mut scripts) = (Vec::new(), 0);
        while stopped.try_recv().is_err() {
            for process in std::fs::read_dir("/proc").expect("procfs").map_while(Result::ok) {
                let Ok(words) = std::fs::read(process.path().join("cmdline")) else { continue };
                let words = String::from_utf8_lossy(&words).into_owned();
                scripts += u32::from(words.contains("patctl\0verify") || words.contains("patctl-auth"));
                found.extend(words.contains(&secret).then_some(words));
            }
        }
        (found, scripts)
    });
    for _ in 0..5 {
        assert_eq!(guarded.status("GET", "/", &token), 200);
    }
    stop.send(()).expect("a watcher");
    let (found, scripts) = watcher.join().expect("a watcher");
    assert!(scripts > 0, "the watcher saw nothing at all");
    assert!(found.is_empty(), "{found:?}");
}

/// The drop-in as systemd reads it over the unit that Debian ships.
#[test]
fn the_drop_in_for_fcgiwrap_is_valid() {
    let unit = std::path::Path::new("/lib/systemd/system/fcgiwrap.service");
    if !have("systemd-analyze", "the_drop_in_for_fcgiwrap_is_valid") || !unit.exists() {
        return;
    }
    let home = Home::new("");
    let dir = home.dir.path();
    std::fs::create_dir(dir.join("fcgiwrap.service.d")).expect("a directory");
    for name in ["fcgiwrap.service", "fcgiwrap.socket"] {
        std::fs::copy(unit.with_file_name(name), dir.join(name)).expect("a unit");
    }
    let drop_in = blocks("ini").into_iter().find(|text| text.contains("fcgiwrap")).expect("the drop-in");
    std::fs::write(dir.join("fcgiwrap.service.d/override.conf"), drop_in).expect("a file");
    let output = home
        .command_of("systemd-analyze")
        .args(["verify", "--man=no", "./fcgiwrap.service"])
        .output()
        .expect("systemd-analyze");
    let said = stderr(&output);
    assert!(!said.contains("fcgiwrap"), "{said}");
}
