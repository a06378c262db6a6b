//! `patctl restore`: puts a backup back; tokens that ended since stay ended.

use super::backup::unfit_copy;
use super::context::Context;
use super::integrity;
use super::restore_answer::{Outcome, answer, lines, warnings};
use super::revoke::ids_of_file;
use super::{stdout_failed, terminal_failed, tokens};
use crate::cli::{Format, Restore};
use crate::config::Settings;
use crate::domain::chain::{Fault, Terms};
use crate::domain::integrity::Damage;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::progress;
use crate::service::restore::{self, Over, Wish};
use crate::service::{audit, backup};
use crate::store::backup::Merged;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::restore::Candidate;
use crate::store::sqlite::salvage::{Salvage, is_marked_as_foreign, moved_aside, only_log_is_left};
use crate::store::{Read as _, StoreError};
use std::path::Path;

/// What is at the place of the database.
#[derive(Default)]
struct Present {
    store: Option<SqliteStore>,
    /// What is wrong with a damaged one.
    damage: Option<String>,
    /// What could be read of it, or of one that was moved aside before.
    salvage: Option<Salvage>,
}

pub fn run(args: &Restore, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json])?;
    let settings = cx.settings()?;
    let path = cx.database(&settings)?;
    let revoked_since = match &args.revoked_since {
        Some(file) => ids_of_file(file, "nothing was restored")?,
        None => Vec::new(),
    };
    let revoked_since: Vec<String> = revoked_since.iter().map(|id| id.as_str().to_owned()).collect();
    let present = present(args, cx, &settings, &path)?;
    if present.store.is_none() && present.damage.is_none() {
        cx.directory_for(&settings, &path)?;
    }
    let candidate = candidate(args, cx, &settings, &path)?;
    let source = args.file.display().to_string();
    let (over, log_is_whole) = match &present.store {
        Some(store) => (
            Over::Database,
            same(args, store, &candidate)? && audit::verify(store, Terms::default())?.is_ok(),
        ),
        None if present.damage.is_some() => (Over::Damaged, false),
        None => (Over::Nothing, false),
    };
    let Present { store, damage, salvage } = present;
    let salvage = of_this_installation(args, salvage, &candidate, over)?;
    let salvaged = salvage.as_ref().map(Salvage::path);
    let wish = Wish {
        source: &source,
        database: &path,
        over,
        salvage: salvaged,
        revoked_since: &revoked_since,
        log_is_whole,
        adopt: args.adopt,
    };
    // It would hold the state that it saw.
    drop(store);
    let (head, taken_at) = (candidate.head()?, candidate.taken_at()?);
    let (policy, actor) = (settings.policy(), cx.actor()?);
    let merged = restore::preview(&candidate, &cx.act(&policy, &actor), &wish)?;
    let found = salvage.as_ref().map(|salvage| &salvage.found);
    let mut outcome =
        Outcome { head: &head, taken_at, over, damage: damage.as_deref(), salvaged: found, kept: None };
    if args.dry_run {
        warnings(cx, &outcome, &merged);
        answer(args, cx, &outcome, &merged).map_err(stdout_failed)?;
        return Ok(Exit::Yes);
    }
    if !agreed(args, cx, &outcome, &merged)? {
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
        let message = "another process created a database in the meantime; nothing was restored";
        return Err(Failure::new(Exit::Busy, "busy", message).hint("try again"));
    };
    outcome.kept = restored.kept.as_deref();
    warnings(cx, &outcome, &restored.merged);
    answer(args, cx, &outcome, &restored.merged).map_err(stdout_failed)?;
    Ok(Exit::Yes)
}

/// The database that is there, or what can be read of it if it is damaged.
fn present(
    args: &Restore,
    cx: &mut Context<'_>,
    settings: &Settings,
    path: &Path,
) -> Result<Present, Failure> {
    let damage = match SqliteStore::open(path) {
        Ok(store) => match fault_of(&store)? {
            None => {
                drop(store);
                return Ok(Present { store: cx.open_if_there(settings, path)?, ..Present::default() });
            }
            Some(fault) => fault,
        },
        Err(StoreError::Missing(_)) if only_log_is_left(path) => "only its log is left".to_owned(),
        Err(StoreError::Missing(_)) => {
            // What a restore that was interrupted moved aside, or an earlier one.
            let salvage = match moved_aside(path)?.map(|aside| Salvage::of(&aside)) {
                Some(Err(lack @ (StoreError::Exhausted(_) | StoreError::Busy))) => return Err(lack.into()),
                salvage => salvage.and_then(Result::ok),
            };
            return Ok(Present { salvage, ..Present::default() });
        }
        Err(StoreError::Damaged(what)) => what,
        Err(StoreError::Schema(fault)) => fault.to_string(),
        Err(error) => {
            let failure = Failure::from(error);
            let message = format!("nothing was restored: {}", failure.message);
            return Err(Failure { message, ..failure });
        }
    };
    let salvage = Salvage::of(path)?;
    let ours = salvage.found.tokens > 0 || salvage.found.installation.is_some();
    if is_marked_as_foreign(path) && !ours && !args.replace_foreign {
        let message = format!("nothing was restored: {} is the database of another program", path.display());
        return Err(Failure::new(Exit::Io, "foreign", message)
            .hint("name the right database with --db; with --replace-foreign this one is moved aside"));
    }
    Ok(Present { store: None, damage: Some(damage), salvage: Some(salvage) })
}

/// Why a database that opens cannot be relied on, if so.
fn fault_of(store: &SqliteStore) -> Result<Option<String>, Failure> {
    let damaged = |error| match error {
        StoreError::Damaged(what) => Ok(Some(what)),
        error => Err(Failure::from(error)),
    };
    if !store.is_sound()? {
        return Ok(Some("the database disk image is malformed".to_owned()));
    }
    if let Err(error) = store.installation() {
        return damaged(error);
    }
    match audit::verify(store, Terms::default()) {
        Ok(_) => Ok(None),
        Err(error) => damaged(error),
    }
}

/// What was salvaged, if it is of the database that the backup is of.
fn of_this_installation(
    args: &Restore,
    salvage: Option<Salvage>,
    candidate: &Candidate,
    over: Over,
) -> Result<Option<Salvage>, Failure> {
    let Some(found) = salvage else { return Ok(None) };
    let other = match &found.found.installation {
        Some(name) => *name != candidate.installation()?,
        None => false,
    };
    match over {
        Over::Damaged if other => Err(another_database(args)),
        _ if other => Ok(None),
        _ => Ok(Some(found)),
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
    if let (Some(pinned), Some(key)) = (cx.pinned(settings)?, settings.integrity_key_file())
        && pinned != candidate.installation()?
    {
        return Err(integrity::another(&key));
    }
    let contents = backup::look(candidate.patient()).map_err(|error| of_backup(&args.file, error))?;
    let contents = contents.map_err(|unfit| unfit_copy(&args.file, &unfit))?;
    // Of before the key was made, or with a key that is not here: no row is believed either, unless --adopt.
    let older = |fault: &&Fault| matches!(fault, Fault::Head { damage: Damage::Unkeyed | Damage::NoKey, .. });
    if let Some(fault) = contents.log.as_ref().err().filter(|fault| !older(fault)) {
        let message = format!("the audit log in {} is not whole: {fault}", args.file.display());
        return Err(
            Failure::new(Exit::Io, "audit-chain", message).hint("nothing was restored; name an earlier one")
        );
    }
    if contents.sealed_with_a_key && !args.without_key {
        let message = format!(
            "the backup {} is sealed with a key, and patctl.integrity.key.file names none",
            args.file.display()
        );
        return Err(Failure::new(Exit::Config, "no-key", message).hint(
            "nothing was restored; set patctl.integrity.key.file to its key, or use --without-key to restore tokens \
             that are all denied until the key is back",
        ));
    }
    if contents.sealed_with_a_key {
        cx.screen.warn(&format!(
            "{} {} sealed with a key and denied until patctl.integrity.key.file names it; after that, restore again \
             with the key",
            tokens(contents.damaged.len() as u64),
            if contents.damaged.len() == 1 { "is" } else { "are" }
        ));
    } else if !contents.damaged.is_empty() && !args.adopt {
        cx.screen.warn(&format!(
            "rows in the backup are not what patctl wrote, and are denied after the restore, too: {}",
            contents.damaged.join(", ")
        ));
    }
    Ok(candidate)
}

/// What is wrong is the backup, not the database.
fn of_backup(file: &Path, error: StoreError) -> Failure {
    let what = |why: &str| format!("the backup {} cannot be restored: {why}", file.display());
    match error {
        StoreError::Missing(path) => {
            Failure::new(Exit::Io, "not-found", format!("there is no backup at {}", path.display()))
        }
        // What helps a damaged database, a backup above all, is no help here.
        StoreError::Damaged(why) | StoreError::BadRow(why) => Failure::new(
            Exit::Io,
            "database",
            what(&format!("it is not what 'patctl backup' wrote: {why}")),
        )
        .hint("nothing was changed; restore another backup, or copy this one again from where it is kept"),
        other => {
            let failure = Failure::from(other);
            Failure { message: what(&failure.message), ..failure }
        }
    }
}

/// Whether a backup is of the database that is there.
fn same(args: &Restore, present: &SqliteStore, candidate: &Candidate) -> Result<bool, Failure> {
    if present.installation()? == candidate.installation()? {
        return Ok(true);
    }
    Err(another_database(args))
}

fn another_database(args: &Restore) -> Failure {
    let message =
        format!("{} is a backup of another database than the one that is there", args.file.display());
    Failure::new(Exit::No, "another-database", message)
        .hint("nothing was restored; name the right database with --db, or move the one that is there away")
}

fn agreed(
    args: &Restore,
    cx: &mut Context<'_>,
    outcome: &Outcome<'_>,
    merged: &Merged,
) -> Result<bool, Failure> {
    if args.yes {
        return Ok(true);
    }
    if !cx.can_ask() {
        return Err(Failure::usage("the database would be replaced, and nobody can be asked")
            .hint("look with --dry-run, then add --yes"));
    }
    for line in lines(args, outcome, merged) {
        cx.screen.say(&line);
    }
    warnings(cx, outcome, merged);
    cx.ask
        .confirm(match outcome.over {
            Over::Nothing => "Restore the database?",
            Over::Database => "Replace the database?",
            Over::Damaged => "Move the damaged database aside and restore?",
        })
        .map_err(terminal_failed)
}
