//! Everything a user can type: types and value parsers, no behaviour.

mod acts;
mod audit;
mod bring;
mod care;
mod change;
mod config;
pub mod curl;
pub mod http;
mod lean;
mod list;
mod notices;
mod request;
mod scan;
mod schedule;
pub mod shell;
mod slips;
mod snippet;
mod stats;
pub mod topics;
mod values;
pub mod words;

pub use acts::{Create, Field, Prune, Revoke, Show, TokenSource, Verify, Whoami};
pub use audit::{Audit, AuditChain, AuditRows};
pub use bring::{Export, ExportAtlassian, Import, ImportAtlassian, ImportJsonl};
pub use care::{Backup, Doctor, Restore};
pub use change::{Disable, Edit, Enable, Rotate, Which};
pub use config::Config;
pub use list::{BulkRevoke, FilterArgs, List};
pub use notices::{Expiring, Notify};
pub use request::{Check, OriginArgs, RequestArgs, RuleArgs};
pub use scan::{Scan, Scanner};
pub use schedule::Schedule;
pub use snippet::{AuthArg, Lang, Preset, Snippet};
pub use stats::Stats;

use crate::exit::{self, Exit};
use clap::error::{ContextKind, ContextValue};
use clap::{
    Arg, ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    ValueHint,
};
use std::ffi::OsString;
use std::path::PathBuf;

/// Help with the examples first.
const TEMPLATE: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// patctl's command line.
#[derive(Parser, Debug)]
#[command(
    name = "patctl",
    version,
    about = "Personal access tokens for scripts, cron jobs and services",
    before_help = "Examples:\n  \
        TOKEN=$(patctl create --expires 90)          issue a token\n  \
        printf %s \"$TOKEN\" | patctl verify           is it good? the exit status says\n  \
        patctl list                                  what there is\n  \
        patctl revoke 7k3m                           take one back\n  \
        patctl prune                                 from cron: delete what ended",
    after_help = exit::HELP,
    help_template = TEMPLATE,
    term_width = 80,
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
    /// The database [default: $PATCTL_DB, the property patctl.db, then
    /// ~/.local/share/patctl/patctl.db, for root /var/lib/patctl/patctl.db]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::no_stream())]
    pub db: Option<PathBuf>,
    /// The configuration [default: $PATCTL_CONFIG, then the first there is of
    /// ~/.config/patctl/patctl.properties and /etc/patctl/patctl.properties]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::file())]
    pub config: Option<PathBuf>,
    /// Properties set for this run, in their order.
    #[arg(skip)]
    pub define: Vec<(String, String)>,
    /// How to answer: table, json, jsonl, csv or ids
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
    /// One JSON object a line
    Jsonl,
    /// For spreadsheets
    Csv,
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
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Ids => "ids",
        }
    }

    /// Whether errors are JSON, too.
    #[must_use]
    pub const fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
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
    /// How many tokens in which state, when they end, who holds them
    Stats(Stats),
    /// Change a token: its name, its end, what it may do
    Edit(Edit),
    /// Give a token a successor: a new secret for the same grants
    Rotate(Rotate),
    /// Switch tokens off without losing them
    Disable(Disable),
    /// Switch tokens on again
    Enable(Enable),
    /// Take tokens back, for good
    Revoke(Revoke),
    /// Take back every token that a filter chooses
    BulkRevoke(BulkRevoke),
    /// Is this token good? The exit status answers
    Verify(Verify),
    /// Whose token is this, in which state, and why would it fail?
    Whoami(Whoami),
    /// Would this request pass these restrictions? Explains
    Check(Check),
    /// Find tokens that leaked into files, and take them back
    Scan(Scan),
    /// Show a call that works when it is pasted
    Snippet(Snippet),
    /// Delete tokens that expired or were revoked long enough ago
    Prune(Prune),
    /// Show who did what, and find out whether the log of it is whole
    Audit(Audit),
    /// Mail the users whose tokens expire soon or have expired
    Notify(Notify),
    /// A monitoring check: what expires soon?
    Expiring(Expiring),
    /// When the jobs run; lines for cron, timers for systemd
    Schedule(Schedule),
    /// Find what is wrong with this installation, and say what to do
    Doctor(Doctor),
    /// Copy the database while others use it
    Backup(Backup),
    /// Put a backup back; nothing that ended since lives again
    Restore(Restore),
    /// Look at the settings
    #[command(subcommand)]
    Config(Config),
    /// Bring in the tokens of another program
    #[command(subcommand, after_help = bring::IMPORT)]
    Import(Import),
    /// Write imported tokens as the other program had them
    #[command(subcommand, after_help = bring::EXPORT)]
    Export(Export),
    /// Print the script that teaches a shell to complete patctl
    #[command(help_template = TEMPLATE, before_help = "Examples:\n  \
        patctl completions bash > ~/.local/share/bash-completion/completions/patctl\n  \
        patctl completions zsh > ~/.zfunc/_patctl\n  \
        patctl completions fish > ~/.config/fish/completions/patctl.fish")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print a manual page
    #[command(help_template = TEMPLATE, before_help = "Examples:\n  \
        patctl man | man -l -\n  \
        patctl man create | man -l -")]
    Man {
        /// The page of this command [default: of patctl]
        #[arg(value_name = "COMMAND")]
        page: Option<String>,
    },
    /// Explain a command or a topic
    Help {
        /// A command, or exit-status, formats, times, restrictions, security
        topic: Option<String>,
    },
    /// What could stand where the cursor is
    #[command(name = "__complete", hide = true, disable_help_flag = true)]
    Complete {
        /// The words before the cursor, and the one it is in
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
}

/// A shell that can be taught to complete.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// The command line asked for a text and not for a deed, or is wrong.
#[derive(Debug)]
pub struct Stop {
    /// What to print.
    pub text: String,
    /// `Yes` for a text that was asked for (stdout), `Usage` for a mistake (stderr).
    pub exit: Exit,
    /// Whether nothing was asked for, and the text is the help all the same.
    pub is_help: bool,
    /// Whether the mistake should be told in JSON.
    pub json: bool,
    /// Who reads the answer, where it is that of a monitoring check.
    pub monitor: Option<Monitor>,
    /// What was probably meant, where the text does not say.
    pub hint: Option<String>,
}

/// Who reads the answer of a monitoring check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Monitor {
    /// A monitor: a line on stdout that begins with the status.
    Status,
    /// A program that takes gauges or JSON on stdout, and nothing else.
    Program,
}

impl Monitor {
    fn of(args: &[OsString]) -> Self {
        if wants_json(args) || args.iter().any(|arg| arg == "--prometheus") {
            Self::Program
        } else {
            Self::Status
        }
    }
}

/// The definition that help, manual pages and completions are made from.
#[must_use]
pub fn definition() -> clap::Command {
    with_define(Cli::command())
}

/// `-D` at every level. clap's global arguments would forget those before the command as soon as
/// there is one behind it.
fn with_define(command: clap::Command) -> clap::Command {
    let command = if command.get_name() == COMPLETE { command } else { command.arg(define()) };
    command.mut_subcommands(with_define)
}

/// `-D`
fn define() -> Arg {
    Arg::new(DEFINE)
        .short('D')
        .value_name("KEY=VALUE")
        .help("Set one property for this run; may be given more than once")
        .help_heading("Global options")
        .display_order(1000)
        .action(ArgAction::Append)
        .value_parser(values::define)
}

const DEFINE: &str = "define";
/// The hidden command that shells ask.
const COMPLETE: &str = "__complete";

fn defined(matches: &ArgMatches, into: &mut Vec<(String, String)>) {
    if let Ok(Some(given)) = matches.try_get_many::<(String, String)>(DEFINE) {
        into.extend(given.cloned());
    }
    if let Some((_, inner)) = matches.subcommand() {
        defined(inner, into);
    }
}

/// Reads a command line.
///
/// # Errors
/// [`Stop`] for `--help`, `--version` and mistakes.
pub fn parse(args: &[OsString]) -> Result<Cli, Stop> {
    if let Some(cli) = lean::parse(args) {
        return Ok(cli);
    }
    whole(args).map_err(unsuggested).map_err(|error: clap::Error| Stop {
        hint: slips::hint(args, error.kind(), &error.to_string()),
        exit: if error.use_stderr() { Exit::Usage } else { Exit::Yes },
        is_help: error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
        json: wants_json(args),
        monitor: is_monitor(args).then(|| Monitor::of(args)),
        text: error.render().to_string(),
    })
}

/// Takes the hidden command out of what clap suggests.
fn unsuggested(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::Strings(names)) = error.get(ContextKind::SuggestedSubcommand) {
        let shown: Vec<String> = names.iter().filter(|name| *name != COMPLETE).cloned().collect();
        let shown = if shown.is_empty() { ContextValue::None } else { ContextValue::Strings(shown) };
        error.insert(ContextKind::SuggestedSubcommand, shown);
    }
    error
}

/// Reads a command line with the definition of all commands.
fn whole(args: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = definition().try_get_matches_from(args)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    defined(&matches, &mut cli.global.define);
    Ok(cli)
}

/// The help of a command, or of patctl.
#[must_use]
pub fn help(name: Option<&str>) -> Option<String> {
    let mut definition = definition();
    definition.build();
    match name {
        None => Some(definition.render_help().to_string()),
        Some(name) => definition.find_subcommand_mut(name).map(|command| command.render_help().to_string()),
    }
}

/// Whether a command line, even one that does not parse, is that of a monitoring check, where every
/// trouble is "unknown".
#[must_use]
pub fn is_monitor(args: &[OsString]) -> bool {
    let words: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    words::command(&words).as_deref() == Some("expiring")
}

/// Whether a command line that does not parse asked for JSON all the same.
fn wants_json(args: &[OsString]) -> bool {
    let args: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let bundled = |arg: &str| {
        let short = arg.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        short.is_some_and(|s| s.ends_with("ojson") || s.ends_with("ojsonl") || s.ends_with("o=json"))
            || arg.starts_with("--output=json")
    };
    args.windows(2).any(|two| matches!(two, ["-o" | "--output", "json" | "jsonl"]))
        || args.into_iter().any(bundled)
}
