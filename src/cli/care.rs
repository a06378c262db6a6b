//! The arguments of the commands that look after an installation.

use super::TEMPLATE;
use clap::Args;

/// `patctl doctor`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl doctor\n  \
        patctl doctor --fix\n  \
        patctl doctor -o json | jq -r '.findings[].mend'",
    after_help = "It looks at the files, their owners, modes and links, the file system, the schema, the \
        settings, the structure, the audit log, every row, every verifier and restriction, the clock and \
        the limits. A database that every other command refuses is looked at all the same. It judges no \
        token and, without --fix, changes nothing.\n\n\
        Silent, and status 0, when nothing is wrong; else status 1, and for each finding a word that \
        stays what it is, what is wrong, and what to do. With --fix what was mended counts no longer: \
        modes, a missing write-ahead log, an older schema."
)]
pub struct Doctor {
    /// Mend what is safe to mend, and say what was done
    #[arg(long)]
    pub fix: bool,
}
