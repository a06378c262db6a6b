//! `HTTPie`: the token on stdin, from which `Authorization:@…` reads the value of the header.

use super::shell::{Source, lines, quote};
use super::{Call, TokenFrom};

/// Characters that a backslash takes their meaning from.
const SPECIAL: [char; 4] = [':', ';', '=', '@'];

pub(super) fn unfit(call: &Call) -> Option<&'static str> {
    // A backslash before one of these is always taken for an escape, and two are two.
    let lost = |value: &str| SPECIAL.iter().any(|c| value.contains(&format!("\\{c}")));
    if call.headers.iter().any(|(_, value)| lost(value)) {
        return Some("it cannot be given a header that holds a backslash before one of : ; = @");
    }
    if call.body.as_deref() == Some("--") {
        return Some("it takes a body that is -- for the end of its options");
    }
    if call.follow && !matches!(call.method, "GET" | "HEAD") {
        return Some("it drops the body at a redirect, or makes it a GET");
    }
    None
}

pub(super) fn write(call: &Call, token: &TokenFrom) -> String {
    let source = Source::of(token);
    let Source { before, without, after, .. } = &source;
    let mut words = vec![format!("{without}http --ignore-stdin --ignore-netrc")];
    if call.follow {
        words.push("--follow".to_owned());
    }
    words.push(format!("{} {}", call.method, quote(&call.url)));
    words.push("Authorization:@/dev/stdin".to_owned());
    for (name, value) in &call.headers {
        words.push(quote(&match value.chars().next() {
            None => format!("{name};"),
            // ':=' is JSON and ':@' a file.
            Some('=' | '@') => format!("{name}:\\{value}"),
            Some(_) => format!("{name}:{value}"),
        }));
    }
    if let Some(body) = &call.body {
        if call.content_type().is_none() {
            // Otherwise HTTPie says that it is JSON.
            words.push("Content-Type:".to_owned());
        }
        words.push(format!("--raw={}", quote(body)));
    }
    format!("{before}{} |\n  {}{after}", source.value(&call.auth), lines(&words, "    "))
}
