//! A request, as a framework gets it and as patctl is told about it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patctl::domain::restriction::Sent;
use serde::Deserialize;
use serde_json::{Value, json};

/// A request on its way to a framework.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// What it has beside `Host` and `Content-Length`.
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    /// Whether patctl is not given the body, as behind nginx.
    pub unseen: bool,
}

impl Wire {
    fn all_headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![("Host".to_owned(), "service.example".to_owned())];
        headers.extend(self.headers.iter().cloned());
        if let Some(body) = &self.body {
            headers.push(("Content-Length".to_owned(), body.len().to_string()));
        }
        headers
    }

    /// As a worker reads it: one line.
    pub fn line(&self) -> String {
        let body = self.body.as_ref().map(|body| STANDARD.encode(body));
        let headers = self.all_headers();
        json!({"method": self.method, "target": self.target, "headers": headers, "body": body}).to_string()
    }

    /// As it is handed over to patctl.
    pub fn sent(&self) -> Sent {
        Sent {
            method: Some(self.method.clone()),
            url: Some(self.target.clone()),
            body: self.body.clone().filter(|_| !self.unseen),
            headers: self.all_headers(),
            ..Sent::default()
        }
    }

    /// For a reader: enough to do it again.
    pub fn told(&self) -> String {
        let body = self.body.as_ref().map(|body| body.escape_ascii().to_string());
        let unseen = if self.unseen { " (not handed over)" } else { "" };
        format!("{} {} {:?} body{unseen}: {body:?}", self.method, self.target, self.headers)
    }
}

/// What a framework makes of a request.
#[derive(Debug, Deserialize)]
pub struct Answer {
    /// Methods that an application may go by, each with the place it was taken from.
    pub methods: Vec<(String, String)>,
    /// Place, name and value of each thing that a handler may read.
    pub reads: Vec<(String, String, Value)>,
    /// Why no handler runs.
    #[serde(default)]
    pub refused: Option<String>,
}

impl Answer {
    pub fn parse(line: &str) -> Self {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}
