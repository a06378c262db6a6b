//! The lines of stdin, each of which may hold a token: they are wiped where they were read.

use crate::domain::restriction::{MAX_BODY, MAX_URL};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::world::Input;
use std::io;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a line: the largest body fits, be each byte of it an escape of six characters, with a URL, headers and
/// a token.
pub const MAX_LINE: usize = 6 * MAX_BODY + 8 * MAX_URL;
/// Lines that are judged in one transaction.
const GROUP: usize = 1000;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// A line is longer than [`MAX_LINE`]; what stood in it is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

/// A numbered line of the input, wiped when dropped.
pub type Numbered = (u64, Result<Zeroizing<Vec<u8>>, TooLong>);

/// Lines as they come: those that are there already form a group, nobody waits for more.
#[derive(Default)]
pub struct Lines {
    buffer: Zeroizing<Vec<u8>>,
    /// How much of the buffer is known to hold no end of a line.
    searched: usize,
    line: u64,
    /// Whether the rest of a line that is too long is still to come.
    skipping: bool,
    ended: bool,
}

impl Lines {
    /// The next lines, at least one; none at the end. Blank ones are passed over.
    pub fn next(&mut self, from: &mut dyn Input) -> Result<Vec<Numbered>, Failure> {
        loop {
            let group = self.whole();
            if !group.is_empty() {
                return Ok(group);
            }
            if self.ended {
                return Ok(Vec::new());
            }
            if self.buffer.len() > MAX_LINE {
                self.skipping = true;
                self.forget(self.buffer.len());
            }
            self.fill(from)?;
        }
    }

    fn fill(&mut self, from: &mut dyn Input) -> Result<(), Failure> {
        let mut chunk = Zeroizing::new(vec![0; CHUNK]);
        let count = loop {
            match from.read(chunk.as_mut()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let count = count.map_err(|e| {
            Failure::new(Exit::Io, "io", format!("stdin cannot be read: {e}"))
                .hint("the lines before were answered")
                .because_of(&e)
        })?;
        self.ended = count == 0;
        // A larger buffer is made before the smaller one is wiped, so that no token stays behind in it.
        if self.buffer.capacity() < self.buffer.len() + count + 1 {
            let mut larger = Vec::with_capacity((self.buffer.len() + count + 1) * 2);
            larger.extend_from_slice(&self.buffer);
            self.buffer.zeroize();
            self.buffer = Zeroizing::new(larger);
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        let unended = self.skipping || !self.buffer.is_empty() && self.buffer.last() != Some(&b'\n');
        if self.ended && unended {
            self.buffer.push(b'\n');
        }
        Ok(())
    }

    /// Takes the whole lines out of the buffer.
    fn whole(&mut self) -> Vec<Numbered> {
        let (mut group, mut at) = (Vec::new(), 0);
        while group.len() < GROUP
            && let Some(end) = self.buffer[at.max(self.searched)..].iter().position(|byte| *byte == b'\n')
        {
            let end = at.max(self.searched) + end;
            self.line += 1;
            let line = self.buffer[at..end].trim_ascii();
            if std::mem::take(&mut self.skipping) || line.len() > MAX_LINE {
                group.push((self.line, Err(TooLong)));
            } else if !line.is_empty() {
                group.push((self.line, Ok(Zeroizing::new(line.to_vec()))));
            }
            at = end + 1;
        }
        let all = group.len() < GROUP;
        self.forget(at);
        self.searched = if all { self.buffer.len() } else { 0 };
        group
    }

    /// Wipes the first bytes of the buffer, which are done with.
    fn forget(&mut self, count: usize) {
        let rest = self.buffer.len() - count;
        self.buffer.copy_within(count.., 0);
        self.buffer[rest..].zeroize();
        self.buffer.truncate(rest);
        self.searched = self.searched.saturating_sub(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    /// Gives some bytes at a time.
    struct Pieces<'p>(&'p [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(into.len()).min(self.0.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    impl Input for Pieces<'_> {
        fn is_terminal(&self) -> bool {
            false
        }

        fn is_closed(&self) -> bool {
            false
        }
    }

    fn all(text: &[u8], step: usize) -> Vec<(u64, Option<Vec<u8>>)> {
        let (mut lines, mut from, mut found) = (Lines::default(), Pieces(text, step), Vec::new());
        loop {
            let group = lines.next(&mut from).expect("lines");
            assert!(lines.buffer.capacity() <= 4 * MAX_LINE, "memory is bounded");
            if group.is_empty() {
                return found;
            }
            found.extend(
                group.into_iter().map(|(line, bytes)| (line, bytes.ok().map(|bytes| bytes.to_vec()))),
            );
        }
    }

    #[test]
    fn a_line_too_long_is_one_answer_and_the_next_is_read() {
        for length in [MAX_LINE, MAX_LINE + 1, MAX_LINE + CHUNK, 3 * MAX_LINE] {
            for end in ["\nnext\n", "\nnext", ""] {
                let text = [b"first\n".as_slice(), &vec![b'x'; length], end.as_bytes()].concat();
                let found = all(&text, 1 << 20);
                let told: Vec<(u64, Option<usize>)> =
                    found.iter().map(|(line, bytes)| (*line, bytes.as_ref().map(Vec::len))).collect();
                let mut expected = vec![(1, Some(5)), (2, (length <= MAX_LINE).then_some(length))];
                if !end.is_empty() {
                    expected.push((3, Some(4)));
                }
                assert_eq!(told, expected, "{length} {end:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_they_come(
            lines in proptest::collection::vec("[a-c ]{0,6}", 0..30), step in 1usize..40, ended in any::<bool>(),
        ) {
            let mut text = lines.join("\n");
            if ended {
                text.push('\n');
            }
            let expected: Vec<(u64, Option<Vec<u8>>)> = (1..)
                .zip(text.split('\n'))
                .map(|(number, line)| (number, line.trim().as_bytes().to_vec()))
                .filter(|(_, line)| !line.is_empty())
                .map(|(number, line)| (number, Some(line)))
                .collect();
            prop_assert_eq!(all(text.as_bytes(), step), expected);
        }
    }
}
