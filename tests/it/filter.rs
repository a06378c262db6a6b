//! The filter of `list`, against a plain model of it in memory.

use crate::harness::{Patctl, moment};
use patctl::domain::filter::{Filter, Limits, Order, Range, Sort};
use patctl::domain::moment::{Moment, Span};
use patctl::domain::pat::{Pat, State, Status};
use patctl::exit::Exit;
use patctl::store::sqlite::SqliteStore;
use patctl::store::{Query, Read};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::ControlFlow;

pub const WARNING: Span = Span::days(5);

pub fn now() -> Moment {
    moment("2026-11-21T12:00:00Z")
}

/// A moment on a grid of hours around now, so that equal ones and boundaries are met.
fn some_time(dice: &mut StdRng) -> Moment {
    now().saturating_plus(Span::hours(dice.random_range(-400..400)))
}

fn maybe<T>(dice: &mut StdRng, one_in: u32, value: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    dice.random_ratio(1, one_in).then(|| value(dice))
}

const USERS: [&str; 6] = ["alice", "bob", "carol", "%", "a_c", "O'Neil"];
const NAMES: [&str; 8] = ["ci", "ci-1", "ci-2", "nightly backup", "%", "*", "[x]", "Ci"];

/// Inserts `count` random rows and answers the database.
pub fn filled(count: u32, dice: &mut StdRng) -> Patctl {
    let patctl = Patctl::new();
    patctl.create(&["seed row"]);
    let mut db = patctl.sql();
    let change = db.transaction().expect("a transaction");
    for n in 0..count {
        let text = |at: Option<Moment>| at.map(|at| at.to_string());
        let row = rusqlite::params![
            format!("{n:010}"),
            NAMES.choose(dice),
            maybe(dice, 8, |_| ()).map_or_else(|| USERS.choose(dice).copied(), |()| None),
            some_time(dice).to_string(),
            text(maybe(dice, 2, some_time)),
            text(maybe(dice, 2, some_time)),
            text(maybe(dice, 4, some_time)),
            text(maybe(dice, 6, some_time)),
            text(maybe(dice, 6, some_time)),
        ];
        change
            .execute(
                "INSERT INTO token (id, name, user, auth, verifier, created_at, expires_at, last_used_at, \
                 revoked_at, disabled_at, rotated_at) \
                 VALUES (?1, ?2, ?3, 'both', '$', ?4, ?5, ?6, ?7, ?8, ?9)",
                row,
            )
            .expect("a row");
    }
    change.commit().expect("a commit");
    patctl.reseal();
    patctl
}

pub fn random_filter(dice: &mut StdRng) -> Filter {
    let range =
        |dice: &mut StdRng| Range { after: maybe(dice, 4, some_time), before: maybe(dice, 4, some_time) };
    let pick = |dice: &mut StdRng, most: u32| {
        let count = if dice.random_ratio(1, 2) { 0 } else { dice.random_range(1..=most) };
        (0..count).map(|_| (*USERS.choose(dice).expect("some")).to_owned()).collect::<Vec<_>>()
    };
    Filter {
        users: pick(dice, 3),
        name: maybe(dice, 3, |dice| {
            let globs =
                ["ci*", "*", "?i", "%", "[[]x]", "[a-z]*", "[^c]*", "ci-[12]", "nightly backup", "[*]", ""];
            globs.choose(dice).expect("some").parse().expect("a pattern")
        }),
        statuses: (0..[0, 0, 1, 2][dice.random_range(0..4)])
            .map(|_| *Status::ALL.choose(dice).expect("some"))
            .collect(),
        all: dice.random_ratio(1, 2),
        created: range(dice),
        expires: range(dice),
        used: range(dice),
        unused: dice.random_ratio(1, 6),
        unused_for: maybe(dice, 6, |dice| Span::hours(dice.random_range(0..400))),
        stops_within: maybe(dice, 6, |dice| Span::hours(dice.random_range(0..400))),
        violates: maybe(dice, 6, |dice| Limits {
            max_expiry_days: dice.random_range(1..20),
            eternal_allowed: dice.random_ratio(1, 2),
            max_per_user: dice.random_range(1..900),
        }),
    }
}

/// What today's limits would refuse; `place` is the token's among those its user holds, from 1.
fn violates(limits: Limits, pat: &Pat, place: Option<u32>) -> bool {
    let longest = pat.life.created_at.saturating_plus(Span::days(i64::from(limits.max_expiry_days)));
    let length = match pat.life.expires_at {
        None => !limits.eternal_allowed,
        Some(ends) => ends > longest,
    };
    length || place.is_some_and(|place| place > limits.max_per_user)
}

/// The filter as its documentation reads, without SQL.
fn chosen(filter: &Filter, pat: &Pat, place: Option<u32>) -> bool {
    let life = &pat.life;
    let status = life.status(now(), WARNING);
    let in_range = |range: Range, at: Option<Moment>| match at {
        Some(at) => {
            range.after.is_none_or(|after| at >= after) && range.before.is_none_or(|before| at < before)
        }
        None => range == Range::default(),
    };
    let expires = match life.stops_at() {
        None => filter.expires.before.is_none(),
        ends => in_range(filter.expires, ends),
    };
    filter.violates.is_none_or(|limits| violates(limits, pat, place))
        && (filter.users.is_empty() || pat.user.as_ref().is_some_and(|user| filter.users.contains(user)))
        && filter.name.as_ref().is_none_or(|glob| matches(glob.as_str(), &pat.name))
        && if filter.statuses.is_empty() {
            filter.all || status != Status::Revoked
        } else {
            filter.statuses.iter().any(|status| life.is(*status, now(), WARNING))
        }
        && in_range(filter.created, Some(life.created_at))
        && expires
        && in_range(filter.used, life.last_used_at)
        && filter.stops_within.is_none_or(|window| {
            let end = life.stops_at().filter(|_| life.state(now()) == State::Active);
            end.is_some_and(|at| at <= now().saturating_plus(window))
        })
        && (!filter.unused || life.last_used_at.is_none())
        && filter
            .unused_for
            .is_none_or(|span| life.last_used_at.unwrap_or(life.created_at) <= now().saturating_minus(span))
}

/// A pattern against a whole text, by trying everything.
fn matches(glob: &str, text: &str) -> bool {
    let mut glob_chars = glob.chars();
    match glob_chars.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = glob_chars.as_str();
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(rest, &text[at..]))
        }
        Some(c) => {
            let mut text_chars = text.chars();
            let Some(first) = text_chars.next() else { return false };
            let rest = glob_chars.as_str();
            if c != '[' {
                return (c == '?' || c == first) && matches(rest, text_chars.as_str());
            }
            let (inverted, body) = rest.strip_prefix('^').map_or((false, rest), |rest| (true, rest));
            let end = body[1..].find(']').map(|at| at + 1).expect("a closed class");
            let class: Vec<char> = body[..end].chars().collect();
            let inside = class.windows(3).any(|w| w[1] == '-' && (w[0]..=w[2]).contains(&first))
                || class.contains(&first);
            inside != inverted && matches(&body[end + 1..], text_chars.as_str())
        }
    }
}

fn compare(order: Order, (a, x): (usize, &Pat), (b, y): (usize, &Pat)) -> Ordering {
    let never_last = |p: &Pat| (p.life.stops_at().is_none(), p.life.stops_at());
    let by = match order.sort {
        Sort::Created => (y.life.created_at, b).cmp(&(x.life.created_at, a)),
        Sort::Used => (y.life.last_used_at, b).cmp(&(x.life.last_used_at, a)),
        Sort::Expires => (never_last(x), a).cmp(&(never_last(y), b)),
        Sort::Name => (&x.name, a).cmp(&(&y.name, b)),
        Sort::User => (x.user.as_deref().unwrap_or(""), a).cmp(&(y.user.as_deref().unwrap_or(""), b)),
        Sort::Id => (x.id, a).cmp(&(y.id, b)),
    };
    if order.reverse { by.reverse() } else { by }
}

pub fn listed(store: &SqliteStore, filter: &Filter, order: Order) -> Vec<Pat> {
    let mut found = Vec::new();
    let query = Query { filter, order, now: now(), expiry_warning: WARNING, limit: None };
    store
        .list(&query, &mut |pat| {
            found.push(pat.clone());
            ControlFlow::Continue(())
        })
        .expect("a list");
    found
}

#[test]
fn a_thousand_random_filters_over_five_thousand_tokens_agree_with_the_model() {
    let mut dice = StdRng::seed_from_u64(7);
    let patctl = filled(5000, &mut dice);
    let store = SqliteStore::open(&patctl.db()).expect("the database");
    let everything = Filter { all: true, ..Filter::default() };
    // In the order of their rows, which breaks ties.
    let mut all: Vec<(usize, Pat)> =
        listed(&store, &everything, Order { sort: Sort::Id, ..Order::default() })
            .into_iter()
            .enumerate()
            .collect();
    let seed = all.iter().position(|(_, pat)| pat.name == "seed row").expect("the first row");
    all[..seed].iter_mut().for_each(|(n, _)| *n += 1);
    all[seed].0 = 0;
    assert_eq!(all.len(), 5001);
    let mut in_order: Vec<&(usize, Pat)> = all.iter().collect();
    in_order.sort_by_key(|(n, _)| *n);
    let mut held: HashMap<Option<&str>, u32> = HashMap::new();
    let mut places: HashMap<usize, u32> = HashMap::new();
    for (n, pat) in in_order {
        if pat.life.revoked_at.is_none() && pat.life.rotated_at.is_none() {
            let place = held.entry(pat.user.as_deref()).or_default();
            *place += 1;
            places.insert(*n, *place);
        }
    }
    let mut chose_some = 0;
    for round in 0..1000 {
        let filter = random_filter(&mut dice);
        let order = Order {
            sort: *Sort::ALL.choose(&mut dice).expect("some"),
            reverse: dice.random_ratio(1, 2),
            after: None,
        };
        let mut expected: Vec<(usize, &Pat)> = all
            .iter()
            .filter(|(n, pat)| chosen(&filter, pat, places.get(n).copied()))
            .map(|(n, pat)| (*n, pat))
            .collect();
        expected.sort_by(|a, b| compare(order, *a, *b));
        let found = listed(&store, &filter, order);
        let ids = |pats: &[&Pat]| pats.iter().map(|pat| pat.id.to_string()).collect::<Vec<_>>();
        let expected: Vec<&Pat> = expected.into_iter().map(|(_, pat)| pat).collect();
        assert_eq!(
            ids(&found.iter().collect::<Vec<_>>()),
            ids(&expected),
            "round {round}: {filter:?} {order:?}"
        );
        chose_some += u32::from(!expected.is_empty());
    }
    assert!(chose_some > 200, "only {chose_some} filters chose anything");
}

/// Each time field through the command line, one second before, at, and after its boundary.
#[test]
fn every_field_has_its_boundary_where_the_manual_says() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--expires", "10"]);
    patctl.pass(Span::hours(1));
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    patctl.pass(Span::hours(1));
    let count = |args: &[&str]| patctl.run(&[&["list", "-o", "ids"], args].concat()).stdout.lines().count();
    for (field, at) in [
        ("created", "2026-11-21T12:00:00Z"),
        ("used", "2026-11-21T13:00:00Z"),
        ("expires", "2026-12-01T12:00:00Z"),
    ] {
        let after = format!("--{field}-after");
        let before = format!("--{field}-before");
        let just_after = moment(at).plus(Span::seconds(1)).expect("in range").to_string();
        assert_eq!([count(&[&after, at]), count(&[&after, &just_after])], [1, 0], "{after}");
        assert_eq!([count(&[&before, at]), count(&[&before, &just_after])], [0, 1], "{before}");
    }
    assert_eq!([count(&["--created-after", "2h"]), count(&["--created-after", "1h"])], [1, 0]);
    assert_eq!([count(&["--expires-before", "10d"]), count(&["--expires-before", "9d"])], [1, 0]);
    assert_eq!([count(&["--unused-for", "1h"]), count(&["--unused-for", "2h"])], [1, 0]);
    assert_eq!(count(&["--unused"]), 0);
    let other = patctl.create(&[]);
    assert_eq!(patctl.run(&["list", "--unused", "-o", "ids"]).stdout.trim(), crate::harness::id_of(&other));
    assert_eq!(count(&["--expires-after", "2100-01-01"]), 1, "never is later than any date");
    assert_eq!(count(&["--name", "token-*"]), 2);
    assert_eq!(count(&["--name", "%"]), 0);
    let long = "*".repeat(1001);
    for bad in [
        ["--name", "[a"],
        ["--name", &long],
        ["--created-after", "never"],
        ["--created-after", "1M"],
        ["--unused-for", "-1d"],
    ] {
        assert_eq!(patctl.run(&[&["list"][..], &bad].concat()).exit, Exit::Usage, "{bad:?}");
    }
}
