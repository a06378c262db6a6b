//! Python 3 with requests.

use super::{Auth, Call, TOKEN_MARK, TokenFrom};
use std::fmt::Write as _;

/// A string. What could not be seen is escaped.
fn quote(text: &str) -> String {
    super::double_quoted(text, |c| format!("\\U{:08x}", u32::from(c)))
}

/// Text of which UTF-8 is sent; as it is, requests would send Latin-1.
fn bytes(text: &str) -> String {
    format!("{}.encode()", quote(text))
}

pub(super) fn write(call: &Call, token: &TokenFrom) -> String {
    let mut text = String::from("# Python 3 with the package requests\n");
    let (import, value) = match token {
        TokenFrom::Variable(name) => ("import os\n", format!("os.environ[\"{name}\"]")),
        TokenFrom::File(path) => {
            ("import pathlib\n", format!("pathlib.Path({}).read_text().strip()", quote(path)))
        }
        TokenFrom::Here => ("", quote(&TOKEN_MARK.to_string())),
    };
    text.push_str(import);
    if call.follow {
        text.push_str("import urllib.parse\n");
    }
    let _ = write!(text, "\nimport requests\n\ntoken = {value}\n\n\n");
    text.push_str(match call.auth {
        Auth::Bearer => "def bearer(request):\n    request.headers[\"Authorization\"] = \"Bearer \" + token\n    return request\n\n\n",
        Auth::Basic { .. } => "",
    });
    if call.follow {
        let _ = write!(text, "url = {}\nfor hop in range(11):\n", quote(&call.url));
        text.push_str(&request(call, "url", "    "));
        text.push_str(FOLLOW);
    } else {
        text.push_str(&request(call, &quote(&call.url), ""));
    }
    text.push_str("print(response.status_code, response.text)");
    text
}

/// requests that followed by itself would make a GET of a POST.
const FOLLOW: &str = r#"    if not response.is_redirect:
        break
    target = urllib.parse.urljoin(url, response.headers["Location"])
    if urllib.parse.urlsplit(target)[:2] != urllib.parse.urlsplit(url)[:2]:
        raise SystemExit("redirected elsewhere: " + target)
    url = target
"#;

fn request(call: &Call, url: &str, margin: &str) -> String {
    let mut text = format!(
        "{margin}response = requests.request(\n{margin}    \"{}\",\n{margin}    {url},\n",
        call.method
    );
    if !call.headers.is_empty() {
        let _ = writeln!(text, "{margin}    headers={{");
        for (name, value) in &call.headers {
            let value = if value.is_ascii() { quote(value) } else { bytes(value) };
            let _ = writeln!(text, "{margin}        {}: {value},", quote(name));
        }
        let _ = writeln!(text, "{margin}    }},");
    }
    if let Some(body) = &call.body {
        let _ = writeln!(text, "{margin}    data={},", bytes(body));
    }
    // A header alone would give way to what stands in ~/.netrc.
    let auth = match &call.auth {
        Auth::Bearer => "bearer".to_owned(),
        Auth::Basic { user } => format!("({}, token.encode())", bytes(user)),
    };
    let _ = writeln!(text, "{margin}    auth={auth},\n{margin}    allow_redirects=False,\n{margin})");
    text
}
