//! Which format is it? Told from the beginning of the input.

use super::csv::delimiter;
use super::tokens::Dialect;
use super::{DumpError, Result};
use crate::domain::atlassian::Format;

/// How files begin that hold a dump and are no text.
const NO_TEXT: &[(&[u8], &str, &str)] = &[
    (
        b"PGDMP",
        "a dump in pg_dump's own format",
        "make a text of it: pg_restore -f - FILE | patctl import atlassian -",
    ),
    (b"\x1f\x8b", "packed with gzip", "unpack it: gunzip -c FILE | patctl import atlassian -"),
    (b"BZh", "packed with bzip2", "unpack it: bunzip2 -c FILE | patctl import atlassian -"),
    (b"\xfd7zXZ", "packed with xz", "unpack it: unxz -c FILE | patctl import atlassian -"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "unpack it: unzstd -c FILE | patctl import atlassian -"),
    (b"PK\x03\x04", "a ZIP archive (or a spreadsheet)", "unpack it, or save the spreadsheet as CSV"),
    (b"\xff\xfe", "UTF-16", "convert it: iconv -f UTF-16 -t UTF-8 FILE | patctl import atlassian -"),
    (b"\xfe\xff", "UTF-16", "convert it: iconv -f UTF-16 -t UTF-8 FILE | patctl import atlassian -"),
];

/// Names what must be unpacked or converted first.
pub fn refuse_what_is_no_text(begin: &[u8]) -> Result<()> {
    let known = NO_TEXT.iter().find(|(mark, ..)| begin.starts_with(mark));
    known.map_or(Ok(()), |(_, what, instead)| Err(DumpError::NoText { what, instead }))
}

fn lines(begin: &[u8]) -> impl Iterator<Item = &[u8]> {
    begin.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)
}

fn holds(line: &[u8], words: &[u8]) -> bool {
    line.windows(words.len()).any(|there| there.eq_ignore_ascii_case(words))
}

fn starts(line: &[u8], word: &[u8]) -> bool {
    line.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

fn is_postgres(begin: &[u8]) -> bool {
    header(begin).any(|line| holds(line, b"PostgreSQL database dump"))
}

fn header(begin: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines(begin).take(20).filter(|line| line.starts_with(b"--"))
}

/// Whose SQL it is, where it says who wrote it.
pub fn dialect(begin: &[u8]) -> Option<Dialect> {
    if is_postgres(begin) {
        return Some(Dialect::Standard);
    }
    if header(begin).any(|line| holds(line, b"MySQL dump") || holds(line, b"MariaDB dump")) {
        return Some(Dialect::MySql);
    }
    let has = |is: &dyn Fn(&[u8]) -> bool| lines(begin).any(is);
    if has(&|line| {
        line.eq_ignore_ascii_case(b"GO") || starts(line, b"INSERT [") || starts(line, b"INSERT INTO [")
    }) {
        return Some(Dialect::SqlServer);
    }
    let commands: [&[u8]; 3] = [b"REM ", b"SET DEFINE ", b"PROMPT "];
    let is_oracle = |line: &[u8]| {
        commands.iter().any(|word| starts(line, word))
            || starts(line, b"INSERT ") && (holds(line, b"to_timestamp(") || holds(line, b"to_date("))
    };
    has(&is_oracle).then_some(Dialect::Oracle)
}

/// Names what a query printed for people: columns of fixed width below a rule of dashes.
pub fn refuse_what_is_for_people(begin: &[u8]) -> Result<()> {
    let mut lines = lines(begin).filter(|line| !line.is_empty());
    let (heading, rule) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let is_rule = rule.len() > 1 && rule.iter().all(|byte| b"-+| ".contains(byte)) && rule.contains(&b'-');
    if is_rule && holds(heading, b"TOKEN_ID") && delimiter(heading).is_none() {
        return Err(DumpError::NoText {
            what: "a table in columns of fixed width, as sqlcmd, SQL*Plus and psql print for people",
            instead: "have it written as CSV: sqlcmd -s, -W (SQL Server), SET SQLFORMAT csv (Oracle's SQLcl), \
                      \\copy … CSV HEADER (psql)",
        });
    }
    Ok(())
}

/// The format, as far as can be told.
pub fn format(begin: &[u8]) -> Option<Format> {
    let first = lines(begin).find(|line| !line.is_empty())?;
    let statements: [&[u8]; 4] = [b"COPY ", b"INSERT ", b"REPLACE ", b"CREATE "];
    if !statements.iter().any(|word| starts(first, word)) && delimiter(first).is_some() {
        return Some(Format::Csv);
    }
    // The first statement that brings rows says it; a dump may begin with many others.
    for line in lines(begin) {
        if starts(line, b"COPY ") && holds(line, b" FROM stdin") {
            return Some(Format::Copy);
        }
        if starts(line, b"INSERT ") || starts(line, b"REPLACE ") {
            return Some(Format::Insert);
        }
    }
    if is_postgres(begin) {
        return Some(Format::Copy);
    }
    let sql: [&[u8]; 12] = [
        b"-- ",
        b"/*",
        b"--\n",
        b"CREATE ",
        b"DROP ",
        b"SET ",
        b"LOCK ",
        b"BEGIN",
        b"START TRANSACTION",
        b"USE ",
        b"REM ",
        b"GO",
    ];
    let is_sql = sql.iter().any(|word| starts(first, word)) || first == b"--";
    is_sql.then_some(Format::Insert)
}
