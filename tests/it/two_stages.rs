//! A verification is prepared without a lock and committed under one: what changes in between counts, for the item that
//! it concerns and for no other.

use crate::harness::{CHEAP, Patctl, id_of, moment};
use crate::process::scaled;
use patctl::domain::actor::{Actor, RequestMeta};
use patctl::domain::decision::Reason;
use patctl::domain::dice::Dice;
use patctl::domain::moment::{Moment, Span};
use patctl::domain::policy::Policy;
use patctl::domain::presented::Presented;
use patctl::domain::restriction::{Given, Request};
use patctl::domain::verifier::{Cost, computations};
use patctl::exit::Exit;
use patctl::service::verify::{
    Attempt, Purpose, Verdict, VerifyContext, VerifyItem, commit, prepare_all, verify_all,
};
use patctl::store::Durability;
use patctl::store::sqlite::SqliteStore;
use proptest::prelude::*;
use std::cell::Cell;
use std::sync::Arc;

fn item_of(token: &str, actor: &str) -> Arc<VerifyItem> {
    Arc::new(VerifyItem {
        credential: Presented::parse(token.as_bytes()).expect("a token"),
        purpose: Purpose::Use,
        request: Request::new(&Given { method: Some("GET"), url: Some("/a"), ..Given::default() }),
        url: Some("/a".to_owned()),
        actor: Arc::new(Actor::Local { uid: 7, name: actor.to_owned(), login_uid: None }),
        meta: RequestMeta::default(),
    })
}

fn policy() -> Policy {
    Policy { cost: Cost { memory_kib: 1024, iterations: 1, parallelism: 1 }, ..Policy::default() }
}

fn context<'c>(policy: &'c Policy, clock: &'c dyn Fn() -> Moment) -> VerifyContext<'c> {
    VerifyContext { policy, base: None, cache: None, durability: Durability::Relaxed, clock }
}

/// Prepares these, does something, and commits.
fn in_two_stages(
    patctl: &Patctl,
    ctx: &VerifyContext<'_>,
    items: &[Arc<VerifyItem>],
    between: impl FnOnce(),
) -> Vec<Result<Verdict, Attempt>> {
    let mut store = SqliteStore::open(&patctl.db()).expect("the database");
    let attempts = items.iter().cloned().map(Attempt::from).collect();
    let prepared = prepare_all(&store, ctx, &mut Dice::system(), attempts).expect("a database");
    between();
    let before = computations();
    let answers = commit(&mut store, ctx, prepared).expect("a database");
    assert_eq!(computations(), before, "nothing is computed under the lock");
    answers
}

fn reason(verdict: &Verdict) -> Option<Reason> {
    verdict.answer.as_ref().err().map(|denial| denial.reason)
}

/// What can be done to a token so that another answer is right, or the same one of another row.
const DEEDS: [&[&str]; 7] = [
    &["revoke", "ID"],
    &["disable", "ID"],
    &["edit", "ID", "--restrict", "/other"],
    &["edit", "ID", "--auth", "basic"],
    &["edit", "ID", "--expires", "2026-11-21T12:00:01Z"],
    &["rotate", "ID", "-q"],
    &["edit", "ID", "--note", "seen"],
];

#[test]
fn what_changed_in_between_comes_back_and_its_neighbours_are_answered() {
    for deed in DEEDS {
        let patctl = Patctl::new();
        let tokens = [patctl.create(&["one"]), patctl.create(&["two"]), patctl.create(&["three"])];
        let items =
            ["a", "b", "c"].map(|actor| item_of(&tokens[usize::from(actor.as_bytes()[0] - b'a')], actor));
        let (policy, clock) = (policy(), || patctl.now());
        let ctx = context(&policy, &clock);
        let answers = in_two_stages(&patctl, &ctx, &items, || {
            let args: Vec<&str> =
                deed.iter().map(|arg| if *arg == "ID" { id_of(&tokens[1]) } else { arg }).collect();
            assert_eq!(patctl.run(&args).exit, Exit::Yes, "{deed:?}");
        });
        for neighbour in [&answers[0], &answers[2]] {
            assert_eq!(neighbour.as_ref().ok().map(reason), Some(None), "{deed:?}");
        }
        let Err(again) = &answers[1] else { panic!("{deed:?}: {:?}", answers[1]) };
        assert_eq!((again.tried, again.item.id().as_str()), (1, id_of(&tokens[1])));
        assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'verify'"), 2, "{deed:?}");
        let actors = "SELECT count(*) FROM audit WHERE action = 'verify' AND actor IN ('a', 'c')";
        assert_eq!(patctl.count(actors), 2, "each under the name of who asked");
    }
}

#[test]
fn an_end_that_comes_while_the_lock_is_waited_for_counts() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--expires", "2026-11-22T00:00:00Z"]);
    let asked = Cell::new(0);
    // Before the lock there is a microsecond left, under it none.
    let clock = || {
        asked.set(asked.get() + 1);
        let end = moment("2026-11-22T00:00:00Z");
        if asked.get() == 1 { end.saturating_minus(Span::seconds(1)) } else { end }
    };
    let policy = policy();
    let ctx = context(&policy, &clock);
    let answers = in_two_stages(&patctl, &ctx, &[item_of(&token, "a")], || {});
    assert!(answers[0].is_err(), "{answers:?}");
    let mut store = SqliteStore::open(&patctl.db()).expect("the database");
    let verdicts =
        verify_all(&mut store, &ctx, &mut Dice::system(), &[item_of(&token, "a")]).expect("verdicts");
    assert_eq!(reason(&verdicts[0]), Some(Reason::Expired));
}

#[test]
fn what_changes_each_time_is_trouble_that_is_written_down_and_others_are_answered() {
    let patctl = Patctl::new();
    let (token, other) = (patctl.create(&["one"]), patctl.create(&["two"]));
    let changes = Cell::new(0);
    // The clock is asked for once before the lock and once under it: another run edits the token each time.
    let clock = || {
        changes.set(changes.get() + 1);
        let note = format!("note {}", changes.get());
        if changes.get() % 2 == 1 {
            assert_eq!(patctl.run(&["edit", id_of(&token), "--note", &note]).exit, Exit::Yes);
        }
        patctl.now()
    };
    let policy = policy();
    let mut store = SqliteStore::open(&patctl.db()).expect("the database");
    let items = [item_of(&token, "a"), item_of(&other, "b")];
    let verdicts =
        verify_all(&mut store, &context(&policy, &clock), &mut Dice::system(), &items).expect("verdicts");
    assert_eq!(reason(&verdicts[0]), Some(Reason::Unavailable));
    assert_eq!(reason(&verdicts[1]), None);
    let told =
        "SELECT count(*) FROM audit WHERE action = 'verify' AND outcome = 'error' AND detail LIKE '%again%'";
    assert_eq!(patctl.count(told), 1);
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'verify'"), 2);
}

#[test]
fn a_successor_and_its_predecessor_in_one_group_are_answered_in_their_order() {
    let patctl = Patctl::new();
    let old = patctl.create(&["one"]);
    let new = patctl.run(&["rotate", id_of(&old), "--until-first-use", "-q"]).stdout.trim().to_owned();
    let items = [item_of(&old, "a"), item_of(&new, "a"), item_of(&old, "a"), item_of(&new, "a")];
    let (policy, clock) = (policy(), || patctl.now());
    let mut store = SqliteStore::open(&patctl.db()).expect("the database");
    let verdicts =
        verify_all(&mut store, &context(&policy, &clock), &mut Dice::system(), &items).expect("verdicts");
    let reasons: Vec<_> = verdicts.iter().map(reason).collect();
    assert_eq!(reasons, [None, None, Some(Reason::Rotated), None]);
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'switch'"), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if scaled(0, 1) == 1 { 1000 } else { 40 }, ..ProptestConfig::default() })]

    /// Whatever is done between the stages, and to however many: each answer is one that a verification gives which
    /// begins when all of it is done, or the item comes back.
    #[test]
    fn no_answer_is_older_than_its_commit(
        deeds in proptest::collection::vec((0..4_usize, 0..DEEDS.len()), 0..5),
        asked in proptest::collection::vec(0..4_usize, 1..7),
        minutes in 0..3_i64,
    ) {
        let patctl = Patctl::new();
        patctl.configure(CHEAP);
        let tokens: Vec<String> = (0..4).map(|_| patctl.create(&["--expires", "2026-11-21T12:01:30Z"])).collect();
        let items: Vec<_> = asked.iter().map(|which| item_of(&tokens[*which], "a")).collect();
        let (policy, clock) = (policy(), || patctl.now());
        let ctx = context(&policy, &clock);
        let answers = in_two_stages(&patctl, &ctx, &items, || {
            for (which, deed) in &deeds {
                let args: Vec<&str> =
                    DEEDS[*deed].iter().map(|arg| if *arg == "ID" { id_of(&tokens[*which]) } else { arg }).collect();
                let _ = patctl.run(&args);
            }
            patctl.pass(Span::minutes(minutes));
        });
        let mut store = SqliteStore::open(&patctl.db()).expect("the database");
        let now = verify_all(&mut store, &ctx, &mut Dice::system(), &items).expect("verdicts");
        let touched = |which: &usize| deeds.iter().any(|(done, _)| done == which) || minutes > 1;
        for ((answer, now), which) in answers.iter().zip(&now).zip(&asked) {
            match answer {
                Ok(verdict) => prop_assert_eq!(reason(verdict), reason(now)),
                Err(_) => prop_assert!(touched(which), "nothing was done to it"),
            }
        }
    }
}
