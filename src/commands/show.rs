//! `patctl show`: one token and what happened to it.

use super::context::Context;
use super::stdout_failed;
use crate::cli::{Format, Show};
use crate::domain::audit::Record;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{facts, text, when};
use crate::service::look;
use crate::wire::{Event, Shown, Token};

pub fn run(args: &Show, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    let warning = settings.policy().expiry_warning;
    let store = cx.open(&settings)?;
    let look::Shown { pat, rules, history } = look::show(&store, &args.id)?;
    let now = (cx.clock)();
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
    Ok(Exit::Yes)
}

fn event(record: &Record) -> String {
    let Record { action, outcome, actor, reason, .. } = record;
    let why = reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
    let event = format!("{action} {outcome} by {actor}{why}");
    format!("{}  {}", when::minute(record.at), text::safe(&event))
}
