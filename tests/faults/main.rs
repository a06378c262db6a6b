//! Every fault that can be injected from outside: kills, power cuts, full disks, damaged files, wrong clocks. Each
//! test prints the figure it reached. `.ci/run` runs a sample; `PATCTL_LONG=1 cargo test --test faults` all of it.
//!
//! What the tests compare with is not patctl: the database is looked at with SQLite, and what must have happened
//! is known from the exit status.

#[path = "../it/process.rs"]
mod process;
mod scene;

mod harness {
    /// Hashes that cost little: no fault is found by waiting.
    pub const CHEAP: &str = "patctl.argon2.memory.kib = 1024\npatctl.argon2.iterations = 1\n";
}

mod clock;
mod damage;
mod full_disk;
mod kill;
mod power;
mod timing;

use std::io::Write;

/// Prints a figure past the capture of the test runner.
pub fn figure(fault: &str, reached: &str) {
    let _ = writeln!(std::io::stderr(), "FAULTS {fault}: {reached}");
}
