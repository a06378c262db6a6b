//! The arguments of `patctl snippet`.

use super::{RequestArgs, TEMPLATE};
use crate::domain::id::IdPrefix;
use crate::domain::text::{User, is_hidden};
use crate::domain::token::PlainToken;
use clap::{Args, ValueEnum};

/// `patctl snippet`
#[derive(Args, Debug, Default)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        patctl snippet 7k3m --url https://jira.example.com/rest/api/2/issue/JRA-1\n  \
        patctl snippet --lang python --url https://jira.example.com/rest/x --data '{}'\n  \
        patctl snippet --preset list-tokens --auth basic --user alice \\\n    \
            -D patctl.base.url=https://jira.example.com\n  \
        patctl snippet 7k3m --lang header",
    after_help = "The call reads the token when it runs, from $PATCTL_TOKEN or where an option says; no argument \
        list and no environment of curl, HTTPie or wget holds it then. A URL without a host belongs to \
        patctl.base.url. With an ID the call is judged first, as 'patctl verify' would: what would be refused is \
        not printed.\n\n\
        No redirect is followed unless --follow is given, which keeps method and body (with curl, javascript, \
        python and go). curl with --location alone would make a GET of a POST at 301, 302 and 303, and send \
        other methods again without their body; so do most libraries.\n\n\
        Status 1: the token could not make this call, and why; or it cannot be embedded."
)]
pub struct Snippet {
    /// The token it is for: its user, its method, its restrictions
    #[arg(value_name = "ID")]
    pub id: Option<IdPrefix>,
    /// What to write it in: curl, javascript, python, httpie, wget, powershell, go; header: the
    /// authentication alone
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value_t = Lang::Curl, hide_possible_values = true,
        hide_default_value = true)]
    pub lang: Lang,
    /// The request.
    #[command(flatten)]
    pub request: RequestArgs,
    /// A call of the token service itself: create-token, list-tokens or revoke-token
    #[arg(long, value_enum, value_name = "CALL", hide_possible_values = true, help_heading = "The request",
        conflicts_with_all = ["method", "url", "query"])]
    pub preset: Option<Preset>,
    /// The token that revoke-token takes back, by the id that list-tokens gives
    #[arg(long, value_name = "ID", help_heading = "The request", requires = "preset", value_parser = target)]
    pub target: Option<String>,
    /// Act on behalf of this user: adds the header contextUser
    #[arg(long, value_name = "NAME", help_heading = "The request")]
    pub on_behalf: Option<User>,
    /// Follow redirects, with method and body kept, to the same host
    #[arg(long)]
    pub follow: bool,
    /// How to present the token: bearer or basic [default: as it may be, bearer first]
    #[arg(long, value_enum, value_name = "METHOD", hide_possible_values = true)]
    pub auth: Option<AuthArg>,
    /// The user name of Basic [default: the token's user]
    #[arg(long, value_name = "USER")]
    pub user: Option<User>,
    /// The call reads the token from this file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, value_parser = file,
        conflicts_with_all = ["token_env", "with_token"])]
    pub token_file: Option<String>,
    /// The call reads the token from this environment variable [default: `PATCTL_TOKEN`]
    #[arg(help = "The call reads the token from this environment variable [default: PATCTL_TOKEN]",
        long, value_name = "NAME", value_parser = variable, conflicts_with = "with_token")]
    pub token_env: Option<String>,
    /// Put the token itself into the call; needs the vault's key, and is audited
    #[arg(long, requires = "id")]
    pub with_token: bool,
}

/// What a call is written in.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lang {
    /// For a POSIX shell
    #[default]
    Curl,
    /// For Node.js
    #[value(name = "javascript", alias = "js", alias = "node")]
    JavaScript,
    /// For Python 3 with requests
    Python,
    /// For a POSIX shell
    Httpie,
    /// For a POSIX shell
    Wget,
    /// For `PowerShell` 7
    #[value(name = "powershell", alias = "pwsh")]
    PowerShell,
    /// For Go
    Go,
    /// The authentication alone
    Header,
}

/// A call of the token service itself.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// Make a token for oneself
    CreateToken,
    /// List one's own tokens
    ListTokens,
    /// Take one back
    RevokeToken,
}

/// How a token is presented.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuthArg {
    /// As the password of a user
    Basic,
    /// Alone
    Bearer,
}

/// A name that every shell and every language takes.
fn variable(text: &str) -> Result<String, &'static str> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if text.parse::<PlainToken>().is_ok() {
        Err("this is a token, and not the name of a variable; every process on this machine can read it now")
    } else if plain && !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("a variable's name is letters, digits and _, and no digit first")
    }
}

fn file(text: &str) -> Result<String, &'static str> {
    if text.parse::<PlainToken>().is_ok() {
        Err("this is a token, and not the name of a file; every process on this machine can read it now")
    } else if text.is_empty() || text.contains(is_hidden) {
        Err("the name of the file is empty, or holds a character that cannot be seen")
    } else {
        Ok(text.to_owned())
    }
}

/// One segment of a path.
fn target(text: &str) -> Result<String, &'static str> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if plain && !text.is_empty() { Ok(text.to_owned()) } else { Err("an id is letters and digits") }
}
