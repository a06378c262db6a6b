//! Everything a user can type: types and value parsers, no behaviour.

mod values;

use crate::domain::filter::{IdPrefix, Status};
use crate::domain::lifetime::Lifetime;
use crate::domain::pat::AuthMethods;
use crate::domain::text::{Note, User};
use crate::exit::{self, Exit};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Help with the examples first.
const TEMPLATE: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// patctl's command line.
#[derive(Parser, Debug)]
#[command(
    name = "patctl",
    version,
    about = "Personal access tokens for scripts, cron jobs and self-hosted services",
    before_help = "Examples:\n  \
        TOKEN=$(patctl create --expires 90)          issue a token\n  \
        printf %s \"$TOKEN\" | patctl verify           is it good? the exit status says\n  \
        patctl list                                  what there is\n  \
        patctl revoke 7k3m                           take one back\n  \
        patctl prune                                 from cron: delete what ended long ago",
    after_help = exit::HELP,
    help_template = TEMPLATE,
    term_width = 100,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The database [default: $PATCTL_DB, the property patctl.db, the user's data directory]
    #[arg(long, global = true, value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// The configuration [default: $PATCTL_CONFIG, the user's, /etc/patctl/patctl.properties]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one property for this run
    #[arg(short = 'D', global = true, value_name = "KEY=VALUE", value_parser = values::define)]
    pub define: Vec<(String, String)>,
    /// How to answer: table, json or ids
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT", hide_possible_values = true, hide_default_value = true)]
    pub output: Format,
    /// Say nothing on success
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to colour: auto, always or never
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", hide_possible_values = true, hide_default_value = true)]
    pub color: Color,
}

/// How to answer.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// Ids, one a line
    Ids,
}

impl Format {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ids => "ids",
        }
    }

    /// Whether errors are JSON, too.
    #[must_use]
    pub const fn is_json(self) -> bool {
        matches!(self, Self::Json)
    }
}

/// When to colour.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` says otherwise
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Issue a token; its secret is printed once, alone, on stdout
    Create(Create),
    /// Show tokens
    List(List),
    /// Show one token and what happened to it
    Show(Show),
    /// Take tokens back, for good
    Revoke(Revoke),
    /// Is this token good? The exit status answers
    Verify(Verify),
    /// Delete tokens that expired or were revoked long enough ago
    Prune(Prune),
    /// Look at the settings
    #[command(subcommand)]
    Config(Config),
}

/// `patctl create`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        TOKEN=$(patctl create --expires 90)\n  \
        patctl create 'nightly backup' --user backup --expires 2027-01-31\n  \
        patctl create --token-file /run/secrets/ci.token --expires 2w"
)]
pub struct Create {
    /// What the token is for [default: a readable, unique name]
    pub name: Option<String>,
    /// Whose token it is [default: the user who runs this]
    #[arg(long)]
    pub user: Option<User>,
    /// How long it lives: 90 (days), 90d, 12h, 2w, 2027-01-31, an RFC 3339 instant, never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "never",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub expires: Lifetime,
    /// How it may be presented
    #[arg(long, value_name = "METHOD", default_value = "both", value_parser = values::auth())]
    pub auth: AuthMethods,
    /// A remark for people
    #[arg(long, value_name = "TEXT")]
    pub note: Option<Note>,
    /// Write the token into this new file (mode 0600) and not to stdout
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// `patctl list`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl list\n  \
        patctl list --user alice --status expires-soon\n  \
        patctl list --all -o json | jq -r '.[] | select(.last_used_at == null) | .id'"
)]
pub struct List {
    /// Only tokens of this user; may be given more than once
    #[arg(long, value_name = "USER")]
    pub user: Vec<String>,
    /// Only tokens in this state; may be given more than once
    #[arg(long, value_name = "STATUS", value_parser = values::status())]
    pub status: Vec<Status>,
    /// At most so many, the newest
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Revoked tokens too
    #[arg(long)]
    pub all: bool,
}

/// `patctl show`
#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = "Examples:\n  patctl show 7k3m\n  patctl show 7k3m9xq2v8 -o json")]
pub struct Show {
    /// The id, or a beginning of at least 4 characters that only one has
    #[arg(value_name = "ID")]
    pub id: IdPrefix,
}

/// `patctl revoke`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl revoke 7k3m9xq2v8\n  \
        patctl revoke 7k3m 01ab --reason 'laptop stolen' --yes\n  \
        patctl list --user alice -o ids | xargs -r patctl revoke"
)]
pub struct Revoke {
    /// Ids, or beginnings of at least 4 characters that only one has
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<IdPrefix>,
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
        printf %s \"$HTTP_AUTHORIZATION\" | patctl verify -o json",
    after_help = "The token is read from stdin, unless an option names another place: a bare token, \
        or an Authorization header value ('Bearer …', 'Basic …').\n\n\
        Status 0 is yes and 1 is no; any other status is trouble, and no answer."
)]
pub struct Verify {
    /// Read the token from this file
    #[arg(long, value_name = "FILE", conflicts_with = "token_env")]
    pub token_file: Option<PathBuf>,
    /// Read the token from this environment variable
    #[arg(long, value_name = "NAME")]
    pub token_env: Option<String>,
    /// What to print on a yes
    #[arg(
        help = "On a yes, print this: id, name, user, effective_user, created_at or expires_at",
        long,
        value_enum,
        value_name = "FIELD",
        hide_possible_values = true
    )]
    pub field: Option<Field>,
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

/// `patctl prune`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl prune --dry-run\n  \
        0 0 * * * patctl prune                       (a crontab line: silent when all is well)"
)]
pub struct Prune {
    /// Only show what would be deleted
    #[arg(long)]
    pub dry_run: bool,
    /// Go ahead although the clock contradicts the audit log
    #[arg(long)]
    pub force: bool,
}

/// `patctl config …`
#[derive(Subcommand, Debug)]
pub enum Config {
    /// Say what is wrong with the settings; status 78 if anything is
    #[command(help_template = TEMPLATE,
        before_help = "Examples:\n  patctl config check\n  patctl config check jira-config.properties")]
    Check {
        /// The file to check [default: the one patctl reads]
        file: Option<PathBuf>,
    },
}

/// The command line asked for a text and not for a deed, or is wrong.
#[derive(Debug)]
pub struct Stop {
    /// What to print.
    pub text: String,
    /// `Yes` for a text that was asked for (stdout), `Usage` for a mistake (stderr).
    pub exit: Exit,
    /// Whether the mistake should be told in JSON.
    pub json: bool,
}

/// Reads a command line.
///
/// # Errors
/// [`Stop`] for `--help`, `--version` and mistakes.
pub fn parse(args: &[OsString]) -> Result<Cli, Stop> {
    Cli::command().try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches)).map_err(
        |error| Stop {
            exit: if error.use_stderr() { Exit::Usage } else { Exit::Yes },
            json: wants_json(args),
            text: error.render().to_string(),
        },
    )
}

/// Whether a command line that does not parse asked for JSON all the same.
fn wants_json(args: &[OsString]) -> bool {
    let args: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    args.windows(2).any(|two| matches!(two, ["-o" | "--output", "json"]))
        || args.iter().any(|arg| matches!(*arg, "-ojson" | "-o=json" | "--output=json"))
}
