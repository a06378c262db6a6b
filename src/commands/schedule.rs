//! `patctl schedule`: when the jobs run next, and what to tell cron or systemd.

use super::context::Context;
use super::invocation::{self, WHEN};
use super::{stdout_failed, zone};
use crate::cli::{self, Format};
use crate::config::{Origin, Settings};
use crate::domain::moment::{Moment, Span};
use crate::domain::schedule::{Run, Schedule, Zone};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::output::one_line::OneLine;
use crate::output::{facts, text, units, when};
use crate::wire::{Instant, schedule as wire};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The jobs, what they do, and the properties that say when.
const JOBS: [(&str, &str, &str); 2] = [
    ("prune", "delete tokens that ended long enough ago", WHEN[0]),
    ("notify", "mail the users whose tokens end", WHEN[1]),
];
/// How far changes of the clock are told of.
const YEAR: Span = Span::days(365);

/// A job with everything that is known about it.
struct Job {
    name: &'static str,
    does: &'static str,
    property: &'static str,
    schedule: Schedule,
    text: String,
    origin: Origin,
    next: Vec<Run>,
    strange: Vec<Run>,
    crontab: Result<String, String>,
    on_calendar: Result<Vec<String>, String>,
}

pub fn run(args: &cli::Schedule, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    let now = (cx.clock)();
    let system = zone::of_the_system(cx);
    // The system's zone matters only where none was named, or where cron is asked to go by another.
    let (zone, is_foreign) = match &args.timezone {
        None => (system?, false),
        Some(name) => {
            let zone = zone::named(name, cx)?;
            let foreign = match system {
                Ok(system) => !system.is_same_as(&zone, now),
                // What could not be read for a moment may be the very zone.
                Err(lack) if lack.exit == Exit::Busy => return Err(lack),
                Err(_) => true,
            };
            (zone, foreign)
        }
    };
    let jobs = JOBS
        .iter()
        .map(|job| look(job, args, &settings, (&zone, is_foreign), now, cx))
        .collect::<Result<Vec<_>, _>>()?;
    let refused: Vec<&Job> = jobs
        .iter()
        .filter(|job| {
            args.crontab && job.crontab.is_err() || args.systemd.is_some() && job.on_calendar.is_err()
        })
        .collect();
    let units = args.systemd.as_ref().map(|_| units(&jobs, &settings, cx)).transpose()?;
    if let (Some(units), Some(Some(directory))) = (&units, &args.systemd) {
        write(directory, units, cx)?;
    }
    let written = match (&units, &args.systemd) {
        _ if cx.screen.format().is_json() => json(&jobs, &zone, cx),
        (Some(units), Some(None)) => print(units, cx),
        (Some(_), _) => Ok(()),
        _ if args.crontab => {
            jobs.iter().flat_map(|job| &job.crontab).try_for_each(|line| cx.screen.value(line))
        }
        _ => table(&jobs, &zone, now, cx),
    };
    written.map_err(stdout_failed)?;
    for job in &refused {
        refuse(job, args.crontab, cx);
    }
    Ok(if refused.is_empty() { Exit::Yes } else { Exit::No })
}

fn look(
    (name, does, property): &(&'static str, &'static str, &'static str),
    args: &cli::Schedule,
    settings: &Settings,
    (zone, is_foreign): (&Zone, bool),
    now: Moment,
    cx: &Context<'_>,
) -> Result<Job, Failure> {
    let (schedule, origin) = settings
        .schedule(property)
        .ok_or_else(|| Failure::new(Exit::Config, "config", format!("{property} is no Quartz expression")))?;
    let next: Vec<Run> =
        schedule.runs(zone, now).filter(|run| !run.at.is_empty()).take(args.count as usize).collect();
    let end =
        now.saturating_plus(YEAR).max(next.last().and_then(|run| run.at.last().copied()).unwrap_or(now));
    let strange = schedule.clock_changes(zone, now, end);
    let never = next.is_empty().then(|| "it never fires".to_owned());
    let suffix = args.timezone.as_ref().map_or_else(String::new, |zone| format!(" {zone}"));
    let command = invocation::for_cron(name, cx)?.for_cron();
    let crontab = match (&never, is_foreign) {
        (Some(never), _) => Err(never.clone()),
        (None, true) => Err(format!("cron runs in the time zone of the system, not in {}", zone.name())),
        (None, false) => schedule.crontab().map_err(|e| e.to_string()),
    };
    let on_calendar = match never {
        Some(never) => Err(never),
        None => schedule.on_calendar().map_err(|e| e.to_string()),
    };
    Ok(Job {
        name,
        does,
        property,
        text: schedule.text(),
        schedule,
        origin,
        next,
        strange,
        crontab: crontab.map(|times| format!("{times} {command}")),
        on_calendar: on_calendar.map(|events| events.into_iter().map(|e| e + &suffix).collect()),
    })
}

fn refuse(job: &Job, crontab: bool, cx: &mut Context<'_>) {
    let (what, why, other) = if crontab {
        let other = job.on_calendar.is_ok().then_some("'patctl schedule --systemd' can say it");
        ("crontab line", job.crontab.as_ref().err(), other)
    } else {
        ("systemd timer", job.on_calendar.as_ref().err(), None)
    };
    let why = why.map_or("", String::as_str);
    let message = format!("no {what} for 'patctl {}' ({} = {}): {why}", job.name, job.property, job.text);
    let hint = other.unwrap_or("write another expression; 'patctl schedule' shows what it means");
    cx.screen.fail(&Failure::new(Exit::No, "inexact", message).hint(hint));
}

fn table(jobs: &[Job], zone: &Zone, now: Moment, cx: &mut Context<'_>) -> io::Result<()> {
    facts::print(cx.screen.out(), &[("time zone", text::safe(zone.name()).into_owned())])?;
    for job in jobs {
        cx.screen.line("")?;
        let mut rows = Vec::new();
        rows.push(("job", format!("patctl {}", job.name)));
        rows.push(("property", format!("{} ({})", job.property, job.origin)));
        rows.push(("expression", job.text.clone()));
        rows.push(("in words", job.schedule.words()));
        if job.next.is_empty() {
            rows.push(("next runs", "never, as far as Quartz knows years (2199)".to_owned()));
        }
        let run = |run: &Run| {
            let at = *run.at.first()?;
            let local = zone.text(at).replace('T', " ");
            let (time, offset) = local.split_at(19);
            let twice = if run.doubled { ", a time that comes twice" } else { "" };
            Some(format!("{time} {offset} ({}{twice})", when::distance(at, now)))
        };
        let labels = std::iter::once("next runs").chain(std::iter::repeat(""));
        rows.extend(labels.zip(job.next.iter().filter_map(run)));
        let strange = |run: &Run| {
            let what = if run.doubled { "comes twice" } else { "is skipped" };
            format!("{} {what}", run.wall.replace('T', " "))
        };
        let labels = std::iter::once("clock moves").chain(std::iter::repeat(""));
        rows.extend(labels.zip(job.strange.iter().map(strange)));
        let safe = |(label, value): (_, String)| (label, text::safe(&value).into_owned());
        let rows: Vec<_> = rows.into_iter().map(safe).collect();
        facts::print(cx.screen.out(), &rows)?;
    }
    Ok(())
}

fn json<'j>(jobs: &'j [Job], zone: &'j Zone, cx: &mut Context<'_>) -> io::Result<()> {
    let run = |run: &Run| {
        let at = *run.at.first()?;
        Some(wire::Run { at: Instant(at), local: zone.text(at), doubled: run.doubled })
    };
    let strange = |run: &Run| wire::ClockChange {
        local: run.wall.clone(),
        what: if run.doubled { "doubled" } else { "skipped" },
    };
    let job = |job: &'j Job| {
        let Job { name, property, text, schedule, origin, next, strange: moved, .. } = job;
        wire::Job {
            job: name,
            property,
            expression: text,
            origin: origin.to_string(),
            words: schedule.words(),
            never: next.is_empty(),
            next: next.iter().filter_map(run).collect(),
            clock_changes: moved.iter().map(strange).collect(),
            crontab: wire::Crontab {
                line: job.crontab.as_deref().ok(),
                refused: job.crontab.as_ref().err().map(String::as_str),
            },
            systemd: wire::Systemd {
                on_calendar: job.on_calendar.as_deref().unwrap_or_default(),
                refused: job.on_calendar.as_ref().err().map(String::as_str),
            },
        }
    };
    let jobs = jobs.iter().map(job).collect();
    cx.screen.json(&wire::Schedule { timezone: zone.name(), jobs })
}

/// The units of all jobs that have an exact timer.
fn units(jobs: &[Job], settings: &Settings, cx: &mut Context<'_>) -> Result<Vec<(String, String)>, Failure> {
    let credentials = settings.text(units::CREDENTIALS);
    let database = invocation::database(settings, cx)?;
    let directory = invocation::text(database.parent().unwrap_or(Path::new("/")))?;
    if directory.contains(['"', '\\', '\'']) {
        let message = format!("systemd cannot be told of the directory {directory}");
        return Err(Failure::usage(message).hint("name it without quotes and backslashes"));
    }
    let credentials = credentials.map(|file| one_line("the file of mail credentials", file)).transpose()?;
    let directory = one_line("the directory", &directory)?;
    let user = one_line("the user", &owner(&database, cx)?)?;
    let config = crate::config::find(&cx.sources())?.unwrap_or_default();
    let keys = ["patctl.token.vault.key.file", "patctl.integrity.key.file"].map(|key| settings.text(key));
    let program = (cx.program)().unwrap_or_else(|| "/".into());
    let seen: Vec<&Path> = [Path::new(directory.as_str()), &program, &config]
        .into_iter()
        .chain(keys.into_iter().flatten().map(Path::new))
        .collect();
    if settings.text("patctl.mail.transport") == Some("sendmail") {
        cx.screen.warn(
            "a sendmail that changes its group (Postfix, Exim) cannot do so in patctl-notify.service; \
             smtp://localhost works there",
        );
    }
    let mut files = Vec::new();
    for job in jobs {
        let Ok(on_calendar) = &job.on_calendar else { continue };
        let network = job.name == "notify";
        let credentials = credentials.as_ref().filter(|_| network);
        let events =
            on_calendar.iter().map(|event| one_line("the time", event)).collect::<Result<Vec<_>, _>>()?;
        let expression = one_line(job.property, &job.text)?;
        let command = invocation::for_systemd(job.name, settings, cx)?;
        let unit = units::Job {
            name: job.name,
            does: job.does,
            property: (job.property, &expression),
            on_calendar: &events,
            command: &command,
            user: &user,
            directory: &directory,
            seen: &seen,
            network,
            credentials,
        };
        files.extend(unit.units());
    }
    Ok(files)
}

/// A value for a unit.
fn one_line(what: &str, text: &str) -> Result<OneLine, Failure> {
    OneLine::new(text).ok_or_else(|| {
        Failure::usage(format!("no unit can hold {what}: '{}' has a control character", text.escape_debug()))
            .hint("name it without one")
    })
}

/// Whom the database belongs to; while there is none, who asks. For root it is whoever could exchange the database:
/// patctl, too, would use it with their rights only.
fn owner(database: &Path, cx: &Context<'_>) -> Result<String, Failure> {
    let actor = cx.actor()?;
    let name = |uid: u32| match uid {
        uid if Some(uid) == actor.uid() => actor.name().to_owned(),
        0 => "root".to_owned(),
        uid => uid.to_string(),
    };
    let unknown = |e: io::Error| {
        let message = format!("it cannot be told whom the database {} belongs to: {e}", database.display());
        Failure::new(Exit::Permission, "permission", message).hint("run as its owner").because_of(&e)
    };
    let absent = |e: &io::Error| matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    let route = match files::Route::to(database, cx.euid()) {
        Ok(route) => route,
        Err(e) if absent(&e) => return Ok(actor.name().to_owned()),
        Err(e) => return Err(unknown(e)),
    };
    let file = match files::look(&route.path) {
        Ok((_, file)) => Some(file),
        Err(e) if absent(&e) => None,
        Err(e) => return Err(unknown(e)),
    };
    if file.as_ref().is_some_and(|file| !file.is_file()) {
        let message = format!("database {}: it is a link, or no regular file", route.path.display());
        return Err(Failure::new(Exit::Permission, "permission", message).hint(
            "name the file itself: every command refuses a link, and its owner is no owner of the database",
        ));
    }
    let uid = route.rights(file.as_ref()).user().or(file.map(|file| file.uid()));
    Ok(uid.map_or_else(|| actor.name().to_owned(), name))
}

fn print(units: &[(String, String)], cx: &mut Context<'_>) -> io::Result<()> {
    units.iter().enumerate().try_for_each(|(index, (name, text))| {
        let blank = if index == 0 { "" } else { "\n" };
        cx.screen.line(&format!("{blank}# {name}\n{}", text.trim_end()))
    })
}

fn write(directory: &Path, units: &[(String, String)], cx: &mut Context<'_>) -> Result<(), Failure> {
    if units.is_empty() {
        return Ok(());
    }
    units::write(directory, units).map_err(|e| {
        Failure::new(Exit::Io, "io", format!("the units could not be written: {e}"))
            .hint("name a directory that is not there yet; nothing is overwritten")
            .because_of(&e)
    })?;
    let timers: Vec<&str> =
        units.iter().map(|(name, _)| name.as_str()).filter(|name| name.ends_with("timer")).collect();
    cx.screen.say(&format!(
        "copy {}/* to /etc/systemd/system, then: systemctl daemon-reload; systemctl enable --now {}",
        directory.display(),
        timers.join(" ")
    ));
    Ok(())
}
