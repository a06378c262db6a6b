//! `COPY … FROM stdin;` and its rows, tab-separated, up to a line `\.`: what `pg_dump` writes.

use super::columns::Columns;
use super::source::{Line, Source};
use super::{DumpError, Each, LONGEST, Result};
use crate::domain::atlassian::{Format, Place, TABLE};

/// Reads every block of the table, and passes over everything else.
pub fn read(source: &mut Source<'_>, each: Each<'_>) -> Result<()> {
    let mut line = Vec::new();
    let mut is_there = false;
    while let Some(Line { number, .. }) = source.take_line(&mut line, LONGEST)? {
        let Some(names) = heading(&line) else { continue };
        let columns = match names {
            Names::Others => None,
            Names::Unsaid => Some(Columns::usual()),
            Names::Said(names) => Some(Columns::named(&names, number)?),
        };
        is_there |= columns.is_some();
        if !block(source, columns.as_ref(), number, &mut *each)? {
            return Ok(());
        }
    }
    if is_there { Ok(()) } else { Err(DumpError::NoTable(Format::Copy)) }
}

/// What a heading says of the columns.
enum Names {
    /// It is of another table.
    Others,
    /// Nothing.
    Unsaid,
    /// These.
    Said(Vec<Vec<u8>>),
}

/// Reads `COPY public."TABLE" ("A", "B") FROM stdin;`.
fn heading(line: &[u8]) -> Option<Names> {
    let rest = strip(line, b"COPY ")?;
    let rest = rest.trim_ascii_end();
    let rest = rest.strip_suffix(b";").unwrap_or(rest).trim_ascii_end();
    let at = rest.len().checked_sub(b"FROM stdin".len())?;
    let (rest, end) = rest.split_at(at);
    if !end.eq_ignore_ascii_case(b"FROM stdin") {
        return None;
    }
    let rest = rest.trim_ascii();
    let (table, list) = match rest.iter().position(|byte| *byte == b'(') {
        Some(at) => (&rest[..at], Some(rest[at + 1..].strip_suffix(b")").unwrap_or(&rest[at + 1..]))),
        None => (rest, None),
    };
    let table = table.rsplit(|byte| *byte == b'.').next().map(bare);
    if !table.is_some_and(|table| table.eq_ignore_ascii_case(TABLE.as_bytes())) {
        return Some(Names::Others);
    }
    let names = |list: &[u8]| list.split(|byte| *byte == b',').map(|name| bare(name).to_vec()).collect();
    Some(list.map_or(Names::Unsaid, |list| Names::Said(names(list))))
}

fn strip<'l>(line: &'l [u8], word: &[u8]) -> Option<&'l [u8]> {
    let (head, rest) = line.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

/// A name without blanks and quotes around it.
fn bare(name: &[u8]) -> &[u8] {
    let name = name.trim_ascii();
    name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name)
}

/// Reads the rows of a block, or passes over them where there are no columns; false: enough was read.
fn block(source: &mut Source<'_>, columns: Option<&Columns>, begin: u64, each: Each<'_>) -> Result<bool> {
    let most = if columns.is_some() { LONGEST } else { 8 };
    let mut line = Vec::new();
    let mut values = Vec::new();
    while let Some(Line { number, is_cut, is_ended }) = source.take_line(&mut line, most)? {
        if line == b"\\." && !is_cut {
            return Ok(true);
        }
        if !is_ended {
            break;
        }
        let Some(columns) = columns else { continue };
        let fields = if is_cut {
            Err(format!("it is longer than {LONGEST} bytes"))
        } else {
            values.clear();
            values.extend(line.split(|byte| *byte == b'\t').map(unescaped));
            columns.fields(values.len(), |place| values[place].as_deref())
        };
        if each(Place { line: number, nth: None }, fields).is_break() {
            return Ok(false);
        }
    }
    Err(DumpError::Cut { what: "a COPY block", line: begin })
}

/// A value of COPY's text format; `\N` is NULL.
fn unescaped(value: &[u8]) -> Option<Vec<u8>> {
    if value == b"\\N" {
        return None;
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        let escaped = match (byte, tail.split_first()) {
            (b'\\', Some((escaped, tail))) => {
                rest = tail;
                *escaped
            }
            (byte, _) => {
                out.push(*byte);
                continue;
            }
        };
        out.push(match escaped {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'0'..=b'7' => digits(escaped, &mut rest, 8, 2),
            b'x' if rest.first().is_some_and(u8::is_ascii_hexdigit) => digits(b'0', &mut rest, 16, 2),
            other => other,
        });
    }
    Some(out)
}

/// A byte written as a digit and at most so many more.
fn digits(first: u8, rest: &mut &[u8], base: u32, most: usize) -> u8 {
    let value = |byte: u8| char::from(byte).to_digit(base);
    let mut number = value(first).unwrap_or(0);
    for _ in 0..most {
        let Some(digit) = rest.first().and_then(|byte| value(*byte)) else { break };
        number = number * base + digit;
        *rest = &rest[1..];
    }
    // Three octal digits may say more than a byte holds; PostgreSQL keeps the lowest eight bits.
    (number & 0xff) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As COPY writes a value.
    fn escaped(value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for byte in value {
            match byte {
                b'\\' => out.extend(b"\\\\"),
                b'\n' => out.extend(b"\\n"),
                b'\r' => out.extend(b"\\r"),
                b'\t' => out.extend(b"\\t"),
                8 => out.extend(b"\\b"),
                11 => out.extend(b"\\v"),
                12 => out.extend(b"\\f"),
                other => out.push(*other),
            }
        }
        out
    }

    #[test]
    fn escapes_are_read_as_postgresql_reads_them() {
        for (text, value) in [
            ("a\\tb\\n\\\\", "a\tb\n\\"),
            ("\\x41\\x4G\\101\\60", "A\u{4}GA0"),
            ("\\q\\", "q\\"),
            ("", ""),
            ("\\\\N", "\\N"),
        ] {
            assert_eq!(unescaped(text.as_bytes()).as_deref(), Some(value.as_bytes()), "{text}");
        }
        assert_eq!(unescaped(b"\\N"), None);
    }

    #[test]
    fn a_heading_is_that_of_the_table_whatever_its_schema() {
        let is_ours = |line: &str| !matches!(heading(line.as_bytes()), None | Some(Names::Others));
        assert!(is_ours("COPY public.\"AO_81F455_PERSONAL_TOKEN\" (\"CREATED_AT\") FROM stdin;"));
        assert!(is_ours("copy ao_81f455_personal_token from STDIN;"));
        assert!(!is_ours("COPY public.\"AO_81F455_PERSONAL_TOKENS\" (\"ID\") FROM stdin;"));
        assert!(heading(b"COPY public.x (a) TO stdout;").is_none());
        assert!(heading(b"-- COPY x FROM stdin;").is_none());
    }

    proptest! {
        #[test]
        fn what_copy_writes_is_read_back(value in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assume!(value != b"\\N");
            prop_assert_eq!(unescaped(&escaped(&value)), Some(value));
        }

        #[test]
        fn no_line_makes_the_readers_panic(line in proptest::collection::vec(any::<u8>(), 0..80), text in "COPY [a-z\".(),\\\\]{0,20} FROM stdin;?") {
            let _ = (unescaped(&line), heading(&line), heading(text.as_bytes()));
        }
    }
}
