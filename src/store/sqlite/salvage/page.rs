//! The rows on the leaf pages of a database file, read without SQLite, which refuses a damaged file.
//!
//! Every length and offset comes from the file and may be anything: what does not fit is skipped.
//! The format: <https://www.sqlite.org/fileformat2.html>.

use crate::files;
use rusqlite::types::Value;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The longest row that is read; patctl writes none that is nearly as long.
const MOST: usize = 4 * 1024 * 1024;
const DEFAULT_PAGE: usize = 4096;
const FILE_HEADER: usize = 100;
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;
const TABLE_LEAF: u8 = 0x0d;
const INDEX_LEAF: u8 = 0x0a;

/// A row as it stands in the file: its number (tables without row numbers have none) and its values.
#[derive(Debug)]
pub struct Record {
    pub number: Option<i64>,
    pub values: Vec<Value>,
}

/// A database file and its write-ahead log.
pub struct Files {
    main: Option<File>,
    log: Option<File>,
    page: usize,
    /// Where the newest version of a page is in the log.
    newest: HashMap<u32, u64>,
}

impl Files {
    pub fn open(path: &Path, log: &Path) -> io::Result<Self> {
        let log = match files::plain(log) {
            // Without what is in the log, what was ended there would live again.
            Err(lack) if files::is_exhaustion(&lack) => return Err(lack),
            log => log.ok(),
        };
        let main = match files::plain(path) {
            // Its log may be all that is left.
            Err(error) if error.kind() == io::ErrorKind::NotFound && log.is_some() => None,
            other => Some(other?),
        };
        let page = page_size(main.as_ref(), log.as_ref());
        let mut files = Self { main, log, page, newest: HashMap::new() };
        let mut newest = HashMap::new();
        files.each_frame(|number, at| {
            newest.insert(number, at);
        });
        files.newest = newest;
        Ok(files)
    }

    /// Shows each row of each page that can be read, old versions in the log included.
    pub fn each_record(&self, each: &mut dyn FnMut(Record)) {
        let mut page = vec![0; self.page];
        let mut at = 0;
        while let Some(main) = &self.main
            && read_full(main, &mut page, at) > 0
        {
            self.records(&page, if at == 0 { FILE_HEADER } else { 0 }, each);
            at += self.page as u64;
            page.fill(0);
        }
        let Some(log) = &self.log else { return };
        self.each_frame(|number, at| {
            page.fill(0);
            if read_full(log, &mut page, at) > 0 {
                self.records(&page, if number == 1 { FILE_HEADER } else { 0 }, each);
            }
        });
    }

    fn each_frame(&self, mut each: impl FnMut(u32, u64)) {
        let Some(log) = &self.log else { return };
        let mut at = LOG_HEADER;
        let mut header = [0; 4];
        while read_full(log, &mut header, at) == header.len() {
            each(u32::from_be_bytes(header), at + FRAME_HEADER);
            at += FRAME_HEADER + self.page as u64;
        }
    }

    fn records(&self, page: &[u8], start: usize, each: &mut dyn FnMut(Record)) {
        let kind = page.get(start).copied().unwrap_or(0);
        if !matches!(kind, TABLE_LEAF | INDEX_LEAF) {
            return;
        }
        let cells = usize::from(u16_at(page, start + 3).unwrap_or(0));
        for cell in 0..cells.min(page.len() / 4) {
            let Some(at) = u16_at(page, start + 8 + 2 * cell) else { return };
            if let Some(record) = self.cell(page, usize::from(at), kind == TABLE_LEAF) {
                each(record);
            }
        }
    }

    fn cell(&self, page: &[u8], mut at: usize, numbered: bool) -> Option<Record> {
        let length = usize::try_from(varint(page, &mut at)?).ok().filter(|length| *length <= MOST)?;
        let number = if numbered { Some(varint(page, &mut at)?) } else { None };
        let local = local_length(self.page, length, numbered);
        let mut payload = page.get(at..at.checked_add(local)?)?.to_vec();
        if local < length {
            let first = u32::from_be_bytes(page.get(at + local..at + local + 4)?.try_into().ok()?);
            self.overflow(first, length, &mut payload)?;
        }
        Some(Record { number, values: values(&payload)? })
    }

    /// Adds what a chain of overflow pages holds.
    fn overflow(&self, mut number: u32, length: usize, payload: &mut Vec<u8>) -> Option<()> {
        let mut page = vec![0; self.page];
        while payload.len() < length {
            if number == 0 {
                return None;
            }
            let read = match (self.newest.get(&number), &self.log) {
                (Some(at), Some(log)) => read_full(log, &mut page, *at),
                _ => read_full(self.main.as_ref()?, &mut page, u64::from(number - 1) * self.page as u64),
            };
            if read < self.page {
                return None;
            }
            let take = (length - payload.len()).min(self.page - 4);
            payload.extend(&page[4..4 + take]);
            number = u32::from_be_bytes([page[0], page[1], page[2], page[3]]);
        }
        Some(())
    }
}

fn page_size(main: Option<&File>, log: Option<&File>) -> usize {
    let mut two = [0; 2];
    let mut four = [0; 4];
    let fits = |size: usize| size.is_power_of_two() && (512..=65536).contains(&size);
    if main.is_some_and(|main| read_full(main, &mut two, 16) == 2) {
        let size = match u16::from_be_bytes(two) {
            1 => 65536,
            other => usize::from(other),
        };
        if fits(size) {
            return size;
        }
    }
    let size = log.filter(|log| read_full(log, &mut four, 8) == 4).map(|_| u32::from_be_bytes(four));
    size.and_then(|size| usize::try_from(size).ok()).filter(|size| fits(*size)).unwrap_or(DEFAULT_PAGE)
}

/// Reads as much as there is.
fn read_full(file: &File, into: &mut [u8], at: u64) -> usize {
    let mut done = 0;
    while done < into.len() {
        match file.read_at(&mut into[done..], at + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    done
}

fn u16_at(page: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(page.get(at..at + 2)?.try_into().ok()?))
}

/// How much of a row lies on its page.
fn local_length(page: usize, length: usize, table: bool) -> usize {
    let least = (page - 12) * 32 / 255 - 23;
    let most = if table { page - 35 } else { (page - 12) * 64 / 255 - 23 };
    if length <= most {
        return length;
    }
    let fits = least + (length - least) % (page - 4);
    if fits <= most { fits } else { least }
}

/// A number of one to nine bytes.
fn varint(bytes: &[u8], at: &mut usize) -> Option<i64> {
    let mut value: u64 = 0;
    for place in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if place == 8 {
            return Some((value << 8 | u64::from(byte)).cast_signed());
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value.cast_signed())
}

/// The values of a row.
fn values(payload: &[u8]) -> Option<Vec<Value>> {
    let mut at = 0;
    let header = usize::try_from(varint(payload, &mut at)?).ok().filter(|header| *header <= payload.len())?;
    let (mut body, mut values) = (header, Vec::new());
    while at < header {
        let kind = varint(payload, &mut at)?;
        let size = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            12.. => usize::try_from((kind - 12) / 2).ok()?,
            _ => return None,
        };
        let bytes = payload.get(body..body.checked_add(size)?)?;
        body += size;
        values.push(match kind {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => Value::Integer(integer(bytes)),
            7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
            _ if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
        });
    }
    Some(values)
}

/// A signed number of one to eight bytes.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |value, byte| value << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records(path: &Path) -> Vec<Record> {
        let log = path.with_extension("db-wal");
        let mut found = Vec::new();
        Files::open(path, &log).expect("a file").each_record(&mut |record| found.push(record));
        found
    }

    /// Values of every type and length, overflow pages included, in the file and in its log.
    #[test]
    fn every_row_of_a_whole_file_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        for (page, wal) in [(512, false), (4096, false), (4096, true), (65536, true)] {
            let path = directory.path().join(format!("{page}-{wal}.db"));
            let db = rusqlite::Connection::open(&path).expect("a database");
            db.pragma_update(None, "page_size", page).expect("a pragma");
            if wal {
                db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).expect("a pragma");
                db.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(())).expect("a pragma");
            }
            db.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY, a, b, c)").expect("a table");
            let rows: Vec<(i64, i64, String, Vec<u8>)> = (0..200)
                .map(|n| {
                    (
                        n - 7,
                        (n - 90) * 7_i64.pow(u32::try_from(n % 20).expect("few")),
                        "ä".repeat(usize::try_from(n * n % 3000).expect("few")),
                        vec![7; 5],
                    )
                })
                .collect();
            for row in &rows {
                db.execute("INSERT INTO t VALUES (?1, ?2, ?3, ?4)", (row.0, row.1, &row.2, &row.3))
                    .expect("a row");
            }
            let found: HashMap<Option<i64>, Vec<Value>> = records(&path)
                .into_iter()
                .filter(|record| record.values.len() == 4)
                .map(|record| (record.number, record.values))
                .collect();
            for (number, a, b, c) in rows {
                let due = vec![Value::Null, Value::Integer(a), Value::Text(b), Value::Blob(c)];
                assert_eq!(found.get(&Some(number)), Some(&due), "{page} {wal}");
            }
        }
    }

    proptest! {
        /// Whatever the bytes are: no panic, no endless loop.
        #[test]
        fn any_bytes_are_read_to_their_end(mut bytes in proptest::collection::vec(any::<u8>(), 0..3000), leaf: bool) {
            if leaf {
                for at in [0, 100, 512, 1024] {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = if at % 3 == 0 { TABLE_LEAF } else { INDEX_LEAF };
                    }
                }
                if bytes.len() > 18 {
                    bytes[16..18].copy_from_slice(&[2, 0]);
                }
            }
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("x.db");
            std::fs::write(&path, &bytes).expect("a file");
            std::fs::write(path.with_extension("db-wal"), &bytes).expect("a file");
            let mut count = 0;
            Files::open(&path, &path.with_extension("db-wal")).expect("a file").each_record(&mut |_| count += 1);
            prop_assert!(count < 10_000);
        }
    }
}
