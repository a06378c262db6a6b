//! Restrictions against the frameworks themselves: no request that a line allows may reach a handler with another
//! method, or with another value of what the line guards. Nothing is modelled here: each framework runs in a process
//! of its own, reads the request with its own parsers and says what a handler would see.
//!
//! What is not installed is skipped by name. `tests/frameworks/install` fetches what no Debian package holds;
//! `PATCTL_LONG=1 cargo test --test frameworks` tries a million random requests on each, `PATCTL_SEED` chooses others.

mod cases;
mod changes;
mod frameworks;
mod generate;
mod lines;
mod naive;
mod named;
mod random;
mod spelling;
mod wire;
mod worker;

use std::io::Write as _;

/// Says so past the capture of the test runner, which hides what a passing test prints.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
