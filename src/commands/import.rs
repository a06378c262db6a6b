//! `patctl import`: the tokens of another program, all of them or none.

use super::context::Context;
use super::{carry, create, explain_import, stdout_failed, tokens, zone};
use crate::cli::{Format, Import, ImportAtlassian};
use crate::domain::atlassian::staged::{Fate, Staged};
use crate::domain::policy::Policy;
use crate::domain::schedule::Zone;
use crate::dump::users;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::output::bring::Fates;
use crate::output::progress;
use crate::service::import::{self, Counts, Crowded, ImportError};
use crate::service::intake::{self, Few, IntakeError, Noticed, Terms};
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::store::staging::Staging;
use crate::wire::bring::Outlook;
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::Path;

/// Rows and users that are named one by one.
const SHOWN: u32 = 10;
/// Rows that are shown in one go.
const STEP: u32 = 1000;

pub fn run(args: &Import, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let args = match args {
        Import::Atlassian(args) => args,
        Import::Jsonl(args) => return carry::import(args, cx),
    };
    let settings = cx.settings()?;
    let policy = settings.policy();
    let zone = args.source_tz.as_deref().map_or(Ok(Zone::utc()), |name| zone::named(name, cx))?;
    let names = args.user_map.as_deref().map(user_map).transpose()?;
    let path = cx.database(&settings)?;
    let mut store = cx.open_if_there(&settings, &path)?;
    let mut staging = Staging::new()?;
    let noticed = read(args, cx, &zone, names.as_ref(), &mut staging)?;
    tell_noticed(cx, &noticed, &zone);
    if args.dry_run {
        return preview(args, cx, &policy, store.as_ref(), &staging);
    }
    let counts = Counts::of(&staging);
    if counts.against() > 0 && !args.skip_bad {
        return Err(explain_import::against(&counts, &first_against(&staging)?));
    }
    let counts = if counts.new > 0 {
        let store = match &mut store {
            Some(store) => store,
            None => store.insert(create::make(cx, &settings, &path)?),
        };
        bring(args, cx, &policy, store, &staging, counts.new)?
    } else {
        counts
    };
    show(cx, &staging, &counts, Outlook::Done)?;
    let crowded = import::crowded(as_store(store.as_ref()), &staging, policy.max_per_user, true)?;
    tell_crowded(cx, &crowded, &policy);
    tell_ended(cx, &counts, &staging)?;
    cx.screen.say(&told(&counts, "imported"));
    say_zone(args, cx, &counts);
    Ok(Exit::Yes)
}

/// Shows what an import would do.
fn preview(
    args: &ImportAtlassian,
    cx: &mut Context<'_>,
    policy: &Policy,
    store: Option<&SqliteStore>,
    staging: &Staging,
) -> Result<Exit, Failure> {
    let counts = import::preview(as_store(store), staging, &args.bring_back)?;
    let crowded = import::crowded(as_store(store), staging, policy.max_per_user, false)?;
    let stops = counts.against() > 0 && !args.skip_bad;
    show(cx, staging, &counts, if stops { Outlook::Held } else { Outlook::Planned })?;
    tell_crowded(cx, &crowded, policy);
    tell_ended(cx, &counts, staging)?;
    cx.screen.say(&if stops {
        explain_import::blocked(&counts, &first_against(staging)?)
    } else {
        told(&counts, "would be imported")
    });
    say_zone(args, cx, &counts);
    Ok(if stops { Exit::No } else { Exit::Yes })
}

fn as_store(store: Option<&SqliteStore>) -> Option<&dyn Store> {
    store.map(|store| store as &dyn Store)
}

fn user_map(path: &Path) -> Result<HashMap<String, String>, Failure> {
    let name = path.display().to_string();
    let mut file = files::named(path).map_err(|error| explain_import::unreadable(&name, &error))?;
    users::read(&mut file).map_err(|error| explain_import::users(&name, &error))
}

/// Reads all rows, while nobody who uses the database is kept waiting.
fn read(
    args: &ImportAtlassian,
    cx: &mut Context<'_>,
    zone: &Zone,
    names: Option<&HashMap<String, String>>,
    staging: &mut Staging,
) -> Result<Noticed, Failure> {
    let terms = Terms { format: args.format, zone, names, prefix: &args.prefix_name };
    let name = if args.file == Path::new("-") { "stdin".to_owned() } else { args.file.display().to_string() };
    let unreadable = |error: io::Error| explain_import::unreadable(&name, &error);
    let mut file;
    let mut length = 0;
    let input: &mut dyn Read = if args.file == Path::new("-") {
        if cx.stdin.is_closed() {
            return Err(unreadable(io::Error::other("it is closed")));
        }
        &mut *cx.stdin
    } else {
        file = files::named(&args.file).map_err(unreadable)?;
        length = file.length();
        &mut file
    };
    let bar = progress::bar(&cx.screen, length, "reading");
    let read = intake::read(&mut bar.wrap_read(input), &terms, staging);
    bar.finish_and_clear();
    match read {
        Ok((_, noticed)) => Ok(noticed),
        Err(IntakeError::Dump(error)) => Err(explain_import::dump(&name, &error)),
        Err(IntakeError::Store(error)) => Err(error.into()),
    }
}

fn bring(
    args: &ImportAtlassian,
    cx: &mut Context<'_>,
    policy: &Policy,
    store: &mut SqliteStore,
    staging: &Staging,
    new: u64,
) -> Result<Counts, Failure> {
    let actor = cx.actor()?;
    let act = cx.act(policy, &actor);
    let bar = progress::bar(&cx.screen, new, "importing");
    let done = import::bring(store, &act, staging, args.skip_bad, &args.bring_back, &mut || bar.inc(1));
    bar.finish_and_clear();
    match done {
        Ok(counts) => Ok(counts),
        Err(ImportError::Against(counts)) => Err(explain_import::against(&counts, &first_against(staging)?)),
        Err(ImportError::Store(error)) => Err(error.into()),
    }
}

/// The first rows that stand against an import, in their order.
fn first_against(staging: &Staging) -> Result<Vec<Staged>, Failure> {
    let mut first = staging.page(0, SHOWN, Some(Fate::Broken))?;
    first.extend(staging.page(0, SHOWN, Some(Fate::Conflict))?);
    first.sort_by_key(|staged| staged.seq);
    first.truncate(SHOWN as usize);
    Ok(first)
}

/// Shows what becomes, or became, of each row. A table of what was done has what was left out: the rest
/// is in `list`.
fn show(cx: &mut Context<'_>, staging: &Staging, counts: &Counts, outlook: Outlook) -> Result<(), Failure> {
    let is_done = outlook == Outlook::Done;
    let is_table = cx.screen.format() == Format::Table;
    if is_table && cx.global.quiet {
        return Ok(());
    }
    let leaves_out = |staged: &Staged| is_done && is_table && staged.fate == Fate::New;
    if is_table && is_done && counts.present + counts.ended + counts.against() == 0 {
        return Ok(());
    }
    let now = (cx.clock)();
    let mut rows = Fates::new(&mut cx.screen, now, outlook);
    let mut after = 0;
    'all: loop {
        let page = staging.page(after, STEP, None)?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for staged in page.iter().filter(|staged| !leaves_out(staged)) {
            if rows.push(staged).is_break() {
                break 'all;
            }
        }
    }
    rows.finish().map_err(stdout_failed)?;
    cx.screen.flush().map_err(stdout_failed)
}

/// An end that is some hours wrong is noticed too late.
fn say_zone(args: &ImportAtlassian, cx: &mut Context<'_>, counts: &Counts) {
    if args.source_tz.is_none() && counts.new > 0 {
        cx.screen
            .say("the times are taken for UTC; if the server has another zone, name it with --source-tz");
    }
}

fn told(counts: &Counts, verb: &str) -> String {
    let mut parts = vec![format!("{} {verb}", tokens(counts.new))];
    for (count, what) in [
        (counts.present, "imported before"),
        (counts.conflict, "in conflict"),
        (counts.broken, "broken"),
        (counts.ended, "ended here"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.join(", ")
}

/// Names tokens that stay away because they were ended here.
fn tell_ended(cx: &mut Context<'_>, counts: &Counts, staging: &Staging) -> Result<(), Failure> {
    let ended = staging.page(0, SHOWN, Some(Fate::Ended))?;
    let ids: Vec<String> =
        ended.iter().filter_map(|staged| Some(staged.row.as_ref()?.number.id().to_string())).collect();
    explain_import::tell_ended(cx, counts.ended, &ids);
    Ok(())
}

fn tell_noticed(cx: &mut Context<'_>, noticed: &Noticed, zone: &Zone) {
    let name = zone.name();
    for (few, what) in [
        (&noticed.twice, format!("a time that the clocks of {name} showed twice; the first is taken")),
        (&noticed.skipped, format!("a time that the clocks of {name} skipped; is that the server's zone?")),
        (&noticed.masked, "a token in the name, whose secret is left out".to_owned()),
        (&noticed.unmapped, "a user who is not in the map; the key is kept as the name".to_owned()),
    ] {
        if few.count > 0 {
            let rows =
                if few.count == 1 { "1 row has".to_owned() } else { format!("{} rows have", few.count) };
            cx.screen.warn(&format!("{rows} {what}: {}", listed(few)));
        }
    }
}

fn listed(few: &Few) -> String {
    let more = if few.count > few.first.len() as u64 { " …" } else { "" };
    format!("{}{more}", few.first.join("; "))
}

fn tell_crowded(cx: &mut Context<'_>, crowded: &[Crowded], policy: &Policy) {
    if crowded.is_empty() {
        return;
    }
    let first: Vec<String> =
        crowded.iter().take(SHOWN as usize).map(|one| format!("{} ({})", one.user, one.tokens)).collect();
    let more = if crowded.len() > SHOWN as usize { " …" } else { "" };
    let users =
        if crowded.len() == 1 { "1 user has".to_owned() } else { format!("{} users have", crowded.len()) };
    cx.screen.warn(&format!(
        "{users} more tokens than atlassian.pats.max.tokens.per.user allows ({}), and can make no new one: {}{more}",
        policy.max_per_user,
        first.join(", ")
    ));
}
