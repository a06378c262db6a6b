//! `patctl create`: the secret on stdout or in a new file, all talk on stderr.

use super::context::Context;
use super::unheard::Unheard;
use super::{asked, deliver, snippet, terminal_failed, vault};
use crate::cli::{Create, Format};
use crate::config::Settings;
use crate::domain::notice::Recipients;
use crate::domain::policy::Policy;
use crate::domain::text::{self, Email, User};
use crate::domain::token::PlainToken;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::progress;
use crate::service::Act;
use crate::service::issue::{self, Draft, IssueError, Issued};
use crate::service::notice::About;
use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;
use crate::wire;
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// Tokens of one transaction: few, so that the write lock is held for a moment only.
const STEP: usize = 20;

pub fn run(args: &Create, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    check_streams(args, cx)?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let actor = cx.actor()?;
    let act = cx.act(&policy, &actor);
    let mut draft = draft(args, actor.name())?;
    draft.rules = asked::lines(&args.rules, cx, &settings)?;
    draft.vault = vault::key(cx, &settings)?;
    let path = cx.database(&settings)?;
    let mut store = cx.open_if_there(&settings, &path)?;
    issue::precheck(store.as_ref().map(|s| s as _), &act, &draft, u64::from(args.count))?;
    let first = PlainToken::generate(&policy.prefix, cx.dice);
    if args.count == 1 && draft.name.is_none() && cx.can_ask() && cx.screen.is_terminal() {
        draft.name = Some(ask_name(cx, &policy, &first)?);
        issue::precheck(store.as_ref().map(|s| s as _), &act, &draft, 1)?;
    }
    let store = match &mut store {
        Some(store) => store,
        None => store.insert(make(cx, &settings, &path)?),
    };
    if args.count == 1 {
        let issued = one_step(args, cx, &act, store, &draft, vec![first])?;
        for one in &issued {
            deliver::tell(args.token_file.as_deref(), cx, one);
            let mut unheard = Unheard::default();
            unheard.note(&act, about(&draft, one));
            unheard.warn(cx);
            if let Some(lang) = args.snippet {
                snippet::beside(lang, one.token.id(), args.token_file.as_deref(), cx, &settings, store);
            }
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
    if args.snippet.is_some() && cx.screen.format().is_json() {
        return Err(
            Failure::usage("a snippet is no part of this JSON").hint("'patctl snippet -o json' has it")
        );
    }
    deliver::somebody_listens(args.token_file.as_deref(), cx)
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
        notify_to: Recipients::join(&args.notify_to).map_err(|why| super::edit::recipients(&why))?,
    })
}

fn ask_name(cx: &mut Context<'_>, policy: &Policy, token: &PlainToken) -> Result<String, Failure> {
    let default = issue::default_name(policy, (cx.clock)(), token);
    cx.ask.text("Name", &default).map(|name| text::label(&name)).map_err(terminal_failed)
}

/// Makes the database if it still is not there, and says so.
pub fn make(cx: &mut Context<'_>, settings: &Settings, path: &Path) -> Result<SqliteStore, Failure> {
    cx.directory_for(settings, path)?;
    let (mut store, made) = SqliteStore::open_or_create(path)?;
    if made {
        cx.tell_of_new(settings, &store);
    }
    cx.guard(settings, &mut store)?;
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
    let undecided = |error: &IssueError| matches!(error, IssueError::Store(StoreError::Undecided(_)));
    deliver::hand_over(args.token_file.as_deref(), cx, printed, undecided, |dice, deliver| {
        issue::issue(store, act, dice, draft, tokens, deliver)
    })
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
    let (mut done, mut unheard) = (0, Unheard::default());
    while done < total {
        let step = STEP.min(total - done);
        let tokens = (0..step).map(|_| PlainToken::generate(&act.policy.prefix, cx.dice)).collect();
        match one_step(args, cx, act, store, draft, tokens) {
            Ok(issued) => issued.iter().for_each(|one| unheard.note(act, about(draft, one))),
            Err(error) => {
                bar.abandon();
                let failure = Failure::from(error);
                let message = format!("{} (after {done} of {total} tokens, which are good)", failure.message);
                let hint = if done > 0 { None } else { failure.hint };
                return Err(Failure { message, hint, ..failure });
            }
        }
        done += step;
        bar.inc(step as u64);
    }
    bar.finish_and_clear();
    unheard.warn(cx);
    Ok(Exit::Yes)
}

/// What a mail would say of a new token, and to whom.
fn about<'a>(draft: &'a Draft, issued: &'a Issued) -> About<'a> {
    About {
        id: issued.token.id(),
        name: &issued.name,
        user: issued.user.as_deref(),
        expires_at: issued.expires_at,
        email: draft.email.as_ref().map(Email::as_str),
        notify_to: draft.notify_to.as_ref().map(Recipients::as_str),
    }
}

/// What the holder gets, wiped when it has left.
fn printed(issued: &[Issued], format: Format) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = deliver::room(issued.len());
    for one in issued {
        if format.is_json() {
            wire::line(&mut *bytes, &deliver::created(one))?;
        } else {
            deliver::alone(one, &mut bytes);
        }
    }
    Ok(bytes)
}
