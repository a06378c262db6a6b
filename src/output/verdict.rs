//! The answer of `check` for a person: the verdict, and line by line why.

use super::{Screen, text};
use crate::wire::check::{Checked, Line, Part};
use std::io;

/// Prints a verdict, the request as it was seen, and every line.
///
/// # Errors
/// What stdout gives.
pub fn print(screen: &mut Screen<'_>, checked: &Checked<'_>) -> io::Result<()> {
    let why = match (&checked.reason, checked.line) {
        (Some(reason), _) => reason.clone(),
        (None, Some(line)) => format!("line {line} allows it"),
        (None, None) => String::new(),
    };
    let style = screen.style;
    let word =
        if checked.verdict == "allow" { style.good(checked.verdict) } else { style.bad(checked.verdict) };
    screen.line(&format!("{word}: {}", text::safe(&why)))?;
    if let Some(seen) = &checked.request {
        screen.line("")?;
        let url = format!("{}{}", seen.origin.as_deref().unwrap_or(""), seen.path.unwrap_or("(no URL)"));
        let method = seen.method.unwrap_or("(no method)");
        screen.line(&format!("request  {method} {}", text::safe(&url)))?;
        let mut label = "query";
        for (name, value) in &seen.query {
            screen.line(&format!("{label:<8} {}", text::safe(&format!("{name} = {value}"))))?;
            label = "";
        }
        if let Some(kind) = seen.content_type {
            screen.line(&format!("body     {}", text::safe(kind)))?;
        }
    }
    checked.lines.iter().try_for_each(|line| one_line(screen, line))
}

fn one_line(screen: &mut Screen<'_>, line: &Line<'_>) -> io::Result<()> {
    screen.line("")?;
    let heading = format!("line {}  {}", line.line, text::safe(line.rule));
    let heading = screen.style.heading(&heading);
    screen.line(&heading)?;
    line.parts.iter().try_for_each(|part| one_part(screen, part))
}

fn one_part(screen: &mut Screen<'_>, part: &Part<'_>) -> io::Result<()> {
    let style = screen.style;
    let padded = format!("{:<10}", part.outcome.replace('-', " "));
    let word = match part.outcome {
        "hit" => style.good(&padded),
        "not-judged" => padded,
        _ => style.bad(&padded),
    };
    let seen = part.seen.map_or_else(String::new, |seen| format!(" on {}", text::safe(seen)));
    screen.line(&format!("  {word} {:<10} {}{seen}", part.part, text::safe(part.text)))?;
    let margin = " ".repeat(24);
    if let Some(reason) = &part.reason {
        screen.line(&format!("{margin}{}", text::safe(reason)))?;
    }
    let Some(nearest) = &part.nearest else { return Ok(()) };
    let found = if nearest.found.is_empty() { "at the end" } else { nearest.found };
    let told = match (nearest.fits, nearest.wanted) {
        ("", wanted) => format!("not even the beginning of {wanted} fits"),
        (fits, "") => format!("{fits} fits the beginning, and {found} is left over"),
        (fits, wanted) => {
            format!("up to {fits} it fits; then the pattern wants {wanted}, and there is {found}")
        }
    };
    screen.line(&format!("{margin}{}", text::safe(&told)))
}
