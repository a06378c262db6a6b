//! `patctl show`: one token and what happened to it.

use super::context::Context;
use super::{stdout_failed, vault};
use crate::cli::{Format, Show};
use crate::config::Settings;
use crate::domain::actor::Authority;
use crate::domain::audit::Record;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::rows::Damaged;
use crate::output::{facts, hand_over, log, text, when};
use crate::service::look;
use crate::wire::{self, Event, Revealed, Shown, Token};
use zeroize::Zeroizing;

pub fn run(args: &Show, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    if args.reveal {
        return reveal(args, cx, &settings);
    }
    let warning = settings.policy().expiry_warning;
    let store = cx.look(&settings)?;
    let look::Shown { pat, rules, history } = look::show(&store, &Authority::Administrator, &args.id)?;
    let now = cx.reading(&store).later();
    let written = if cx.screen.format().is_json() {
        cx.screen.json(&Shown {
            token: Token::new(&pat, now, warning),
            restrictions: &rules,
            history: history.iter().map(Event::from).collect(),
        })
    } else {
        let mut facts = facts::of_token(&pat, now, warning, cx.screen.style);
        facts.extend(facts::of_rules(&rules));
        let mut label = "history";
        for record in &history {
            facts.push((label, event(record)));
            label = "";
        }
        if history.len() == look::A_FEW as usize {
            facts.push(("", "and what came before".to_owned()));
        }
        facts::print(cx.screen.out(), &facts)
    };
    written.map_err(stdout_failed)?;
    if pat.damaged {
        let mut damaged = Damaged::default();
        damaged.add(pat.id);
        damaged.warn(&mut cx.screen);
    }
    Ok(Exit::Yes)
}

/// The token alone on stdout, as `create` prints it.
fn reveal(args: &Show, cx: &mut Context<'_>, settings: &Settings) -> Result<Exit, Failure> {
    let key = vault::needed(cx, settings)?;
    if cx.screen.out().raw().is_closed() {
        return Err(Failure::new(Exit::Io, "io", "stdout is closed: nobody would get the token"));
    }
    let policy = settings.policy();
    let mut store = cx.open(settings)?;
    let actor = cx.actor()?;
    let token = look::reveal(&mut store, &cx.act(&policy, &actor), &key, &args.id)?;
    let id = token.id();
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    if cx.screen.format().is_json() {
        wire::line(&mut *bytes, &Revealed { id: id.as_str(), token: token.reveal() })
            .map_err(stdout_failed)?;
    } else {
        bytes.extend_from_slice(token.reveal().as_bytes());
        bytes.push(b'\n');
    }
    hand_over::to_stdout(cx.screen.out().raw(), &bytes).map_err(stdout_failed)?;
    Ok(Exit::Yes)
}

fn event(record: &Record) -> String {
    let Record { action, outcome, actor, .. } = record;
    let why = Some(log::why(record)).filter(|why| !why.is_empty());
    let why = why.map_or_else(String::new, |why| format!(" ({why})"));
    let event = format!("{action} {outcome} by {actor}{why}");
    format!("{}  {}", when::minute(record.at), text::safe(&event))
}
