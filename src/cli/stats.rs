//! The arguments of `stats`.

use super::{FilterArgs, TEMPLATE};
use clap::Args;

/// `patctl stats`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl stats\n  \
        patctl stats --user alice --weeks 26\n  \
        patctl stats --status active --unused-for 90d\n  \
        patctl stats --all -o json | jq .states",
    after_help = "What 'patctl list' shows for the same filter is what is counted. Of a state, of the end, of the \
        last use, and of the restrictions, each token counts once.\n\n\
        Calls are answers of 'patctl verify' in the audit log, as far back as it goes."
)]
pub struct Stats {
    /// Which tokens.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Show the ends of so many weeks ahead
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=520))]
    pub weeks: u32,
    /// Name so many users, and tokens by their calls
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub top: u32,
}
