//! `patctl stats`: counts of the tokens that a filter chooses.

use super::context::Context;
use super::{list, stdout_failed};
use crate::cli::{Format, Stats};
use crate::domain::filter::Filter;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Status;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::chart::{self, Ink, Row, Section, thousands};
use crate::output::rows::Damaged;
use crate::output::{label, text, when};
use crate::service::look;
use crate::service::stats::{self as service, Extent};
use crate::store::survey::Choice;
use crate::wire::{Instant, stats as wire};

pub fn run(args: &Stats, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    list::not_too_many(&args.filter)?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let store = cx.look(&settings)?;
    let now = cx.reading(&store).later();
    let filter = args.filter.filter(now, &policy);
    let choice = Choice { filter: &filter, now, expiry_warning: policy.expiry_warning };
    let extent = Extent { weeks: args.weeks, top: args.top as usize };
    let stats = service::stats(&store, &choice, extent)?;
    let mut damaged = Damaged::default();
    look::each_damaged(&store, &choice, &mut |id| damaged.add(id))?;
    if cx.screen.format().is_json() {
        cx.screen.json(&shape(&stats, &choice, damaged.count())).map_err(stdout_failed)?;
    } else if stats.total == 0 {
        cx.screen.say(list::nothing(&filter));
    } else {
        let ink = Ink::of(cx.env);
        let tokens = [states(&stats, &filter), restrictions(&stats), last_used(&stats), holders(&stats)];
        let times = [ends(&stats, &choice), calls(&stats)];
        chart::print(&mut cx.screen, ink, &tokens, &times).map_err(stdout_failed)?;
    }
    damaged.warn(&mut cx.screen);
    Ok(Exit::Yes)
}

/// Whether revoked tokens are among those the filter can choose.
fn has_revoked(filter: &Filter) -> bool {
    if filter.statuses.is_empty() { filter.all } else { filter.statuses.contains(&Status::Revoked) }
}

fn states(stats: &service::Stats, filter: &Filter) -> Section {
    let rows = Status::ALL.into_iter().zip(stats.by_status);
    let rows = rows
        .filter(|(status, _)| *status != Status::Revoked || has_revoked(filter))
        .map(|(status, count)| Row { tint: Some(status), ..Row::bar(label(status), count) });
    let without = if has_revoked(filter) { "" } else { "; --all counts revoked ones, too" };
    let remark = format!("{} in all{without}", thousands(stats.total));
    Section {
        title: "TOKENS",
        remark,
        word: "status",
        sums: vec![("in all", stats.total)],
        rows: rows.collect(),
    }
}

fn ends(stats: &service::Stats, choice: &Choice<'_>) -> Section {
    let soon = choice.now.saturating_plus(choice.expiry_warning);
    let mut rows: Vec<Row> = weeks(stats, choice.now)
        .map(|(from, _, count)| {
            let tint = if from < soon { Status::ExpiresSoon } else { Status::Active };
            Row { tint: Some(tint), ..Row::bar(&when::minute(from)[..10], count) }
        })
        .collect();
    rows.push(Row::plain("later", stats.ends.later));
    rows.push(Row::plain("never", stats.ends.never));
    let ended = stats.ends.ended;
    rows.extend((ended > 0).then(|| Row::plain("not in use", ended)));
    Section {
        title: "EXPIRY",
        remark: "in the week that begins on".to_owned(),
        word: "expiry",
        sums: Vec::new(),
        rows,
    }
}

/// The beginning and the end of each week, and how many tokens end in it.
fn weeks(stats: &service::Stats, now: Moment) -> impl Iterator<Item = (Moment, Moment, u64)> + '_ {
    (0..).zip(&stats.ends.weeks).map(move |(week, count)| {
        let from = now.saturating_plus(Span::days(7 * week));
        (from, from.saturating_plus(Span::days(7)), *count)
    })
}

fn last_used(stats: &service::Stats) -> Section {
    let labels =
        ["in the last day", "in the last 7 days", "in the last 30 days", "in the last 90 days", "earlier"];
    let rows = labels.into_iter().zip(stats.used).chain([("never", stats.unused)]);
    let rows = rows.map(|(label, count)| Row::bar(label, count)).collect();
    Section { title: "LAST USED", remark: String::new(), word: "last used", sums: Vec::new(), rows }
}

fn restrictions(stats: &service::Stats) -> Section {
    let rows = vec![
        Row::bar("restricted", stats.restricted),
        Row::bar("unrestricted", stats.total - stats.restricted),
    ];
    Section { title: "RESTRICTIONS", remark: String::new(), word: "restrictions", sums: Vec::new(), rows }
}

fn holders(stats: &service::Stats) -> Section {
    let name = |user: &Option<String>| text::user(user.as_deref().unwrap_or("(any)")).into_owned();
    let rows: Vec<Row> =
        stats.holders.iter().map(|holder| Row::bar(name(&holder.user), holder.tokens)).collect();
    let (all, shown) = (stats.users, rows.len());
    let remark = if all > shown as u64 {
        format!("the {shown} of {} with most", thousands(all))
    } else {
        String::new()
    };
    Section { title: "USERS", remark, word: "user", sums: vec![("in all", all)], rows }
}

fn calls(stats: &service::Stats) -> Section {
    let rows = stats.callers.iter().map(|called| {
        let user = text::user(called.user.as_deref().unwrap_or("(any)"));
        let note = if called.denied > 0 { format!("{} denied", called.denied) } else { String::new() };
        let label = format!("{}  {user}  {}", called.id, called.name);
        Row { note, ..Row::bar(label, called.allowed + called.denied) }
    });
    let since = stats.since.map_or_else(String::new, |at| format!(" since {}", &when::minute(at)[..10]));
    let remark = format!("{} allowed, {} denied{since}", thousands(stats.allowed), thousands(stats.denied));
    Section {
        title: "CALLS",
        remark,
        word: "calls",
        sums: vec![("allowed", stats.allowed), ("denied", stats.denied)],
        rows: rows.collect(),
    }
}

fn shape<'a>(stats: &'a service::Stats, choice: &Choice<'_>, damaged: u64) -> wire::Stats<'a> {
    let [active, expires_soon, rotating, expired, disabled, rotated, revoked] = stats.by_status;
    let [day, days_7, days_30, days_90, earlier] = stats.used;
    let ends = &stats.ends;
    let week = |(from, to, tokens)| wire::Week { from: Instant(from), to: Instant(to), tokens };
    let holder = |held: &'a service::Holder| wire::Holder { user: held.user.as_deref(), tokens: held.tokens };
    wire::Stats {
        damaged,
        at: Instant(choice.now),
        total: stats.total,
        states: wire::States {
            active,
            expires_soon,
            rotating,
            expired,
            disabled,
            rotated,
            revoked: has_revoked(choice.filter).then_some(revoked),
        },
        expiry: wire::Expiry {
            weeks: weeks(stats, choice.now).map(week).collect(),
            later: ends.later,
            never: ends.never,
            replaced: 0,
            ended: ends.ended,
        },
        last_used: wire::LastUsed { day, days_7, days_30, days_90, earlier, never: stats.unused },
        restricted: stats.restricted,
        unrestricted: stats.total - stats.restricted,
        users: wire::Users { count: stats.users, top: stats.holders.iter().map(holder).collect() },
        calls: calls_shape(stats),
    }
}

fn calls_shape(stats: &service::Stats) -> wire::Calls<'_> {
    let top = stats.callers.iter().map(|called| wire::Called {
        id: called.id.to_string(),
        name: &called.name,
        user: called.user.as_deref(),
        allowed: called.allowed,
        denied: called.denied,
    });
    wire::Calls {
        since: stats.since.map(Instant),
        tokens: stats.called,
        allowed: stats.allowed,
        denied: stats.denied,
        top: top.collect(),
    }
}
