//! A list that says which user name belongs to which key: `app_user` or `user_mapping` as CSV.

use super::csv::{Rows, SEPARATORS};
use super::source::Source;
use super::{DumpError, Result};
use std::collections::HashMap;
use std::io::Read;

/// Headings under which keys and names stand there.
const KEYS: [&str; 2] = ["user_key", "key"];
const NAMES: [&str; 5] = ["lower_user_name", "username", "user_name", "lower_username", "name"];
/// More than any installation has.
const MOST: usize = 10_000_000;

/// Reads keys and names: two columns, or those that a line of names says.
///
/// # Errors
/// [`super::DumpError`], which names the line.
pub fn read(input: &mut dyn Read) -> Result<HashMap<String, String>> {
    let mut source = Source::new(input)?;
    let mut rows = Rows::new(&mut source, b',');
    let (mut key, mut name, mut width) = (0, 1, 2);
    let mut map = HashMap::new();
    let mut is_first = true;
    while rows.next()? {
        if std::mem::take(&mut is_first)
            && let (Some(k), Some(n)) = (place(&rows, &KEYS), place(&rows, &NAMES))
        {
            (key, name, width) = (k, n, rows.width());
            continue;
        }
        if rows.width() != width {
            if let Some(found) = other_separator(&rows) {
                return Err(DumpError::Separator { line: rows.line(), found });
            }
            return Err(rows.wrong("it has not as many values as there are columns: a key and a name"));
        }
        let text = |at| std::str::from_utf8(rows.value(at).unwrap_or_default().trim_ascii()).ok();
        let (Some(key), Some(name)) = (text(key), text(name)) else {
            return Err(rows.wrong("it is not UTF-8"));
        };
        if map.get(key).is_some_and(|known| *known != name) {
            return Err(rows.wrong("this key has another name in an earlier line"));
        }
        map.insert(key.to_owned(), name.to_owned());
        if map.len() > MOST {
            return Err(rows.wrong("these are too many users"));
        }
    }
    Ok(map)
}

/// What separates the values of a row that has no comma.
fn other_separator(rows: &Rows<'_, '_>) -> Option<char> {
    let only = rows.value(0).filter(|_| rows.width() == 1)?;
    SEPARATORS.into_iter().find(|separator| only.contains(separator)).map(char::from)
}

fn place(rows: &Rows<'_, '_>, names: &[&str]) -> Option<usize> {
    let is_one =
        |cell: &[u8]| names.iter().any(|name| cell.trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
    rows.values().position(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(text: &str) -> std::result::Result<Vec<(String, String)>, String> {
        let map = read(&mut text.as_bytes()).map_err(|error| error.to_string())?;
        let mut all: Vec<_> = map.into_iter().collect();
        all.sort();
        Ok(all)
    }

    #[test]
    fn keys_and_names_are_read_with_and_without_a_heading() {
        let alice = vec![("JIRAUSER10000".to_owned(), "alice".to_owned())];
        for text in [
            "JIRAUSER10000,alice\n",
            "user_key,lower_user_name\r\nJIRAUSER10000,alice\r\n",
            "\u{feff}key,name\nJIRAUSER10000,\"alice\"",
            "ID,LOWER_USER_NAME,USER_KEY\n1,alice,JIRAUSER10000\n",
            "user_key,username\nJIRAUSER10000,alice\nJIRAUSER10000,alice\n",
        ] {
            assert_eq!(names(text), Ok(alice.clone()), "{text:?}");
        }
    }

    #[test]
    fn a_row_that_says_nothing_is_named_by_its_line() {
        assert!(names("a,b\nc\n").is_err_and(|why| why.starts_with("line 2: ")));
        assert!(names("a,b\na,c\n").is_err_and(|why| why.contains("another name")));
        for (text, words) in [
            ("user_key;username\na;b\n", "line 1: key and name are separated by ';'"),
            ("a|b\n", "line 1: key and name are separated by '|'"),
            ("a,b\nc\td\n", "line 2: key and name are separated by a tab"),
        ] {
            assert!(names(text).is_err_and(|why| why.starts_with(words)), "{text:?}");
        }
        assert!(names("a,b\nc,\"d\n").is_err_and(|why| why.starts_with("line 2: a quote")));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&mut bytes.as_slice());
        }
    }
}
