//! A filter and an order as SQL. Every value that a person chose is bound; none is spliced.

use crate::domain::filter::{Filter, Limits, Order, Range, Sort};
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::{NOTICE_PARTS, SHORTEST_NOTICE, Status};
use crate::domain::text;
use crate::store::Query;
use crate::store::survey::Choice;

/// A statement and the values of its places.
pub struct Statement {
    pub sql: String,
    pub values: Vec<String>,
}

/// The statement that answers `query` with these columns.
pub fn statement(query: &Query<'_>, columns: &str) -> Statement {
    let mut build = Build::default();
    build.filter(query.filter, query.now, query.expiry_warning);
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
        "SELECT {columns} FROM token WHERE {condition} ORDER BY {key} {direction}, seq {direction}{limit}"
    );
    Statement { sql, values: build.values }
}

/// A statement about the tokens of a choice, made around its condition.
pub fn chosen(choice: &Choice<'_>, about: impl FnOnce(String) -> String) -> Statement {
    let mut build = Build::default();
    build.filter(choice.filter, choice.now, choice.expiry_warning);
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

/// The statement that counts the tokens of a choice by status, each once and in the order of [`Status::ALL`], and
/// finds when the next of them stops working.
pub fn census(choice: &Choice<'_>) -> Statement {
    let Choice { filter, now, expiry_warning } = *choice;
    let mut build = Build::default();
    let mut columns: Vec<String> = Vec::new();
    for status in Status::ALL {
        let state = build.state(status, now, expiry_warning);
        let once = match status {
            Status::Active => {
                format!("{} IS NOT TRUE", build.state(Status::ExpiresSoon, now, expiry_warning))
            }
            Status::ExpiresSoon => "rotated_at IS NULL".to_owned(),
            _ => "1".to_owned(),
        };
        columns.push(format!("count(*) FILTER (WHERE {state} AND {once})"));
    }
    let usable = build.usable(now);
    columns.push(format!("min({END}) FILTER (WHERE {usable})"));
    build.filter(filter, now, expiry_warning);
    let sql = format!("SELECT {} FROM token WHERE {}", columns.join(", "), build.condition());
    Statement { sql, values: build.values }
}

/// The condition for tokens with this status; `now` and `warning` are as in [`Life::status`].
pub fn with_status(status: Status, now: Moment, warning: Span) -> Statement {
    let mut build = Build::default();
    let sql = build.state(status, now, warning);
    Statement { sql, values: build.values }
}

/// The condition for tokens that can be used at `now`; "user" and the like name columns of `token` only.
pub fn usable(now: Moment) -> Statement {
    let mut build = Build::default();
    let sql = build.usable(now);
    Statement { sql, values: build.values }
}

/// When a token stops working: [`Life::stops_at`].
const END: &str = "min(coalesce(expires_at, rotated_at), coalesce(rotated_at, expires_at))";

/// [`END`], with "never" after every instant: `:` follows every digit.
const LATE_END: &str =
    "coalesce(min(coalesce(expires_at, rotated_at), coalesce(rotated_at, expires_at)), ':')";

/// A column with an instant as microseconds since 1970, exactly.
fn micros(column: &str) -> String {
    format!(
        "(CAST(strftime('%s', substr({column}, 1, 19)) AS INTEGER) * 1000000 + CAST(substr({column}, 21, 6) AS INTEGER))"
    )
}

/// [`Life::stops_soon`] as SQL, without the question whether the token has ended; `soon` is bound to `now` plus the
/// warning. The life is only computed for rows whose expiry is near.
fn stops_soon(now: Moment, soon: &str) -> String {
    let (life, left) = (
        format!("({} - {})", micros("expires_at"), micros("created_at")),
        format!("({} - ({}))", micros("expires_at"), now.micros()),
    );
    let (least, part) = (SHORTEST_NOTICE.as_micros(), NOTICE_PARTS);
    format!(
        "(rotated_at <= {soon} OR (expires_at <= {soon} AND {left} <= \
         CASE WHEN {life} < {least} THEN {life} / {part} ELSE max({least}, {life} / {part}) END))"
    )
}

/// What is sorted by, and which way.
fn key(order: Order) -> (&'static str, &'static str) {
    let (key, falls) = match order.sort {
        Sort::Created => ("created_at", true),
        Sort::Expires => (LATE_END, false),
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

    fn filter(&mut self, filter: &Filter, now: Moment, warning: Span) {
        self.one_of(&["user"], &filter.users);
        if let Some(glob) = &filter.name {
            let globs: Vec<String> = text::forms(glob.as_str()).iter().map(|glob| self.bind(glob)).collect();
            let parts: Vec<String> = globs.iter().map(|glob| format!("name GLOB {glob}")).collect();
            self.all_of(format!("({})", parts.join(" OR ")));
        }
        if !filter.statuses.is_empty() {
            let states: Vec<String> = filter.statuses.iter().map(|s| self.state(*s, now, warning)).collect();
            self.all_of(format!("({})", states.join(" OR ")));
        } else if !filter.all {
            self.all_of("revoked_at IS NULL".to_owned());
        }
        self.range("created_at", filter.created);
        self.ends(filter.expires);
        self.range("last_used_at", filter.used);
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
        if let Some(window) = filter.stops_within {
            let usable = self.usable(now);
            let end = self.at(now.saturating_plus(window));
            self.all_of(format!("{usable} AND (expires_at <= {end} OR rotated_at <= {end})"));
        }
    }

    /// A range of [`Life::stops_at`], written so that an index on a column can be used.
    fn ends(&mut self, range: Range) {
        if let Some(after) = range.after {
            let after = self.at(after);
            let late = |column| format!("({column} >= {after} OR {column} IS NULL)");
            self.all_of(format!("{} AND {}", late("expires_at"), late("rotated_at")));
        }
        if let Some(before) = range.before {
            let before = self.at(before);
            self.all_of(format!("(expires_at < {before} OR rotated_at < {before})"));
        }
    }

    pub fn range(&mut self, column: &str, range: Range) {
        if let Some(after) = range.after {
            let after = self.at(after);
            self.all_of(format!("{column} >= {after}"));
        }
        if let Some(before) = range.before {
            let before = self.at(before);
            self.all_of(format!("{column} < {before}"));
        }
    }

    /// Not revoked, not disabled, not replaced and not expired: [`State::Active`](crate::domain::pat::State::Active).
    fn usable(&mut self, now: Moment) -> String {
        let now = self.at(now);
        format!(
            "(revoked_at IS NULL AND disabled_at IS NULL AND (rotated_at IS NULL OR rotated_at > {now}) \
             AND (expires_at IS NULL OR expires_at > {now}))"
        )
    }

    /// [`Life::is`](crate::domain::pat::Life::is) as SQL; a property test compares the two.
    fn state(&mut self, status: Status, now: Moment, warning: Span) -> String {
        let kept = "revoked_at IS NULL AND disabled_at IS NULL";
        match status {
            Status::Active => format!("({} AND rotated_at IS NULL)", self.usable(now)),
            Status::Rotating => format!("({} AND rotated_at IS NOT NULL)", self.usable(now)),
            Status::ExpiresSoon => {
                let usable = self.usable(now);
                let soon = self.at(now.saturating_plus(warning));
                format!("({usable} AND {})", stops_soon(now, &soon))
            }
            Status::Expired => {
                let now = self.at(now);
                format!("({kept} AND (rotated_at IS NULL OR rotated_at > {now}) AND expires_at <= {now})")
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
