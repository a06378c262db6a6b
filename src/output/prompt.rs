//! Questions to a person at the terminal. No is the default.

use crate::world::Ask;
use dialoguer::{Confirm, Password};
use std::io;
use zeroize::Zeroizing;

/// Asks on the terminal behind stderr and stdin.
#[derive(Debug)]
pub struct Terminal;

impl Ask for Terminal {
    fn confirm(&mut self, question: &str) -> io::Result<bool> {
        Confirm::new().with_prompt(question).default(false).interact().map_err(into_io)
    }

    fn secret(&mut self, prompt: &str) -> io::Result<Zeroizing<String>> {
        Password::new()
            .with_prompt(prompt)
            .allow_empty_password(true)
            .report(false)
            .interact()
            .map(Zeroizing::new)
            .map_err(into_io)
    }
}

fn into_io(error: dialoguer::Error) -> io::Error {
    let dialoguer::Error::IO(error) = error;
    error
}
