//! Which kind of word could stand at the cursor, from the definition of the command line alone.

use super::{COMPLETE, definition, topics};
use clap::builder::ValueHint;
use clap::{Arg, ArgAction, Command};

/// What is known about the word at the cursor.
#[derive(Debug)]
pub struct Question {
    /// What of the word is typed already.
    pub prefix: String,
    /// What stands before the prefix in the same word (`--user=`).
    pub before: String,
    /// Candidates that the definition knows, with their meanings.
    pub candidates: Vec<(String, String)>,
    /// What else could stand there.
    pub wanted: Wanted,
    /// The database that the words before name.
    pub db: Option<String>,
    /// The configuration that they name.
    pub config: Option<String>,
    /// Whether revoked tokens are candidates, too.
    pub all: bool,
}

/// What only the outside knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Nothing more.
    Nothing,
    /// Files.
    Files,
    /// Ids of tokens.
    Ids,
    /// Users who hold tokens.
    Users,
    /// Names of properties, with what follows each.
    Properties {
        /// `=` or nothing.
        ending: &'static str,
    },
}

/// Reads the words behind `patctl`, the last of which holds the cursor.
#[must_use]
pub fn ask(words: &[String]) -> Question {
    let mut root = definition();
    root.build();
    let (current, before) = words.split_last().map_or(("", words), |(last, before)| (last.as_str(), before));
    let mut command = &root;
    let mut values_of = None;
    let mut position = 0;
    let (mut db, mut config) = (None, None);
    let mut name = |arg: &Arg, value: &str| match arg.get_id().as_str() {
        "db" => db = Some(value.to_owned()),
        "config" => config = Some(value.to_owned()),
        _ => {}
    };
    let mut after_dashes = false;
    for word in before {
        if let Some(arg) = values_of.take() {
            name(arg, word);
        } else if word == "--" {
            after_dashes = true;
        } else if word.starts_with('-') && word.len() > 1 && !after_dashes {
            let found = option(command, word).filter(|arg| takes_value(arg));
            match (found, word.split_once('=')) {
                (Some(arg), Some((_, value))) => name(arg, value),
                (found, None) => values_of = found,
                (None, Some(_)) => {}
            }
        } else if let Some(inner) = command.find_subcommand(word) {
            (command, position) = (inner, 0);
        } else {
            position += 1;
        }
    }
    let mut question = Question {
        prefix: current.to_owned(),
        before: String::new(),
        candidates: Vec::new(),
        wanted: Wanted::Nothing,
        db,
        config,
        all: !matches!(command.get_name(), "revoke" | "edit" | "rotate" | "disable" | "enable"),
    };
    if let Some(arg) = values_of {
        value(arg, &mut question);
    } else if let Some((name, typed)) = current.split_once('=').filter(|_| current.starts_with("--")) {
        if let Some(arg) = option(command, name).filter(|arg| takes_value(arg)) {
            question.before = format!("{name}=");
            typed.clone_into(&mut question.prefix);
            value(arg, &mut question);
        }
    } else if current.starts_with('-') && !after_dashes {
        question.candidates = options(command);
    } else {
        if position == 0 {
            question.candidates = subcommands(command);
        }
        positional(command, position, &mut question);
    }
    question
}

/// The command that a command line names, whether or not the rest of it parses.
#[must_use]
pub fn command(words: &[String]) -> Option<String> {
    let root = definition();
    let mut is_value = false;
    for word in words {
        if is_value {
            is_value = false;
        } else if word.starts_with('-') && word.len() > 1 {
            let bundled = word.len() > 2 && !word.starts_with("--");
            is_value = !bundled && !word.contains('=') && option(&root, word).is_some_and(takes_value);
        } else {
            return Some(word.clone());
        }
    }
    None
}

/// The option that a word names, long or the last of bundled short ones.
fn option<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let name = word.split('=').next().unwrap_or(word);
    let mut args = command.get_arguments();
    if let Some(long) = name.strip_prefix("--") {
        return args.find(|arg| arg.get_long() == Some(long));
    }
    let short = name.chars().last()?;
    args.find(|arg| arg.get_short() == Some(short))
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

fn value(arg: &Arg, question: &mut Question) {
    let possible = arg.get_possible_values();
    question.candidates.extend(possible.iter().filter(|value| !value.is_hide_set()).map(|value| {
        (value.get_name().to_owned(), value.get_help().map(ToString::to_string).unwrap_or_default())
    }));
    let name = arg.get_value_names().and_then(|names| names.first()).map(clap::builder::Str::as_str);
    question.wanted = match name {
        Some("ID") => Wanted::Ids,
        Some("USER") => Wanted::Users,
        Some("PROPERTY") => Wanted::Properties { ending: "" },
        Some("KEY=VALUE") if !question.prefix.contains('=') => Wanted::Properties { ending: "=" },
        _ if arg.get_value_hint() == ValueHint::FilePath => Wanted::Files,
        _ => Wanted::Nothing,
    };
}

fn options(command: &Command) -> Vec<(String, String)> {
    let help = |arg: &Arg| arg.get_help().map(ToString::to_string).unwrap_or_default();
    command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set())
        .filter_map(|arg| {
            let name = match (arg.get_long(), arg.get_short()) {
                (Some(long), _) => format!("--{long}"),
                (None, Some(short)) => format!("-{short}"),
                (None, None) => return None,
            };
            Some((name, help(arg)))
        })
        .collect()
}

fn subcommands(command: &Command) -> Vec<(String, String)> {
    let about = |command: &Command| command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut found: Vec<(String, String)> = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != COMPLETE)
        .map(|command| (command.get_name().to_owned(), about(command)))
        .collect();
    if matches!(command.get_name(), "help" | "man") {
        found.extend(subcommands(&definition()));
        if command.get_name() == "help" {
            found.extend(topics::TOPICS.iter().map(|(name, _)| ((*name).to_owned(), "a topic".to_owned())));
        }
    }
    found
}

fn positional(command: &Command, position: usize, question: &mut Question) {
    let args: Vec<&Arg> = command.get_positionals().collect();
    let many = |arg: &&&Arg| matches!(arg.get_action(), ArgAction::Append);
    if let Some(arg) = args.get(position).or_else(|| args.last().filter(many)) {
        value(arg, question);
    }
}
