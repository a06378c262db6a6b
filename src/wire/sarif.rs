//! What `scan` found, in SARIF 2.1.0 (OASIS), as code hosts take it.

use super::leak::Leak;
use crate::domain::leak::Kind;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The whole file.
#[derive(Serialize, Debug)]
pub struct Sarif<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    invocations: [Invocation<'a>; 1],
    results: Vec<Finding<'a>>,
}

#[derive(Serialize, Debug)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    rules: [Rule; 2],
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: &'static str,
    short_description: Text<'static>,
    help: Text<'static>,
}

#[derive(Serialize, Debug)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    /// Whether everything was read.
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification<'a>>,
}

#[derive(Serialize, Debug)]
struct Notification<'a> {
    level: &'static str,
    message: Text<'a>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints<'a>,
    properties: &'a Leak<'a>,
}

#[derive(Serialize, Debug)]
struct Message {
    text: String,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize, Debug)]
struct Artifact {
    uri: String,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u64,
    byte_offset: u64,
    byte_length: u64,
}

/// One token in one file is one alert, wherever a commit moves it to.
#[derive(Serialize, Debug)]
struct Fingerprints<'a> {
    #[serde(rename = "token/v1")]
    token: &'a str,
}

/// A token at a place, with what only this format tells.
#[derive(Debug)]
pub struct Spot<'a> {
    /// What every format tells.
    pub leak: &'a Leak<'a>,
    /// Whose format it is.
    pub kind: Kind,
    /// The file by its exact name.
    pub path: Option<&'a Path>,
    /// How long the token is.
    pub length: usize,
}

impl<'a> Sarif<'a> {
    /// What was found, and what could not be read.
    #[must_use]
    pub fn new(spots: &[Spot<'a>], trouble: &'a [String]) -> Self {
        let notification = |text: &'a String| Notification { level: "error", message: Text { text } };
        let invocation = Invocation {
            execution_successful: trouble.is_empty(),
            tool_execution_notifications: trouble.iter().map(notification).collect(),
        };
        let version = env!("CARGO_PKG_VERSION");
        let driver =
            Driver { name: "patctl", version, semantic_version: version, rules: Kind::ALL.map(rule) };
        let run = Run {
            tool: Tool { driver },
            invocations: [invocation],
            results: spots.iter().map(finding).collect(),
        };
        Self { schema: SCHEMA, version: "2.1.0", runs: [run] }
    }
}

fn rule(kind: Kind) -> Rule {
    let (name, short) = match kind {
        Kind::Patctl => ("PatctlToken", "A personal access token of patctl"),
        Kind::Atlassian => ("AtlassianToken", "A personal access token of Jira or Confluence Data Center"),
    };
    let text =
        "Revoke it: whoever can read this can use it. 'patctl scan --revoke' does, if it is one of yours.";
    Rule { id: rule_id(kind), name, short_description: Text { text: short }, help: Text { text } }
}

fn rule_id(kind: Kind) -> &'static str {
    match kind {
        Kind::Patctl => "patctl-token",
        Kind::Atlassian => "atlassian-token",
    }
}

fn finding<'a>(spot: &Spot<'a>) -> Finding<'a> {
    let leak = spot.leak;
    let level = match leak.state {
        _ if leak.live => "error",
        "expired" | "rotated" | "revoked" => "note",
        _ => "warning",
    };
    let whose = leak.user.map_or_else(String::new, |user| format!(" of {user}"));
    let text = format!("{}: a token{whose}, {}", leak.token, leak.state);
    let region = Region { start_line: leak.line, byte_offset: leak.offset, byte_length: spot.length as u64 };
    let artifact = Artifact { uri: spot.path.map_or_else(|| "stdin".to_owned(), uri) };
    Finding {
        rule_id: rule_id(spot.kind),
        rule_index: Kind::ALL.iter().position(|kind| *kind == spot.kind).unwrap_or_default(),
        level,
        message: Message { text },
        locations: [Location { physical_location: Physical { artifact_location: artifact, region } }],
        partial_fingerprints: Fingerprints { token: leak.token },
        properties: leak,
    }
}

/// A relative path as it is, an absolute one as a file URI; a token in it is masked as everywhere.
fn uri(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let text = path.to_str().map(crate::domain::leak::mask);
    let bytes = text.as_deref().map_or(path.as_os_str().as_bytes(), str::as_bytes);
    let mut uri = String::from(if path.is_absolute() { "file://" } else { "" });
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_path_becomes_a_uri_whatever_is_in_it() {
        assert_eq!(uri(Path::new("a b/ü?#%.txt")), "a%20b/%C3%BC%3F%23%25.txt");
        assert_eq!(uri(Path::new("/srv/x")), "file:///srv/x");
        assert_eq!(uri(Path::new(OsStr::from_bytes(b"\xff:1"))), "%FF%3A1");
        let named = uri(Path::new("MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERIT"));
        assert_eq!(named, "MTIzNDU2Nzg5MDEy%E2%80%A6");
    }
}
