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
    after_help = "Each run sends at most one mail to each address, with everything that is new. A token is mentioned \
        once when it expires soon and once when it has expired, and when it was created, revoked or pruned. While \
        mails are switched off nothing is sent, not later either.\n\n\
        A token without an address to notify is named, and its mail is sent once it has one; the status is 1.\n\n\
        A mail that is refused for now is tried again at every run for seven days; one that is refused for good (a \
        550, say) is not. A mail that was handed over without an answer is not sent again: it may have arrived. The \
        status is 74 if any mail failed.\n\n\
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
