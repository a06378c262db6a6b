//! Bytes with the number of the line they stand in.

use std::io::{self, Read};

/// So much is looked at to tell the format, and read at a time.
const BUFFER: usize = 64 * 1024;

/// A stream of bytes that knows its line.
pub struct Source<'r> {
    from: &'r mut dyn Read,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    line: u64,
}

/// How a line was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its number.
    pub number: u64,
    /// Whether there was more of it than was kept.
    pub is_cut: bool,
    /// Whether it has an end; the last of a file may have none.
    pub is_ended: bool,
}

impl<'r> Source<'r> {
    /// Reads the beginning; a byte order mark of UTF-8 is left out.
    pub fn new(from: &'r mut dyn Read) -> io::Result<Self> {
        let mut source = Self { from, buffer: vec![0; BUFFER].into(), at: 0, end: 0, line: 1 };
        while source.end < BUFFER {
            match fill(source.from, &mut source.buffer[source.end..])? {
                0 => break,
                read => source.end += read,
            }
        }
        if source.begin().starts_with(b"\xef\xbb\xbf") {
            source.at = 3;
        }
        Ok(source)
    }

    /// What was read and not taken yet; at first, the beginning.
    pub fn begin(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    /// The line of the next byte.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether there is a next byte, in the buffer.
    fn more(&mut self) -> io::Result<bool> {
        if self.at == self.end {
            self.at = 0;
            self.end = fill(self.from, &mut self.buffer)?;
        }
        Ok(self.at < self.end)
    }

    /// The next bytes, as many as are at hand; none at the end of the input.
    pub fn at_hand(&mut self) -> io::Result<&[u8]> {
        self.more()?;
        Ok(self.begin())
    }

    /// Takes so many of those.
    pub fn take(&mut self, count: usize) {
        let taken = &self.buffer[self.at..self.end][..count];
        self.line += lines(taken);
        self.at += count;
    }

    /// The next byte, which stays.
    pub fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(if self.more()? { Some(self.buffer[self.at]) } else { None })
    }

    /// The next byte, taken.
    pub fn next(&mut self) -> io::Result<Option<u8>> {
        let next = self.peek()?;
        if let Some(byte) = next {
            self.at += 1;
            self.line += u64::from(byte == b'\n');
        }
        Ok(next)
    }

    /// Takes the bytes before the first of these, and gives them in pieces.
    pub fn until(&mut self, stop: impl Fn(u8) -> bool, mut keep: impl FnMut(&[u8])) -> io::Result<()> {
        while self.more()? {
            let rest = &self.buffer[self.at..self.end];
            let length = rest.iter().position(|byte| stop(*byte)).unwrap_or(rest.len());
            let piece = &rest[..length];
            self.line += lines(piece);
            keep(piece);
            self.at += length;
            if self.at < self.end {
                break;
            }
        }
        Ok(())
    }

    /// Takes a line, of which at most `most` bytes are kept, without its end (LF or CRLF); `None` at the
    /// end of the input.
    pub fn take_line(&mut self, into: &mut Vec<u8>, most: usize) -> io::Result<Option<Line>> {
        into.clear();
        let number = self.line;
        if !self.more()? {
            return Ok(None);
        }
        let mut is_cut = false;
        self.until(
            |byte| byte == b'\n',
            |piece| {
                let kept = &piece[..piece.len().min(most - into.len())];
                is_cut |= kept.len() < piece.len();
                into.extend_from_slice(kept);
            },
        )?;
        let is_ended = self.next()?.is_some();
        if !is_cut && into.last() == Some(&b'\r') {
            into.pop();
        }
        Ok(Some(Line { number, is_cut, is_ended }))
    }
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

fn fill(from: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
