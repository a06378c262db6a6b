//! The arguments of `patctl schedule`.

use super::{TEMPLATE, values};
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `patctl schedule`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl schedule\n  \
        patctl schedule --count 20 --timezone Europe/Berlin\n  \
        patctl schedule --crontab                    lines for 'crontab -e'\n  \
        patctl schedule --systemd units              units, into a new directory",
    after_help = "The jobs are 'patctl prune', at atlassian.pats.pruning.schedule.cron, and 'patctl notify', \
        at atlassian.pats.expiry.check.schedule.cron. A crontab line or a timer that would not run at exactly \
        these times is refused with the reason, and the status is 1.\n\n\
        A time that the clock skips in spring, a systemd timer leaves out; cron catches up on it if minute \
        and hour are fixed. A time that comes twice in autumn, a timer takes once, and so does cron if \
        minute and hour are fixed.\n\n\
        The units run as the owner of the database, may write its directory and nothing else, and take the \
        file of mail credentials with LoadCredential."
)]
pub struct Schedule {
    /// How many runs to show
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub count: u32,
    /// The zone in which the times are meant, such as Europe/Berlin [default: that of the system; the
    /// variable TZ is not read, because cron and systemd do not read it either]
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// Print lines for a crontab
    #[arg(long, conflicts_with = "systemd")]
    pub crontab: bool,
    /// Print timers and services for systemd, or write them into DIR, a new directory
    #[arg(long, value_name = "DIR", num_args = 0..=1, value_hint = ValueHint::FilePath, value_parser = values::directory())]
    pub systemd: Option<Option<PathBuf>>,
}
