//! What expires soon, for whoever watches over an installation.

use super::look;
use crate::domain::filter::{Filter, Order, Sort};
use crate::domain::moment::Span;
use crate::domain::pat::Pat;
use crate::exit::Nagios;
use crate::store::census::Counts;
use crate::store::contract::Result;
use crate::store::survey::Choice;
use crate::store::{Query, Store};
use std::ops::ControlFlow;

/// How many tokens an [`Outlook`] names.
pub const NAMED: usize = 10;

/// How near the end of a token is worth which word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thresholds {
    /// What ends within this is counted.
    pub within: Span,
    /// What ends within this is a warning.
    pub warning: Span,
    /// What ends within this is critical.
    pub critical: Span,
}

/// What is to come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outlook {
    /// The word for it.
    pub status: Nagios,
    /// How many end within each threshold; the nearer are among the further.
    pub within: u64,
    /// Within the warning.
    pub warning: u64,
    /// Within what is critical.
    pub critical: u64,
    /// How many stop within the first threshold, too, but live so short that it is too early to count them.
    pub short_lived: u64,
    /// The nearest of those that count, the next first.
    pub first: Vec<Pat>,
    /// How many tokens there are in which state, and the next expiry beyond the horizon, too.
    pub counts: Counts,
    /// How many are not what patctl wrote: when they end is not certain.
    pub damaged: u64,
}

/// Looks ahead among the tokens that `choice` names. A token counts if it can be used and stops within a threshold
/// by the rule of [`Life::stops_soon`](crate::domain::pat::Life::stops_soon), rotating tokens included; those that
/// expired and are not pruned are in the counts.
///
/// # Errors
/// Returns the store's error.
pub fn outlook(store: &dyn Store, choice: &Choice<'_>, thresholds: Thresholds) -> Result<Outlook> {
    let now = choice.now;
    let everything = Filter { all: true, ..choice.filter.clone() };
    let counts = store.census(&Choice { filter: &everything, ..*choice })?;
    let filter = Filter { stops_within: Some(thresholds.within), ..choice.filter.clone() };
    let order = Order { sort: Sort::Expires, reverse: false, after: None };
    let query = Query { filter: &filter, order, now, expiry_warning: choice.expiry_warning, limit: None };
    let (mut within, mut warning, mut critical, mut short_lived, mut first) = (0, 0, 0, 0, Vec::new());
    store.list(&query, &mut |pat| {
        if !pat.life.stops_soon(now, thresholds.within) {
            short_lived += 1;
            return ControlFlow::Continue(());
        }
        let ends_within = |span| u64::from(pat.life.stops_soon(now, span));
        within += 1;
        warning += ends_within(thresholds.warning);
        critical += ends_within(thresholds.critical);
        if first.len() < NAMED {
            first.push(pat.clone());
        }
        ControlFlow::Continue(())
    })?;
    let mut damaged = 0;
    look::each_damaged(store, &Choice { filter: &everything, ..*choice }, &mut |_| damaged += 1)?;
    let status = match (warning + damaged, critical) {
        (_, 1..) => Nagios::Critical,
        (1.., 0) => Nagios::Warning,
        (0, 0) => Nagios::Ok,
    };
    Ok(Outlook { status, within, warning, critical, short_lived, first, counts, damaged })
}
