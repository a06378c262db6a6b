//! The program: the real world, handed to [`patctl::run`].

mod door;

use std::process::ExitCode;

fn main() -> ExitCode {
    door::enter().into()
}
