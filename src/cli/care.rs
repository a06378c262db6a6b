//! The arguments of the commands that look after an installation.

use super::{TEMPLATE, values};
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `patctl doctor`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl doctor\n  \
        patctl doctor --fix\n  \
        patctl doctor --compact\n  \
        patctl doctor -o json | jq -r '.findings[].steps[]'",
    after_help = "It looks at the files, their owners, modes and links, the file system, the schema, the \
        settings, the structure, the audit log, every row, every verifier and restriction, the clock and \
        the limits. A database that every other command refuses is looked at all the same. It judges no \
        token and, without --fix, changes nothing.\n\n\
        Silent, and status 0, when nothing is wrong; else status 1, and for each finding a word that \
        stays what it is, what is wrong, what to do, and the shell commands that do it, where a command can: \
        carry out those of the first finding, then ask again. FILE in them is your backup, where the audit log \
        names none that is there. Status 77: you may not read the database, and nothing is known of its state. \
        With --fix what was mended counts no longer: modes of your files, a missing write-ahead log, an older schema, \
        a foreign trigger, view or index, a revocation made by hand, the marks that 'sqlite3 .dump' leaves out.\n\n\
        Free pages, and what deleted rows left in a file of an older patctl or of more than 8 MiB, go away with \
        --compact: it rewrites the file, and needs twice its size on the disk. Nobody can write meanwhile.\n\n\
        Where the clock is more than five minutes behind the audit log, a token that has ended by one of the two \
        and not by the other is neither allowed nor denied: 'patctl verify' ends with status 74 and the reason \
        clock. Set the clock, or, if it is right, say so with --accept-clock."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub struct Doctor {
    /// Mend what is safe to mend, and say what was done
    #[arg(long)]
    pub fix: bool,
    /// Take the clock to be right although the audit log has later rows; written to the audit log
    #[arg(long)]
    pub accept_clock: bool,
    /// Rewrite the file without free pages and the remains of deleted rows
    #[arg(long)]
    pub compact: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// `patctl backup`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl backup /var/backups/patctl-$(date +%F).db\n  \
        patctl backup copy.db -o json\n  \
        patctl backup - | age -r \"$KEY\" > patctl-$(date +%F).db.age",
    after_help = "The copy is the database as it is at one instant; others go on writing meanwhile. It has \
        mode 0600, is looked at after it was written (structure, audit log, rows), and has its name only \
        when all of it is on the disk. A file that is there is never written over. With - it goes to \
        stdout, which must be no terminal.\n\n\
        In it is what is in the database: names, users, hashes. The keys are not: keep copies of \
        patctl.integrity.key.file and patctl.token.vault.key.file elsewhere. Status 1: the copy was made, \
        and is as damaged as the database."
)]
pub struct Backup {
    /// The new file; - streams the copy to stdout
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::file())]
    pub file: PathBuf,
}

/// `patctl restore`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl restore /var/backups/patctl-2026-11-21.db --dry-run\n  \
        patctl restore /var/backups/patctl-2026-11-21.db --yes",
    after_help = "The backup is looked at first; one with a newer schema, another database's, or one with a \
        broken audit log is refused. Nothing comes back to life: what was revoked, disabled, rotated or pruned \
        since stays so, and an end is never later than it is now. Tokens issued since are gone. Edits since \
        are undone, restrictions included.\n\n\
        What was there is kept beside the database, its audit log goes on, and a row in it names both heads. \
        It is one transaction: a verify beside it sees the old or the new, and waits for a moment at most. On \
        a terminal it asks; elsewhere it needs --yes.\n\n\
        A damaged database is moved aside with its log, to a name that ends in 'damaged-' and the time. What can \
        still be read of it counts as above: a revocation, for example. Where nothing is known of a token since the \
        backup, or there is no database at all, the token is as in the backup, and a warning names it; \
        --revoked-since revokes such tokens again."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub struct Restore {
    /// The backup
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::no_stream())]
    pub file: PathBuf,
    /// Trust a backup of before there was a key, and seal its rows with the key
    #[arg(long)]
    pub adopt: bool,
    /// Restore a backup that is sealed with a key without that key: its tokens are denied until the key is back
    #[arg(long)]
    pub without_key: bool,
    /// Revoke the tokens whose ids are in this file, one a line: those that were revoked since the backup
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub revoked_since: Option<PathBuf>,
    /// Move the database of another program aside, too
    #[arg(long)]
    pub replace_foreign: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Only show what would be restored
    #[arg(long)]
    pub dry_run: bool,
}
