//! What is no shell script: lists of options, batch files, YAML.

use super::piece::{Piece, Quoting, Reading, Word, arguments, assigned, concerns, text};
use std::ops::Range;

/// The lines of a text, as places in it.
fn lines(chars: &[char]) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, c) in chars.iter().enumerate() {
        if *c == '\n' {
            lines.push(start..at);
            start = at + 1;
        }
    }
    lines.push(start..chars.len());
    lines
}

fn trimmed(chars: &[char], line: &Range<usize>) -> Range<usize> {
    let blank = |at: &usize| chars[*at].is_whitespace();
    let start = line.clone().find(|at| !blank(at)).unwrap_or(line.end);
    let end = line.clone().rev().find(|at| !blank(at)).map_or(start, |at| at + 1);
    start..end
}

fn pieces(chars: &[char], range: Range<usize>) -> Word {
    range.map(|at| Piece { c: chars[at], at, quoting: Quoting::Bare }).collect()
}

fn begins(chars: &[char], range: &Range<usize>, with: &str) -> bool {
    let mut there = chars[range.clone()].iter();
    with.chars().all(|c| there.next().is_some_and(|t| t.eq_ignore_ascii_case(&c)))
}

/// One option a line (`jvm.options`, the list of a Windows service), or several with a `;` between:
/// nothing is quoted, blanks belong to the value.
pub fn list(chars: &[char]) -> Reading {
    let mut reading = Reading::default();
    for line in lines(chars) {
        let line = trimmed(chars, &line);
        if begins(chars, &line, "#") || begins(chars, &line, "//") {
            reading.comments.push(line);
            continue;
        }
        for option in options(chars, line) {
            let word = unwrapped(pieces(chars, option));
            let alone = text(&word);
            // Several on a line are not of this kind; then quotes count.
            if alone.contains(" -D") || alone.contains(" -X") || !alone.starts_with("-D") {
                match arguments(&word) {
                    Ok(words) => reading.arguments.extend(words),
                    Err(at) => reading.unclosed = Some(at),
                }
            } else {
                reading.arguments.push(word.into_iter().map(kept).collect());
            }
        }
    }
    reading
}

fn kept(piece: Piece) -> Piece {
    Piece { quoting: Quoting::Quoted, ..piece }
}

/// A line at every `;` or `#` that an option follows.
fn options(chars: &[char], line: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = line.start;
    for at in line.clone() {
        let next = (chars.get(at + 1).copied(), chars.get(at + 2).copied());
        if matches!(chars[at], ';' | '#') && at + 2 < line.end && matches!(next, (Some('-'), Some('D' | 'X')))
        {
            found.push(start..at);
            start = at + 1;
        }
    }
    found.push(start..line.end);
    found
}

/// Without quotes around the whole.
fn unwrapped(mut word: Word) -> Word {
    let quote = |piece: Option<&Piece>| piece.map(|piece| piece.c).filter(|c| matches!(c, '"' | '\''));
    if word.len() > 1 && quote(word.first()).is_some() && quote(word.first()) == quote(word.last()) {
        word.pop();
        word.remove(0);
    }
    word
}

/// A batch file: `set NAME=…` and `set "NAME=…"`, `%X%` not expanded, double quotes alone keep blanks
/// together.
pub fn batch(chars: &[char]) -> Reading {
    let mut reading = Reading::default();
    let mut joined = Word::new();
    for line in lines(chars) {
        let line = trimmed(chars, &line);
        if joined.is_empty() && ["rem ", "@rem ", "::"].iter().any(|word| begins(chars, &line, word)) {
            reading.comments.push(line);
            continue;
        }
        joined.extend(pieces(chars, line));
        if joined.last().is_some_and(|piece| piece.c == '^') {
            joined.pop();
            continue;
        }
        let command = std::mem::take(&mut joined);
        if concerns(&command) {
            match set(&command) {
                Ok(words) => reading.arguments.extend(words),
                Err(at) => reading.unclosed = Some(at),
            }
        }
    }
    reading
}

/// The arguments that a `set` gives to a variable.
fn set(command: &[Piece]) -> Result<Vec<Word>, usize> {
    let whole = text(command).to_ascii_lowercase();
    let skip = if whole.starts_with("set ") { 4 } else { 0 };
    let mut rest = &command[skip..];
    if skip > 0 && rest.first().is_some_and(|piece| piece.c == '"') {
        // The last quote of the line closes it.
        let last = rest.iter().rposition(|piece| piece.c == '"').filter(|at| *at > 0).ok_or(rest[0].at)?;
        rest = &rest[1..last];
    }
    split_batch(assigned(rest).unwrap_or(rest))
}

fn split_batch(held: &[Piece]) -> Result<Vec<Word>, usize> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut open = None;
    for piece in held {
        match piece.c {
            '"' => {
                word.get_or_insert_default();
                open = if open.is_some() { None } else { Some(piece.at) };
            }
            c if c.is_whitespace() && open.is_none() => words.extend(word.take()),
            '%' | '!' => word.get_or_insert_default().push(Piece { quoting: Quoting::Opaque, ..*piece }),
            _ => {
                let quoting = if open.is_some() { Quoting::Quoted } else { Quoting::Bare };
                word.get_or_insert_default().push(Piece { quoting, ..*piece });
            }
        }
    }
    words.extend(word);
    open.map_or(Ok(words), Err)
}

/// YAML such as the values of a Helm chart: each scalar on a line holds arguments, which a shell in the
/// container will split.
pub fn yaml(chars: &[char]) -> Reading {
    let mut reading = Reading::default();
    for line in lines(chars) {
        let line = trimmed(chars, &line);
        if begins(chars, &line, "#") {
            reading.comments.push(line);
            continue;
        }
        let scalar = scalar(chars, behind_keys(chars, line), &mut reading.comments);
        if !concerns(&scalar) {
            continue;
        }
        match arguments(assigned(&scalar).unwrap_or(&scalar)) {
            Ok(words) => reading.arguments.extend(words),
            Err(at) => reading.unclosed = Some(at),
        }
    }
    reading
}

/// What follows the dashes and the key on a line.
fn behind_keys(chars: &[char], mut line: Range<usize>) -> Range<usize> {
    loop {
        let rest = &chars[line.clone()];
        let is_key = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
        let key = rest.iter().position(|c| !is_key(c)).unwrap_or(0);
        let skip = match rest {
            ['-', ' ', ..] => 1,
            _ if key > 0 && rest[0] != '-' && rest[key] == ':' && rest.get(key + 1) == Some(&' ') => key + 1,
            _ => return line,
        };
        line = trimmed(chars, &(line.start + skip..line.end));
    }
}

/// A scalar with one layer of YAML's own quotes removed; the templates of Helm are opaque.
fn scalar(chars: &[char], range: Range<usize>, comments: &mut Vec<Range<usize>>) -> Word {
    let mut word = Word::new();
    let quote = range.clone().next().map(|at| chars[at]).filter(|c| matches!(c, '"' | '\''));
    let mut at = if quote.is_some() { range.start + 1 } else { range.start };
    while at < range.end {
        let (c, next) = (chars[at], chars.get(at + 1).copied().filter(|_| at + 1 < range.end));
        let mut piece = Piece { c, at, quoting: Quoting::Bare };
        match (quote, c, next) {
            (Some('\''), '\'', Some('\'')) => at += 1,
            (Some('"'), '\\', Some(escaped)) => {
                at += 1;
                piece = Piece { c: escaped, at, quoting: Quoting::Bare };
                if !matches!(escaped, '"' | '\\' | '/' | ' ') {
                    piece.quoting = Quoting::Opaque;
                }
            }
            (Some(quote), _, _) if c == quote => break,
            (None, ' ', Some('#')) => {
                comments.push(at..range.end);
                break;
            }
            (_, '{', Some('{')) => piece.quoting = Quoting::Opaque,
            _ => {}
        }
        word.push(piece);
        at += 1;
    }
    word
}
