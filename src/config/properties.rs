//! Java properties files (`java.util.Properties.load`), with the position of everything.
//!
//! Our own reader because no library tells where a key or a value stands; the tests compare it with
//! the `java-properties` crate.

use std::fmt;

/// A place in a file; lines and columns (in characters) count from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One `key = value`, escapes undone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value exactly as Java would have it.
    pub value: String,
    /// Where the key begins.
    pub key_at: Position,
    /// Where the value begins.
    pub value_at: Position,
}

/// A `\u` that is not followed by four hexadecimal digits; Java refuses the file, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// Where the backslash stands.
    pub at: Position,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("'\\u' needs four hexadecimal digits; a plain backslash is written '\\\\'")
    }
}

/// A character and where it stands in the file.
type Placed = (char, Position);

/// Reads a whole file.
///
/// # Errors
/// The first [`SyntaxError`].
pub fn parse(text: &str) -> Result<Vec<Entry>, SyntaxError> {
    logical_lines(text).iter().map(|line| entry(line)).collect()
}

/// A value as it must be written, so that [`parse`] gives it back.
#[must_use]
pub fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for (index, c) in value.chars().enumerate() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            ' ' if index == 0 => out.push_str("\\ "),
            c => out.push(c),
        }
    }
    out
}

/// Lines with comments gone, continuations joined and leading blanks dropped; escapes are still in.
fn logical_lines(text: &str) -> Vec<Vec<Placed>> {
    let mut lines = Vec::new();
    let mut joined: Vec<Placed> = Vec::new();
    for natural in natural_lines(text) {
        let mut rest = natural.iter().copied().skip_while(|&(c, _)| is_blank(c)).collect::<Vec<_>>();
        let comment = joined.is_empty() && rest.first().is_some_and(|&(c, _)| c == '#' || c == '!');
        if comment {
            continue;
        }
        let backslashes = rest.iter().rev().take_while(|&&(c, _)| c == '\\').count();
        let continues = backslashes % 2 == 1;
        if continues {
            rest.pop();
        }
        joined.append(&mut rest);
        if !continues && !joined.is_empty() {
            lines.push(std::mem::take(&mut joined));
        }
    }
    if !joined.is_empty() {
        lines.push(joined);
    }
    lines
}

/// The lines as they stand, ended by `\n`, `\r` or `\r\n`.
fn natural_lines(text: &str) -> Vec<Vec<Placed>> {
    let mut lines = vec![Vec::new()];
    let (mut line, mut column) = (1, 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\r' && chars.peek() == Some(&'\n') {
            continue;
        }
        if c == '\n' || c == '\r' {
            lines.push(Vec::new());
            (line, column) = (line + 1, 1);
        } else {
            if let Some(current) = lines.last_mut() {
                current.push((c, Position { line, column }));
            }
            column += 1;
        }
    }
    lines
}

fn entry(line: &[Placed]) -> Result<Entry, SyntaxError> {
    let mut escaped = false;
    let key_end = line
        .iter()
        .position(|&(c, _)| {
            let ends = !escaped && (is_blank(c) || c == '=' || c == ':');
            escaped = c == '\\' && !escaped;
            ends
        })
        .unwrap_or(line.len());
    let (key, rest) = line.split_at(key_end);
    let rest = after_blanks(rest);
    let value = match rest.first() {
        Some(('=' | ':', _)) => after_blanks(&rest[1..]),
        _ => rest,
    };
    let start = line.first().map_or(Position { line: 1, column: 1 }, |&(_, at)| at);
    let end = line.last().map_or(start, |&(_, at)| Position { line: at.line, column: at.column + 1 });
    Ok(Entry {
        key: unescape(key)?,
        value: unescape(value)?,
        key_at: start,
        value_at: value.first().map_or(end, |&(_, at)| at),
    })
}

fn after_blanks(chars: &[Placed]) -> &[Placed] {
    let blanks = chars.iter().take_while(|&&(c, _)| is_blank(c)).count();
    &chars[blanks..]
}

/// Undoes `\t \n \r \f` and `\u` with four digits; any other escaped character is itself. Java's `\u` are UTF-16 units.
fn unescape(chars: &[Placed]) -> Result<String, SyntaxError> {
    let mut units: Vec<u16> = Vec::with_capacity(chars.len());
    let mut rest = chars.iter();
    while let Some(&(c, at)) = rest.next() {
        let plain = match c {
            '\\' => match rest.next().map(|&(c, _)| c) {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some('u') => {
                    units.push(hex4(rest.as_slice()).ok_or(SyntaxError { at })?);
                    rest = rest.as_slice()[4..].iter();
                    continue;
                }
                Some(other) => other,
                None => continue,
            },
            c => c,
        };
        units.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
    }
    Ok(String::from_utf16_lossy(&units))
}

fn hex4(chars: &[Placed]) -> Option<u16> {
    chars.get(..4)?.iter().try_fold(0u16, |n, &(c, _)| {
        let digit = u16::try_from(c.to_digit(16)?).ok()?;
        Some(n << 4 | digit)
    })
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).expect("well-formed").into_iter().map(|e| (e.key, e.value)).collect()
    }

    fn pair(key: &str, value: &str) -> Vec<(String, String)> {
        vec![(key.to_owned(), value.to_owned())]
    }

    #[test]
    fn separators_comments_and_continuations_are_those_of_java() {
        assert_eq!(pairs("a=b"), pair("a", "b"));
        assert_eq!(pairs("a : b"), pair("a", "b"));
        assert_eq!(pairs("  a   b  "), pair("a", "b  "));
        assert_eq!(pairs("a = = b"), pair("a", "= b"));
        assert_eq!(pairs("a\\=b=c"), pair("a=b", "c"));
        assert_eq!(pairs("# x\\\na=1"), pair("a", "1"));
        assert_eq!(pairs("a=1,\\\n    2"), pair("a", "1,2"));
        assert_eq!(pairs("a=1\\\\\r\n"), pair("a", "1\\"));
        assert_eq!(pairs("a=1\\ \nb=2").len(), 2);
        assert_eq!(pairs("a=1\rb=2\r\nc=3").len(), 3);
        assert_eq!(pairs("a=\\t\\u00e9\\ud83d\\ude42\\q"), pair("a", "\té🙂q"));
        assert_eq!(pairs("a=1\\\n#2"), pair("a", "1#2"));
        assert_eq!(pairs("a"), pair("a", ""));
        assert_eq!(pairs("a=1\\"), pair("a", "1"));
    }

    #[test]
    fn positions_count_lines_and_columns_from_one_across_continuations() {
        let entries = parse("# c\n  key \\\n   = value\nb").expect("well-formed");
        assert_eq!(entries[0].key_at, Position { line: 2, column: 3 });
        assert_eq!(entries[0].value_at, Position { line: 3, column: 6 });
        assert_eq!(entries[1].value_at, Position { line: 4, column: 2 });
    }

    #[test]
    fn a_unicode_escape_cut_short_names_its_backslash() {
        let error = parse("a=1\nb = x\\u12g4").expect_err("not hexadecimal");
        assert_eq!(error.at, Position { line: 2, column: 6 });
        assert!(parse("a=\\u12").is_err());
    }
}
