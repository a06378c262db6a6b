//! What a snippet must not do: leak the token, or lose a request at a redirect.

use crate::harness::{Patctl, assert_no_secret, id_of};
use crate::process::{have, stderr, stdout};
use crate::snippet_place::Place;
use patctl::exit::Exit;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

/// The languages, and the program that runs each.
const RUNNERS: [(&str, &str); 6] = [
    ("curl", "curl"),
    ("wget", "wget"),
    ("httpie", "http"),
    ("javascript", "node"),
    ("python", "python3"),
    ("go", "go"),
];

const TOKEN: &str = "patctl_7k3m9xq2v8_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123453X9qJF";

fn snippet(args: &[&str]) -> String {
    let run = Patctl::new().run(&[&["snippet"], args].concat());
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    run.stdout
}

/// Argument lists and environments of all processes that have `word` in their arguments.
fn processes_with(word: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("procfs").filter_map(Result::ok) {
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let arguments = read("cmdline");
        if arguments.windows(word.len()).any(|window| window == word.as_bytes()) {
            let name = String::from_utf8_lossy(&read("comm")).trim().to_owned();
            found.push((name, [arguments, read("environ")].concat()));
        }
    }
    found
}

/// Runs a snippet against a server that does not answer, and looks at who calls it.
fn caught(place: &Place, snippet: &str, shell: &str) -> Vec<(String, Vec<u8>)> {
    let gate = place.server.gate.lock().expect("the gate");
    fs::write(place.dir.path().join("call.sh"), snippet).expect("a file");
    fs::write(place.dir.path().join("token"), TOKEN).expect("a file");
    let mut command = place.command(shell);
    command.arg("call.sh").env("PATCTL_TOKEN", TOKEN).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect(shell);
    let received = place.server.next();
    assert_eq!(received.named("Authorization").len(), 1, "{received:?}");
    let found = processes_with(&format!("127.0.0.1:{}/slow", place.server.port));
    let names: Vec<_> = fs::read_dir(place.dir.path()).expect("it").filter_map(Result::ok).collect();
    assert!(!names.iter().any(|entry| entry.file_name().to_string_lossy().starts_with("tmp.")), "{names:?}");
    drop(gate);
    let output = child.wait_with_output().expect(shell);
    assert!(output.status.success(), "{snippet}\n{}{}", stdout(&output), stderr(&output));
    found
}

#[test]
fn no_argument_list_and_no_environment_of_what_calls_holds_the_token() {
    let place = Place::new();
    let url = place.server.url("/slow");
    for (language, program, comm) in
        [("curl", "curl", "curl"), ("wget", "wget", "wget"), ("httpie", "http", "http")]
    {
        if !have(program, "no_argument_list_and_no_environment_of_what_calls_holds_the_token") {
            continue;
        }
        let flags: [&[&str]; 4] = [
            &["--auth=bearer"],
            &["--user=alice"],
            &["--token-file=token"],
            &["--user=a", "--token-file=token"],
        ];
        for (flags, shell) in flags.into_iter().zip(["dash", "bash", "zsh", "dash"]) {
            if !have(shell, "no_argument_list_and_no_environment_of_what_calls_holds_the_token") {
                continue;
            }
            let text =
                snippet(&[&["--lang", language, "--method=POST", "--data=x", "--url", &url], flags].concat());
            // HTTPie has a child that looks for updates.
            let found = caught(&place, &text, shell);
            assert!(!found.is_empty(), "{text}");
            for (name, bytes) in found {
                assert_eq!(name, comm, "{text}");
                assert_no_secret(&TOKEN[18..], &bytes, &text);
                // The pair of Basic.
                for pair in ["YWxpY2U6cGF0Y3Rs", "YTpwYXRjdGxf"] {
                    assert!(!String::from_utf8_lossy(&bytes).contains(pair), "{text}");
                }
            }
        }
        // And it would be noticed.
        let leaky = snippet(&["--lang", language, "--url", &url]).replace("env -u PATCTL_TOKEN", "env");
        let found = caught(&place, &leaky, "bash");
        assert!(String::from_utf8_lossy(&found[0].1).contains(TOKEN), "{leaky}");
    }
}

#[test]
fn without_its_token_a_snippet_calls_nobody() {
    let place = Place::new();
    let url = place.server.url("/a");
    for (language, program) in RUNNERS.into_iter().filter(|(language, _)| *language != "go") {
        if !have(program, "without_its_token_a_snippet_calls_nobody") {
            continue;
        }
        for flags in [&[][..], &["--token-file=missing"], &["--user=alice"]] {
            let text = snippet(&[&["--lang", language, "--url", &url], flags].concat());
            let output = place.run(language, &text, None, 0);
            assert!(!output.status.success(), "{text}: {output:?}");
            let why = stderr(&output);
            assert!(why.contains("PATCTL_TOKEN") || why.contains("missing"), "{text}: {why}");
        }
    }
    assert_eq!(place.server.received(), []);
}

#[test]
fn method_and_body_survive_redirects_with_follow() {
    let (place, elsewhere) = (Place::new(), Place::new());
    for (language, program) in [("curl", "curl"), ("javascript", "node"), ("python", "python3"), ("go", "go")]
    {
        if !have(program, "method_and_body_survive_redirects_with_follow") {
            continue;
        }
        let codes: &[&str] =
            if language == "go" { &["301", "303"] } else { &["301", "302", "303", "307", "308"] };
        for (round, code) in codes.iter().enumerate() {
            for (method, body) in [("POST", "--data=a=1&b"), ("PUT", "--data={}"), ("DELETE", "")] {
                if method != "POST" && (language == "go" || round != 1) {
                    continue;
                }
                let url = place.server.url(&format!("/redirect/{code}/redirect/{code}/there?x=1"));
                let mut args =
                    vec!["--lang", language, "--url", &url, "--method", method, "--content-type=a/b"];
                args.extend(Some(body).filter(|body| !body.is_empty()));
                let user = ["--auth=bearer", "--user=alice"][round % 2];
                let text = snippet(&[&args[..], &[user, "--follow"]].concat());
                let output = place.run(language, &text, Some(TOKEN), 0);
                let arrived = place.server.received();
                assert_eq!(arrived.len(), 3, "{code} {text}\n{}{}", stdout(&output), stderr(&output));
                let last = &arrived[2];
                assert_eq!(last.target, "/there?x=1", "{text}");
                assert_eq!(last.method, method, "{code} {text}");
                assert_eq!(
                    String::from_utf8_lossy(&last.body),
                    body.trim_start_matches("--data="),
                    "{code} {text}"
                );
                assert_eq!(last.named("Authorization"), arrived[0].named("Authorization"), "{text}");
                assert_eq!(last.named("Content-Type"), ["a/b"], "{text}");
            }
        }
        let alone =
            snippet(&["--lang", language, "--url", &place.server.url("/redirect/302/there"), "--data=x"]);
        place.run(language, &alone, Some(TOKEN), 0);
        assert_eq!(place.server.received().len(), 1, "{alone}");
        // Nobody else gets the token.
        let url = place.server.url(&format!("/redirect/302/to/{}", elsewhere.server.port));
        let text = snippet(&["--lang", language, "--url", &url, "--data=x", "--follow"]);
        place.run(language, &text, Some(TOKEN), 0);
        assert_eq!(place.server.received().len(), 1, "{text}");
        for stranger in elsewhere.server.received() {
            assert_eq!(stranger.named("Authorization"), [""; 0], "{text}");
        }
    }
}

/// What is said of curl is true of this curl.
#[test]
fn what_is_explained_about_redirects_is_what_curl_does() {
    if !have("curl", "what_is_explained_about_redirects_is_what_curl_does") {
        return;
    }
    let (patctl, place) = (Patctl::new(), Place::new());
    for code in ["301", "302", "303"] {
        for (method, becomes, said) in
            [("POST", "GET", "make a GET of it"), ("PUT", "PUT", "without its body")]
        {
            let url = place.server.url(&format!("/redirect/{code}/there"));
            let run = patctl.run(&["snippet", "--url", &url, "--method", method, "--data=x"]);
            let told = run.stderr.replace('\n', " ");
            assert!(
                told.contains(said) && told.contains("301, 302 and 303") && told.contains("--follow"),
                "{told}"
            );
            let text = run.stdout.replace("curl --silent", "curl --location --silent");
            place.run("curl", &text, Some(TOKEN), 0);
            let arrived = place.server.received();
            assert_eq!(arrived.len(), 2, "{text}");
            assert_eq!((arrived[1].method.as_str(), arrived[1].body.len()), (becomes, 0), "{code} {text}");
        }
    }
    patctl
        .run(&["help", "snippet"])
        .stdout
        .contains("301, 302 and 303")
        .then_some(())
        .expect("the help says it, too");
}

/// With `--with-token` the call works as well, and the token is in no argument list but the shell's.
#[test]
fn a_call_with_its_token_inside_is_sent() {
    let place = Place::new();
    let patctl = Patctl::new();
    let key = patctl.path("vault.key");
    fs::write(&key, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").expect("a file");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("chmod");
    patctl.configure(&format!("patctl.token.vault.key.file = {}\n", key.display()));
    let token = patctl.create(&["--user", "alice"]);
    let url = place.server.url("/a");
    for (language, program) in RUNNERS {
        if !have(program, "a_call_with_its_token_inside_is_sent") {
            continue;
        }
        let args = ["--with-token", "--lang", language, "--url", &url, "--data=x"];
        let call = patctl.run(&[&["snippet", id_of(&token)], &args[..]].concat());
        assert_eq!(call.exit, Exit::Yes, "{call:?}");
        let output = place.run(language, &call.stdout, None, 0);
        let told = format!("{language}: {}{}", stdout(&output), stderr(&output));
        let presented = place.server.next().named("Authorization").join("|");
        assert_eq!(patctl.verify(presented, &[]).0, Exit::Yes, "{told}");
    }
}

/// gofmt has nothing to change.
#[test]
fn go_is_written_as_gofmt_writes_it() {
    if !have("gofmt", "go_is_written_as_gofmt_writes_it") {
        return;
    }
    let (patctl, dir) = (Patctl::new(), tempfile::tempdir().expect("a directory"));
    let url = "--url=https://h.example/a";
    for (number, flags) in [
        &["--data=x", "--header=X: y"][..],
        &["--follow", "--token-file=x", "--method=POST", "--data=x"],
        &["--user=alice", "--follow"],
        &[],
    ]
    .into_iter()
    .enumerate()
    {
        let run = patctl.run(&[&["snippet", "--lang=go", url], flags].concat());
        fs::write(dir.path().join(format!("{number}.go")), run.stdout).expect("a file");
    }
    let output =
        std::process::Command::new("gofmt").args(["-l", "-d"]).arg(dir.path()).output().expect("gofmt");
    assert!(output.status.success() && output.stdout.is_empty(), "{}", stdout(&output));
}
