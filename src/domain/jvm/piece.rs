//! Characters that remember where they stood and how they were quoted.

use std::ops::Range;

/// How a character stood in the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quoting {
    /// As it is; a shell may make file names of a `*`.
    Bare,
    /// In quotes, or behind a backslash.
    Quoted,
    /// Stands for something that only a shell knows: `$X`, `${X}`, `$(command)`, `%X%`.
    Opaque,
}

/// A character of an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The character; of an opaque one, where it begins.
    pub c: char,
    /// Which character of the text it is.
    pub at: usize,
    /// How it stood.
    pub quoting: Quoting,
}

/// A word of a command line, its quotes gone.
pub type Word = Vec<Piece>;

/// What there is to find in a text.
#[derive(Default, Debug)]
pub struct Reading {
    /// What a JVM would be given, in the order of the text.
    pub arguments: Vec<Word>,
    /// What is said to people only.
    pub comments: Vec<Range<usize>>,
    /// Where a quote begins that does not end.
    pub unclosed: Option<usize>,
}

/// Whether something in a word is not known.
#[must_use]
pub fn is_opaque(word: &[Piece]) -> bool {
    word.iter().any(|piece| piece.quoting == Quoting::Opaque)
}

/// The characters of a word.
#[must_use]
pub fn text(word: &[Piece]) -> String {
    word.iter().map(|piece| piece.c).collect()
}

/// How properties on a command line begin that concern personal access tokens.
pub const OURS: [&str; 2] = ["-Datlassian.pats.", "-Dextender."];

/// Whether a word has such a property in it.
pub fn concerns(word: &[Piece]) -> bool {
    let text = text(word);
    OURS.iter().any(|ours| text.contains(ours))
}

/// A word without the name of a variable that it is given to: `JAVA_OPTS=…`, `JAVA_OPTS+=…`.
pub fn assigned(word: &[Piece]) -> Option<&[Piece]> {
    let equals = word.iter().position(|piece| piece.c == '=')?;
    let name = &word[..equals];
    let name = name.split_last().filter(|(last, _)| last.c == '+').map_or(name, |(_, name)| name);
    let is_name = |piece: &Piece| {
        (piece.c.is_ascii_alphanumeric() || piece.c == '_') && piece.quoting != Quoting::Opaque
    };
    (!name.is_empty() && name.iter().all(is_name)).then(|| &word[equals + 1..])
}

/// Splits what a variable holds into arguments, as `eval` in a start script does: at blanks, one layer of
/// quotes removed. The error is where a quote begins that does not end.
pub fn arguments(held: &[Piece]) -> Result<Vec<Word>, usize> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote: Option<(char, usize)> = None;
    let mut pieces = held.iter().copied().peekable();
    while let Some(piece) = pieces.next() {
        let Piece { c, at, .. } = piece;
        let expands = |next: Option<&Piece>| {
            c == '`'
                || c == '$'
                    && next.is_some_and(|next| next.c.is_ascii_alphanumeric() || "_{(".contains(next.c))
        };
        match quote {
            _ if piece.quoting == Quoting::Opaque => word.get_or_insert_default().push(piece),
            Some(('\'', _)) if c != '\'' => word.get_or_insert_default().push(quoted(piece)),
            Some((open, _)) if c == open => quote = None,
            None if c.is_whitespace() => words.extend(word.take()),
            None if c == '\'' || c == '"' => {
                word.get_or_insert_default();
                quote = Some((c, at));
            }
            _ if expands(pieces.peek()) => {
                word.get_or_insert_default().push(Piece { quoting: Quoting::Opaque, ..piece });
            }
            _ if c == '\\' => {
                let escapes = |next: &Piece| quote.is_none() || "\"\\$`".contains(next.c);
                let next = pieces.next_if(escapes).unwrap_or(piece);
                word.get_or_insert_default().push(quoted(next));
            }
            Some(_) => word.get_or_insert_default().push(quoted(piece)),
            None => word.get_or_insert_default().push(Piece { quoting: Quoting::Bare, ..piece }),
        }
    }
    words.extend(word);
    match quote {
        Some((_, at)) => Err(at),
        None => Ok(words),
    }
}

fn quoted(piece: Piece) -> Piece {
    match piece.quoting {
        Quoting::Opaque => piece,
        _ => Piece { quoting: Quoting::Quoted, ..piece },
    }
}
