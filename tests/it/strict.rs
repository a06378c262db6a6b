//! Whose configuration and keys are believed, how files may be named, and what a medium that cannot be written gives.

use crate::harness::{Patctl, Setup, id_of};
use crate::process::{Home, PROGRAM, skip, stderr, stdout};
use patctl::exit::Exit;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
}

/// Whether this runs as root, who alone can be somebody else; says so where it does not.
fn as_root(test: &str) -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !root {
        skip(&format!("{test}: it takes root to be somebody else"));
    }
    root
}

#[test]
fn a_configuration_that_others_could_exchange_is_refused() {
    let patctl = Patctl::new();
    let dir = patctl.path("d");
    fs::create_dir(&dir).expect("a directory");
    let config = dir.join("patctl.properties");
    fs::rename(patctl.path("patctl.properties"), &config).expect("a rename");
    let run = || {
        let args = ["patctl", "--config", config.to_str().expect("a path"), "config", "show"].map(Into::into);
        patctl.run_exactly(&args, &Setup::default())
    };
    assert_eq!(run().exit, Exit::Yes);
    chmod(&dir, 0o757);
    run().says(Exit::Config, &["can be written by others", "chmod go-w "]);
    chmod(&dir, 0o1757);
    assert_eq!(run().exit, Exit::Yes, "the sticky bit keeps entries with their owners");
    chmod(&dir, 0o700);
    chmod(&config, 0o646);
    run().says(Exit::Config, &["can be written by everybody"]);
    chmod(&config, 0o644);
    if !as_root("a_configuration_that_others_could_exchange") {
        return;
    }
    chown(&config, Some(4242), None).expect("chown");
    run().says(Exit::Config, &["belongs to uid 4242", "neither root nor you"]);
    chown(&config, Some(0), None).expect("chown");
    chown(&dir, Some(4242), None).expect("chown");
    run().says(Exit::Config, &["/d belongs to uid 4242"]);
    chown(&dir, Some(0), None).expect("chown");
    // A way that leads through a link of somebody else.
    let link = patctl.path("link");
    symlink(&dir, &link).expect("a link");
    std::os::unix::fs::lchown(&link, Some(4242), None).expect("chown");
    let args = ["patctl", "--config", &format!("{}/patctl.properties", link.display()), "config", "show"];
    patctl
        .run_exactly(&args.map(Into::into), &Setup::default())
        .says(Exit::Config, &["link belongs to uid 4242"]);
    // What is only checked may be anybody's.
    chown(&config, Some(4242), None).expect("chown");
    assert_eq!(patctl.run(&["config", "check", config.to_str().expect("a path")]).exit, Exit::Yes);
}

#[test]
fn a_key_that_others_could_exchange_is_refused() {
    let patctl = Patctl::new();
    let (vault, dir) = (patctl.path("keys/vault"), patctl.path("keys"));
    fs::create_dir(&dir).expect("a directory");
    fs::write(&vault, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n").expect("a key");
    chmod(&vault, 0o600);
    let integrity = dir.join("integrity");
    patctl.configure(&format!("patctl.token.vault.key.file = {}\n", vault.display()));
    assert_eq!(patctl.run(&["create"]).exit, Exit::Yes);
    chmod(&dir, 0o757);
    patctl.run(&["create"]).says(Exit::Config, &["vault", "can be written by others"]);
    patctl.configure(&format!("patctl.integrity.key.file = {}\n", integrity.display()));
    patctl.run(&["create"]).says(Exit::Config, &["integrity", "others could exchange it"]);
    assert!(!integrity.exists());
    chmod(&dir, 0o700);
    assert_eq!(patctl.run(&["create"]).exit, Exit::Yes);
    chmod(&dir, 0o757);
    patctl.run(&["list"]).says(Exit::Config, &["integrity", "can be written by others"]);
}

#[test]
fn a_home_of_somebody_else_is_named_with_the_ways_out() {
    if !as_root("a_home_of_somebody_else_is_named") {
        return;
    }
    let home = Home::new("");
    chmod(home.dir.path(), 0o755);
    let shell = |script: &str| {
        let script = format!(
            "set -e; mkdir -p d other; chown 12345 d; chmod 700 other; unset PATCTL_CONFIG; cp -f {PROGRAM} program; \
             as() {{ setpriv --reuid 12345 --regid 12345 --clear-groups env HOME=$PWD/other \"$@\"; }}; {script}"
        );
        home.shell(&script)
    };
    let refused = shell("as PATCTL_DB=$PWD/d/p.db ./program create x -q");
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    for word in ["HOME is ", "uid 12345", "--config /dev/null"] {
        assert!(stderr(&refused).contains(word), "{word}: {refused:?}");
    }
    let null = shell("as PATCTL_DB=$PWD/d/p.db PATCTL_CONFIG=/dev/null ./program create x -q");
    assert!(null.status.success(), "{null:?}");
    let place = shell("as PATCTL_DB= PATCTL_CONFIG=/dev/null ./program create x -q");
    assert_eq!(place.status.code(), Some(78), "{place:?}");
    assert!(stderr(&place).contains("HOME is "), "{place:?}");
    // Root with a home of somebody else, as 'su -m' leaves it.
    let theirs = shell(
        "mkdir -p theirs/.config/patctl; echo 'patctl.db = /tmp/x' > theirs/.config/patctl/patctl.properties; \
         chown -R 65534 theirs; HOME=$PWD/theirs PATCTL_DB= ./program list",
    );
    assert_eq!(theirs.status.code(), Some(78), "{theirs:?}");
    assert!(stderr(&theirs).contains("belongs to uid 65534"), "{theirs:?}");
}

#[test]
fn a_pipe_or_the_null_device_is_a_configuration() {
    let home = Home::new("");
    let piped =
        home.shell("patctl --config <(echo 'patctl.auth.methods = basic') config show patctl.auth.methods");
    assert!(stdout(&piped).contains("basic"), "{piped:?}");
    let null = home.shell("patctl --config /dev/null config show --changed");
    assert!(null.status.success() && stdout(&null).lines().count() <= 1, "{null:?}");
    for other in ["/dev/zero", "/dev/tty", "/dev/full"] {
        let refused = home.run(&["--config", other, "list"]);
        assert_eq!(refused.status.code(), Some(78), "{other}: {refused:?}");
    }
}

#[test]
fn what_a_shell_leaves_in_a_name_is_refused_wherever_one_is_given() {
    let home = Home::new("");
    for bad in [
        "~/p.db",
        "$HOME/p.db",
        "\"/tmp/p.db\"",
        "'p.db'",
        "p.db\r",
        ":memory:",
        "file:p.db",
        "p.db/",
        " ",
        "p.db ",
    ] {
        for option in ["--db", "--config"] {
            let typed = home.run(&[option, bad, "create", "-q"]);
            assert_eq!(typed.status.code(), Some(2), "{option} {bad:?}: {typed:?}");
        }
        for args in [
            &["backup", bad][..],
            &["restore", bad],
            &["create", "--token-file", bad],
            &["import", "jsonl", bad],
        ] {
            assert_eq!(home.run(args).status.code(), Some(2), "{args:?}");
        }
        let verify = home.run(&["verify", "--token-file", bad]);
        assert_eq!(verify.status.code(), Some(2), "{verify:?}");
        for name in ["PATCTL_DB", "PATCTL_CONFIG"] {
            let variable = home.command(&["create", "-q"]).env(name, bad).output().expect("patctl");
            assert_eq!(variable.status.code(), Some(78), "{name} {bad:?}: {variable:?}");
        }
    }
    let relative = home.command(&["create", "-q"]).env("PATCTL_DB", "p.db").output().expect("patctl");
    assert_eq!(relative.status.code(), Some(78), "{relative:?}");
    assert!(stderr(&relative).contains("absolute"), "{relative:?}");
    let files = fs::read_dir(home.dir.path()).expect("the home").count();
    assert_eq!(files, 1, "nothing but the configuration is there");
}

#[test]
fn a_copy_that_cannot_be_written_is_read_with_a_warning() {
    if !as_root("a_copy_that_cannot_be_written") {
        return;
    }
    let home = Home::new("");
    let token = home.create(&["-q"]);
    assert!(home.run(&["backup", "copy.db"]).status.success());
    chmod(home.dir.path(), 0o755);
    let shell = |script: &str| {
        home.shell(&format!(
            "mkdir -p ro; cp -f {PROGRAM} program; cp -f copy.db ro/; chown 0:12345 ro/copy.db; chmod 640 ro/copy.db; \
             chmod 755 ro; as() {{ setpriv --reuid 12345 --regid 12345 --clear-groups env PATCTL_DB=$PWD/ro/copy.db \
             ./program \"$@\"; }}; {script}"
        ))
    };
    for look in [
        "list -o ids",
        "audit verify",
        "expiring",
        "stats",
        &format!("show {}", id_of(&token)),
        "export jsonl",
    ] {
        let looked = shell(&format!("as {look}"));
        assert!(looked.status.success(), "{look}: {looked:?}");
        assert!(stderr(&looked).contains("read as it is"), "{look}: {looked:?}");
    }
    for change in ["create", &format!("revoke {}", id_of(&token)), "prune"] {
        let refused = shell(&format!("as {change}"));
        assert_eq!(refused.status.code(), Some(77), "{change}: {refused:?}");
    }
    let names = fs::read_dir(home.dir.path().join("ro")).expect("it").count();
    assert_eq!(names, 1, "nothing is left beside it");
}
