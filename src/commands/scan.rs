//! `patctl scan`: tokens that leaked into files, whose they are, and taking them back.

use super::context::Context;
use super::unheard::Unheard;
use super::{stdout_failed, terminal_failed, tokens};
use crate::cli::{Format, Scan, Scanner};
use crate::config::Settings;
use crate::domain::leak::{Kind, mask};
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::presented::Presented;
use crate::domain::token::TokenId;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{leaks, progress};
use crate::search::{self, Found, Place, Plan, Step, Token, Trouble};
use crate::service::scan::{self, PROOFS, Standing};
use crate::store::sqlite::SqliteStore;
use crate::wire::leak::Leak;
use crate::wire::sarif::{Sarif, Spot};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

pub fn run(args: &Scan, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    if let Some(Scanner::Gitleaks) = args.emit {
        return super::scan_rules::gitleaks(cx);
    }
    if args.sarif {
        cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    }
    let settings = cx.settings()?;
    // Before anything is read: whoever waited for a gigabyte wants an answer then.
    let mut store = if args.offline { None } else { Some(open(cx, &settings)?) };
    if cx.stdin.is_closed() && args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::new(Exit::Io, "io", "stdin is closed"));
    }
    let found = search(args, cx);
    let mut standings = judge(cx, store.as_ref(), &found.tokens)?;
    let (now, surely) = match &store {
        Some(store) => {
            let reading = cx.reading(store);
            (reading.later(), reading.surely())
        }
        None => ((cx.clock)(), (cx.clock)()),
    };
    let live: Vec<bool> = standings.iter().map(|standing| standing.is_live(surely)).collect();
    // If that fails, what was found is told all the same.
    let (done, failed) = match &mut store {
        Some(store) if args.revoke => match take_back(args, cx, &settings, store, &mut standings) {
            Ok(done) => (done, None),
            Err(failure) => (Vec::new(), Some(failure)),
        },
        _ => (Vec::new(), None),
    };
    let count = |yes: &dyn Fn(usize) -> bool| (0..standings.len()).filter(|index| yes(*index)).count() as u64;
    let trouble = unread(&found.trouble, &standings);
    let ids: HashSet<TokenId> = done.iter().map(|pat| pat.id).collect();
    let told: Vec<Told<'_>> = (found.tokens.iter().zip(&standings).zip(&live))
        .map(|((token, standing), live)| Told::of(token, standing, *live, &ids, now))
        .collect();
    let in_words: Vec<String> = trouble.iter().map(|trouble| trouble.message.clone()).collect();
    print(args, cx, &found, &told, &in_words)?;
    // What was found comes out before what went wrong is told.
    cx.screen.flush().map_err(stdout_failed)?;
    sum_up(cx, &found, count(&|index| live[index]), done.len() as u64);
    for trouble in &trouble {
        cx.screen.fail(trouble);
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    // A live token is certain, whatever else could not be read; what could not be read is never a yes.
    let passes = trouble.iter().all(|trouble| trouble.exit == Exit::Busy);
    Ok(match (live.contains(&true), trouble.is_empty()) {
        (true, _) => Exit::No,
        (false, false) if passes => Exit::Busy,
        (false, false) => Exit::Io,
        (false, true) => Exit::Yes,
    })
}

fn open(cx: &mut Context<'_>, settings: &Settings) -> Result<SqliteStore, Failure> {
    cx.open(settings).map_err(|failure| {
        let hint = failure.hint.unwrap_or_default();
        Failure {
            hint: Some(format!("{hint}; without a database, --offline takes every token for live")),
            ..failure
        }
    })
}

fn search(args: &Scan, cx: &mut Context<'_>) -> Found {
    let bar = progress::bytes(&cx.screen, "reading");
    let plan = Plan { roots: &args.paths, ignore: !args.no_ignore, one_file_system: args.one_file_system };
    let tell = |step: Step| match step {
        Step::Ahead(bytes) => bar.inc_length(bytes),
        Step::Done(bytes) => bar.inc(bytes),
    };
    let found = search::search(&plan, &mut *cx.stdin, &tell);
    bar.finish_and_clear();
    found
}

/// What each token is. Each is read as `revoke --token-stdin` reads a pasted one.
fn judge(
    cx: &mut Context<'_>,
    store: Option<&SqliteStore>,
    found: &[Token],
) -> Result<Vec<Standing>, Failure> {
    let Some(store) = store else { return Ok(vec![Standing::Unchecked; found.len()]) };
    let presented: Vec<Option<Presented>> =
        found.iter().map(|token| Presented::parse(token.text.as_bytes()).ok()).collect();
    let bar = progress::bar(&cx.screen, found.len() as u64, "checking");
    let standings = scan::judge(store, &presented, &|| bar.inc(1));
    bar.finish_and_clear();
    Ok(standings?)
}

fn take_back(
    args: &Scan,
    cx: &mut Context<'_>,
    settings: &Settings,
    store: &mut SqliteStore,
    standings: &mut [Standing],
) -> Result<Vec<Pat>, Failure> {
    let due: Vec<&Pat> =
        standings.iter().filter_map(Standing::pat).filter(|pat| pat.life.revoked_at.is_none()).collect();
    if due.is_empty() {
        return Ok(Vec::new());
    }
    if !args.yes && cx.can_ask() {
        for pat in &due {
            cx.screen.say(&format!("  {}", super::revoke::one_line(pat)));
        }
        let question = format!("Revoke {} for good?", tokens(due.len() as u64));
        if !cx.ask.confirm(&question).map_err(terminal_failed)? {
            cx.screen.say("nothing was revoked");
            return Ok(Vec::new());
        }
    }
    let policy = settings.policy();
    let actor = cx.actor()?;
    let act = cx.act(&policy, &actor);
    let (done, twins) = scan::take_back(store, &act, standings, &args.reason)?;
    super::revoke::warn_of_twins(cx, &twins, "revoke");
    let mut unheard = Unheard::default();
    for pat in &done {
        unheard.note(&act, pat);
    }
    unheard.warn(cx);
    Ok(done)
}

/// What could not be read, in sentences.
fn unread(trouble: &[Trouble], standings: &[Standing]) -> Vec<Failure> {
    let unread = |message: String| Failure::new(Exit::Io, "unread", message);
    let one = |trouble: &Trouble| {
        let path = trouble.path.as_ref().map_or_else(|| "stdin".into(), |path| path.to_string_lossy());
        let message = format!("{} could not be read: {}", mask(&path), trouble.why);
        if trouble.passes { Failure::exhausted(&message) } else { unread(message) }
    };
    let mut told: Vec<Failure> = trouble.iter().map(one).collect();
    let count =
        |is: &dyn Fn(&Standing) -> bool| standings.iter().filter(|standing| is(standing)).count() as u64;
    let damaged = count(&|standing| *standing == Standing::Damaged);
    if damaged > 0 {
        let keeps = tokens(damaged);
        told.push(unread(format!("what the database keeps of {keeps} is damaged: they could be live")));
    }
    let refused = standings.iter().find_map(|standing| match standing {
        Standing::Unavailable(refused) => Some(refused),
        _ => None,
    });
    if let Some(refused) = refused {
        let unavailable = count(&|standing| matches!(standing, Standing::Unavailable(_)));
        let unchecked = tokens(unavailable);
        told.push(unread(format!("{unchecked} could not be checked, and could be live: {refused}")));
    }
    let beyond = count(&|standing| *standing == Standing::NotChecked);
    if beyond > 0 {
        told.push(unread(format!(
            "{} were not checked, and could be live: {PROOFS} other secrets for the same id were wrong",
            tokens(beyond)
        )));
    }
    told
}

/// What there is to tell of a token, wherever it stands.
struct Told<'t> {
    masked: String,
    id: String,
    pat: Option<&'t Pat>,
    state: &'static str,
    live: bool,
    revoked: bool,
}

impl<'t> Told<'t> {
    fn of(token: &Token, standing: &'t Standing, live: bool, done: &HashSet<TokenId>, now: Moment) -> Self {
        let pat = standing.pat();
        Self {
            masked: token.kind.masked(&token.text),
            id: pat.map_or_else(|| token.kind.id(&token.text), |pat| pat.id.to_string()),
            pat,
            state: standing.as_str(now),
            live,
            revoked: pat.is_some_and(|pat| done.contains(&pat.id)),
        }
    }

    fn at<'a>(&'a self, place: &Place, kind: Kind, file: Option<&'a str>) -> Leak<'a> {
        Leak {
            file,
            line: place.line,
            offset: place.offset,
            kind: kind.as_str(),
            token: &self.masked,
            id: &self.id,
            known: self.pat.is_some(),
            user: self.pat.and_then(|pat| pat.user.as_deref()),
            name: self.pat.map(|pat| pat.name.as_str()),
            state: self.state,
            live: self.live,
            revoked: self.revoked,
        }
    }
}

fn print(
    args: &Scan,
    cx: &mut Context<'_>,
    found: &Found,
    told: &[Told<'_>],
    trouble: &[String],
) -> Result<(), Failure> {
    if cx.global.quiet && cx.screen.format() == Format::Table && !args.sarif {
        return Ok(());
    }
    // One name for all places in a file; they follow each other.
    let mut names: Vec<(&Arc<Path>, String)> = Vec::new();
    for file in found.places.iter().filter_map(|place| place.file.as_ref()) {
        if names.last().is_none_or(|(last, _)| *last != file) {
            names.push((file, mask(&file.to_string_lossy()).into_owned()));
        }
    }
    let name = |file: &Arc<Path>| {
        let index = names.binary_search_by(|(known, _)| known.as_os_str().cmp(file.as_os_str()));
        index.ok().map(|index| names[index].1.as_str())
    };
    let kind = |place: &Place| found.tokens[place.token].kind;
    let leaks: Vec<Leak<'_>> = found
        .places
        .iter()
        .map(|place| told[place.token].at(place, kind(place), place.file.as_ref().and_then(name)))
        .collect();
    if !args.sarif {
        return leaks::print(&mut cx.screen, &leaks).map_err(stdout_failed);
    }
    let spot = |(place, leak)| {
        let place: &Place = place;
        let length = found.tokens[place.token].text.len();
        Spot { leak, kind: kind(place), path: place.file.as_deref(), length }
    };
    let spots: Vec<Spot<'_>> = found.places.iter().zip(&leaks).map(spot).collect();
    cx.screen.json(&Sarif::new(&spots, trouble)).map_err(stdout_failed)
}

/// How much was read and found, for a person, or where there is something to tell.
fn sum_up(cx: &mut Context<'_>, found: &Found, live: u64, revoked: u64) {
    if found.places.is_empty() && !cx.screen.has_a_person() {
        return;
    }
    let number = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let done = if revoked > 0 { format!(", {revoked} of them revoked") } else { String::new() };
    cx.screen.say(&format!(
        "{}, {}: {} in {}, {live} live{done}",
        number(found.files, "file"),
        number(found.bytes, "byte"),
        tokens(found.tokens.len() as u64),
        number(found.places.len() as u64, "place"),
    ));
}
