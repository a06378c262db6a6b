//! The arguments of the commands that act on tokens.

use super::{Lang, OriginArgs, RequestArgs, RuleArgs, TEMPLATE, values};
use crate::domain::id::IdPrefix;
use crate::domain::lifetime::Lifetime;
use crate::domain::notice::Recipients;
use crate::domain::pat::AuthMethods;
use crate::domain::text::{Email, Note, User};
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// `patctl create`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        TOKEN=$(patctl create --expires 90)\n  \
        patctl create 'nightly backup' --user backup --expires 2027-01-31\n  \
        patctl create --token-file /run/secrets/ci.token --expires 2w\n  \
        patctl create --expires 30 --restrict '[get].*/rest/api/2/issue/JRA.*'\n  \
        patctl create --count 10 --user fleet --expires 30 > fleet.tokens"
)]
pub struct Create {
    /// What the token is for [default: a readable, unique name]
    #[arg(value_parser = values::name)]
    pub name: Option<String>,
    /// Whose token it is [default: the user who runs this]
    #[arg(long, value_name = "USER")]
    pub user: Option<User>,
    /// Also accepted as the user name of Basic authentication
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<Email>,
    /// Let it speak for whichever user Basic names (needs patctl.any.user.enabled)
    #[arg(long, conflicts_with_all = ["user", "email"])]
    pub any_user: bool,
    /// How long it lives: 90 (days), 90d, 12h, 2w, 2027-01-31, an RFC 3339 instant
    #[arg(long, value_name = "WHEN", default_value = "never", allow_hyphen_values = true)]
    pub expires: Lifetime,
    /// How it may be presented
    #[arg(long, value_name = "METHOD", default_value = "both", value_parser = values::auth())]
    pub auth: AuthMethods,
    /// What it may do.
    #[command(flatten)]
    pub rules: RuleArgs,
    /// A remark for people
    #[arg(long, value_name = "TEXT")]
    pub note: Option<Note>,
    /// Where mails about it go: up to ten addresses, separated by commas or given one by one
    #[arg(long, value_name = "ADDRESS")]
    pub notify_to: Vec<Recipients>,
    /// Issue so many, one a line
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with = "token_file")]
    pub count: u32,
    /// Write the token into this new file (mode 0600) and not to stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::new_file())]
    pub token_file: Option<PathBuf>,
    /// Print a call that uses it as well, on stderr: curl, python, … ('patctl snippet' has more)
    #[arg(long, value_enum, value_name = "LANGUAGE", hide_possible_values = true, conflicts_with = "count")]
    pub snippet: Option<Lang>,
}

/// `patctl show`
#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = "Examples:\n  patctl show 7k3m\n  patctl show 7k3m9xq2v8 -o json")]
pub struct Show {
    /// The id, or a beginning of at least 4 characters that only one has
    #[arg(value_name = "ID")]
    pub id: IdPrefix,
    /// Print the token itself, alone; needs the vault's key, and is audited
    #[arg(long)]
    pub reveal: bool,
}

/// `patctl revoke`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl revoke 7k3m9xq2v8\n  \
        patctl revoke 7k3m 01ab --reason 'laptop stolen' --yes\n  \
        patctl list --user alice -o ids | patctl revoke --ids-stdin\n  \
        patctl revoke --token-stdin < leaked.token\n  \
        patctl revoke 7k3m --family            (its successor or predecessor, too)",
    after_help = "Where a person types at stdin it asks first; in a script it does not.\n\n\
        Until the grace of a rotation ends, the old token and the new one both work. Revoking one leaves the other \
        and names it; --family revokes both."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Revoke {
    /// Ids, or beginnings of at least 4 characters that only one has
    #[arg(value_name = "ID", required_unless_present_any = ["ids_stdin", "token_stdin"],
        conflicts_with_all = ["ids_stdin", "token_stdin"])]
    pub ids: Vec<IdPrefix>,
    /// Read the ids from stdin, one a line
    #[arg(long, conflicts_with = "token_stdin")]
    pub ids_stdin: bool,
    /// Read a leaked token from stdin and revoke it
    #[arg(long)]
    pub token_stdin: bool,
    /// Revoke the other token of a running rotation as well
    #[arg(long)]
    pub family: bool,
    /// Why; kept with the token and in the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<Note>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Only show what would be revoked
    #[arg(long)]
    pub dry_run: bool,
}

/// `patctl verify`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        if printf %s \"$TOKEN\" | patctl verify; then …; fi\n  \
        patctl verify --token-file /run/secrets/ci.token --field user\n  \
        printf %s \"$TOKEN\" | patctl verify --method POST --url \"$URL\"\n  \
        printf %s \"$HTTP_AUTHORIZATION\" | patctl verify -o json\n  \
        patctl verify --batch < requests.jsonl",
    after_help = "The token is read from stdin, unless an option names another place: a bare token, \
        or an Authorization header value ('Bearer …', 'Basic …'). A token with restrictions needs the \
        request: a part of a restriction whose subject is not handed over does not hold. Say --body-unseen where a \
        body may come that you do not see.\n\n\
        Status 0 is yes and 1 is no; any other status is trouble, and no answer.\n\n\
        With --batch each line of stdin is a JSON object with a token, and perhaps method, url, query, body or \
        body_b64, content_type, body_unseen (true), client, request_id and headers (an object, or pairs in an array where a name comes \
        twice); each is answered by a line as of -o json, in the same order, once \
        its audit row is committed. Lines that come together are judged together, on all cores. The settings \
        are read once. A line that cannot be read, or is longer than 6.5 MiB, is answered 'unreadable', a token \
        that could not be checked 'unavailable', and the next one is judged. A database file that takes the place \
        of the first one is opened. Status 0: all were allowed; 1: not all; 2: a line could not be read; 74: \
        something could not be decided, or there is no database any more."
)]
pub struct Verify {
    /// Where the token comes from.
    #[command(flatten)]
    pub source: TokenSource,
    /// What it is presented for.
    #[command(flatten)]
    pub request: RequestArgs,
    /// Where that comes from.
    #[command(flatten)]
    pub origin: OriginArgs,
    /// What to print on a yes
    #[arg(
        help = "On a yes, print this: id, name, user, effective_user, created_at or expires_at",
        long,
        value_enum,
        value_name = "FIELD",
        hide_possible_values = true
    )]
    pub field: Option<Field>,
    /// Answer many: JSON lines on stdin, each with its token and its request
    #[arg(long, conflicts_with_all = ["field", "token_file", "token_env", "method", "url", "query", "data",
        "data_file", "content_type", "body_unseen", "headers", "client", "request_id"])]
    pub batch: bool,
}

/// What `verify --field` prints, named as in the JSON.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
#[value(rename_all = "snake_case")]
pub enum Field {
    /// Its public name
    Id,
    /// What its holder calls it
    Name,
    /// Whose it is
    User,
    /// For whom the yes speaks
    EffectiveUser,
    /// When it was issued
    CreatedAt,
    /// When it ends; empty for never
    ExpiresAt,
}

/// Where a token comes from, if not from stdin.
#[derive(Args, Debug)]
pub struct TokenSource {
    /// Read the token from this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::file(), conflicts_with = "token_env")]
    pub token_file: Option<PathBuf>,
    /// Read the token from this environment variable
    #[arg(long, value_name = "NAME")]
    pub token_env: Option<String>,
}

/// `patctl whoami`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl whoami < found.token\n  \
        printf %s \"$TOKEN\" | patctl whoami -o json",
    after_help = "Status 0 if 'patctl verify' would say yes, 1 if it would say no. Looking is audited, \
        and is no use of the token."
)]
pub struct Whoami {
    /// Where the token comes from.
    #[command(flatten)]
    pub source: TokenSource,
    /// What it would be presented for.
    #[command(flatten)]
    pub request: RequestArgs,
    /// Where that would come from.
    #[command(flatten)]
    pub origin: OriginArgs,
}

/// `patctl prune`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl prune --dry-run\n  \
        0 0 * * * /usr/local/bin/patctl prune        (a crontab line)",
    after_help = "Audit rows older than patctl.audit.retention.days are deleted, too; 0, the default, \
        keeps them all."
)]
pub struct Prune {
    /// Only show what would be deleted
    #[arg(long)]
    pub dry_run: bool,
    /// Go ahead although the clock contradicts the audit log
    #[arg(long)]
    pub force: bool,
}
