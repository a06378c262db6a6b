//! Text that people chose, made safe for a terminal and fitted into columns.

use crate::domain::text::{has_blank_edges, is_hidden};
use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `text` with every invisible or control character written out as `\u{1b}`. A backslash stays as it
/// is: what is shown is for reading, the exact text is in the JSON.
#[must_use]
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// [`safe`] for a user, in quotes where white space at its ends would not be seen: older versions kept it, and
/// `bob` and `bob ` are two users.
#[must_use]
pub fn user(name: &str) -> Cow<'_, str> {
    let shown = safe(name);
    if has_blank_edges(name) { Cow::Owned(format!("'{shown}'")) } else { shown }
}

/// [`safe`] for a text of several lines of ours.
#[must_use]
pub fn safe_lines(text: &str) -> String {
    text.split('\n').map(safe).collect::<Vec<_>>().join("\n")
}

/// How many columns `text` takes.
#[must_use]
pub fn width(text: &str) -> usize {
    // Nearly every cell is plain ASCII, whose bytes are its columns.
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) { text.len() } else { text.width() }
}

/// `text` in lines of at most so many columns, broken at blanks; a longer word keeps its line.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(last) if last.is_empty() => last.push_str(word),
            Some(last) if width(last) + 1 + width(word) <= columns => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Appends `text` cut or padded to exactly `columns`; a cut ends in `…`.
pub fn fit(text: &str, columns: usize, into: &mut String) {
    let wide = width(text);
    if wide <= columns {
        into.push_str(text);
        into.extend(std::iter::repeat_n(' ', columns - wide));
        return;
    }
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > columns {
            break;
        }
        into.push(c);
        used += w;
    }
    into.push('…');
    into.extend(std::iter::repeat_n(' ', columns.saturating_sub(used + 1)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_escape_sequence_is_shown_and_not_obeyed() {
        assert_eq!(safe("a\x1b[31mb\n\u{202e}"), "a\\u{1b}[31mb\\u{a}\\u{202e}");
        assert!(matches!(safe("plain é 漢"), Cow::Borrowed(_)));
    }

    #[test]
    fn blanks_at_the_ends_of_a_user_are_seen() {
        assert_eq!(user("bob "), "'bob '");
        assert_eq!(user("\u{a0}bob"), "'\u{a0}bob'");
        assert_eq!(user("a b\u{7}"), "a b\\u{7}");
        assert!(matches!(user("bob"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_long_text_is_broken_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("averylongword a", 5), ["averylongword", "a"]);
    }

    proptest! {
        #[test]
        fn nothing_hidden_survives_and_every_cell_has_its_width(text in ".{0,60}", columns in 1usize..40) {
            let shown = safe(&text);
            prop_assert!(!shown.contains(is_hidden));
            let mut cell = String::new();
            fit(&shown, columns, &mut cell);
            prop_assert_eq!(width(&cell), columns, "{:?}", cell);
        }
    }
}
