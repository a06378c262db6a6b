//! What becomes of each row of an import.

use super::{Cells, Instant};
use crate::domain::atlassian::row::Row;
use crate::domain::atlassian::staged::{Fate, Staged};
use serde::Serialize;

/// What becomes of the rows that are new.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outlook {
    /// They would be imported.
    Planned,
    /// They would not: other rows are broken or in conflict.
    Held,
    /// They were imported.
    Done,
}

/// A row of an import: `import atlassian -o json`.
#[derive(Serialize, Debug)]
pub struct Incoming<'a> {
    /// The line in which it stands.
    pub line: u64,
    /// Which of the rows in that line it is; null where a line holds one.
    pub nth: Option<u64>,
    /// `new` (it would be imported), `held` (it would be, if no other row were broken or in conflict),
    /// `imported`, `present` (it was imported before), `conflict`, `broken` or `ended` (it was ended here,
    /// and is deleted).
    pub fate: &'static str,
    /// The id that the token has here; null where it is none, or is the second of its number.
    pub id: Option<String>,
    /// The id that it had there.
    pub token_id: Option<String>,
    /// Its name here.
    pub name: Option<&'a str>,
    /// Whose it is here.
    pub user: Option<&'a str>,
    /// When it was issued.
    pub created_at: Option<Instant>,
    /// When it ends; null: never.
    pub expires_at: Option<Instant>,
    /// When it was last used; null: never.
    pub last_used_at: Option<Instant>,
    /// Why it is not imported.
    pub why: Option<&'a str>,
}

impl<'a> Incoming<'a> {
    /// A row, after an import or before one.
    #[must_use]
    pub fn new(staged: &'a Staged, outlook: Outlook) -> Self {
        let row: Option<&Row> = staged.row.as_ref();
        Self {
            line: staged.place.line,
            nth: staged.place.nth,
            fate: match (staged.fate, outlook) {
                (Fate::New, Outlook::Done) => "imported",
                (Fate::New, Outlook::Held) => "held",
                (fate, _) => fate.as_str(),
            },
            id: row.map(|row| row.number.id().to_string()),
            token_id: row.map(|row| row.number.to_string()),
            name: row.map(|_| staged.name.as_str()),
            user: row.map(|_| staged.user.as_str()),
            created_at: row.map(|row| Instant(row.created_at)),
            expires_at: row.and_then(|row| row.expires_at).map(Instant),
            last_used_at: row.and_then(|row| row.last_used_at).map(Instant),
            why: staged.why.as_deref(),
        }
    }
}

impl Cells for Incoming<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "line",
        "nth",
        "fate",
        "id",
        "token_id",
        "name",
        "user",
        "created_at",
        "expires_at",
        "last_used_at",
        "why",
    ];

    fn cells(&self) -> Vec<String> {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let at = |value: Option<Instant>| value.map_or_else(String::new, |at| at.0.to_string());
        vec![
            self.line.to_string(),
            self.nth.map_or_else(String::new, |nth| nth.to_string()),
            self.fate.to_owned(),
            text(self.id.as_deref()),
            text(self.token_id.as_deref()),
            text(self.name),
            text(self.user),
            at(self.created_at),
            at(self.expires_at),
            at(self.last_used_at),
            text(self.why),
        ]
    }
}
