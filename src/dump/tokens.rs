//! SQL in pieces: words, names, texts, numbers, signs. No more of it than a dump needs.

use super::source::Source;
use super::{DumpError, LONGEST, Result};

/// A piece.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    /// A word without quotes, in upper case.
    Word(Vec<u8>),
    /// `` `name` ``
    Name(Vec<u8>),
    /// `"name"`, which `MySQL` reads as a text where a value stands.
    Double(Vec<u8>),
    /// `'text'`
    Text(Vec<u8>),
    /// A text that is longer than anything here may be.
    Long,
    /// A number, as it is written.
    Number(Vec<u8>),
    /// Any other character.
    Sign(u8),
    /// The end of the input.
    End,
}

/// Whose SQL it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// A backslash escapes in texts.
    MySql,
    /// It does not.
    Standard,
    /// It does not; names stand in brackets, and `GO` ends statements.
    SqlServer,
    /// It does not; lines may be commands of its tools.
    Oracle,
}

/// Takes SQL to pieces.
pub struct Tokens<'s, 'r> {
    source: &'s mut Source<'r>,
    /// Whose SQL it is.
    pub dialect: Dialect,
    /// The line in which the last piece begins.
    pub line: u64,
    /// Whether pieces are kept; passed over, they are empty.
    pub keeps: bool,
    /// Whether the remark was there that a dump ends with.
    pub is_complete: bool,
}

impl<'s, 'r> Tokens<'s, 'r> {
    /// The pieces of a source.
    pub fn new(source: &'s mut Source<'r>, dialect: Dialect) -> Self {
        Self { source, dialect, line: 1, keeps: true, is_complete: false }
    }

    /// The next piece.
    pub fn next(&mut self) -> Result<Token> {
        loop {
            self.line = self.source.line();
            let Some(byte) = self.source.next()? else { return Ok(Token::End) };
            match byte {
                b'-' if self.source.peek()? == Some(b'-') => self.remark()?,
                b'#' if self.dialect == Dialect::MySql => self.rest_of_line()?,
                b'/' if self.source.peek()? == Some(b'*') => self.comment()?,
                b'$' if self.dialect == Dialect::Standard => self.dollars()?,
                _ if byte.is_ascii_whitespace() => {}
                _ => return self.piece(byte),
            }
        }
    }

    fn piece(&mut self, byte: u8) -> Result<Token> {
        match byte {
            b'\'' => {
                let escapes = self.dialect == Dialect::MySql;
                Ok(self.quoted(b'\'', escapes)?.map_or(Token::Long, Token::Text))
            }
            b'"' => {
                let escapes = self.dialect == Dialect::MySql;
                Ok(self.quoted(b'"', escapes)?.map_or(Token::Long, Token::Double))
            }
            b'[' if self.dialect == Dialect::SqlServer => {
                Ok(self.quoted(b']', false)?.map_or(Token::Long, Token::Name))
            }
            b'`' => Ok(self.quoted(b'`', false)?.map_or(Token::Long, Token::Name)),
            b'0'..=b'9' => self.number(byte),
            b'-' | b'+' if self.source.peek()?.is_some_and(|next| next.is_ascii_digit()) => self.number(byte),
            _ if of_word(byte) => self.word(byte),
            _ => Ok(Token::Sign(byte)),
        }
    }

    /// Passes over the rest of a line.
    pub fn rest_of_line(&mut self) -> Result<()> {
        Ok(self.source.until(|byte| byte == b'\n', |_| {})?)
    }

    /// `-- …`, behind the first dash.
    fn remark(&mut self) -> Result<()> {
        let mut begin = Vec::new();
        let keep = |piece: &[u8]| begin.extend_from_slice(&piece[..piece.len().min(64)]);
        self.source.until(|byte| byte == b'\n', keep)?;
        self.is_complete |= begin.starts_with(b"- Dump completed")
            || begin.starts_with(b"- PostgreSQL database dump complete");
        Ok(())
    }

    fn cut(&self, what: &'static str) -> DumpError {
        DumpError::Cut { what, line: self.line }
    }

    fn comment(&mut self) -> Result<()> {
        self.source.next()?;
        loop {
            self.source.until(|byte| byte == b'*', |_| {})?;
            if self.source.next()?.is_none() {
                return Err(self.cut("a comment"));
            }
            if self.source.peek()? == Some(b'/') {
                self.source.next()?;
                return Ok(());
            }
        }
    }

    /// `$tag$ … $tag$`: the body of a function, say.
    fn dollars(&mut self) -> Result<()> {
        let mut tag = Vec::new();
        while let Some(byte) = self.source.peek()?.filter(|byte| of_word(*byte) && *byte != b'$') {
            if tag.len() == 64 {
                return Ok(());
            }
            tag.push(byte);
            self.source.next()?;
        }
        if self.source.peek()? != Some(b'$') {
            return Ok(());
        }
        self.source.next()?;
        loop {
            self.source.until(|byte| byte == b'$', |_| {})?;
            if self.source.next()?.is_none() {
                return Err(self.cut("a text between dollars"));
            }
            let mut same = 0;
            while same < tag.len() && self.source.peek()? == Some(tag[same]) {
                self.source.next()?;
                same += 1;
            }
            if same == tag.len() && self.source.peek()? == Some(b'$') {
                self.source.next()?;
                return Ok(());
            }
        }
    }

    /// The text up to a quote that is not doubled; `None`: it is too long to be kept.
    fn quoted(&mut self, quote: u8, escapes: bool) -> Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        let mut is_long = false;
        let keeps = self.keeps;
        let mut keep = |piece: &[u8]| {
            if keeps && text.len() + piece.len() <= LONGEST {
                text.extend_from_slice(piece);
            } else if keeps {
                is_long = true;
            }
        };
        loop {
            self.source.until(|byte| byte == quote || byte == b'\\' && escapes, &mut keep)?;
            match self.source.next()? {
                None => return Err(self.cut("a text")),
                Some(b'\\') if escapes => match self.source.next()? {
                    None => return Err(self.cut("a text")),
                    Some(byte) => keep(&[unescaped(byte)]),
                },
                Some(_) if self.source.peek()? == Some(quote) => {
                    self.source.next()?;
                    keep(&[quote]);
                }
                Some(_) => return Ok((!is_long).then_some(text)),
            }
        }
    }

    fn number(&mut self, first: u8) -> Result<Token> {
        let mut number = vec![first];
        while let Some(byte) =
            self.source.peek()?.filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'.')
        {
            self.source.next()?;
            if number.len() < 64 {
                number.push(byte);
            }
        }
        Ok(Token::Number(number))
    }

    fn word(&mut self, first: u8) -> Result<Token> {
        let mut word = vec![first.to_ascii_uppercase()];
        while let Some(byte) = self.source.peek()?.filter(|byte| of_word(*byte)) {
            self.source.next()?;
            if word.len() < 256 {
                word.push(byte.to_ascii_uppercase());
            }
        }
        // E'…' has escapes in every dialect; N'…' is a text.
        let prefix = matches!(word.as_slice(), b"E" | b"N");
        if prefix && self.source.peek()? == Some(b'\'') {
            self.source.next()?;
            let escapes = word == b"E" || self.dialect == Dialect::MySql;
            return Ok(self.quoted(b'\'', escapes)?.map_or(Token::Long, Token::Text));
        }
        Ok(Token::Word(word))
    }
}

fn of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'@' | 0x80..)
}

/// What a backslash and this character stand for.
fn unescaped(byte: u8) -> u8 {
    match byte {
        b'0' => 0,
        b'b' => 8,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'Z' => 26,
        other => other,
    }
}
