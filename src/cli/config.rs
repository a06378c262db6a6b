//! The arguments of `patctl config`.

use super::TEMPLATE;
use clap::{Subcommand, ValueHint};
use std::path::PathBuf;

/// `patctl config …`
#[derive(Subcommand, Debug)]
pub enum Config {
    /// Show every setting, its value, and where that came from
    #[command(help_template = TEMPLATE, before_help = "Examples:\n  \
        patctl config show\n  \
        patctl config show --changed\n  \
        patctl config show atlassian.pats.max.tokens.per.user -o json")]
    Show {
        /// Only these properties
        #[arg(value_name = "PROPERTY")]
        keys: Vec<String>,
        /// Only what differs from its default
        #[arg(long)]
        changed: bool,
    },
    /// Say what is wrong with the settings; status 78 if anything is
    #[command(help_template = TEMPLATE,
        before_help = "Examples:\n  patctl config check\n  patctl config check jira-config.properties")]
    Check {
        /// The file to check [default: the one patctl reads]
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Explain every property: what it means, its type, its bounds, its default
    #[command(help_template = TEMPLATE,
        before_help = "Examples:\n  patctl config keys\n  patctl config keys patctl.audit.sync")]
    Keys {
        /// Only these properties
        #[arg(value_name = "PROPERTY")]
        keys: Vec<String>,
    },
}
