//! The one description of a request that every language writes.

use super::Unfit;
use crate::domain::restriction::request::Place;
use crate::domain::restriction::{Given, MAX_URL, Refusal, Request, Sent, origin, path};
use crate::domain::text::is_hidden;
use crate::domain::token::PlainToken;

/// The most bytes of a body: one argument of a program may have 128 KiB on Linux, and a quote in a shell
/// takes four.
const MAX_BODY: usize = 32 * 1024;

/// Headers that the snippet makes, or the program that sends it.
const MADE: [&str; 12] = [
    "Authorization",
    "Proxy-Authorization",
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Proxy-Connection",
    "Keep-Alive",
    "Expect",
    "Upgrade",
    "TE",
    "Trailer",
];

/// How the token is presented.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Auth {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`
    Basic {
        /// The user name: no colon, nothing hidden.
        user: String,
    },
}

/// Where a snippet finds the token when it runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenFrom {
    /// In this environment variable: letters, digits, `_`.
    Variable(String),
    /// In this file: no control characters.
    File(String),
    /// In itself: [`super::TOKEN_MARK`] is put there.
    Here,
}

/// A call that can be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// One of seven.
    pub method: &'static str,
    /// Absolute, ASCII, without fragment and user information.
    pub url: String,
    /// Names, none of them twice, and values; the content type is among them.
    pub headers: Vec<(String, String)>,
    /// UTF-8, and no control characters but newline and tab.
    pub body: Option<String>,
    /// How the token is presented.
    pub auth: Auth,
    /// Whether redirects are followed, with method and body kept.
    pub follow: bool,
    /// Why most libraries would not send this URL as it is written.
    pub(super) odd: Option<Refusal>,
}

impl Call {
    /// Looks at every part of a request.
    ///
    /// # Errors
    /// The first objection.
    pub fn new(sent: &Sent, auth: Auth, follow: bool) -> Result<Self, Unfit> {
        let method = sent.method.as_deref().unwrap_or(if sent.body.is_some() { "POST" } else { "GET" });
        let headers = headers(sent)?;
        let given = Given { method: Some(method), headers: &headers, ..Given::default() };
        let method = Request::new(&given).map_err(Unfit::Request)?.method.unwrap_or("GET");
        let (url, odd) = url(sent)?;
        let body = sent.body.as_deref().map(body).transpose()?;
        if body.is_some() && method == "HEAD" {
            return Err(Unfit::Head);
        }
        for (place, text) in [("URL", Some(&url)), ("body", body.as_ref())] {
            no_secret(place, text.map_or("", String::as_str))?;
        }
        Ok(Self { method, url, headers, body, auth, follow, odd })
    }

    /// What the body says it is.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        let named = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Content-Type"));
        named.map(|(_, value)| value.as_str())
    }

    /// The request, for a judge.
    #[must_use]
    pub fn sent(&self) -> Sent {
        Sent {
            method: Some(self.method.to_owned()),
            url: Some(self.url.clone()),
            body: self.body.as_ref().map(|body| body.as_bytes().to_vec()),
            headers: self.headers.clone(),
            ..Sent::default()
        }
    }
}

/// A snippet gets passed on, and holds no token but the one that was asked for.
fn no_secret(place: &'static str, text: &str) -> Result<(), Unfit> {
    let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    if words.any(|word| word.parse::<PlainToken>().is_ok()) { Err(Unfit::Secret(place)) } else { Ok(()) }
}

/// The headers, the content type first.
fn headers(sent: &Sent) -> Result<Vec<(String, String)>, Unfit> {
    let mut headers: Vec<(String, String)> = Vec::new();
    let kind = sent.content_type.iter().map(|kind| ("Content-Type".to_owned(), kind.trim().to_owned()));
    for (name, value) in kind.chain(sent.headers.iter().cloned()) {
        if MADE.iter().any(|made| made.eq_ignore_ascii_case(&name)) {
            return Err(Unfit::Made(name));
        }
        if let Some((_, other)) = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            // The type of the body may be said as an option and as a header.
            if name.eq_ignore_ascii_case("Content-Type") && *other == value {
                continue;
            }
            return Err(Unfit::Twice(name));
        }
        if let Some(c) = value.chars().find(|c| is_hidden(*c) && *c != '\t') {
            return Err(Unfit::Hidden(name, c));
        }
        no_secret("header", &value)?;
        headers.push((name, value));
    }
    Ok(headers)
}

/// The absolute URL, and what most libraries would not leave as it is in it.
fn url(sent: &Sent) -> Result<(String, Option<Refusal>), Unfit> {
    let refuse = |at, why| Err(Unfit::Request(Refusal::at(Place::Url, at, why)));
    let url = sent.url.as_deref().unwrap_or_default();
    let Some((scheme, rest)) = origin::scheme(url) else {
        return if url.starts_with('/') {
            Err(Unfit::NoOrigin)
        } else {
            refuse(0, "it begins with /, http:// or https://")
        };
    };
    let joined = match sent.query.as_deref() {
        Some(_) if url.contains('?') => {
            let why = "there is one in the URL already; hand over one of them";
            return Err(Unfit::Request(Refusal::new(Place::Query, why)));
        }
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    };
    let before = url.len() - rest.len();
    if let Some(at) = joined.bytes().position(|b| !b.is_ascii_graphic()) {
        return refuse(before + at, "blanks, controls and characters outside ASCII must be encoded");
    }
    if let Some(at) = joined.find('#') {
        return refuse(before + at, "a fragment is never sent");
    }
    if before + joined.len() > MAX_URL {
        return Err(Unfit::Request(Refusal::new(Place::Url, "URL and query are longer than 8192 bytes")));
    }
    let (authority, path) = joined.split_at(joined.find(['/', '?']).unwrap_or(joined.len()));
    let origin = match origin::Origin::parse(scheme, authority) {
        Ok(origin) => origin,
        Err(why) => return refuse(before, why),
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let url = format!("{origin}{slash}{path}");
    let odd = tidied(&url[url.len() - path.len() - slash.len()..]);
    Ok((url, odd))
}

/// What a library makes something else of in a path with its query: dot segments it resolves, what may
/// not stand there plainly it encodes (WHATWG URL §4, urllib3, wget, net/url).
fn tidied(target: &str) -> Option<Refusal> {
    let refuse = |why| Some(Refusal::new(Place::Url, why));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let dots =
        |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if path.split('/').any(dots) {
        return refuse("a segment of its path is . or ..");
    }
    if path.starts_with("//") {
        return refuse("its path begins with //");
    }
    let broken = |(at, _)| path::hex(target.as_bytes().get(at + 1..at + 3)).is_none();
    if target.match_indices('%').any(broken) {
        return refuse("a % is not followed by two hexadecimal digits");
    }
    let plain = |byte| path::is_plain(byte) || b"/%;".contains(&byte);
    if !path.bytes().all(plain) || query.bytes().any(|byte| b"\"<>\\".contains(&byte)) {
        return refuse("a character in it has to be encoded");
    }
    None
}

fn body(bytes: &[u8]) -> Result<String, Unfit> {
    if bytes.len() > MAX_BODY {
        return Err(Unfit::Long(MAX_BODY));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Unfit::Bytes)?;
    let control = |(_, c): &(usize, char)| c.is_control() && !matches!(c, '\n' | '\t');
    match text.char_indices().find(control) {
        Some((at, c)) => Err(Unfit::Control(c, at)),
        None => Ok(text.to_owned()),
    }
}
