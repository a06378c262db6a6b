//! Few descriptors: whatever a command does, it does all of it, or says that the system has too little left. A lack
//! that passes is no answer, no matter of rights, no damage and no wrong configuration.

mod bench;

use crate::figure;
use crate::harness::id_of;
use crate::process::{have, scaled, stderr, stdout};
use bench::{Bench, ENOUGH, deed};
use std::fs;
use std::process::Output;

/// What the loader of a program says that could not open its libraries.
const LOADER: i32 = 127;

/// What is told, but of drafts of processes that were killed on this machine meanwhile.
fn told_of(output: &Output) -> Vec<String> {
    let foreign = |line: &&str| line.contains("patctl.new-") || line.contains("left it behind");
    stdout(output).lines().filter(|line| !foreign(line)).map(str::to_owned).collect()
}

/// Files that come and go with a database.
fn is_passing(name: &str) -> bool {
    ["-wal", "-shm"].iter().any(|end| name.ends_with(end)) || name.contains("-cache-key-")
}

#[test]
fn with_few_descriptors_every_command_does_it_all_or_says_that_there_are_too_few() {
    if !have("bash", "few descriptors") {
        return;
    }
    let bench = Bench::new();
    let (mut runs, mut lacks, mut wrong) = (0, 0, Vec::new());
    for deed in bench.deeds() {
        bench.again();
        let whole = bench.run(&deed, ENOUGH);
        if whole.status.code() != Some(deed.status) {
            wrong.push(format!("{} with enough: {whole:?}", deed.args));
            continue;
        }
        let mut done = 0;
        for limit in 3..ENOUGH {
            bench.again();
            let before = bench.names();
            let output = bench.run(&deed, limit);
            let told = stderr(&output);
            runs += 1;
            let mut complain = |what: &str| wrong.push(format!("{limit} {}: {what}: {output:?}", deed.args));
            match output.status.code() {
                Some(LOADER) if told.contains("loading shared libraries") => continue,
                Some(code) if code == deed.status => {
                    done += 1;
                    if deed.same && told_of(&output) != told_of(&whole) {
                        complain("another answer");
                    }
                    if told.contains("Too many open files") {
                        complain("a lack with a status of its own");
                    }
                    if bench.strangers() > 0 {
                        complain("the audit log names somebody else");
                    }
                }
                Some(code) if code == deed.lack => {
                    lacks += 1;
                    done = 0;
                    let left: Vec<String> = bench
                        .names()
                        .into_iter()
                        .filter(|name| !before.contains(name) && !is_passing(name))
                        .collect();
                    if !left.is_empty() {
                        complain(&format!("it left {left:?}"));
                    }
                }
                _ => complain("another status"),
            }
            if done > 2 {
                break;
            }
        }
        if done <= 2 {
            wrong.push(format!("{} never succeeds", deed.args));
        }
    }
    assert!(wrong.is_empty(), "{} of {runs} runs:\n{}", wrong.len(), wrong.join("\n"));
    assert!(lacks > 0, "nothing lacked");
    figure(
        "few descriptors, every command",
        &format!("{runs} runs, {lacks} told as a lack (75), none otherwise"),
    );
}

/// What was ended in a database that was moved aside stays ended: where that cannot be looked at, nothing is restored.
#[test]
fn with_few_descriptors_nothing_that_was_ended_lives_again() {
    if !have("bash", "few descriptors and a restore") {
        return;
    }
    let bench = Bench::new();
    let at = bench.home.dir.path();
    bench.again();
    let revoked = bench.home.run(&["revoke", "--yes", id_of(&bench.token)]);
    assert!(revoked.status.success(), "{revoked:?}");
    fs::rename(bench.home.db(), at.join("aside")).expect("a rename");
    let (mut done, mut lacks) = (0, 0);
    for limit in 3..ENOUGH {
        bench.again();
        for name in bench.names().iter().filter(|name| name.starts_with("patctl.db")) {
            fs::remove_file(at.join(name)).expect("gone");
        }
        fs::copy(at.join("aside"), at.join("patctl.db.damaged-20260101")).expect("a copy");
        let output = bench.run(&deed("restore --yes copy"), limit);
        if output.status.success() {
            let live = "SELECT count(*) FROM token WHERE revoked_at IS NULL";
            assert_eq!(bench.home.count(live), 0, "{limit}: a revoked token lives: {output:?}");
            done += 1;
        } else {
            lacks += usize::from(output.status.code() == Some(75));
            assert!(!bench.home.db().exists(), "{limit}: {output:?}");
        }
    }
    assert!(done > 0 && lacks > 0, "{done} {lacks}");
    figure(
        "few descriptors and a database that was moved aside",
        &format!("{lacks} refused, {done} done, 0 alive"),
    );
}

/// Nobody refused it: it is neither put off nor given up for that.
#[test]
fn with_few_descriptors_a_mail_waits_as_it_did() {
    if !have("bash", "few descriptors and a mail") {
        return;
    }
    let bench = Bench::new();
    let mut untried = 0;
    for notify in ["notify", "-D patctl.mail.transport=sendmail notify"] {
        for limit in 3..ENOUGH {
            bench.again();
            let output = bench.run(&deed(&format!("--config mail.properties {notify}")), limit);
            if output.status.code() == Some(75) {
                let tried = bench.home.count("SELECT attempts FROM outbox");
                let waiting = bench.home.count("SELECT count(*) FROM outbox WHERE state = 'pending'");
                assert_eq!(waiting, 1, "{limit} {notify}: {output:?}");
                untried += tried;
            }
        }
    }
    assert!(untried > 1, "no mail was claimed");
    figure("few descriptors and a mail", &format!("{untried} times not offered to anybody, 0 put off"));
}

/// Others on the machine may take the last descriptor for a moment: one call is refused, and those after it are not.
#[test]
fn with_a_lack_of_one_moment_a_command_does_it_all_or_says_so() {
    if !have("strace", "a lack of one moment") {
        return;
    }
    let bench = Bench::new();
    let (mut runs, mut lacks, mut rights, mut wrong) = (0, 0, 0, Vec::new());
    for (place, deed) in bench.deeds().into_iter().enumerate() {
        bench.again();
        let whole = bench.run(&deed, ENOUGH);
        // Without a database there are few calls, and all of them are the command's own.
        let step = if deed.args.starts_with("schedule") { 1 } else { scaled(5, 1) };
        for number in (1 + place % step..).step_by(step) {
            bench.again();
            let (output, Some(call)) = bench.refused_once(&deed, number) else { break };
            runs += 1;
            match output.status.code() {
                Some(LOADER) if stderr(&output).contains("loading shared libraries") => {}
                Some(code) if code == deed.lack => lacks += 1,
                Some(code)
                    if code == deed.status
                        && (!deed.same || told_of(&output) == told_of(&whole))
                        && bench.strangers() == 0 => {}
                // SQLite opens to read what it cannot open to write, and never says why: trouble, all the same.
                Some(74 | 77) if is_of_sqlite(&call) => rights += 1,
                _ => wrong.push(format!("{number} {}: {call}: {output:?}", deed.args)),
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {runs} runs:\n{}", wrong.len(), wrong.join("\n"));
    assert!(lacks > 0, "nothing lacked");
    figure(
        "a lack of one moment",
        &format!(
            "{runs} runs, {lacks} told as a lack (75), {rights} as SQLite tells it (74, 77), 0 as an answer"
        ),
    );
}

/// Whether SQLite opened this, by its way of doing it.
fn is_of_sqlite(call: &str) -> bool {
    [
        "O_RDONLY|O_NOFOLLOW|O_CLOEXEC)",
        "O_RDWR|O_NOFOLLOW|O_CLOEXEC)",
        "O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC, ",
    ]
    .iter()
    .any(|flags| call.contains(flags))
}
