//! Every fault that can be injected from outside: kills, power cuts, full disks, damaged files, wrong clocks. Each
//! test prints the figure it reached. `.ci/run` runs a sample; `PATCTL_LONG=1 cargo test --test faults` all of it.
//! Two rows of the table are tests of the other suite, beside what they need: what snippets send, and where secrets
//! are (`cargo test --test it snippet_languages secrets`).
//!
//! What the tests compare with is not patctl: the database is looked at with SQLite, and what must have happened
//! is known from the exit status.

#[path = "../it/process.rs"]
mod process;
mod scene;

mod harness {
    /// Hashes that cost little: no fault is found by waiting.
    pub const CHEAP: &str = "patctl.argon2.memory.kib = 1024\npatctl.argon2.iterations = 1\n";

    /// The id in a token.
    pub fn id_of(token: &str) -> &str {
        token.split('_').nth(1).expect("a token")
    }
}

mod clock;
mod concurrency;
mod cost;
mod damage;
mod descriptors;
mod disk;
mod exchange;
mod full_disk;
mod hostile;
mod input;
mod inputs;
mod kill;
mod memory;
mod places;
mod power;
mod prune;
mod replaced;
mod shown;
mod streams;
mod timing;
mod trees;

use process::figure;
