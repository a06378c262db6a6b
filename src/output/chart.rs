//! Counts: as bars on a terminal, in two columns where it is wide; as plain rows in a pipe.

use super::{Screen, Style, text};
use crate::domain::pat::Status;
use std::ffi::OsString;
use std::io;

/// What bars are drawn with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// Full and half blocks, which every font of a terminal has.
    Blocks,
    /// What every terminal has.
    Ascii,
}

impl Ink {
    /// Blocks where the locale is one of UTF-8, by the first variable that says so or says otherwise.
    #[must_use]
    pub fn of(env: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| env(name).filter(|value| !value.is_empty()))
            .map(|value| value.to_string_lossy().to_ascii_lowercase());
        let unicode = locale.is_some_and(|l| l.contains("utf-8") || l.contains("utf8"));
        if unicode && env("TERM").is_none_or(|term| term != "dumb") { Self::Blocks } else { Self::Ascii }
    }

    /// A bar for `count`, where `most` fills `columns`. What is there is seen: no bar is empty but that of 0.
    fn bar(self, count: u64, most: u64, columns: usize) -> String {
        let halves = |per: u64| {
            let wide = u128::from(count) * columns as u128 * u128::from(per) / u128::from(most.max(1));
            usize::try_from(wide).unwrap_or(usize::MAX).max(usize::from(count > 0))
        };
        match self {
            Self::Ascii => "#".repeat(halves(1)),
            Self::Blocks => {
                let halves = halves(2);
                "█".repeat(halves / 2) + if halves % 2 == 1 { "▌" } else { "" }
            }
        }
    }
}

/// A count among others.
pub struct Row {
    /// What is counted; any text, it is made safe.
    pub label: String,
    /// How many.
    pub count: u64,
    /// Whether a bar is drawn: its length tells something beside the others that have one.
    pub bar: bool,
    /// In the colour of this state.
    pub tint: Option<Status>,
    /// What else there is to say.
    pub note: String,
}

impl Row {
    /// A count with a bar.
    #[must_use]
    pub fn bar(label: impl Into<String>, count: u64) -> Self {
        Self { label: label.into(), count, bar: true, tint: None, note: String::new() }
    }

    /// A count without one.
    #[must_use]
    pub fn plain(label: impl Into<String>, count: u64) -> Self {
        Self { bar: false, ..Self::bar(label, count) }
    }
}

/// Counts that belong together.
pub struct Section {
    /// In capitals, above them on a terminal.
    pub title: &'static str,
    /// Behind the title.
    pub remark: String,
    /// The word for it that begins each row in a pipe.
    pub word: &'static str,
    /// What the remark counts: rows of their own in a pipe.
    pub sums: Vec<(&'static str, u64)>,
    /// The counts.
    pub rows: Vec<Row>,
}

/// A line of a chart, and the columns it takes.
struct Line {
    text: String,
    width: usize,
}

/// From so many columns on, there is room for two.
const ROOMY: usize = 110;
/// Between the two.
const GAP: usize = 4;
/// No bar is longer: what is twice as much need not be a walk of the eye across the room.
const LONGEST: usize = 50;
/// A terminal has room for so much of a bar.
const SHORTEST: usize = 8;
/// No label is longer; the rest is cut.
const LABEL: usize = 30;

/// Prints sections: `left` and `right` of each other where there is room, otherwise in the order of their
/// places, the first of `left` before the first of `right`.
///
/// # Errors
/// What stdout gives.
pub fn print(screen: &mut Screen<'_>, ink: Ink, left: &[Section], right: &[Section]) -> io::Result<()> {
    if !screen.is_terminal() {
        return table(screen, &interleaved(left, right));
    }
    let columns = screen.out().columns().unwrap_or(80).max(40);
    let style = screen.style;
    if columns < ROOMY {
        let lines = lines(&interleaved(left, right), ink, style, columns);
        return lines.iter().try_for_each(|line| screen.line(&line.text));
    }
    let half = (columns - GAP) / 2;
    let [left, right] = [left, right].map(|side| lines(&side.iter().collect::<Vec<_>>(), ink, style, half));
    for at in 0..left.len().max(right.len()) {
        let mut line = left.get(at).map_or_else(String::new, |line| line.text.clone());
        if let Some(beside) = right.get(at).filter(|line| line.width > 0) {
            let used = left.get(at).map_or(0, |line| line.width);
            line.push_str(&" ".repeat(half + GAP - used));
            line.push_str(&beside.text);
        }
        screen.line(&line)?;
    }
    Ok(())
}

fn interleaved<'s>(left: &'s [Section], right: &'s [Section]) -> Vec<&'s Section> {
    let longer = left.len().max(right.len());
    (0..longer).flat_map(|at| [left.get(at), right.get(at)]).flatten().collect()
}

/// Sections below each other, an empty line between two.
fn lines(sections: &[&Section], ink: Ink, style: Style, columns: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for section in sections.iter().filter(|section| !section.rows.is_empty()) {
        if !lines.is_empty() {
            lines.push(Line { text: String::new(), width: 0 });
        }
        let mut remark = String::new();
        if !section.remark.is_empty() {
            let remark_columns = text::width(&section.remark).min(columns - section.title.len() - 2);
            text::fit(&section.remark, remark_columns, &mut remark);
            remark.insert_str(0, "  ");
        }
        let width = section.title.len() + text::width(&remark);
        lines.push(Line { text: style.heading(section.title) + &style.faint(&remark), width });
        body(section, ink, style, columns, &mut lines);
    }
    lines
}

fn body(section: &Section, ink: Ink, style: Style, columns: usize, into: &mut Vec<Line>) {
    let labels: Vec<_> = section.rows.iter().map(|row| text::safe(&row.label)).collect();
    let counts: Vec<String> = section.rows.iter().map(|row| thousands(row.count)).collect();
    let number = counts.iter().map(String::len).max().unwrap_or(0);
    let notes = section.rows.iter().map(|row| text::width(&row.note)).max().unwrap_or(0);
    let notes = if notes == 0 { 0 } else { notes + 2 };
    // Names give way before the bars do.
    let most_label = columns.saturating_sub(2 + 2 + number + 2 + SHORTEST + notes).clamp(8, LABEL);
    let label = labels.iter().map(|l| text::width(l)).max().unwrap_or(0).min(most_label);
    let room = columns.saturating_sub(2 + label + 2 + number + 2 + notes).min(LONGEST);
    let most = section.rows.iter().filter(|row| row.bar).map(|row| row.count).max().unwrap_or(0);
    for ((row, name), count) in section.rows.iter().zip(&labels).zip(&counts) {
        let mut text = String::from("  ");
        text::fit(name, label, &mut text);
        text = format!("{text}  {count:>number$}");
        let bar = if row.bar { ink.bar(row.count, most, room) } else { String::new() };
        let mut width = text::width(&text);
        for (piece, tint) in [(bar, row.tint), (row.note.clone(), None)] {
            if !piece.is_empty() {
                width += 2 + text::width(&piece);
                text.push_str("  ");
                text.push_str(&tint.map_or_else(|| piece.clone(), |status| style.status(status, &piece)));
            }
        }
        into.push(Line { text, width });
    }
}

/// `1,234,567`
#[must_use]
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A line for each count, which says all of itself: for `grep` and `awk -F'  +'`.
fn table(screen: &mut Screen<'_>, sections: &[&Section]) -> io::Result<()> {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for section in sections {
        let word = || section.word.to_owned();
        rows.extend(
            section
                .sums
                .iter()
                .map(|(sum, count)| [word(), (*sum).to_owned(), count.to_string(), String::new()]),
        );
        rows.extend(section.rows.iter().map(|row| {
            [word(), text::safe(&row.label).into_owned(), row.count.to_string(), row.note.clone()]
        }));
    }
    let mut widths = HEADINGS.map(text::width);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(text::width(cell));
        }
    }
    let heading = HEADINGS.map(str::to_owned);
    for (at, row) in std::iter::once(&heading).chain(&rows).enumerate() {
        let mut line = String::new();
        text::fit(&row[0], widths[0] + 2, &mut line);
        text::fit(&row[1], widths[1] + 2, &mut line);
        line = format!("{line}{:>width$}", row[2], width = widths[2]);
        if !row[3].is_empty() {
            line.push_str("  ");
            line.push_str(&row[3]);
        }
        screen.line(&if at == 0 { screen.style.heading(&line) } else { line })?;
    }
    Ok(())
}

const HEADINGS: [&str; 4] = ["WHAT", "WHICH", "COUNT", ""];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn figures_are_grouped() {
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(count), text);
        }
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_its_columns_and_every_count_is_seen(
            rows in prop::collection::vec((".{0,40}", 0u64..10_000_000_000, any::<bool>(), 0usize..12), 1..12),
            columns in 40usize..200,
            blocks in any::<bool>(),
        ) {
            let ink = if blocks { Ink::Blocks } else { Ink::Ascii };
            let rows: Vec<Row> = rows
                .into_iter()
                .map(|(label, count, bar, note)| Row { bar, note: "n".repeat(note), ..Row::bar(label, count) })
                .collect();
            let section = Section { title: "TITLE", remark: "r".repeat(300), word: "w", sums: Vec::new(), rows };
            let lines = lines(&[&section], ink, Style::new(false), columns);
            prop_assert_eq!(lines.len(), section.rows.len() + 1);
            for line in &lines {
                prop_assert_eq!(text::width(&line.text), line.width, "{}", line.text);
                prop_assert!(line.width <= columns.max(45), "{} in {}: {}", line.width, columns, line.text);
            }
            for (line, row) in lines[1..].iter().zip(&section.rows) {
                let inked = line.text.contains(if blocks { ['█', '▌'].as_slice() } else { ['#'].as_slice() });
                prop_assert!(!row.bar || row.count == 0 || inked, "{}", line.text);
            }
        }
    }
}
