//! `patctl bulk-revoke`: the filter of `list`, previewed and done.

use crate::filter::{filled, random_filter};
use crate::harness::{Patctl, Run, Setup, id_of};
use crate::process::scaled;
use patctl::domain::actor::{Actor, Authority, RequestMeta};
use patctl::domain::filter::{Filter, Range};
use patctl::domain::policy::Policy;
use patctl::exit::Exit;
use patctl::service::{Act, bulk};
use patctl::store::Query;
use patctl::store::sqlite::SqliteStore;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// A filter as it is typed.
fn typed(filter: &Filter) -> Vec<String> {
    let mut args = Vec::new();
    args.extend(filter.users.iter().map(|user| format!("--user={user}")));
    args.extend(filter.name.iter().map(|glob| format!("--name={}", glob.as_str())));
    args.extend(filter.statuses.iter().map(|status| format!("--status={}", status.as_str())));
    let ranges = [("created", filter.created), ("expires", filter.expires), ("used", filter.used)];
    for (field, Range { after, before }) in ranges {
        args.extend(after.map(|at| format!("--{field}-after={at}")));
        args.extend(before.map(|at| format!("--{field}-before={at}")));
    }
    for (flag, on) in [("--all", filter.all), ("--unused", filter.unused)] {
        args.extend(on.then(|| flag.to_owned()));
    }
    args.extend(filter.unused_for.map(|span| format!("--unused-for={}h", span.as_seconds() / 3600)));
    if let Some(limits) = filter.violates {
        args.push("--violates-policy".to_owned());
        for (name, value) in [
            ("max.tokens.expiry.days", limits.max_expiry_days.to_string()),
            ("max.tokens.per.user", limits.max_per_user.to_string()),
            ("eternal.tokens.enabled", limits.eternal_allowed.to_string()),
        ] {
            args.push(format!("-Datlassian.pats.{name}={value}"));
        }
    }
    args
}

/// Preview and deed choose what `list` chooses, whatever the filter.
#[test]
fn list_preview_and_deed_give_the_same_ids() {
    let mut dice = StdRng::seed_from_u64(11);
    let patctl = filled(5000, &mut dice);
    patctl.run(&["list", "-q"]);
    let pristine = patctl.path("pristine");
    std::fs::copy(patctl.db(), &pristine).expect("a copy");
    let mut chose_some = 0;
    for round in 0..scaled(60, 1000) {
        let filter = typed(&random_filter(&mut dice));
        let run = |args: &[&str]| {
            let all: Vec<&str> = args.iter().copied().chain(filter.iter().map(String::as_str)).collect();
            patctl.run(&all)
        };
        if filter.is_empty() {
            continue;
        }
        let listed = run(&["list", "-o", "ids"]).stdout;
        assert_eq!(
            run(&["bulk-revoke", "--dry-run", "-o", "ids"]).stdout,
            listed,
            "round {round}: {filter:?}"
        );
        let live = patctl.count("SELECT count(*) FROM token WHERE revoked_at IS NULL");
        let done = run(&["bulk-revoke", "--yes", "-o", "ids", "--reason", "a round"]);
        assert_eq!(done.stdout, listed, "round {round}: {filter:?}");
        let revoked = live - patctl.count("SELECT count(*) FROM token WHERE revoked_at IS NULL");
        let audited =
            patctl.count("SELECT count(*) FROM audit WHERE action = 'revoke' AND reason = 'a round'");
        assert_eq!(audited, revoked);
        assert_eq!(
            patctl.count("SELECT count(*) FROM audit WHERE action = 'bulk-revoke'"),
            i64::from(revoked > 0)
        );
        for id in listed.lines().take(3) {
            let shown = patctl.run(&["show", id, "-o", "json"]).json();
            assert_eq!(shown["status"], "revoked");
        }
        chose_some += u32::from(!listed.is_empty());
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", patctl.db().display()));
        }
        std::fs::copy(&pristine, patctl.db()).expect("a copy");
    }
    assert!(chose_some > 10, "only {chose_some} filters chose anything");
}

fn three() -> (Patctl, Vec<String>) {
    let patctl = Patctl::new();
    let tokens = ["one", "two", "three"].map(|name| patctl.create(&[name, "--user", "alice"]));
    (patctl, tokens.to_vec())
}

fn with_person(patctl: &Patctl, args: &[&str], answers: &[bool], picks: &str) -> Run {
    patctl.run_with(args, &Setup { terminal: Some((answers, picks)), ..Setup::default() })
}

#[test]
fn elsewhere_than_on_a_terminal_it_wants_yes() {
    let (patctl, tokens) = three();
    patctl.run(&["bulk-revoke", "--user", "alice"]).says(Exit::Usage, &["3 tokens", "--dry-run", "--yes"]);
    patctl.run(&["bulk-revoke"]).says(Exit::Usage, &["no filter was given"]);
    patctl.run(&["bulk-revoke", "--yes"]).says(Exit::Usage, &["no filter was given"]);
    assert_eq!(patctl.verify(&tokens[0], &[]).0, Exit::Yes);
    let run = patctl.run(&["bulk-revoke", "--user", "alice", "--yes", "--reason", "left"]);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    assert!(run.stderr.contains("3 tokens revoked"), "{run:?}");
    for token in &tokens {
        assert_eq!(patctl.verify(token, &[]).1, "revoked");
        let shown = patctl.run(&["show", id_of(token), "-o", "json"]).json();
        assert_eq!(shown["revoke_reason"], "left");
    }
}

#[test]
fn more_than_max_is_refused_whole() {
    let (patctl, tokens) = three();
    let args = ["bulk-revoke", "--user", "alice", "--yes", "--max"];
    let ask = |max| patctl.run(&[&args[..], &[max]].concat());
    ask("2").says(Exit::No, &["3 tokens", "--max allows 2"]);
    assert_eq!(patctl.verify(&tokens[2], &[]).0, Exit::Yes);
    assert_eq!(ask("3").exit, Exit::Yes);
    assert_eq!(ask("0").exit, Exit::No, "nothing is left, and somebody was named");
}

#[test]
fn nothing_matched_is_a_no_only_where_something_was_named() {
    let (patctl, _) = three();
    patctl.run(&["bulk-revoke", "--user", "alcie", "--yes"]).says(Exit::No, &["no token matches"]);
    patctl.run(&["bulk-revoke", "--unused-for", "900d", "--yes"]).is(Exit::Yes, "");
}

#[test]
fn a_preview_of_nothing_is_a_no_and_what_was_revoked_before_is_counted() {
    let (patctl, tokens) = three();
    for filter in [["--user", "alcie"], ["--unused-for", "900d"]] {
        let run = patctl.run(&[&["bulk-revoke", "--dry-run"][..], &filter].concat());
        assert_eq!(run.exit, Exit::No, "{run:?}");
        assert!(run.stderr.contains("0 tokens would be revoked"), "{run:?}");
    }
    let run = patctl.run(&["bulk-revoke", "--user", "alcie", "--yes"]);
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    let run = patctl.run(&["bulk-revoke", "--unused-for", "900d", "--yes"]);
    assert_eq!((run.exit, run.stderr.lines().count()), (Exit::Yes, 1), "{run:?}");
    patctl.run(&["revoke", id_of(&tokens[0]), id_of(&tokens[1])]);
    let dry = patctl.run(&["bulk-revoke", "--all", "--user", "alice", "--dry-run"]);
    assert!(dry.stderr.contains("1 token would be revoked; 2 were revoked before"), "{dry:?}");
    let run = patctl.run(&["bulk-revoke", "--all", "--user", "alice", "--yes"]);
    assert!(run.stderr.contains("1 token revoked; 2 were revoked before"), "{run:?}");
    let run = patctl.run(&["bulk-revoke", "--all", "--user", "alice", "--yes"]);
    assert!(run.stderr.contains("0 tokens revoked; 3 were revoked before"), "{run:?}");
}

#[test]
fn a_person_sees_whom_it_takes_before_the_question() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 50");
    let used = patctl.create(&["used", "--user", "bob"]);
    assert_eq!(patctl.verify(&used, &[]).0, Exit::Yes);
    for n in 0..12 {
        patctl.create(&[&format!("job {n}"), "--user", "alice"]);
    }
    let run = with_person(&patctl, &["bulk-revoke", "--name", "*"], &[false], "");
    assert_eq!(run.exit, Exit::No, "{run:?}");
    let shown = run.stderr.lines().filter(|line| line.contains("  alice  job ")).count();
    assert_eq!(shown, 10, "{run:?}");
    for text in ["and 3 more", "by user: alice 12, bob 1", "1 was used in the last day"] {
        assert!(run.stderr.contains(text), "{text}: {run:?}");
    }
}

#[test]
fn a_person_is_asked_and_no_is_the_default() {
    let (patctl, tokens) = three();
    let run = with_person(&patctl, &["bulk-revoke", "--name", "t*"], &[false], "");
    assert_eq!((run.exit, patctl.verify(&tokens[1], &[]).0), (Exit::No, Exit::Yes), "{run:?}");
    let run = with_person(&patctl, &["bulk-revoke", "--name", "t*"], &[true], "");
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    assert_eq!(patctl.verify(&tokens[1], &[]).1, "revoked");
    assert_eq!(patctl.verify(&tokens[0], &[]).0, Exit::Yes);
}

#[test]
fn without_a_filter_a_person_picks_from_a_list() {
    let (patctl, tokens) = three();
    let run = with_person(&patctl, &["bulk-revoke"], &[], "");
    assert_eq!(run.exit, Exit::No, "nothing was picked: {run:?}");
    let run = with_person(&patctl, &["bulk-revoke"], &[true], "one three");
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    let states = tokens.iter().map(|token| patctl.verify(token, &[]).1).collect::<Vec<_>>();
    assert_eq!(states, ["revoked", "", "revoked"]);
}

/// A look before the switch `patctl.policy.apply.to.existing` is turned on.
#[test]
fn what_todays_limits_would_refuse_is_listed() {
    let patctl = Patctl::new();
    let long = patctl.create(&["long", "--user", "alice", "--expires", "300"]);
    let eternal = patctl.create(&["eternal", "--user", "alice"]);
    let good = patctl.create(&["good", "--user", "alice", "--expires", "30"]);
    let ids = |args: &[&str]| {
        let all =
            [&["list", "--violates-policy", "-o", "ids", "--sort", "created", "--reverse"], args].concat();
        patctl.run(&all).stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]), [""; 0]);
    assert_eq!(ids(&["-Datlassian.pats.max.tokens.expiry.days=90"]), [id_of(&long)]);
    assert_eq!(ids(&["-Datlassian.pats.eternal.tokens.enabled=false"]), [id_of(&eternal)]);
    assert_eq!(ids(&["-Datlassian.pats.max.tokens.per.user=2"]), [id_of(&good)], "the last of three");
}

/// What was counted for the question may have become more by the time the lock is held.
#[test]
fn the_limit_is_held_under_the_lock_too() {
    let patctl = Patctl::new();
    for user in ["a", "b"] {
        patctl.create(&["--user", user]);
    }
    let (policy, actor) = (Policy::default(), Actor::Local { uid: 0, name: "a".to_owned(), login_uid: None });
    let clock = || patctl.now();
    let act = Act {
        policy: &policy,
        actor: &actor,
        authority: &Authority::Administrator,
        meta: &RequestMeta::NONE,
        clock: &clock,
    };
    let query = Query {
        filter: &Filter::default(),
        order: patctl::domain::filter::Order::default(),
        now: patctl.now(),
        expiry_warning: policy.expiry_warning,
        limit: None,
    };
    let mut store = SqliteStore::open(&patctl.db()).expect("the database");
    let mut revoke = |max| bulk::revoke(&mut store, &act, &query, Some(max), None, &mut |_| {});
    assert_eq!(revoke(1), Err(bulk::BulkError::TooMany { count: 2, max: 1 }));
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE revoked_at IS NOT NULL"), 0);
    assert_eq!(revoke(2).expect("a deed").revoked, 2);
}
