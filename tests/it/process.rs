//! patctl as a real process, in a clean environment.

use super::harness::CHEAP;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_patctl");

/// A home of its own, with a configuration that asks for cheap hashes.
pub struct Home {
    pub dir: TempDir,
}

impl Home {
    pub fn new(properties: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join("patctl.properties"), format!("{CHEAP}{properties}")).expect("a file");
        Self { dir }
    }

    pub fn db(&self) -> PathBuf {
        self.dir.path().join("patctl.db")
    }

    pub fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.db()).expect("the database")
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.sql().query_row(sql, [], |row| row.get(0)).expect("a number")
    }

    /// `program` with the environment that patctl runs in, and patctl on its PATH.
    pub fn command_of(&self, program: &str) -> Command {
        let bin = std::path::Path::new(PROGRAM).parent().expect("a directory");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.dir.path())
            .env("PATCTL_DB", self.db())
            .env("PATCTL_CONFIG", self.dir.path().join("patctl.properties"))
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.command_of(PROGRAM);
        command.args(args);
        command
    }

    pub fn shell(&self, script: &str) -> Output {
        self.command_of("bash").args(["-c", script]).output().expect("bash")
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("patctl")
    }

    /// Runs with `input` on stdin; an unread rest is no error.
    pub fn feed(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child: Child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("patctl");
        let mut stdin = child.stdin.take().expect("a pipe");
        let _ = stdin.write_all(input);
        drop(stdin);
        child.wait_with_output().expect("patctl")
    }

    pub fn create(&self, args: &[&str]) -> String {
        let mut all = vec!["create"];
        all.extend(args);
        let output = self.run(&all);
        assert!(output.status.success(), "{output:?}");
        stdout(&output).trim_end().to_owned()
    }
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A sample of a long test, or all of it under `PATCTL_LONG=1`.
pub fn scaled(sample: usize, full: usize) -> usize {
    if std::env::var_os("PATCTL_LONG").is_some() { full } else { sample }
}

/// Whether a program that a test needs is there; if not, says so where nobody can overlook it.
pub fn have(program: &str, test: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()));
    if !found {
        assert!(std::env::var_os("CI").is_none(), "{test} needs {program}, which .ci/run should install");
        skip(&format!("{test}: there is no {program} on this machine"));
    }
    found
}

/// Says so past the capture of the test runner, which hides what a passing test prints.
pub fn skip(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {why}");
}

/// Tells those who work until something is done that it is, also where it failed: they would go on for ever.
pub struct Done<'d>(pub &'d AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Prints a figure that a test of faults reached, past the capture of the test runner.
pub fn figure(fault: &str, reached: &str) {
    let _ = writeln!(std::io::stderr(), "FAULTS {fault}: {reached}");
}
