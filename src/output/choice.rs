//! Tokens as lines of a list to choose from.

use super::{text, when};
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;

/// One line for each token: name, user, last used, expiry; cut to the terminal, beside which the list
/// draws its boxes.
#[must_use]
pub fn lines(pats: &[Pat], now: Moment, columns: Option<usize>) -> Vec<String> {
    let columns = columns.unwrap_or(80).max(40) - 6;
    // id, blanks, and two distances.
    let room = columns.saturating_sub(10 + 2 * 4 + 2 * 12).max(16);
    let (name_room, user_room) = (room * 2 / 3, room / 3);
    let mut lines = Vec::with_capacity(pats.len());
    for pat in pats {
        let mut line = format!("{}  ", pat.id);
        text::fit(&text::safe(&pat.name), name_room, &mut line);
        line.push_str("  ");
        text::fit(&text::user(pat.user.as_deref().unwrap_or("(any)")), user_room, &mut line);
        let used = pat.life.last_used_at.map_or_else(|| "never".to_owned(), |at| when::distance(at, now));
        let ends = pat.life.stops_at().map_or_else(|| "never".to_owned(), |at| when::distance(at, now));
        lines.push(format!("{line}  {used:<12}  {ends}"));
    }
    lines
}
