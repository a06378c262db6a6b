//! Tokens and ids that come with more than themselves: what stands around them is named.

use crate::harness::{Patctl, Run, Setup, id_of};
use patctl::exit::Exit;

fn feed(patctl: &Patctl, args: &[&str], stdin: &str) -> Run {
    patctl.run_with(args, &Setup { stdin: stdin.as_bytes(), ..Setup::default() })
}

#[test]
fn a_token_in_wrapping_is_a_no_that_names_the_wrapping() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "alice"]);
    for (wrapped, layer) in [
        (format!("\"{token}\"\n"), "it has quotes around it"),
        (format!("'{token}'"), "it has quotes around it"),
        (format!("PATCTL_TOKEN={token}\n"), "it has a name before it"),
        (format!("export T='{token}'\n"), "it has quotes around it, and a name before it"),
        (format!("{token} "), "it has blanks or line ends around it"),
        (format!("{token}\u{a0}\n"), "it has blanks or line ends around it"),
        (format!("{token}\n\n"), "it has blanks or line ends around it"),
        (format!("\u{feff}{token}\n"), "it has a byte order mark before it"),
        (format!("Token {token}"), "it has a word before it that is neither Bearer nor Basic"),
        (format!("{token}\n{token}\n"), "it has another token beside it"),
    ] {
        for args in [&["whoami"][..], &["revoke", "--token-stdin", "--yes"]] {
            let run = feed(&patctl, args, &wrapped);
            run.says(Exit::No, &["the token is not alone", layer, "give the token and nothing else"]);
            assert!(run.stdout.is_empty() && !run.stderr.contains(&token[18..]), "{run:?}");
        }
        assert_eq!(feed(&patctl, &["verify"], &wrapped).stderr, "patctl: denied\n", "the same for every no");
        for command in ["whoami", "verify"] {
            let json = feed(&patctl, &[command, "-o", "json"], &wrapped).json();
            assert_eq!((&json["allowed"], &json["reason"]), (&false.into(), &"malformed".into()));
            assert!(json["hint"].as_str().is_some_and(|hint| hint.contains(layer)), "{json}");
        }
    }
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes, "it was not revoked");
}

#[test]
fn junk_in_quotes_has_no_wrapping() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let mistyped = format!("\"{}x\"", &token[..token.len() - 1]);
    for junk in ["\"junk\"", "Token junk", "", &mistyped] {
        feed(&patctl, &["whoami"], junk).says(Exit::No, &["no token of this database"]);
        assert_eq!(feed(&patctl, &["verify"], junk).stderr, "patctl: denied\n");
    }
}

#[test]
fn a_table_where_ids_are_wanted_is_not_called_a_token() {
    let patctl = Patctl::new();
    let token = patctl.create(&["tok", "--user", "alice", "--expires", "30"]);
    let listed = |format: &str| patctl.run(&["list", "-o", format]).stdout;
    for command in ["disable", "enable", "revoke"] {
        for format in ["csv", "table", "json", "jsonl"] {
            for line in listed(format).lines().filter(|line| !line.trim().is_empty()) {
                let run = feed(&patctl, &[command, "--ids-stdin"], line);
                run.says(Exit::Usage, &["stdin line 1: ", "one a line, as 'patctl list -o ids' prints them"]);
                let accuses = run.stderr.contains("whole token") || run.stderr.contains("command line");
                assert!(!accuses, "{format} {run:?}");
            }
        }
        let run = feed(&patctl, &[command, "--ids-stdin"], &format!("{token}\n"));
        run.says(Exit::Usage, &["stdin line 1: this is a whole token with its secret", "-o ids"]);
        assert!(!run.stderr.contains("command line") && !run.stderr.contains(&token[18..]), "{run:?}");
    }
    patctl.run(&["disable", &token]).says(Exit::Usage, &["does not belong on a command line"]);
    patctl.run(&["disable", &"x".repeat(38)]).says(Exit::Usage, &["an id is up to 10 characters"]);
    assert!(listed("ids").contains(id_of(&token)));
}
