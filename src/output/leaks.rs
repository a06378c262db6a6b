//! Tokens where they were found, in whichever format was asked for.

use super::stream::Stream;
use super::{Screen, Style, text};
use crate::cli::Format;
use crate::wire::Cells as _;
use crate::wire::leak::Leak;
use std::io;

/// A place as editors and compilers write it.
#[must_use]
pub fn place(leak: &Leak<'_>) -> String {
    format!("{}:{}", text::safe(leak.file.unwrap_or("(stdin)")), leak.line)
}

/// Prints them all, in their order.
///
/// # Errors
/// What stdout gives.
pub fn print(screen: &mut Screen<'_>, leaks: &[Leak<'_>]) -> io::Result<()> {
    let (format, style) = (screen.format(), screen.style);
    if format == Format::Table {
        return table(screen, leaks, style);
    }
    let mut stream = Stream::new(screen.out(), format, Leak::COLUMNS);
    for leak in leaks {
        // An id that is not proved may be one that somebody wants to see revoked.
        stream.push(|| *leak, Some(leak.id).filter(|_| leak.known))?;
        if stream.is_gone() {
            break;
        }
    }
    stream.finish()
}

const HEADINGS: [&str; 4] = ["PLACE", "TOKEN", "USER", "STATE"];

fn cells(leak: &Leak<'_>) -> [String; 4] {
    let user = match (leak.known, leak.user) {
        (true, None) => "(any)".to_owned(),
        (_, user) => text::user(user.unwrap_or_default()).into_owned(),
    };
    let state = if leak.revoked { "revoked now" } else { leak.state };
    [place(leak), leak.token.to_owned(), user, state.to_owned()]
}

/// The columns are measured on all rows: they are in memory anyway. Nothing is cut; where a terminal
/// is too narrow, each token has a line below its place.
fn table(screen: &mut Screen<'_>, leaks: &[Leak<'_>], style: Style) -> io::Result<()> {
    let mut widths = HEADINGS.map(text::width);
    for leak in leaks {
        for (width, cell) in widths.iter_mut().zip(cells(leak)) {
            *width = (*width).max(text::width(&cell));
        }
    }
    let wide: usize = widths.iter().map(|width| width + 2).sum();
    let narrow = screen.out().columns().is_some_and(|columns| columns + 2 < wide);
    let out = screen.out();
    if !narrow && !leaks.is_empty() {
        out.line(&style.heading(line(&HEADINGS.map(str::to_owned), &widths, |state| state).trim_end()))?;
    }
    for leak in leaks {
        let cells = cells(leak);
        let paint =
            |state: String| if leak.live && !leak.revoked { style.bad(&state) } else { style.faint(&state) };
        if narrow {
            let [place, token, user, state] = &cells;
            out.line(&style.heading(place))?;
            let user = if user.is_empty() { String::new() } else { format!("{user}  ") };
            out.line(&format!("    {token}  {user}{}", paint(state.clone())))?;
        } else {
            out.line(&line(&cells, &widths, paint))?;
        }
        if out.is_gone() {
            break;
        }
    }
    Ok(())
}

fn line(cells: &[String; 4], widths: &[usize; 4], paint: impl Fn(String) -> String) -> String {
    let mut line = String::with_capacity(120);
    for (cell, width) in cells.iter().zip(widths).take(3) {
        text::fit(cell, *width, &mut line);
        line.push_str("  ");
    }
    line.push_str(&paint(cells[3].clone()));
    line
}
