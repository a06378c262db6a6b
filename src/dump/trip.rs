//! The readers, tried on what other programs write, on what is left of it when it is cut off, and on junk.

use super::{DumpError, read};
use crate::domain::atlassian::{COLUMNS, Format};
use proptest::prelude::*;
use std::ops::ControlFlow;

type Row = [Option<Vec<u8>>; 9];

/// What was read: rows with their places, faults with theirs, and how it ended.
struct Seen {
    rows: Vec<Row>,
    faults: Vec<String>,
    end: Result<Format, DumpError>,
}

fn see(input: &[u8], format: Option<Format>) -> Seen {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    let mut input = input;
    let end = read(&mut input, format, &mut |place, fields| {
        match fields {
            Ok(fields) => rows.push(fields.map(|value| value.map(<[u8]>::to_vec))),
            Err(why) => faults.push(format!("{place}: {why}")),
        }
        ControlFlow::Continue(())
    });
    Seen { rows, faults, end }
}

fn copy(rows: &[Row]) -> Vec<u8> {
    let names: Vec<String> = COLUMNS.iter().map(|name| format!("\"{name}\"")).collect();
    let mut out = format!(
        "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\n\
         COPY public.\"AO_81F455_PERSONAL_TOKEN\" ({}) FROM stdin;\n",
        names.join(", ")
    )
    .into_bytes();
    for row in rows {
        for (at, value) in row.iter().enumerate() {
            if at > 0 {
                out.push(b'\t');
            }
            let Some(value) = value else {
                out.extend(b"\\N");
                continue;
            };
            for byte in value {
                match byte {
                    b'\\' => out.extend(b"\\\\"),
                    b'\n' => out.extend(b"\\n"),
                    b'\r' => out.extend(b"\\r"),
                    b'\t' => out.extend(b"\\t"),
                    other => out.push(*other),
                }
            }
        }
        out.push(b'\n');
    }
    out.extend(b"\\.\n\n--\n-- PostgreSQL database dump complete\n--\n");
    out
}

fn insert(rows: &[Row], a_line: usize) -> Vec<u8> {
    let mut out = b"-- MySQL dump 10.13\n/*!40101 SET NAMES utf8mb4 */;\nLOCK TABLES `AO_81F455_PERSONAL_TOKEN` WRITE;\n".to_vec();
    for rows in rows.chunks(a_line) {
        out.extend(b"INSERT INTO `AO_81F455_PERSONAL_TOKEN` VALUES ");
        for (at, row) in rows.iter().enumerate() {
            out.extend(if at > 0 { &b",("[..] } else { b"(" });
            for (at, value) in row.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                let Some(value) = value else {
                    out.extend(b"NULL");
                    continue;
                };
                out.push(b'\'');
                for byte in value {
                    match byte {
                        0 => out.extend(b"\\0"),
                        b'\n' => out.extend(b"\\n"),
                        b'\r' => out.extend(b"\\r"),
                        b'\'' => out.extend(b"\\'"),
                        b'"' => out.extend(b"\\\""),
                        b'\\' => out.extend(b"\\\\"),
                        26 => out.extend(b"\\Z"),
                        other => out.push(*other),
                    }
                }
                out.push(b'\'');
            }
            out.push(b')');
        }
        out.extend(b";\n");
    }
    out.extend(b"UNLOCK TABLES;\n-- Dump completed on 2026-11-21\n");
    out
}

fn csv(rows: &[Row], end: &str) -> Vec<u8> {
    let mut writer = ::csv::WriterBuilder::new();
    if end == "\r\n" {
        writer.terminator(::csv::Terminator::CRLF);
    }
    let mut writer = writer.from_writer(Vec::new());
    writer.write_record(COLUMNS).expect("a vector");
    for row in rows {
        writer.write_record(row.iter().map(|value| value.as_deref().unwrap_or_default())).expect("a vector");
    }
    writer.into_inner().expect("a vector")
}

fn value() -> impl Strategy<Value = Option<Vec<u8>>> {
    // What has a meaning in one of the formats is there often.
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(&b"\\'\"`,;\t\n\r()-#/*.N\0\x1a$"[..]),
        prop::sample::select(&b"abc019 "[..]),
    ];
    let word = prop::sample::select(&["\\N", "NULL", "\\.", "(null)"][..]).prop_map(|word| Some(word.into()));
    prop_oneof![8 => prop::collection::vec(byte, 0..12).prop_map(Some), 1 => word, 1 => Just(None)]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = prop::collection::vec(value(), 9).prop_map(|row| <Row>::try_from(row).expect("nine"));
    prop::collection::vec(row, 1..6)
}

/// What reads as NULL there is NULL.
fn as_csv(rows: &[Row]) -> Vec<Row> {
    let words: [&[u8]; 3] = [b"\\N", b"NULL", b"(null)"];
    let is_word = |value: &[u8]| words.iter().any(|null| value.eq_ignore_ascii_case(null));
    let mut rows = rows.to_vec();
    for row in &mut rows {
        for (column, value) in row.iter_mut().enumerate() {
            let is_null = |value: &Vec<u8>| value.is_empty() || [3, 4, 6].contains(&column) && is_word(value);
            *value = value.take().filter(|value| !is_null(value));
        }
    }
    rows
}

proptest! {
    #[test]
    fn what_each_program_writes_is_read_back_value_by_value(rows in rows(), a_line in 1usize..4) {
        for (bytes, format) in [(copy(&rows), Format::Copy), (insert(&rows, a_line), Format::Insert)] {
            let seen = see(&bytes, None);
            prop_assert!(matches!(seen.end, Ok(found) if found == format), "{:?}", seen.end);
            prop_assert_eq!((&seen.rows, seen.faults.len()), (&rows, 0));
        }
        for end in ["\n", "\r\n"] {
            let seen = see(&csv(&rows, end), None);
            prop_assert!(matches!(seen.end, Ok(Format::Csv)), "{:?}", seen.end);
            prop_assert_eq!((seen.rows, seen.faults.len()), (as_csv(&rows), 0));
        }
    }

    /// A dump that was cut off in its rows is noticed, and no row of it is another than it was.
    #[test]
    fn what_is_cut_off_is_noticed(rows in rows(), a_line in 1usize..4, at: prop::sample::Index) {
        let dumps = [
            (copy(&rows), Format::Copy, &b"FROM stdin;\n"[..], &b"\\.\n"[..]),
            (insert(&rows, a_line), Format::Insert, b"INSERT INTO `AO_81F455_PERSONAL_TOKEN` VALUES", b"UNLOCK"),
        ];
        for (bytes, format, first, last) in dumps {
            let find = |words: &[u8]| bytes.windows(words.len()).position(|there| there == words).expect("it");
            let (begin, end) = (find(first) + first.len(), bytes.len() - last.len());
            let end = bytes[..end].windows(last.len()).rposition(|there| there == last).unwrap_or(end);
            prop_assume!(begin < end);
            let cut = begin + at.index(end - begin);
            let seen = see(&bytes[..cut], Some(format));
            prop_assert!(seen.end.is_err(), "{}", String::from_utf8_lossy(&bytes[..cut]));
            prop_assert_eq!(&seen.rows[..], &rows[..seen.rows.len()]);
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), sql in "(INSERT INTO|CREATE TABLE|COPY) `?AO_81F455_PERSONAL_TOKEN`?[ (),;'\"`\\\\a-zA-Z0-9$*/\n#-]{0,60}") {
        for format in [None, Some(Format::Copy), Some(Format::Insert), Some(Format::Csv)] {
            let _ = (see(&bytes, format), see(sql.as_bytes(), format));
        }
    }
}

const GOOD: &str =
    "('2024-07-02 23:19:52','9999-12-31 00:00:00','h',2,NULL,'n','NOT_SENT','742309342887','u')";

fn of_sql(text: &str) -> Seen {
    see(text.as_bytes(), None)
}

#[test]
fn other_tables_comments_and_functions_are_passed_over() {
    let noise = "/*M!999999\\- enable the sandbox mode */\n-- It's a comment\n# and another's\n\
                 CREATE TABLE `other` (`ID` int, `t` enum('a;b','c\\'d') DEFAULT 'INSERT INTO');\n\
                 INSERT INTO `other` VALUES (1,'INSERT INTO `AO_81F455_PERSONAL_TOKEN` VALUES (1);'),(2,'\\\\');\n\
                 DELIMITER ;;\n/*!50003 CREATE TRIGGER x BEFORE INSERT ON `AO_81F455_PERSONAL_TOKEN` */;;\nDELIMITER ;\n";
    let seen = of_sql(&format!("{noise}INSERT INTO `db`.`AO_81F455_PERSONAL_TOKEN` VALUES {GOOD};\n{noise}"));
    assert!(seen.end.is_ok() && seen.rows.len() == 1 && seen.faults.is_empty(), "{:?}", seen.end);
    let postgres = format!(
        "--\n-- PostgreSQL database dump\n--\nCREATE FUNCTION f() AS $x$ it's; $y$ $x $x$ LANGUAGE sql;\n\
         INSERT INTO public.other VALUES ('C:\\');\nINSERT INTO public.\"AO_81F455_PERSONAL_TOKEN\" VALUES {GOOD};\n-- PostgreSQL database dump complete\n\\unrestrict x\n"
    );
    let seen = of_sql(&postgres);
    assert!(seen.end.is_ok() && seen.rows.len() == 1, "{:?}", seen.end);
}

#[test]
fn columns_may_stand_in_any_order_and_there_may_be_others() {
    let create = "CREATE TABLE `AO_81F455_PERSONAL_TOKEN` (\n `USER_KEY` varchar(255) COLLATE utf8mb4_bin NOT NULL,\n \
                  `TOKEN_ID` varchar(255), `EXTRA` decimal(10,2), `NAME` text, `HASHED_TOKEN` text, `CREATED_AT` datetime,\n \
                  `EXPIRING_AT` datetime, PRIMARY KEY (`ID`), KEY `index_x` (`TOKEN_ID`)\n);\n";
    let list = "(USER_KEY, `TOKEN_ID`, \"EXTRA\", NAME, HASHED_TOKEN, CREATED_AT, EXPIRING_AT)";
    let values = "('u',_utf8mb4 '742309342887',-1.5e3,\"n\",'h','c','e')";
    for text in [
        format!("{create}INSERT INTO AO_81F455_PERSONAL_TOKEN VALUES {values};"),
        format!(
            "INSERT IGNORE INTO `ao_81f455_personal_token` {list} VALUES {values} ON DUPLICATE KEY UPDATE ID=1;"
        ),
    ] {
        let seen = see(text.as_bytes(), Some(Format::Insert));
        let text = |value: &str| Some(value.as_bytes().to_vec());
        let row =
            [text("c"), text("e"), text("h"), None, None, text("n"), None, text("742309342887"), text("u")];
        assert_eq!(seen.rows, [row], "{:?}", seen.end);
    }
    let csv = "token_id;Extra;USER_KEY;name;hashed_token;expiring_at;created_at\n742309342887;1;u;n;h;e;c\n";
    let seen = of_sql(csv);
    assert_eq!(seen.rows[0][0].as_deref(), Some(&b"c"[..]), "{:?}", seen.end);
}

#[test]
fn a_broken_row_is_named_by_its_line_and_the_others_are_read() {
    let sql = format!("INSERT INTO AO_81F455_PERSONAL_TOKEN VALUES {GOOD},\n(1,2),{GOOD},(now(\n");
    let seen = of_sql(&sql);
    assert_eq!(
        (seen.rows.len(), seen.faults),
        (2, vec!["line 2, row 1: it has 2 values, there are 9 columns".to_owned()])
    );
    let end = seen.end.expect_err("a function").to_string();
    assert_eq!(end, "line 2: a list of values goes on with ',' or ends with ')'");
    let copy =
        "COPY \"AO_81F455_PERSONAL_TOKEN\" FROM stdin;\r\na\tb\r\n1\t2\t3\t4\t5\t6\t7\t8\t9\r\n\\.\r\n";
    let seen = of_sql(copy);
    assert_eq!(
        (seen.rows.len(), seen.faults),
        (1, vec!["line 2: it has 2 values, there are 9 columns".to_owned()])
    );
    assert_eq!(seen.rows[0][8].as_deref(), Some(&b"9"[..]));
}

/// A value of a gigabyte in another table takes no memory, and one in ours is a fault of its row.
#[test]
fn what_is_too_long_is_not_kept() {
    let huge = "x".repeat(200_000);
    let sql = format!(
        "INSERT INTO `other` VALUES ('{huge}');INSERT INTO `AO_81F455_PERSONAL_TOKEN` VALUES ('{huge}'),{GOOD};"
    );
    let seen = of_sql(&sql);
    assert_eq!(
        (seen.rows.len(), seen.faults),
        (1, vec!["line 1, row 1: a value is longer than 65536 bytes".to_owned()])
    );
    let copy = format!(
        "COPY other FROM stdin;\n{huge}\n\\.\nCOPY AO_81F455_PERSONAL_TOKEN FROM stdin;\n{huge}\n1\t2\t3\t4\t5\t6\t7\t8\t9\n\\.\n"
    );
    let seen = of_sql(&copy);
    assert_eq!((seen.rows.len(), seen.faults), (1, vec!["line 5: it is longer than 65536 bytes".to_owned()]));
    let csv = format!("{}\na,\"b\n{huge}", COLUMNS.join(","));
    let end = of_sql(&csv).end.expect_err("no end").to_string();
    assert_eq!(end, "line 2: a row has no end; a quote may not be closed");
}

#[test]
fn what_is_no_dump_is_named_with_what_to_do() {
    for (bytes, what) in [
        (&b"PGDMP\x01"[..], "it is a dump in pg_dump's own format"),
        (b"\x1f\x8b\x08", "it is packed with gzip"),
        (b"\xff\xfeT\0O\0", "it is UTF-16"),
        (b"", "it begins neither as a dump nor with a line of column names"),
        (b"hello\n", "it begins neither as a dump nor with a line of column names"),
        (
            b"\xef\xbb\xbfTOKEN_ID,NAME\n",
            "line 1: columns CREATED_AT, EXPIRING_AT, HASHED_TOKEN, USER_KEY are missing",
        ),
        (b"TOKEN_ID,TOKEN_ID\n", "line 1: the column TOKEN_ID is there twice"),
        (b"-- MySQL dump\nSELECT 1;\n", "it has no remark at its end that the dump is complete"),
        (b"DROP TABLE x;\nSELECT 1;\n", "there is no 'INSERT INTO AO_81F455_PERSONAL_TOKEN VALUES …' in it"),
        (
            b"COPY x (a) FROM stdin;\n1\n\\.\n",
            "there is no 'COPY … AO_81F455_PERSONAL_TOKEN … FROM stdin;' in it",
        ),
        (b"COPY x (a) FROM stdin;\n1\n", "it ends in the middle of a COPY block that begins in line 1"),
        (b"INSERT INTO x VALUES ('\n", "it ends in the middle of a text that begins in line 1"),
        (b"DROP TABLE x; UNLO", "it ends in the middle of a statement that begins in line 1"),
        (b"/* x\n", "it ends in the middle of a comment that begins in line 1"),
        (
            b"-- PostgreSQL database dump\nINSERT INTO x VALUES (1);\nCOPY y FROM stdin;\n",
            "line 3: there are COPY blocks in it: use --format copy",
        ),
    ] {
        let end = see(bytes, None).end.expect_err("no dump").to_string();
        assert_eq!(end, what, "{}", String::from_utf8_lossy(bytes));
    }
}
