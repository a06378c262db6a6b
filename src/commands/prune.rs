//! `patctl prune`: policy, from cron. Silent on success; it never asks.

use super::{Context, stdout_failed, tokens};
use crate::cli::{Format, Prune};
use crate::domain::audit::Actor;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::rows::Rows;
use crate::service::prune;
use crate::wire;
use std::io;

pub fn run(args: &Prune, cx: &mut Context<'_>, actor: &dyn Fn() -> Actor) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Ids])?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let mut store = cx.open(&settings)?;
    let actor = actor();
    let act = cx.act(&policy, &actor);
    if !args.force {
        prune::check_clock(&store, (cx.clock)())?;
    }
    let format = cx.screen.format();
    let mut told = Ok(());
    let count = if args.dry_run && !format.is_json() {
        let mut rows = Rows::new(&mut cx.screen, (cx.clock)(), policy.expiry_warning);
        prune::preview(&store, &act, &mut |pat| rows.push(pat))?;
        rows.finish().map_err(stdout_failed)?
    } else if args.dry_run {
        let mut count = 0;
        prune::preview(&store, &act, &mut |_| {
            count += 1;
            std::ops::ControlFlow::Continue(())
        })?;
        count
    } else {
        prune::prune(&mut store, &act, &mut |id| {
            if format == Format::Ids && told.is_ok() {
                told = cx.screen.line(id);
            }
        })?
    };
    told.and_then(|()| tell(cx, args.dry_run, count)).map_err(stdout_failed)?;
    Ok(Exit::Yes)
}

fn tell(cx: &mut Context<'_>, dry_run: bool, count: u64) -> io::Result<()> {
    match cx.screen.format() {
        Format::Json => cx.screen.json(&wire::Pruned { dry_run, count })?,
        Format::Table if dry_run => cx.screen.say(&format!("{} would be deleted", tokens(count))),
        Format::Table | Format::Ids => {}
    }
    Ok(())
}
