//! `patctl show`: one token and what happened to it.

use super::{Context, stdout_failed};
use crate::cli::{Format, Show};
use crate::domain::audit::Record;
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{text, when};
use crate::service::look;
use crate::wire::{self, Event, Shown, Token};
use std::io;

pub fn run(args: &Show, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json])?;
    let settings = cx.settings()?;
    let warning = settings.policy().expiry_warning;
    let store = cx.open(&settings)?;
    let (pat, history) = look::show(&store, &args.id)?;
    let now = (cx.clock)();
    if cx.screen.format().is_json() {
        let shown = Shown {
            token: Token::new(&pat, now, warning),
            history: history.iter().map(Event::from).collect(),
        };
        cx.screen.json(&shown).map_err(stdout_failed)?;
    } else {
        let soon = wire::expires_soon(&pat, now, warning);
        describe(cx, &pat, soon, now).and_then(|()| tell_history(cx, &history)).map_err(stdout_failed)?;
    }
    Ok(Exit::Yes)
}

fn describe(cx: &mut Context<'_>, pat: &Pat, soon: bool, now: Moment) -> io::Result<()> {
    let at = |at: Option<Moment>| at.map_or_else(|| "never".to_owned(), |at| when::both(at, now));
    let status = if soon { "EXPIRES SOON" } else { pat.life.state(now).as_str() };
    let mut lines = vec![
        ("id", pat.id.as_str().to_owned()),
        ("name", pat.name.clone()),
        ("user", pat.user.clone().unwrap_or_else(|| "(any)".to_owned())),
        ("status", status.to_owned()),
        ("auth", pat.auth.as_str().to_owned()),
        ("created", when::both(pat.life.created_at, now)),
        ("expires", at(pat.life.expires_at)),
        ("last used", at(pat.life.last_used_at)),
        ("restricted", if pat.restricted { "yes" } else { "no" }.to_owned()),
        ("mode", if pat.secure { "secure" } else { "standard" }.to_owned()),
    ];
    if let Some(revoked_at) = pat.life.revoked_at {
        lines.push(("revoked", when::both(revoked_at, now)));
    }
    if let Some(reason) = &pat.revoke_reason {
        lines.push(("reason", reason.clone()));
    }
    if let Some(note) = &pat.note {
        lines.push(("note", note.clone()));
    }
    for (label, value) in lines {
        let value = text::safe(&value);
        let shown = if label == "status" { cx.screen.style.status(&value) } else { value.into_owned() };
        cx.screen.line(&format!("{label:<11} {shown}"))?;
    }
    Ok(())
}

fn tell_history(cx: &mut Context<'_>, history: &[Record]) -> io::Result<()> {
    for (index, record) in history.iter().enumerate() {
        let label = if index == 0 { "history" } else { "" };
        let Record { action, outcome, actor, reason, .. } = record;
        let why = reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
        let event = format!("{action} {outcome} by {actor}{why}");
        let line = format!("{label:<11} {}  {}", when::minute(record.at), text::safe(&event));
        cx.screen.line(&line)?;
    }
    Ok(())
}
