//! A tree whose files and directories are exchanged for links and pipes while it is searched.

use crate::figure;
use crate::process::{Done, Home, scaled, stderr};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Files in each directory, so that there is something to do between finding one and reading it.
const FILES: usize = 40;

/// A tree without any token, and names in it with what takes their place: links to where there is one, and pipes.
fn scene(top: &Path, token: &str) -> Vec<(PathBuf, PathBuf)> {
    let mut pairs = Vec::new();
    for number in 0..4 {
        let (tree, outside) = (top.join(format!("tree/{number}")), top.join(format!("outside/{number}")));
        for below in ["", "d", "d/e", "d/e/f"] {
            for (root, text) in [(&tree, "nothing"), (&outside, token)] {
                fs::create_dir_all(root.join(below)).expect("a directory");
                for file in 0..FILES {
                    fs::write(root.join(below).join(format!("file{file}")), text).expect("a file");
                }
            }
        }
        for (name, aside) in
            [("d", "d-link"), ("d/e", "d/e-link"), ("file7", "link"), ("d/e/f/file7", "d/e/f/link")]
        {
            symlink(outside.join(name), tree.join(aside)).expect("a link");
            pairs.push((tree.join(name), tree.join(aside)));
        }
        for name in ["file8", "d/e/f/file8", "d/e/f/file9"] {
            let pipe = tree.join(format!("{name}-pipe"));
            nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
            pairs.push((tree.join(name), pipe));
        }
    }
    pairs
}

#[test]
fn what_is_exchanged_while_it_is_searched_leads_nowhere() {
    let home = Home::new("");
    let token = home.create(&["-q"]);
    let pairs = scene(home.dir.path(), &token);
    let (done, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let runs = scaled(60, 1_000);
    let (mut unread, mut whole) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for (name, aside) in &pairs {
                    if renameat2(AT_FDCWD, name, AT_FDCWD, aside, RenameFlags::RENAME_EXCHANGE).is_ok() {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        let _done = Done(&done);
        for run in 0..runs {
            let output = home.shell("timeout 30 patctl scan tree --revoke --yes");
            match output.status.code() {
                Some(0) => whole += 1,
                Some(74)
                    if stderr(&output).contains("exchanged") || stderr(&output).contains("No such file") =>
                {
                    unread += 1;
                }
                other => panic!("run {run}: {other:?} (124: it waits; 1: it was outside) {output:?}"),
            }
        }
    });
    assert!(home.feed(&["verify"], token.as_bytes()).status.success(), "it is in no file of the tree");
    figure(
        "files and directories exchanged for links and pipes under a scan",
        &format!(
            "{runs} scans, {} exchanges, {unread} with something unread, {whole} without, 0 outside, 0 waited",
            count.load(Ordering::Relaxed)
        ),
    );
}
