//! `patctl disable` and `patctl enable`: named tokens, off and on again.

use super::context::Context;
use super::revoke::{ids_of_lines, one_line, twins, warn_of_twins};
use super::stdout_failed;
use crate::cli::{Disable, Enable, Format, Which};
use crate::domain::id::IdPrefix;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Pat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::look::LookError;
use crate::service::power::{self, Power, Powered};
use crate::service::unfit::Unfit;
use crate::wire;
use std::io;

pub fn disable(args: &Disable, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    run(&args.which, Power::Off, args.family, cx)
}

pub fn enable(args: &Enable, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    run(&args.which, Power::On, false, cx)
}

fn run(args: &Which, power: Power, family: bool, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Ids])?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let mut store = cx.open(&settings)?;
    let ids = if args.ids_stdin { ids_of_lines(cx, "nothing was done")? } else { args.ids.clone() };
    let actor = cx.actor()?;
    let act = cx.act(&policy, &actor);
    let powered = if args.dry_run {
        power::preview(&store, &act, &ids, power, family)?
    } else {
        power::switch(&mut store, &act, &ids, power, args.reason.as_ref(), family)?
    };
    answer(cx, &powered, power, args.dry_run, policy.expiry_warning).map_err(stdout_failed)?;
    warn_of_twins(cx, &powered.twins, "disable");
    complain(cx, &powered);
    Ok(if powered.is_complete() { Exit::Yes } else { Exit::No })
}

fn answer(
    cx: &mut Context<'_>,
    powered: &Powered,
    power: Power,
    dry_run: bool,
    warning: Span,
) -> io::Result<()> {
    match cx.screen.format() {
        Format::Ids => powered.done.iter().try_for_each(|pat| cx.screen.line(pat.id.as_str()))?,
        Format::Table => {
            let (verb, before) = match (power, dry_run) {
                (Power::Off, true) => ("would disable", "disabled before"),
                (Power::Off, false) => ("disabled", "disabled before"),
                (Power::On, true) => ("would enable", "was not disabled"),
                (Power::On, false) => ("enabled", "was not disabled"),
            };
            for pat in &powered.done {
                cx.screen.answer(&format!("{verb}  {}", one_line(pat)))?;
            }
            for pat in &powered.already {
                cx.screen.answer(&format!("{before}  {}", one_line(pat)))?;
            }
        }
        _ => {
            let now = (cx.clock)();
            cx.screen.json(&as_json(powered, power, dry_run, now, warning))?;
        }
    }
    // What was done comes out before what went wrong is told.
    cx.screen.flush()
}

fn complain(cx: &mut Context<'_>, powered: &Powered) {
    if cx.screen.format().is_json() {
        return;
    }
    for pat in &powered.revoked {
        cx.screen.fail(&super::explain_change::unfit(pat.id, Unfit::Revoked));
    }
    for id in &powered.unknown {
        cx.screen.fail(&LookError::Unknown(id.clone()).into());
    }
    for (id, candidates) in &powered.ambiguous {
        cx.screen.fail(&LookError::Ambiguous(id.clone(), candidates.clone()).into());
    }
}

fn as_json(
    powered: &Powered,
    power: Power,
    dry_run: bool,
    now: Moment,
    warning: Span,
) -> wire::change::Powered<'_> {
    fn tokens(pats: &[Pat], now: Moment, warning: Span) -> Vec<wire::Token<'_>> {
        pats.iter().map(|pat| wire::Token::new(pat, now, warning)).collect()
    }
    let (done, already) =
        (Some(tokens(&powered.done, now, warning)), Some(tokens(&powered.already, now, warning)));
    let common = wire::change::Powered {
        dry_run,
        revoked: tokens(&powered.revoked, now, warning),
        unknown: powered.unknown.iter().map(IdPrefix::typed).collect(),
        ambiguous: powered
            .ambiguous
            .iter()
            .map(|(id, candidates)| wire::Ambiguous {
                id: id.typed(),
                candidates: candidates.iter().map(|pat| pat.id.as_str()).collect(),
            })
            .collect(),
        ..wire::change::Powered::default()
    };
    match power {
        Power::Off => {
            let still_valid = Some(twins(&powered.twins, now, warning));
            wire::change::Powered { disabled: done, already_disabled: already, still_valid, ..common }
        }
        Power::On => wire::change::Powered { enabled: done, already_enabled: already, ..common },
    }
}
