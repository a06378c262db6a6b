//! What the tools of SQL Server and Oracle write.

use super::read;
use crate::domain::atlassian::Format;
use crate::domain::atlassian::row::Row;
use crate::domain::schedule::Zone;
use std::ops::ControlFlow;

const HASH: &str = "{PKCS5S2}AAECAwQFBgcICQoLDA0OD/PBpAOuFWLos9KzKMEsuo6+lmt8Jy3BkstFq0+N+OpN";
const SSMS: &str = include_str!("../../tests/corpus/atlassian/ssms.sql");
const DEVELOPER: &str = include_str!("../../tests/corpus/atlassian/sql-developer.sql");
const SQLCMD: &str = include_str!("../../tests/corpus/atlassian/sqlcmd.csv");

/// Tokens that were read, faults, and how it ended.
fn see(text: &str) -> (Vec<Row>, Vec<String>, Result<Format, String>) {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    let mut bytes = text.as_bytes();
    let end = read(&mut bytes, None, &mut |place, fields| {
        match fields.and_then(|fields| Row::read(&fields, &Zone::utc()).map_err(|fault| fault.to_string())) {
            Ok((row, _)) => rows.push(row),
            Err(why) => faults.push(format!("{place}: {why}")),
        }
        ControlFlow::Continue(())
    });
    (rows, faults, end.map_err(|error| error.to_string()))
}

#[test]
fn scripts_and_tables_of_sql_server_and_oracle_are_read() {
    for (text, format) in [(SSMS, Format::Insert), (DEVELOPER, Format::Insert), (SQLCMD, Format::Csv)] {
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let (rows, faults, end) = see(&text);
            assert_eq!((faults, end), (Vec::new(), Ok(format)), "{text}");
            let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
            assert_eq!(names, ["ci", "it's GO [x] \\n #1", "nightly"], "{text}");
            let first = &rows[0];
            assert_eq!(first.created_at.to_string(), "2024-07-02T23:19:52.079000Z");
            assert_eq!((first.expires_at, first.last_used_at), (None, None));
            assert_eq!(first.hash.to_theirs(), HASH);
            assert_eq!(
                rows[1].last_used_at.map(|at| at.to_string()).as_deref(),
                Some("2024-07-03T17:44:39.117857Z")
            );
            assert_eq!(rows[2].user_key, "JIRAUSER10100");
        }
    }
}

#[test]
fn a_script_that_was_cut_off_is_noticed() {
    for (text, last) in [(SSMS, "GO"), (DEVELOPER, ";")] {
        let whole = text.trim_end().strip_suffix(last).expect("its end");
        for end in (whole.len() - 200..=whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            let (rows, faults, end) = see(&whole[..end]);
            // Between two statements nothing shows it.
            let is_between = rows.len() < 3 && faults.is_empty();
            assert!(end.is_err() || is_between, "{}", &whole[..whole.len().min(end.map_or(0, |_| 1))]);
        }
    }
}

#[test]
fn what_cannot_be_read_names_the_way_out() {
    let insert = |value: &str| {
        format!(
            "REM x\nInsert into AO_81F455_PERSONAL_TOKEN (CREATED_AT,EXPIRING_AT,HASHED_TOKEN,ID,LAST_ACCESSED_AT,NAME,\
             NOTIFICATION_STATE,TOKEN_ID,USER_KEY) values ({value},null,'{HASH}',2,null,'ci','NOT_SENT','123456789012','u');\n"
        )
    };
    let nls = insert("to_timestamp('02-JUL-24 11.19.52.079000000 PM','DD-MON-RR HH.MI.SSXFF AM')");
    let (rows, faults, _) = see(&nls);
    assert!(rows.is_empty() && faults[0].contains("NLS_TIMESTAMP_FORMAT"), "{faults:?}");
    let (_, faults, _) = see(&insert("'02-JUL-24 11.19.52.079000000 PM'"));
    assert!(faults[0].contains("to_char"), "{faults:?}");
    let bytes =
        SSMS.replace("CAST(N'2024-07-02T23:19:52.079' AS DateTime)", "CAST(0x0000B1A700D65B7C AS DateTime)");
    let (rows, faults, end) = see(&bytes);
    assert!(rows.len() == 2 && faults[0].contains("as CSV") && end.is_ok(), "{faults:?} {end:?}");
    let table = "CREATED_AT              TOKEN_ID     NAME\n----------------------- ------------ ----\n2024 123456789012 ci\n";
    let (_, _, end) = see(table);
    assert!(end.expect_err("a table for people").contains("fixed width"));
}
