//! A raw HTTP/1.1 request (RFC 9112), as a proxy logs it or a person keeps it.

use crate::domain::restriction::Sent;

/// Takes a message apart.
///
/// # Errors
/// What keeps it from being one request, with its line.
pub fn parse(message: &[u8]) -> Result<Sent, String> {
    let (head, body) = split(message);
    let head = std::str::from_utf8(head).map_err(|_| "the head is not UTF-8".to_owned())?;
    let mut lines = head.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (first.next(), first.next(), first.next(), first.next())
    else {
        return Err("line 1: a request begins with METHOD, target and HTTP/1.1".to_owned());
    };
    if !version.starts_with("HTTP/") {
        return Err("line 1: a request begins with METHOD, target and HTTP/1.1".to_owned());
    }
    let mut sent = Sent {
        method: Some(method.to_owned()),
        url: Some(target.to_owned()),
        // The message is whole: what is not in it does not come, whatever method and type announce.
        body: Some(body.to_vec()),
        ..Sent::default()
    };
    for (number, line) in (2..).zip(lines) {
        if line.starts_with([' ', '\t']) {
            return Err(format!(
                "line {number}: a header that goes on over lines is read differently by servers"
            ));
        }
        let (name, value) =
            line.split_once(':').ok_or(format!("line {number}: a header is 'Name: value'"))?;
        let value = value.trim_matches([' ', '\t']);
        match name.to_ascii_lowercase().as_str() {
            "transfer-encoding" => {
                return Err(format!("line {number}: a body with a transfer encoding is not taken apart"));
            }
            "content-length" if !is_number(value, body.len()) => {
                let found = body.len();
                return Err(format!("line {number}: the body has {found} bytes, the header says otherwise"));
            }
            // Twice is malformed, so it counts; what it says is not for any answer.
            "authorization" => sent.headers.push((name.to_owned(), String::new())),
            "proxy-authorization" | "cookie" => {}
            _ => sent.headers.push((name.to_owned(), value.to_owned())),
        }
    }
    Ok(sent)
}

fn is_number(text: &str, number: usize) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse() == Ok(number)
}

/// Head and body; without an empty line all of it is the head.
fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in message.split_inclusive(|b| *b == b'\n') {
        let end = at + line.len();
        if line == b"\n" || line == b"\r\n" {
            let head = &message[..at];
            let head = head.strip_suffix(b"\n").unwrap_or(head);
            return (head.strip_suffix(b"\r").unwrap_or(head), &message[end..]);
        }
        at = end;
    }
    let head = message.strip_suffix(b"\n").unwrap_or(message);
    (head.strip_suffix(b"\r").unwrap_or(head), b"")
}
