//! The answer of a monitoring check: a line that begins with the status, figures behind a bar, names
//! below; or gauges for Prometheus.

use super::{Screen, text, when};
use crate::domain::moment::{Moment, Span};
use crate::domain::token;
use crate::exit::Nagios;
use crate::failure::Failure;
use crate::wire::notices::Outlook;
use std::io;

/// `14 days`, `36 hours`.
#[must_use]
pub fn span(span: Span) -> String {
    let hours = span.as_seconds() / 3600;
    let (count, unit) = if hours % 24 == 0 { (hours / 24, "day") } else { (hours, "hour") };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Text that people chose, on one line of an answer where a bar begins the figures.
fn safe(value: &str) -> String {
    text::safe(value).replace('|', "/")
}

/// Prints what a monitor and its reader want to know.
///
/// # Errors
/// What stdout gives.
pub fn check(screen: &mut Screen<'_>, outlook: &Outlook<'_>, sentence: &str, now: Moment) -> io::Result<()> {
    let figures = format!(
        "expiring={};;;0 warning={};;;0 critical={};;;0 expired={};;;0",
        outlook.expiring, outlook.warning, outlook.critical, outlook.expired
    );
    // "Alert if it is less": the range of a threshold begins where all is well.
    let next = outlook.next_expiry.map_or_else(String::new, |next| {
        let seconds = next.0.since(now).as_seconds();
        format!(" next={seconds}s;{}:;{}:", outlook.warning_seconds, outlook.critical_seconds)
    });
    screen.line(&format!("{}: {sentence} | {figures}{next}", outlook.status))?;
    for token in &outlook.first {
        let ends = token.stops_at.map_or_else(String::new, |at| when::both(at.0, now));
        let user = text::user(token.user.unwrap_or("(any)"));
        screen.line(&format!("{}  {}  {}  {ends}", token.id, safe(&user), safe(token.name)))?;
    }
    let more = outlook.expiring.saturating_sub(outlook.first.len() as u64);
    if more > 0 { screen.line(&format!("and {more} more")) } else { Ok(()) }
}

/// Prints that it cannot be told, and why.
///
/// # Errors
/// What stdout gives.
pub fn unknown(screen: &mut Screen<'_>, failure: &Failure) -> io::Result<()> {
    let message = failure.message.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    let hint = failure.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
    let line = safe(&token::mask(&format!("{message}{hint}")));
    screen.line(&format!("{}: {line}", Nagios::Unknown.as_str()))?;
    screen.flush()
}

/// Prints gauges in the text format of Prometheus.
///
/// # Errors
/// What stdout gives.
pub fn prometheus(screen: &mut Screen<'_>, outlook: &Outlook<'_>) -> io::Result<()> {
    gauge(screen, "patctl_tokens", "Tokens by state, each in one.")?;
    let tokens = &outlook.tokens;
    for (state, count) in [
        ("active", tokens.active),
        ("expires-soon", tokens.expires_soon),
        ("rotating", tokens.rotating),
        ("expired", tokens.expired),
        ("disabled", tokens.disabled),
        ("rotated", tokens.rotated),
        ("revoked", tokens.revoked),
    ] {
        screen.line(&format!("patctl_tokens{{state=\"{state}\"}} {count}"))?;
    }
    gauge(screen, "patctl_tokens_expiring", "Tokens in use that expire within the threshold.")?;
    for (threshold, count) in
        [("within", outlook.expiring), ("warning", outlook.warning), ("critical", outlook.critical)]
    {
        screen.line(&format!("patctl_tokens_expiring{{threshold=\"{threshold}\"}} {count}"))?;
    }
    gauge(screen, "patctl_expiry_threshold_seconds", "How near the end of a token is for each threshold.")?;
    for (threshold, seconds) in [
        ("within", outlook.within_seconds),
        ("warning", outlook.warning_seconds),
        ("critical", outlook.critical_seconds),
    ] {
        screen.line(&format!("patctl_expiry_threshold_seconds{{threshold=\"{threshold}\"}} {seconds}"))?;
    }
    gauge(screen, "patctl_tokens_damaged", "Tokens whose rows are not what patctl wrote.")?;
    screen.line(&format!("patctl_tokens_damaged {}", outlook.damaged))?;
    if let Some(next) = outlook.next_expiry {
        let name = "patctl_next_expiry_timestamp_seconds";
        gauge(screen, name, "When the next token in use expires.")?;
        screen.line(&format!("{name} {}", next.0.micros().div_euclid(1_000_000)))?;
    }
    Ok(())
}

fn gauge(screen: &mut Screen<'_>, name: &str, help: &str) -> io::Result<()> {
    screen.line(&format!("# HELP {name} {help}"))?;
    screen.line(&format!("# TYPE {name} gauge"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_of_time_is_named_in_days_where_it_is_whole_days() {
        for (hours, text) in [(24, "1 day"), (336, "14 days"), (36, "36 hours"), (1, "1 hour"), (0, "0 days")]
        {
            assert_eq!(span(Span::hours(hours)), text);
        }
    }
}
