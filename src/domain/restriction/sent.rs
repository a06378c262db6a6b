//! A request as it was handed over.

use super::MAX_URL;
use super::body::Merges;
use super::origin;
use crate::domain::{leak, token};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroize;

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
    /// Whether there may be a body that was not handed over.
    pub body_unseen: bool,
    /// What the guarded service takes from bodies (`patctl.service.merges.body`).
    pub merges: Merges,
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
    /// See [`Given::body_unseen`].
    pub body_unseen: bool,
}

impl Zeroize for Sent {
    /// Wipes every text: a token may stand in a header, a URL or a body.
    fn zeroize(&mut self) {
        let Self { method, url, query, body, content_type, headers, body_unseen: _ } = self;
        [method, url, query, content_type].into_iter().for_each(Zeroize::zeroize);
        body.zeroize();
        for (name, value) in headers.iter_mut() {
            name.zeroize();
            value.zeroize();
        }
        headers.clear();
    }
}

impl Sent {
    /// What is handed over of it, all, for a service that takes everything from bodies.
    #[must_use]
    pub fn given(&self) -> Given<'_> {
        self.given_to(Merges::All)
    }

    /// What is handed over of it, all, for a service that takes this much from bodies.
    #[must_use]
    pub fn given_to(&self, merges: Merges) -> Given<'_> {
        Given {
            method: self.method.as_deref(),
            url: self.url.as_deref(),
            query: self.query.as_deref(),
            body: self.body.as_deref(),
            content_type: self.content_type.as_deref(),
            headers: &self.headers,
            body_unseen: self.body_unseen,
            merges,
        }
    }

    /// A text that was typed into an argument list and holds what looks like a token; `None`: none does.
    #[must_use]
    pub fn exposed(&self) -> Option<&'static str> {
        let secret = |text: &str| leak::mask(text) != text;
        let told = |text: &Option<String>| text.as_deref().is_some_and(secret);
        if told(&self.url) {
            Some("the URL")
        } else if told(&self.query) {
            Some("the query")
        } else if self.headers.iter().any(|(name, value)| secret(name) || secret(value)) {
            Some("a header")
        } else {
            (told(&self.content_type) || told(&self.method)).then_some("an option")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_request_that_was_wiped() {
        let text = || Some("patctl_secret".to_owned());
        let mut sent = Sent {
            method: text(),
            url: text(),
            query: text(),
            body: Some(b"patctl_secret".to_vec()),
            content_type: text(),
            headers: vec![("X-Key".to_owned(), "patctl_secret".to_owned())],
            body_unseen: true,
        };
        sent.zeroize();
        assert!(!format!("{sent:?}").contains("secret"), "{sent:?}");
        assert!(sent.body.is_none_or(|body| body.is_empty()));
    }
}
