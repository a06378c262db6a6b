//! A value in a list of values: a text, a number, NULL, and what SQL Server and Oracle wrap around them.

use super::tokens::{Dialect, Token, Tokens};
use super::{LONGEST, Result};

/// A value, NULL, or why it is none.
pub type Value = std::result::Result<Option<Vec<u8>>, String>;

/// How deep values may be wrapped.
const DEEPEST: usize = 4;

/// Reads a value that begins with this piece; what is none of those that a dump writes is a fault of its row.
pub fn value(tokens: &mut Tokens<'_, '_>, token: Token) -> Result<Value> {
    wrapped(tokens, token, 0)
}

fn wrapped(tokens: &mut Tokens<'_, '_>, token: Token, depth: usize) -> Result<Value> {
    let has_functions = matches!(tokens.dialect, Dialect::SqlServer | Dialect::Oracle) && depth < DEEPEST;
    Ok(match token {
        // _binary 'text', _utf8mb4 'text'
        Token::Word(word) if word.starts_with(b"_") => {
            let token = tokens.next()?;
            plain(tokens, token)
        }
        Token::Word(word) if has_functions => match word.as_slice() {
            b"CAST" | b"TO_TIMESTAMP" | b"TO_DATE" | b"TO_TIMESTAMP_TZ" | b"TO_CLOB" | b"TO_NCHAR"
            | b"TO_CHAR" | b"TO_NUMBER" => function(tokens, &word, depth)?,
            b"TIMESTAMP" => {
                let token = tokens.next()?;
                plain(tokens, token)
            }
            _ => plain(tokens, Token::Word(word)),
        },
        token => plain(tokens, token),
    })
}

fn plain(tokens: &Tokens<'_, '_>, token: Token) -> Value {
    match token {
        Token::Number(number) if number.starts_with(b"0x") && tokens.dialect == Dialect::SqlServer => Err(
            "a value is written as bytes (0x…); export the table as CSV, or script it with times as texts"
                .to_owned(),
        ),
        Token::Text(text) | Token::Number(text) => Ok(Some(text)),
        Token::Double(text) if tokens.dialect == Dialect::MySql => Ok(Some(text)),
        Token::Word(word) if word == b"NULL" => Ok(None),
        Token::Long => Err(format!("a value is longer than {LONGEST} bytes")),
        _ => Err("a value is neither a text, nor a number, nor NULL".to_owned()),
    }
}

/// `CAST(value AS type)`, `to_timestamp(value, format)`: the value, where the function only says its type.
fn function(tokens: &mut Tokens<'_, '_>, name: &[u8], depth: usize) -> Result<Value> {
    if tokens.next()? != Token::Sign(b'(') {
        return Ok(Err("a value is neither a text, nor a number, nor NULL".to_owned()));
    }
    let first = tokens.next()?;
    let value = wrapped(tokens, first, depth + 1)?;
    let (mut open, mut format) = (1, None);
    while open > 0 {
        match tokens.next()? {
            Token::Sign(b'(') => open += 1,
            Token::Sign(b')') => open -= 1,
            Token::Text(text) if format.is_none() => format = Some(text),
            // The list that is not closed is told of by its reader.
            Token::End => break,
            _ => {}
        }
    }
    let is_time = matches!(name, b"TO_TIMESTAMP" | b"TO_DATE" | b"TO_TIMESTAMP_TZ");
    match format {
        Some(format) if is_time && !is_exact(&format) => Ok(Err(format!(
            "a time is in the format '{}', in which the year has two digits or the month a name; set \
             NLS_TIMESTAMP_FORMAT and NLS_DATE_FORMAT to 'YYYY-MM-DD HH24:MI:SS.FF' and 'YYYY-MM-DD HH24:MI:SS' in \
             Oracle's SQL Developer and export again, or export as CSV",
            String::from_utf8_lossy(&format).chars().take(60).collect::<String>()
        ))),
        _ => Ok(value),
    }
}

/// Whether a format of Oracle writes times as the table has them.
fn is_exact(format: &[u8]) -> bool {
    let format = format.to_ascii_uppercase();
    let rest = [&b"YYYY-MM-DD HH24:MI:SS"[..], b"YYYY-MM-DD\"T\"HH24:MI:SS"]
        .iter()
        .find_map(|begin| format.strip_prefix(*begin));
    let fraction = rest.and_then(|rest| rest.strip_prefix(b".FF").or_else(|| rest.strip_prefix(b"XFF")));
    rest.is_some_and(<[u8]>::is_empty)
        || fraction.is_some_and(|digits| digits.len() < 2 && digits.iter().all(u8::is_ascii_digit))
}
