//! The auth cache against an installation without one, through random lives, and beside other processes.

use crate::cache::{OFF, cost};
use crate::harness::{CHEAP, Patctl, Run, id_of};
use crate::process::{Home, figure, scaled};
use crate::verify::forge;
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Something that happens to an installation between two uses of a token.
#[derive(Clone, Debug)]
enum Event {
    Run(&'static [&'static str], usize),
    Create,
    Pass(i64),
    Property(&'static str),
    Sql(&'static str),
    Key(u8),
}

const PROPERTIES: [&str; 9] = [
    "",
    "atlassian.pats.enabled = false\n",
    "patctl.auth.methods = basic\n",
    "patctl.policy.apply.to.existing = true\natlassian.pats.max.tokens.expiry.days = 1\n",
    "atlassian.pats.auth.cache.expiry.mins = 0\n",
    "atlassian.pats.auth.cache.expiry.mins = 1\n",
    "atlassian.pats.auth.cache.max.items = 1\n",
    "patctl.argon2.memory.kib = 2048\n",
    "atlassian.pats.pruning.delay.days = 0\n",
];

const ALTERATIONS: [&str; 4] = [
    "UPDATE OR IGNORE cache SET token = token + 1",
    "UPDATE cache SET at = '2026-11-21T12:30:00.000000Z'",
    "UPDATE cache SET digest = (SELECT digest FROM cache ORDER BY token DESC LIMIT 1)",
    "UPDATE token SET verifier = (SELECT verifier FROM token ORDER BY seq DESC LIMIT 1) WHERE seq = 1",
];

fn event() -> impl Strategy<Value = Event> {
    let deeds: [&'static [&'static str]; 9] = [
        &["revoke"],
        &["disable"],
        &["enable"],
        &["rotate"],
        &["rotate", "--grace", "30m"],
        &["rotate", "--until-first-use"],
        &["edit", "--auth", "basic"],
        &["edit", "--expires", "10m"],
        &["prune"],
    ];
    prop_oneof![
        4 => (prop::sample::select(deeds.to_vec()), 0..4_usize).prop_map(|(deed, on)| Event::Run(deed, on)),
        1 => Just(Event::Create),
        2 => prop::sample::select(vec![-3600, -1, 1, 59, 600, 1800, 3600]).prop_map(Event::Pass),
        2 => prop::sample::select(PROPERTIES.to_vec()).prop_map(Event::Property),
        1 => prop::sample::select(ALTERATIONS.to_vec()).prop_map(Event::Sql),
        1 => (0..3_u8).prop_map(Event::Key),
    ]
}

/// Installs no cache in `reference`, one in `patctl`; both live through the same.
fn happen(patctl: &Patctl, event: &Event, tokens: &mut Vec<String>) {
    match event {
        Event::Run(deed, on) => {
            let mut args = deed.to_vec();
            if *deed != ["prune"] {
                args.push(id_of(&tokens[on % tokens.len()]));
            }
            let Run { stdout, .. } = patctl.run(&args);
            if deed[0] == "rotate" && !stdout.is_empty() {
                tokens.push(stdout.trim_end().to_owned());
            }
        }
        Event::Create => {
            let run = patctl.run(&["create", "--expires", "1h"]);
            if run.exit == Exit::Yes {
                tokens.push(run.stdout.trim_end().to_owned());
            }
        }
        Event::Pass(seconds) => patctl.pass(Span::seconds(*seconds)),
        Event::Property(text) => {
            // One line for each name: two would be an error.
            let cheap = if text.contains("argon2.memory") { "patctl.argon2.iterations = 1\n" } else { CHEAP };
            std::fs::write(patctl.path("patctl.properties"), format!("{cheap}{text}")).expect("a file");
        }
        Event::Sql(sql) => {
            patctl.sql().execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).expect("altered");
        }
        Event::Key(how) => {
            let keys = std::fs::read_dir(patctl.dir.path()).expect("a directory").flatten();
            for key in keys.filter(|file| file.file_name().to_string_lossy().contains("cache-key")) {
                match how {
                    0 => std::fs::remove_file(key.path()).expect("removed"),
                    1 => std::fs::write(key.path(), [1; 32]).expect("written"),
                    _ => {
                        let bytes: Vec<u8> = (0..32).collect();
                        std::fs::write(key.path(), bytes).expect("written");
                    }
                }
            }
        }
    }
}

/// Uses tokens while things happen to their installation; how many yeses the cache spared a computation.
fn live(events: Vec<(Event, usize, bool)>) -> Result<u64, TestCaseError> {
    let patctl = Patctl::new();
    let mut tokens = vec![patctl.create(&["--expires", "2h"]), patctl.create(&[])];
    let mut spared = 0;
    for (event, on, wrong) in events {
        let on = on % tokens.len();
        // Remembered, as far as it can be, before something happens to it.
        let _ = cost(&patctl, &tokens[on], &[]);
        happen(&patctl, &event, &mut tokens);
        for token in &tokens {
            let shown = if wrong { forge(token, id_of(token)) } else { token.clone() };
            let (_, exit, reason) = cost(&patctl, &shown, &[OFF]);
            let found = cost(&patctl, &shown, &[]);
            prop_assert_eq!((&found.1, &found.2), (&exit, &reason), "{:?}", event);
            prop_assert!(!(wrong && exit == Exit::Yes));
            spared += u64::from(found.0 == 0 && exit == Exit::Yes);
        }
    }
    Ok(spared)
}

#[test]
fn whatever_happens_the_answer_is_the_one_without_a_cache() {
    // Many lives take many minutes: as many at once as there are processors.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let cases = scaled(20, 10_000).div_ceil(threads);
    let spared = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let cases = u32::try_from(cases).expect("few");
                let config = Config { cases, failure_persistence: None, ..Config::default() };
                let strategy = prop::collection::vec((event(), 0..4_usize, any::<bool>()), 3..12);
                TestRunner::new(config)
                    .run(&strategy, |events| {
                        spared.fetch_add(live(events)?, Ordering::Relaxed);
                        Ok(())
                    })
                    .expect("all cases");
            });
        }
    });
    let (lives, spared) = (cases * threads, spared.into_inner());
    assert!(spared > lives as u64, "the cache was used: {spared}");
    figure("a life with a cache", &format!("{lives} lives, {spared} computations spared, no wrong yes"));
}

#[test]
fn after_an_acknowledged_revocation_no_process_says_yes() {
    let rounds = scaled(3, 100);
    for round in 0..rounds {
        let home = Home::new("");
        let token = home.create(&[]);
        let id = id_of(&token).to_owned();
        assert!(home.feed(&["verify"], token.as_bytes()).status.success(), "remembered");
        let gone = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..12 {
                        let late = gone.load(Ordering::SeqCst);
                        let output = home.feed(&["verify"], token.as_bytes());
                        let code = output.status.code().expect("a status");
                        assert!(code == 0 || code == 1, "round {round}: {output:?}");
                        assert!(!(late && code == 0), "round {round}: a stale yes");
                    }
                });
            }
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(40));
                assert!(home.run(&["revoke", "--yes", &id]).status.success());
                gone.store(true, Ordering::SeqCst);
            });
        });
        assert_eq!(home.count("SELECT count(*) FROM cache"), 0, "round {round}");
    }
}
