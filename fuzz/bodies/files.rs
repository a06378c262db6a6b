//! Files that other programs and people write.

use patctl::config::import::Imported;
use patctl::config::properties::{self, Position};
use patctl::config::{keys, toml_file};
use patctl::domain::atlassian::Format;
use patctl::domain::atlassian::row::Row;
use patctl::domain::jvm::{Dialect, OURS};
use patctl::domain::moment::Moment;
use patctl::domain::schedule::{Schedule, Zone};
use patctl::dump::{read, users};
use patctl::service::carry;
use patctl::wire;
use std::ops::ControlFlow;
use std::path::Path;

/// Dumps, in every format: rows come in the order of their lines, none is told from behind the end, and a row
/// that is read as a token is exported and read back as the same.
pub fn dump(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
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
}

/// A row, written as `export` does and read back.
fn again(row: &Row) {
    let cells = row.cells(&Zone::utc());
    let fields = std::array::from_fn(|at| Some(cells[at].as_bytes()));
    let (read, _) = Row::read(&fields, &Zone::utc()).expect("what was written is a row");
    assert_eq!(&read, row);
}

/// Configurations, as properties and as TOML: values are written so that they read back, and everything has a
/// place, in the order of the file.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut last = (0, 0);
    let mut in_order = |at: Position| {
        assert!(last < (at.line, at.column), "{at:?} behind {last:?}");
        last = (at.line, at.column);
    };
    for entry in properties::parse(text).unwrap_or_default() {
        in_order(entry.key_at);
        let written = format!("k={}", properties::escaped(&entry.value));
        let read = properties::parse(&written).expect("what was just written");
        assert_eq!(read[0].value, entry.value);
        let _ = keys::find(&entry.key).map(|key| key.kind.check(&entry.value));
    }
    for entry in toml_file::parse(text).unwrap_or_default() {
        assert!(entry.key_at.line >= 1 && entry.value_at.column >= 1, "{entry:?}");
        let _ = keys::find(&entry.key).map(|key| key.kind.check(&entry.value));
    }
}

/// Arguments of a JVM, in every dialect: each property of ours is one, or is told of; none is lost in silence.
pub fn jvm(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Dialect::guess(Path::new("x"), text);
    let plain = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let chars: Vec<char> = plain.chars().collect();
    for dialect in Dialect::ALL {
        let mut imported = Imported::default();
        imported.add(Path::new("x"), text, dialect);
        let comments = dialect.read(&chars).comments;
        let begins = |at: &usize| {
            OURS.iter().any(|ours| ours.chars().eq(chars[*at..].iter().copied().take(ours.chars().count())))
        };
        let is_said = |at: &usize| comments.iter().any(|comment| comment.contains(at));
        let there = (0..chars.len()).filter(begins).filter(|at| !is_said(at)).count();
        let told = imported.lines.len() + imported.problems.len();
        assert!(dialect == Dialect::Properties || told >= there, "{dialect:?}: {imported:?}");
    }
}

/// Quartz expressions: one that is accepted is accepted as it is shown, and its runs come in order. Zones: a file
/// that is accepted can be asked.
pub fn schedule(bytes: &[u8]) {
    let now = Moment::from_date("2026-11-21").expect("a date");
    if let Ok(zone) = Zone::parse("x", bytes) {
        let _ = (zone.instant(zone.wall(now)), zone.text(now));
    }
    let Ok(schedule) = std::str::from_utf8(bytes).unwrap_or_default().parse::<Schedule>() else { return };
    let again: Schedule = schedule.text().parse().expect("an expression that was accepted");
    assert_eq!((schedule.crontab(), schedule.on_calendar()), (again.crontab(), again.on_calendar()));
    assert!(!schedule.words().is_empty());
    let zone = Zone::utc();
    let runs: Vec<Moment> = schedule.runs(&zone, now).take(3).flat_map(|run| run.at).collect();
    assert!(runs.iter().all(|at| *at > now) && runs.is_sorted(), "{runs:?}");
    assert_eq!(schedule.is_over(now), runs.is_empty());
}

/// Lines of JSON, of every kind that is read: a carried token that is accepted is written and read back as the
/// same.
pub fn lines(bytes: &[u8]) {
    let _ = wire::batch::Presented::parse(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = (wire::check::Case::parse(text), wire::change::read_back(text));
    }
    let Ok(brought) = carry::read(bytes, None) else { return };
    let written = wire::carry::Carried::new(&brought.pat, &brought.rules);
    let written = serde_json::to_vec(&written).expect("JSON");
    assert_eq!(carry::read(&written, None), Ok(brought));
}
