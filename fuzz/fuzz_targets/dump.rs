//! Dumps, in every format: nothing panics, rows come in the order of their lines, none is told from behind the
//! end, and a row that is read as a token is exported and read back as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use patctl::domain::atlassian::Format;
use patctl::domain::atlassian::row::Row;
use patctl::domain::schedule::Zone;
use patctl::dump::{read, users};
use std::ops::ControlFlow;

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    for format in [None, Some(Format::Copy), Some(Format::Insert), Some(Format::Csv)] {
        let mut last = 0;
        let _ = read(&mut &bytes[..], format, &mut |place, fields| {
            assert!((last..=lines).contains(&place.line), "{place} behind {last}, of {lines}");
            last = place.line;
            if let Ok(fields) = fields
                && let Ok((row, _)) = Row::read(&fields, &Zone::utc())
            {
                again(&row);
            }
            ControlFlow::Continue(())
        });
    }
    let _ = users::read(&mut &bytes[..]);
});

/// A row, written as `export` does and read back.
fn again(row: &Row) {
    let cells = row.exported().cells(&Zone::utc());
    let fields = std::array::from_fn(|at| Some(cells[at].as_bytes()));
    let (read, _) = Row::read(&fields, &Zone::utc()).expect("what was written is a row");
    assert_eq!(&read, row);
}
