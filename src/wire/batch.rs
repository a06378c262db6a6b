//! What `verify --batch` reads, and answers where it could not.

use super::headers::Headers;
use serde::{Deserialize, Serialize};

/// One line: a token, and the request it is presented for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presented {
    /// The bare token, or the value of an `Authorization` header.
    pub token: String,
    /// The method.
    pub method: Option<String>,
    /// The URL.
    pub url: Option<String>,
    /// The query apart from the URL.
    pub query: Option<String>,
    /// The body as text.
    pub body: Option<String>,
    /// The body in Base64.
    pub body_b64: Option<String>,
    /// What the body says it is.
    pub content_type: Option<String>,
    /// Headers.
    pub headers: Option<Headers>,
    /// Whether there may be a body that is not handed over.
    #[serde(default)]
    pub body_unseen: bool,
    /// The address of the client.
    pub client: Option<String>,
    /// What the service calls the request.
    pub request_id: Option<String>,
}

impl Presented {
    /// Reads one line.
    ///
    /// # Errors
    /// What is wrong with it, and in which column. It does not quote the line, which may hold a token.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(line).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Data => {
                    "a field is missing, unknown, given twice, or of another type"
                }
                _ => "it is not one JSON object",
            };
            format!("{what} (column {})", error.column())
        })
    }
}

/// The answer to a line that could not be read.
#[derive(Serialize, Debug)]
pub struct Unread {
    /// Never.
    pub allowed: bool,
    /// `unreadable`
    pub reason: &'static str,
    /// Which line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub error: String,
}
