//! The arguments of `patctl import` and `patctl export`.

use super::{TEMPLATE, values};
use crate::domain::atlassian::Format;
use crate::domain::token::TokenId;
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// What an import does.
pub const IMPORT: &str = "FILE holds the table AO_81F455_PERSONAL_TOKEN, as pg_dump, mysqldump, psql's \\copy … \
    CSV HEADER, SSMS (SQL Server) or SQL Developer (Oracle) write it, or as CSV from any other program; other tables in it are passed over. All its \
    tokens are imported, or none. What was imported before is left as it is, so that a later dump \
    brings what is new. A token that was revoked, disabled or changed here and has been pruned since stays \
    away, unless --bring-back names it.\n\n\
    A token keeps its secret, its end and its state of notification, and is accepted as Bearer, as it \
    was. Its id here is dc and eight characters; its TOKEN_ID of twelve digits is understood wherever \
    an id is. On its first use it is hashed anew (patctl.import.rehash).\n\n\
    Times in the table have no zone. Of a time that the clocks showed twice, the first is meant; one \
    that they skipped is read as if they had not been put forward. Both are warned of.";

/// What an export is.
pub const EXPORT: &str = "The columns are those of AO_81F455_PERSONAL_TOKEN, written as psql's \\copy … CSV HEADER \
    writes them, in the order in which the tokens came: right after an import the same rows as before \
    it. Tokens that were issued here or are revoked are not among them. HASHED_TOKEN is empty where a \
    token was hashed anew on its first use.";

/// `patctl import …`
#[derive(Subcommand, Debug)]
pub enum Import {
    /// The tokens of a Jira or Confluence Data Center; they keep working
    Atlassian(ImportAtlassian),
    /// Tokens that another patctl exported, without their secrets
    Jsonl(ImportJsonl),
}

/// `patctl import jsonl`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl import jsonl tokens.jsonl --dry-run\n  \
        ssh old patctl export jsonl | patctl import jsonl -",
    after_help = "Each line is a token as 'patctl export jsonl' writes it. All are imported, or none; what is here \
        just so is passed over, and one that is here in another state is refused.\n\n\
        No secret and no hash is in the file, so that no imported token can be used: 'patctl rotate ID' gives \
        it a successor with a secret, and the same grants. To move tokens so that they go on working, use \
        'patctl backup' and 'patctl restore'."
)]
pub struct ImportJsonl {
    /// The file, or - for stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::file())]
    pub file: PathBuf,
    /// Import this token although it was ended here and is deleted; may be given more than once
    #[arg(long, value_name = "ID", value_parser = values::token_id)]
    pub bring_back: Vec<TokenId>,
    /// Only show what would be imported
    #[arg(long)]
    pub dry_run: bool,
}

/// `patctl import atlassian`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        pg_dump -t '\"AO_81F455_PERSONAL_TOKEN\"' jira |\n    \
            patctl import atlassian - --dry-run\n  \
        mysqldump jira AO_81F455_PERSONAL_TOKEN > tokens.sql\n  \
        patctl import atlassian tokens.sql --source-tz Europe/Berlin\n  \
        patctl import atlassian tokens.csv --user-map users.csv",
    after_help = IMPORT
)]
pub struct ImportAtlassian {
    /// The dump, or - for stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::file())]
    pub file: PathBuf,
    /// How the table is written [default: what it seems to be]
    #[arg(long, value_name = "FORMAT", value_parser = values::dump_format())]
    pub format: Option<Format>,
    /// The time zone of the server that wrote the times [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub source_tz: Option<String>,
    /// The names of users by their keys
    #[arg(help = "Names of users by their keys: a CSV of user_key and name", long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::file())]
    pub user_map: Option<PathBuf>,
    /// What the names of the tokens begin with here
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true,
        value_parser = values::prefix_of_names)]
    pub prefix_name: String,
    /// Leave out rows that are broken or in conflict, and import the others
    #[arg(long)]
    pub skip_bad: bool,
    /// Import this token although it was ended here and is deleted; may be given more than once
    #[arg(long, value_name = "ID", value_parser = values::token_id)]
    pub bring_back: Vec<TokenId>,
    /// Only show what would be imported
    #[arg(long)]
    pub dry_run: bool,
}

/// `patctl export …`
#[derive(Subcommand, Debug)]
pub enum Export {
    /// The tokens that were imported, as the table they came from, in CSV
    Atlassian(ExportAtlassian),
    /// All tokens as JSON lines, without their secrets and without the hashes of those
    #[command(help_template = TEMPLATE, before_help = "Examples:\n  \
        patctl export jsonl > tokens.jsonl\n  \
        patctl export jsonl | jq -r 'select(.expires_at == null) | .id'",
        after_help = "Everything about each token but what proves its secret, revoked ones included, in the order \
        in which they were made. 'patctl import jsonl' takes it in, and an export of that is the same again.")]
    Jsonl,
}

/// `patctl export atlassian`
#[derive(Args, Debug)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl export atlassian > tokens.csv\n  \
        patctl export atlassian --source-tz Europe/Berlin |\n    \
            diff <(sort dump.csv) <(sort -)",
    after_help = EXPORT
)]
pub struct ExportAtlassian {
    /// The time zone in which to write the times [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub source_tz: Option<String>,
    /// What the import put before the names, to be taken off again
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true,
        value_parser = values::prefix_of_names)]
    pub prefix_name: String,
}
