//! `patctl doctor`: what is wrong with this installation, and what to do about it.

use super::context::Context;
use super::remedy::Remedy;
use super::{stdout_failed, terminal_failed};
use crate::cli::{Doctor, Format};
use crate::config::private_file::{self, Unusable};
use crate::config::{self, ConfigError, Problem, Settings, integrity_key};
use crate::domain::finding::{Finding, Kind, Step};
use crate::domain::integrity::Sealer;
use crate::domain::moment::Span;
use crate::domain::vault::VaultKey;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::service::doctor::{self, Question};
use crate::service::retention;
use crate::store::StoreError;
use crate::store::examine::Examine as _;
use crate::store::examine::Identity;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::checkup::{self, Checkup};
use crate::store::sqlite::examine::Patient;
use crate::store::sqlite::space;
use crate::wire;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub fn run(args: &Doctor, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    if args.accept_clock && !accept_clock(args, cx)? {
        return Ok(Exit::No);
    }
    if args.compact {
        compact(cx)?;
    }
    let mut findings = Vec::new();
    let mut settings = settings(cx, &mut findings);
    let path = cx.database(&settings)?;
    let Checkup { findings: of_files, file, alone } = checkup::checkup(&path, cx.euid(), args.fix);
    if args.fix && !findings.is_empty() {
        // The configuration may lie in the directory that was just made tight.
        findings.clear();
        settings = self::settings(cx, &mut findings);
    }
    let sealer = keys(args, cx, &settings, &mut findings);
    findings.extend(of_files);
    if let Some(file) = file {
        findings.extend(of_database(args, cx, &settings, &file, &sealer, alone));
    }
    let (notes, findings): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| finding.kind.is_note());
    let mut left = findings.iter().filter(|finding| finding.fixed.is_none()).peekable();
    let ok = left.peek().is_none();
    let kinds: Vec<Kind> = left.map(|finding| finding.kind).collect();
    answer(cx, &path, &findings, &notes).map_err(stdout_failed)?;
    Ok(match kinds {
        _ if ok => Exit::Yes,
        // What else was found may only look so because of it.
        kinds if kinds.contains(&Kind::Busy) => Exit::Busy,
        // Nothing is known of what may not be read.
        kinds if kinds.contains(&Kind::Permission) => Exit::Permission,
        _ => Exit::No,
    })
}

/// Rewrites the file of the database.
fn compact(cx: &mut Context<'_>) -> Result<(), Failure> {
    let settings = cx.settings()?;
    let store = cx.open(&settings)?;
    let path = store.path().to_owned();
    // What it holds would not let the file be rewritten.
    drop(store);
    let (before, after) = space::compact(&path)?;
    let kib = |bytes: u64| bytes.div_ceil(1024);
    cx.screen.say(&format!(
        "{} is {} KiB now, and was {} KiB",
        path.display(),
        kib(after.bytes()),
        kib(before.bytes())
    ));
    Ok(())
}

/// Takes the clock to be right, if that was meant; whether it was.
fn accept_clock(args: &Doctor, cx: &mut Context<'_>) -> Result<bool, Failure> {
    let now = (cx.clock)();
    if !args.yes {
        if !cx.can_ask() {
            return Err(Failure::usage(
                "what has expired by the audit log may be good again, and nobody can be asked",
            )
            .hint("if the clock is right, say --yes"));
        }
        if !cx.ask.confirm(&format!("Is it {now}?")).map_err(terminal_failed)? {
            cx.screen.say("nothing was changed");
            return Ok(false);
        }
    }
    let settings = cx.settings()?;
    let mut store = cx.open(&settings)?;
    let (policy, actor) = (settings.policy(), cx.actor()?);
    retention::accept_clock(&mut store, &cx.act(&policy, &actor))?;
    Ok(true)
}

/// The settings, as far as they can be read, and what is wrong with them.
fn settings(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Settings {
    let (settings, problems) = match config::examine(&cx.sources()) {
        Ok(found) => found,
        Err(ConfigError::Problems(problems)) => (Settings::default(), problems),
        Err(ConfigError::Exhausted { path, why }) => {
            findings.push(Finding::busy(path.display().to_string(), why));
            (Settings::default(), Vec::new())
        }
        Err(ConfigError::File { path, why, remedy }) => {
            let mend = remedy
                .unwrap_or_else(|| "mend it or move it away; no other file is read in its place".to_owned());
            // The one remedy that is a command and nothing else.
            let chmod = mend.strip_prefix("chmod ").and_then(|rest| rest.split_once(' '));
            let steps: Vec<Step> =
                chmod.map(|(mode, path)| Step::program(["chmod", mode, "--", path])).into_iter().collect();
            findings.push(Finding::new(Kind::Config, path.display().to_string(), why, mend).by(steps));
            (Settings::default(), Vec::new())
        }
    };
    findings.extend(problems.iter().map(of_problem));
    settings
}

fn of_problem(problem: &Problem) -> Finding {
    let mend = problem
        .hint
        .clone()
        .unwrap_or_else(|| "'patctl config keys' says what each property means".to_owned());
    Finding::new(Kind::Config, problem.origin.to_string(), problem.masked(), mend)
}

/// Looks at every file with a secret in it, and answers what the rows are looked at with.
fn keys(args: &Doctor, cx: &Context<'_>, settings: &Settings, findings: &mut Vec<Finding>) -> Sealer {
    let euid = cx.euid();
    let private = |path: &Path| private_file::read(path, euid);
    let vault = |path: &Path| {
        VaultKey::parse(&private(path)?).map(|_| ()).map_err(|_| Unusable::from("this is no key"))
    };
    let mut look = |property: &str, path: &Path, read: &dyn Fn(&Path) -> Result<(), Unusable>| {
        let Err(why) = read(path) else { return };
        findings.push(if why.passes {
            Finding::busy(path.display().to_string(), format!("{property}: {}", why.why))
        } else {
            of_key(args, property, path, &why.why, read, euid)
        });
    };
    if let Some(path) = settings.vault_key_file() {
        look("patctl.token.vault.key.file", &path, &vault);
    }
    if let Some(path) = settings.mail_credentials() {
        look("patctl.mail.credentials.file", &path, &|path| private(path).map(|_| ()));
    }
    let Some(path) = settings.integrity_key_file() else { return Sealer::default() };
    look("patctl.integrity.key.file", &path, &|path| integrity_key::load(path, euid).map(|_| ()));
    integrity_key::load(&path, euid).ok().flatten().map_or_else(Sealer::default, Sealer::of)
}

fn of_key(
    args: &Doctor,
    property: &str,
    path: &Path,
    why: &str,
    read: &dyn Fn(&Path) -> Result<(), Unusable>,
    euid: u32,
) -> Finding {
    let finding = Finding::new(
        Kind::KeyFile,
        path.display().to_string(),
        format!("{property}: {why}; what needs it does nothing"),
        format!(
            "a private file (mode 600) of the user who runs patctl; put it back from its copy if it is gone: {}",
            path.display()
        ),
    );
    let ours =
        files::look(path).ok().map(|(_, file)| file).filter(|file| file.is_file() && file.uid() == euid);
    let Some(file) = ours.filter(|file| file.mode() & 0o077 != 0) else { return finding };
    let tightened = checkup::tighten(path, &file, euid, 0o177, "others can use it", args.fix);
    let steps = tightened.steps;
    Finding { mend: tightened.mend, steps, fixed: tightened.fixed.filter(|_| read(path).is_ok()), ..finding }
}

fn of_database(
    args: &Doctor,
    cx: &Context<'_>,
    settings: &Settings,
    file: &Path,
    sealer: &Sealer,
    alone: bool,
) -> Vec<Finding> {
    let database = file.display().to_string();
    let look = if alone { Patient::open_alone } else { Patient::open };
    let open = || look(file, sealer.clone());
    let (policy, base) = (settings.policy(), settings.base());
    let question = Question {
        database: &database,
        policy: &policy,
        base: base.as_ref(),
        retention: settings.audit_retention().unwrap_or(Span::ZERO),
        now: (cx.clock)(),
        fix: args.fix,
    };
    let unopenable = |error: StoreError| {
        let denied = matches!(error, StoreError::Permission(_));
        let passes = matches!(error, StoreError::Busy | StoreError::Exhausted(_));
        let why = Failure::from(error).message;
        if denied {
            return vec![Finding::new(Kind::Permission, &database, why, as_owner(file))];
        }
        if passes {
            return vec![Finding::busy(&database, why)];
        }
        let mend = "restore a backup: 'patctl restore FILE'";
        vec![Finding::new(Kind::Unreadable, &database, why, mend).by([Step::restore()])]
    };
    let mut patient = match open() {
        Ok(patient) => patient,
        Err(error) => return unopenable(error),
    };
    let mut findings = Vec::new();
    // Whoever uses it next would do the same.
    if let (true, Ok(Identity::Older { found, known })) = (args.fix && !alone, patient.identity())
        && SqliteStore::open(file).is_ok()
    {
        let why = format!("it had schema {found}");
        let finding = Finding::new(Kind::OlderSchema, &database, why, "nothing is left to do");
        findings.push(finding.fixed(Some(format!("it has schema {known} now"))));
        patient = match open() {
            Ok(patient) => patient,
            Err(error) => return unopenable(error),
        };
    }
    // Of another database nothing else is worth mending.
    let pin = of_pin(cx, settings, file, &patient);
    if pin.as_ref().is_some_and(|finding| finding.why == ANOTHER_KEY) {
        // By that key every row is wrong, and nothing that is said of one would be right.
        patient = match look(file, Sealer::default()) {
            Ok(patient) => patient,
            Err(error) => return unopenable(error),
        };
    }
    findings.extend(pin);
    findings.extend(doctor::examine(&patient, &question));
    findings
}

/// Who may read a database that the caller may not.
fn as_owner(file: &Path) -> String {
    match files::look(file) {
        Ok((_, found)) => format!(
            "this is no damage: run as its owner, uid {}, or copy it with its log to a directory of yours",
            found.uid()
        ),
        Err(_) => "this is no damage: run as its owner".to_owned(),
    }
}

const ANOTHER_KEY: &str = "it is not the key that this database is sealed with: no token is believed";

/// Whether the integrity key is pinned to this very database.
fn of_pin(cx: &Context<'_>, settings: &Settings, file: &Path, patient: &Patient) -> Option<Finding> {
    let path = settings.integrity_key_file()?;
    let key = integrity_key::load(&path, cx.euid()).ok()??;
    let mine = patient.installation().ok()?;
    let shown = path.display().to_string();
    let (why, mend, steps) = match key.installation {
        Some(pinned) if pinned == mine && key.rows => return None,
        Some(pinned) if pinned == mine => (
            "it does not say that all rows are sealed anew since schema 8: an older row could be put back",
            "patctl audit head   (as the owner of the file: the first command that can write it adds the line)",
            vec![Step::patctl(["audit", "head"])],
        ),
        Some(_) => (
            "it is pinned to another database than this one: no token of this one is believed",
            "move it away and restore a backup of that database; or, if this one is meant, remove the line \
             'installation …' from the file",
            checkup::all_aside(file).chain([Step::restore()]).collect(),
        ),
        None if patient.has_another_key() => {
            (ANOTHER_KEY, "put the right key back from its copy; with it nothing else is wrong", Vec::new())
        }
        None => (
            "it is pinned to no database: another one that was sealed with it could take the place of this one",
            "patctl audit head   (as the owner of the file: the first command that can write it pins it)",
            vec![Step::patctl(["audit", "head"])],
        ),
    };
    Some(Finding::new(Kind::KeyFile, shown, why, mend).by(steps))
}

fn answer(cx: &mut Context<'_>, path: &Path, findings: &[Finding], notes: &[Finding]) -> io::Result<()> {
    let remedy = Remedy::new(cx.global, path);
    if cx.screen.format().is_json() {
        let of = |finding| wire::doctor::Finding::of(finding, remedy.commands(&finding.steps));
        let ok = findings.iter().all(|finding| finding.fixed.is_some());
        let database = path.display().to_string();
        let findings = findings.iter().map(of).collect();
        let notes = notes.iter().map(Into::into).collect();
        return cx.screen.json(&wire::doctor::Examined { ok, database, findings, notes });
    }
    for finding in findings {
        cx.screen.value(&format!("{}: {}", finding.kind.as_str(), finding.subject))?;
        cx.screen.value(&format!("    {}", finding.why))?;
        if let Some(fixed) = &finding.fixed {
            cx.screen.value(&format!("    fixed: {fixed}"))?;
            continue;
        }
        cx.screen.value(&format!("    mend: {}", finding.mend))?;
        for command in remedy.commands(&finding.steps) {
            cx.screen.value(&format!("        {command}"))?;
        }
    }
    for note in notes {
        cx.screen.say(&format!("note: {}: {}", note.kind.as_str(), note.why));
    }
    if findings.is_empty() && notes.is_empty() && cx.can_ask() {
        cx.screen.say("nothing is wrong");
    }
    Ok(())
}
