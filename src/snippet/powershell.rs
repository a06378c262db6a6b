//! `PowerShell` 7.

use super::{Auth, Call, TOKEN_MARK, TokenFrom, typed_headers};
use std::fmt::Write as _;

pub(super) fn unfit(call: &Call) -> Option<&'static str> {
    if call.follow {
        return Some("it drops the Authorization header at every redirect");
    }
    if call.body.is_some() && call.method == "GET" {
        return Some("it puts the body of a GET into the query");
    }
    if call.body.is_none() && call.content_type().is_some() {
        return Some("it sends no content type without a body");
    }
    if call.headers.iter().any(|(_, value)| !value.is_ascii()) {
        return Some("it sends no header with characters outside ASCII");
    }
    None
}

/// A string in single quotes. Typographic ones end it, too.
fn quote(text: &str) -> String {
    let mut quoted = String::from('\'');
    for c in text.chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

pub(super) fn write(call: &Call, token: &TokenFrom) -> String {
    let mut text = String::from("# PowerShell 7 or later\n");
    let found = match token {
        TokenFrom::Variable(name) => {
            format!("$token = $env:{name}\nif (-not $token) {{ throw '{name} is not set' }}\n")
        }
        TokenFrom::File(path) => format!("$token = (Get-Content -Raw -LiteralPath {}).Trim()\n", quote(path)),
        TokenFrom::Here => format!("$token = {}\n", quote(&TOKEN_MARK.to_string())),
    };
    text.push_str(&found);
    let value = match &call.auth {
        Auth::Bearer => "'Bearer ' + $token".to_owned(),
        Auth::Basic { user } => format!(
            "'Basic ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes({} + $token))",
            quote(&format!("{user}:"))
        ),
    };
    let _ = writeln!(text, "$headers = @{{\n    'Authorization' = {value}");
    let (mut kind, headers) = (None, typed_headers(call));
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("Content-Type") {
            kind = Some(value.to_owned());
        } else {
            let _ = writeln!(text, "    {} = {}", quote(name), quote(value));
        }
    }
    let _ = write!(
        text,
        "}}\n$response = Invoke-WebRequest -Method {} -Uri {} `\n    -Headers $headers -SkipHeaderValidation",
        call.method,
        quote(&call.url)
    );
    if let Some(body) = &call.body {
        if let Some(kind) = kind {
            let _ = write!(text, " `\n    -ContentType {}", quote(&kind));
        }
        let _ = write!(text, " `\n    -Body ([Text.Encoding]::UTF8.GetBytes({}))", quote(body));
    }
    text.push_str(
        " `\n    -MaximumRedirection 0 -SkipHttpErrorCheck -ErrorAction SilentlyContinue\n\
         \"$($response.StatusCode) $($response.Content)\"",
    );
    text
}
