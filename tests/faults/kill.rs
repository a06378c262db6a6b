//! Killed at every system call that writes, or leads to a write.

use crate::figure;
use crate::process::{Home, PROGRAM, have, scaled, stdout};
use crate::scene::Scene;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;

const CALLS: [&str; 7] = ["pwrite64", "fsync", "fdatasync", "ftruncate", "unlink", "openat", "write"];

#[test]
fn killed_at_any_write_it_leaves_the_old_state_or_the_new_one_and_its_audit_row() {
    if !have("strace", "kill at every write") {
        return;
    }
    let every = if scaled(0, 1) == 1 { 1 } else { 7 };
    let (mut points, mut seen) = (0, 0);
    for scene in Scene::all() {
        for call in CALLS {
            for at in 1.. {
                // A sample meets other calls in each scene.
                seen += 1;
                if seen % every != 0 && at > 1 {
                    if at > 200 {
                        break;
                    }
                    continue;
                }
                let stage = scene.stage();
                let inject = format!("inject={call}:signal=KILL:when={at}");
                let output = stage.under_strace(&["-e", &format!("trace={call}"), "-e", &inject]);
                stage.look(&output);
                if output.status.signal().is_none() && output.status.success() {
                    break;
                }
                points += 1;
            }
        }
    }
    figure("kill -9 at every write-side call", &format!("{points} points, 0 corrupt, 0 lost, 0 unaudited"));
    assert!(points >= scaled(40, 500), "only {points} kills met it");
}

/// Where the answer is what is printed, and not the status alone, a reader may have it although patctl dies.
#[test]
fn no_yes_is_printed_before_its_audit_row_is_there() {
    if !have("strace", "kill beside a yes") {
        return;
    }
    let home = Home::new("");
    let secret = home.create(&["-q", "--user", "a"]);
    home.sql().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
    let lines = format!("{{\"token\":\"{secret}\"}}\n").repeat(3);
    let (mut points, mut heard) = (0, 0);
    for (args, input, yes) in [
        (&["verify", "--batch"][..], &lines, "\"allowed\":true"),
        (&["verify", "-o", "json"], &secret, "\"allowed\":true"),
        (&["verify", "--field", "id"], &secret, secret.split('_').nth(1).expect("an id")),
    ] {
        for call in CALLS {
            for at in 1.. {
                let stage = Home::new("");
                std::fs::copy(home.db(), stage.db()).expect("a copy");
                let file = stage.dir.path().join("input");
                std::fs::write(&file, input).expect("a file");
                let inject = format!("inject={call}:signal=KILL:when={at}");
                let mut command = stage.command_of("strace");
                command.args(["-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject]);
                command.arg(PROGRAM).args(args).stdin(File::open(&file).expect("a file"));
                let output = command.output().expect("strace");
                let said = stdout(&output).matches(yes).count();
                let written =
                    stage.count("SELECT count(*) FROM audit WHERE action = 'verify' AND outcome = 'allowed'");
                assert!(
                    said <= usize::try_from(written).expect("a number"),
                    "{args:?} {call} {at}: {output:?}"
                );
                heard += said;
                if output.status.signal().is_none() {
                    assert!(output.status.success(), "{args:?} {call} {at}: {output:?}");
                    break;
                }
                points += 1;
            }
        }
    }
    figure("kill -9 beside a yes", &format!("{points} points, {heard} heard, 0 unaudited"));
    assert!(points > 20 && heard > 20, "{points} kills met it, {heard} were heard");
}
