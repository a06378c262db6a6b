//! `patctl rotate`: a new secret for the same grants, handed over as `create` does it.

use super::context::Context;
use super::revoke::one_line;
use super::unheard::Unheard;
use super::{deliver, stdout_failed, terminal_failed, vault};
use crate::cli::{Format, Rotate};
use crate::domain::id::IdPrefix;
use crate::domain::moment::Span;
use crate::domain::token::PlainToken;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::when;
use crate::service::Act;
use crate::service::issue::IssueError;
use crate::service::notice::About;
use crate::service::rotate::{self, Handover, Order, Plan, RotateError, Rotated};
use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;
use crate::wire::change::{NewToken, Planned, Rotated as Json, Undone};
use crate::wire::{self, Instant, Token};
use std::io;
use zeroize::Zeroizing;

pub fn run(args: &Rotate, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    if !args.undo && !args.dry_run {
        deliver::somebody_listens(args.token_file.as_deref(), cx)?;
    }
    let settings = cx.settings()?;
    let policy = settings.policy();
    let mut store = cx.open(&settings)?;
    let actor = cx.actor()?;
    let act = cx.act(&policy, &actor);
    if args.undo {
        return undo(args, cx, &act, &mut store, policy.expiry_warning);
    }
    let key = vault::key(cx, &settings)?;
    let order = Order {
        id: &args.id,
        handover: handover(args),
        lifetime: args.expires,
        reason: args.reason.as_ref(),
        vault: key.as_ref(),
    };
    // Refused before anything is asked or hashed.
    let plan = rotate::preview(&store, &act, &order)?;
    if args.dry_run {
        would_rotate(cx, &plan).map_err(stdout_failed)?;
        return Ok(Exit::Yes);
    }
    if !args.yes && cx.can_ask() && !confirmed(cx, &plan)? {
        cx.screen.say("nothing was rotated");
        return Ok(Exit::No);
    }
    // What was shown is what is rotated, whatever else begins so by now.
    let id = IdPrefix::from(plan.old.id);
    let token = PlainToken::generate(&policy.prefix, cx.dice);
    let rotated = make(args, cx, &act, &mut store, &Order { id: &id, ..order }, token)?;
    deliver::tell(args.token_file.as_deref(), cx, &rotated.issued);
    let mut unheard = Unheard::default();
    unheard.note(&act, About { id: rotated.issued.token.id(), ..About::from(&rotated.plan.old) });
    unheard.warn(cx);
    if cx.screen.is_terminal() && !cx.screen.format().is_json() {
        cx.screen.say(&format!("{} {}", rotated.plan.old.id, fate(&rotated.plan)));
    }
    Ok(Exit::Yes)
}

fn handover(args: &Rotate) -> Handover {
    match args.grace {
        Some(span) if span > Span::ZERO => Handover::Grace(span),
        _ if args.until_first_use => Handover::FirstUse,
        _ => Handover::Now,
    }
}

fn make(
    args: &Rotate,
    cx: &mut Context<'_>,
    act: &Act<'_>,
    store: &mut SqliteStore,
    order: &Order<'_>,
    token: PlainToken,
) -> Result<Rotated, RotateError> {
    let undecided = |error: &RotateError| {
        matches!(error, RotateError::Issue(IssueError::Store(StoreError::Undecided(_))))
    };
    deliver::hand_over(args.token_file.as_deref(), cx, printed, undecided, |dice, deliver| {
        rotate::rotate(store, act, dice, order, token, deliver)
    })
}

/// What the holder gets, wiped when it has left.
fn printed(rotated: &Rotated, format: Format) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = deliver::room(1);
    if format.is_json() {
        let created = NewToken::Made(deliver::created(&rotated.issued));
        wire::line(&mut *bytes, &as_json(&rotated.plan, created, false))?;
    } else {
        deliver::alone(&rotated.issued, &mut bytes);
    }
    Ok(bytes)
}

fn as_json<'p>(plan: &'p Plan, created: NewToken<'p>, dry_run: bool) -> Json<'p> {
    Json {
        created,
        dry_run,
        predecessor: plan.old.id.as_str(),
        predecessor_ends_at: Instant(plan.old_ends_at),
        until_first_use: plan.on_first_use,
    }
}

fn confirmed(cx: &mut Context<'_>, plan: &Plan) -> Result<bool, Failure> {
    cx.screen.say(&format!("  {}", one_line(&plan.old)));
    cx.screen.say(&format!("  {}", fate(plan)));
    cx.ask.confirm("Give it a successor?").map_err(terminal_failed)
}

/// What becomes of the old token.
fn fate(plan: &Plan) -> String {
    let latest = when::both(plan.old_ends_at, plan.at);
    match (plan.on_first_use, plan.old_ends_at > plan.at) {
        (true, _) => format!("stops when the new one is first used, at the latest {latest}"),
        (false, true) => format!("stops {latest}"),
        (false, false) => "stops at once".to_owned(),
    }
}

fn would_rotate(cx: &mut Context<'_>, plan: &Plan) -> io::Result<()> {
    if cx.screen.format().is_json() {
        let planned = Planned {
            id: None,
            token: None,
            name: &plan.old.name,
            user: plan.old.user.as_deref(),
            auth: plan.old.auth.as_str(),
            created_at: Instant(plan.at),
            expires_at: plan.expires_at.map(Instant),
        };
        return cx.screen.json(&as_json(plan, NewToken::Planned(planned), true));
    }
    let ends = plan.expires_at.map_or_else(|| "never".to_owned(), |at| when::both(at, plan.at));
    cx.screen.answer(&format!("would rotate  {}", one_line(&plan.old)))?;
    cx.screen.answer(&format!("  it {}", fate(plan)))?;
    cx.screen.answer(&format!("  its successor expires {ends}"))
}

fn undo(
    args: &Rotate,
    cx: &mut Context<'_>,
    act: &Act<'_>,
    store: &mut SqliteStore,
    warning: Span,
) -> Result<Exit, Failure> {
    let (mut undone, _) = rotate::preview_undo(store, act, &args.id)?;
    if !args.dry_run {
        if !args.yes && cx.can_ask() && !confirmed_undo(cx, &undone)? {
            cx.screen.say("nothing was undone");
            return Ok(Exit::No);
        }
        undone = rotate::undo(store, act, &IdPrefix::from(undone.old.id), args.reason.as_ref())?;
    }
    answer_undo(args, cx, &undone, warning).map_err(stdout_failed)?;
    Ok(Exit::Yes)
}

fn confirmed_undo(cx: &mut Context<'_>, undone: &rotate::Undone) -> Result<bool, Failure> {
    cx.screen.say(&format!("  {}  goes on", one_line(&undone.old)));
    if let Some(new) = &undone.new {
        cx.screen.say(&format!("  {}  is revoked", one_line(new)));
    }
    cx.ask.confirm("Undo the rotation?").map_err(terminal_failed)
}

fn answer_undo(
    args: &Rotate,
    cx: &mut Context<'_>,
    undone: &rotate::Undone,
    warning: Span,
) -> io::Result<()> {
    let rotate::Undone { old, new } = undone;
    if cx.screen.format().is_json() {
        let now = (cx.clock)();
        let token = |pat| Token::new(pat, now, warning);
        let undone =
            Undone { dry_run: args.dry_run, reinstated: token(old), revoked: new.as_ref().map(token) };
        return cx.screen.json(&undone);
    }
    let would = if args.dry_run { "would " } else { "" };
    let (goes_on, revoked) = if args.dry_run { ("go on", "revoke") } else { ("goes on", "revoked") };
    cx.screen.answer(&format!("{would}{goes_on}  {}", one_line(old)))?;
    new.iter().try_for_each(|new| cx.screen.answer(&format!("{would}{revoked}  {}", one_line(new))))
}
