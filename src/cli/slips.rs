//! What was probably meant, where the command line's own suggestions do not help.

use super::words;
use crate::domain::token;
use clap::error::ErrorKind;
use std::ffi::OsString;

/// Words that people bring along from other programs, and what does it here.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["new", "add", "generate", "issue", "mint"], "create"),
    (&["ls", "tokens", "ps"], "list"),
    (&["info", "get", "describe", "inspect"], "show"),
    (&["update", "set", "modify", "change", "rename", "restrict", "extend"], "edit"),
    (&["renew", "regenerate", "replace", "roll", "refresh"], "rotate"),
    (&["delete", "del", "remove", "rm", "destroy", "kill"], "revoke"),
    (&["purge", "clean", "cleanup", "gc", "vacuum"], "prune"),
    (&["validate", "authenticate", "auth", "login"], "verify"),
    (&["who", "identify", "introspect"], "whoami"),
    (&["test", "explain", "try"], "check"),
    (&["log", "logs", "history", "events"], "audit"),
    (&["stat", "statistics", "status", "summary", "top"], "stats"),
    (&["settings", "properties"], "config"),
    (&["manual", "docs"], "man"),
];

/// A better hint for a mistake; `None` where the command line's own is as good.
pub(super) fn hint(args: &[OsString], kind: ErrorKind, text: &str) -> Option<String> {
    let words: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let command = words::command(&words);
    if words.iter().any(|word| token::mask(word) != *word) {
        let wants = if command.as_deref() == Some("revoke") { "revoke --token-stdin" } else { "verify" };
        return Some(format!(
            "a token is never an argument: every process can read those; pipe it in, as in \
             printf %s \"$TOKEN\" | patctl {wants}"
        ));
    }
    match kind {
        ErrorKind::InvalidSubcommand => {
            let typed = command?;
            let known = ELSEWHERE.iter().find(|(others, _)| others.contains(&typed.as_str()));
            match known {
                Some((_, here)) => {
                    Some(format!("that is 'patctl {here}' here; 'patctl --help' lists the commands"))
                }
                None if text.contains("similar") => None,
                None => Some("'patctl --help' lists the commands".to_owned()),
            }
        }
        ErrorKind::UnknownArgument if matches!(command.as_deref(), Some("verify" | "whoami" | "check")) => {
            let begins =
                |word: &str| ["/", "http://", "https://"].iter().any(|begin| word.starts_with(begin));
            let place = words.iter().find(|word| begins(word) && text.contains(&format!("'{word}'")))?;
            Some(format!("the request is given as --method GET --url {place}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::definition;

    #[test]
    fn what_other_programs_call_it_leads_to_a_command_that_exists() {
        let root = definition();
        for (others, here) in ELSEWHERE {
            assert!(root.find_subcommand(here).is_some(), "{here}");
            for other in *others {
                assert!(root.find_subcommand(other).is_none(), "{other} is a command");
            }
        }
    }
}
