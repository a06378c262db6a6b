//! The README's examples, run as they are printed.

use crate::process::{Home, stderr, stdout};

const README: &str = include_str!("../../README.md");

/// The fenced blocks of one language, in order.
pub fn blocks<'r>(language: &str) -> Vec<&'r str> {
    let fence = format!("```{language}\n");
    README.split(&fence).skip(1).map(|rest| rest.split("```").next().expect("a block ends")).collect()
}

/// A file that the README writes in a here-document.
pub fn written(mark: &str) -> &'static str {
    let (begin, end) = (format!("<<'{mark}'\n"), format!("\n{mark}\n"));
    let text = README.split(&begin).nth(1).and_then(|rest| rest.find(&end).map(|at| &rest[..=at]));
    text.expect("a here-document")
}

/// Every `sh` block is a script of its own, run in a fresh home with a token named "ci" in it.
#[test]
fn every_shell_example_runs_as_printed() {
    let scripts = blocks("sh");
    assert!(scripts.len() >= 4, "the README shows its recipes in sh blocks");
    for script in scripts {
        let home = Home::new("");
        let token = home.create(&["ci", "--user", "alice"]);
        std::fs::write(home.dir.path().join("ci.token"), &token).expect("a file");
        // Which an earlier block made.
        std::fs::write(home.dir.path().join("ci.rules"), written("RULES")).expect("a file");
        let output = home
            .command_of("bash")
            .env("TOKEN", &token)
            .env("ID", crate::harness::id_of(&token))
            .args(["-euo", "pipefail", "-c", script])
            .output()
            .expect("bash");
        assert!(output.status.success(), "{script}\n{}{}", stdout(&output), stderr(&output));
    }
}

/// The crontab lines of the README, their commands run by `sh` as cron does.
#[test]
fn every_crontab_line_is_silent() {
    let lines: Vec<&str> =
        blocks("crontab").into_iter().flat_map(str::lines).filter(|line| !line.starts_with('#')).collect();
    assert!(!lines.is_empty());
    for line in lines {
        let command = line.splitn(6, ' ').nth(5).expect("five fields, then the command");
        // Nothing is due; tests/it/recipes.rs has a mail server for what is.
        let home =
            Home::new("patctl.mail.from = a@example.com\npatctl.mail.transport = smtp://localhost:9\n");
        home.create(&[]);
        let output = home.command_of("sh").args(["-c", command]).output().expect("sh");
        assert!(output.status.success(), "{line}: {output:?}");
        assert_eq!((stdout(&output), stderr(&output)), (String::new(), String::new()), "{line}");
    }
}

#[test]
fn the_readme_has_the_exit_statuses_and_every_property() {
    for line in patctl::exit::HELP.lines().skip(1) {
        let (number, meaning) = line.trim().split_once("  ").expect("a number and a meaning");
        let meaning = meaning.trim();
        assert!(
            README.lines().any(|l| l.contains(&format!("| {number} |")) && l.contains(meaning)),
            "{number} {meaning}"
        );
    }
    for key in patctl::config::keys::KEYS {
        let default = key.default.unwrap_or("");
        let row = format!("| `{}` | {default} |", key.name);
        assert!(README.contains(&row), "{row}");
    }
}

/// What a heading is called in a link, as the renderers of README files agree on it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

#[test]
fn every_link_within_the_readme_leads_somewhere() {
    let mut fenced = false;
    let mut anchors = Vec::new();
    for line in README.lines() {
        fenced ^= line.starts_with("```");
        if !fenced && line.starts_with('#') {
            anchors.push(anchor(line.trim_start_matches('#').trim()));
        }
    }
    let links: Vec<&str> =
        README.split("](").skip(1).map(|rest| rest.split(')').next().expect("a link ends")).collect();
    assert!(links.iter().filter(|link| link.starts_with('#')).count() > 10);
    for link in links {
        match link.strip_prefix('#') {
            Some(to) => assert!(anchors.iter().any(|anchor| anchor == to), "{link} of {anchors:?}"),
            None => assert!(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(link).exists(), "{link}"),
        }
    }
}
