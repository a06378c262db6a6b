//! No part of a secret anywhere but where it was asked for.

use crate::harness::{assert_no_secret, id_of};
use crate::process::{Home, PROGRAM, figure, have, skip, stderr};
use patctl::domain::cache::CacheKey;
use patctl::domain::integrity::IntegrityKey;
use patctl::domain::moment::Moment;
use patctl::domain::pat::AuthMethods;
use patctl::domain::presented::Presented;
use patctl::domain::token::PlainToken;
use patctl::domain::vault::VaultKey;
use patctl::mail::Credentials;
use patctl::service::issue::Issued;
use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;
use std::time::Duration;
use zeroize::Zeroizing;

/// A whole life of several tokens, as real processes; then every trace is searched.
#[test]
fn nothing_of_a_secret_is_left_in_any_file_message_or_process_list() {
    let home = Home::new("");
    let tokens = [home.create(&["--user", "alice"]), home.create(&["--expires", "90"])];
    let mut said = Vec::new();
    for token in &tokens {
        let wrong = format!("{}x", &token[..55]);
        for (args, input) in [
            (&["verify", "-o", "json"][..], token.as_str()),
            (&["verify"], wrong.as_str()),
            (&["show", id_of(token)], ""),
            (&["list", "-o", "json"], ""),
            (&["revoke", id_of(token)], ""),
            (&["revoke", token], ""),
            (&["show", token], ""),
            (&["verify", token], ""),
            (&["create", "--expires", token], ""),
            (&["create", "--user", token, "--note", "x\u{7}"], ""),
            (&["-D", token, "list"], ""),
            (&["-o", "json", token], ""),
            (&["list", "--db", token], ""),
        ] {
            let output = home.feed(args, input.as_bytes());
            said.extend([output.stdout, output.stderr].concat());
        }
    }
    for token in &tokens {
        let secret = &token[token.len() - 38..];
        assert_no_secret(secret, &said, "what was said");
        for entry in fs::read_dir(home.dir.path()).expect("the home") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                assert_no_secret(secret, &fs::read(&path).expect("a file"), &path.display().to_string());
            }
        }
    }
}

/// `/proc/PID/cmdline` and `environ` of a create that holds its secret and cannot get rid of it yet.
#[test]
fn the_process_list_shows_no_secret_of_a_create() {
    let home = Home::new("");
    home.create(&[]);
    let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&vec![b'x'; 65_536]).expect("a pipe holds 64 KiB");
    let mut child = home.command(&["create", "-q"]).stdout(writer).spawn().expect("patctl");
    // It waits for room in the pipe, with the token in its hands.
    std::thread::sleep(Duration::from_millis(300));
    let read = |file: &str| fs::read(format!("/proc/{}/{file}", child.id())).expect("procfs");
    let seen = [read("cmdline"), read("environ")].concat();
    assert!(!seen.is_empty(), "it was looked at while it ran");
    let mut printed = String::new();
    reader.read_to_string(&mut printed).expect("a pipe");
    assert!(child.wait().expect("patctl").success());
    let token = printed.trim_start_matches('x').trim_end();
    assert!(home.feed(&["verify"], token.as_bytes()).status.success());
    assert_no_secret(&token[token.len() - 38..], &seen, "cmdline and environ");
    figure("secrets in argv and environment", "0 hits beside a create and a verify at work");
}

/// `/proc/PID/cmdline` and `environ` of a verify that waits for its token.
#[test]
fn the_process_list_shows_no_secret() {
    let home = Home::new("");
    let token = home.create(&[]);
    let mut child = home
        .command(&["verify"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("patctl");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(&token.as_bytes()[..50]).expect("it reads");
    for file in ["cmdline", "environ"] {
        let read = || fs::read(format!("/proc/{}/{file}", child.id())).expect("procfs");
        // Empty between fork and exec.
        let bytes =
            std::iter::repeat_with(read).find(|bytes| !bytes.is_empty()).expect("an endless iterator");
        assert_no_secret(&token[token.len() - 38..], &bytes, file);
    }
    stdin.write_all(&token.as_bytes()[50..]).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("patctl");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn debug_of_everything_that_holds_a_secret_shows_none() {
    let home = Home::new("");
    let token = home.create(&["--user", "alice"]);
    let presented = Presented::parse(token.as_bytes()).expect("a token");
    let plain: PlainToken = token.parse().expect("a token");
    let issued = Issued {
        token: token.parse().expect("a token"),
        name: "ci".to_owned(),
        user: None,
        auth: AuthMethods::Both,
        rules: None,
        created_at: Moment::clamped(0),
        expires_at: None,
    };
    let secret = &token[token.len() - 38..];
    for shown in [format!("{presented:?}"), format!("{plain:?}"), format!("{issued:#?}")] {
        assert_no_secret(secret, shown.as_bytes(), "Debug");
    }
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let keys = [
        format!("{:?}", CacheKey::from_bytes(&key.as_bytes()[..32]).expect("a key")),
        format!("{:?}", IntegrityKey::parse(key.as_bytes()).expect("a key")),
        format!("{:?}", VaultKey::parse(key.as_bytes()).expect("a key")),
        format!(
            "{:?}",
            Credentials {
                user: "me".to_owned(),
                password: Zeroizing::new("correct horse battery".to_owned())
            }
        ),
    ];
    assert_eq!(keys, ["CacheKey(..)", "IntegrityKey(..)", "VaultKey(..)", "Credentials(..)"]);
}

/// What keeps a secret out of core dumps, other processes and readable files is done before a token is read.
#[test]
fn the_process_is_hardened_before_it_reads_a_token() {
    if !have("strace", "hardening") {
        return;
    }
    let home = Home::new("");
    let token = home.create(&[]);
    std::fs::write(home.dir.path().join("token"), token).expect("a file");
    let mut command = home.command_of("strace");
    command.args(["-qq", "-o", "log", "-e", "trace=prctl,prlimit64,umask,openat,rt_sigaction", PROGRAM]);
    let output = command.args(["verify", "--token-file", "token"]).output().expect("strace");
    assert!(output.status.success(), "{output:?}");
    let log = fs::read_to_string(home.dir.path().join("log")).expect("a log");
    let (before, _) = log.split_once("\"token\"").expect("the token is read");
    for call in [
        "RLIMIT_CORE, {rlim_cur=0, rlim_max=0}",
        "prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE)",
        "umask(077)",
        "rt_sigaction(SIGXFSZ, {sa_handler=SIG_IGN",
    ] {
        assert!(before.contains(call), "{call}\n{before}");
    }
}

#[test]
fn with_the_rights_of_another_it_does_nothing() {
    let home = Home::new("");
    // Copied by another process: while this one had it open to write, nobody could run it.
    let given = home.shell(&format!("cp {PROGRAM} program && chown 4242 program && chmod 4755 program"));
    if !given.status.success() {
        return skip(&format!("setuid: only root may give a file away: {}", stderr(&given).trim()));
    }
    let output = home.command_of("./program").arg("list").output().expect("patctl");
    assert_eq!(output.status.code(), Some(77), "{output:?}");
    assert!(stderr(&output).contains("refuses to run setuid"), "{output:?}");
}

#[test]
fn a_token_that_was_taken_for_a_setting_is_not_told() {
    let home = Home::new("");
    let token = home.create(&["-q"]);
    let secret = token.rsplit('_').next().expect("a secret");
    for key in ["patctl.mail.from", "patctl.token.prefix", "atlassian.pats.enabled", "no.such.property"] {
        let file = home.dir.path().join("given.properties");
        fs::write(&file, format!("{key} = {token}\n")).expect("a file");
        let file = file.to_str().expect("a name");
        for args in [
            &["--config", file, "doctor"][..],
            &["--config", file, "doctor", "-o", "json"],
            &["--config", file, "list"],
            &["config", "check", file],
            &["config", "check", file, "-o", "json"],
            &["config", "import", file],
            &["config", "import", file, "-o", "json"],
        ] {
            let output = home.run(args);
            let told = [output.stdout.as_slice(), &output.stderr].concat();
            assert!(!String::from_utf8_lossy(&told).contains(secret), "{key} {args:?}: {output:?}");
        }
    }
}
