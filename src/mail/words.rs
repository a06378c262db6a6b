//! What a mail says, as text and as HTML.

use crate::domain::moment::Moment;
use crate::domain::notice::{Kind, Notice};
use crate::domain::text::is_hidden;
use crate::domain::token;
use std::fmt::Write as _;

/// The words of a mail, the same as text and as HTML. No control or invisible character of what people
/// chose is left in them, and nothing that looks like a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

/// The tokens that a mail lists; it counts the others.
const LISTED: usize = 100;

const FOOTER: &str = "Sent by patctl. The token itself is in no mail.";

/// A token in a mail, and everything that happened to it since the last one.
struct About<'a> {
    notice: &'a Notice,
    kinds: Vec<Kind>,
}

impl Words {
    /// The words of a mail about these notices, all for one recipient.
    #[must_use]
    pub fn of(notices: &[&Notice]) -> Self {
        let tokens = by_token(notices);
        match tokens.as_slice() {
            [token] => of_one(token),
            tokens => of_several(tokens),
        }
    }
}

/// Collects the notices of each token, in the order in which they come; the latest one describes it.
fn by_token<'a>(notices: &[&'a Notice]) -> Vec<About<'a>> {
    let mut places = std::collections::HashMap::new();
    let mut tokens: Vec<About<'a>> = Vec::new();
    for notice in notices {
        let place = *places.entry(notice.token_id.as_str()).or_insert(tokens.len());
        match tokens.get_mut(place) {
            None => tokens.push(About { notice, kinds: vec![notice.kind] }),
            Some(token) => {
                token.notice = notice;
                if !token.kinds.contains(&notice.kind) {
                    token.kinds.push(notice.kind);
                }
            }
        }
    }
    tokens
}

fn of_one(token: &About<'_>) -> Words {
    let notice = token.notice;
    let first = token.kinds.first().copied().unwrap_or(notice.kind);
    let last = token.kinds.last().copied().unwrap_or(notice.kind);
    let (subject, what, _) = phrases(first);
    let (_, _, next) = phrases(last);
    let also = token.kinds.iter().skip(1).map(|kind| format!(" {}", later(*kind)));
    let what = what.to_owned() + &also.collect::<String>();
    let name = safe(&notice.name);
    let facts = [
        ("name", name.clone()),
        ("id", safe(&notice.token_id)),
        ("user", user(notice)),
        (ends(last), end(notice)),
    ];
    let (mut text, mut html) = (format!("{what}\n\n"), opening(&what));
    for (label, value) in &facts {
        // Infallible: these are strings.
        let _ = writeln!(text, "  {label:<8} {value}");
        let _ = writeln!(html, "<tr><td>{label}</td><td>{}</td></tr>", escaped(value));
    }
    html.push_str("</table>\n");
    close(&mut text, &mut html, &[next.to_owned()]);
    Words { subject: format!("{subject}: {name}"), text, html }
}

fn of_several(tokens: &[About<'_>]) -> Words {
    let count = |kind: Kind| tokens.iter().filter(|token| token.kinds.contains(&kind)).count();
    let kinds: Vec<(Kind, usize)> =
        Kind::ALL.into_iter().map(|kind| (kind, count(kind))).filter(|(_, count)| *count > 0).collect();
    let parts: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {}", state(*kind))).collect();
    let what = format!("News about {} personal access tokens.", tokens.len());
    let (mut text, mut html) = (format!("{what}\n\n"), opening(&what));
    for About { notice, kinds } in tokens.iter().take(LISTED) {
        let states = kinds.iter().map(|kind| state(*kind)).collect::<Vec<_>>().join(", ");
        let label = ends(kinds.last().copied().unwrap_or(notice.kind));
        let (name, id, user, end) = (safe(&notice.name), safe(&notice.token_id), user(notice), end(notice));
        let _ = writeln!(text, "  {states}: {name}\n      id {id}, user {user}, {label} {end}");
        let cells = [states, name, id, user, format!("{label} {end}")];
        html.push_str("<tr>");
        for cell in &cells {
            let _ = write!(html, "<td>{}</td>", escaped(cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table>\n");
    if tokens.len() > LISTED {
        let more = format!("and {} more", tokens.len() - LISTED);
        let _ = writeln!(text, "  {more}");
        let _ = writeln!(html, "<p>{more}</p>");
    }
    let advice: Vec<String> =
        kinds.iter().map(|(kind, _)| format!("{}: {}", title(*kind), phrases(*kind).2)).collect();
    close(&mut text, &mut html, &advice);
    Words { subject: format!("{} tokens: {}", tokens.len(), parts.join(", ")), text, html }
}

fn opening(what: &str) -> String {
    format!("<!DOCTYPE html>\n<html><body>\n<p>{}</p>\n<table>\n", escaped(what))
}

fn close(text: &mut String, html: &mut String, advice: &[String]) {
    for line in advice {
        let _ = write!(text, "\n{line}\n");
        let _ = writeln!(html, "<p>{}</p>", escaped(line));
    }
    let _ = write!(text, "\n--\n{FOOTER}\n");
    let _ = write!(html, "<p><small>{}</small></p>\n</body></html>\n", escaped(FOOTER));
}

/// The beginning of the subject, what happened, and what to do.
fn phrases(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::Created => (
            "Token created",
            "A personal access token was created.",
            "If you did not expect this, ask your administrator to revoke it.",
        ),
        Kind::Revoked => (
            "Token revoked",
            "A personal access token was revoked.",
            "Whatever still uses it is refused from now on. If you did not expect this, ask your administrator.",
        ),
        Kind::Pruned => (
            "Token deleted",
            "A personal access token that had ended was deleted.",
            "There is nothing to do: it had stopped working before.",
        ),
        Kind::ExpiresSoon => (
            "Token expires soon",
            "A personal access token will expire soon.",
            "Whatever still uses it then is refused. If it is still needed, have it replaced before that.",
        ),
        Kind::Expired => (
            "Token expired",
            "A personal access token has expired.",
            "Whatever still uses it is refused. If it is still needed, have it replaced.",
        ),
    }
}

/// What happened after something else did.
fn later(kind: Kind) -> &'static str {
    match kind {
        Kind::Created => "It was created.",
        Kind::Revoked => "It was revoked.",
        Kind::Pruned => "It was deleted.",
        Kind::ExpiresSoon => "It will expire soon.",
        Kind::Expired => "It has expired.",
    }
}

fn state(kind: Kind) -> &'static str {
    match kind {
        Kind::Created => "created",
        Kind::Revoked => "revoked",
        Kind::Pruned => "deleted",
        Kind::ExpiresSoon => "expiring soon",
        Kind::Expired => "expired",
    }
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Created => "Created",
        Kind::Revoked => "Revoked",
        Kind::Pruned => "Deleted",
        Kind::ExpiresSoon => "Expiring soon",
        Kind::Expired => "Expired",
    }
}

fn ends(kind: Kind) -> &'static str {
    if kind == Kind::Expired { "expired" } else { "expires" }
}

fn end(notice: &Notice) -> String {
    notice.expires_at.map_or_else(|| "never".to_owned(), minute)
}

fn user(notice: &Notice) -> String {
    notice.user.as_deref().map_or_else(|| "(any)".to_owned(), safe)
}

/// `2027-02-19 20:23 UTC`.
fn minute(at: Moment) -> String {
    format!("{} UTC", at.text().as_str()[..16].replace('T', " "))
}

/// A text that people chose, on one line and without what a mail program might obey.
pub(super) fn safe(text: &str) -> String {
    token::mask(text).chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(kind: Kind, id: usize) -> Notice {
        Notice {
            at: Moment::from_date("2026-11-21").expect("a date"),
            kind,
            token_id: format!("{id:010}"),
            name: format!("name {id}"),
            user: Some("alice".to_owned()),
            expires_at: Moment::from_date("2026-11-25"),
            recipient: "alice@example.com".to_owned(),
        }
    }

    #[test]
    fn a_token_with_two_notices_is_named_once() {
        let notices = [notice(Kind::Created, 1), notice(Kind::ExpiresSoon, 1)];
        let words = Words::of(&notices.iter().collect::<Vec<_>>());
        assert_eq!(words.subject, "Token created: name 1");
        assert!(
            words.text.starts_with("A personal access token was created. It will expire soon.\n"),
            "{words:?}"
        );
        assert_eq!(words.text.matches("0000000001").count(), 1);
    }

    #[test]
    fn several_tokens_are_listed_and_counted() {
        let mut notices = vec![notice(Kind::Created, 0), notice(Kind::ExpiresSoon, 0)];
        notices.extend((1..150).map(|id| notice(Kind::Expired, id)));
        let words = Words::of(&notices.iter().collect::<Vec<_>>());
        assert_eq!(words.subject, "150 tokens: 1 created, 1 expiring soon, 149 expired");
        assert!(words.text.contains("  created, expiring soon: name 0\n"), "{}", words.text);
        assert!(words.text.contains("\n  and 50 more\n") && words.html.contains("<p>and 50 more</p>"));
        assert_eq!(
            (words.text.matches("user alice").count(), words.html.matches("<tr>").count()),
            (100, 100)
        );
    }
}
