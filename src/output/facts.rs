//! One thing with its properties, a line each; and tables of settings, which wrap.

use super::{Sink, Style, state, text, when};
use crate::domain::atlassian::number::Number;
use crate::domain::moment::{Moment, Span};
use crate::domain::pat::{Pat, Status};
use comfy_table::{ContentArrangement, Table};
use std::io;

/// What there is to know about a token, as label and value.
#[must_use]
pub fn of_token(pat: &Pat, now: Moment, warning: Span, style: Style) -> Vec<(&'static str, String)> {
    let at = |at: Option<Moment>| at.map_or_else(|| "never".to_owned(), |at| when::both(at, now));
    let status = pat.life.status(now, warning);
    let safe = |value: &str| text::safe(value).into_owned();
    let mut last_used = at(pat.life.last_used_at);
    if let Some(from) = &pat.last_used_from {
        last_used = format!("{last_used} from {}", safe(from));
    }
    let mut facts = vec![
        ("id", pat.id.to_string()),
        ("name", safe(&pat.name)),
        (
            "user",
            pat.user.as_deref().map_or_else(|| "(any)".to_owned(), |user| text::user(user).into_owned()),
        ),
        ("status", style.state(pat, status, state(pat, status))),
        ("auth", pat.auth.as_str().to_owned()),
        ("created", when::both(pat.life.created_at, now)),
        ("expires", at(pat.life.stops_at())),
        ("last used", last_used),
        ("restricted", if pat.restricted { "yes" } else { "no" }.to_owned()),
        ("mode", if pat.secure { "secure" } else { "standard" }.to_owned()),
    ];
    let optional = [
        ("email", pat.email.as_deref()),
        ("notify to", pat.notify_to.as_deref()),
        ("note", pat.note.as_deref()),
        ("reason", pat.revoke_reason.as_deref()),
        ("issued by", pat.issued_by.as_deref()),
    ];
    let moments = [
        ("revoked", pat.life.revoked_at),
        ("disabled", pat.life.disabled_at),
        (if status == Status::Rotating { "works until" } else { "rotated" }, pat.life.rotated_at),
        ("still used", pat.reused_at),
    ];
    if let Some(number) = Number::of(pat.id) {
        facts.push(("imported", format!("TOKEN_ID {number} of Jira or Confluence")));
    }
    facts.extend(moments.into_iter().filter_map(|(label, at)| Some((label, when::both(at?, now)))));
    let others = [("successor", pat.successor), ("predecessor", pat.predecessor)];
    facts.extend(others.into_iter().filter_map(|(label, id)| Some((label, id?.to_string()))));
    facts.extend(optional.into_iter().filter_map(|(label, value)| Some((label, safe(value?)))));
    facts
}

/// The restrictions of a token, a line each, with the number that names it.
#[must_use]
pub fn of_rules(rules: &[String]) -> Vec<(&'static str, String)> {
    let labels = std::iter::once("may do").chain(std::iter::repeat(""));
    let width = rules.len().to_string().len();
    let line = |(number, rule): (usize, &String)| format!("{number:>width$}  {}", text::safe(rule));
    labels.zip((1..).zip(rules).map(line)).collect()
}

/// Prints facts, labels in a column.
///
/// # Errors
/// What stdout gives.
pub fn print(out: &mut Sink<'_>, facts: &[(&str, String)]) -> io::Result<()> {
    facts.iter().try_for_each(|(label, value)| out.line(&format!("{label:<11} {value}")))
}

/// A terminal narrower than this would break the names of properties.
const ROOMY: usize = 120;

/// Each row as a block: its first cell as a heading, the others below, indented.
fn stacked<const N: usize>(out: &mut Sink<'_>, style: Style, rows: &[[String; N]]) -> io::Result<()> {
    let columns = out.columns().unwrap_or(ROOMY).max(20);
    for row in rows {
        out.line(&style.heading(&text::safe(&row[0])))?;
        for cell in row[1..].iter().filter(|cell| !cell.is_empty()) {
            for line in text::wrap(&text::safe(cell), columns - 4) {
                out.line(&format!("    {line}"))?;
            }
        }
    }
    Ok(())
}

/// Prints a table that wraps to the terminal, or a block for each row where that is narrow; in a pipe
/// every row is one line. No lines are drawn.
///
/// # Errors
/// What stdout gives.
pub fn wrapped<const N: usize>(
    out: &mut Sink<'_>,
    style: Style,
    headings: [&str; N],
    rows: Vec<[String; N]>,
) -> io::Result<()> {
    if out.columns().is_some_and(|columns| columns < ROOMY) {
        return stacked(out, style, &rows);
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(columns) = out.columns() {
        table.set_width(u16::try_from(columns).unwrap_or(u16::MAX));
    }
    table.set_header(headings);
    for row in rows {
        table.add_row(row.map(|cell| text::safe(&cell).into_owned()));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for (index, line) in table.lines().enumerate() {
        let line = line.trim_end();
        out.line(&if index == 0 { style.heading(line) } else { line.to_owned() })?;
    }
    Ok(())
}
