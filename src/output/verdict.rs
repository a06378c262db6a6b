//! The answer of `check` for a person: the verdict, and line by line why.

use super::{Screen, Style, text};
use crate::wire::check::{Checked, Line, Part};
use std::io;

/// Prints a verdict, the request as it was seen, and every line.
///
/// # Errors
/// What stdout gives.
pub fn print(screen: &mut Screen<'_>, checked: &Checked<'_>) -> io::Result<()> {
    lines(checked, screen.style).iter().try_for_each(|line| screen.line(line))
}

/// Tells the same beside the answer, on stderr.
pub fn tell(screen: &mut Screen<'_>, checked: &Checked<'_>) {
    for line in lines(checked, Style::new(false)) {
        screen.say(&line);
    }
}

fn lines(checked: &Checked<'_>, style: Style) -> Vec<String> {
    let why = match (&checked.reason, checked.line) {
        (Some(reason), _) => reason.clone(),
        (None, Some(line)) => format!("line {line} allows it"),
        (None, None) => String::new(),
    };
    let word =
        if checked.verdict == "allow" { style.good(checked.verdict) } else { style.bad(checked.verdict) };
    let mut lines = vec![format!("{word}: {}", text::safe(&why))];
    if let Some(seen) = &checked.request {
        let url = format!("{}{}", seen.origin.as_deref().unwrap_or(""), seen.path.unwrap_or("(no URL)"));
        let method = seen.method.unwrap_or("(no method)");
        lines.extend([String::new(), format!("request  {method} {}", text::safe(&url))]);
        let mut label = "query";
        for (name, value) in &seen.query {
            lines.push(format!("{label:<8} {}", text::safe(&format!("{name} = {value}"))));
            label = "";
        }
        if let Some(kind) = seen.content_type {
            lines.push(format!("body     {}", text::safe(kind)));
        }
    }
    checked.lines.iter().for_each(|line| one_line(line, style, &mut lines));
    lines
}

fn one_line(line: &Line<'_>, style: Style, lines: &mut Vec<String>) {
    let heading = format!("line {}  {}", line.line, text::safe(line.rule));
    lines.extend([String::new(), style.heading(&heading)]);
    line.parts.iter().for_each(|part| one_part(part, style, lines));
}

fn one_part(part: &Part<'_>, style: Style, lines: &mut Vec<String>) {
    let padded = format!("{:<10}", part.outcome.replace('-', " "));
    let word = match part.outcome {
        "hit" => style.good(&padded),
        "not-judged" => padded,
        _ => style.bad(&padded),
    };
    let seen = part.seen.map_or_else(String::new, |seen| format!(" on {}", text::safe(seen)));
    lines.push(format!("  {word} {:<10} {}{seen}", part.part, text::safe(part.text)));
    let margin = " ".repeat(24);
    if let Some(reason) = &part.reason {
        lines.push(format!("{margin}{}", text::safe(reason)));
    }
    let Some(nearest) = &part.nearest else { return };
    let found = if nearest.found.is_empty() { "at the end" } else { nearest.found };
    let told = match (nearest.fits, nearest.wanted) {
        ("", wanted) => format!("not even the beginning of {wanted} fits"),
        (fits, "") => format!("{fits} fits the beginning, and {found} is left over"),
        (fits, wanted) => {
            format!("up to {fits} it fits; then the pattern wants {wanted}, and there is {found}")
        }
    };
    lines.push(format!("{margin}{}", text::safe(&told)));
}
