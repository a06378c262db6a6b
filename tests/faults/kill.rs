//! Killed at every system call that writes, or leads to a write.

use crate::figure;
use crate::process::{have, scaled};
use crate::scene::Scene;
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
