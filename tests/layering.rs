//! The house: a room imports only from floors below it, and a library lives in one room.
//!
//! Both are read off the source, so that an import in the wrong direction fails the suite with the
//! file and the line, whatever the compiler thinks of it.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, from the ground up. Rooms on one floor do not know each other, except as listed.
const FLOORS: &[&[&str]] = &[
    &["domain"],
    &["exit", "failure", "files", "world"],
    &["store", "config", "wire", "cli", "mail", "snippet", "dump", "search"],
    &["service", "output"],
    &["commands"],
    &["lib"],
    &["door", "main"],
];

/// Imports within a floor that are wanted, each with its reason.
const NEIGHBOURS: &[(&str, &str)] = &[
    ("failure", "exit"),  // a failure carries its status
    ("failure", "files"), // which errors of the system pass decides it
];

/// Where each library lives.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("argon2", &["domain"]),
    ("base64", &["domain"]),
    ("chacha20poly1305", &["domain"]),
    ("chrono", &["domain"]),
    ("clap", &["cli"]),
    ("comfy_table", &["output"]),
    ("crc", &["domain"]),
    ("croner", &["domain"]),
    ("csv", &["output"]),
    ("csv_core", &["dump"]),
    ("dialoguer", &["output"]),
    ("hmac", &["domain"]),
    ("ignore", &["search"]),
    ("indicatif", &["output"]),
    ("lettre", &["mail"]),
    ("memchr", &["domain"]),
    ("memmap2", &["domain"]),
    // The system: streams and ids at the door, descriptors and rights in files, whose file it is in the store.
    ("nix", &["door", "files", "store"]),
    ("pbkdf2", &["domain"]),
    ("rand", &["domain"]),
    ("regex", &["domain"]),
    ("regex_syntax", &["domain"]),
    ("rusqlite", &["store"]),
    // Output passes on what wire has shaped; the domain reads the bodies of requests.
    ("serde", &["wire", "output", "domain"]),
    ("serde_json", &["wire", "domain"]),
    ("sha1", &["domain"]),
    ("sha2", &["domain"]),
    ("strsim", &["config"]),
    ("subtle", &["domain"]),
    ("terminal_size", &["door"]),
    ("toml", &["config"]),
    ("tz", &["domain"]),
    ("unicode_normalization", &["domain"]),
    ("unicode_width", &["output"]),
    // A type for secrets, wherever one is held: the vocabulary of the trade, not a room's business.
    ("zeroize", &["domain", "world", "output", "commands", "config", "mail", "search"]),
];

fn source() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, into: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(dir).expect("the source tree") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs") {
                into.push((path.clone(), fs::read_to_string(&path).expect("UTF-8")));
            }
        }
    }
    let mut files = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    files
}

/// `src/store/sqlite/open.rs` is in the room `store`, `src/wire.rs` in `wire`.
fn room_of(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("inside src");
    let first = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn floor_of(room: &str) -> usize {
    FLOORS.iter().position(|rooms| rooms.contains(&room)).unwrap_or_else(|| panic!("{room} has no floor"))
}

/// The names that follow `root` (such as `crate::`) in a line of code; comments do not count.
fn names_after<'l>(line: &'l str, root: &str) -> Vec<&'l str> {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices(root)
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .flat_map(|(at, _)| {
            let rest = &code[at + root.len()..];
            let names: Vec<&str> = match rest.strip_prefix('{') {
                Some(list) => at_top(list),
                None => vec![rest],
            };
            names
                .into_iter()
                .map(|n| n.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(""))
                .filter(|n| !n.is_empty())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The members of a list, without what stands in braces within it.
fn at_top(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut members) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                members.push(&list[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members
}

/// The lines of `text`, an import that is broken over several put together again.
fn statements(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in (1..).zip(text.lines()) {
        match found.last_mut().filter(|_| open) {
            Some((_, last)) => last.push_str(line.trim()),
            None => found.push((number, line.to_owned())),
        }
        let starts = ["use ", "pub use "].iter().any(|word| line.trim_start().starts_with(word));
        open = (open || starts) && !line.contains(';');
    }
    found
}

/// Imports in `text` that go where `room` may not look.
fn wrong_imports(room: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, line) in statements(text) {
        let line = line.as_str();
        let roots = if matches!(room, "door" | "main") { "patctl::" } else { "crate::" };
        for name in names_after(line, roots) {
            let known = FLOORS.iter().flat_map(|rooms| rooms.iter()).any(|r| *r == name);
            if !known || name == room {
                continue;
            }
            let allowed = floor_of(name) < floor_of(room) || NEIGHBOURS.contains(&(room, name));
            if !allowed {
                wrong.push(format!("{number}: {room} imports {name}: {line}"));
            }
        }
    }
    wrong
}

/// Libraries in `text` that live in another room.
fn strangers(room: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for (library, homes) in LIBRARIES {
            let code = line.split("//").next().unwrap_or_default();
            let used = code
                .match_indices(&format!("{library}::"))
                .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'));
            if used && !homes.contains(&room) {
                wrong.push(format!("{number}: {library} in {room}: {line}"));
            }
        }
    }
    wrong
}

/// Unit tests may use what they like; the house is about the program.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

#[test]
fn every_import_points_down() {
    let mut wrong = Vec::new();
    for (path, text) in source() {
        let found = wrong_imports(&room_of(&path), without_tests(&text));
        wrong.extend(found.into_iter().map(|w| format!("{}:{w}", path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_library_is_at_home() {
    let mut wrong = Vec::new();
    for (path, text) in source() {
        let found = strangers(&room_of(&path), without_tests(&text));
        wrong.extend(found.into_iter().map(|w| format!("{}:{w}", path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_has_a_home_and_a_reason() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("it");
    let normal =
        manifest.split("[dependencies]\n").nth(1).expect("a section").split("\n[").next().expect("text");
    let mut reason = false;
    for line in normal.lines().filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            reason = true;
            continue;
        }
        let name = line.split(' ').next().expect("a name").replace('-', "_");
        assert!(LIBRARIES.iter().any(|(library, _)| *library == name), "{name} has no home");
        // serde_json shares the reason above serde.
        assert!(reason || name == "serde_json", "{name} has no reason beside it");
        reason = false;
    }
}

/// The two rules, tried on sources that break them.
#[test]
fn an_upward_import_and_a_library_in_a_second_room_are_noticed() {
    let up = [
        "use crate::store::Store;",
        "    crate::output::text::safe(x);",
        "use crate::{exit, service::issue};",
    ];
    for line in up {
        assert_eq!(wrong_imports("domain", line).len(), if line.contains('{') { 2 } else { 1 }, "{line}");
    }
    assert_eq!(
        wrong_imports("domain", "use crate::{\n    domain::{a, b},\n    store::{Store, Read},\n};").len(),
        1
    );
    assert_eq!(wrong_imports("store", "use crate::config::Settings;").len(), 1, "a neighbour");
    assert_eq!(wrong_imports("service", "use crate::store::Store;"), [""; 0]);
    assert_eq!(wrong_imports("domain", "// see crate::store"), [""; 0]);
    assert_eq!(strangers("service", "use rusqlite::Connection;").len(), 1);
    assert_eq!(strangers("commands", "    let x = serde_json::to_string(&y);").len(), 1);
    assert_eq!(strangers("store", "use rusqlite::Connection;"), [""; 0]);
    assert_eq!(strangers("commands", "use crate::cli::clap_like::x;"), [""; 0]);
}

#[test]
fn no_file_is_longer_than_400_lines_and_no_room_is_called_util() {
    for (path, text) in source() {
        assert!(text.lines().count() <= 400, "{} has {} lines", path.display(), text.lines().count());
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(!["util", "utils", "common", "prelude", "helpers"].contains(&name.as_str()), "{name}");
    }
}

/// Whether a lack passes is told by the number of an error: one that is made anew from its kind has lost it.
#[test]
fn no_error_of_the_system_loses_its_number() {
    for (path, text) in source() {
        for (number, line) in text.lines().enumerate() {
            let anew = line.contains("io::Error::new(") && line.contains(".kind()");
            let kept = path.ends_with("files/said.rs");
            assert!(!anew || kept, "{}:{}: say it with files::said_of", path.display(), number + 1);
        }
    }
}
