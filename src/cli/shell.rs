//! The words of a pasted command, as a shell would split it; what a shell would replace is refused,
//! because nobody here knows by what.

use std::iter::Peekable;
use std::str::Chars;

/// Splits a command of one line, or of several joined by `\`.
///
/// # Errors
/// What cannot be split without a shell.
pub fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' => words.extend(word.take()),
            '\n' => {
                words.extend(word.take());
                if !words.is_empty() && chars.clone().any(|c| !c.is_whitespace()) {
                    return Err("there is more than one command; a line that goes on ends in \\".to_owned());
                }
            }
            '\'' => word.get_or_insert_default().push_str(&until_quote(&mut chars)?),
            '"' => double(&mut chars, word.get_or_insert_default())?,
            '\\' => match chars.next() {
                Some('\n') => {}
                None => return Err("the command ends in \\, and how it goes on is missing".to_owned()),
                Some('\r') if chars.peek() == Some(&'\n') => {
                    chars.next();
                }
                Some(c) => word.get_or_insert_default().push(c),
            },
            '$' if chars.peek() == Some(&'\'') => {
                chars.next();
                ansi(&mut chars, word.get_or_insert_default())?;
            }
            '$' if chars.peek() == Some(&'"') => return Err(replaced("$\"")),
            '$' if chars.peek().is_some_and(|c| starts_expansion(*c)) => return Err(replaced("$")),
            '`' => return Err(replaced("`")),
            '#' if word.is_none() => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            '|' | ';' | '&' | '<' | '>' | '(' | ')' | '{' => {
                return Err(format!(
                    "a plain {c} is for the shell; paste the curl command alone, or quote it"
                ));
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn starts_expansion(c: char) -> bool {
    // Behind a \ may be the end of the line, and behind that a name.
    c.is_ascii_alphanumeric() || "_({*@#?$!-[\\".contains(c)
}

fn replaced(what: &str) -> String {
    format!("a shell would replace {what}… by what is not known here; write its value, or quote it in '…'")
}

fn until_quote(chars: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    for c in chars.by_ref() {
        if c == '\'' {
            return Ok(text);
        }
        text.push(c);
    }
    Err("a ' is not closed".to_owned())
}

fn double(chars: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), String> {
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok(()),
            '\\' => match chars.next() {
                Some('\n') => {}
                Some(c @ ('$' | '`' | '"' | '\\')) => word.push(c),
                Some(c) => word.extend(['\\', c]),
                None => break,
            },
            '$' if chars.peek().is_some_and(|c| starts_expansion(*c)) => return Err(replaced("$")),
            '`' => return Err(replaced("`")),
            c => word.push(c),
        }
    }
    Err("a \" is not closed".to_owned())
}

/// `$'…'`, as browsers write it when they copy a request.
fn ansi(chars: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), String> {
    while let Some(c) = chars.next() {
        match c {
            '\'' => return Ok(()),
            '\\' => word.push(match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(c @ ('\\' | '\'' | '"' | '?')) => c,
                Some('u') => coded(chars, 4)?,
                Some('x') => coded(chars, 2).ok().filter(char::is_ascii).ok_or_else(unknown_escape)?,
                _ => return Err(unknown_escape()),
            }),
            c => word.push(c),
        }
    }
    Err("a $' is not closed".to_owned())
}

fn unknown_escape() -> String {
    "an escape in $'…' is not known here; write the character itself".to_owned()
}

fn coded(chars: &mut Peekable<Chars<'_>>, most: usize) -> Result<char, String> {
    let mut value = 0;
    for _ in 0..most {
        let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) else { break };
        value = value * 16 + digit;
        chars.next();
    }
    char::from_u32(value).filter(|c| *c != '\0').ok_or_else(unknown_escape)
}
