//! A request as rules see it: canonical, or refused because two programs could read it differently.

use super::body::{Body, Merges, Taken};
use super::head::Head;
use super::json::Json;
use super::media::Media;
use super::method;
use super::origin::{self, Origin};
use super::query::{self, Parameters};
use super::sent::Given;
use super::{MAX_URL, path};
use std::fmt;

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
    /// The value of its Host header, which can be read as host and port.
    host: Option<String>,
    body: Body,
    merges: Merges,
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
        let head = Head::read(given, method)?;
        let body = Body::new(given, method, &head)?;
        let (media, host) = (head.media, head.host);
        Ok(Self { method, target, query, media, host, body, merges: given.merges })
    }

    /// The body as JSON; `None`: none was handed over, or it does not say that it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<&Result<Json, Refusal>> {
        self.body.json(self.media.as_ref())
    }

    /// What the service may take from the body beside the members that `JsonData` looks at.
    #[must_use]
    pub fn taken(&self) -> Taken<'_> {
        self.body.taken(self.media.as_ref(), self.merges)
    }

    /// Whether a body was handed over.
    #[must_use]
    pub const fn has_body(&self) -> bool {
        self.body.is_seen()
    }

    /// Whether there may be a body that was not handed over.
    #[must_use]
    pub const fn has_unseen_body(&self) -> bool {
        self.body.is_unseen()
    }

    /// Whether its Host header names another origin than this one. It is no origin of its own: who sends
    /// the request chooses it.
    #[must_use]
    pub fn is_for_another(&self, origin: &Origin) -> bool {
        self.host.as_deref().is_some_and(|host| !origin.is_at(host))
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
