//! A mail in the form in which it travels.

use super::words::{Words, safe};
use crate::domain::moment::Moment;
use crate::domain::notice::{Mailbox, Notice};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox as Header, MultiPart, SinglePart};
use lettre::{Address, Message};
use std::time::{Duration, UNIX_EPOCH};

/// A mail, ready to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// The sender.
    pub from: Mailbox,
    /// The recipient.
    pub to: String,
    /// What it says.
    pub words: Words,
    /// Its name in the world: the same at every attempt, so that a receiver can tell a repetition.
    pub message_id: String,
}

impl Letter {
    /// A mail about these rows of the outbox, each with its number; all have the same recipient.
    #[must_use]
    pub fn new(rows: &[(i64, &Notice)], from: &Mailbox) -> Self {
        let notices: Vec<&Notice> = rows.iter().map(|(_, notice)| *notice).collect();
        let name = |(seq, notice): &(i64, &Notice)| {
            let id: String = notice.token_id.chars().filter(char::is_ascii_alphanumeric).collect();
            // A row number may come back once its row was deleted; together with the instant it does not.
            format!("{seq}.{id}.{}", notice.at.micros())
        };
        let first = rows.first().map(name).unwrap_or_default();
        // The same rows have the same name; with another row it is another mail.
        let more = match rows {
            [_, .., (last, _)] => format!(".{}-{last}", rows.len()),
            _ => String::new(),
        };
        Self {
            from: from.clone(),
            to: notices.first().map(|notice| notice.recipient.clone()).unwrap_or_default(),
            words: Words::of(&notices),
            message_id: format!("{first}{more}.patctl@{}", from.host()),
        }
    }

    /// The mail as it travels.
    ///
    /// # Errors
    /// What is wrong with an address.
    pub(super) fn message(&self, now: Moment) -> Result<Message, String> {
        let address = |text: &str| text.parse::<Address>().map_err(|e| format!("{}: {e}", safe(text)));
        // '=_' stands in no text in quoted-printable or Base64, and no line of ours begins so in any other.
        let boundary = format!("=_{}", self.message_id.split('@').next().unwrap_or_default());
        let auto =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
        Message::builder()
            .from(Header::new(Some("patctl".to_owned()), address(self.from.as_str())?))
            .to(Header::new(None, address(&self.to)?))
            .subject(self.words.subject.as_str())
            .date(UNIX_EPOCH + since_epoch(now))
            .message_id(Some(format!("<{}>", self.message_id)))
            .raw_header(auto)
            .multipart(
                MultiPart::alternative()
                    .boundary(boundary)
                    .singlepart(SinglePart::plain(self.words.text.clone()))
                    .singlepart(SinglePart::html(self.words.html.clone())),
            )
            .map_err(|e| e.to_string())
    }
}

/// Mail knows no year before 1970.
fn since_epoch(now: Moment) -> Duration {
    Duration::from_secs(u64::try_from(now.micros() / 1_000_000).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::Kind;
    use proptest::prelude::*;

    fn notice(kind: Kind, name: &str) -> Notice {
        Notice {
            at: Moment::from_date("2026-11-21").expect("a date"),
            kind,
            token_id: "7k3m9xq2v8".to_owned(),
            name: name.to_owned(),
            user: Some("alice".to_owned()),
            expires_at: Moment::from_date("2026-11-25"),
            recipient: "alice@example.com".to_owned(),
        }
    }

    fn formatted(notice: &Notice) -> String {
        let from: Mailbox = "patctl@example.com".parse().expect("an address");
        let now = Moment::from_rfc3339("2026-11-21T20:23:11Z").expect("an instant");
        let message = Letter::new(&[(7, notice)], &from).message(now).expect("a message");
        String::from_utf8(message.formatted()).expect("ASCII")
    }

    #[test]
    fn every_kind_names_the_token_and_its_end_in_text_and_html() {
        for kind in Kind::ALL {
            let words = Words::of(&[&notice(kind, "R&D <ci>")]);
            assert!(words.subject.ends_with(": R&D <ci>"), "{words:?}");
            for fact in ["R&D <ci>", "7k3m9xq2v8", "alice", "2026-11-25 00:00 UTC"] {
                assert!(words.text.contains(fact), "{fact}: {words:?}");
            }
            assert!(words.html.contains("R&amp;D &lt;ci&gt;") && words.html.contains("7k3m9xq2v8"));
        }
    }

    #[test]
    fn the_same_row_has_the_same_headers_at_every_attempt() {
        let text = formatted(&notice(Kind::ExpiresSoon, "ci"));
        assert_eq!(text, formatted(&notice(Kind::ExpiresSoon, "ci")));
        for line in [
            "Message-ID: <7.7k3m9xq2v8.1795219200000000.patctl@example.com>",
            "Date: Sat, 21 Nov 2026 20:23:11 +0000",
            "From: patctl <patctl@example.com>",
            "To: alice@example.com",
            "Subject: Token expires soon: ci",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}: {text}");
        }
        assert!(text.contains("Content-Type: multipart/alternative;"), "{text}");
    }

    #[test]
    fn an_address_that_is_none_is_an_error_and_not_a_header() {
        let from: Mailbox = "patctl@example.com".parse().expect("an address");
        for to in ["a@x\r\nBcc: b@x", "a@x, b@x", "", "a b@x", "a@x>\r\nRCPT TO:<b@x"] {
            let notice = Notice { recipient: to.to_owned(), ..notice(Kind::Created, "ci") };
            assert!(Letter::new(&[(1, &notice)], &from).message(notice.at).is_err(), "{to:?}");
        }
    }

    #[test]
    fn a_clock_outside_the_calendar_of_mails_is_no_panic() {
        let from: Mailbox = "patctl@example.com".parse().expect("an address");
        for now in [i128::MIN, -1, 0, i128::MAX] {
            let letter = Letter::new(&[(1, &notice(Kind::Created, "ci"))], &from);
            assert!(letter.message(Moment::clamped(now)).is_ok(), "{now}");
        }
    }

    proptest! {
        /// Whatever a name holds, the header has the fields it should have and no other, and the body two parts.
        #[test]
        fn a_name_adds_no_header_and_no_part(name in "(\\PC|[\r\n\t\0 \u{202e}=:<>]){0,80}") {
            let text = formatted(&notice(Kind::Created, &name));
            let (head, body) = text.split_once("\r\n\r\n").expect("a header and a body");
            let fields: Vec<&str> = head
                .split("\r\n")
                .filter(|line| !line.starts_with([' ', '\t']))
                .map(|line| line.split(':').next().expect("a name"))
                .collect();
            prop_assert_eq!(
                fields,
                ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
            );
            prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\0']));
            prop_assert_eq!(body.matches("\r\nContent-Type: ").count(), 2);
            prop_assert!(text.lines().all(|line| line.len() <= 998));
        }
    }
}
