//! `patctl man`, `patctl completions`, `patctl help`: what there is to read about patctl.

use super::context::Context;
use super::stdout_failed;
use crate::cli::{self, Shell, topics};
use crate::exit::Exit;
use crate::failure::Failure;

/// The pages, made from the command line's definition; a test keeps them current.
const PAGES: &[(&str, &str)] = &[
    ("patctl", include_str!("../../man/patctl.1")),
    ("create", include_str!("../../man/patctl-create.1")),
    ("list", include_str!("../../man/patctl-list.1")),
    ("show", include_str!("../../man/patctl-show.1")),
    ("stats", include_str!("../../man/patctl-stats.1")),
    ("edit", include_str!("../../man/patctl-edit.1")),
    ("rotate", include_str!("../../man/patctl-rotate.1")),
    ("disable", include_str!("../../man/patctl-disable.1")),
    ("enable", include_str!("../../man/patctl-enable.1")),
    ("revoke", include_str!("../../man/patctl-revoke.1")),
    ("verify", include_str!("../../man/patctl-verify.1")),
    ("whoami", include_str!("../../man/patctl-whoami.1")),
    ("bulk-revoke", include_str!("../../man/patctl-bulk-revoke.1")),
    ("check", include_str!("../../man/patctl-check.1")),
    ("snippet", include_str!("../../man/patctl-snippet.1")),
    ("restrictions", include_str!("../../man/patctl-restrictions.7")),
    ("scan", include_str!("../../man/patctl-scan.1")),
    ("notify", include_str!("../../man/patctl-notify.1")),
    ("expiring", include_str!("../../man/patctl-expiring.1")),
    ("prune", include_str!("../../man/patctl-prune.1")),
    ("schedule", include_str!("../../man/patctl-schedule.1")),
    ("audit", include_str!("../../man/patctl-audit.1")),
    ("doctor", include_str!("../../man/patctl-doctor.1")),
    ("config", include_str!("../../man/patctl-config.1")),
    ("import", include_str!("../../man/patctl-import.1")),
    ("export", include_str!("../../man/patctl-export.1")),
    ("completions", include_str!("../../man/patctl-completions.1")),
    ("man", include_str!("../../man/patctl-man.1")),
    ("help", include_str!("../../man/patctl-help.1")),
];

pub fn man(page: Option<&str>, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let wanted = page.unwrap_or("patctl");
    let wanted = wanted.strip_prefix("patctl-").unwrap_or(wanted);
    let Some((_, text)) = PAGES.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<&str> = PAGES.iter().map(|(name, _)| *name).collect();
        return Err(Failure::usage(format!("there is no manual page '{wanted}'"))
            .hint(format!("there are: {}", names.join(", "))));
    };
    cx.screen.line(text.trim_end()).map_err(stdout_failed)?;
    if cx.screen.is_terminal() {
        // Below the page, not above.
        cx.screen.flush().map_err(stdout_failed)?;
        cx.screen.say(&format!("\n  hint: to read it as a page: patctl man {wanted} | man -l -"));
    }
    Ok(Exit::Yes)
}

pub fn completions(shell: Shell, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let script = match shell {
        Shell::Bash => include_str!("../../completions/patctl.bash"),
        Shell::Zsh => include_str!("../../completions/_patctl"),
        Shell::Fish => include_str!("../../completions/patctl.fish"),
    };
    cx.screen.line(script.trim_end()).map_err(stdout_failed)?;
    Ok(Exit::Yes)
}

pub fn help(topic: Option<&str>, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let text = match topic.and_then(topics::find) {
        Some(text) => Some(text.to_owned()),
        None => cli::help(topic),
    };
    let Some(text) = text else {
        let names: Vec<&str> = topics::TOPICS.iter().map(|(name, _)| *name).collect();
        return Err(Failure::usage(format!("there is no command or topic '{}'", topic.unwrap_or_default()))
            .hint(format!("the topics are {}; 'patctl --help' lists the commands", names.join(", "))));
    };
    cx.screen.line(text.trim_end()).map_err(stdout_failed)?;
    Ok(Exit::Yes)
}
