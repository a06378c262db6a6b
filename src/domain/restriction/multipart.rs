//! Multipart bodies (RFC 7578): one profile in which every framework finds the same names, and a refusal
//! of everything else. Rack takes names from Content-ID and from file names, PHP and others undo escapes,
//! and parsers differ in where a part begins.

use super::MAX_BODY;
use super::fold;
use super::media::Boundary;
use super::path::hex;

/// Parts that are looked at.
const MAX_PARTS: usize = 1000;

/// Whether no framework takes a method from this body.
///
/// # Errors
/// Why one may.
pub fn keeps_method(body: &[u8], boundary: Option<&Boundary>) -> Result<(), &'static str> {
    let boundary = boundary.ok_or("the multipart body is no multipart/form-data with one plain boundary")?;
    if body.len() > MAX_BODY {
        return Err("the multipart body has more than 1 MiB, and not all of it is seen");
    }
    let names = parts(body, boundary).ok_or("the multipart body is not as plain as it must be")?;
    let taken =
        |name: &String| fold::overrides_method(name) || fold::overrides_method(&percent_decoded(name));
    if names.iter().any(taken) {
        return Err("a part of the multipart body may replace the method behind the check");
    }
    Ok(())
}

/// Names and file names of all parts; `None`: the body is outside the profile.
fn parts(body: &[u8], boundary: &Boundary) -> Option<Vec<String>> {
    let delimiter = format!("--{}", boundary.text).into_bytes();
    let quoted = format!("--\"{}", boundary.text).into_bytes();
    if boundary.quoted && find(body, &quoted).is_some() {
        return None;
    }
    let mut rest = body.strip_prefix(delimiter.as_slice())?;
    let (mut names, mut count) = (Vec::new(), 0);
    loop {
        if let Some(behind) = rest.strip_prefix(b"--") {
            return (behind.is_empty() || behind == b"\r\n").then_some(names);
        }
        count += 1;
        let part = rest.strip_prefix(b"\r\n").filter(|_| count <= MAX_PARTS)?;
        // The next delimiter, however it is introduced: it must stand at the beginning of a line.
        let at = find(part, &delimiter)?;
        let content = part[..at].strip_suffix(b"\r\n")?;
        head(&content[..find(content, b"\r\n\r\n")?], &mut names)?;
        rest = &part[at + delimiter.len()..];
    }
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, word)
}

/// The headers of a part: exactly one Content-Disposition, at most one Content-Type.
fn head(head: &[u8], names: &mut Vec<String>) -> Option<()> {
    let head = std::str::from_utf8(head).ok()?;
    let (mut disposition, mut kind) = (false, false);
    for line in head.split("\r\n") {
        if line.chars().any(char::is_control) {
            return None;
        }
        let (name, value) = line.split_once(':')?;
        let value = value.trim_matches(' ');
        if name.eq_ignore_ascii_case("Content-Disposition") {
            if std::mem::replace(&mut disposition, true) {
                return None;
            }
            self::disposition(value, names)?;
        } else if name.eq_ignore_ascii_case("Content-Type") {
            // Parts inside a part are parts to some.
            let nested = value.to_ascii_lowercase().contains("multipart");
            if std::mem::replace(&mut kind, true) || nested {
                return None;
            }
        } else {
            return None;
        }
    }
    disposition.then_some(())
}

/// `form-data; name="a"; filename="b"`, in either order.
fn disposition(value: &str, names: &mut Vec<String>) -> Option<()> {
    let word = "form-data";
    let (kind, mut rest) = value.split_at_checked(word.len())?;
    if !kind.eq_ignore_ascii_case(word) {
        return None;
    }
    let (mut name, mut file) = (false, false);
    while !rest.is_empty() {
        let parameter = rest.strip_prefix(';')?.trim_start_matches(' ');
        let (key, behind) = parameter.split_once("=\"")?;
        let (text, after) = behind.split_once('"')?;
        let seen = match key.to_ascii_lowercase().as_str() {
            "name" => &mut name,
            "filename" => &mut file,
            _ => return None,
        };
        if std::mem::replace(seen, true) || text.contains('\\') {
            return None;
        }
        names.push(text.to_owned());
        rest = after;
    }
    name.then_some(())
}

/// Browsers write `"` and line breaks as `%22`, `%0D`, `%0A`, and some servers undo that.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let value = if byte == b'%' { hex(bytes.get(at + 1..at + 3)) } else { None };
        decoded.push(value.unwrap_or(byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::media;
    use super::*;

    fn keeps(kind: &str, body: &str) -> bool {
        keeps_method(body.as_bytes(), media::parse(kind).boundary()).is_ok()
    }

    const KIND: &str = "multipart/form-data; boundary=b";

    #[test]
    fn what_clients_send_is_in_the_profile() {
        let field = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--\r\n";
        let empty = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--b--";
        let file = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a b.txt\"\r\n\
                    Content-Type: text/plain\r\n\r\nline\r\n\r\nline\r\n--b\r\n\
                    content-disposition: form-data; name=\"n\"\r\n\r\n1\r\n--b--\r\n";
        for body in [field, empty, file] {
            assert!(keeps(KIND, body), "{body:?}");
            assert!(keeps("multipart/form-data;boundary=\"b\"", body), "{body:?}");
        }
        assert!(!keeps(KIND, &field.replace("\"a\"", "\"_method\"")));
    }

    #[test]
    fn what_two_parsers_read_differently_is_outside_the_profile() {
        let field = |head: &str| format!("--b\r\n{head}\r\n\r\nx\r\n--b--\r\n");
        for head in [
            "",
            "Content-Type: text/plain",
            "Content-Disposition: form-data",
            "Content-Disposition: attachment; name=\"a\"",
            "Content-Disposition: form-data; name=a",
            "Content-Disposition: form-data; name=\"a\"; name=\"c\"",
            "Content-Disposition: form-data; name=\"a\"; name*=utf-8''_method",
            "Content-Disposition: form-data; name=\"a\"; filename=\"x\"; filename=\"y\"",
            "Content-Disposition: form-data; name=\"a\\\"\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"c\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-ID: _method",
            "Content-Disposition: form-data;\r\n name=\"a\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: multipart/mixed; boundary=c",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: a/b\r\nContent-Type: a/b",
            "Content-Disposition: form-data; name=\"a\"; filename=\"_method\"",
            "Content-Disposition: form-data; name=\".method\"",
            "Content-Disposition: form-data; name=\"%5fmethod\"",
            "Content-Disposition: form-data; name=\"a\u{0}\"",
        ] {
            assert!(!keeps(KIND, &field(head)), "{head:?}");
        }
        let part = "Content-Disposition: form-data; name=\"a\"\r\n\r\nx";
        for body in [
            format!("preamble\r\n--b\r\n{part}\r\n--b--\r\n"),
            format!("\r\n--b\r\n{part}\r\n--b--\r\n"),
            format!("--b\r\n{part}\r\n--b--\r\nepilogue"),
            format!("--b\r\n{part}\r\n--b\r\n"),
            format!("--b\r\n{part}\r\n--bc\r\nmore\r\n--b--\r\n"),
            format!("--b\r\n{part}\n--b--\r\n"),
            format!("--b\r\n{part} --b\r\n--b--\r\n"),
            format!("--b\n{part}\r\n--b--\r\n"),
            format!("--b \r\n{part}\r\n--b--\r\n"),
            "--b--\r\nx".to_owned(),
            String::new(),
        ] {
            assert!(!keeps(KIND, &body), "{body:?}");
        }
        let body = format!("--b\r\n{part}\r\n--b--\r\n");
        for kind in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=b; boundary=c",
            "multipart/form-data; boundary=b; charset=utf-8",
            "multipart/form-data; boundary=b,c",
            "multipart/form-data; boundary=\"b c\"",
            "multipart/mixed; boundary=b",
        ] {
            assert!(!keeps(kind, &body), "{kind}");
        }
        let hidden = format!("--b\r\n{part}\r\n--\"b\"\r\n\r\n--b--\r\n");
        assert!(keeps(KIND, &hidden) && !keeps("multipart/form-data; boundary=\"b\"", &hidden));
    }

    #[test]
    fn too_many_parts_or_bytes_are_outside_the_profile() {
        let part = "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b";
        let of = |count: usize| format!("--b{}--\r\n", part.repeat(count));
        assert!(keeps(KIND, &of(MAX_PARTS)) && !keeps(KIND, &of(MAX_PARTS + 1)));
        let long = |length: usize| {
            let (before, after) = ("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", "\r\n--b--");
            format!("{before}{}{after}", "x".repeat(length - before.len() - after.len()))
        };
        assert!(keeps(KIND, &long(MAX_BODY)) && !keeps(KIND, &long(MAX_BODY + 1)));
    }
}
