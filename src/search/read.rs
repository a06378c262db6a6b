//! A part of a file, a buffer at a time: tokens across the borders of buffers are found, and lines may
//! be of any length.

use super::{Step, Tell};
use crate::domain::leak::{self, Kind, REACH};
use std::io::{self, Read};
use zeroize::Zeroizing;

/// What is read at once: it stays in the cache of a core while it is looked at.
const CHUNK: usize = 1 << 18;

/// Files hold secrets, so that a buffer is wiped when it is dropped.
pub type Buffer = Zeroizing<Vec<u8>>;

/// A buffer, to be used again and again.
pub fn buffer() -> Buffer {
    Zeroizing::new(vec![0; CHUNK + 2 * REACH])
}

/// A token in a part of a file.
pub struct Hit {
    pub kind: Kind,
    pub text: Zeroizing<String>,
    /// Lines that ended before it in this part.
    pub line: u64,
    /// From the beginning of the file.
    pub offset: u64,
}

/// What a part holds.
#[derive(Default)]
pub struct Part {
    pub hits: Vec<Hit>,
    /// Lines that end in it.
    pub lines: u64,
    /// Its bytes, as far as they were read.
    pub bytes: u64,
    /// What came in between. The hits before it count.
    pub trouble: Option<io::Error>,
}

/// Searches the part from `from` to `to`. `source` gives the [`REACH`] bytes before it, too, if there are
/// so many, and as many behind it.
pub fn part(source: &mut dyn Read, buffer: &mut Buffer, from: u64, to: u64, tell: Tell<'_>) -> Part {
    let mut part = Part::default();
    // Where in the file the buffer begins, how much of it is filled, and how much of that is done.
    let mut base = from.saturating_sub(REACH as u64);
    let mut filled = 0;
    let mut done = within(from - base, usize::MAX);
    loop {
        let (read, ended) = fill(source, &mut buffer[filled..], &mut part.trouble);
        filled += read;
        let end = within(to - base, if ended { filled } else { filled.saturating_sub(REACH) });
        if end > done {
            look(&buffer[..filled], done..end, base, &mut part);
            part.bytes += (end - done) as u64;
            tell(Step::Done((end - done) as u64));
            done = end;
        }
        if ended || base + done as u64 >= to {
            return part;
        }
        let keep = done.saturating_sub(REACH);
        buffer.copy_within(keep..filled, 0);
        (base, filled, done) = (base + keep as u64, filled - keep, done - keep);
    }
}

fn within(length: u64, most: usize) -> usize {
    usize::try_from(length).map_or(most, |length| length.min(most))
}

/// Fills as much as there is; true when there is no more, an error included.
fn fill(source: &mut dyn Read, mut room: &mut [u8], trouble: &mut Option<io::Error>) -> (usize, bool) {
    let mut read = 0;
    while !room.is_empty() {
        match source.read(room) {
            Ok(0) => return (read, true),
            Ok(count) => {
                read += count;
                room = &mut room[count..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                *trouble = Some(error);
                return (read, true);
            }
        }
    }
    (read, false)
}

fn look(bytes: &[u8], anchors: std::ops::Range<usize>, base: u64, part: &mut Part) {
    let mut counted = anchors.start;
    leak::find(bytes, anchors.clone(), &mut |leak| {
        // No line ends within a token.
        part.lines += leak::lines(&bytes[counted..leak.anchor]);
        counted = leak.anchor;
        part.hits.push(Hit {
            kind: leak.kind,
            text: Zeroizing::new(leak.text.to_owned()),
            line: part.lines,
            offset: base + leak.start as u64,
        });
    });
    part.lines += leak::lines(&bytes[counted..anchors.end]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    /// Buffers of so much: where their borders are makes no difference, and small ones have more of them.
    const SMALL: usize = 5000;

    fn small() -> Buffer {
        Zeroizing::new(vec![0; SMALL + 2 * REACH])
    }

    const TOKEN: &str = "MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERIT";
    const OURS: &str = "patctl_7k3m9xq2v8_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123453X9qJF";

    /// Gives a few bytes at a time, as pipes do.
    struct Dribble<'d>(&'d [u8], Cell<usize>);

    impl Read for Dribble<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let step = self.1.get() * 31 % 997 + 1;
            self.1.set(step);
            let count = step.min(into.len()).min(self.0.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn told(_: Step) {}

    /// Tokens at these places of a text of `size` bytes, the rest of which is look-alikes and lines.
    fn text(size: usize, places: &[usize]) -> Vec<u8> {
        let mut text: Vec<u8> =
            b"O_MT\nIzNDU2 patctl_7k3m9xq2v8_AB\n".iter().copied().cycle().take(size).collect();
        for (index, at) in places.iter().enumerate() {
            let token = if index % 2 == 0 { TOKEN } else { OURS };
            if let Some(room) = text.get_mut(at - 1..at + token.len() + 1) {
                room.fill(b'\n');
                room[1..=token.len()].copy_from_slice(token.as_bytes());
            }
        }
        text
    }

    fn whole(text: &[u8]) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        leak::find(text, 0..text.len(), &mut |leak| {
            found.push((leak.start as u64, leak::lines(&text[..leak.start])));
        });
        found
    }

    fn pairs(part: &Part, line: u64) -> Vec<(u64, u64)> {
        part.hits.iter().map(|hit| (hit.offset, line + hit.line)).collect()
    }

    #[test]
    fn a_token_is_found_at_every_place_around_the_border_of_two_buffers() {
        for around in SMALL - 100..SMALL + 2 * REACH + 20 {
            let text = text(SMALL + 1000, &[around]);
            let part = part(&mut &text[..], &mut small(), 0, u64::MAX, &told);
            assert_eq!((pairs(&part, 0), part.hits.len()), (whole(&text), 1), "{around}");
            assert_eq!((part.bytes, part.lines), (text.len() as u64, leak::lines(&text)));
        }
    }

    #[test]
    fn what_was_found_before_an_error_counts() {
        struct Broken(usize);
        impl Read for Broken {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => Err(io::ErrorKind::Interrupted.into()),
                    2 => {
                        into[..TOKEN.len()].copy_from_slice(TOKEN.as_bytes());
                        Ok(TOKEN.len())
                    }
                    _ => Err(io::Error::other("broken")),
                }
            }
        }
        let part = part(&mut Broken(0), &mut small(), 0, u64::MAX, &told);
        assert_eq!((part.hits.len(), part.bytes), (1, 44));
        assert_eq!(part.trouble.expect("an error").to_string(), "broken");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
        #[test]
        fn parts_of_a_file_and_a_dribbling_stream_find_what_the_whole_has(
            size in 0usize..3 * SMALL, places in proptest::collection::vec(1usize..3 * SMALL, 0..20),
            border in 1u64..3 * SMALL as u64, near in 0u64..80,
        ) {
            let mut places = places;
            // One of them at a border of parts.
            places.push(usize::try_from(border.saturating_sub(near)).expect("small").max(1));
            let text = text(size, &places);
            let mut buffer = small();
            let streamed = part(&mut Dribble(&text, Cell::new(7)), &mut buffer, 0, u64::MAX, &told);
            prop_assert_eq!(pairs(&streamed, 0), whole(&text));
            let (mut parted, mut lines, mut bytes) = (Vec::new(), 0, 0);
            for (from, to) in [(0, border), (border, 2 * border), (2 * border, u64::MAX)] {
                let start = usize::try_from(from.saturating_sub(REACH as u64)).expect("small").min(text.len());
                let stop = usize::try_from(to.saturating_add(REACH as u64)).unwrap_or(usize::MAX).min(text.len());
                let part = part(&mut &text[start..stop.max(start)], &mut buffer, from, to, &told);
                parted.extend(pairs(&part, lines));
                (lines, bytes) = (lines + part.lines, bytes + part.bytes);
            }
            prop_assert_eq!(parted, whole(&text));
            prop_assert_eq!((lines, bytes), (leak::lines(&text), text.len() as u64));
        }
    }
}
