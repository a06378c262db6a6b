//! No part of a secret anywhere but where it was asked for.

use crate::harness::{assert_no_secret, id_of};
use crate::process::{Home, stderr};
use std::fs;
use std::io::Write;
use std::process::Stdio;

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

/// `/proc/PID/cmdline` and `environ` of a verify that waits for its token, and of a create.
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
    let presented = patctl::domain::presented::Presented::parse(token.as_bytes()).expect("a token");
    assert_no_secret(&token[token.len() - 38..], format!("{presented:?}").as_bytes(), "Debug");
}
