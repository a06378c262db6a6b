//! `patctl create`: the secret on stdout or in a new file, all talk on stderr.

use super::context::Context;
use super::{asked, terminal_failed, vault};
use crate::cli::{Create, Format};
use crate::config::Settings;
use crate::domain::policy::Policy;
use crate::domain::restriction::Rule;
use crate::domain::restriction::rule::Subject;
use crate::domain::text::User;
use crate::domain::token::PlainToken;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{hand_over, progress, when};
use crate::service::Act;
use crate::service::issue::{self, Draft, IssueError, Issued};
use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;
use crate::wire::{self, Created, Instant};
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// Tokens of one transaction: few, so that the write lock is held for a moment only.
const STEP: usize = 20;

pub fn run(args: &Create, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    check_streams(args, cx)?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let actor = (cx.actor)();
    let act = cx.act(&policy, &actor);
    let mut draft = draft(args, &actor.name)?;
    draft.rules = rules(args, cx, &settings)?;
    draft.vault = vault::key(cx, &settings)?;
    let path = cx.database(&settings)?;
    let mut store = cx.open_if_there(&path)?;
    issue::precheck(store.as_ref().map(|s| s as _), &act, &draft, u64::from(args.count))?;
    let first = PlainToken::generate(&policy.prefix, cx.dice);
    if args.count == 1 && draft.name.is_none() && cx.can_ask() && cx.screen.is_terminal() {
        draft.name = Some(ask_name(cx, &policy, &first)?);
        issue::precheck(store.as_ref().map(|s| s as _), &act, &draft, 1)?;
    }
    let store = match &mut store {
        Some(store) => store,
        None => store.insert(make(cx, &path)?),
    };
    if args.count == 1 {
        let issued = one_step(args, cx, &act, store, &draft, vec![first])?;
        for one in &issued {
            tell(args, cx, &draft, one);
        }
        return Ok(Exit::Yes);
    }
    many(args, cx, &act, store, &draft)
}

fn check_streams(args: &Create, cx: &mut Context<'_>) -> Result<(), Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    if args.count > 1 && cx.screen.format() == Format::Json {
        return Err(Failure::usage("many tokens are not one JSON value").hint("use --output jsonl"));
    }
    if args.token_file.is_none() && cx.screen.out().raw().is_closed() {
        return Err(Failure::new(Exit::Io, "undelivered", "stdout is closed: nobody would get the token")
            .hint("no token was made; keep stdout open, or name a new file with --token-file"));
    }
    Ok(())
}

fn draft(args: &Create, me: &str) -> Result<Draft, Failure> {
    let user = match &args.user {
        Some(user) => Some(user.clone()),
        None if args.any_user => None,
        None => Some(me.parse::<User>().map_err(|why| {
            Failure::usage(format!("your user name cannot own a token: {why}")).hint("name one with --user")
        })?),
    };
    Ok(Draft {
        name: args.name.clone(),
        user,
        email: args.email.clone(),
        lifetime: args.expires,
        auth: args.auth,
        rules: None,
        vault: None,
        note: args.note.clone(),
        notify_to: args.notify_to.clone(),
    })
}

/// The lines of the token, each of them parsed; `None`: it may do everything.
fn rules(args: &Create, cx: &mut Context<'_>, settings: &Settings) -> Result<Option<Vec<String>>, Failure> {
    let base = settings.base();
    let Some(sources) = asked::rules(&args.rules, cx)? else { return Ok(None) };
    let rules = asked::parse(&sources, base.as_ref(), cx)?;
    let needs_body = |rule: &&Rule| rule.clauses.iter().any(|c| matches!(c.subject, Subject::Json(_)));
    for rule in rules.lines().iter().filter(needs_body) {
        cx.screen.warn(&format!(
            "{} looks into the body, which nginx auth_request and Caddy forward_auth never hand over, and \
             Traefik only with forwardBody: there it allows nothing",
            rule.text
        ));
    }
    Ok(Some(rules.lines().iter().map(|rule| rule.text.clone()).collect()))
}

fn ask_name(cx: &mut Context<'_>, policy: &Policy, token: &PlainToken) -> Result<String, Failure> {
    let default = issue::default_name(policy, (cx.clock)(), token);
    cx.ask.text("Name", &default).map_err(terminal_failed)
}

fn make(cx: &mut Context<'_>, path: &Path) -> Result<SqliteStore, Failure> {
    let (store, made) = SqliteStore::open_or_create(path)?;
    if made {
        cx.screen.say(&format!("made the database {}", store.path().display()));
    }
    Ok(store)
}

/// Issues some tokens in one transaction and hands them over within it.
fn one_step(
    args: &Create,
    cx: &mut Context<'_>,
    act: &Act<'_>,
    store: &mut SqliteStore,
    draft: &Draft,
    tokens: Vec<PlainToken>,
) -> Result<Vec<Issued>, IssueError> {
    let format = cx.screen.format();
    let mut written = false;
    let result = issue::issue(store, act, cx.dice, draft, tokens, &mut |issued| {
        let bytes = printed(draft, issued, format)?;
        match &args.token_file {
            Some(path) => hand_over::to_file(path, &bytes)?,
            None => hand_over::to_stdout(cx.screen.out().raw(), &bytes)?,
        }
        written = true;
        Ok(())
    });
    // A commit that may have happened keeps its file: it may be the only copy of a good token.
    let failed_for_sure =
        matches!(&result, Err(error) if !matches!(error, IssueError::Store(StoreError::Undecided(_))));
    if let Some(path) = args.token_file.as_deref().filter(|_| written && failed_for_sure) {
        hand_over::take_back(path);
    }
    result
}

fn many(
    args: &Create,
    cx: &mut Context<'_>,
    act: &Act<'_>,
    store: &mut SqliteStore,
    draft: &Draft,
) -> Result<Exit, Failure> {
    let total = args.count as usize;
    let bar = progress::bar(&cx.screen, total as u64, "issuing");
    let mut done = 0;
    while done < total {
        let step = STEP.min(total - done);
        let tokens = (0..step).map(|_| PlainToken::generate(&act.policy.prefix, cx.dice)).collect();
        if let Err(error) = one_step(args, cx, act, store, draft, tokens) {
            bar.abandon();
            let failure = Failure::from(error);
            let message = format!("{} (after {done} of {total} tokens, which are good)", failure.message);
            let hint = if done > 0 { None } else { failure.hint };
            return Err(Failure { message, hint, ..failure });
        }
        done += step;
        bar.inc(step as u64);
    }
    bar.finish_and_clear();
    Ok(Exit::Yes)
}

/// What the holder gets, wiped when it has left.
fn printed(draft: &Draft, issued: &[Issued], format: Format) -> io::Result<Zeroizing<Vec<u8>>> {
    // Larger than any of the forms, so that no secret is left in an outgrown buffer.
    let mut bytes = Zeroizing::new(Vec::with_capacity(issued.len() * 4096));
    for one in issued {
        let id = one.token.id();
        if format.is_json() {
            let created = Created {
                id: id.as_str(),
                token: one.token.reveal(),
                name: &one.name,
                user: draft.user.as_ref().map(User::as_str),
                auth: draft.auth.as_str(),
                created_at: Instant(one.created_at),
                expires_at: one.expires_at.map(Instant),
            };
            wire::line(&mut *bytes, &created)?;
        } else {
            bytes.extend_from_slice(one.token.reveal().as_bytes());
            bytes.push(b'\n');
        }
    }
    Ok(bytes)
}

/// What a person wants to know beside the secret; a script that took it from a pipe does not.
fn tell(args: &Create, cx: &mut Context<'_>, draft: &Draft, issued: &Issued) {
    if !cx.screen.is_terminal() || cx.screen.format().is_json() {
        return;
    }
    let ends = issued.expires_at.map_or_else(|| "never".to_owned(), |at| when::both(at, issued.created_at));
    let id = issued.token.id();
    let user = draft.user.as_ref().map_or("(any)", User::as_str);
    let restricted = draft.rules.as_ref().map_or("no".to_owned(), |rules| match rules.len() {
        1 => "to what 1 line allows".to_owned(),
        lines => format!("to what {lines} lines allow"),
    });
    cx.screen.say("");
    for (label, fact) in [
        ("id", id.as_str()),
        ("name", &issued.name),
        ("user", user),
        ("expires", &ends),
        ("restricted", &restricted),
    ] {
        cx.screen.say(&format!("{label:<11} {fact}"));
    }
    cx.screen.say("");
    cx.screen.say(&match &args.token_file {
        Some(path) => format!("The token is in {}, which only you can read.", path.display()),
        None => "The token will not be shown again. To check it: patctl verify".to_owned(),
    });
    cx.screen.say(&format!("To take it back: patctl revoke {id}"));
}
