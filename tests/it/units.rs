//! The units of `schedule --systemd`: who can read them, and as whom they run.

use crate::process::{Home, stderr, stdout};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::Path;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it").mode() & 0o777
}

#[test]
fn a_umask_hides_no_unit_and_still_everything_that_is_secret() {
    let home = Home::new("");
    for (umask, directory) in [("077", "private"), ("000", "open"), ("022", "usual")] {
        let script = format!(
            "umask {umask}; patctl schedule --systemd {directory} && patctl create -q --token-file {directory}.token"
        );
        let output = home.shell(&script);
        assert!(output.status.success(), "{umask}: {output:?}");
        let directory = home.dir.path().join(directory);
        assert_eq!(mode(&directory), 0o755, "{umask}");
        let units: Vec<_> =
            fs::read_dir(&directory).expect("units").map(|unit| unit.expect("one").path()).collect();
        assert_eq!(units.len(), 4);
        assert!(units.iter().all(|unit| mode(unit) == 0o644), "{umask}: {units:?}");
        assert_eq!(mode(&directory.with_extension("token")), 0o600, "{umask}");
    }
    assert_eq!(mode(&home.db()), 0o600);
}

#[test]
fn no_service_runs_as_whoever_a_link_leads_to() {
    let home = Home::new("");
    home.create(&["-q"]);
    let file = home.dir.path().join("theirs");
    fs::rename(home.db(), &file).expect("a rename");
    symlink(&file, home.db()).expect("a link");
    for args in [&["schedule", "--systemd"][..], &["schedule", "--systemd", "units"]] {
        let output = home.run(args);
        assert_eq!(output.status.code(), Some(77), "{output:?}");
        assert!(stderr(&output).contains("is a link") && !stdout(&output).contains("User="), "{output:?}");
    }
    assert!(!home.dir.path().join("units").exists());
}

/// Root alone can give files away.
#[test]
fn a_service_runs_as_whoever_could_exchange_the_database() {
    let home = Home::new("");
    let theirs = home.dir.path().join("theirs");
    fs::create_dir(&theirs).expect("a directory");
    if chown(&theirs, Some(12345), None).is_err() {
        return;
    }
    let db = theirs.join("patctl.db");
    let user = || stdout(&home.run(&["--db", &db.display().to_string(), "schedule", "--systemd"]));
    assert!(user().contains("\nUser=12345\n"), "it will be theirs: {}", user());
    fs::write(&db, "x").expect("a file of root's in their directory");
    assert!(user().contains("\nUser=12345\n"), "{}", user());
}
