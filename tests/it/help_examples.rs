//! Every example in the help of every command, executed with default limits.

use crate::process::{Home, have, stderr, stdout};

/// What the examples need: tokens, files and a repository. Ids of the examples are replaced by real ones.
const SCENE: &str = r#"
set -e
mkdir -p run backups logs ~/.local/share/bash-completion/completions ~/.zfunc ~/.config/fish/completions
RULED=$(patctl create ci --user alice --expires 90 -q --restrict '[get]/reports/.*' --restrict '[get]/x')
ONE=$(cut -d_ -f2 <<< "$RULED")
OTHER=$(patctl create other --user alice --expires 90 -q)
TWO=$(cut -d_ -f2 <<< "$OTHER")
export TOKEN=$OTHER
OFF=$(patctl create off --user bob -q | cut -d_ -f2)
patctl disable "$OFF" -q
printf '%s\n' "$OTHER" > run/ci.token
cp run/ci.token leaked.token
cp run/ci.token found.token
printf '[get]/reports/.*\n[get].*/rest/api/2/issue.*\n' > ci.rules
echo 'curl https://jira.example.com/reports/1' > pasted.txt
echo '{"rule":"[get]/x","method":"GET","url":"/x","expect":"allow"}' > cases.jsonl
printf '{"token":"%s"}\n' "$OTHER" > requests.jsonl
command -v age-keygen > /dev/null && export KEY="$(age-keygen 2> /dev/null | age-keygen -y)"
export URL=/reports/1 HTTP_AUTHORIZATION="Bearer $OTHER"
"#;

/// Examples in the help of `patctl`, or of one of its commands.
fn examples(home: &Home, command: &[&str]) -> Vec<String> {
    let help = home.run(&[command, &["--help"]].concat());
    let help = stdout(&help);
    let block = help.split("Examples:\n").nth(1).unwrap_or_default();
    let mut examples: Vec<String> = Vec::new();
    for line in block.lines().take_while(|line| line.starts_with("  ")) {
        match examples.last_mut() {
            // A long one goes on in the next line, indented further.
            Some(begun) if line.starts_with("    ") => {
                *begun = format!("{} {}", begun.trim_end_matches('\\').trim_end(), line.trim());
            }
            _ => examples.push(line.trim().to_owned()),
        }
    }
    examples
}

/// The example as a script for the scene; `None` for one that needs a terminal.
fn script(example: &str) -> Option<String> {
    if example.contains("on a terminal") {
        return None;
    }
    // A remark follows after blanks, and a crontab line begins with its times.
    let line = example.split("   ").next().unwrap_or_default();
    let line = line.trim_start_matches(['0', '*', ' ']).replace("/usr/local/bin/", "");
    let before = match line.as_str() {
        line if line.contains("restore") => "patctl backup backups/patctl-2026-11-21.db -q",
        line if line.contains("--undo") => "patctl rotate \"$ONE\" --grace 24h > /dev/null",
        line if line.contains("git log") => {
            "git init -q . && git -c user.name=a -c user.email=a@x commit -q --allow-empty -m x"
        }
        _ => ":",
    };
    let line = line
        .replace("7k3m9xq2v8", "\"$ONE\"")
        .replace("snippet 7k3m", "snippet \"$TWO\"")
        .replace("7k3m", "\"$ONE\"")
        .replace("--after 1200", "--after 3")
        .replace("01ab", "\"$TWO\"")
        .replace("--token-file /run/secrets/ci.token --expires", "--token-file run/made.token --expires")
        .replace("/run/secrets", "run")
        .replace("/var/backups", "backups")
        .replace("/var/log /etc", "logs")
        .replace('…', ":");
    let line = if line.contains("--follow") { format!("timeout 1 {line} || test $? = 124") } else { line };
    Some(format!("{SCENE}{before}\nset -o pipefail\n{line}\n"))
}

#[test]
fn every_example_of_the_help_works_with_default_settings() {
    let list = Home::new("");
    let commands: Vec<String> = {
        let help = stdout(&list.run(&["--help"]));
        let commands = help.split("Commands:").nth(1).expect("a list of commands");
        let names = commands.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
        names
            .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
            .map(str::to_owned)
            .collect()
    };
    assert!(commands.len() > 20, "{commands:?}");
    let (mut tried, mut failed) = (0, Vec::new());
    for command in std::iter::once(None).chain(commands.iter().map(Some)) {
        let path: Vec<&str> = command.iter().map(|name| name.as_str()).collect();
        for example in examples(&list, &path) {
            let needs =
                ["jq", "man", "git", "age"].into_iter().find(|tool| example.contains(&format!("{tool} ")));
            if needs.is_some_and(|tool| !have(tool, "every_example_of_the_help")) {
                continue;
            }
            let Some(script) = script(&example) else { continue };
            let home = Home::new("");
            let output = home.shell(&script);
            // An answer is no failure: a leak was found, there is no id to revoke, no transport is set.
            let answer = match example.as_str() {
                line if line.contains("patctl scan") => Some(1),
                line if line.contains("--unused-for") && line.contains("--ids-stdin") => Some(1),
                line if line.contains("patctl notify") => Some(78),
                _ => None,
            };
            if !output.status.success() && output.status.code() != answer {
                failed.push(format!("{example}: {} {}", output.status, stderr(&output)));
            }
            tried += 1;
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(tried > 60, "{tried}");
}
