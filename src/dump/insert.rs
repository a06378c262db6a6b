//! `INSERT INTO … VALUES (…),(…);`: what `mysqldump` writes, and `pg_dump --inserts`.

use super::columns::Columns;
use super::source::Source;
use super::tokens::{Dialect, Token, Tokens};
use super::{DumpError, Each, Result, literal};
use crate::domain::atlassian::{Format, Place, TABLE};

/// More values than a row of any table here has.
const WIDEST: usize = 64;
/// Words that begin a part of `CREATE TABLE` that is no column.
const NO_COLUMN: [&[u8]; 9] =
    [b"PRIMARY", b"KEY", b"UNIQUE", b"CONSTRAINT", b"INDEX", b"FULLTEXT", b"SPATIAL", b"CHECK", b"FOREIGN"];

/// Reads every `INSERT` into the table, and passes over everything else.
pub fn read(source: &mut Source<'_>, dialect: Option<Dialect>, each: Each<'_>) -> Result<()> {
    let mut reader = Inserts {
        tokens: Tokens::new(source, dialect.unwrap_or(Dialect::MySql)),
        is_guessed: dialect.is_none(),
        created: None,
        is_there: false,
        rows: (0, 0),
        pending: None,
    };
    loop {
        match reader.next()? {
            Token::End => break,
            Token::Sign(b';') => {}
            // GO 5
            Token::Number(_) if reader.is_in_batches() => {}
            // A command for psql: \restrict, say.
            Token::Sign(b'\\') => reader.tokens.rest_of_line()?,
            Token::Word(word) => match word.as_slice() {
                b"GO" if reader.is_in_batches() => {}
                b"REM" | b"REMARK" | b"PROMPT" | b"SET" if reader.tokens.dialect == Dialect::Oracle => {
                    reader.tokens.rest_of_line()?;
                }
                b"INSERT" | b"REPLACE" => {
                    if !reader.insert(&mut *each)? {
                        return Ok(());
                    }
                }
                b"CREATE" => reader.create()?,
                b"DELIMITER" => reader.tokens.rest_of_line()?,
                b"COPY" => return Err(reader.wrong("there are COPY blocks in it: use --format copy")),
                _ => reader.skip()?,
            },
            _ => reader.skip()?,
        }
    }
    if matches!(dialect, Some(Dialect::MySql | Dialect::Standard)) && !reader.tokens.is_complete {
        // Who begins with a remark ends with one; without it, whole statements may be missing.
        return Err(DumpError::Unfinished);
    }
    if reader.is_there { Ok(()) } else { Err(DumpError::NoTable(Format::Insert)) }
}

struct Inserts<'s, 'r> {
    tokens: Tokens<'s, 'r>,
    /// Whether the dialect may turn out to be another one.
    is_guessed: bool,
    /// The columns that `CREATE TABLE` named, if the dump has one.
    created: Option<Columns>,
    is_there: bool,
    /// The line of the last row, and which row of that line it was.
    rows: (u64, u64),
    /// A piece that was looked at and belongs to the next statement.
    pending: Option<Token>,
}

impl Inserts<'_, '_> {
    fn next(&mut self) -> Result<Token> {
        self.pending.take().map_or_else(|| self.tokens.next(), Ok)
    }

    /// Whether statements need no `;` and end with their batch.
    fn is_in_batches(&self) -> bool {
        self.tokens.dialect == Dialect::SqlServer
    }

    fn wrong(&self, why: &'static str) -> DumpError {
        DumpError::Syntax { line: self.tokens.line, why }
    }

    /// Passes over the rest of a statement.
    fn skip(&mut self) -> Result<()> {
        self.pass(true)
    }

    /// Passes over the rest of a statement; of one that may hold others, over all of its batch.
    fn pass(&mut self, is_plain: bool) -> Result<()> {
        let begin = self.tokens.line;
        let batches = self.is_in_batches();
        self.tokens.keeps = false;
        let end = loop {
            match self.next() {
                Ok(Token::Sign(b';')) if is_plain || !batches => break Ok(()),
                Ok(Token::Word(word)) if batches && word == b"GO" => break Ok(()),
                // Without a sign between them, the next INSERT begins a statement.
                Ok(Token::Word(word)) if batches && is_plain && word == b"INSERT" => {
                    self.pending = Some(Token::Word(word));
                    break Ok(());
                }
                Ok(Token::End) => break Err(DumpError::Cut { what: "a statement", line: begin }),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        };
        self.tokens.keeps = true;
        end
    }

    /// Reads the name of a table behind some words; whether it is ours, and the piece behind it.
    fn table(&mut self, words: &[&[u8]]) -> Result<(bool, Token)> {
        let mut name = self.next()?;
        while matches!(&name, Token::Word(word) if words.contains(&word.as_slice())) {
            name = self.next()?;
        }
        loop {
            // Who quotes names so has texts without escapes.
            match &name {
                Token::Double(_) if self.is_guessed => self.tokens.dialect = Dialect::Standard,
                Token::Name(_) if self.is_guessed => self.tokens.dialect = Dialect::MySql,
                _ => {}
            }
            let next = self.next()?;
            if next != Token::Sign(b'.') {
                let is_ours = as_name(&name).is_some_and(|name| name.eq_ignore_ascii_case(TABLE.as_bytes()));
                return Ok((is_ours, next));
            }
            name = self.next()?;
        }
    }

    /// `CREATE TABLE`: which columns there are, in which order.
    fn create(&mut self) -> Result<()> {
        let words: [&[u8]; 5] = [b"TEMPORARY", b"TABLE", b"IF", b"NOT", b"EXISTS"];
        let line = self.tokens.line;
        let (is_ours, next) = self.table(&words)?;
        if !is_ours || next != Token::Sign(b'(') {
            return if next == Token::Sign(b';') { Ok(()) } else { self.pass(false) };
        }
        let (mut depth, mut begins, mut names) = (1, true, Vec::new());
        while depth > 0 {
            let token = self.next()?;
            match &token {
                Token::End => return Err(DumpError::Cut { what: "CREATE TABLE", line }),
                Token::Sign(b'(') => depth += 1,
                Token::Sign(b')') => depth -= 1,
                Token::Word(word) if NO_COLUMN.contains(&word.as_slice()) => {}
                token if begins && names.len() < WIDEST => names.extend(as_name(token).map(<[u8]>::to_vec)),
                _ => {}
            }
            begins = depth == 1 && token == Token::Sign(b',');
        }
        self.created = Some(Columns::named(&names, line)?);
        // An empty table has no INSERT.
        self.is_there = true;
        self.skip()
    }

    /// `INSERT`, behind that word; false: enough was read.
    fn insert(&mut self, each: Each<'_>) -> Result<bool> {
        let words: [&[u8]; 6] = [b"INTO", b"IGNORE", b"LOW_PRIORITY", b"HIGH_PRIORITY", b"DELAYED", b"ONLY"];
        let (is_ours, mut next) = self.table(&words)?;
        if !is_ours {
            return if next == Token::Sign(b';') { Ok(true) } else { self.skip().map(|()| true) };
        }
        self.is_there = true;
        let columns = if next == Token::Sign(b'(') {
            let line = self.tokens.line;
            let names = self.names()?;
            next = self.next()?;
            Columns::named(&names, line)?
        } else {
            self.created.clone().unwrap_or_else(Columns::usual)
        };
        if !matches!(&next, Token::Word(word) if matches!(word.as_slice(), b"VALUES" | b"VALUE")) {
            return Err(self.wrong("VALUES should stand here"));
        }
        loop {
            match self.next()? {
                Token::Sign(b'(') => {
                    if !self.row(&columns, &mut *each)? {
                        return Ok(false);
                    }
                }
                Token::Sign(b',') => {}
                Token::Sign(b';') => return Ok(true),
                Token::Word(word) if self.is_in_batches() && word == b"GO" => return Ok(true),
                Token::Word(word) if self.is_in_batches() && word == b"INSERT" => {
                    self.pending = Some(Token::Word(word));
                    return Ok(true);
                }
                Token::End => {
                    return Err(DumpError::Cut { what: "an INSERT", line: self.tokens.line });
                }
                // ON DUPLICATE KEY UPDATE, say.
                Token::Word(_) => return self.skip().map(|()| true),
                _ => return Err(self.wrong("a list of values should stand here")),
            }
        }
    }

    /// Names up to a closing parenthesis.
    fn names(&mut self) -> Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        loop {
            match self.next()? {
                Token::Sign(b')') => return Ok(names),
                Token::Sign(b',') => {}
                token => match as_name(&token) {
                    Some(name) if names.len() < WIDEST => names.push(name.to_vec()),
                    _ => return Err(self.wrong("the name of a column should stand here")),
                },
            }
        }
    }

    /// A list of values, behind its opening parenthesis; false: enough was read.
    fn row(&mut self, columns: &Columns, each: Each<'_>) -> Result<bool> {
        let line = self.tokens.line;
        self.rows = if self.rows.0 == line { (line, self.rows.1 + 1) } else { (line, 1) };
        let place = Place { line, nth: Some(self.rows.1) };
        let mut values: Vec<Option<Vec<u8>>> = Vec::with_capacity(16);
        let (mut count, mut fault) = (0, None);
        loop {
            let token = self.next()?;
            count += 1;
            match literal::value(&mut self.tokens, token)? {
                Ok(value) if values.len() < WIDEST => values.push(value),
                Ok(_) => {}
                Err(why) => fault = Some(why),
            }
            match self.next()? {
                Token::Sign(b',') => {}
                Token::Sign(b')') => break,
                Token::End => return Err(DumpError::Cut { what: "a list of values", line }),
                _ => return Err(self.wrong("a list of values goes on with ',' or ends with ')'")),
            }
        }
        let fields = match fault {
            Some(why) => Err(why),
            None => columns.fields(count, |at| values.get(at).and_then(Option::as_deref)),
        };
        Ok(each(place, fields).is_continue())
    }
}

/// The name that a piece is, quoted or not.
fn as_name(token: &Token) -> Option<&[u8]> {
    match token {
        Token::Name(name) | Token::Double(name) | Token::Word(name) => Some(name),
        _ => None,
    }
}
