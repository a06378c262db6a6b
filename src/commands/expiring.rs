//! `patctl expiring`: what a monitor asks. Its statuses are those of Nagios, and every trouble is
//! "unknown".

use super::context::Context;
use super::{stdout_failed, tokens};
use crate::cli::{Expiring, Format, Monitor};
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::Status;
use crate::exit::{Exit, Nagios};
use crate::failure::Failure;
use crate::output::{Screen, monitor};
use crate::service::expiring::{self, Outlook, Thresholds};
use crate::store::survey::Choice;
use crate::wire::notices::{self, States};
use crate::wire::{Instant, Token};

pub fn run(args: &Expiring, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    super::list::not_too_many(&args.filter)?;
    let thresholds = thresholds(args)?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let soon = policy.expiry_warning;
    let store = cx.look(&settings)?;
    let now = cx.judged_at(&store)?;
    let filter = args.filter.filter(now, &policy);
    let choice = Choice { filter: &filter, now, expiry_warning: soon };
    let outlook = expiring::outlook(&store, &choice, thresholds)?;
    let shown = shown(&outlook, thresholds, now, soon);
    if args.prometheus {
        monitor::prometheus(&mut cx.screen, &shown).map_err(stdout_failed)?;
        return Ok(Exit::Monitor(Nagios::Ok));
    }
    if cx.screen.format().is_json() {
        cx.screen.json(&shown).map_err(stdout_failed)?;
    } else {
        let sentence = sentence(&outlook, thresholds);
        monitor::check(&mut cx.screen, &shown, &sentence, now).map_err(stdout_failed)?;
    }
    Ok(Exit::Monitor(outlook.status))
}

/// Tells a monitor of a failure.
pub fn unknown(args: &Expiring, cx: &mut Context<'_>, failure: &Failure) -> Exit {
    let program = args.prometheus || cx.screen.format().is_json();
    tell(if program { Monitor::Program } else { Monitor::Status }, &mut cx.screen, failure)
}

/// Tells whoever reads the answer of a failure: a monitor looks at stdout only.
pub fn tell(monitor: Monitor, screen: &mut Screen<'_>, failure: &Failure) -> Exit {
    let unheard = monitor == Monitor::Program || monitor::unknown(screen, failure).is_err();
    if unheard {
        screen.fail(failure);
    }
    Exit::Monitor(Nagios::Unknown)
}

fn thresholds(args: &Expiring) -> Result<Thresholds, Failure> {
    let within = args.within.or(args.warning).unwrap_or(Span::days(14));
    let warning = args.warning.unwrap_or(within);
    let critical = args.critical.unwrap_or_else(|| Span::days(3).min(warning));
    if warning > within {
        return Err(Failure::usage("--warning is longer than --within")
            .hint("what is not counted cannot be a warning; leave --within out or make it longer"));
    }
    if critical > warning {
        return Err(Failure::usage("--critical is longer than --warning")
            .hint("what is critical is a warning first: give the warning more time"));
    }
    Ok(Thresholds { within, warning, critical })
}

/// `3 tokens expire within 14 days`.
fn sentence(outlook: &Outlook, thresholds: Thresholds) -> String {
    let within = monitor::span(thresholds.within);
    let other = if outlook.short_lived > 0 { "other " } else { "" };
    let text = match outlook.within {
        0 => format!("no {other}token expires within {within}"),
        1 => format!("1 {other}token expires within {within}"),
        many => format!("{many} {other}tokens expire within {within}"),
    };
    let text = match outlook.short_lived {
        0 => text,
        some => format!("{} short-lived; {text}", tokens(some)),
    };
    let near = match outlook.critical {
        0 => String::new(),
        some => format!(", {some} of them within {}", monitor::span(thresholds.critical)),
    };
    let gone = match outlook.counts.of(Status::Expired) {
        0 => String::new(),
        some => format!("; {} expired and not pruned", tokens(some)),
    };
    let damaged = match outlook.damaged {
        0 => String::new(),
        some => format!("; {} damaged, see 'patctl doctor'", tokens(some)),
    };
    text + &near + &gone + &damaged
}

fn shown(outlook: &Outlook, thresholds: Thresholds, now: Moment, soon: Span) -> notices::Outlook<'_> {
    let counts = &outlook.counts;
    notices::Outlook {
        status: outlook.status.as_str(),
        within_seconds: thresholds.within.as_seconds(),
        warning_seconds: thresholds.warning.as_seconds(),
        critical_seconds: thresholds.critical.as_seconds(),
        expiring: outlook.within,
        warning: outlook.warning,
        critical: outlook.critical,
        short_lived: outlook.short_lived,
        expired: counts.of(Status::Expired),
        next_expiry: counts.next_expiry.map(Instant),
        tokens: States {
            active: counts.of(Status::Active),
            expires_soon: counts.of(Status::ExpiresSoon),
            rotating: counts.of(Status::Rotating),
            expired: counts.of(Status::Expired),
            disabled: counts.of(Status::Disabled),
            rotated: counts.of(Status::Rotated),
            revoked: counts.of(Status::Revoked),
        },
        damaged: outlook.damaged,
        first: outlook.first.iter().map(|pat| Token::new(pat, now, soon)).collect(),
    }
}
