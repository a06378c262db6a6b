//! Telling the brackets of a rule apart: a clause, a character class, or the end of a clause. It
//! follows the reading of `regex-syntax`, so that what ends here ends there.

use super::fault::{Code, Fault};
use super::method;

/// The clauses there are.
pub const CLAUSES: [&str; 2] = ["QueryParam", "JsonData"];

/// The name of the clause that begins at `at`: `[`, a letter, letters and digits, `::`.
pub fn clause_start(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at..)?.strip_prefix('[')?;
    let (name, _) = rest.split_once("::")?;
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    plain.then_some(name)
}

/// Where a regular expression ends that begins at `from`: at a clause, or at the `]` that closes the
/// clause it is `within`, or with the line (then `None` within a clause: nothing closes it).
///
/// # Errors
/// A bracket that cannot be told apart, or is a slip.
pub fn end_of_regex(text: &str, from: usize, within: bool) -> Result<Option<usize>, Fault> {
    // Bytes: what is looked for is ASCII, and no byte of another character is.
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' if clause_start(text, at).is_some() => {
                if within {
                    return Err(Fault::new(
                        at,
                        Code::Clause,
                        "a clause cannot stand in a clause; close the one before it with ]",
                    ));
                }
                return Ok(Some(at));
            }
            b'[' => at = class(text, at)?,
            b']' if within => return Ok(Some(at)),
            _ => {}
        }
        at += 1;
    }
    Ok(if within { None } else { Some(text.len()) })
}

/// The place of the `]` that closes the class at `from`.
fn class(text: &str, from: usize) -> Result<usize, Fault> {
    let bytes = text.as_bytes();
    let opened = |mut at: usize| {
        // '[', then '^', then a ']' that is literal because it comes first.
        at += 1;
        at += usize::from(bytes.get(at) == Some(&b'^'));
        at + usize::from(bytes.get(at) == Some(&b']'))
    };
    let mut depth = 1;
    let mut at = opened(from);
    loop {
        match bytes.get(at) {
            None => {
                return Err(Fault::new(
                    from,
                    Code::Regex,
                    "the character class is not closed; close it with ], or write \\[ for the bracket itself",
                ));
            }
            Some(b'\\') => at += 2,
            Some(b'[') => {
                depth += 1;
                at = opened(at);
            }
            Some(b']') if depth == 1 => break,
            Some(b']') => {
                depth -= 1;
                at += 1;
            }
            Some(_) => at += 1,
        }
    }
    slip(&text[from + 1..at]).map_or(Ok(at), |(code, message)| Err(Fault::new(from, code, message)))
}

/// A class that was hardly meant as one.
fn slip(inside: &str) -> Option<(Code, String)> {
    if method::known(inside).is_some() {
        let message = format!("a method stands at the beginning of the line; write [{inside}] there");
        return Some((Code::MethodPlace, message));
    }
    let tell = ["::", "==", "QueryParam", "JsonData"].into_iter().find(|tell| inside.contains(tell))?;
    Some((
        Code::ClauseLike,
        format!(
            "a character class with {tell} in it looks like a clause; write [QueryParam::name==regexp] or \
             [JsonData::name==regexp]"
        ),
    ))
}
