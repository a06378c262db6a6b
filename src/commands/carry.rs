//! `patctl export jsonl` and `patctl import jsonl`: tokens without what proves their secrets.

use super::context::Context;
use super::{create, explain_import, stdout_failed, tokens};
use crate::cli::{Format, ImportJsonl};
use crate::config::Settings;
use crate::domain::filter::{Filter, Order, Sort};
use crate::domain::token::TokenId;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::output::progress;
use crate::service::carry::{self, Counted, LineError, Tokens};
use crate::store::{Evidence, Query, Read as _, Store};
use crate::wire;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;

/// The longest line that is read.
const LONGEST: u64 = 1 << 20;
/// Conflicts that are named one by one.
const SHOWN: usize = 10;

pub fn export(cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Jsonl])?;
    let settings = cx.settings()?;
    let store = cx.look(&settings)?;
    let filter = Filter { all: true, ..Filter::default() };
    let query = Query {
        filter: &filter,
        order: Order { sort: Sort::Created, reverse: true, ..Order::default() },
        now: (cx.clock)(),
        expiry_warning: settings.policy().expiry_warning,
        limit: None,
    };
    let (mut failed, mut damaged) = (None, Vec::new());
    store.list(&query, &mut |pat| {
        let written = (|| {
            // What patctl did not write would be sealed where it is imported.
            let Some(Evidence { rules, seal: Ok(()), .. }) = store.evidence(pat.id)? else {
                damaged.push(pat.id.to_string());
                return Ok(());
            };
            cx.screen.json(&wire::carry::Carried::new(pat, &rules)).map_err(stdout_failed)
        })();
        match written {
            Ok(()) if cx.screen.out().is_gone() => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                failed = Some(failure);
                ControlFlow::Break(())
            }
        }
    })?;
    failed.map_or_else(|| left_out(&damaged), Err)
}

/// Fails where rows were left out of an export because they are not what patctl wrote.
pub fn left_out(damaged: &[String]) -> Result<Exit, Failure> {
    if damaged.is_empty() {
        return Ok(Exit::Yes);
    }
    let mut ids = damaged.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if damaged.len() > SHOWN {
        ids = format!("{ids} and {} more", damaged.len() - SHOWN);
    }
    let message = format!("rows that are not what patctl wrote were left out: {ids}");
    Err(Failure::new(Exit::Io, "damaged", message).hint("'patctl doctor' says what is wrong with them"))
}

pub fn import(args: &ImportJsonl, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json])?;
    let settings = cx.settings()?;
    let name = args.file.display().to_string();
    let all = if args.file == Path::new("-") {
        read(&name, &settings, &mut *cx.stdin)?
    } else {
        let mut file = files::named(&args.file).map_err(|error| explain_import::unreadable(&name, &error))?;
        read(&name, &settings, &mut file)?
    };
    let path = cx.database(&settings)?;
    let mut store = cx.open_if_there(&settings, &path)?;
    let counted = carry::preview(store.as_ref().map(|store| store as &dyn Store), &all, &args.bring_back)?;
    refuse(&name, &counted)?;
    if args.dry_run || counted.imported == 0 {
        return answer(args, cx, &counted);
    }
    let store = match &mut store {
        Some(store) => store,
        None => store.insert(create::make(cx, &settings, &path)?),
    };
    let (policy, actor) = (settings.policy(), cx.actor()?);
    let bar = progress::bar(&cx.screen, all.len(), "importing");
    let done =
        carry::import(store, &cx.act(&policy, &actor), &all, &name, &args.bring_back, &mut |n| bar.inc(n));
    bar.finish_and_clear();
    let counted = done?;
    refuse(&name, &counted)?;
    answer(args, cx, &counted)
}

/// The tokens of a file; each must be whole.
fn read(name: &str, settings: &Settings, from: &mut dyn Read) -> Result<Tokens, Failure> {
    let mut lines = BufReader::new(from);
    let (mut all, mut line) = (Tokens::new(settings.base())?, Vec::new());
    for number in 1.. {
        line.clear();
        let read = (&mut lines).take(LONGEST).read_until(b'\n', &mut line);
        if read.map_err(|error| explain_import::unreadable(name, &error))? == 0 {
            break;
        }
        let wrong = |why: &str| {
            Failure::new(Exit::No, "line", format!("{name}, line {number}: {why}; nothing was imported"))
                .hint("each line is a token as 'patctl export jsonl' writes it")
        };
        if line.len() as u64 == LONGEST {
            return Err(wrong("it is longer than 1 MiB"));
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        all.push(number, text).map_err(|error| match error {
            LineError::Wrong(why) => wrong(&why),
            LineError::Store(error) => error.into(),
        })?;
    }
    Ok(all)
}

fn refuse(name: &str, counted: &Counted) -> Result<(), Failure> {
    if counted.conflicts.is_empty() {
        return Ok(());
    }
    let mut ids = counted.conflicts.iter().take(SHOWN).map(TokenId::as_str).collect::<Vec<_>>().join(", ");
    if counted.conflicts.len() > SHOWN {
        ids = format!("{ids} and {} more", counted.conflicts.len() - SHOWN);
    }
    let message =
        format!("{name}: tokens with these ids are here, and are not the same: {ids}; nothing was imported");
    Err(Failure::new(Exit::No, "refused", message)
        .hint("take those lines out, or import into another database (--db)"))
}

fn answer(args: &ImportJsonl, cx: &mut Context<'_>, counted: &Counted) -> Result<Exit, Failure> {
    let first = counted.ended.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>();
    explain_import::tell_ended(cx, counted.ended.len() as u64, &first);
    if cx.screen.format() == Format::Json {
        let Counted { imported, present, .. } = *counted;
        let ended = counted.ended.iter().map(TokenId::as_str).collect();
        let answer = wire::carry::Imported { dry_run: args.dry_run, imported, present, ended };
        cx.screen.json(&answer).map_err(stdout_failed)?;
        return Ok(Exit::Yes);
    }
    let verb = if args.dry_run { "would be imported" } else { "imported" };
    let rest =
        if counted.present > 0 { format!(", {} here already", counted.present) } else { String::new() };
    cx.screen.say(&format!("{} {verb}{rest}", tokens(counted.imported)));
    if counted.imported > 0 && !args.dry_run {
        cx.screen.say(
            "  hint: none of them can be used: no secret came with it; 'patctl rotate ID' makes a new one",
        );
    }
    Ok(Exit::Yes)
}
