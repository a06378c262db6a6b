//! Handing a secret to its holder: on stdout or in a new file, between the change and its commit.

use super::context::Context;
use crate::cli::Format;
use crate::domain::dice::Dice;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{hand_over, when};
use crate::service::issue::Issued;
use crate::wire::{Created, Instant};
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// Refuses to begin where nobody would get the secret.
pub fn somebody_listens(token_file: Option<&Path>, cx: &mut Context<'_>) -> Result<(), Failure> {
    if token_file.is_none() && cx.screen.out().raw().is_closed() {
        return Err(Failure::new(Exit::Io, "undelivered", "stdout is closed: nobody would get the token")
            .hint("no token was made; keep stdout open, or name a new file with --token-file"));
    }
    Ok(())
}

/// Does a deed that hands something over as its last step; `printed` says what its holder gets of it,
/// `undecided` whether a failed commit may have happened all the same.
pub fn hand_over<I: ?Sized, T, E>(
    token_file: Option<&Path>,
    cx: &mut Context<'_>,
    printed: impl Fn(&I, Format) -> io::Result<Zeroizing<Vec<u8>>>,
    undecided: impl Fn(&E) -> bool,
    deed: impl FnOnce(&mut Dice, &mut dyn FnMut(&I) -> io::Result<()>) -> Result<T, E>,
) -> Result<T, E> {
    let format = cx.screen.format();
    let mut written = None;
    let screen = &mut cx.screen;
    let result = deed(cx.dice, &mut |issued| {
        let bytes = printed(issued, format)?;
        match token_file {
            Some(path) => written = Some(hand_over::to_file(path, &bytes)?),
            None => hand_over::to_stdout(screen.out().raw(), &bytes)?,
        }
        Ok(())
    });
    // A commit that may have happened keeps its file: it may be the only copy of a good token.
    let failed_for_sure = matches!(&result, Err(error) if !undecided(error));
    if let Some(file) = written.filter(|_| failed_for_sure) {
        // The very file that was made, whatever has its name by now: what it holds verifies nowhere.
        if let Err(left) = file.take_back() {
            cx.screen.warn(&format!(
                "the token in the file is good for nothing, and is left behind: remove {left}"
            ));
        }
    }
    result
}

/// Larger than any of the forms of so many tokens, so that no secret is left in an outgrown buffer.
pub fn room(tokens: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(tokens * 4096))
}

/// The secret on a line of its own.
pub fn alone(issued: &Issued, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(issued.token.reveal().as_bytes());
    bytes.push(b'\n');
}

/// A new token as JSON, secret and all.
pub fn created(issued: &Issued) -> Created<'_> {
    Created {
        id: issued.token.id().to_string(),
        token: issued.token.reveal(),
        name: &issued.name,
        user: issued.user.as_deref(),
        auth: issued.auth.as_str(),
        created_at: Instant(issued.created_at),
        expires_at: issued.expires_at.map(Instant),
    }
}

/// What a person wants to know beside the secret; a script that took it from a pipe does not.
pub fn tell(token_file: Option<&Path>, cx: &mut Context<'_>, issued: &Issued) {
    if !cx.screen.is_terminal() || cx.screen.format().is_json() {
        return;
    }
    let ends = issued.expires_at.map_or_else(|| "never".to_owned(), |at| when::both(at, issued.created_at));
    let id = issued.token.id();
    let user = issued.user.as_deref().unwrap_or("(any)");
    let restricted = issued.rules.map_or("no".to_owned(), |rules| match rules {
        1 => "to what 1 line allows".to_owned(),
        lines => format!("to what {lines} lines allow"),
    });
    cx.screen.say("");
    for (label, fact) in [
        ("id", id.as_str()),
        ("name", &issued.name),
        ("user", user),
        ("expires", &ends),
        ("restricted", &restricted),
    ] {
        cx.screen.say(&format!("{label:<11} {fact}"));
    }
    cx.screen.say("");
    cx.screen.say(&match token_file {
        Some(path) => format!("The token is in {}, which only you can read.", path.display()),
        None => "The token will not be shown again. To check it: patctl verify".to_owned(),
    });
    cx.screen.say(&format!("To take it back: patctl revoke {id}"));
}
