//! JavaScript: fetch, as Node.js 18 and later have it, in a module and in a script alike.

use super::{Auth, Call, TOKEN_MARK, TokenFrom};
use std::fmt::Write as _;

pub(super) fn unfit(call: &Call) -> Option<&'static str> {
    (call.method == "GET" && call.body.is_some()).then_some("fetch sends no body with a GET")
}

/// A string. What could not be seen is escaped.
fn quote(text: &str) -> String {
    super::double_quoted(text, |c| format!("\\u{{{:x}}}", u32::from(c)))
}

/// A string for a header: fetch sends each character as one byte, so that UTF-8 is written out.
fn header(text: &str) -> String {
    let mut quoted = String::from('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b'\t' => quoted.push_str("\\t"),
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => {
                let _ = write!(quoted, "\\x{byte:02x}");
            }
        }
    }
    quoted.push('"');
    quoted
}

pub(super) fn write(call: &Call, token: &TokenFrom) -> String {
    let mut text = String::from("// Node.js 18 or later\nasync function call() {\n");
    let found = match token {
        TokenFrom::Variable(name) => format!(
            "  const token = process.env.{name};\n  if (!token) throw new Error(\"{name} is not set\");\n"
        ),
        TokenFrom::File(path) => format!(
            "  const {{ readFile }} = await import(\"node:fs/promises\");\n  \
             const token = (await readFile({}, \"utf8\")).trim();\n",
            quote(path)
        ),
        TokenFrom::Here => format!("  const token = {};\n", quote(&TOKEN_MARK.to_string())),
    };
    text.push_str(&found);
    if call.follow {
        let _ =
            write!(text, "  let url = {};\n  const options = {};\n", quote(&call.url), options(call, "  "));
        text.push_str(FOLLOW);
    } else {
        let (url, options) = (quote(&call.url), options(call, "  "));
        let _ = writeln!(text, "  const response = await fetch({url}, {options});");
    }
    text.push_str("  console.log(response.status, await response.text());\n}\ncall();");
    text
}

/// A fetch that followed by itself would make a GET of a POST.
const FOLLOW: &str = r#"  let response = await fetch(url, options);
  for (let hops = 0; hops < 10 && [301, 302, 303, 307, 308].includes(response.status); hops++) {
    const next = new URL(response.headers.get("location"), url);
    if (next.origin !== new URL(url).origin) throw new Error("redirected elsewhere: " + next);
    await response.text();
    url = next.href;
    response = await fetch(url, options);
  }
"#;

fn options(call: &Call, margin: &str) -> String {
    let mut text = format!("{{\n{margin}  method: \"{}\",\n{margin}  headers: [\n", call.method);
    let value = match &call.auth {
        Auth::Bearer => "\"Bearer \" + token".to_owned(),
        Auth::Basic { user } => {
            let pair = quote(&format!("{user}:"));
            format!("\"Basic \" + Buffer.from({pair} + token).toString(\"base64\")")
        }
    };
    let _ = writeln!(text, "{margin}    [\"Authorization\", {value}],");
    for (name, value) in &call.headers {
        let _ = writeln!(text, "{margin}    [{}, {}],", header(name), header(value));
    }
    let _ = writeln!(text, "{margin}  ],");
    if let Some(body) = &call.body {
        // A string would be given a content type.
        let body = quote(body);
        let body =
            if call.content_type().is_some() { body } else { format!("new TextEncoder().encode({body})") };
        let _ = writeln!(text, "{margin}  body: {body},");
    }
    let _ = write!(text, "{margin}  redirect: \"manual\",\n{margin}}}");
    text
}
