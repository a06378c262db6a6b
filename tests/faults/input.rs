//! What is presented in place of a token, and names that a filter could take for a pattern.

use crate::cost::measured;
use crate::figure;
use crate::harness::id_of;
use crate::process::{Home, have, stderr, stdout};

fn basic(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text)).into_bytes()
}

/// Each is read, and is no token: one answer for all of them, in less memory than a hash takes.
#[test]
fn whatever_is_no_token_gets_the_same_no_without_a_hash() {
    if !have("python3", "what a no costs") {
        return;
    }
    // The default cost: 19 MiB that cannot be overlooked.
    let home = Home::new("");
    std::fs::write(home.dir.path().join("patctl.properties"), "").expect("a file");
    let token = home.create(&["-q", "--user", "alice"]);
    let hashed = measured(&home, &["verify"], token.as_bytes());
    let with_check = |text: String| text.into_bytes();
    let mut last_changed = token.clone();
    let last = last_changed.pop().expect("a letter");
    last_changed.push(if last == 'x' { 'y' } else { 'x' });
    let upper = token.to_uppercase();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("a line end", b"\n".to_vec()),
        ("another check", with_check(last_changed)),
        ("another id", with_check(token.replace(id_of(&token), "0000000000"))),
        ("a letter less", with_check(token[..token.len() - 1].to_owned())),
        ("a byte over", with_check(format!("{token}x"))),
        ("capitals", with_check(upper)),
        ("1 KiB", vec![b'a'; 1024]),
        ("1 KiB and a byte", vec![b'a'; 1025]),
        ("1 MiB", vec![b'a'; 1 << 20]),
        ("every byte", (0..=255).collect()),
        ("a NUL behind it", [token.as_bytes(), b"\0"].concat()),
        ("a NUL within", [&token.as_bytes()[..20], b"\0", &token.as_bytes()[20..]].concat()),
        ("two tokens", format!("{token}\n{token}\n").into_bytes()),
        ("two tokens in a line", format!("{token} {token}").into_bytes()),
        ("a carriage return within", [&token.as_bytes()[..20], b"\r\n", &token.as_bytes()[20..]].concat()),
        ("not UTF-8", [token.as_bytes(), b"\xff\xfe"].concat()),
        ("a byte order mark", format!("\u{feff}{token}").into_bytes()),
        ("Bearer alone", b"Bearer ".to_vec()),
        ("Bearer twice", format!("Bearer Bearer {token}").into_bytes()),
        ("another scheme", format!("Digest {token}").into_bytes()),
        ("Basic that is no base64", b"Basic %%%".to_vec()),
        ("Basic without a colon", basic(&token)),
        ("Basic with a colon before it", basic(&format!(":alice:{token}"))),
        ("Basic with a colon behind it", basic(&format!("alice:{token}:"))),
        ("Basic with nothing behind the colon", basic("alice:")),
        ("Basic with a NUL", basic(&format!("alice\0:{token}"))),
        ("Basic twice", basic(&format!("Basic alice:{token}"))),
    ];
    let file = home.dir.path().join("presented");
    let mut ways = 0;
    for (what, bytes) in &cases {
        std::fs::write(&file, bytes).expect("a file");
        let by_name = ["verify", "--token-file", "presented"];
        for (args, input) in [(&["verify"][..], bytes.as_slice()), (&by_name, b"")] {
            let run = measured(&home, args, input);
            let said = (run.output.status.code(), stdout(&run.output), stderr(&run.output));
            assert_eq!(said, (Some(1), String::new(), "patctl: denied\n".to_owned()), "{what}: {args:?}");
            // It takes a hash's 19 MiB less than what computes one.
            assert!(run.kib + 12 * 1024 < hashed.kib, "{what}: {} of {} KiB", run.kib, hashed.kib);
            ways += 1;
        }
        // Neither an environment nor an argument can hold a NUL.
        if let Ok(text) = std::str::from_utf8(bytes)
            && !text.contains('\0')
            && text.len() < 100_000
        {
            let mut command = home.command(&["verify", "--token-env", "PRESENTED"]);
            let output = command.env("PRESENTED", text).output().expect("patctl");
            assert_eq!(
                (output.status.code(), stderr(&output).as_str()),
                (Some(1), "patctl: denied\n"),
                "{what}"
            );
            ways += 1;
        }
    }
    // The forms that are a token after all, so that the cases above fail for what they say.
    for good in [
        token.clone().into_bytes(),
        format!("{token}\n").into_bytes(),
        format!("{token}\r\n").into_bytes(),
        format!("Bearer {token}").into_bytes(),
        basic(&format!("alice:{token}")),
    ] {
        assert_eq!(measured(&home, &["verify"], &good).output.status.code(), Some(0), "{good:?}");
    }
    figure("token input", &format!("{} inputs, {ways} ways, one text, no hash", cases.len()));
}

#[test]
fn a_name_that_a_pattern_language_knows_means_itself() {
    let names =
        ["%", "_", "%%", "a%", "100%", "a_c", "abc", "*", "[x]", "x", "\\", "'", "--", "; DROP TABLE token"];
    for (at, name) in names.iter().enumerate() {
        let home = Home::new("atlassian.pats.max.tokens.per.user = 100");
        for name in names {
            home.create(&["-q", "--", name]);
        }
        // What has a meaning of its own in a glob is asked for as a bracket says it.
        let pattern: String = name
            .chars()
            .map(|c| if matches!(c, '*' | '[' | '?') { format!("[{c}]") } else { c.to_string() })
            .collect();
        let output = home.run(&["bulk-revoke", "--yes", "-q", &format!("--name={pattern}")]);
        assert!(output.status.success(), "{name}: {output:?}");
        let mut revoked = home.sql();
        let rows = revoked.transaction().expect("a look");
        let mut statement =
            rows.prepare("SELECT name FROM token WHERE revoked_at IS NOT NULL").expect("a statement");
        let found: Vec<String> =
            statement.query_map([], |row| row.get(0)).expect("rows").map(Result::unwrap).collect();
        assert_eq!(found, [*name], "{at}");
    }
    figure("LIKE wildcards", &format!("{} names, bulk-revoke --name took exactly the one", names.len()));
}
