//! The arguments of the commands that tell people what ends.

use super::{FilterArgs, TEMPLATE, values};
use crate::domain::moment::Span;
use crate::exit;
use clap::Args;

/// `patctl notify`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl notify --dry-run\n  \
        0 * * * * /usr/local/bin/patctl notify       (a crontab line)",
    after_help = "Each token gets at most one mail when it expires soon, and one when it has expired. \
        It is noted who had a mail even where mails are switched off; those are not sent later. Mails \
        about tokens that were created, revoked or pruned wait until this command sends them.\n\n\
        A mail that is refused is tried again at every run for seven days. A mail that was handed over \
        without an answer is not sent again: it may have arrived. The status is 74 if any mail failed.\n\n\
        patctl.mail.transport and patctl.mail.from must be set."
)]
pub struct Notify {
    /// Only show the mails that would be sent
    #[arg(long)]
    pub dry_run: bool,
}

/// `patctl expiring`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl expiring --within 14d\n  \
        patctl expiring --within 30d --warning 14d --critical 3d\n  \
        patctl expiring --user deploy --name 'release-*'\n  \
        patctl expiring --prometheus > t.new && mv t.new tokens.prom",
    after_help = exit::MONITOR_HELP
)]
pub struct Expiring {
    /// Count tokens that end within this [default: the warning, else 14d]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub within: Option<Span>,
    /// WARNING when one ends within this [default: as --within]
    #[arg(short, long, value_name = "DURATION", value_parser = values::duration)]
    pub warning: Option<Span>,
    /// CRITICAL when one ends within this [default: 3d, or the warning]
    #[arg(short, long, value_name = "DURATION", value_parser = values::duration)]
    pub critical: Option<Span>,
    /// Print gauges for a textfile collector; then the status is 0, or 3
    #[arg(long)]
    pub prometheus: bool,
    /// Which tokens.
    #[command(flatten)]
    pub filter: FilterArgs,
}
