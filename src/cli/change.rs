//! The arguments of the commands that change tokens which exist.

use super::{RuleArgs, TEMPLATE, values};
use crate::domain::id::IdPrefix;
use crate::domain::lifetime::Lifetime;
use crate::domain::moment::Span;
use crate::domain::notice::Recipients;
use crate::domain::pat::AuthMethods;
use crate::domain::text::{Email, Note, Optional};
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `patctl edit`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl edit 7k3m --name 'nightly backup'\n  \
        patctl edit 7k3m --expires 30\n  \
        patctl edit 7k3m --restrict-file ci.rules\n  \
        patctl edit 7k3m --remove-restrict 2 --add-restrict '[get]/reports/.*'",
    after_help = "The audit log keeps each field as it was and as it became. A token made in secure mode \
        cannot be edited; one that has expired is not brought back to life."
)]
pub struct Edit {
    /// The id, or a beginning of at least 4 characters that only one has
    #[arg(value_name = "ID")]
    pub id: IdPrefix,
    /// Another name
    #[arg(long, value_name = "NAME", value_parser = values::name)]
    pub name: Option<String>,
    /// Another end: 90 (days from now), 12h, 2w, 2027-01-31, an RFC 3339 instant, never
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub expires: Option<Lifetime>,
    /// These lines in place of all.
    #[command(flatten)]
    pub rules: RuleArgs,
    /// Allow what this line allows, too (the first line forbids all else); may be given more than once
    #[arg(long, value_name = "RULE", allow_hyphen_values = true,
        conflicts_with_all = ["restrict", "restrict_file"])]
    pub add_restrict: Vec<String>,
    /// Take away this line: its number, as 'show' prints it, or its text; may be given more than once
    #[arg(long, value_name = "LINE", allow_hyphen_values = true,
        conflicts_with_all = ["restrict", "restrict_file"])]
    pub remove_restrict: Vec<String>,
    /// Let it do everything
    #[arg(long, conflicts_with_all = ["restrict", "restrict_file", "add_restrict", "remove_restrict"])]
    pub unrestrict: bool,
    /// How it may be presented
    #[arg(long, value_name = "METHOD", value_parser = values::auth())]
    pub auth: Option<AuthMethods>,
    /// Another remark; '' for none
    #[arg(long, value_name = "TEXT")]
    pub note: Option<Optional<Note>>,
    /// Another address accepted as the user name of Basic; '' for none
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<Optional<Email>>,
    /// Other addresses for mails about it, separated by commas or given one by one; '' for none
    #[arg(long, value_name = "ADDRESS")]
    pub notify_to: Vec<Optional<Recipients>>,
    /// Only show what would be changed
    #[arg(long)]
    pub dry_run: bool,
}

/// `patctl disable`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl disable 7k3m --reason 'on holiday'\n  \
        patctl list --user alice -o ids | patctl disable --ids-stdin",
    after_help = "A token that is switched off cannot be used, and counts as one of its user's. 'patctl \
        enable' switches it on again."
)]
pub struct Disable {
    /// Disable the other token of a running rotation as well
    #[arg(long)]
    pub family: bool,
    /// Which, why, and how.
    #[command(flatten)]
    pub which: Which,
}

/// `patctl enable`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl enable 7k3m\n  \
        patctl list --status disabled -o ids | patctl enable --ids-stdin",
    after_help = "It can be used again unless something else is against it: that it has expired, say."
)]
pub struct Enable {
    /// Which, why, and how.
    #[command(flatten)]
    pub which: Which,
}

/// Tokens to be switched.
#[derive(Args, Debug)]
pub struct Which {
    /// Ids, or beginnings of at least 4 characters that only one has
    #[arg(value_name = "ID", required_unless_present = "ids_stdin", conflicts_with = "ids_stdin")]
    pub ids: Vec<IdPrefix>,
    /// Read the ids from stdin, one a line
    #[arg(long)]
    pub ids_stdin: bool,
    /// Why; kept in the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<Note>,
    /// Accepted for scripts that give it to every command; nothing is asked
    #[arg(short, long, hide = true)]
    pub yes: bool,
    /// Only show what would be done
    #[arg(long)]
    pub dry_run: bool,
}

/// `patctl rotate`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        TOKEN=$(patctl rotate 7k3m)\n  \
        patctl rotate 7k3m --grace 24h --token-file /run/secrets/ci.new\n  \
        patctl rotate 7k3m --until-first-use --expires 90\n  \
        patctl rotate --undo 7k3m",
    after_help = "The successor has an id and a secret of its own, and all else from the old one: user, \
        name, restrictions, addresses, note; its life is as long as the old one's was meant to be, from now. \
        The secret is handed over as 'patctl create' does it, and nothing is changed when nobody takes it.\n\n\
        An old token that is presented after its time shows in 'patctl list' as 'rotated, still used'. It \
        does not count against its user's limit and is pruned like a revoked one.\n\n\
        Where a person types at stdin it asks first; in a script it does not."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Rotate {
    /// The id, or a beginning of at least 4 characters that only one has
    #[arg(value_name = "ID")]
    pub id: IdPrefix,
    /// The old token stops at once (this is the default)
    #[arg(long, conflicts_with_all = ["grace", "until_first_use"])]
    pub now: bool,
    /// Both work for so long: 24h, 7 (days), 2w
    #[arg(long, value_name = "DURATION", value_parser = values::duration, conflicts_with = "until_first_use")]
    pub grace: Option<Span>,
    /// Both work until the new one is first used, for 7 days at most
    #[arg(long)]
    pub until_first_use: bool,
    /// How long the new one lives [default: as long as the old one was meant to]
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub expires: Option<Lifetime>,
    /// Write the new token into this new file (mode 0600) and not to stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::new_file())]
    pub token_file: Option<PathBuf>,
    /// While the old token still works (either id will do): revoke the new one and let it go on
    #[arg(long, conflicts_with_all = ["now", "grace", "until_first_use", "expires", "token_file"])]
    pub undo: bool,
    /// Why; kept in the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<Note>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Only show what would be done
    #[arg(long)]
    pub dry_run: bool,
}
