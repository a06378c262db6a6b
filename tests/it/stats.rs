//! `stats`: what is counted, against a plain count in memory; and how it looks.

use crate::filter::{WARNING, filled, listed, now, random_filter};
use crate::harness::{Patctl, Run, Setup, id_of};
use crate::process::scaled;
use patctl::domain::filter::{Filter, Order};
use patctl::domain::moment::Span;
use patctl::domain::pat::{Pat, Status};
use patctl::exit::Exit;
use patctl::service::stats::{Called, Ends, Extent, Holder, Stats, stats};
use patctl::store::sqlite::SqliteStore;
use patctl::store::survey::Choice;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use unicode_width::UnicodeWidthStr as _;

/// Answers of `verify` and other rows, for some of the tokens and for ids that no token has.
fn with_calls(patctl: &Patctl, dice: &mut StdRng) -> HashMap<String, (u64, u64)> {
    let mut calls: HashMap<String, (u64, u64)> = HashMap::new();
    let mut db = patctl.sql();
    let change = db.transaction().expect("a transaction");
    for _ in 0..6_000 {
        let id = format!("{:010}", dice.random_range(0..1_200));
        let (action, outcome) = [
            ("verify", "allowed"),
            ("verify", "allowed"),
            ("verify", "denied"),
            ("whoami", "allowed"),
            ("create", "done"),
        ][dice.random_range(0..5)];
        change
            .execute(
                "INSERT INTO audit (at, actor, actor_uid, action, token_id, outcome) VALUES (?1, 'a', 0, ?2, ?3, ?4)",
                [&now().to_string(), action, &id, outcome],
            )
            .expect("a row");
        if action == "verify" {
            let count = calls.entry(id).or_default();
            *if outcome == "allowed" { &mut count.0 } else { &mut count.1 } += 1;
        }
    }
    change.commit().expect("a commit");
    calls
}

/// The counts as their documentation reads, from the tokens that a listing shows.
fn counted(pats: &[Pat], calls: &HashMap<String, (u64, u64)>, extent: Extent) -> Stats {
    let mut s = Stats { total: pats.len() as u64, ..Stats::default() };
    s.ends = Ends { weeks: vec![0; extent.weeks as usize], ..Ends::default() };
    let mut held: BTreeMap<Option<&str>, u64> = BTreeMap::new();
    let mut callers = Vec::new();
    for pat in pats {
        let status = pat.life.status(now(), WARNING);
        let seconds_ahead = pat.life.stops_at().map(|at| at.since(now()).as_seconds());
        s.by_status[Status::ALL.iter().position(|x| *x == status).expect("a place")] += 1;
        s.restricted += u64::from(pat.restricted);
        let in_use = matches!(status, Status::Active | Status::ExpiresSoon | Status::Rotating);
        *match (in_use, seconds_ahead) {
            (false, _) => &mut s.ends.ended,
            (true, None) => &mut s.ends.never,
            (true, Some(ahead)) => {
                // The grid of the rows is hours: whole seconds.
                let week = usize::try_from((ahead - 1) / (7 * 86_400)).expect("ahead");
                if week < s.ends.weeks.len() { &mut s.ends.weeks[week] } else { &mut s.ends.later }
            }
        } += 1;
        match pat.life.last_used_at.map(|at| now().since(at).as_seconds()) {
            None => s.unused += 1,
            Some(..=86_400) => s.used[0] += 1,
            Some(..=604_800) => s.used[1] += 1,
            Some(..=2_592_000) => s.used[2] += 1,
            Some(..=7_776_000) => s.used[3] += 1,
            Some(_) => s.used[4] += 1,
        }
        *held.entry(pat.user.as_deref()).or_default() += 1;
        if let Some((allowed, denied)) = calls.get(pat.id.as_str()).copied() {
            (s.called, s.allowed, s.denied) = (s.called + 1, s.allowed + allowed, s.denied + denied);
            let (name, user) = (pat.name.clone(), pat.user.clone());
            callers.push(Called { id: pat.id, name, user, allowed, denied });
        }
    }
    s.users = held.len() as u64;
    let mut holders: Vec<Holder> =
        held.into_iter().map(|(user, tokens)| Holder { user: user.map(str::to_owned), tokens }).collect();
    holders.sort_by_key(|holder| Reverse(holder.tokens));
    holders.truncate(extent.top);
    callers.sort_by_key(|called| (Reverse(called.allowed + called.denied), called.id));
    callers.truncate(extent.top);
    Stats { holders, callers, ..s }
}

#[test]
fn what_a_listing_shows_is_what_is_counted_for_any_filter() {
    let mut dice = StdRng::seed_from_u64(23);
    let patctl = filled(1_000, &mut dice);
    patctl.sql().execute("UPDATE token SET restricted = abs(random() % 2)", []).expect("an update");
    let calls = with_calls(&patctl, &mut dice);
    let store = SqliteStore::open(&patctl.db()).expect("the database");
    let mut met = Stats::default();
    for round in 0..scaled(80, 2_000) {
        let filter = random_filter(&mut dice);
        let choice = Choice { filter: &filter, now: now(), expiry_warning: WARNING };
        let extent = Extent { weeks: dice.random_range(0..4), top: dice.random_range(0..9) };
        let found = stats(&store, &choice, extent).expect("counts");
        let expected = counted(&listed(&store, &filter, Order::default()), &calls, extent);
        assert!(found.since.is_some());
        assert_eq!(Stats { since: None, ..found.clone() }, expected, "round {round}: {filter:?}");
        for (sum, more) in [(&mut met.total, found.total), (&mut met.called, found.called)] {
            *sum += more;
        }
        met.ends.later += found.ends.later;
        met.users += found.users;
    }
    // The model was not compared with nothing.
    for some in [met.total, met.called, met.ends.later, met.users] {
        assert!(some > 100, "{met:?}");
    }
}

/// A small installation that has something of everything.
fn installation() -> Patctl {
    let patctl = Patctl::new();
    let busy = patctl.create(&["ci", "--user", "alice", "--expires", "90"]);
    let soon = patctl.create(&["report", "--user", "alice", "--expires", "3"]);
    patctl.create(&["--user", "bob", "--restrict", "[get]/reports/.*"]);
    let gone = patctl.create(&["--user", "bob"]);
    let off = patctl.create(&["--user", "carol", "--expires", "7"]);
    assert_eq!(patctl.run(&["disable", id_of(&off)]).exit, Exit::Yes);
    for (token, exit, times) in [(&busy, Exit::Yes, 4), (&soon, Exit::Yes, 2), (&off, Exit::No, 1)] {
        for _ in 0..times {
            assert_eq!(patctl.verify(token, &[]).0, exit);
        }
    }
    assert_eq!(patctl.run(&["revoke", id_of(&gone), "--yes"]).exit, Exit::Yes);
    patctl
}

fn on_terminal(patctl: &Patctl, columns: usize, args: &[&str]) -> Run {
    let setup = Setup { terminal: Some((&[], "")), columns: Some(columns), ..Setup::default() };
    patctl.run_with(&[&["stats"], args].concat(), &setup)
}

#[test]
fn the_json_counts_each_token_once_in_each_respect() {
    let patctl = installation();
    let run = patctl.run(&["stats", "-o", "json", "--weeks", "2", "--top", "2"]);
    assert_eq!((run.exit, run.stderr.as_str()), (Exit::Yes, ""), "{run:?}");
    let json = run.json();
    assert_eq!(json["total"], 4);
    let states = json!({"active": 2, "expires_soon": 1, "rotating": 0, "expired": 0, "disabled": 1, "rotated": 0, "revoked": null});
    assert_eq!(json["states"], states);
    let expiry = &json["expiry"];
    assert_eq!(expiry["weeks"][0]["tokens"], 1);
    assert_eq!(expiry["weeks"][0]["to"], "2026-11-28T12:00:00.000000Z");
    assert_eq!(expiry["weeks"][1]["tokens"], 0);
    assert_eq!([&expiry["later"], &expiry["never"], &expiry["replaced"], &expiry["ended"]], [1, 1, 0, 1]);
    let used = json!({"day": 2, "days_7": 0, "days_30": 0, "days_90": 0, "earlier": 0, "never": 2});
    assert_eq!(json["last_used"], used);
    assert_eq!([&json["restricted"], &json["unrestricted"]], [1, 3]);
    let holder = |user: &str, tokens: u64| json!({"user": user, "tokens": tokens});
    assert_eq!(json["users"], json!({"count": 3, "top": [holder("alice", 2), holder("bob", 1)]}));
    let calls = &json["calls"];
    assert_eq!([&calls["tokens"], &calls["allowed"], &calls["denied"]], [3, 6, 1]);
    assert_eq!([&calls["top"][0]["name"], &calls["top"][0]["allowed"]], [&json!("ci"), &json!(4)]);
    assert_eq!(calls["since"], "2026-11-21T12:00:00.000000Z");
    assert_eq!(calls["top"].as_array().map(Vec::len), Some(2));
    assert_eq!(patctl.run(&["stats", "--all", "-o", "json"]).json()["states"]["revoked"], 1);
    assert_eq!(patctl.run(&["stats", "--user", "bob", "-o", "jsonl"]).json()["total"], 1);
}

/// Looking at a token is no call, and what ends exactly a week from now ends within a week.
#[test]
fn the_edge_of_a_week_is_where_expiring_has_it() {
    let patctl = Patctl::new();
    patctl.create(&["--expires", "37"]);
    patctl.pass(Span::days(30));
    let week = |n: usize| patctl.run(&["stats", "-o", "json"]).json()["expiry"]["weeks"][n]["tokens"].clone();
    assert_eq!([week(0), week(1)], [1, 0]);
    let expiring = patctl.run(&["expiring", "--within", "7d", "-o", "json"]).json();
    assert_eq!(expiring["expiring"], 1);
    patctl.set_now(patctl.now().saturating_minus(Span::seconds(1)));
    assert_eq!([week(0), week(1)], [0, 1]);
    assert_eq!(patctl.run(&["expiring", "--within", "7d", "-o", "json"]).json()["expiring"], 0);
}

#[test]
fn a_terminal_shows_bars_that_fit_it() {
    let mut patctl = installation();
    for columns in [40, 80, 109, 110, 120, 200] {
        for (locale, ink, other) in [("C.UTF-8", '█', '#'), ("C", '#', '█')] {
            patctl.env.insert("LANG".to_owned(), locale.into());
            patctl.env.insert("NO_COLOR".to_owned(), "1".into());
            let run = on_terminal(&patctl, columns, &["--all"]);
            assert_eq!((run.exit, run.stderr.as_str()), (Exit::Yes, ""), "{run:?}");
            assert!(run.stdout.contains(ink) && !run.stdout.contains(other), "{}", run.stdout);
            assert!(run.stdout.replace('…', "").is_ascii() || ink == '█', "{}", run.stdout);
            assert!(run.stdout.lines().all(|line| line.width() <= columns), "{columns}: {}", run.stdout);
            let beside = run.stdout.lines().next().is_some_and(|line| line.contains("EXPIRY"));
            assert_eq!(beside, columns >= 110, "{}", run.stdout);
        }
    }
    patctl.env.clear();
    let colours = on_terminal(&patctl, 80, &[]).stdout;
    assert!(colours.contains("\x1b[32m#") && colours.contains("\x1b[33m#"), "{colours:?}");
}

#[test]
fn a_terminal_of_80_columns_shows_this() {
    let mut patctl = installation();
    patctl.env.insert("LC_ALL".to_owned(), "de_DE.utf8".into());
    patctl.env.insert("NO_COLOR".to_owned(), "1".into());
    let run = on_terminal(&patctl, 80, &["--weeks", "2"]);
    let ids: Vec<&str> = run
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("CALLS"))
        .skip(1)
        .map_while(|line| line.strip_prefix("  "))
        .map(|line| &line[..10])
        .collect();
    let [busy, soon, off] = ids[..] else { panic!("three callers: {}", run.stdout) };
    let long = "█".repeat(50);
    let half = "█".repeat(25);
    let third = format!("{}▌", "█".repeat(16));
    let expected = format!(
        "\
TOKENS  4 in all; --all counts revoked ones, too
  active        2  {long}
  EXPIRES SOON  1  {half}
  rotating      0
  expired       0
  disabled      1  {half}
  rotated       0

EXPIRY  in the week that begins on
  2026-11-21  1  {long}
  2026-11-28  0
  later       1
  never       1
  not in use  1

RESTRICTIONS
  restricted    1  {third}
  unrestricted  3  {long}

CALLS  6 allowed, 1 denied since 2026-11-21
  {busy}  alice  ci           4  {calls}
  {soon}  alice  report       2  {third}
  {off}  carol  token-2026…  1  {one}  1 denied

LAST USED
  in the last day      2  {long}
  in the last 7 days   0
  in the last 30 days  0
  in the last 90 days  0
  earlier              0
  never                2  {long}

USERS
  alice  2  {long}
  bob    1  {half}
  carol  1  {half}
",
        calls = "█".repeat(33),
        one = "█".repeat(8),
    );
    assert_eq!(run.stdout, expected, "{}", run.stdout);
}

#[test]
fn a_pipe_gets_a_line_for_each_count_that_says_all_of_itself() {
    let patctl = installation();
    let run = patctl.run(&["stats", "--weeks", "1", "--all"]);
    assert_eq!((run.exit, run.stderr.as_str()), (Exit::Yes, ""), "{run:?}");
    let cells: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(cells[0], ["WHAT", "WHICH", "COUNT"]);
    for row in [
        &["status", "in all", "5"][..],
        &["status", "revoked", "1"],
        &["expiry", "2026-11-21", "1"],
        &["expiry", "not in use", "2"],
        &["restrictions", "restricted", "1"],
        &["last used", "never", "3"],
        &["user", "in all", "3"],
        &["user", "alice", "2"],
        &["calls", "denied", "1"],
    ] {
        assert!(cells.iter().any(|cell| cell == row), "{row:?} in {}", run.stdout);
    }
    assert!(run.stdout.is_ascii() && !run.stdout.contains('#'), "no bars: {}", run.stdout);
}

#[test]
fn nothing_is_counted_where_nothing_is_and_nonsense_is_refused() {
    let patctl = Patctl::new();
    patctl.run(&["stats"]).says(Exit::Io, &["patctl create"]);
    patctl.create(&["--user", "x"]);
    patctl.run(&["stats", "--user", "nobody"]).says(Exit::Yes, &["no token matches"]);
    let json = patctl.run(&["stats", "--user", "nobody", "-o", "json"]).json();
    assert_eq!([&json["total"], &json["users"]["count"], &json["calls"]["tokens"]], [0, 0, 0]);
    patctl.run(&["stats", "-o", "csv"]).says(Exit::Usage, &["table or json or jsonl"]);
    patctl.run(&["stats", "--weeks", "0"]).says(Exit::Usage, &["1..=520"]);
    patctl.run(&["stats", "--top", "1001"]).says(Exit::Usage, &["0..=1000"]);
    let many: Vec<String> = (0..1001).map(|n| format!("--user=u{n}")).collect();
    let many: Vec<&str> = std::iter::once("stats").chain(many.iter().map(String::as_str)).collect();
    patctl.run(&many).says(Exit::Usage, &["more than 1000 users"]);
    assert_eq!(patctl.run(&["stats", "--top", "0", "-o", "json"]).json()["users"]["top"], json!([]));
}

/// A name that a person chose reaches no terminal as it is; JSON has it exactly.
#[test]
fn hostile_names_are_written_out() {
    let patctl = Patctl::new();
    patctl.create(&["x"]);
    let id = patctl.run(&["list", "-o", "ids"]).stdout.trim().to_owned();
    let name = "a\u{1b}]0;x\u{7}\u{202e}b";
    patctl.sql().execute("UPDATE token SET name = ?1, user = ?1", [name]).expect("an update");
    patctl
        .sql()
        .execute(
            "INSERT INTO audit (at, actor, actor_uid, action, token_id, outcome) \
             VALUES ('2026-11-21T12:00:00.000000Z', 'a', 0, 'verify', ?1, 'allowed')",
            [&id],
        )
        .expect("a row");
    for run in [on_terminal(&patctl, 120, &["--color", "never"]), patctl.run(&["stats"])] {
        assert!(!run.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", run.stdout);
        assert!(run.stdout.contains("a\\u{1b}]0"), "{:?}", run.stdout);
    }
    let json = patctl.run(&["stats", "-o", "json"]).json();
    assert_eq!([&json["users"]["top"][0]["user"], &json["calls"]["top"][0]["name"]], [name, name]);
    // A filter of its own, so that the database is not only read with the default one.
    let filter = Filter { all: true, ..Filter::default() };
    let store = SqliteStore::open(&patctl.db()).expect("the database");
    let choice = Choice { filter: &filter, now: now(), expiry_warning: WARNING };
    assert_eq!(stats(&store, &choice, Extent { weeks: 1, top: 1 }).expect("counts").holders[0].tokens, 1);
}
