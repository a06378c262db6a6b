//! What is written into units, crontabs and terminals stays within its line and obeys nobody.

use crate::bring;
use crate::dumps::{self, VECTORS};
use crate::harness::{Patctl, Setup};
use patctl::config::keys::KEYS;
use patctl::exit::Exit;

const SETUP: Setup<'static> =
    Setup { stdin: b"", terminal: Some((&[], "")), stdout: crate::harness::Sink::Works, columns: Some(200) };

#[test]
fn no_setting_brings_a_line_of_its_own_into_a_unit() {
    let patctl = Patctl::new();
    patctl.create(&[]);
    let evil = "/etc/x\\nExecStartPre=+/bin/sh -c id";
    for key in KEYS {
        patctl.configure(&format!("{} = {evil}", key.name));
        for command in [&["config", "check"][..], &["schedule", "--systemd"], &["schedule", "--crontab"]] {
            let run = patctl.run(command);
            let refused = matches!(run.exit, Exit::Config | Exit::No);
            assert!(refused && !run.stdout.contains("\nExecStartPre"), "{} {command:?}: {run:?}", key.name);
            let told = [run.stderr.as_str(), &run.stdout].concat();
            assert!(told.contains("patctl.properties:3:"), "{} {command:?}: {run:?}", key.name);
        }
    }
    patctl.configure("");
    let define = format!("patctl.mail.credentials.file={}", evil.replace("\\n", "\n"));
    let run = patctl.run(&["-D", &define, "schedule", "--systemd"]);
    assert!(run.exit == Exit::Config && run.stderr.contains("U+000A"), "{run:?}");
}

/// A name as an import may bring it.
#[test]
fn csv_is_exact_for_a_program_and_safe_on_a_terminal() {
    let patctl = Patctl::new();
    let name = "a\u{1b}]0;pwned\u{7}\u{202e}b";
    let row = dumps::Row { name: name.to_owned(), ..dumps::of_vector(&VECTORS[0]) };
    assert_eq!(bring::import(&patctl, &dumps::copy(&[row]), &[]).exit, Exit::Yes);
    for args in [
        &["list", "-o", "csv"][..],
        &["export", "atlassian"],
        &["export", "jsonl"],
        &["list", "-o", "json"],
        &["list"],
        &["audit", "-o", "csv"],
        &["stats"],
        &["bulk-revoke", "--user", "JIRAUSER10000", "--dry-run", "-o", "csv"],
    ] {
        let run = patctl.run_with(args, &SETUP);
        for c in ['\u{1b}', '\u{7}', '\u{202e}'] {
            // The styles of our own begin with ESC [.
            let shown = run.stdout.replace("\u{1b}[", "");
            assert!(!shown.contains(c), "{args:?} {c:?}: {run:?}");
        }
    }
    for args in [&["list", "-o", "csv"][..], &["export", "atlassian"]] {
        assert!(patctl.run(args).stdout.contains(name), "{args:?}");
    }
}
