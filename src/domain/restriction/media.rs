//! What a body says it is (RFC 9110 §8.3.1), as far as rules care.

/// What was said, as far as it can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Media {
    /// Empty: it cannot be read.
    essence: String,
    /// Whether the parameters are in order, and the charset is absent or UTF-8.
    plain: bool,
}

/// Reads `type/subtype; name=value`. A server may be more lenient: what it might still take for a form
/// is one here, too.
#[must_use]
pub fn parse(text: &str) -> Media {
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let essence = essence.trim_matches([' ', '\t']).to_ascii_lowercase();
    let readable = essence.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    let essence = if readable { essence } else { String::new() };
    Media { essence, plain: is_plain(parameters) }
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
        json && self.plain
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

    /// Whether a server may read it in a way that cannot be known here: no type that can be read, or a
    /// form in another charset.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        self.essence.is_empty() || (self.is_form() && !self.plain)
    }
}
