//! Restoring in the midst of random lives: nothing that ended lives again.

use crate::harness::{Patctl, id_of};
use crate::process::scaled;
use crate::restore::{backup, done, restore};
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::fs;

#[derive(Clone, Debug)]
enum Event {
    Create,
    Deed(&'static [&'static str], usize),
    Use(usize),
    Pass(i64),
    Prune,
    Backup,
}

fn event() -> impl Strategy<Value = Event> {
    let deeds: [&'static [&'static str]; 9] = [
        &["revoke"],
        &["disable"],
        &["enable"],
        &["rotate"],
        &["rotate", "--grace", "2h"],
        &["rotate", "--until-first-use"],
        &["rotate", "--undo"],
        &["edit", "--expires", "2h"],
        &["edit", "--expires", "never"],
    ];
    prop_oneof![
        1 => Just(Event::Create),
        6 => (proptest::sample::select(deeds.to_vec()), 0..6_usize).prop_map(|(deed, on)| Event::Deed(deed, on)),
        2 => (0..6_usize).prop_map(Event::Use),
        2 => (1..5_i64).prop_map(Event::Pass),
        1 => Just(Event::Prune),
        1 => Just(Event::Backup),
    ]
}

/// Lives at random, backups at random: after a restore no token says yes that said no before it.
#[test]
fn restore_never_resurrects() {
    let config = Config { cases: u32::try_from(scaled(30, 1500)).expect("a number"), ..Config::default() };
    TestRunner::new(config)
        .run(&proptest::collection::vec(event(), 8..30), |events| {
            let patctl = Patctl::new();
            patctl
                .configure("atlassian.pats.max.tokens.per.user = 100\natlassian.pats.pruning.delay.days = 0");
            let mut tokens: Vec<String> = (0..4).map(|_| patctl.create(&[])).collect();
            backup(&patctl);
            for event in &events {
                live(&patctl, &mut tokens, event);
            }
            let before: Vec<Exit> = tokens.iter().map(|token| patctl.verify(token, &[]).0).collect();
            let head = patctl.run(&["audit", "head"]).stdout;
            restore(&patctl);
            for (token, before) in tokens.iter().zip(before) {
                let (after, reason) = patctl.verify(token, &[]);
                prop_assert!(before == Exit::Yes || after == Exit::No, "{token} {reason}: {events:?}");
            }
            prop_assert_eq!(patctl.run(&["audit", "verify", "--head", head.trim()]).exit, Exit::Yes);
            let doctor = patctl.run(&["doctor"]);
            prop_assert_eq!((doctor.exit, doctor.stdout.as_str()), (Exit::Yes, ""), "{:?}", events);
            Ok(())
        })
        .expect("nothing lives again");
}

fn live(patctl: &Patctl, tokens: &mut Vec<String>, event: &Event) {
    match event {
        Event::Create => tokens.push(patctl.create(&[])),
        Event::Deed(deed, on) => {
            let id = id_of(&tokens[on % tokens.len()]).to_owned();
            let run = patctl.run(&[&[deed[0], id.as_str()], &deed[1..]].concat());
            if deed[0] == "rotate" && run.exit == Exit::Yes && run.stdout.len() > 40 {
                tokens.push(run.stdout.trim().to_owned());
            }
        }
        Event::Use(on) => {
            let _ = patctl.verify(&tokens[on % tokens.len()], &[]);
        }
        Event::Pass(hours) => patctl.pass(Span::seconds(hours * 3600)),
        Event::Prune => done(&patctl.run(&["prune"])),
        Event::Backup => {
            fs::remove_file(patctl.path("backup")).expect("unlink");
            backup(patctl);
        }
    }
}
