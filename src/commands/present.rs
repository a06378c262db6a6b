//! Reading a token that somebody presents: from stdin, a file, a named variable, or a prompt.

use super::context::Context;
use super::terminal_failed;
use crate::cli::TokenSource;
use crate::domain::presented::wrapping::{self, Layer};
use crate::domain::presented::{MAX_BYTES, Presented};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use zeroize::Zeroizing;

/// What came is no token.
pub struct Refused {
    /// What surrounds the token in it, if there is one.
    layers: Option<Vec<Layer>>,
}

impl Refused {
    /// Why, where there is a token in what came: in words that hold nothing of it, and that need no database.
    pub fn why(&self) -> Option<String> {
        let words: Vec<&str> = self.layers.as_ref()?.iter().map(|layer| layer.as_str()).collect();
        Some(format!("the token is not alone; it has {}", words.join(", and ")))
    }

    /// What to do about that.
    pub const HINT: &str =
        "give the token and nothing else, or 'Bearer TOKEN', or 'Authorization: Bearer TOKEN'";
}

/// What was presented; that it is no token is an answer, not a failure.
///
/// # Errors
/// Nothing could be read.
pub fn presented(source: &TokenSource, cx: &mut Context<'_>) -> Result<Result<Presented, Refused>, Failure> {
    let bytes = bytes(source, cx)?;
    Ok(Presented::parse(&bytes).map_err(|_| Refused { layers: wrapping::around(&bytes) }))
}

/// At most one byte more than can be a token.
fn bytes(source: &TokenSource, cx: &mut Context<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if let Some(name) = &source.token_env {
        let value = (cx.env)(name).ok_or_else(|| {
            Failure::usage("the variable that --token-env names is not set")
                .hint("give the name of an exported variable, or pipe the token in")
        })?;
        return Ok(Zeroizing::new(value.into_vec()));
    }
    if let Some(path) = &source.token_file {
        return files::named(path).and_then(read).map_err(|e| unreadable(&path.display().to_string(), &e));
    }
    if cx.stdin.is_closed() {
        return Err(unreadable("stdin", &io::Error::other("it is closed")));
    }
    if cx.stdin.is_terminal() {
        let typed = cx.ask.secret("Token").map_err(terminal_failed)?;
        return Ok(Zeroizing::new(typed.as_bytes().to_vec()));
    }
    read(&mut *cx.stdin).map_err(|e| unreadable("stdin", &e))
}

fn read(from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let most = MAX_BYTES + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(most));
    from.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(what: &str, e: &io::Error) -> Failure {
    let (exit, kind) = match e.kind() {
        io::ErrorKind::PermissionDenied => (Exit::Permission, "permission"),
        _ => (Exit::Io, "io"),
    };
    Failure::new(exit, kind, format!("the token could not be read from {what}: {e}"))
        .hint("name a readable file with --token-file, or pipe the token in")
        .because_of(e)
}
