//! The arguments that choose among tokens.

use super::{TEMPLATE, values};
use crate::domain::filter::{Filter, Glob, Range, Sort, When};
use crate::domain::id::IdPrefix;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Status;
use crate::domain::policy::Policy;
use crate::domain::text::{self, Note};
use clap::Args;

/// The choice. An instant is a date, an RFC 3339 instant, or a distance (`7d`, `12h`, `2w`), which
/// points back from now, and for the expiry forward. "After" includes it, "before" does not.
#[derive(Args, Debug)]
#[command(next_help_heading = "Which tokens")]
pub struct FilterArgs {
    /// Of this user; may be given more than once
    #[arg(long, value_name = "USER")]
    pub user: Vec<String>,
    /// Whose whole name looks like this: * any text, ? one character, [a-z] one of these
    #[arg(long, value_name = "GLOB")]
    pub name: Option<Glob>,
    /// In this state; may be given more than once
    #[arg(long, value_name = "STATUS", value_parser = values::status())]
    pub status: Vec<Status>,
    /// Revoked ones too
    #[arg(long)]
    pub all: bool,
    /// Issued at or after this: a date, an RFC 3339 instant, or 7d for seven days ago
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, value_parser = values::past)]
    pub created_after: Option<When>,
    /// Issued before this
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, value_parser = values::past)]
    pub created_before: Option<When>,
    /// Which stop working at or after this, or never: a date, or 14d for in fourteen days
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub expires_after: Option<When>,
    /// Which stop working before this; a rotated token does when its grace ends
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub expires_before: Option<When>,
    /// Last used at or after this
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, value_parser = values::past)]
    pub used_after: Option<When>,
    /// Last used before this; tokens never used are left out
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, value_parser = values::past)]
    pub used_before: Option<When>,
    /// Never used
    #[arg(long)]
    pub unused: bool,
    /// Which today's limits would refuse: too long, without an end, or one too many of its user
    #[arg(long)]
    pub violates_policy: bool,
    /// Not used for so long, and not issued since: 90d
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub unused_for: Option<Span>,
}

impl FilterArgs {
    /// The choice, seen from `now` and under these limits.
    #[must_use]
    pub fn filter(&self, now: Moment, policy: &Policy) -> Filter {
        let past = |when: Option<When>| when.map(|when| when.past(now));
        let future = |when: Option<When>| when.map(|when| when.future(now));
        Filter {
            users: self.user.iter().flat_map(|user| text::forms(user)).collect(),
            name: self.name.clone(),
            statuses: self.status.clone(),
            all: self.all,
            created: Range { after: past(self.created_after), before: past(self.created_before) },
            expires: Range { after: future(self.expires_after), before: future(self.expires_before) },
            used: Range { after: past(self.used_after), before: past(self.used_before) },
            unused: self.unused,
            unused_for: self.unused_for,
            violates: self.violates_policy.then(|| policy.limits()),
            stops_within: None,
        }
    }
}

/// `patctl list`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl list\n  \
        patctl list --user alice --expires-before 14d --sort expires\n  \
        patctl list --unused-for 90d -o ids | patctl revoke --ids-stdin\n  \
        patctl list --limit 50 --after 7k3m9xq2v8      (the next page)\n  \
        patctl list --all -o json | jq -r '.[] | select(.last_used_at == null) | .id'"
)]
pub struct List {
    /// Which tokens.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// By what to sort: created (newest first), expires, used, name, user or id
    #[arg(long, value_name = "KEY", value_parser = values::sort(), default_value = "created",
        hide_default_value = true, hide_possible_values = true)]
    pub sort: Sort,
    /// The other way round
    #[arg(long)]
    pub reverse: bool,
    /// At most so many
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Only tokens without an address that a mail about them could go to
    #[arg(long)]
    pub no_address: bool,
    /// Begin behind this token, the last of the page before
    #[arg(long, value_name = "ID")]
    pub after: Option<IdPrefix>,
}

/// `patctl bulk-revoke`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl bulk-revoke --user alice --dry-run\n  \
        patctl bulk-revoke --user alice --reason 'left the company' --yes\n  \
        patctl bulk-revoke --unused-for 180d --max 50 --yes\n  \
        patctl bulk-revoke                     (on a terminal: pick from a list)",
    after_help = "The filter is that of 'patctl list': what it shows is what is revoked, all of it or none. On a \
        terminal it asks; elsewhere it wants --yes.\n\n\
        Status 1 where a user or a name was given and nothing matches, and where --dry-run finds nothing to revoke."
)]
pub struct BulkRevoke {
    /// Which tokens.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Only show what would be revoked
    #[arg(long)]
    pub dry_run: bool,
    /// Refuse to revoke more than this
    #[arg(long, value_name = "N")]
    pub max: Option<u64>,
    /// Why; kept with the tokens and in the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<Note>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
