//! A request as rules see it: canonical, or refused because two programs could read it differently.

use super::json::{self, Json};
use super::media::{self, Media};
use super::method::{self, OVERRIDES, REWRITES};
use super::origin::{self, Origin};
use super::query::{self, Parameters};
use super::{MAX_BODY, MAX_URL, path};
use crate::domain::token;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::cell::OnceCell;
use std::fmt;

/// What was handed over. What is `None` was not, and no part of a rule that needs it holds.
#[derive(Clone, Copy, Default, Debug)]
pub struct Given<'g> {
    /// As it was sent, in capitals.
    pub method: Option<&'g str>,
    /// A path with or without query, or an absolute URL.
    pub url: Option<&'g str>,
    /// The query where it comes apart from the URL, without `?`.
    pub query: Option<&'g str>,
    /// The body, at most one byte more than is accepted.
    pub body: Option<&'g [u8]>,
    /// What the body says it is.
    pub content_type: Option<&'g str>,
    /// Names and values.
    pub headers: &'g [(String, String)],
}

/// A request as it was described or taken apart, owned.
#[derive(Clone, Default, Debug)]
pub struct Sent {
    /// See [`Given`], as for all fields.
    pub method: Option<String>,
    /// The URL.
    pub url: Option<String>,
    /// The query apart from it.
    pub query: Option<String>,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// What the body says it is.
    pub content_type: Option<String>,
    /// Names and values.
    pub headers: Vec<(String, String)>,
}

impl Sent {
    /// What is handed over of it: all.
    #[must_use]
    pub fn given(&self) -> Given<'_> {
        Given {
            method: self.method.as_deref(),
            url: self.url.as_deref(),
            query: self.query.as_deref(),
            body: self.body.as_deref(),
            content_type: self.content_type.as_deref(),
            headers: &self.headers,
        }
    }

    /// A body that was written in Base64.
    #[must_use]
    pub fn body_from_base64(text: &str) -> Option<Vec<u8>> {
        STANDARD.decode(text).ok()
    }

    /// The URL as it is written down: path and names of parameters, with `values` all of it.
    #[must_use]
    pub fn told_url(&self, values: bool) -> Option<String> {
        let url = self.url.as_deref()?;
        let (path, inner) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        // User information in an absolute URL is refused, and must not be kept either.
        let path =
            origin::scheme(path).map_or(path, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
        let query = inner.or(self.query.as_deref());
        let told = match query {
            None => path.to_owned(),
            Some(query) if values => format!("{path}?{query}"),
            Some(query) => {
                let names: Vec<&str> =
                    query.split('&').map(|p| p.split('=').next().unwrap_or_default()).collect();
                format!("{path}?{}", names.join("&"))
            }
        };
        Some(token::mask(&told.chars().take(MAX_URL).collect::<String>()))
    }
}

/// Which part of a request is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The method.
    Method,
    /// The URL.
    Url,
    /// The query.
    Query,
    /// A header.
    Header,
    /// The body.
    Body,
}

impl Place {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Url => "url",
            Self::Query => "query",
            Self::Header => "header",
            Self::Body => "body",
        }
    }
}

/// Why a request cannot be judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Of which part.
    pub place: Place,
    /// Bytes of that part before what is refused, where that is known.
    pub at: Option<usize>,
    /// Why.
    pub why: &'static str,
}

impl Refusal {
    /// A refusal of a part as a whole.
    #[must_use]
    pub const fn new(place: Place, why: &'static str) -> Self {
        Self { place, at: None, why }
    }

    /// A refusal of what follows `at` bytes.
    #[must_use]
    pub const fn at(place: Place, at: usize, why: &'static str) -> Self {
        Self { place, at: Some(at), why }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "the {}, byte {}: {}", self.place.as_str(), at + 1, self.why),
            None => write!(f, "the {}: {}", self.place.as_str(), self.why),
        }
    }
}

/// A form of more than [`MAX_BODY`] bytes or [`super::MAX_PARAMETERS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

/// Origin and canonical path of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// `None`: a path alone was handed over.
    pub origin: Option<Origin>,
    /// Canonical.
    pub path: String,
}

/// A request that can be judged.
#[derive(Debug)]
pub struct Request {
    /// One of [`method::METHODS`].
    pub method: Option<&'static str>,
    /// Where it goes.
    pub target: Option<Target>,
    /// Its parameters; empty where there is no query.
    pub query: Parameters,
    /// What the body says it is; `None`: nothing.
    pub media: Option<Media>,
    body: Option<Vec<u8>>,
    json: OnceCell<Result<Json, Refusal>>,
    form: OnceCell<Result<Parameters, TooLong>>,
}

impl Request {
    /// Reads what was handed over.
    ///
    /// # Errors
    /// A [`Refusal`] of the method, the URL, the query or a header: no rule can allow it.
    pub fn new(given: &Given<'_>) -> Result<Self, Refusal> {
        let method = given.method.map(read_method).transpose()?;
        let (target, inner) = match given.url {
            Some(url) => read_url(url).map(|(target, query)| (Some(target), query))?,
            None => (None, None),
        };
        if inner.is_some() && given.query.is_some() {
            return Err(Refusal::new(Place::Query, "there is one in the URL already; hand over one of them"));
        }
        let beside = given.query.map_or(0, |query| query.len() + 1);
        if given.url.map_or(0, str::len) + beside > MAX_URL {
            return Err(Refusal::new(Place::Url, "URL and query are longer than 8192 bytes"));
        }
        let query = match (inner, given.query) {
            (Some((query, offset)), _) => query::parse(query, Place::Url, offset)?,
            (None, Some(query)) => query::parse(query, Place::Query, 0)?,
            (None, None) => Parameters::default(),
        };
        let mut types: Vec<&str> = given.content_type.into_iter().collect();
        for (name, value) in given.headers {
            header(name, value, method, &mut types)?;
        }
        if types.windows(2).any(|two| two[0] != two[1]) {
            return Err(Refusal::new(Place::Header, "there are two content types"));
        }
        Ok(Self {
            method,
            target,
            query,
            media: types.first().map(|text| media::parse(text)),
            body: given.body.map(<[u8]>::to_vec),
            json: OnceCell::new(),
            form: OnceCell::new(),
        })
    }

    /// The body as JSON; `None`: none was handed over, or it does not say that it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<&Result<Json, Refusal>> {
        let body = self.body.as_deref()?;
        self.media.as_ref().filter(|media| media.is_json())?;
        Some(self.json.get_or_init(|| json::parse(body)))
    }

    /// The body as parameters; `None`: none was handed over, or it is no form.
    ///
    /// # Errors
    /// It is too long for all of it to be seen.
    #[must_use]
    pub fn form(&self) -> Option<&Result<Parameters, TooLong>> {
        let body = self.body.as_deref()?;
        self.media.as_ref().filter(|media| media.is_form())?;
        let read = || query::lenient(body).filter(|_| body.len() <= MAX_BODY).ok_or(TooLong);
        Some(self.form.get_or_init(read))
    }

    /// A body of parts, whose parameters are not taken apart.
    #[must_use]
    pub fn multipart(&self) -> Option<&[u8]> {
        self.body.as_deref().filter(|_| self.media.as_ref().is_some_and(Media::is_multipart))
    }

    /// Whether a body was handed over that a server may read in a way that cannot be known here.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        self.body.is_some() && self.media.as_ref().is_some_and(Media::is_unclear)
    }

    /// Whether a body was handed over.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.body.is_some()
    }
}

fn read_method(text: &str) -> Result<&'static str, Refusal> {
    method::exactly(text).ok_or_else(|| {
        Refusal::new(
            Place::Method,
            if method::known(text.trim()).is_some() {
                "methods are written in capitals, and nothing around them"
            } else {
                "it is none of GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"
            },
        )
    })
}

/// The query of a URL, and where it begins.
type Query<'u> = Option<(&'u str, usize)>;

fn read_url(url: &str) -> Result<(Target, Query<'_>), Refusal> {
    let refuse = |at, why| Refusal::at(Place::Url, at, why);
    if url.len() > MAX_URL {
        return Err(Refusal::new(Place::Url, "it is longer than 8192 bytes"));
    }
    if let Some(at) = url.bytes().position(|b| !b.is_ascii_graphic()) {
        return Err(refuse(at, "blanks, controls and characters outside ASCII must be encoded"));
    }
    if let Some(at) = url.find('#') {
        return Err(refuse(at, "a fragment is never sent"));
    }
    let (before, query) = match url.split_once('?') {
        Some((before, query)) => (before, Some((query, before.len() + 1))),
        None => (url, None),
    };
    let (origin, raw, offset) = if before.starts_with('/') {
        (None, before, 0)
    } else {
        let (scheme, rest) = origin::scheme(before)
            .ok_or_else(|| refuse(0, "it begins with /, http:// or https://; nothing else is judged"))?;
        let start = before.len() - rest.len();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let origin = Origin::parse(scheme, authority).map_err(|why| refuse(start, why))?;
        (Some(origin), path, start + authority.len())
    };
    let path = if raw.is_empty() { "/".to_owned() } else { path::canonical(raw, Place::Url, offset)? };
    Ok((Target { origin, path }, query))
}

/// What replaces the method or the path behind the check is not judged at all.
fn header<'h>(
    name: &str,
    value: &'h str,
    method: Option<&str>,
    types: &mut Vec<&'h str>,
) -> Result<(), Refusal> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(Refusal::new(Place::Header, "a name holds what no header may (RFC 9110 §5.1)"));
    }
    if value.bytes().any(|b| (b < 0x20 && b != b'\t') || b == 0x7f) {
        return Err(Refusal::new(Place::Header, "a value holds a control character"));
    }
    // CGI and its heirs do not tell '_' from '-'.
    let same = |known: &str| name.replace('_', "-").eq_ignore_ascii_case(known);
    let value = value.trim_matches([' ', '\t']);
    if REWRITES.into_iter().any(same) {
        return Err(Refusal::new(
            Place::Header,
            "X-Original-URL and X-Rewrite-URL replace the path behind the check",
        ));
    }
    if OVERRIDES.into_iter().any(same) && method != Some(value) {
        return Err(Refusal::new(Place::Header, "it names another method than the request has"));
    }
    if same("Content-Type") {
        types.push(value);
    }
    Ok(())
}
