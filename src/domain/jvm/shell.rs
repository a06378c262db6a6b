//! A shell script, read and never run: its words, with one layer of quotes removed. What an expansion
//! would give is not known and not asked for.

use super::piece::{Piece, Quoting, Reading, Word, arguments, assigned, concerns, text};
use std::ops::Range;

/// What separates words beside blanks.
const META: &str = ";&|<>()";

/// Reads a script, a Dockerfile or a unit of systemd: whatever quotes like a shell.
pub fn read(chars: &[char]) -> Reading {
    let mut lexer = Lexer { chars, next: 0, defaults: Vec::new(), comments: Vec::new(), depth: 0 };
    let read = lexer.words(chars.len(), true);
    let mut reading = Reading { comments: lexer.comments, ..Reading::default() };
    match read {
        Ok(words) => {
            for word in words.iter().chain(&lexer.defaults).filter(|word| concerns(word)) {
                match held(word) {
                    Ok(arguments) => reading.arguments.extend(arguments),
                    Err(at) => reading.unclosed = Some(at),
                }
            }
        }
        Err(at) => reading.unclosed = Some(at),
    }
    // In the order of the text, in which the last one wins.
    reading.arguments.sort_by_key(|word| word.first().map(|piece| piece.at));
    reading
}

/// The arguments in a word: those that the variable will hold which it is given to, or itself.
fn held(word: &[Piece]) -> Result<Vec<Word>, usize> {
    let Some(mut value) = assigned(word) else {
        // An argument in its own right, such as an element of an array, keeps its blanks.
        let alone = text(word);
        let is_one = alone.starts_with("-D") && !alone.contains(" -") && !alone.contains("\n-");
        return if is_one { Ok(vec![word.to_vec()]) } else { arguments(word) };
    };
    // Environment="JAVA_OPTS=…"
    while let Some(inner) = assigned(value) {
        value = inner;
    }
    arguments(value)
}

struct Lexer<'s> {
    chars: &'s [char],
    next: usize,
    /// What variables hold where they hold nothing else: `${X:=…}`.
    defaults: Vec<Word>,
    comments: Vec<Range<usize>>,
    /// Braces within braces.
    depth: usize,
}

/// Nobody writes so many.
const DEEPEST: usize = 32;

type Lexed<T> = Result<T, usize>;

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.next + ahead).copied()
    }

    fn piece(&self, quoting: Quoting) -> Piece {
        Piece { c: self.peek(0).unwrap_or_default(), at: self.next, quoting }
    }

    /// The words up to `end`, or all of it as one.
    fn words(&mut self, end: usize, split: bool) -> Lexed<Vec<Word>> {
        let mut words = Vec::new();
        let mut word: Option<Word> = None;
        while self.next < end {
            let c = self.chars[self.next];
            match c {
                _ if split && (c.is_whitespace() || META.contains(c)) => {
                    words.extend(word.take());
                    self.next += 1;
                }
                '#' if split && word.is_none() => self.comment(),
                '\'' => self.single(word.get_or_insert_default())?,
                '"' => self.double(word.get_or_insert_default(), end)?,
                '\\' => {
                    self.next += 1;
                    // A line that ends so goes on in the next.
                    if self.next < end && self.chars[self.next] != '\n' {
                        let piece = self.piece(Quoting::Quoted);
                        word.get_or_insert_default().push(piece);
                    }
                    self.next += 1;
                }
                _ => self.plain(word.get_or_insert_default(), false)?,
            }
        }
        words.extend(word);
        Ok(words)
    }

    fn comment(&mut self) {
        let start = self.next;
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.next += 1;
        }
        self.comments.push(start..self.next);
    }

    fn single(&mut self, word: &mut Word) -> Lexed<()> {
        let start = self.next;
        self.next += 1;
        loop {
            match self.peek(0) {
                None => return Err(start),
                Some('\'') => break,
                Some(_) => word.push(self.piece(Quoting::Quoted)),
            }
            self.next += 1;
        }
        self.next += 1;
        Ok(())
    }

    fn double(&mut self, word: &mut Word, end: usize) -> Lexed<()> {
        let start = self.next;
        self.next += 1;
        while self.next < end {
            match self.chars[self.next] {
                '"' => {
                    self.next += 1;
                    return Ok(());
                }
                _ => self.within_double(word)?,
            }
        }
        Err(start)
    }

    fn within_double(&mut self, word: &mut Word) -> Lexed<()> {
        if self.peek(0) == Some('\\') {
            match self.peek(1) {
                Some('\n') => {
                    self.next += 2;
                    return Ok(());
                }
                Some('"' | '\\' | '$' | '`') => self.next += 1,
                _ => {}
            }
            word.push(self.piece(Quoting::Quoted));
            self.next += 1;
            return Ok(());
        }
        self.plain(word, true)
    }

    /// An expansion, or a character that is none.
    fn plain(&mut self, word: &mut Word, double: bool) -> Lexed<()> {
        let start = self.next;
        let opaque = self.piece(Quoting::Opaque);
        match (self.peek(0), self.peek(1)) {
            (Some('`'), _) => self.skip_to('`')?,
            (Some('$'), Some('(')) => {
                self.next += 2;
                self.skip_parens(start)?;
            }
            (Some('$'), Some('{')) => self.braces(double)?,
            (Some('$'), Some('\'')) if !double => {
                self.next += 1;
                self.skip_to('\'')?;
            }
            (Some('$'), Some(c)) if c.is_ascii_alphabetic() || c == '_' => {
                self.next += 1;
                while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                    self.next += 1;
                }
            }
            (Some('$'), Some(c)) if c.is_ascii_digit() || "@*#?$!-".contains(c) => self.next += 2,
            _ => {
                word.push(self.piece(if double { Quoting::Quoted } else { Quoting::Bare }));
                self.next += 1;
                return Ok(());
            }
        }
        word.push(opaque);
        Ok(())
    }

    /// To behind the next `quote` that no backslash precedes; one stands here.
    fn skip_to(&mut self, quote: char) -> Lexed<()> {
        let start = self.next;
        self.next += 1;
        loop {
            match self.peek(0) {
                None => return Err(start),
                Some('\\') => self.next += 2,
                Some(c) => {
                    self.next += 1;
                    if c == quote {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// To behind the parenthesis that closes the one just passed.
    fn skip_parens(&mut self, start: usize) -> Lexed<()> {
        let mut depth = 1;
        while depth > 0 {
            match self.peek(0).ok_or(start)? {
                '\\' => self.next += 1,
                '\'' => {
                    self.single(&mut Word::new())?;
                    continue;
                }
                quote @ ('"' | '`') => {
                    self.skip_to(quote)?;
                    continue;
                }
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            self.next += 1;
        }
        Ok(())
    }

    /// `${…}`. What it gives where the variable is not set is noted.
    fn braces(&mut self, double: bool) -> Lexed<()> {
        let start = self.next;
        let end = self.end_of_braces(double)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(start);
        }
        self.next = start + 2;
        while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.next += 1;
        }
        if self.peek(0) == Some(':') {
            self.next += 1;
        }
        if matches!(self.peek(0), Some('=' | '-' | '+')) && self.next < end {
            self.next += 1;
            if double {
                let mut word = Word::new();
                while self.next < end {
                    // Quotes within are a layer of their own.
                    if self.peek(0) == Some('"') {
                        self.double(&mut word, end)?;
                    } else {
                        self.within_double(&mut word)?;
                    }
                }
                self.defaults.push(word);
            } else {
                let words = self.words(end, false)?;
                self.defaults.extend(words);
            }
        }
        self.depth -= 1;
        self.next = end + 1;
        Ok(())
    }

    /// Where the brace stands that ends the expansion which begins here.
    fn end_of_braces(&mut self, double: bool) -> Lexed<usize> {
        let start = self.next;
        let mut depth = 0;
        loop {
            match (self.peek(0).ok_or(start)?, self.peek(1)) {
                ('\\', _) => self.next += 1,
                ('\'', _) if !double => {
                    self.single(&mut Word::new())?;
                    continue;
                }
                ('$', Some('{')) => {
                    depth += 1;
                    self.next += 1;
                }
                ('$', Some('(')) => {
                    self.next += 2;
                    self.skip_parens(start)?;
                    continue;
                }
                ('}', _) => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(self.next);
            }
            self.next += 1;
        }
    }
}
