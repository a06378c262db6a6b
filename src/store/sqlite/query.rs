//! A filter and an order as SQL. Every value that a person chose is bound; none is spliced.

use super::rows::PAT;
use crate::domain::filter::{Filter, Limits, Order, Range, Sort};
use crate::domain::moment::Moment;
use crate::domain::pat::Status;
use crate::store::Query;
use crate::store::survey::Choice;

/// A statement and the values of its places.
pub struct Statement {
    pub sql: String,
    pub values: Vec<String>,
}

/// The statement that answers `query`.
pub fn statement(query: &Query<'_>) -> Statement {
    let mut build = Build::default();
    build.filter(query.filter, query.now, query.now.saturating_plus(query.expiry_warning));
    let (key, direction) = key(query.order);
    if let Some(after) = query.order.after {
        // A keyset page: the last row of the page before says where this one begins.
        let beyond = if direction == "DESC" { "<" } else { ">" };
        let id = build.bind(after.as_str());
        build.all_of(format!("({key}, seq) {beyond} (SELECT {key}, seq FROM token WHERE id = {id})"));
    }
    let condition = build.condition();
    let limit = query.limit.map_or_else(String::new, |n| format!(" LIMIT {}", n.min(i64::MAX as u64)));
    let sql = format!(
        "SELECT {PAT} FROM token WHERE {condition} ORDER BY {key} {direction}, seq {direction}{limit}"
    );
    Statement { sql, values: build.values }
}

/// A statement about the tokens of a choice, made around its condition.
pub fn chosen(choice: &Choice<'_>, about: impl FnOnce(String) -> String) -> Statement {
    let mut build = Build::default();
    build.filter(choice.filter, choice.now, choice.now.saturating_plus(choice.expiry_warning));
    Statement { sql: about(build.condition()), values: build.values }
}

/// Live or not, what these limits would refuse. Numbers only: nothing to bind.
fn violates(limits: Limits) -> String {
    let Limits { max_expiry_days, max_per_user, .. } = limits;
    // Whole seconds are moved, the rest of the text is kept: as exact as the comparison of texts.
    let longest = format!(
        "strftime('%Y-%m-%dT%H:%M:%S', substr(created_at, 1, 19), '+{max_expiry_days} days') || substr(created_at, 20)"
    );
    let eternal = if limits.eternal_allowed { "" } else { "expires_at IS NULL OR " };
    format!(
        "({eternal}expires_at > {longest} OR seq IN (SELECT seq FROM (SELECT seq, row_number() OVER \
         (PARTITION BY user ORDER BY seq) AS place FROM token WHERE revoked_at IS NULL AND rotated_at IS NULL) \
         WHERE place > {max_per_user}))"
    )
}

/// The statement that counts the tokens of each status in the order of [`Status::ALL`], and answers
/// when the next one ends that nothing is to replace.
pub fn census(now: Moment, soon: Moment) -> Statement {
    let mut build = Build::default();
    let states = Status::ALL.map(|status| build.state(status, now, soon));
    let mut columns: Vec<String> = states.iter().map(|s| format!("count(*) FILTER (WHERE {s})")).collect();
    let active = build.state(Status::Active, now, soon);
    columns.push(format!("min(expires_at) FILTER (WHERE {active} AND rotated_at IS NULL)"));
    Statement { sql: format!("SELECT {} FROM token", columns.join(", ")), values: build.values }
}

/// What is sorted by, and which way.
fn key(order: Order) -> (&'static str, &'static str) {
    let (key, falls) = match order.sort {
        Sort::Created => ("created_at", true),
        Sort::Expires => ("coalesce(expires_at, ':')", false), // ':' follows every digit
        Sort::Used => ("coalesce(last_used_at, '')", true),
        Sort::Name => ("name", false),
        Sort::User => ("coalesce(user, '')", false),
        Sort::Id => ("id", false),
    };
    (key, if falls == order.reverse { "ASC" } else { "DESC" })
}

/// A condition in the making: parts that must all hold, and the values they name.
#[derive(Default)]
pub struct Build {
    parts: Vec<String>,
    pub values: Vec<String>,
}

impl Build {
    /// The condition.
    pub fn condition(&self) -> String {
        if self.parts.is_empty() { "1".to_owned() } else { self.parts.join(" AND ") }
    }

    pub fn all_of(&mut self, part: String) {
        self.parts.push(part);
    }

    /// One of the columns has one of the values; without a value, anything holds.
    pub fn one_of(&mut self, columns: &[&str], values: &[String]) {
        if !values.is_empty() {
            let places: Vec<String> = values.iter().map(|value| self.bind(value)).collect();
            let places = places.join(", ");
            let parts: Vec<String> = columns.iter().map(|column| format!("{column} IN ({places})")).collect();
            self.all_of(format!("({})", parts.join(" OR ")));
        }
    }

    pub fn bind(&mut self, value: &str) -> String {
        self.values.push(value.to_owned());
        format!("?{}", self.values.len())
    }

    fn at(&mut self, moment: Moment) -> String {
        self.bind(&moment.to_string())
    }

    fn filter(&mut self, filter: &Filter, now: Moment, soon: Moment) {
        self.one_of(&["user"], &filter.users);
        if let Some(glob) = &filter.name {
            let glob = self.bind(glob.as_str());
            self.all_of(format!("name GLOB {glob}"));
        }
        if !filter.statuses.is_empty() {
            let states: Vec<String> = filter.statuses.iter().map(|s| self.state(*s, now, soon)).collect();
            self.all_of(format!("({})", states.join(" OR ")));
        } else if !filter.all {
            self.all_of("revoked_at IS NULL".to_owned());
        }
        self.range("created_at", filter.created, false);
        self.range("expires_at", filter.expires, true);
        self.range("last_used_at", filter.used, false);
        if filter.unused {
            self.all_of("last_used_at IS NULL".to_owned());
        }
        if let Some(limits) = filter.violates {
            self.all_of(violates(limits));
        }
        if let Some(span) = filter.unused_for {
            let since = self.at(now.saturating_minus(span));
            self.all_of(format!("coalesce(last_used_at, created_at) <= {since}"));
        }
    }

    pub fn range(&mut self, column: &str, range: Range, null_is_late: bool) {
        if let Some(after) = range.after {
            let after = self.at(after);
            let late = if null_is_late { format!(" OR {column} IS NULL") } else { String::new() };
            self.all_of(format!("({column} >= {after}{late})"));
        }
        if let Some(before) = range.before {
            let before = self.at(before);
            self.all_of(format!("{column} < {before}"));
        }
    }

    /// [`crate::domain::pat::Life::status`] as SQL; a property test holds the two together.
    fn state(&mut self, status: Status, now: Moment, soon: Moment) -> String {
        let kept = "revoked_at IS NULL AND disabled_at IS NULL";
        // Bound by each that names it: what is bound and not named is an error.
        let mut live = || {
            let now = self.at(now);
            (format!("{kept} AND (rotated_at IS NULL OR rotated_at > {now})"), now)
        };
        match status {
            Status::Active => {
                let (live, now) = live();
                format!("({live} AND (expires_at IS NULL OR expires_at > {now}))")
            }
            Status::ExpiresSoon => {
                let (live, now) = live();
                let soon = self.at(soon);
                format!("({live} AND expires_at > {now} AND expires_at <= {soon})")
            }
            Status::Expired => {
                let (live, now) = live();
                format!("({live} AND expires_at <= {now})")
            }
            Status::Rotated => {
                let now = self.at(now);
                format!("({kept} AND rotated_at <= {now})")
            }
            Status::Disabled => "(revoked_at IS NULL AND disabled_at IS NOT NULL)".to_owned(),
            Status::Revoked => "revoked_at IS NOT NULL".to_owned(),
        }
    }
}
