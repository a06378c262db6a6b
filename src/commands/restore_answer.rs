//! What `patctl restore` says: what came back, what did not, and what cannot be known.

use super::context::Context;
use super::tokens;
use crate::cli::{Format, Restore};
use crate::domain::chain::KeptHead;
use crate::domain::moment::Moment;
use crate::output::when;
use crate::service::restore::Over;
use crate::store::backup::{Exception, Kept, Merged, Salvaged, Unsure};
use crate::wire;
use std::io;
use std::path::Path;

/// Ids that are listed one by one for a person; JSON has them all.
const SHOWN: usize = 20;

/// What is or would be restored, beside the tokens themselves.
pub struct Outcome<'o> {
    /// The head of the audit log of the backup.
    pub head: &'o KeptHead,
    /// When the last row of that log was written.
    pub taken_at: Option<Moment>,
    pub over: Over,
    /// What is wrong with the database that was there.
    pub damage: Option<&'o str>,
    /// What could be read of it.
    pub salvaged: Option<&'o Salvaged>,
    /// Where it is kept; `None` before the restore.
    pub kept: Option<&'o Path>,
}

/// Warns of everything that an administrator has to know and may have to act on.
pub fn warnings(cx: &mut Context<'_>, outcome: &Outcome<'_>, merged: &Merged) {
    if let (Some(damage), Some(found)) = (outcome.damage, outcome.salvaged) {
        cx.screen
            .warn(&format!("the database was damaged ({damage}); {} of it could be read", amount(found)));
    }
    if let (Over::Damaged, Some(kept)) = (outcome.over, outcome.kept) {
        cx.screen.warn(&format!("the damaged database was moved to {}", kept.display()));
    }
    if !merged.unsure.is_empty() {
        let ids: Vec<&str> = merged.unsure.iter().take(SHOWN).map(|one| one.id.as_str()).collect();
        let more = match merged.unsure.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more (-o json lists all)"),
        };
        let since = outcome.taken_at.map_or_else(String::new, |at| {
            format!(" after {}, the last entry of the backup,", when::both(at, (cx.clock)()))
        });
        let what = match outcome.over {
            Over::Nothing if outcome.salvaged.is_none() => "there was no database",
            _ => "not everything could be read",
        };
        cx.screen.warn(&format!(
            "{what}: any of these tokens that was revoked{since} is active again: {}{more}; revoke them, or restore \
             again with --revoked-since FILE",
            ids.join(", ")
        ));
    }
    if !merged.absent.is_empty() {
        let ids = merged.absent.join(", ");
        cx.screen.warn(&format!("not in the backup, and therefore not valid: {ids}"));
    }
}

fn amount(found: &Salvaged) -> String {
    let changes = match found.changes {
        1 => "1 change in the audit log".to_owned(),
        changes => format!("{changes} changes in the audit log"),
    };
    format!("{} and {changes}", tokens(found.tokens))
}

/// What is or would be restored, for a person.
pub fn lines(args: &Restore, outcome: &Outcome<'_>, merged: &Merged) -> Vec<String> {
    let done = outcome.kept.is_some() || outcome.over == Over::Nothing && !args.dry_run;
    let verb = match merged.tokens {
        _ if !done => "would be",
        1 => "is",
        _ => "are",
    };
    let mut lines = vec![format!(
        "{} {verb} as in {}, audit row {}",
        tokens(merged.tokens),
        args.file.display(),
        outcome.head.last.seq
    )];
    for kept in Kept::ALL {
        if merged.count(kept) > 0 {
            lines.push(format!("  {} {}", tokens(merged.count(kept)), said(kept)));
        }
    }
    if merged.edited > 0 {
        lines.push(format!("  {} edited since, again as in the backup", tokens(merged.edited)));
    }
    if merged.present.is_some() && !merged.log_goes_on {
        lines.push(
            "  the audit log of the backup goes on; that of the database stays in the kept file".to_owned(),
        );
    }
    lines
}

fn said(kept: Kept) -> &'static str {
    match kept {
        Kept::Revoked => "revoked since: still revoked",
        Kept::Disabled => "disabled since: still disabled",
        Kept::Rotated => "rotated since: still rotated",
        Kept::Ended => "ending earlier than in the backup: still so",
        Kept::Pruned => "pruned since: not brought back",
        Kept::Unknown => "of which nothing is known since: brought back disabled",
        Kept::Gone => "issued since: gone, and no longer good",
    }
}

pub fn answer(
    args: &Restore,
    cx: &mut Context<'_>,
    outcome: &Outcome<'_>,
    merged: &Merged,
) -> io::Result<()> {
    let head = outcome.head;
    if cx.screen.format() == Format::Json {
        return cx.screen.json(&wire::backup::Restored {
            dry_run: args.dry_run,
            file: args.file.display().to_string(),
            head: head.to_string(),
            previous_head: merged.present.as_ref().map(ToString::to_string),
            log_goes_on: merged.log_goes_on,
            tokens: merged.tokens,
            edited: merged.edited,
            exceptions: merged.exceptions.iter().map(as_json).collect(),
            kept: outcome.kept.map(|path| path.display().to_string()),
            backup_at: outcome.taken_at.map(wire::Instant),
            damaged: outcome.damage,
            salvaged: outcome
                .salvaged
                .map(|found| wire::backup::Salvaged { tokens: found.tokens, changes: found.changes }),
            active_again: merged.unsure.iter().map(unsure).collect(),
            not_in_backup: &merged.absent,
        });
    }
    for line in lines(args, outcome, merged) {
        cx.screen.answer(&line)?;
    }
    for one in merged.exceptions.iter().filter(|_| args.dry_run) {
        let user = one.user.as_deref().unwrap_or("(any)");
        cx.screen.answer(&format!("{:<9} {}  {user}", one.kept.as_str(), one.id))?;
    }
    match outcome.kept {
        Some(path) => cx.screen.answer(&format!("what was there is kept in {}", path.display())),
        None => Ok(()),
    }
}

fn unsure(one: &Unsure) -> wire::backup::Unsure<'_> {
    wire::backup::Unsure { id: &one.id, user: one.user.as_deref() }
}

fn as_json(one: &Exception) -> wire::backup::Exception<'_> {
    wire::backup::Exception { id: &one.id, user: one.user.as_deref(), kept: one.kept.as_str() }
}
