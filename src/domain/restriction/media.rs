//! What a body says it is (RFC 9110 §8.3.1), as far as rules care.

/// A media type that is well formed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Media {
    essence: String,
    /// `None`: none is named. Named twice, it is none that we know.
    charset: Option<String>,
}

/// Reads `type/subtype; name=value`; `None`: it is not well formed.
#[must_use]
pub fn parse(text: &str) -> Option<Media> {
    let mut parts = text.split(';').map(|part| part.trim_matches([' ', '\t']));
    let essence = parts.next()?.to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/')?;
    if !is_token(kind) || !is_token(subtype) {
        return None;
    }
    let mut charset = None;
    for part in parts.filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        if !is_token(name) || value.contains('"') {
            return None;
        }
        if name.eq_ignore_ascii_case("charset") && charset.replace(value.to_ascii_lowercase()).is_some() {
            return None;
        }
    }
    Some(Media { essence, charset })
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

impl Media {
    /// `type/subtype`, lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.essence
    }

    /// Whether a server reads it as JSON in UTF-8 (RFC 8259 §11, RFC 6839 §3.1).
    #[must_use]
    pub fn is_json(&self) -> bool {
        let suffixed = |rest: &str| rest.strip_suffix("+json").is_some_and(|name| !name.is_empty());
        let json =
            self.essence.strip_prefix("application/").is_some_and(|rest| rest == "json" || suffixed(rest));
        json && self.charset.as_deref().is_none_or(|charset| charset == "utf-8")
    }

    /// Whether a servlet merges its parameters with those of the query.
    #[must_use]
    pub fn is_form(&self) -> bool {
        self.essence == "application/x-www-form-urlencoded"
    }

    /// Whether it has parts, which may be parameters.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.essence.starts_with("multipart/")
    }
}
