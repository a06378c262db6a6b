//! Go with its standard library, formatted as gofmt does.

use super::{Auth, Call, TOKEN_MARK, TokenFrom};
use std::fmt::Write as _;

/// A string. What could not be seen is escaped.
fn quote(text: &str) -> String {
    super::double_quoted(text, |c| format!("\\U{:08x}", u32::from(c)))
}

/// What every step of a program does about an error.
fn or_fatal(margin: &str) -> String {
    format!("{margin}if err != nil {{\n{margin}\tlog.Fatal(err)\n{margin}}}\n")
}

pub(super) fn write(call: &Call, token: &TokenFrom) -> String {
    let mut text = String::from("package main\n\nimport (\n");
    let reads_token = !matches!(token, TokenFrom::Here);
    let needs = [
        ("fmt", true),
        ("io", true),
        ("log", true),
        ("net/http", true),
        ("os", reads_token),
        ("strings", call.body.is_some() || matches!(token, TokenFrom::File(_))),
    ];
    for (name, _) in needs.into_iter().filter(|(_, needed)| *needed) {
        let _ = writeln!(text, "\t\"{name}\"");
    }
    text.push_str(")\n\nfunc main() {\n");
    let found = match token {
        TokenFrom::Variable(name) => format!(
            "\ttoken := os.Getenv(\"{name}\")\n\tif token == \"\" {{\n\t\tlog.Fatal(\"{name} is not set\")\n\t}}\n"
        ),
        TokenFrom::File(path) => format!(
            "\tfile, err := os.ReadFile({})\n{}\ttoken := strings.TrimSpace(string(file))\n",
            quote(path),
            or_fatal("\t")
        ),
        TokenFrom::Here => format!("\ttoken := {}\n", quote(&TOKEN_MARK.to_string())),
    };
    text.push_str(&found);
    text.push_str(
        "\tclient := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {\n\
         \t\treturn http.ErrUseLastResponse\n\t}}\n",
    );
    if call.follow {
        let _ = writeln!(text, "\turl := {}\n\tfor hops := 0; ; hops++ {{", quote(&call.url));
        text.push_str(&exchange(call, "url", "\t\t"));
        text.push_str(FOLLOW);
        text.push_str("\t}\n}");
    } else {
        text.push_str(&exchange(call, &quote(&call.url), "\t"));
        text.push_str("\tfmt.Println(response.StatusCode, string(answer))\n}");
    }
    text
}

/// A client that followed by itself would make a GET of a POST.
const FOLLOW: &str = "\t\tnext, err := response.Location()
\t\tif response.StatusCode < 300 || response.StatusCode > 399 || err != nil || hops == 10 {
\t\t\tfmt.Println(response.StatusCode, string(answer))
\t\t\treturn
\t\t}
\t\tif next.Scheme != request.URL.Scheme || next.Host != request.URL.Host {
\t\t\tlog.Fatal(\"redirected elsewhere: \", next)
\t\t}
\t\turl = next.String()
";

/// Sends the request, and has the answer read.
fn exchange(call: &Call, url: &str, margin: &str) -> String {
    let body =
        call.body.as_ref().map_or("nil".to_owned(), |body| format!("strings.NewReader({})", quote(body)));
    let fatal = or_fatal(margin);
    let mut text =
        format!("{margin}request, err := http.NewRequest(\"{}\", {url}, {body})\n{fatal}", call.method);
    let _ = match &call.auth {
        Auth::Bearer => writeln!(text, "{margin}request.Header.Set(\"Authorization\", \"Bearer \"+token)"),
        Auth::Basic { user } => writeln!(text, "{margin}request.SetBasicAuth({}, token)", quote(user)),
    };
    for (name, value) in &call.headers {
        let _ = writeln!(text, "{margin}request.Header.Set({}, {})", quote(name), quote(value));
    }
    let _ = write!(
        text,
        "{margin}response, err := client.Do(request)\n{fatal}{margin}answer, err := io.ReadAll(response.Body)\n\
         {margin}response.Body.Close()\n{fatal}"
    );
    text
}
