//! The authentication alone: for who writes the call with something else.

use super::{Auth, BASIC_MARK, Call, TOKEN_MARK, TokenFrom};

pub(super) fn write(call: &Call, token: &TokenFrom) -> String {
    let here = *token == TokenFrom::Here;
    let secret = match token {
        TokenFrom::Variable(name) => format!("${name}"),
        TokenFrom::File(path) => format!("(what {path} holds)"),
        TokenFrom::Here => TOKEN_MARK.to_string(),
    };
    let mut lines = match &call.auth {
        Auth::Bearer => {
            vec![line("type", "Bearer"), line("header", &format!("Authorization: Bearer {secret}"))]
        }
        Auth::Basic { user } => {
            let pair = if here { BASIC_MARK.to_string() } else { format!("base64({user}:{secret})") };
            vec![
                line("type", "Basic"),
                line("user", user),
                line("password", &secret),
                line("header", &format!("Authorization: Basic {pair}")),
            ]
        }
    };
    // On whose behalf the call is, and what else was asked for; what the body is has no place here.
    let headers = call.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("Content-Type"));
    lines.extend(headers.map(|(name, value)| line("header", &format!("{name}: {value}"))));
    lines.join("\n")
}

fn line(label: &str, fact: &str) -> String {
    format!("{label:<9} {fact}")
}
