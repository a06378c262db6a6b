//! The manual pages: made from the definition of the command line, checked in, and held current.
//! `UPDATE=1` rewrites them.

use crate::harness::{Patctl, Setup};
use crate::process::{Home, have, stdout};
use clap::Command;
use patctl::cli::{definition, topics};
use patctl::exit::{self, Exit};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const FILES: &str = "\
.TP
~/.local/share/patctl/patctl.db
The database, made by the first \\(oqpatctl create\\(cq.
For root it is /var/lib/patctl/patctl.db.
Files beside it that end in -wal and -shm belong to it.
.TP
~/.config/patctl/patctl.properties, /etc/patctl/patctl.properties
The configuration: the first that exists is read.
";

const ENVIRONMENT: &str = "\
.TP
PATCTL_DB, PATCTL_CONFIG
The database and the configuration, where no option names them.
.TP
XDG_DATA_HOME, XDG_CONFIG_HOME, HOME
Where the database and the configuration are looked for otherwise.
.TP
NO_COLOR, TERM
No colour, when NO_COLOR is set or TERM is dumb.
.PP
No variable is read for a token, unless \\-\\-token\\-env names it.
";

/// Text of a line as roff: no escapes, no requests, hyphens that can be copied.
fn plain(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}

/// A paragraph, broken where a line of source should end.
fn filled(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("at least one");
        if !last.is_empty() && last.len() + word.len() > 70 {
            lines.push(word.to_owned());
        } else {
            last.push_str(if last.is_empty() { "" } else { " " });
            last.push_str(word);
        }
    }
    lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n")
}

fn section(page: &mut String, title: &str, body: &str) {
    if !body.is_empty() {
        write!(page, ".SH {title}\n{body}").expect("a string");
    }
}

/// A text that is laid out already.
fn verbatim(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| plain(line.trim_end())).collect();
    format!(".nf\n{}\n.fi\n", lines.join("\n"))
}

fn examples(command: &Command) -> String {
    let text = command.get_before_help().map(ToString::to_string).unwrap_or_default();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    if lines.is_empty() { String::new() } else { verbatim(&lines.join("\n")) }
}

fn options(command: &Command) -> String {
    let mut text = String::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let name = arg.to_string();
        let short = arg.get_short().filter(|_| arg.get_long().is_some()).map(|c| format!("-{c}, "));
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let words: Vec<String> =
            arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        let set = if words.is_empty() || arg.is_hide_possible_values_set() || !arg.get_action().takes_values()
        {
            String::new()
        } else {
            format!("\n(one of {})", plain(&words.join(", ")))
        };
        writeln!(
            text,
            ".TP\n\\fB{}\\fR\n{}{set}",
            plain(&format!("{}{name}", short.unwrap_or_default())),
            filled(&help)
        )
        .expect("a string");
    }
    text
}

fn subcommands(command: &Command) -> String {
    let mut text = String::new();
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        let about = inner.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(text, ".TP\n\\fB{}\\fR\n{}", plain(inner.get_name()), plain(&about)).expect("a string");
        if command.get_name() != "patctl" {
            text.push_str(&options(inner).replace(".TP\n", ".TP 14\n"));
            text.push_str(&examples(inner));
        }
    }
    text
}

fn page(command: &Command, name: &str, others: &[String]) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut clone = command.clone().bin_name(name.replacen('-', " ", 1));
    let usage = clone.render_usage().to_string();
    let mut page = format!(
        ".TH {} 1 2026-11-21 \"patctl {}\"\n",
        plain(&name.to_uppercase()),
        env!("CARGO_PKG_VERSION")
    );
    section(&mut page, "NAME", &format!("{} \\- {}\n", plain(name), plain(&about)));
    section(&mut page, "SYNOPSIS", &verbatim(usage.trim_start_matches("Usage: ")));
    section(&mut page, "EXAMPLES", &examples(command));
    if !after.starts_with("Exit status") && !after.is_empty() {
        let paragraphs: Vec<String> = after.split("\n\n").map(|p| format!("{}\n", filled(p))).collect();
        section(&mut page, "DESCRIPTION", &paragraphs.join(".PP\n"));
    }
    section(&mut page, "COMMANDS", &subcommands(command));
    section(&mut page, "OPTIONS", &options(command));
    if name == "patctl" {
        for (topic, text) in topics::TOPICS.iter().filter(|(topic, _)| *topic != "exit-status") {
            let body: Vec<&str> = text.lines().skip(1).collect();
            section(&mut page, &topic.to_uppercase(), &verbatim(&body.join("\n")));
        }
    }
    let table = if name == "patctl-expiring" { exit::MONITOR_HELP } else { exit::HELP };
    let statuses: Vec<&str> = table.lines().skip(1).collect();
    section(&mut page, "EXIT STATUS", &verbatim(&statuses.join("\n")));
    section(&mut page, "FILES", FILES);
    section(&mut page, "ENVIRONMENT", ENVIRONMENT);
    let others: Vec<String> = others
        .iter()
        .filter(|other| *other != name)
        .map(|other| format!("\\fB{}\\fR(1)", plain(other)))
        .collect();
    section(&mut page, "SEE ALSO", &format!("{}\n", others.join(",\n")));
    let lines: Vec<&str> = page.lines().filter(|line| !line.is_empty()).collect();
    lines.join("\n") + "\n"
}

fn pages() -> Vec<(String, String)> {
    let mut root = definition();
    root.build();
    let mut commands: Vec<(String, Command)> = vec![("patctl".to_owned(), root.clone())];
    for inner in root.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        commands.push((format!("patctl-{}", inner.get_name()), inner.clone()));
    }
    let names: Vec<String> = commands.iter().map(|(name, _)| name.clone()).collect();
    commands.iter().map(|(name, command)| (name.clone(), page(command, name, &names))).collect()
}

fn man() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man")
}

#[test]
fn the_manual_pages_are_those_of_the_command_line() {
    let mut expected: Vec<String> = Vec::new();
    for (name, text) in pages() {
        let path = man().join(format!("{name}.1"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &text).expect("the source tree can be written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, text, "{name}.1: run the tests once with UPDATE=1 and look at the difference");
        expected.push(format!("{name}.1"));
    }
    for entry in std::fs::read_dir(man()).expect("the pages") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        // The one page that is written by hand; tests/it/restriction.rs holds it.
        if name == "patctl-restrictions.7" {
            continue;
        }
        assert!(expected.contains(&name), "{name} belongs to no command");
    }
}

#[test]
fn the_manual_pages_pass_the_linter() {
    if !have("mandoc", "the_manual_pages_pass_the_linter") {
        return;
    }
    let written = pages().into_iter().map(|(name, _)| format!("{name}.1"));
    for name in written.chain(["patctl-restrictions.7".to_owned()]) {
        let output = std::process::Command::new("mandoc")
            .args(["-T", "lint", "-W", "style"])
            .arg(man().join(&name))
            .output()
            .expect("mandoc");
        let said = stdout(&output);
        // The pages it refers to are not installed where the tests run.
        let complaints: Vec<&str> =
            said.lines().filter(|line| !line.contains("referenced manual not found")).collect();
        assert!(complaints.is_empty(), "{name}: {complaints:?}");
    }
}

#[test]
fn every_page_and_every_script_is_printed() {
    let patctl = Patctl::new();
    for (name, text) in pages() {
        let short = name.strip_prefix("patctl-").unwrap_or("patctl");
        patctl.run(&["man", short]).is(Exit::Yes, &text);
        patctl.run(&["man", &name]).is(Exit::Yes, &text);
    }
    patctl.run(&["man", "frobnicate"]).says(Exit::Usage, &["there are: patctl, create"]);
    for (shell, word) in [("bash", "complete -F"), ("zsh", "#compdef"), ("fish", "complete -c")] {
        assert!(patctl.run(&["completions", shell]).stdout.contains(word), "{shell}");
    }
    patctl.run(&["completions", "csh"]).says(Exit::Usage, &["bash, zsh, fish"]);
}

#[test]
fn help_knows_commands_and_topics() {
    let patctl = Patctl::new();
    assert!(patctl.run(&["help"]).stdout.contains("Examples:"));
    assert_eq!(patctl.run(&["help", "create"]).stdout, patctl.run(&["create", "-h"]).stdout);
    for (topic, text) in topics::TOPICS {
        patctl.run(&["help", topic]).is(Exit::Yes, &format!("{text}\n"));
    }
    patctl
        .run(&["help", "nonsense"])
        .says(Exit::Usage, &["exit-status, formats, times, restrictions, security"]);
}

/// A wrapped example cannot be copied from a terminal of 80 columns.
#[test]
fn no_example_is_wrapped() {
    let mut root = definition();
    root.build();
    let mut commands: Vec<&Command> = root.get_subcommands().collect();
    commands.push(&root);
    commands.extend(root.get_subcommands().flat_map(Command::get_subcommands));
    for command in commands {
        let examples = command.get_before_help().map(ToString::to_string).unwrap_or_default();
        for line in examples.lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
        }
    }
}

/// Tried by somebody who had nothing but the help.
#[test]
fn a_first_mistake_is_answered_with_what_to_type() {
    let patctl = Patctl::new();
    let token = patctl.create(&["nightly"]);
    for (args, meant) in [
        (&["verify", token.as_str()][..], "printf %s \"$TOKEN\" | patctl verify"),
        (&["whoami", "--token", &token], "a token is never an argument"),
        (&["revoke", &token], "patctl revoke --token-stdin"),
        (&["delete", "7k3m"], "'patctl revoke'"),
        (&["new"], "'patctl create'"),
        (&["ls"], "'patctl list'"),
        (&["zzz"], "'patctl --help' lists the commands"),
        (&["completion"], "a similar subcommand exists: 'completions'"),
        (&["check", "--restrict", "[get]/x", "/x"], "--method GET --url /x"),
        (&["create", "--restrict", "GET /x/.*"], "a method stands in brackets: [get]/x/.*"),
        (&["revoke", "ci"], "'patctl list' shows ids and names"),
    ] {
        let run = patctl.run(args);
        assert_eq!((run.exit, run.stdout.as_str()), (Exit::Usage, ""), "{run:?}");
        assert!(run.stderr.contains(meant), "{meant}: {run:?}");
    }
    patctl.run(&["show", "n1ght"]).says(Exit::No, &["'patctl list --name NAME'"]);
    let person = |typed: &str, args: &[&str]| {
        patctl.run_with(args, &Setup { terminal: Some((&[], typed)), ..Setup::default() })
    };
    assert_eq!(person(&token, &["verify"]).stderr, "patctl: yes, for operator\n");
    assert_eq!(person("x", &["verify"]).stderr, "patctl: denied\n  hint: 'patctl whoami' says why\n");
    assert_eq!(person("", &["prune"]).stderr, "0 tokens deleted; what ended stays for 30 days\n");
    assert!(person("", &["man", "list"]).stderr.contains("patctl man list | man -l -"));
    assert_eq!(patctl.run(&["man", "list"]).stderr, "");
}

#[test]
fn slips_of_the_pen_are_answered_with_what_was_meant() {
    let patctl = Patctl::new();
    for (args, meant) in [
        (&["verfy"][..], "verify"),
        (&["list", "--statsu", "active"], "--status"),
        (&["list", "--status", "activ"], "active"),
        (&["list", "--sort", "create"], "created"),
        (&["config", "chekc"], "check"),
    ] {
        let run = patctl.run(args);
        assert_eq!(run.exit, Exit::Usage, "{run:?}");
        assert!(run.stderr.contains(&format!("'{meant}'")), "{meant}: {run:?}");
    }
}

/// The README's option names, subcommands and files exist.
#[test]
fn the_readme_names_no_option_that_is_not_there() {
    let readme = include_str!("../../README.md");
    let known: Vec<String> = pages().into_iter().map(|(_, text)| text.replace("\\-", "-")).collect();
    let others = [
        &["--release", "--path", "--quiet", "--locked", "--test"][..],
        &["--objects", "--stdin", "--not", "--batch"],
        &["--cached", "--raw", "--no-abbrev", "--no-renames", "--no-color", "--diff-filter"],
        &["--fail", "--silent", "--show-error", "--globoff", "--path-as-is", "--arg"],
    ]
    .concat();
    for word in readme
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|w| w.starts_with("--") && w.len() > 3)
    {
        assert!(others.contains(&word) || known.iter().any(|page| page.contains(word)), "{word}");
    }
}

#[test]
fn the_process_prints_them_too() {
    let home = Home::new("");
    assert!(stdout(&home.run(&["man", "verify"])).contains("Is this token good?"));
}
