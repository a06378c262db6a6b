//! wget: the token in a configuration file. It takes none from a pipe, so the file is a temporary one
//! that has no name any more when wget begins: whatever happens, nothing is left behind.

use super::shell::{Source, lines, quote};
use super::{Auth, Call, TokenFrom, typed_headers};

pub(super) fn unfit(call: &Call) -> Option<&'static str> {
    if call.follow {
        return Some("it sends the token on to whatever host a redirect names, and makes a GET of a POST");
    }
    match &call.auth {
        Auth::Basic { user } if user.trim() != user => Some("it drops blanks at the ends of a user name"),
        _ => None,
    }
}

pub(super) fn write(call: &Call, token: &TokenFrom) -> String {
    let source = Source::of(token);
    let Source { before, word, without, after } = &source;
    let print = match &call.auth {
        Auth::Bearer => format!("printf 'header = Authorization: Bearer %s\\n' {word}"),
        Auth::Basic { user } => {
            format!("printf 'user = %s\\npassword = %s\\nauth_no_challenge = on\\n' {} {word}", quote(user))
        }
    };
    let mut words = vec![
        format!("{without}wget --config=/dev/fd/4 --quiet --output-document=-"),
        // It would try again, and call twice.
        "--tries=1 --max-redirect=0 --content-on-error --no-netrc --no-iri".to_owned(),
        format!("--method={}", call.method),
    ];
    for (name, value) in typed_headers(call) {
        words.push(format!("--header={}", quote(&format!("{name}: {value}"))));
    }
    if let Some(body) = call.body.as_ref().filter(|body| !body.is_empty()) {
        words.push(format!("--body-data={}", quote(body)));
    }
    words.push(quote(&call.url));
    // Within a subshell already where the token comes from a file.
    let (open, close) = if *after == ")" { ("", ")") } else { ("(", ")") };
    format!(
        "{before}{open}file=$(mktemp) && exec 3>\"$file\" 4<\"$file\" && rm \"$file\" &&\n  {print} >&3 &&\n  {}{close}",
        lines(&words, "    ")
    )
}
