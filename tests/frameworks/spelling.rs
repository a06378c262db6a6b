//! Names that some server may take for another, and the many ways to write one down.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use std::fmt::Write as _;

/// What frameworks drop, cut at, split at or rewrite in a name, and letters that make it another.
const PIECES: &[&str] = &[
    "[",
    "[",
    "]",
    "]",
    "[]",
    "[[",
    "]]",
    "][",
    "[x]",
    "[0]",
    "]x",
    "[x",
    ".",
    "_",
    "-",
    " ",
    "+",
    "%",
    "%5B",
    "%5D",
    "%00",
    "%2e",
    "\0",
    "\0x",
    "\\",
    ";",
    "&",
    "=",
    "==",
    "\t",
    "\n",
    "\r\n",
    "\u{b}",
    "\u{a0}",
    "\u{ad}",
    "\u{85}",
    "\u{200b}",
    "\u{200d}",
    "\u{2028}",
    "\u{202e}",
    "\u{3000}",
    "\u{feff}",
    "\u{301}",
    "\"",
    "'",
    ":",
    "$",
    "@",
    "(",
    "{",
    "}",
    "|",
    ",",
    "/",
    "#",
    "?",
    "x",
    "0",
    "s",
    "[__proto__]",
    "\u{7f}",
    "\u{1}",
];

/// Letters and what full case folding, or a server, takes for them.
const ALIKE: &[(char, &[&str])] = &[
    ('k', &["K", "\u{212a}", "\u{ff4b}"]),
    ('s', &["S", "\u{17f}", "\u{df}"]),
    ('i', &["I", "\u{130}", "\u{131}", "i\u{307}"]),
    ('_', &[".", " ", "-", "[", "+", "__", ""]),
    ('.', &["_", " ", "[", "\u{2024}"]),
    ('j', &["J", "\u{1f0}"]),
    ('e', &["E", "\u{e9}", "e\u{301}"]),
    ('t', &["T", "\u{fb05}"]),
];

/// The name, or one that resembles it.
pub fn spelling(name: &str, dice: &mut StdRng) -> String {
    let mut name = name.to_owned();
    if dice.random_bool(0.15) {
        return name;
    }
    let changes = *[1, 1, 1, 2, 2, 3].choose(dice).expect("a number");
    for _ in 0..changes {
        name = changed(&name, dice);
    }
    name
}

fn changed(name: &str, dice: &mut StdRng) -> String {
    let chars: Vec<char> = name.chars().collect();
    match dice.random_range(0..10) {
        0..6 => {
            let at = match dice.random_range(0..5) {
                0 | 1 => 0,
                2 | 3 => chars.len(),
                _ => dice.random_range(0..=chars.len()),
            };
            let piece = PIECES.choose(dice).expect("a piece");
            let (before, after) = chars.split_at(at);
            before.iter().chain(&piece.chars().collect::<Vec<_>>()).chain(after).collect()
        }
        6 | 7 => {
            let at = dice.random_range(0..chars.len().max(1));
            let swap = |(place, c): (usize, &char)| {
                let alike = ALIKE.iter().find(|(letter, _)| letter == c).map(|(_, alike)| *alike);
                match alike {
                    Some(alike) if place == at || dice.random_bool(0.3) => {
                        (*alike.choose(dice).expect("one")).to_owned()
                    }
                    None if place == at => c.to_uppercase().to_string(),
                    _ => c.to_string(),
                }
            };
            chars.iter().enumerate().map(swap).collect()
        }
        8 => name.to_uppercase(),
        _ => {
            let around = [
                "[*]", "[[*]]", "x[*]", "*[*]", "data[*]", "[*", "*]", "[]*", " *", "*[x][y]", "\"*\"", "$*",
            ];
            around.choose(dice).expect("one").replace('*', name)
        }
    }
}

/// Percent-encoded where it must be, and elsewhere by chance; `strict` as RFC 3986 wants it in a query.
pub fn encoded(text: &str, strict: bool, dice: &mut StdRng) -> Vec<u8> {
    let mut written = Vec::new();
    for &byte in text.as_bytes() {
        let plain = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' => 0.96,
            b'[' | b']' | b'$' | b'@' | b':' | b'/' | b'\'' | b'(' | b',' | b'?' | b'{' | b'}' | b'|' => 0.5,
            b';' => 0.3,
            b'&' | b'=' | b'%' | b'+' => 0.1,
            _ if strict => 0.0,
            _ => 0.3,
        };
        match byte {
            b' ' if dice.random_bool(0.5) => written.push(b'+'),
            _ if dice.random_bool(plain) => written.push(byte),
            _ if dice.random_bool(0.5) => written.extend(format!("%{byte:02X}").bytes()),
            _ => written.extend(format!("%{byte:02x}").bytes()),
        }
    }
    written
}

/// A string of JSON, quotes and all, with escapes by chance.
pub fn quoted(text: &str, dice: &mut StdRng) -> String {
    let mut written = String::from("\"");
    for unit in text.chars() {
        let must = unit < ' ' || matches!(unit, '"' | '\\');
        if must || dice.random_bool(0.08) {
            let mut units = [0; 2];
            for unit in unit.encode_utf16(&mut units) {
                let _ = write!(written, "\\u{unit:04x}");
            }
        } else {
            written.push(unit);
        }
    }
    written + "\""
}
