//! The guard of the README, called directly and through sudo.

use crate::process::{Home, PROGRAM, have, skip, stderr, stdout};
use crate::readme::blocks;
use crate::recipes::with;
use std::os::unix::fs::PermissionsExt;

/// The guard, with `verify` in the place of the command that it runs.
fn guard(verify: &str) -> String {
    let guard = with("guard() {", "").replace("printf %s \"$TOKEN\" | guard", "printf %s \"$T\" | guard");
    assert!(guard.contains("$(patctl verify -o json)"), "{guard}");
    guard.replace("patctl verify -o json", verify)
}

fn run(home: &Home, guard: &str, token: &str) -> (Option<i32>, String, String) {
    let output = home.command_of("bash").env("T", token).args(["-c", guard]).output().expect("bash");
    (output.status.code(), stdout(&output), stderr(&output))
}

#[test]
fn the_guard_knows_yes_no_and_trouble_apart() {
    if !have("jq", "the_guard_knows_yes_no_and_trouble_apart") {
        return;
    }
    let home = Home::new("");
    let token = home.create(&["--user", "alice"]);
    let guard = guard("patctl verify -o json");
    assert_eq!(run(&home, &guard, &token), (Some(0), "hello alice\n".to_owned(), String::new()));
    assert_eq!(run(&home, &guard, "patctl_no"), (Some(1), String::new(), "no entry\n".to_owned()));
    std::fs::remove_file(home.db()).expect("a file");
    let (status, out, err) = run(&home, &guard, &token);
    assert_eq!((status, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("cannot tell"), "{err}");
}

/// Programs that run another one have statuses of their own, and 1 is the most frequent.
#[test]
fn the_guard_takes_no_other_program_for_a_verdict() {
    let home = Home::new("");
    let token = home.create(&["--user", "alice"]);
    for (name, script) in [
        ("fails", "echo 'sudo: a password is required' >&2; exit 1"),
        ("babbles", "echo '{\"allowed\": \"perhaps\"}'; exit 1"),
        ("succeeds", "exit 0"),
        ("contradicts", "echo '{\"allowed\":true}'; exit 1"),
        ("agrees-with-nobody", "echo '{\"allowed\":false}'; exit 0"),
    ] {
        let path = home.dir.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("a mode");
        let verify = format!("./{name} -n -u patctl patctl verify -o json");
        let (status, out, err) = run(&home, &guard(&verify), &token);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{name}: {err}");
        assert!(err.contains("cannot tell"), "{name}: {err}");
    }
}

#[test]
fn the_guard_works_through_sudo_and_sees_its_refusal() {
    let name = "the_guard_works_through_sudo_and_sees_its_refusal";
    if !have("sudo", name) || !have("setpriv", name) || !have("jq", name) {
        return;
    }
    if !nix_is_root() {
        skip(&format!("{name}: sudo's refusal needs a second user, which only root can become"));
        return;
    }
    let home = Home::new("");
    let token = home.create(&["--user", "alice"]);
    let environment = format!(
        "PATCTL_DB={} PATCTL_CONFIG={}/patctl.properties",
        home.db().display(),
        home.dir.path().display()
    );
    // What sudo runs for root needs no rule of ours.
    let through = format!("sudo -n -u root {environment} {PROGRAM} verify -o json");
    assert_eq!(run(&home, &guard(&through), &token).0, Some(0));
    assert_eq!(run(&home, &guard(&through), "patctl_no").0, Some(1));
    // Somebody whom no rule names.
    let refused = format!(
        "setpriv --reuid=65534 --regid=65534 --clear-groups sudo -n -u root {PROGRAM} verify -o json"
    );
    let (status, out, err) = run(&home, &guard(&refused), &token);
    assert_eq!((status, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("sudo") && err.contains("cannot tell"), "{err}");
}

fn nix_is_root() -> bool {
    std::process::Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// The rules of the README have the form that sudo reads, and allow exactly what the guard runs.
#[test]
fn the_sudo_rules_are_rules_and_allow_what_the_guard_runs() {
    let rules = blocks("sudoers")[0];
    assert!(rules.lines().any(|line| line.ends_with("/usr/local/bin/patctl verify -o json")), "{rules}");
    assert!(!rules.contains('*'), "a wildcard lets through any argument");
    if !have("visudo", "the_sudo_rules_are_rules_and_allow_what_the_guard_runs") {
        return;
    }
    let home = Home::new("");
    std::fs::write(home.dir.path().join("rules"), rules).expect("a file");
    let output = home.command_of("visudo").args(["-c", "-f", "rules"]).output().expect("visudo");
    assert!(output.status.success(), "{output:?}");
}
