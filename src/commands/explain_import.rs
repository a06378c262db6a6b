//! Why nothing was imported, told to who typed the command.

use super::context::Context;
use crate::domain::atlassian::Format;
use crate::domain::atlassian::staged::{Fate, Staged};
use crate::dump::DumpError;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::import::Counts;
use std::io;

/// Tokens that are named one by one.
const NAMED: usize = 10;

/// What every database can do.
const AS_CSV: &str = "export the result of this query as CSV with column names: SELECT CREATED_AT, EXPIRING_AT, \
    HASHED_TOKEN, ID, LAST_ACCESSED_AT, NAME, NOTIFICATION_STATE, TOKEN_ID, USER_KEY FROM AO_81F455_PERSONAL_TOKEN";

/// What is wrong with the input as a whole; `name` says which.
pub fn dump(name: &str, error: &DumpError) -> Failure {
    if let DumpError::Read(error) = error {
        return unreadable(name, error);
    }
    let failure = Failure::new(Exit::No, "dump", format!("{name}: {error}; nothing was imported"));
    match error {
        DumpError::Read(_) => failure,
        DumpError::NoText { instead, .. } => failure.hint(*instead),
        DumpError::Unknown => failure.hint(format!(
            "pg_dump, mysqldump, scripts of SSMS and SQL Developer, and CSV with a line of column names are \
             understood; {AS_CSV}"
        )),
        DumpError::NoTable(format) => failure.hint(match format {
            Format::Csv => {
                "a CSV begins with the names of its columns: CREATED_AT,EXPIRING_AT,HASHED_TOKEN,…"
            }
            _ => "is it the database of Jira or Confluence? --format names another format",
        }),
        DumpError::Columns { .. } => {
            failure.hint("the columns are those of AO_81F455_PERSONAL_TOKEN, in any order and case")
        }
        DumpError::Separator { .. } => failure.hint("separate the values with commas"),
        DumpError::Cut { .. } | DumpError::Unfinished => {
            failure.hint(format!("the dump is not whole; write it again, or {AS_CSV}"))
        }
        DumpError::Syntax { .. } => failure.hint(format!(
            "it is not as pg_dump, mysqldump, SSMS (SQL Server) or SQL Developer (Oracle) write it; {AS_CSV}"
        )),
    }
}

/// What is wrong with a list of users; `name` says which.
pub fn users(name: &str, error: &DumpError) -> Failure {
    if let DumpError::Read(error) = error {
        return unreadable(name, error);
    }
    let failure = Failure::new(Exit::No, "user-map", format!("{name}: {error}; nothing was imported"));
    match error {
        DumpError::Separator { .. } => failure.hint(
            "separate the two with a comma, one user a line: JIRAUSER10000,alice; the first line may name the \
             columns: user_key,lower_user_name",
        ),
        _ => failure.hint(
            "a list of users is CSV with commas: a key and a name in each line, or a first line that names \
             the columns, such as user_key,lower_user_name",
        ),
    }
}

/// What cannot be read at all.
pub fn unreadable(name: &str, error: &io::Error) -> Failure {
    let (exit, kind) = match error.kind() {
        io::ErrorKind::PermissionDenied => (Exit::Permission, "permission"),
        _ => (Exit::Io, "io"),
    };
    Failure::new(exit, kind, format!("{name} could not be read: {error}"))
        .hint("name a readable file, or - for stdin")
        .because_of(error)
}

/// Rows that stand against an import; `first` are the first of them.
pub fn against(counts: &Counts, first: &[Staged]) -> Failure {
    let rows = |count: u64| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    let mut parts = Vec::new();
    if counts.broken > 0 {
        parts.push(format!("{} cannot be read as a token", rows(counts.broken)));
    }
    if counts.conflict > 0 {
        parts.push(format!("{} in conflict", rows(counts.conflict)));
    }
    let mut lines = vec![format!("{}; nothing was imported", parts.join(", "))];
    lines.extend(first.iter().map(|staged| {
        format!("{}: {}", staged.place, staged.why.as_deref().unwrap_or("it cannot be imported"))
    }));
    let named = first.len() as u64;
    if counts.against() > named {
        lines.push(format!("and {} more", counts.against() - named));
    }
    Failure::new(Exit::No, "refused", lines.join("\n"))
        .hint("--dry-run shows every row; mend the file, or leave such rows out with --skip-bad")
}

/// Why a dry run says that nothing would be imported, and what --skip-bad would import; `first` are the
/// first rows that are in the way.
pub fn blocked(counts: &Counts, first: &[Staged]) -> String {
    let mut parts = Vec::new();
    for (count, fate, what) in
        [(counts.broken, Fate::Broken, "broken"), (counts.conflict, Fate::Conflict, "in conflict")]
    {
        if count == 0 {
            continue;
        }
        let rows = if count == 1 { "1 row is".to_owned() } else { format!("{count} rows are") };
        let places: Vec<String> = first
            .iter()
            .filter(|staged| staged.fate == fate)
            .map(|staged| staged.place.to_string())
            .collect();
        let more = if count > places.len() as u64 { "; …" } else { "" };
        parts.push(format!("{rows} {what} ({}{more})", places.join("; ")));
    }
    format!("nothing would be imported: {}. With --skip-bad: {}", parts.join(", "), counts.new)
}

/// Names tokens that stay away because they were ended here.
pub fn tell_ended(cx: &mut Context<'_>, count: u64, ids: &[String]) {
    if count == 0 {
        return;
    }
    let named = ids.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more =
        if count > NAMED as u64 { format!(" and {} more", count - NAMED as u64) } else { String::new() };
    let were = if count == 1 { "1 token was" } else { &format!("{count} tokens were") };
    cx.screen.warn(&format!(
        "{were} ended here before being pruned, and not imported: {named}{more}; --bring-back ID imports one again"
    ));
}
