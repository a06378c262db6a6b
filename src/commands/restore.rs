//! `patctl restore`: a backup is the database again, and nothing that has ended lives again.

use super::backup::unfit_copy;
use super::context::Context;
use super::{stdout_failed, terminal_failed, tokens};
use crate::cli::{Format, Restore};
use crate::config::Settings;
use crate::domain::chain::Link;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::progress;
use crate::service::restore::{self, Wish};
use crate::service::{audit, backup};
use crate::store::backup::{Exception, Kept, Merged};
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::restore::Candidate;
use crate::store::{Read as _, StoreError};
use crate::wire;
use std::io;
use std::path::{Path, PathBuf};

pub fn run(args: &Restore, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json])?;
    let settings = cx.settings()?;
    let path = cx.database(&settings)?;
    let present = present(cx, &settings, &path)?;
    let candidate = candidate(args, cx, &settings, &path)?;
    let source = args.file.display().to_string();
    let log_is_whole = match &present {
        Some(store) => same(args, store, &candidate)? && audit::verify(store, None)?.is_ok(),
        None => false,
    };
    let wish =
        Wish { source: &source, database: &path, over: present.is_some(), log_is_whole, adopt: args.adopt };
    // It would hold the state that it saw.
    drop(present);
    let head = candidate.head()?;
    let (policy, actor) = (settings.policy(), (cx.actor)());
    let merged = restore::preview(&candidate, &cx.act(&policy, &actor), &wish)?;
    if args.dry_run {
        answer(args, cx, &head, &merged, None).map_err(stdout_failed)?;
        return Ok(Exit::Yes);
    }
    if !agreed(args, cx, &head, &merged)? {
        cx.screen.say("nothing was restored");
        return Ok(Exit::No);
    }
    let bar = progress::bar(&cx.screen, 0, "restoring");
    let restored = restore::restore(candidate, &cx.act(&policy, &actor), &wish, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let Some(restored) = restored? else {
        return Err(Failure::new(
            Exit::Busy,
            "busy",
            "somebody made a database meanwhile; nothing was restored",
        )
        .hint("try again"));
    };
    answer(args, cx, &head, &restored.merged, restored.kept.as_ref()).map_err(stdout_failed)?;
    Ok(Exit::Yes)
}

/// The database that is there, if it can be asked what it knows.
fn present(cx: &mut Context<'_>, settings: &Settings, path: &Path) -> Result<Option<SqliteStore>, Failure> {
    let told = |failure: Failure| {
        let message =
            format!("nothing was restored, because what is there cannot be asked: {}", failure.message);
        let hint = format!(
            "move {} (and what begins so) away, then restore: but then tokens that were revoked since the backup \
             live again",
            path.display()
        );
        Failure { message, ..failure }.hint(hint)
    };
    match cx.open_if_there(settings, path) {
        Err(failure) if failure.exit == Exit::Io => Err(told(failure)),
        other => other,
    }
}

/// The backup, copied and looked at.
fn candidate(
    args: &Restore,
    cx: &mut Context<'_>,
    settings: &Settings,
    path: &Path,
) -> Result<Candidate, Failure> {
    let sealer = cx.sealer(settings)?;
    let bar = progress::bar(&cx.screen, 0, "reading");
    let read = Candidate::read(&args.file, path, sealer, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let candidate = read.map_err(|error| of_backup(&args.file, error))?;
    let contents = backup::look(candidate.patient()).map_err(|error| of_backup(&args.file, error))?;
    let contents = contents.map_err(|unfit| unfit_copy(&args.file, &unfit))?;
    if let Err(fault) = &contents.log {
        let message = format!("the audit log in {} is not whole: {fault}", args.file.display());
        return Err(
            Failure::new(Exit::Io, "audit-chain", message).hint("nothing was restored; name an earlier one")
        );
    }
    if !contents.damaged.is_empty() && !args.adopt {
        cx.screen.warn(&format!(
            "rows in the backup are not what patctl wrote, and give no yes after it either: {}",
            contents.damaged.join(", ")
        ));
    }
    Ok(candidate)
}

/// What is wrong is the backup, not the database.
fn of_backup(file: &Path, error: StoreError) -> Failure {
    let failure = match error {
        StoreError::Missing(path) => {
            return Failure::new(Exit::Io, "not-found", format!("there is no backup at {}", path.display()));
        }
        other => Failure::from(other),
    };
    let message = format!("the backup {} cannot be restored: {}", file.display(), failure.message);
    Failure { message, ..failure }
}

/// Whether a backup is of the database that is there.
fn same(args: &Restore, present: &SqliteStore, candidate: &Candidate) -> Result<bool, Failure> {
    if present.installation()? == candidate.installation()? {
        return Ok(true);
    }
    let message =
        format!("{} is a backup of another database than the one that is there", args.file.display());
    Err(Failure::new(Exit::No, "another-database", message)
        .hint("nothing was restored; name the right database with --db, or move the one that is there away"))
}

fn agreed(args: &Restore, cx: &mut Context<'_>, head: &Link, merged: &Merged) -> Result<bool, Failure> {
    if args.yes {
        return Ok(true);
    }
    if !cx.can_ask() {
        return Err(Failure::usage("the database would be replaced, and nobody can be asked")
            .hint("look with --dry-run, then say --yes"));
    }
    for line in lines(args, head, merged, "would be") {
        cx.screen.say(&line);
    }
    cx.ask.confirm("Replace the database?").map_err(terminal_failed)
}

/// What is or would be restored, for a person.
fn lines(args: &Restore, head: &Link, merged: &Merged, verb: &str) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {verb} as in {}, audit row {}",
        tokens(merged.tokens),
        args.file.display(),
        head.seq
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

fn answer(
    args: &Restore,
    cx: &mut Context<'_>,
    head: &Link,
    merged: &Merged,
    kept: Option<&PathBuf>,
) -> io::Result<()> {
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
            kept: kept.map(|path| path.display().to_string()),
        });
    }
    for line in lines(args, head, merged, if args.dry_run { "would be" } else { "are" }) {
        cx.screen.answer(&line)?;
    }
    for one in merged.exceptions.iter().filter(|_| args.dry_run) {
        let user = one.user.as_deref().unwrap_or("(any)");
        cx.screen.answer(&format!("{:<9} {}  {user}", one.kept.as_str(), one.id))?;
    }
    match kept {
        Some(path) => cx.screen.answer(&format!("what was there is kept in {}", path.display())),
        None => Ok(()),
    }
}

fn as_json(one: &Exception) -> wire::backup::Exception<'_> {
    wire::backup::Exception { id: &one.id, user: one.user.as_deref(), kept: one.kept.as_str() }
}
