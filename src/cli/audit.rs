//! The arguments of `patctl audit`.

use super::{TEMPLATE, values};
use crate::domain::actor::ClientAddress;
use crate::domain::audit::{Action, Selection};
use crate::domain::chain::KeptHead;
use crate::domain::filter::{Glob, Range, When};
use crate::domain::id::IdPrefix;
use crate::domain::moment::Moment;
use crate::domain::text;
use clap::{Args, Subcommand};

/// `patctl audit`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl audit --limit 20\n  \
        patctl audit --since 30d --outcome denied\n  \
        patctl audit --token 7k3m --action verify -o csv\n  \
        patctl audit --follow -o jsonl\n  \
        patctl audit --after 1200 -o jsonl\n  \
        patctl audit verify",
    after_help = "A row is kept for every change and for every verdict about a well-formed token, until \
        'patctl prune' deletes what is older than patctl.audit.retention.days. With -o ids it is the ids \
        of the tokens that are printed, one for each row.\n\n\
        The hash of each row covers the row and the hash before it, and 'patctl audit verify' names the \
        first row that was changed, removed or moved. Who can write the database can cut rows off at the \
        end, or write all hashes anew: only a head that was kept elsewhere finds that out."
)]
pub struct Audit {
    /// Which rows.
    #[command(flatten)]
    pub rows: AuditRows,
    /// Something else than to show rows.
    #[command(subcommand)]
    pub chain: Option<AuditChain>,
}

/// Which rows of the log, and how they come.
#[derive(Args, Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditRows {
    /// About the token whose id begins so; it need not exist any more
    #[arg(long, value_name = "ID", help_heading = "Which rows")]
    pub token: Option<IdPrefix>,
    /// About this user's tokens, or a yes for this user; may be given more than once
    #[arg(long, value_name = "USER", help_heading = "Which rows")]
    pub user: Vec<String>,
    /// Done by this user of the system; may be given more than once
    #[arg(long, value_name = "NAME", help_heading = "Which rows")]
    pub actor: Vec<String>,
    /// Asked for from this address (as 'verify --client' was told); may be given more than once
    #[arg(long, value_name = "ADDR", help_heading = "Which rows")]
    pub client: Vec<ClientAddress>,
    /// What was done: create, verify, revoke …; may be given more than once
    #[arg(long, value_name = "ACTION", value_parser = values::action(), help_heading = "Which rows",
        hide_possible_values = true)]
    pub action: Vec<Action>,
    /// How it ended; may be given more than once
    #[arg(long, value_name = "OUTCOME", value_parser = values::outcome(), help_heading = "Which rows")]
    pub outcome: Vec<String>,
    /// Why, all of it: a word such as expired, or a pattern; may be given more than once
    #[arg(long, value_name = "GLOB", help_heading = "Which rows")]
    pub reason: Vec<Glob>,
    /// At or after this: a date, an RFC 3339 instant, or 30d for thirty days ago
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, value_parser = values::past, help_heading = "Which rows")]
    pub since: Option<When>,
    /// Before this
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, value_parser = values::past, help_heading = "Which rows")]
    pub until: Option<When>,
    /// Behind the row of this number, in the order of the rows, whatever the clock said
    #[arg(long, value_name = "ROW", value_parser = clap::value_parser!(i64).range(0..), help_heading = "Which rows")]
    pub after: Option<i64>,
    /// The newest so many; with --after, the first so many behind that row
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Newest first
    #[arg(long)]
    pub reverse: bool,
    /// Show the newest ten (or --limit, or all --since or --after), and then what is written, until interrupted
    #[arg(short, long, conflicts_with_all = ["reverse", "until"])]
    pub follow: bool,
}

impl AuditRows {
    /// The choice, seen from `now`.
    #[must_use]
    pub fn selection(&self, now: Moment) -> Selection {
        let past = |when: Option<When>| when.map(|when| when.past(now));
        Selection {
            token: self.token.clone(),
            users: self.user.iter().flat_map(|user| text::forms(user)).collect(),
            actors: self.actor.clone(),
            clients: self.client.clone(),
            actions: self.action.clone(),
            outcomes: self.outcome.clone(),
            reasons: self.reason.clone(),
            at: Range { after: past(self.since), before: past(self.until) },
        }
    }
}

impl Audit {
    /// Whether rows are chosen although no rows are shown.
    #[must_use]
    pub fn is_confused(&self) -> bool {
        self.chain.is_some() && self.rows != AuditRows::default()
    }
}

/// `patctl audit …`
#[derive(Subcommand, Debug)]
pub enum AuditChain {
    /// Is the log whole? If not, the first row that is wrong; status 1
    #[command(help_template = TEMPLATE,
        before_help = "Examples:\n  \
            patctl audit verify\n  \
            patctl audit verify --head \"$(cat head.kept)\"")]
    Verify {
        /// A head that was kept elsewhere, as 'patctl audit head' printed it
        #[arg(long, value_name = "SEQ:HASH@FIRST")]
        head: Option<KeptHead>,
    },
    /// Print what to keep elsewhere: number and hash of the last row, and the first row
    #[command(help_template = TEMPLATE,
        before_help = "Examples:\n  \
            patctl audit head\n  \
            patctl audit head | ssh elsewhere 'cat >> heads'")]
    Head,
}
