//! What expires soon, for whoever watches over an installation.

use crate::domain::filter::{Filter, Order, Sort};
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::{Pat, Status};
use crate::exit::Nagios;
use crate::store::census::Counts;
use crate::store::contract::Result;
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
    /// The nearest of them, the next first.
    pub first: Vec<Pat>,
    /// How many tokens there are in which state, and the next expiry beyond the horizon, too.
    pub counts: Counts,
}

/// Looks ahead. Only tokens count that may be used and that no successor replaces; those that expired and
/// are not pruned are in the counts.
///
/// # Errors
/// What the database gave.
pub fn outlook(store: &dyn Store, now: Moment, thresholds: Thresholds, soon: Span) -> Result<Outlook> {
    let counts = store.census(now, soon)?;
    let filter = Filter { statuses: vec![Status::ExpiresSoon], ..Filter::default() };
    let order = Order { sort: Sort::Expires, reverse: false, after: None };
    let query = Query { filter: &filter, order, now, expiry_warning: thresholds.within, limit: None };
    let (mut within, mut warning, mut critical, mut first) = (0, 0, 0, Vec::new());
    store.list(&query, &mut |pat| {
        let Some(at) = pat.life.expires_at.filter(|_| pat.life.rotated_at.is_none()) else {
            return ControlFlow::Continue(());
        };
        let ends_within = |span| u64::from(at <= now.saturating_plus(span));
        within += 1;
        warning += ends_within(thresholds.warning);
        critical += ends_within(thresholds.critical);
        if first.len() < NAMED {
            first.push(pat.clone());
        }
        ControlFlow::Continue(())
    })?;
    let status = match (warning, critical) {
        (_, 1..) => Nagios::Critical,
        (1.., 0) => Nagios::Warning,
        (0, 0) => Nagios::Ok,
    };
    Ok(Outlook { status, within, warning, critical, first, counts })
}
