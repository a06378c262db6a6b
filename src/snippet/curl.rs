//! curl: the token on its stdin, as a header or, for Basic, as a line of its configuration.

use super::shell::{Source, lines, quote};
use super::{Auth, Call, TokenFrom};

pub(super) fn write(call: &Call, token: &TokenFrom) -> String {
    let source = Source::of(token);
    let Source { before, word, without, after } = &source;
    let (print, stdin) = match &call.auth {
        Auth::Bearer => (format!("printf 'Authorization: Bearer %s\\n' {word}"), "--header @-"),
        Auth::Basic { user } => {
            // Within the quotes of a configuration file.
            let user = quote(&user.replace('\\', r"\\").replace('"', r#"\""#));
            (format!("printf 'user = \"%s:%s\"\\n' {user} {word}"), "--config -")
        }
    };
    let mut words =
        vec![format!("{without}curl --silent --show-error --globoff --path-as-is"), stdin.to_owned()];
    words.extend(method(call));
    if call.follow {
        words.push("--location --post301 --post302 --post303".to_owned());
    }
    for (name, value) in &call.headers {
        // 'Name:' takes a header away, 'Name;' sends it empty.
        let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        words.push(format!("--header {}", quote(&line)));
    }
    if let Some(body) = &call.body {
        if call.content_type().is_none() {
            // Otherwise curl says that it is a form.
            words.push("--header 'Content-Type:'".to_owned());
        }
        words.push(format!("--data-raw {}", quote(body)));
    }
    words.push(quote(&call.url));
    format!("{before}{print} |\n  {}{after}", lines(&words, "    "))
}

/// The method, where the rest does not say it. A POST with a body is never named: with `--request`,
/// curl would keep the word at a redirect and drop the body.
fn method(call: &Call) -> Option<String> {
    match (call.method, call.body.is_some()) {
        ("GET", false) | ("POST", true) => None,
        ("HEAD", _) => Some("--head".to_owned()),
        (method, _) => Some(format!("--request {method}")),
    }
}
