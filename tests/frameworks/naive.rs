//! The control: a judge that compares names as they are, as a first attempt would. What it wrongly allows shows that
//! the requests are dangerous, and that the test would see it.

use crate::lines::Line;
use crate::wire::Wire;
use serde_json::Value;

/// Whether it allows the request.
pub fn allows(line: &Line, wire: &Wire) -> bool {
    let query = pairs(wire.target.split_once('?').map_or("", |(_, query)| query).as_bytes());
    let kind =
        wire.headers.iter().find(|(name, _)| name == "Content-Type").map_or("", |(_, value)| value.as_str());
    let body = wire.body.as_deref().unwrap_or_default();
    let form = if kind.starts_with("application/x-www-form-urlencoded") { pairs(body) } else { Vec::new() };
    if line.has_method() {
        let overridden = query.iter().chain(&form).any(|(name, _)| name == "_method");
        if !line.names_method(&wire.method) || overridden {
            return false;
        }
    }
    line.guarded().all(|(json, name, wanted)| {
        if json {
            let value: Value = serde_json::from_slice(body).unwrap_or_default();
            return name.split('.').fold(&value, |value, name| &value[name]) == wanted
                && kind.contains("json");
        }
        let mut values =
            query.iter().chain(&form).filter(|(other, _)| other == name).map(|(_, value)| value).peekable();
        query.iter().any(|(other, _)| other == name)
            && values.peek().is_some()
            && values.all(|value| value == wanted)
    })
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(text);
    text.split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(n, v)| (decoded(n), decoded(v)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
