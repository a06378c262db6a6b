//! Questions to a person at the terminal. No is the default.

use crate::world::Ask;
use dialoguer::{Confirm, Input, MultiSelect, Password};
use std::io;
use zeroize::Zeroizing;

/// Asks on the terminal behind stderr and stdin.
#[derive(Debug)]
pub struct Terminal;

impl Ask for Terminal {
    fn confirm(&mut self, question: &str) -> io::Result<bool> {
        Confirm::new().with_prompt(question).default(false).wait_for_newline(true).interact().map_err(into_io)
    }

    fn text(&mut self, prompt: &str, default: &str) -> io::Result<String> {
        Input::new()
            .with_prompt(prompt)
            .default(default.to_owned())
            .report(false)
            .interact_text()
            .map_err(into_io)
    }

    fn choose(&mut self, prompt: &str, items: &[String]) -> io::Result<Vec<usize>> {
        let list = MultiSelect::new().with_prompt(prompt).items(items).max_length(15).report(false);
        Ok(list.interact_opt().map_err(into_io)?.unwrap_or_default())
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
