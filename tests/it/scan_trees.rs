//! `patctl scan` of large trees, deep ones, and with few descriptors.

use crate::harness::Patctl;
use crate::process::{Home, scaled, stderr, stdout};
use crate::scan::{JIRA, files, places};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// So many files, a hundred in each directory, which are one in the other by tens; a token in every thousandth.
fn plant(root: &Path, count: usize) {
    let mut directory = root.to_owned();
    for number in 0..count {
        if number % 1000 == 0 {
            directory = root.join(format!("{number}"));
        }
        if number % 100 == 0 {
            directory = directory.join("below");
            fs::create_dir_all(&directory).expect("a directory");
        }
        let text = if number % 1000 == 999 { JIRA } else { "nothing" };
        fs::write(directory.join(format!("{number}")), text).expect("a file");
    }
}

#[test]
fn a_large_tree_takes_few_descriptors() {
    let home = Home::new("");
    let count = scaled(6_000, 100_000);
    plant(&home.dir.path().join("tree"), count);
    let large = format!("{}{JIRA}\n", "a line\n".repeat(4_000_000));
    fs::write(home.dir.path().join("tree/large"), large).expect("a file");
    for limit in ["-n 64", "-n 32", "-n 1024"] {
        let output = home.shell(&format!("ulimit {limit}; patctl scan --offline tree -o jsonl"));
        assert_eq!(output.status.code(), Some(1), "{limit}: {}", stderr(&output));
        assert_eq!(stdout(&output).lines().count(), count / 1000 + 1, "{limit}");
        assert!(stdout(&output).contains("\"line\":4000001,"), "{limit}");
    }
    home.create(&["-q"]);
    let output = home.shell("ulimit -n 64; patctl scan tree --revoke --yes");
    assert_eq!(output.status.code(), Some(0), "with a database: {}", stderr(&output));
}

#[test]
fn a_link_to_a_list_of_what_to_ignore_is_no_list() {
    let patctl = Patctl::new();
    let tree =
        files(&patctl, &[("a/x", JIRA), ("b/x", JIRA), ("b/.gitignore", "x\n"), ("everything", "*\n")]);
    symlink("../everything", format!("{tree}/a/.gitignore")).expect("a link");
    let run = patctl.run(&["scan", "--offline", &tree, "-o", "json"]);
    assert_eq!(places(&run), ["a/x:1 unchecked"]);
    let run = patctl.run(&["scan", "--offline", &tree, "-o", "json", "--no-ignore"]);
    assert_eq!(places(&run), ["a/x:1 unchecked", "b/x:1 unchecked"]);
}
