//! What `scan` prints: a token where it was found.

use super::Cells;
use serde::Serialize;

/// A token at a place.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Leak<'a> {
    /// The file; null: stdin. What is not UTF-8 in its name is replaced, and a token in it masked.
    pub file: Option<&'a str>,
    /// The line, from 1.
    pub line: u64,
    /// Its first byte in the file, from 0.
    pub offset: u64,
    /// Whose format it is: `patctl` or `atlassian`.
    pub kind: &'static str,
    /// The token without its secret.
    pub token: &'a str,
    /// The public id in it. It may be made up, unless `known`.
    pub id: &'a str,
    /// Whether it is a token of this database, proved by its secret.
    pub known: bool,
    /// Whose it is; null: anybody's, or not known.
    pub user: Option<&'a str>,
    /// What its holder calls it; null: not known.
    pub name: Option<&'a str>,
    /// `active`, `expired`, `disabled`, `rotated` or `revoked`; `unknown`, `wrong-secret`, `damaged` or
    /// `unchecked`.
    pub state: &'static str,
    /// Whether it can be used, or could be once it is enabled; before `--revoke` ended it.
    pub live: bool,
    /// Whether this run revoked it.
    pub revoked: bool,
}

impl Cells for Leak<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "file", "line", "offset", "kind", "token", "id", "known", "user", "name", "state", "live", "revoked",
    ];

    fn cells(&self) -> Vec<String> {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        vec![
            text(self.file),
            self.line.to_string(),
            self.offset.to_string(),
            self.kind.to_owned(),
            self.token.to_owned(),
            self.id.to_owned(),
            self.known.to_string(),
            text(self.user),
            text(self.name),
            self.state.to_owned(),
            self.live.to_string(),
            self.revoked.to_string(),
        ]
    }
}
