//! What a body says it is (RFC 9110 §8.3.1), as far as rules care.

/// What was said, as far as it can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Media {
    /// Empty: it cannot be read.
    essence: String,
    /// Whether the parameters are in order, and the charset is absent or UTF-8.
    plain: bool,
    /// The boundary, where it is the only parameter and consists of token characters.
    boundary: Option<Boundary>,
    /// Whether the whole text names JSON, a form: some frameworks look for a word anywhere in it.
    names_json: bool,
    names_form: bool,
}

/// What separates the parts of a multipart body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Boundary {
    /// Without quotes.
    pub text: String,
    /// Whether it was written in quotes, which some servers keep.
    pub quoted: bool,
}

/// What a service may take from a body of a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Members of JSON in UTF-8.
    Json,
    /// Parameters of a form in UTF-8.
    Form,
    /// Parts, which may be parameters.
    Multipart,
    /// Nothing by itself: XML, images, archives.
    Inert,
    /// That cannot be known: no type, one that cannot be read, or one that frameworks read in several ways.
    Unclear,
}

/// Reads `type/subtype; name=value`. A server may be more lenient: what it might still take for a form
/// is one here, too.
#[must_use]
pub fn parse(text: &str) -> Media {
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let essence = essence.trim_matches([' ', '\t']).to_ascii_lowercase();
    let readable = essence.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    let essence = if readable { essence } else { String::new() };
    let whole = text.to_ascii_lowercase();
    Media {
        essence,
        plain: is_plain(parameters),
        boundary: boundary(parameters),
        names_json: whole.contains("json"),
        names_form: ["x-www-form", "form-data", "multipart"].iter().any(|word| whole.contains(word)),
    }
}

/// Whether there is nothing odd in the parameters (RFC 9110 §5.6.6).
fn is_plain(parameters: &str) -> bool {
    let mut charsets = 0;
    let in_order = |part: &str| {
        let Some((name, value)) = part.split_once('=') else { return false };
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        if name.to_ascii_lowercase().starts_with("charset") {
            charsets += 1;
            let known = name.eq_ignore_ascii_case("charset") && value.eq_ignore_ascii_case("utf-8");
            return known && charsets == 1;
        }
        is_token(name) && !value.contains('"')
    };
    let parts = parameters.split(';').map(|part| part.trim_matches([' ', '\t']));
    parts.filter(|part| !part.is_empty()).all(in_order)
}

/// The one parameter, if it is a boundary (RFC 2046 §5.1.1: at most 70 characters).
fn boundary(parameters: &str) -> Option<Boundary> {
    let (name, value) = parameters.trim_matches([' ', '\t']).split_once('=')?;
    let inside = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let text = inside.unwrap_or(value);
    (name.eq_ignore_ascii_case("boundary") && is_token(text) && text.len() <= 70)
        .then(|| Boundary { text: text.to_owned(), quoted: inside.is_some() })
}

/// Whether it is a token of RFC 9110 §5.6.2.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

impl Media {
    /// `type/subtype`, lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.essence
    }

    /// What a service may take from such a body.
    #[must_use]
    pub fn class(&self) -> Class {
        let Some((kind, subtype)) = self.essence.split_once('/') else { return Class::Unclear };
        let (json, form) = (self.names_json, self.names_form);
        let suffixed = |suffix: &str| subtype.strip_suffix(suffix).is_some_and(|name| !name.is_empty());
        match (kind, subtype) {
            ("multipart", _) => Class::Multipart,
            ("application", "x-www-form-urlencoded") if self.plain && !json => Class::Form,
            ("application", _) if (subtype == "json" || suffixed("+json")) && self.plain && !form => {
                Class::Json
            }
            _ if json || form => Class::Unclear,
            ("application", "pdf" | "zip" | "xml") | ("text", "xml") | ("image" | "audio" | "video", _) => {
                Class::Inert
            }
            ("application", _) if suffixed("+xml") => Class::Inert,
            _ => Class::Unclear,
        }
    }

    /// Whether a server reads it as JSON in UTF-8 (RFC 8259 §11, RFC 6839 §3.1).
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.class() == Class::Json
    }

    /// Whether it names a form, be it in a way that cannot be read.
    #[must_use]
    pub const fn names_form(&self) -> bool {
        self.names_form
    }

    /// The boundary of a `multipart/form-data` in order.
    #[must_use]
    pub fn boundary(&self) -> Option<&Boundary> {
        self.boundary.as_ref().filter(|_| self.essence == "multipart/form-data")
    }
}
