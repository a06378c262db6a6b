//! Putting a backup back, so that nothing that has come to its end lives again.

use super::Act;
use crate::domain::audit::{Action, Entry, MANY};
use crate::domain::chain::KeptHead;
use crate::store::backup::{EachStep, Meeting, Merged, Restoration};
use crate::store::contract::Result;
use crate::store::sqlite::restore::Candidate;
use std::path::{Path, PathBuf};

/// What is at the place of the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// Nothing.
    Nothing,
    /// A database that can be asked.
    Database,
    /// A damaged one, which is moved aside.
    Damaged,
}

/// What is restored, and over what.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'w> {
    /// The backup, for the audit log.
    pub source: &'w str,
    /// The database.
    pub database: &'w Path,
    /// What is there now.
    pub over: Over,
    /// What was salvaged of a damaged one.
    pub salvage: Option<&'w Path>,
    /// Ids that are revoked whatever is known of them.
    pub revoked_since: &'w [String],
    /// Whether its audit log is whole.
    pub log_is_whole: bool,
    /// Whether rows with nothing but a checksum are sealed with the key.
    pub adopt: bool,
}

impl<'w> Wish<'w> {
    fn meeting(&self, act: &Act<'_>) -> Meeting<'w> {
        Meeting {
            present: self.salvage.or((self.over == Over::Database).then_some(self.database)),
            salvaged: self.salvage.is_some(),
            revoked_since: self.revoked_since,
            log_is_whole: self.log_is_whole,
            now: (act.clock)(),
            adopt: self.adopt,
        }
    }
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What is there now.
    pub merged: Merged,
    /// Where the database that was there is kept.
    pub kept: Option<PathBuf>,
}

/// What [`restore`] would do, as things are now.
///
/// # Errors
/// What the database gave.
pub fn preview(candidate: &Candidate, act: &Act<'_>, wish: &Wish<'_>) -> Result<Merged> {
    let merged = candidate.merge(&wish.meeting(act));
    candidate.end(false)?;
    merged
}

/// Restores; `None`: where there was no database there is one by now, and nothing was done.
///
/// # Errors
/// What the database gave; then nothing has happened, but perhaps a copy of what is there was kept.
pub fn restore(
    candidate: Candidate,
    act: &Act<'_>,
    wish: &Wish<'_>,
    each: EachStep<'_>,
) -> Result<Option<Restored>> {
    let prepare = |candidate: &Candidate| {
        let meeting = wish.meeting(act);
        let backup = candidate.head()?;
        let merged = candidate.merge(&meeting)?;
        let ending = format!("before-restore-{}", compact(&meeting.now.to_string()));
        let over = wish.over == Over::Database;
        let kept = over.then(|| candidate.keep_present(&ending)).transpose()?;
        write_down(candidate, act, wish, &backup, &merged)?;
        candidate.end(true)?;
        Ok(Restored { merged, kept })
    };
    if wish.over == Over::Database {
        return candidate.replace(wish.database, prepare, each).map(Some);
    }
    let restored = prepare(&candidate)?;
    if wish.over == Over::Damaged {
        let ending = format!("damaged-{}", compact(&(act.clock)().to_string()));
        let aside = candidate.publish_over_damaged(&ending)?;
        return Ok(aside.map(|aside| Restored { kept: Some(aside), ..restored }));
    }
    Ok(candidate.publish()?.then_some(restored))
}

/// `2026-11-21T12:00:00.000000Z` as `20261121T120000Z`.
fn compact(at: &str) -> String {
    let whole = at.split('.').next().unwrap_or(at);
    whole.chars().filter(|c| !matches!(c, '-' | ':' | 'Z')).chain(['Z']).collect()
}

/// A row for each token that is not simply as it was in the backup, and one for the act, which names both heads.
fn write_down(
    candidate: &dyn Restoration,
    act: &Act<'_>,
    wish: &Wish<'_>,
    backup: &KeptHead,
    merged: &Merged,
) -> Result<()> {
    for one in &merged.exceptions {
        let entry = act.done((act.clock)(), Action::Restore, &one.id, one.user.as_deref());
        candidate.note(&Entry { detail: Some(one.kept.detail()), ..entry })?;
    }
    let mut detail = format!("{} tokens from {} as of {backup}", merged.tokens, wish.source);
    if wish.salvage.is_some() {
        detail.push_str("; what was there is damaged, and its log is in the file that was moved aside");
    }
    if let Some(present) = &merged.present {
        let log = match (merged.log_goes_on, wish.log_is_whole) {
            (true, _) => "",
            (false, true) => ", whose log is in the kept file only",
            (false, false) => ", whose log is broken and in the kept file only",
        };
        detail = format!("{detail}; before it {present}{log}");
    }
    let entry = act.done((act.clock)(), Action::Restore, MANY, None);
    candidate.note(&Entry { detail: Some(&detail), ..entry })
}
