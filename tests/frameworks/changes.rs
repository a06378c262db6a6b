//! Every small change of a name: each byte put in at each place, or for each byte, in every kind of body.

use crate::random::{differential, report};
use crate::wire::Wire;

/// Characters beyond ASCII that fold to one in it, or that cannot be seen.
const BEYOND: &[&str] = &[
    "\u{212a}", "\u{17f}", "\u{130}", "\u{131}", "\u{ad}", "\u{a0}", "\u{200b}", "\u{feff}", "\u{3000}",
    "\u{2028}", "\u{ff3f}", "\u{301}", "\u{85}",
];

/// What is put in: every byte that is no letter and no digit, and what is beyond ASCII.
fn pieces() -> Vec<Vec<u8>> {
    let bytes = (0..=255_u8).filter(|byte| !byte.is_ascii_alphanumeric()).map(|byte| vec![byte]);
    bytes.chain(BEYOND.iter().map(|text| text.as_bytes().to_vec())).collect()
}

/// The name with one piece in it, or in the place of one character.
fn changed(name: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for piece in pieces() {
        for at in 0..=name.len() {
            let (before, after) = name.as_bytes().split_at(at);
            all.push([before, &piece, after].concat());
            all.push([before, &piece, after.get(1..).unwrap_or_default()].concat());
        }
    }
    all
}

/// The name between two characters of ASCII that are no letters and no digits.
fn enclosed(name: &str) -> Vec<Vec<u8>> {
    let all = || (0..128_u8).filter(|byte| !byte.is_ascii_alphanumeric());
    all().flat_map(|before| all().map(move |after| [&[before], name.as_bytes(), &[after]].concat())).collect()
}

fn encoded(name: &[u8]) -> String {
    let byte = |byte: &u8| {
        if byte.is_ascii_alphanumeric() { char::from(*byte).to_string() } else { format!("%{byte:02X}") }
    };
    name.iter().map(byte).collect()
}

fn post(target: &str, kind: &str, body: Vec<u8>) -> Wire {
    Wire {
        method: "POST".to_owned(),
        target: target.to_owned(),
        headers: vec![("Content-Type".to_owned(), kind.to_owned())],
        body: Some(body),
        unseen: false,
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The name with a value in every place where a service may look for it.
fn requests(name: &[u8], value: &str, query: &str) -> Vec<Wire> {
    let (plain, target) = (encoded(name), format!("/x?{query}"));
    let raw = [name, b"=", value.as_bytes()].concat();
    let mut all = vec![
        Wire { method: "POST".to_owned(), target: format!("{target}&{plain}={value}"), ..Wire::default() },
        post(&target, FORM, format!("{plain}={value}").into_bytes()),
        post(&target, FORM, raw),
    ];
    if let Ok(text) = std::str::from_utf8(name) {
        let member = serde_json::json!({ text: value, "key": "A" }).to_string();
        all.push(post(&target, "application/json", member.into_bytes()));
        // The guarded member first: of two, parsers take the last.
        let text = serde_json::Value::from(text).to_string();
        let member = format!("{{\"key\":\"A\",\"project\":{{\"key\":\"A\"}},{text}:\"{value}\"}}");
        all.push(post(&target, "application/json", member.into_bytes()));
    }
    let part = [b"--b\r\nContent-Disposition: form-data; name=\"", name, b"\"\r\n\r\n"].concat();
    let part = [&part, value.as_bytes(), b"\r\n--b--\r\n"].concat();
    all.push(post(&target, "multipart/form-data; boundary=b", part));
    all
}

#[test]
fn no_small_change_of_a_name_gets_through() {
    let long = std::env::var_os("PATCTL_LONG").is_some();
    let mut all = Vec::new();
    for (name, value) in [("project_id", "HR"), ("_method", "DELETE"), ("key", "B"), ("project.id", "HR")] {
        let names = changed(name).into_iter().chain(enclosed(name));
        all.extend(names.flat_map(|name| requests(&name, value, "project_id=JRA&project.id=JRA")));
    }
    // Every request in turn, over the years.
    let step = if long { 1 } else { 23 };
    let tallies = differential("no_small_change_of_a_name_gets_through", all.into_iter().step_by(step));
    report(&tallies, "small changes");
}
