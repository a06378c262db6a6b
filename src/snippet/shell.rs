//! What the calls of programs have in common in a POSIX shell (dash, bash, zsh, busybox).
//!
//! `printf` is a builtin there, so that no argument list and no environment but the shell's own holds
//! the token; `env -u` takes it from the program. Nothing stands in double quotes but the token's
//! variable: where a person pastes, `!` is expanded there. There are no comments, either, which zsh does
//! not know at its prompt.

use super::{Auth, TOKEN_MARK, TokenFrom};

/// A word, quoted. A tab that is pasted at a prompt completes a word, so none is there.
pub(super) fn quote(text: &str) -> String {
    let text = text.replace('\'', r"'\''").replace('\t', r#"'"$(printf '\t')"'"#);
    format!("'{text}'")
}

/// How a call finds the token.
pub(super) struct Source {
    /// What comes first.
    pub before: String,
    /// The token, as a word.
    pub word: String,
    /// What the program is begun with, so that it has no token in its environment.
    pub without: String,
    /// What comes last.
    pub after: &'static str,
}

/// The variable that a file is read into.
const VARIABLE: &str = "PATCTL_TOKEN";

impl Source {
    pub(super) fn of(token: &TokenFrom) -> Self {
        match token {
            TokenFrom::Variable(name) => Self {
                // Without it nothing is called: not even unauthenticated.
                before: format!(": \"${{{name}:?}}\" &&\n"),
                word: format!("\"${name}\""),
                without: format!("env -u {name} "),
                after: "",
            },
            TokenFrom::File(path) => Self {
                before: format!("({VARIABLE}=$(cat < {}) &&\n", quote(path)),
                word: format!("\"${VARIABLE}\""),
                without: format!("env -u {VARIABLE} "),
                after: ")",
            },
            TokenFrom::Here => Self {
                before: String::new(),
                word: quote(&TOKEN_MARK.to_string()),
                without: String::new(),
                after: "",
            },
        }
    }

    /// Prints the value of the Authorization header, without a line end behind it where `Basic` is.
    pub(super) fn value(&self, auth: &Auth) -> String {
        let Self { word, without, .. } = self;
        match auth {
            Auth::Bearer => format!("printf 'Bearer %s\\n' {word}"),
            Auth::Basic { user } => format!(
                "{{ printf 'Basic '; printf '%s:%s' {} {word} |\n    {without}sh -c 'base64 | tr -d \"\\n\"'; }}",
                quote(user)
            ),
        }
    }
}

/// The words of a command, each on a line of its own behind the first.
pub(super) fn lines(words: &[String], margin: &str) -> String {
    words.join(&format!(" \\\n{margin}"))
}
