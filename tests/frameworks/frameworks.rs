//! The frameworks: how each is started, and which values of `patctl.service.merges.body` suit it.

use crate::lines::{NAMES, NESTED};
use crate::worker::Worker;
use patctl::domain::restriction::Merges;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A framework.
#[derive(Clone, Copy, Debug)]
pub struct Framework {
    pub name: &'static str,
    /// What an administrator may set for it. `none` suits each one for what handlers take from the query and from
    /// JSON alone.
    pub merges: &'static [Merges],
    start: fn() -> Result<Command, String>,
}

const ALL: &[Merges] = &[Merges::All, Merges::Nothing];
const FORMS: &[Merges] = &[Merges::All, Merges::Forms, Merges::Nothing];

pub const FRAMEWORKS: [Framework; 10] = [
    Framework { name: "express", merges: ALL, start: || express("express") },
    Framework { name: "express5", merges: ALL, start: || express("express5") },
    Framework { name: "rack", merges: ALL, start: || Ok(script("ruby", "rack.rb", &[])) },
    Framework { name: "php", merges: ALL, start: || Ok(script("php", "php.php", &[])) },
    Framework { name: "laravel", merges: ALL, start: || Ok(script("php", "laravel.php", &[])) },
    Framework { name: "plack", merges: FORMS, start: || Ok(script("perl", "plack.pl", &[])) },
    Framework {
        name: "bottle",
        merges: ALL,
        start: || Ok(script("/usr/bin/python3", "wsgi.py", &["bottle"])),
    },
    Framework {
        name: "flask",
        merges: FORMS,
        start: || Ok(script("/usr/bin/python3", "wsgi.py", &["flask"])),
    },
    Framework {
        name: "webob",
        merges: FORMS,
        start: || Ok(script("/usr/bin/python3", "wsgi.py", &["webob"])),
    },
    Framework { name: "go", merges: FORMS, start: go },
];

/// The framework of this name.
pub fn named(name: &str) -> Framework {
    FRAMEWORKS.into_iter().find(|framework| framework.name == name).expect("a framework")
}

impl Framework {
    /// Starts it, or tells why it cannot be had; `test` is what is skipped then.
    pub fn start(self, test: &str) -> Option<Worker> {
        match (self.start)().and_then(Worker::start) {
            Ok(worker) => Some(worker),
            Err(why) => {
                crate::say(&format!("SKIPPED {test}: {} cannot be had: {why}", self.name));
                None
            }
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frameworks")
}

/// Where `tests/frameworks/install` puts what it fetches.
fn fetched() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("frameworks")
}

fn script(program: &str, file: &str, before: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.arg(folder().join(file)).args(before).args([NAMES.join(","), NESTED.join(",")]);
    command.current_dir(std::env::temp_dir());
    command
}

fn express(package: &str) -> Result<Command, String> {
    let modules = fetched();
    if !modules.join("node_modules").join(package).is_dir() {
        return Err("tests/frameworks/install has not been run".to_owned());
    }
    let mut command = script("node", "express.js", &[package]);
    command.env("MODULES", modules);
    Ok(command)
}

/// Built once for all tests.
fn go() -> Result<Command, String> {
    static BUILT: std::sync::OnceLock<Result<PathBuf, String>> = std::sync::OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let program = fetched().join("read-go");
        std::fs::create_dir_all(fetched()).map_err(|error| error.to_string())?;
        let mut build = Command::new("go");
        build.args(["build", "-o"]).arg(&program).arg(folder().join("read.go"));
        let output = build.output().map_err(|error| format!("go: {error}"))?;
        if output.status.success() {
            Ok(program)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    });
    let mut command = Command::new(built.clone()?);
    command.args([NAMES.join(","), NESTED.join(",")]);
    Ok(command)
}
