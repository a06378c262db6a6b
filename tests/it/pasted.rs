//! Requests that `check` takes from a curl command or a message: what is refused, and what is kept secret.

use crate::process::{Home, have, scaled, stderr, stdout};
use patctl::cli::{curl, shell};
use patctl::domain::restriction::Sent;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use std::process::Output;

const SECRET: &str = "s3cr3t";

/// Reads the words of a command that are apart by blanks, with `␣` for a blank in a word; a file holds
/// what its name says.
fn parse(command: &str) -> Result<Sent, String> {
    let words: Vec<String> = command.split(' ').map(|word| word.replace('␣', " ")).collect();
    curl::parse(&words, &mut |name| {
        Ok(name.replace("CR", "\r").replace("LF", "\n").replace("NUL", "\0").into_bytes())
    })
}

#[test]
fn what_changes_the_request_and_is_not_understood_is_refused() {
    for (command, why) in [
        ("curl -F a=b http://h/", "--form"),
        ("curl --form-string a=b http://h/", "--form"),
        ("curl -T file http://h/", "--upload-file is not understood"),
        ("curl http://h/ --next http://h/", "--next"),
        ("curl http://h/ -: http://h/", "--next"),
        ("curl http://h/ http://h/", "two URLs"),
        ("curl --url http://h/ http://h/", "two URLs"),
        ("curl -K file http://h/", "--config is not understood"),
        ("curl -sKfile http://h/", "--config is not understood"),
        ("curl --aws-sigv4 aws:amz http://h/", "--aws-sigv4 is not understood"),
        ("curl --request-target /b http://h/a", "--request-target is not understood"),
        ("curl --proto-default ftp h", "--proto-default is not understood"),
        ("curl --hsts file http://h/", "--hsts is not understood"),
        ("curl --alt-svc file http://h/", "--alt-svc is not understood"),
        ("curl --crlf -d a http://h/", "--crlf is not understood"),
        ("curl -r 0-9 http://h/", "--range is not understood"),
        ("curl --dat a http://h/", "--dat is not understood"),
        ("curl --no-such-option http://h/", "--no-such-option is not understood"),
        ("curl -sJé http://h/", "-é is not understood"),
        ("curl -I -d a http://h/", "--head"),
        ("curl --head --json [] http://h/", "--head"),
        ("curl --get -d a --url-query b http://h/", "--get"),
        ("curl -G -d a%23#b http://h/", "plain #"),
        ("curl http://h/ -d", "lacks its value"),
        ("curl -X POST", "no URL"),
        ("wget http://h/", "first word is not curl"),
        ("curl ftp://h/", "would not speak HTTP"),
        ("curl h:/a", "would not speak HTTP"),
        ("curl http:/h/a", "would not speak HTTP"),
        ("curl http:///h/a", "a / too many"),
        ("curl FTP.example.com/a", "another protocol"),
        ("curl u@ldap.example.com/a", "another protocol"),
        ("curl http://h/a/../b", ". or .."),
        ("curl http://h/a/%2E%2e/b", ". or .."),
        ("curl --path-as-is --url-query a http://h/a/../b", ". or .."),
        ("curl http://h/{a,b}", "several URLs"),
        ("curl http://h/a?b[]=c", "several URLs"),
        ("curl http://{a,b}/", "several URLs"),
        ("curl http://u{a,b}@h/", "several URLs"),
        ("curl http://h/#[1-2]", "several URLs"),
        ("curl -H Name http://h/", "no colon"),
        ("curl -H X;Y: http://h/", "semicolon"),
        ("curl -d abc -H Content-Length:1 http://h/", "Content-Length"),
        ("curl -d abc -H Content-Length: http://h/", "Content-Length"),
        ("curl -d abc -H transfer-encoding:␣chunked http://h/", "transfer encoding"),
        ("curl -H @X:CRcontent-length:1 -d abc http://h/", "Content-Length"),
        ("curl -H Cookie:\rX-Original-URL:/b http://h/", "control character"),
        ("curl -H X:\nX-Original-URL:/b http://h/", "control character"),
        ("curl -b a=b\r\nX-Original-URL:/b http://h/", "control character"),
        ("curl -A a\r\nX-Original-URL:/b http://h/", "control character"),
        ("curl -e a\r\nX-Original-URL:/b http://h/", "control character"),
        ("curl --oauth2-bearer a\r\nX-Original-URL:/b http://h/", "control character"),
        ("curl -X GET\n http://h/", "control character"),
        ("curl -d @aNULb http://h/", "--data-binary"),
        ("curl --data-ascii @aCRbLF http://h/", "--data-binary"),
    ] {
        let answer = parse(command).expect_err(command);
        assert!(answer.contains(why), "{command:?}: {answer}");
    }
    for command in
        ["curl -d abc -H Content-Length:3 http://h/", "curl -X POST -H Content-Length:␣0 http://h/"]
    {
        parse(command).expect(command);
    }
}

/// A file is read up to a limit; without its newlines it must not seem to be within it.
#[test]
fn a_file_that_was_cut_off_stays_too_long() {
    let words = ["curl", "-d", "@long", "http://h/"].map(str::to_owned);
    let limit = patctl::domain::restriction::MAX_BODY;
    let sent = curl::parse(&words, &mut |_| Ok(b"a=b&\n".repeat(limit / 5 + 1))).expect("a request");
    assert!(sent.body.is_some_and(|body| body.len() > limit));
}

fn check(home: &Home, args: &[&str], input: &str) -> Output {
    home.feed(&[&["check"], args].concat(), input.as_bytes())
}

#[test]
fn credentials_of_a_command_are_never_shown() {
    let home = Home::new("");
    let good = [
        "curl -u user:s3cr3t -H Authorization:␣Bearer␣s3cr3t -H Cookie:␣a=s3cr3t http://h/a",
        "curl -uuser:s3cr3t -bs3cr3t=s3cr3t -H cookie:s3cr3t --proxy-user u:s3cr3t http://h/a",
        "curl --oauth2-bearer s3cr3t -H Proxy-Authorization:s3cr3t -d a http://u:s3cr3t@h/a",
        "curl --user user:s3cr3t --pass s3cr3t --cookie s3cr3t -H AUTHORIZATION:s3cr3t u:s3cr3t@h/a",
    ];
    // Each has a secret, and a mistake.
    let bad = [
        "curl -u user:s3cr3t --no-such-option http://h/a",
        "curl --user=user:s3cr3t http://h/a",
        "curl --oauth2-bearer=s3cr3t http://h/a",
        "curl␣-u␣user:s3cr3t␣http://h/a",
        "curl http://u:s3cr3t@h/a http://u:s3cr3t@h/b",
        "curl ftp://u:s3cr3t@h/a",
        "curl http://u:s3cr3t@h/a/../b",
        "curl http://u:s3cr3t{}@h/a",
        "curl -H Authorization␣Bearer␣s3cr3t http://h/a",
        "curl -H Authorization:␣Bearer␣s3cr3t\n http://h/a",
        "curl -b a=s3cr3t\n http://h/a",
        "curl -u user:s3cr3t",
        "curl -H",
    ];
    for (command, status) in good.iter().map(|good| (good, 0)).chain(bad.iter().map(|bad| (bad, 2))) {
        if let Ok(sent) = parse(command) {
            assert!(!format!("{sent:?}").contains(SECRET), "{command}: {sent:?}");
        }
        let words: Vec<String> = command.split(' ').map(|word| word.replace('␣', " ")).collect();
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for format in ["json", "table"] {
            let args = ["--restrict", ".*", "-o", format];
            for output in [
                check(&home, &[&args[..], &["--"], &words].concat(), ""),
                check(&home, &[&args[..], &["--curl-file", "-"]].concat(), &quoted.join(" ")),
            ] {
                assert_eq!(output.status.code(), Some(status), "{command}: {output:?}");
                let said = stdout(&output) + &stderr(&output);
                assert!(!said.is_empty() && !said.contains(SECRET), "{command}: {said}");
            }
        }
    }
}

#[test]
fn a_pasted_command_is_split_and_judged() {
    let home = Home::new("");
    let rule = r#"[post]/rest/.*[QueryParam::q==a b][JsonData::text=="It's" \(ü\)]"#;
    let args = ["--restrict", rule, "-o", "json", "--curl-file", "-"];
    for pasted in [
        "curl 'https://h.example/rest/x?q=a%20b' --json '{\"text\":\"\\\"It'\\''s\\\" (ü)\"}'\n",
        "\n  curl -X POST \"https://h.example/rest/x?q=a+b\" \\\n    -H 'Content-Type: application/json' \\\r\n  \
         --data-raw $'{\"text\":\"\\\\\"It\\'s\\\\\" (\\u00fc)\"}' # as a browser copies it\n\n",
        "curl --url-query q=a\\ b -sd \"{\\\"text\\\":\\\"\\\\\\\"It's\\\\\\\" (ü)\\\"}\" -HContent-Type:application/json \
         h.example/rest/x#y",
    ] {
        let output = check(&home, &args, pasted);
        assert!(stderr(&output).is_empty(), "{pasted}: {output:?}");
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(answer["request"]["method"], "POST", "{pasted}");
        assert_eq!(
            (&answer["verdict"], output.status.code()),
            (&"allow".into(), Some(0)),
            "{pasted}: {answer}"
        );
    }
    for (pasted, why) in [
        ("curl http://h/$VAR", "replace $"),
        ("curl \"http://h/${VAR}\"", "replace $"),
        ("curl http://h/$(id)", "replace $"),
        ("curl http://h/$[1+1]", "replace $"),
        ("curl http://h/$\\\nVAR", "replace $"),
        ("curl -d $\"a\" http://h/", "replace $"),
        ("curl http://h/`id`", "replace `"),
        ("curl -d \"`id`\" http://h/", "replace `"),
        ("curl http://h/ | jq .", "plain |"),
        ("curl http://h/?a=1&b=2", "plain &"),
        ("curl http://h/ > file", "plain >"),
        ("curl http://h/ ; curl http://h/", "plain ;"),
        ("curl -d {a,b} http://h/", "plain {"),
        ("(curl http://h/)", "plain ("),
        ("curl http://h/\ncurl http://h/", "more than one command"),
        ("curl 'http://h/", "' is not closed"),
        ("curl \"http://h/", "\" is not closed"),
        ("curl $'http://h/", "$' is not closed"),
        ("curl $'http://h/\\101'", "escape"),
        ("curl http://h/ \\", "ends in"),
        ("TOKEN=x curl http://h/", "first word is not curl"),
        ("", "no command"),
    ] {
        let output = check(&home, &["--restrict", ".*", "--curl-file", "-"], pasted);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{pasted}");
        assert!(stderr(&output).contains(why), "{pasted}: {output:?}");
    }
}

#[test]
fn words_that_are_split_are_split_as_bash_does() {
    const PIECES: [&str; 24] = [
        "a", "b=c", " ", "\t", "\n", "'", "'x y'", "\"", "\"x y\"", "\\", "\\\n", "$", "$'", "\\x41",
        "\\u00fc", "\\n", "\\!", "#", "{", "}", ",", "!", "`", "é",
    ];
    if !have("bash", "words_that_are_split_are_split_as_bash_does") {
        return;
    }
    let home = Home::new("");
    let wanted = scaled(300, 5000);
    let mut dice = StdRng::seed_from_u64(13);
    let mut split = 0;
    while split < wanted {
        let text: String =
            (0..dice.random_range(1..8)).map(|_| *PIECES.choose(&mut dice).expect("some")).collect();
        // Nothing that is for the shell is left in what is accepted, but the words of this one command.
        let script = format!("printf '%s\\0' {text}");
        let Ok(words) = shell::words(&script) else { continue };
        split += 1;
        let output =
            home.command_of("bash").env("LC_ALL", "C.UTF-8").args(["-c", &script]).output().expect("bash");
        // Without any, printf writes one that is empty.
        let expected = words[2..].join("\0") + "\0";
        assert_eq!((stdout(&output), stderr(&output)), (expected, String::new()), "{script}");
    }
}

#[test]
fn a_message_is_judged_as_it_was_logged() {
    let home = Home::new("");
    let body = r#"{"kind":"bug"}"#;
    let length = body.len();
    let head = "POST /rest/x?q=a%20b HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer s3cr3t\r\nCookie: a=s3cr3t\r\n\
                Content-Type: application/json\r\n";
    let good = format!("{head}Content-Length: {length}\r\n\r\n{body}");
    let rule = "[post]/rest/x[QueryParam::q==a b][JsonData::kind==bug]";
    let file = home.dir.path().join("message");
    for message in [good.clone(), good.replace("\r\n", "\n"), format!("{head}\r\n{body}")] {
        std::fs::write(&file, &message).expect("a file");
        for name in ["message", "-"] {
            let output = check(&home, &["--restrict", rule, "-o", "json", "--http-file", name], &message);
            let said = stdout(&output) + &stderr(&output);
            assert_eq!(output.status.code(), Some(0), "{said}");
            assert!(said.contains(r#""path":"/rest/x""#) && !said.contains(SECRET), "{said}");
        }
    }
    for (message, why) in [
        (good.replace("h: 14", "h: 13"), "the body has 14 bytes"),
        (good.replace("Content-Length: 14", "Transfer-Encoding: chunked"), "transfer encoding"),
        (good.replace("Cookie:", " Cookie:"), "goes on over lines"),
        (good.replace("Cookie:", "Cookie"), "line 4: a header is"),
        (good.replace(" HTTP/1.1", ""), "line 1"),
        (String::new(), "line 1"),
    ] {
        let output = check(&home, &["--restrict", ".*", "--http-file", "-"], &message);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{message}");
        assert!(stderr(&output).contains(why) && !stderr(&output).contains(SECRET), "{message}: {output:?}");
    }
}
