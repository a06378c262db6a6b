//! The fold of names: one comparison for query parameters, form fields, parts of a multipart body,
//! members of a JSON body, guarded names and override names.
//!
//! Frameworks rewrite names before they look them up: they strip brackets, cut at NUL, turn dots into
//! underscores, ignore case. Two names that some framework takes for one another share a key here. The
//! fold may be coarser than every framework, never finer.

use super::method::{OVERRIDES, PARAMETERS};
use crate::domain::text::is_invisible;
use std::collections::BTreeMap;

/// Characters of a key. A guarded name has at most 128 bytes, which fold to fewer characters than
/// this, so that a longer name cannot equal it in what is cut off.
const MAX_KEY_CHARS: usize = 512;

/// The keys of a name, without repetitions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keys(Vec<String>);

impl Keys {
    /// The keys of a decoded name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if let Some(key) = plain(name) {
            return Self(vec![key]);
        }
        let (kept, k5) = base(name);
        let bracket = |c: char| matches!(c, '[' | ']');
        let k1 = kept.replace(bracket, "");
        let open = kept.trim_start_matches(bracket);
        let k2 = open[..open.find(bracket).unwrap_or(open.len())].to_owned();
        let k3 = kept.replace(']', "").replace('[', "_");
        let k4 = k1.replace(is_blank, "");
        let mut keys = vec![k1, k2, k3, k4, k5];
        keys.sort_unstable();
        keys.dedup();
        Self(keys)
    }

    /// Whether some framework takes the two names for one.
    #[must_use]
    pub fn collide(&self, other: &Self) -> bool {
        self.0.iter().any(|key| other.0.contains(key))
    }

    /// Whether some framework takes a method from a parameter of this name.
    #[must_use]
    pub fn override_method(&self) -> bool {
        self.0.iter().any(|key| is_override(key))
    }
}

/// Whether a parameter or member of this decoded name may replace the method behind the check.
#[must_use]
pub fn overrides_method(name: &str) -> bool {
    Keys::of(name).override_method()
}

fn is_override(key: &str) -> bool {
    let folds_to = |known: &&str| {
        known.len() == key.len()
            && known.chars().zip(key.chars()).all(|(known, c)| mapped(known.to_ascii_lowercase()) == c)
    };
    PARAMETERS.iter().chain(&OVERRIDES).any(folds_to)
}

/// The one key of a name that consists of ASCII letters, digits, `_`, `-`, `.` and `$`.
fn plain(name: &str) -> Option<String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$');
    (name.len() <= MAX_KEY_CHARS && name.bytes().all(is_plain))
        .then(|| name.chars().map(|c| mapped(c.to_ascii_lowercase())).collect())
}

/// What PHP, ASP.NET and CGI map to an underscore.
const fn mapped(c: char) -> char {
    if matches!(c, '.' | ' ' | '-') { '_' } else { c }
}

const fn is_blank(c: char) -> bool {
    c == '\\' || c.is_whitespace()
}

/// The name cut at NUL, without hidden characters, trimmed and with its case folded; and the same
/// without white space, backslashes and brackets: blanks go before spaces become underscores.
///
/// A key with more than [`MAX_KEY_CHARS`] characters of one kind equals no guarded name, so that further
/// repetitions are not stored: the largest name costs one pass.
fn base(name: &str) -> (String, String) {
    let name = name.split('\0').next().unwrap_or_default();
    let unseen = |c: char| c.is_whitespace() || is_invisible(c);
    // PHP's own server drops every '?' in front of a query, and with it in front of its first name.
    let name = name.trim_end_matches(unseen).trim_start_matches(|c| unseen(c) || c == '?');
    let (mut kept, mut solid) = (String::new(), String::new());
    let (mut opened, mut closed, mut spaces, mut blanks, mut solids) = (0, 0, 0, 0, 0);
    for c in name.chars().filter(|c| !is_invisible(*c)) {
        let count = match c {
            '[' => &mut opened,
            ']' => &mut closed,
            ' ' => &mut spaces,
            c if is_blank(c) => &mut blanks,
            _ => &mut solids,
        };
        *count += 1;
        let is_many = *count > MAX_KEY_CHARS;
        match c {
            // One of a run is enough to drop, or to cut at.
            '[' | ']' if is_many && kept.ends_with(['[', ']']) => {}
            '[' | ']' => kept.push(c),
            _ if is_blank(c) && is_many => {}
            _ if is_blank(c) => kept.push(mapped(c)),
            _ if is_many => break,
            _ => {
                kept.extend(folded_case(c).map(mapped));
                solid.extend(folded_case(c).map(mapped));
            }
        }
    }
    (kept, solid)
}

/// A character in lower case of its upper case of its lower case: characters that full Unicode case
/// folding makes equal are equal here, and so are the four kinds of i.
fn folded_case(c: char) -> impl Iterator<Item = char> {
    let c = if matches!(c, '\u{130}' | '\u{131}') { 'i' } else { c };
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Names of a request by their keys: for finding every name that collides with another.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    by_key: BTreeMap<String, Vec<usize>>,
    overrides_method: bool,
}

impl Names {
    /// An index of names, which are told by their place.
    pub fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut index = Self::default();
        for (place, name) in names.enumerate() {
            let Keys(keys) = Keys::of(name);
            for key in keys {
                index.overrides_method |= is_override(&key);
                index.by_key.entry(key).or_default().push(place);
            }
        }
        index
    }

    /// Whether one of them may replace the method behind the check.
    #[must_use]
    pub const fn overrides_method(&self) -> bool {
        self.overrides_method
    }

    /// How many names share one key with this one, at most. A name shares every key with itself.
    #[must_use]
    pub fn most_alike(&self, keys: &Keys) -> usize {
        let count = |key| self.by_key.get(key).map_or(0, Vec::len);
        keys.0.iter().map(count).max().unwrap_or(0)
    }

    /// The places of the names that collide with this one. A place may come more than once.
    pub fn alike<'k>(&'k self, keys: &'k Keys) -> impl Iterator<Item = usize> + 'k {
        keys.0.iter().filter_map(|key| self.by_key.get(key)).flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(one: &str, other: &str) -> bool {
        Keys::of(one).collide(&Keys::of(other))
    }

    /// Each was taken for the guarded name by Rack, qs, PHP, Go, Laravel or a servlet.
    #[test]
    fn names_that_a_framework_takes_for_the_guarded_one_collide() {
        for other in [
            "project",
            "Project",
            "project]",
            "[project]",
            "]project",
            "[[project]]",
            "project[]",
            "project[id]",
            "project][id]",
            "project]x",
            "[project]x",
            " project\t",
            "\u{a0}project",
            "project\0x",
            "pro\u{200b}ject",
            "pro\u{ad}ject",
            "\u{feff}project",
            "pro\\ject",
            "pro ject",
            "[ project ]",
            "?project",
            "?? project",
        ] {
            assert!(alike("project", other), "{other:?}");
        }
        for (name, other) in [
            ("project_id", "project[id"),
            ("project_id", "project.id"),
            ("project_id", "project id"),
            ("project-id", "project_id"),
            ("key", "\u{212a}ey"),
            ("status", "\u{17f}tatu\u{17f}"),
            ("id", "\u{130}D"),
            ("id", "\u{131}d"),
            ("straße", "STRASSE"),
            ("straße", "STRA\u{1e9e}E"),
            ("ﬁle", "FILE"),
            ("ὀδός", "ὈΔΌΣ"),
        ] {
            assert!(alike(name, other) && alike(other, name), "{name:?} {other:?}");
        }
        for (name, other) in [
            ("project", "projects"),
            ("project", "proj"),
            ("project", "x[project]y"),
            ("a_b", "ab"),
            ("a", ""),
        ] {
            assert!(!alike(name, other), "{name:?} {other:?}");
        }
    }

    #[test]
    fn every_spelling_of_an_override_name_is_one() {
        for name in PARAMETERS.iter().chain(&OVERRIDES) {
            assert!(overrides_method(name), "{name}");
            assert!(overrides_method(&name.to_uppercase()), "{name}");
            assert!(overrides_method(&name.replace('_', "-")), "{name}");
            assert!(overrides_method(&format!("[{name}]")), "{name}");
        }
        for name in [".method", " method", "_method]", "]_method", "[_method", "_method\0x", "_method[x]"] {
            assert_eq!(overrides_method(name), name != " method", "{name:?}");
        }
        for name in ["method", "_methods", "http_method", ""] {
            assert!(!overrides_method(name), "{name}");
        }
    }

    #[test]
    fn full_case_folding_is_never_finer_than_this() {
        // C and F of CaseFolding.txt, where lower case alone does not give it.
        for (c, folded) in [
            ('\u{b5}', "\u{3bc}"),
            ('\u{df}', "ss"),
            ('\u{149}', "\u{2bc}n"),
            ('\u{17f}', "s"),
            ('\u{1f0}', "j\u{30c}"),
            ('\u{345}', "\u{3b9}"),
            ('\u{3c2}', "\u{3c3}"),
            ('\u{3d0}', "\u{3b2}"),
            ('\u{3f4}', "\u{3b8}"),
            ('\u{1e9b}', "\u{1e61}"),
            ('\u{1e9e}', "ss"),
            ('\u{1fbe}', "\u{3b9}"),
            ('\u{1fb3}', "\u{3b1}\u{3b9}"),
            ('\u{2126}', "\u{3c9}"),
            ('\u{212a}', "k"),
            ('\u{212b}', "\u{e5}"),
            ('\u{fb06}', "st"),
            ('\u{ab70}', "\u{13a0}"),
        ] {
            let of = |text: &str| text.chars().flat_map(folded_case).collect::<String>();
            assert_eq!(of(&c.to_string()), of(folded), "{c:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_only_where_no_guarded_name_reaches() {
        let long = "a".repeat(5000);
        assert!(alike(&long, &format!("{long}b")), "coarser is allowed");
        assert!(!alike(&"a".repeat(128), &long));
        assert!(alike("id", &format!("id{}", "\u{200b}".repeat(100_000))));
        assert!(alike("id", &format!("{}id", "[".repeat(100_000))));
        assert!(alike("id", &format!("{}i]d", "]".repeat(1000))));
        assert!(
            alike("id", &format!("i{}d", " ".repeat(1000)))
                && alike("id", &format!("i{}d", "\\".repeat(1000)))
        );
        assert!(alike("i_d", &format!("i{} d", "\u{3000}".repeat(1000))));
        assert!(alike("i_d", &format!("{}i[d", "]".repeat(1000))));
        assert!(alike("id", &format!("id[{long}]")));
    }

    #[test]
    fn an_index_finds_what_collides() {
        let names = Names::of(["a", "A[]", "b", "x.y"].into_iter());
        let mut places: Vec<usize> = names.alike(&Keys::of("a")).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places, [0, 1]);
        assert_eq!(names.alike(&Keys::of("x_y")).collect::<Vec<_>>(), [3]);
        assert!(!names.overrides_method());
        assert!(Names::of(["a", "[_METHOD]"].into_iter()).overrides_method());
    }
}
