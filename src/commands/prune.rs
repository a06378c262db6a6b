//! `patctl prune`: policy, from cron. Silent on success; it never asks.

use super::context::Context;
use super::unheard::Unheard;
use super::{stdout_failed, tokens};
use crate::cli::{Format, Prune};
use crate::domain::pat::Pat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::progress;
use crate::output::rows::Rows;
use crate::service::{Act, prune, retention, space};
use crate::store::contract::EachPat;
use crate::store::space::Spacious as _;
use crate::store::sqlite::SqliteStore;
use crate::wire;
use std::ops::ControlFlow;

pub fn run(args: &Prune, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let settings = cx.settings()?;
    let policy = settings.policy();
    let mut store = cx.open(&settings)?;
    let actor = cx.actor()?;
    let act = cx.act(&policy, &actor);
    let now = (cx.clock)();
    if !args.force {
        prune::check_clock(&store, now)?;
    }
    let format = cx.screen.format();
    // The deed is silent, unless somebody asked which rows; JSON answers with a count.
    let shows_rows = format != Format::Json && (args.dry_run || format != Format::Table);
    let (mut count, mut unheard) = (0, Unheard::default());
    if shows_rows {
        let mut rows = Rows::new(&mut cx.screen, now, policy.expiry_warning);
        let mut each = |pat: &Pat| {
            count += 1;
            unheard.note(&act, pat);
            rows.push(pat)
        };
        do_it(args, &mut store, &act, &mut each)?;
        rows.finish().map_err(stdout_failed)?;
    } else {
        let bar = progress::bar(&cx.screen, total(args, cx, &store, &act)?, "deleting");
        let mut each = |pat: &Pat| {
            count += 1;
            unheard.note(&act, pat);
            bar.inc(1);
            ControlFlow::Continue(())
        };
        let done = do_it(args, &mut store, &act, &mut each);
        bar.finish_and_clear();
        done?;
    }
    if !args.dry_run {
        unheard.warn(cx);
    }
    let audit_rows = match settings.audit_retention() {
        None => 0,
        Some(keep) if args.dry_run => retention::preview(&store, &act, keep)?,
        Some(keep) => retention::trim(&mut store, &act, keep)?,
    };
    if !args.dry_run && (count > 0 || audit_rows > 0 || store.space()?.free > 0) {
        space::give_back(&mut store)?;
    }
    let audited = match audit_rows {
        0 => String::new(),
        1 => " and 1 audit row".to_owned(),
        rows => format!(" and {rows} audit rows"),
    };
    if format == Format::Json {
        cx.screen.json(&wire::Pruned { dry_run: args.dry_run, count, audit_rows }).map_err(stdout_failed)?;
    } else if args.dry_run {
        cx.screen.say(&format!("{}{audited} would be deleted", tokens(count)));
    } else if format == Format::Table && cx.screen.talks_to_a_person() {
        // Cron hears nothing.
        let kept = match policy.prune_delay.as_seconds() / 86_400 {
            days @ 1.. if count == 0 => format!("; what ended stays for {days} days"),
            _ => String::new(),
        };
        cx.screen.say(&format!("{}{audited} deleted{kept}", tokens(count)));
    }
    Ok(Exit::Yes)
}

/// How many there will be, for a bar; nobody counts where nobody looks.
fn total(args: &Prune, cx: &Context<'_>, store: &SqliteStore, act: &Act<'_>) -> Result<u64, Failure> {
    let mut total = 0;
    if !args.dry_run && cx.screen.talks_to_a_person() {
        prune::preview(store, act, &mut |_| {
            total += 1;
            ControlFlow::Continue(())
        })?;
    }
    Ok(total)
}

fn do_it(args: &Prune, store: &mut SqliteStore, act: &Act<'_>, each: EachPat<'_>) -> Result<(), Failure> {
    if args.dry_run {
        prune::preview(store, act, each)?;
    } else {
        // That nobody reads the rows any more is no reason to stop.
        prune::prune(store, act, &mut |pat| {
            let _ = each(pat);
        })?;
    }
    Ok(())
}
