//! `patctl backup`: a copy of the database, consistent while others write.

use super::context::Context;
use super::{stdout_failed, tokens};
use crate::cli::{Backup, Format};
use crate::domain::chain::KeptHead;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::progress;
use crate::service::backup::{self, Contents, Unfit};
use crate::store::examine::Identity;
use crate::wire;
use std::fs;
use std::path::Path;

pub fn run(args: &Backup, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json])?;
    let stream = args.file == Path::new("-");
    if stream {
        somebody_takes_it(cx)?;
    }
    let settings = cx.settings()?;
    if !stream && fs::symlink_metadata(&args.file).is_ok() {
        return Err(exists(&args.file));
    }
    let mut store = cx.open(&settings)?;
    let sealer = cx.sealer(&settings)?;
    let bar = progress::bar(&cx.screen, 0, "copying");
    let copied = store.backup((!stream).then_some(&*args.file), &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let copy = copied.map_err(|error| elsewhere(&args.file, Failure::from(error)))?;
    let contents = backup::look(&copy.examine(sealer)?)?.map_err(|unfit| unfit_copy(&args.file, &unfit))?;
    let head = copy.head().clone();
    let (policy, actor) = (settings.policy(), cx.actor()?);
    let to = if stream { "stdout".to_owned() } else { args.file.display().to_string() };
    backup::note(&mut store, &cx.act(&policy, &actor), &to, &head)?;
    if stream {
        let out = cx.screen.out().raw();
        copy.stream(&mut |piece| out.write_all(piece))?;
        out.flush().map_err(stdout_failed)?;
    } else if !copy.publish()? {
        return Err(exists(&args.file));
    }
    answer(args, cx, &contents, &head)
}

/// Whether the bytes of a database can go to stdout.
fn somebody_takes_it(cx: &mut Context<'_>) -> Result<(), Failure> {
    let hint = "name a new file, or pipe the copy into another program; a file of that name is ./-";
    if cx.screen.format() != Format::Table {
        return Err(Failure::usage("the copy itself goes to stdout, and so would the answer").hint(hint));
    }
    let out = cx.screen.out().raw();
    if out.is_terminal() {
        return Err(Failure::usage("a database is not written to a terminal").hint(hint));
    }
    if out.is_closed() {
        return Err(Failure::new(Exit::Io, "io", "stdout is closed: nobody would get the copy").hint(hint));
    }
    Ok(())
}

fn answer(
    args: &Backup,
    cx: &mut Context<'_>,
    contents: &Contents,
    head: &KeptHead,
) -> Result<Exit, Failure> {
    let stream = args.file == Path::new("-");
    let file = if stream { "stdout".to_owned() } else { args.file.display().to_string() };
    let whole = contents.log.is_ok() && contents.damaged.is_empty();
    if cx.screen.format() == Format::Json {
        let answer = wire::backup::BackedUp {
            file,
            tokens: contents.tokens,
            audit_rows: contents.log.as_ref().map_or(0, |log| log.rows),
            head: head.to_string(),
            damaged: contents.damaged.clone(),
        };
        cx.screen.json(&answer).map_err(stdout_failed)?;
    } else if cx.screen.talks_to_a_person() {
        // Cron hears nothing.
        cx.screen.say(&format!("{} copied to {file}, as of {head}", tokens(contents.tokens)));
    }
    if let Err(fault) = &contents.log {
        let message =
            format!("the copy was made, and its audit log is as broken as that of the database: {fault}");
        cx.screen.fail(&Failure::new(Exit::No, "audit-chain", message).hint("'patctl doctor' says more"));
    }
    if !contents.damaged.is_empty() {
        let message = format!(
            "the copy was made, and rows in it are not what patctl wrote, as in the database: {}",
            contents.damaged.join(", ")
        );
        cx.screen.fail(&Failure::new(Exit::No, "damaged", message).hint("'patctl doctor' says more"));
    }
    Ok(if whole { Exit::Yes } else { Exit::No })
}

fn exists(file: &Path) -> Failure {
    Failure::new(Exit::Io, "exists", format!("{} is there already; nothing was copied", file.display()))
        .hint("a backup is never written over another file; name a new one, for example with the date in it")
}

/// What failed is the copy, not the database.
fn elsewhere(file: &Path, failure: Failure) -> Failure {
    let message = format!("no backup was made to {}: {}", file.display(), failure.message);
    Failure { message, ..failure }
}

/// A copy that cannot be put back is none.
pub fn unfit_copy(file: &Path, unfit: &Unfit) -> Failure {
    let why = match unfit {
        Unfit::Structure(fault) => format!("its structure is damaged: {fault}"),
        Unfit::Identity(Identity::Altered(faults)) => {
            faults.first().map(ToString::to_string).unwrap_or_default()
        }
        Unfit::Identity(Identity::Newer { found, known } | Identity::Older { found, known }) => {
            format!("it has schema {found}, this patctl knows up to {known}")
        }
        Unfit::Identity(_) => "it is the database of another program".to_owned(),
    };
    Failure::new(Exit::Io, "database", format!("{} is no usable copy: {why}", file.display()))
        .hint("'patctl doctor' examines the database; take another backup, or name an earlier one")
}
