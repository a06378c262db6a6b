//! What `snippet` answers.

use super::check;
use serde::Serialize;

/// What `snippet -o json` prints. With `--with-token` the token is in `snippet`.
#[derive(Serialize)]
pub struct Snippet<'a> {
    /// What it is written in.
    pub language: &'static str,
    /// The text; null: the token could not make this call.
    pub snippet: Option<&'a str>,
    /// The request that is called; null: none, for `header`.
    pub request: Option<Request<'a>>,
    /// How the token is presented.
    pub auth: Auth<'a>,
    /// Where the token is read from: `variable`, `file`, or `here` where it is embedded.
    pub token_from: &'static str,
    /// The name of the variable or the file; null: embedded.
    pub token_name: Option<&'a str>,
    /// Whether redirects are followed.
    pub follow: bool,
    /// What its reader should know.
    pub remarks: &'a [String],
    /// Why there is none: one of the reasons of `verify`; null where there is one.
    pub reason: Option<&'static str>,
    /// What `check` says of the request, where restrictions are the reason.
    pub check: Option<check::Checked<'a>>,
}

/// A request.
#[derive(Serialize, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The absolute URL.
    pub url: &'a str,
    /// Names and values, without the authentication.
    pub headers: &'a [(String, String)],
    /// The body; null: none.
    pub body: Option<&'a str>,
}

/// How a token is presented.
#[derive(Serialize, Debug)]
pub struct Auth<'a> {
    /// `bearer` or `basic`.
    pub r#type: &'static str,
    /// The user name of Basic; null for Bearer.
    pub user: Option<&'a str>,
}
