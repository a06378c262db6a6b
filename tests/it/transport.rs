//! The two ways out: a mail server with and without TLS, and the program `sendmail`.

use crate::harness::Patctl;
use crate::mail_server::Server;
use crate::process::{Home, have, stderr};
use patctl::domain::moment::Moment;
use patctl::domain::notice::{Kind, Notice, Route};
use patctl::exit::Exit;
use patctl::mail::{Courier, Delivery, Letter, Sendmail, Smtp};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A directory with a `sendmail` that is this script.
fn stub(dir: &Path, script: &str) -> PathBuf {
    let bin = dir.join("bin");
    fs::create_dir_all(&bin).expect("a directory");
    fs::write(bin.join("sendmail"), format!("#!/bin/sh\n{script}\n")).expect("a file");
    fs::set_permissions(bin.join("sendmail"), fs::Permissions::from_mode(0o755)).expect("a mode");
    bin
}

const SENDMAIL: &str = "patctl.mail.transport = sendmail\npatctl.mail.from = patctl@example.com\n";

#[test]
fn sendmail_gets_the_sender_the_recipient_and_the_mail() {
    let mut patctl = Patctl::new();
    patctl.configure(SENDMAIL);
    patctl.create(&["ci", "--email", "a@x"]);
    let kept = patctl.path("kept");
    let bin = stub(patctl.dir.path(), &format!("{{ printf '%s\\n' \"$@\"; cat; }} > {}", kept.display()));
    patctl.env.insert("PATH".to_owned(), bin.into());
    patctl.run(&["notify"]).is(Exit::Yes, "");
    let text = fs::read_to_string(kept).expect("what the stub was given");
    assert!(
        text.starts_with("-i\n-f\npatctl@example.com\n--\na@x\nFrom: patctl <patctl@example.com>\n"),
        "{text}"
    );
    assert!(text.contains("\nSubject: Token created: ci\n") && !text.contains('\r'), "{text}");
    patctl.run(&["notify"]).is(Exit::Yes, "");
}

#[test]
fn a_sendmail_that_says_no_is_asked_again_and_one_that_dies_is_not() {
    let mut patctl = Patctl::new();
    patctl.configure(SENDMAIL);
    patctl.create(&["ci", "--email", "a@x"]);
    let bin = stub(patctl.dir.path(), "cat > /dev/null; echo 'queue is full' >&2; exit 75");
    patctl.env.insert("PATH".to_owned(), bin.into());
    patctl.run(&["notify"]).says(Exit::Io, &["exit status: 75: queue is full", "tried again"]);
    stub(patctl.dir.path(), "cat > /dev/null; kill -9 $$");
    patctl.run(&["notify"]).says(Exit::Io, &["signal: 9", "may have arrived"]);
    stub(patctl.dir.path(), "exit 1");
    patctl.run(&["notify"]).is(Exit::Yes, "");
}

#[test]
fn without_a_sendmail_nothing_is_noted() {
    let mut patctl = Patctl::new();
    patctl.configure(SENDMAIL);
    patctl.create(&["--expires", "2", "--email", "a@x"]);
    if ["/usr/sbin/sendmail", "/usr/lib/sendmail"].iter().any(|path| Path::new(path).exists()) {
        return;
    }
    for path in ["", "bin", "/nowhere"] {
        patctl.env.insert("PATH".to_owned(), path.into());
        patctl.run(&["notify"]).says(Exit::Config, &["no program 'sendmail'"]);
    }
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE notified = 'not-sent'"), 1);
}

fn letter() -> Letter {
    let notice = Notice {
        at: crate::harness::moment("2026-11-21"),
        kind: Kind::Created,
        token_id: "7k3m9xq2v8".to_owned(),
        name: "ci".to_owned(),
        user: None,
        expires_at: None,
        recipient: "a@x".to_owned(),
    };
    Letter::new(&[(1, &notice)], &"patctl@example.com".parse().expect("an address"))
}

fn now() -> Moment {
    crate::harness::moment("2026-11-21")
}

const SHORT: Duration = Duration::from_millis(300);

#[test]
fn a_sendmail_that_never_ends_is_ended() {
    let dir = tempfile::tempdir().expect("a directory");
    let bin = stub(dir.path(), "exec sleep 600");
    let begun = Instant::now();
    let delivery = Sendmail::find(Some(bin.as_os_str()), SHORT).expect("the stub").deliver(&letter(), now());
    assert!(matches!(&delivery, Delivery::Uncertain(why) if why.contains("longer")), "{delivery:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

/// A server that says these lines, one after the other: before each but the first it reads up to a line that
/// begins with the word beside it. Then it is silent and waits for the client to leave.
fn scripted(lines: &'static [(&'static str, &'static str)]) -> Smtp {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let route: Route = format!("smtp://{}", listener.local_addr().expect("it")).parse().expect("a route");
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        converse(&stream, lines);
    });
    Smtp::new(&route, None, SHORT).expect("a server")
}

fn converse(mut stream: &TcpStream, lines: &[(&str, &str)]) {
    let mut reader = BufReader::new(stream.try_clone().expect("it"));
    let mut line = String::new();
    for (awaited, answer) in lines {
        while !line.starts_with(awaited) {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
        }
        line.clear();
        let _ = stream.write_all(format!("{answer}\r\n").as_bytes());
    }
    while reader.read_line(&mut line).unwrap_or(0) > 0 {}
}

/// Only after the last dot of the mail is its fate unknown.
#[test]
fn a_server_that_falls_silent_holds_nobody_up_and_only_the_last_step_is_uncertain() {
    const HELLO: (&str, &str) = ("", "220 hello");
    const EHLO: (&str, &str) = ("EHLO", "250 hello");
    const MAIL: (&str, &str) = ("MAIL", "250 OK");
    const RCPT: (&str, &str) = ("RCPT", "250 OK");
    const DATA: (&str, &str) = ("DATA", "354 go on");
    let silent: [&'static [(&str, &str)]; 5] =
        [&[], &[HELLO], &[HELLO, EHLO], &[HELLO, EHLO, MAIL], &[HELLO, EHLO, MAIL, RCPT]];
    for lines in silent {
        let begun = Instant::now();
        let delivery = scripted(lines).deliver(&letter(), now());
        assert!(matches!(delivery, Delivery::Unreachable(_)), "{lines:?}: {delivery:?}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
    let delivery = scripted(&[HELLO, EHLO, MAIL, RCPT, DATA]).deliver(&letter(), now());
    assert!(matches!(delivery, Delivery::Uncertain(_)), "{delivery:?}");
    for answer in ["nonsense", "2", "999 what"] {
        let lines: &'static [(&str, &str)] =
            Box::leak(Box::new([HELLO, EHLO, MAIL, RCPT, DATA, (".\r", answer)]));
        let delivery = scripted(lines).deliver(&letter(), now());
        assert!(matches!(delivery, Delivery::Uncertain(_)), "{answer}: {delivery:?}");
    }
    let shifted = scripted(&[HELLO, EHLO, MAIL, RCPT, ("DATA", "250 OK")]).deliver(&letter(), now());
    assert!(matches!(shifted, Delivery::Unreachable(_)), "{shifted:?}");
    let busy = scripted(&[HELLO, EHLO, ("MAIL", "421 shutting down")]).deliver(&letter(), now());
    assert!(matches!(busy, Delivery::Unreachable(_)), "{busy:?}");
}

#[test]
fn a_connection_that_was_closed_between_two_mails_is_made_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let route: Route = format!("smtp://{}", listener.local_addr().expect("it")).parse().expect("a route");
    std::thread::spawn(move || {
        for _ in 0..2 {
            let (stream, _) = listener.accept().expect("a client");
            let all =
                [("", "220 x"), ("EHLO", "250 x"), ("MAIL", "250 x"), ("RCPT", "250 x"), ("DATA", "354 x")];
            // One mail, then it hangs up.
            let mut reader = BufReader::new(stream.try_clone().expect("it"));
            let mut line = String::new();
            for (awaited, answer) in all.iter().chain(&[(".\r", "250 taken")]) {
                while !line.starts_with(awaited) {
                    line.clear();
                    reader.read_line(&mut line).expect("a line");
                }
                line.clear();
                (&stream).write_all(format!("{answer}\r\n").as_bytes()).expect("a client");
            }
        }
    });
    let mut smtp = Smtp::new(&route, None, Duration::from_secs(5)).expect("a server");
    assert_eq!(smtp.deliver(&letter(), now()), Delivery::Sent);
    assert_eq!(smtp.deliver(&letter(), now()), Delivery::Sent);
}

/// A certificate for an address of this machine that is not called local: connecting to 0.0.0.0 leads here.
fn certificate(dir: &Path) -> (String, String) {
    let config = dir.join("openssl.cnf");
    fs::write(
        &config,
        "[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=test\n[ext]\n\
         subjectAltName=IP:0.0.0.0\nbasicConstraints=critical,CA:FALSE\n",
    )
    .expect("a file");
    let path = |name: &str| dir.join(name).display().to_string();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-config"])
        .arg(&config)
        .args(["-out", &certificate, "-keyout", &key])
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{}", stderr(&made));
    (certificate, key)
}

/// Notifies about one token by a server at 0.0.0.0, whose authority the system knows or not.
fn notify_by(
    home: &Home,
    scheme: &str,
    port: u16,
    trusted: Option<&str>,
    more: &[&str],
) -> std::process::Output {
    let route = format!("patctl.mail.transport={scheme}://0.0.0.0:{port}");
    home.create(&["--email", "a@x", "-D", &route]);
    let mut command = home.command(&["notify", "-D", &route, "-D", "patctl.mail.from=p@x"]);
    command.args(more);
    // Where rustls looks for the authorities that the system trusts.
    command.env("SSL_CERT_FILE", trusted.unwrap_or("/dev/null"));
    command.output().expect("patctl")
}

#[test]
fn tls_is_used_where_there_is_some_and_a_stranger_s_certificate_ends_it() {
    const TEST: &str = "tls_is_used_where_there_is_some";
    if !have("openssl", TEST) {
        return;
    }
    for (kind, scheme) in [("starttls", "smtp"), ("wrapped", "smtps")] {
        let home = Home::new("");
        let (certificate, key) = certificate(home.dir.path());
        let Some(server) = Server::start_with(TEST, &[kind, &certificate, &key]) else { return };
        let output = notify_by(&home, scheme, server.port, None, &[]);
        assert_eq!(output.status.code(), Some(74), "{kind}: {output:?}");
        assert!(stderr(&output).contains("certificate"), "{kind}: {output:?}");
        assert!(server.mails().is_empty(), "{kind}");
        let output = notify_by(&home, scheme, server.port, Some(&certificate), &[]);
        assert!(output.status.success(), "{kind}: {output:?}");
        let mails = server.mails();
        assert_eq!(mails.len(), 1, "{kind}");
        assert!(mails.iter().all(|mail| mail.encrypted), "{kind}: {mails:?}");
    }
}

#[test]
fn credentials_are_sent_under_tls_and_never_in_the_clear() {
    const TEST: &str = "credentials_are_sent_under_tls";
    if !have("openssl", TEST) {
        return;
    }
    let home = Home::new("");
    let (certificate, key) = certificate(home.dir.path());
    let file = home.dir.path().join("credentials");
    let more = format!("patctl.mail.credentials.file={}", file.display());
    let more = ["-D", more.as_str()];
    let keep = |text: &str| {
        fs::write(&file, text).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
    };
    keep("patctl:mail:pass word\n");
    let Some(plain) = Server::start(TEST) else { return };
    let output = notify_by(&home, "smtp", plain.port, None, &more);
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert!(stderr(&output).contains("never sent in the clear"), "{output:?}");
    assert!(plain.mails().is_empty());

    for (kind, scheme) in [("starttls", "smtp"), ("wrapped", "smtps")] {
        let Some(server) = Server::start_with(TEST, &[kind, &certificate, &key]) else { return };
        keep("patctl:wrong password\n");
        let output = notify_by(&home, scheme, server.port, Some(&certificate), &more);
        assert_eq!(output.status.code(), Some(74), "{output:?}");
        assert!(stderr(&output).contains("does not accept the credentials (535)"), "{output:?}");
        assert!(!stderr(&output).contains("wrong password"), "{output:?}");
        keep("patctl:mail:pass word\n");
        let output = notify_by(&home, scheme, server.port, Some(&certificate), &more);
        assert!(output.status.success(), "{kind}: {output:?}");
        let mails = server.mails();
        assert!(!mails.is_empty() && mails.iter().all(|m| m.login.as_deref() == Some("patctl")), "{mails:?}");
    }
}

#[test]
fn a_file_of_credentials_is_its_owner_s_alone_and_one_line() {
    let patctl = Patctl::new();
    let file = patctl.path("credentials");
    let property = format!("patctl.mail.credentials.file = {}\n", file.display());
    patctl.configure(&format!(
        "patctl.mail.transport = smtp://127.0.0.1:1\npatctl.mail.from = p@x\n{property}"
    ));
    patctl.create(&["--expires", "1", "--email", "a@x"]);
    patctl.run(&["notify"]).says(Exit::Config, &["credentials", "No such file"]);
    fs::write(&file, "user:geheim\n").expect("a file");
    for mode in [0o644, 0o640, 0o620, 0o602] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
        patctl.run(&["notify"]).says(Exit::Permission, &["others than its owner", "chmod 600"]);
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
    for text in [
        "",
        "geheim",
        ":geheim",
        "user:",
        "user:geheim\nmore\n",
        "user:ge\0heim",
        &format!("user:{}", "x".repeat(1024)),
    ] {
        fs::write(&file, text).expect("a file");
        let run = patctl.run(&["notify"]);
        run.says(Exit::Config, &["not one line user:password"]);
        assert!(!run.stderr.contains("geheim"), "{run:?}");
    }
    fs::write(&file, "user:geheim").expect("a file");
    let read = patctl::mail::Credentials::read(&file).expect("credentials");
    assert_eq!((read.user.as_str(), read.password.as_str()), ("user", "geheim"));
    assert_eq!(format!("{read:?}"), "Credentials(..)");
    assert_eq!(
        patctl.count("SELECT count(*) FROM token WHERE notified = 'not-sent'"),
        1,
        "nothing was noted"
    );
}
