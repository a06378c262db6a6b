//! The arguments of `patctl scan`.

use super::TEMPLATE;
use crate::domain::text::Note;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// `patctl scan`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl scan .                                what leaked into these files?\n  \
        patctl scan /var/log /etc --revoke           take back what did\n  \
        git log -p --all | patctl scan -             into the history, too?\n  \
        patctl scan . --sarif > patctl.sarif         for a code host\n  \
        patctl scan --emit gitleaks > patctl.gitleaks.toml",
    after_help = "Found are tokens of patctl, of any prefix, whose checksum fits, and those of Jira and \
        Confluence Data Center, as they are written: not compressed, encrypted, in UTF-16, or within the Base64 \
        of 'Authorization: Basic'. Binary files and hidden files are read. Left out are links, devices, \
        directories called .git, and what .gitignore names; what is named on the command line is read in \
        any case, a link and a pipe, too. A pipe to which nothing is written for ten seconds is given up; \
        stdin (-) is waited for.\n\n\
        No secret is printed. The state is that of the token if the secret is right; else it is 'unknown' \
        (no token here has that id) or 'wrong-secret' (one has, and this is not it: perhaps a forgery).\n\n\
        --revoke takes back only what is proved by its secret, all of it or nothing. On a terminal it asks \
        first.\n\n\
        The status is 1 if a live token was found: one that is active or could be enabled again, and also \
        where --revoke ended it. Otherwise it is 74 if anything could not be read, and 0 if all was."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Scan {
    /// Files and directories; - is stdin
    #[arg(value_name = "PATH", value_hint = ValueHint::FilePath, required_unless_present = "emit")]
    pub paths: Vec<PathBuf>,
    /// Revoke what was found and is one of yours
    #[arg(long)]
    pub revoke: bool,
    /// Why; kept with the token and in the audit log
    #[arg(long, value_name = "TEXT", requires = "revoke", default_value = "found by scan")]
    pub reason: Note,
    /// Do not ask
    #[arg(short, long, requires = "revoke")]
    pub yes: bool,
    /// Read no database: every token that is found counts as live
    #[arg(long, conflicts_with = "revoke")]
    pub offline: bool,
    /// Read what .gitignore names, too
    #[arg(long)]
    pub no_ignore: bool,
    /// Stay on the file systems of the directories that were named
    #[arg(long)]
    pub one_file_system: bool,
    /// Print SARIF 2.1.0
    #[arg(long)]
    pub sarif: bool,
    /// Print rules for another scanner and read nothing
    #[arg(long, value_enum, value_name = "SCANNER", conflicts_with_all = ["paths", "revoke", "offline", "sarif"])]
    pub emit: Option<Scanner>,
}

/// A scanner that takes rules.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scanner {
    /// gitleaks: a whole configuration, for gitleaks --config
    Gitleaks,
}
