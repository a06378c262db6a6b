//! Mails about tokens: what they are about, to whom they go, and by which way.

mod frame;
pub mod recipients;

pub use frame::frame;
pub use recipients::{Recipients, RecipientsError};

use super::moment::Moment;
use std::fmt;
use std::str::FromStr;

/// What a mail is about: the five of the original.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A token was made.
    Created,
    /// A token was taken back.
    Revoked,
    /// A token that had ended was deleted.
    Pruned,
    /// A token ends within `atlassian.pats.expiry.warning.days`.
    ExpiresSoon,
    /// A token ended.
    Expired,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Created, Self::Revoked, Self::Pruned, Self::ExpiresSoon, Self::Expired];

    /// The word for it in JSON and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Revoked => "revoked",
            Self::Pruned => "pruned",
            Self::ExpiresSoon => "expires-soon",
            Self::Expired => "expired",
        }
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|k| k.as_str() == text).ok_or(())
    }
}

/// A mail to be sent: everything it will say, fixed when its cause was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// When its cause was.
    pub at: Moment,
    /// What it is about.
    pub kind: Kind,
    /// The public name of the token.
    pub token_id: String,
    /// What the token was called then.
    pub name: String,
    /// Whose it was; `None` is anybody's.
    pub user: Option<String>,
    /// When it ends or ended; `None` is never.
    pub expires_at: Option<Moment>,
    /// To whom.
    pub recipient: String,
}

/// An address that a mail can be sent to. Stricter than what Basic accepts as a user name: no quoted
/// parts, no routes (`%`, `!`), no pipes, nothing that a mail program could take for an option.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailbox(String);

/// The text is no address that a mail can be sent to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoMailbox;

impl Mailbox {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the `@`.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, host)| host)
    }
}

impl FromStr for Mailbox {
    type Err = NoMailbox;

    fn from_str(text: &str) -> Result<Self, NoMailbox> {
        let (name, host) = text.split_once('@').ok_or(NoMailbox)?;
        let letters = |part: &str| part.chars().all(|c| c.is_alphanumeric() || "._+-='&~#".contains(c));
        let named = name.len() <= 64
            && letters(name)
            && !name.starts_with('-')
            && name.split('.').all(|part| !part.is_empty());
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let fits = text.len() <= 254 && named && host.split('.').all(label);
        if fits { Ok(Self(text.to_owned())) } else { Err(NoMailbox) }
    }
}

/// What stands for the user in `patctl.mail.to`.
pub const PLACE: &str = "{user}";

/// What an installation says about mails.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notices {
    /// `atlassian.pats.mail.notifications.enabled = false`
    pub off: bool,
    /// `patctl.mail.transport`
    pub route: Option<Route>,
    /// `patctl.mail.to`
    pub to: Option<String>,
}

impl Notices {
    /// Where mails about a token go: its `--notify-to`, else its e-mail, else `patctl.mail.to`. Empty if none of them
    /// is an address that a mail can be sent to.
    #[must_use]
    pub fn recipients(
        &self,
        notify_to: Option<&str>,
        email: Option<&str>,
        user: Option<&str>,
    ) -> Vec<Mailbox> {
        let given = |text: Option<&str>| text.map(recipients::usable).filter(|list| !list.is_empty());
        given(notify_to).or_else(|| given(email)).unwrap_or_else(|| self.by_template(user))
    }

    /// The addresses of `patctl.mail.to`. The template is split before the user is filled in, so that a comma in a
    /// user name cannot add an address.
    fn by_template(&self, user: Option<&str>) -> Vec<Mailbox> {
        let mut all: Vec<Mailbox> = Vec::new();
        for part in self.to.as_deref().unwrap_or_default().split(',').map(str::trim) {
            let filled = match user {
                Some(user) => part.replace(PLACE, user),
                None if part.contains(PLACE) => continue,
                None => part.to_owned(),
            };
            if let Ok(mailbox) = filled.parse()
                && !all.contains(&mailbox)
            {
                all.push(mailbox);
            }
        }
        all
    }
}

/// Whether a text can be given as the name in EHLO: a host name in ASCII, or an address in brackets.
#[must_use]
pub fn is_hello(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match address.strip_prefix("IPv6:") {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => address.parse::<std::net::Ipv4Addr>().is_ok(),
        };
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// How mails leave the machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Route {
    /// The program of that name.
    Sendmail,
    /// A server.
    Smtp {
        /// Its name or address, without brackets.
        host: String,
        /// Its port.
        port: u16,
        /// Whether TLS begins with the connection (`smtps://`), and not by STARTTLS or not at all.
        wrapped: bool,
    },
}

/// The text is no way to send mails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoRoute;

impl Route {
    /// Whether mails leave by way of this very machine, so that nobody can listen on the wire.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Sendmail => true,
            Self::Smtp { host, .. } => {
                host.eq_ignore_ascii_case("localhost")
                    || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }
}

impl FromStr for Route {
    type Err = NoRoute;

    fn from_str(text: &str) -> Result<Self, NoRoute> {
        if text == "sendmail" {
            return Ok(Self::Sendmail);
        }
        let (place, wrapped, default) = match (text.strip_prefix("smtp://"), text.strip_prefix("smtps://")) {
            (Some(place), _) => (place, false, 25),
            (_, Some(place)) => (place, true, 465),
            (None, None) => return Err(NoRoute),
        };
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, rest)) => {
                address.parse::<std::net::Ipv6Addr>().map_err(|_| NoRoute)?;
                (address, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or(NoRoute)?) })
            }
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let named = |c: char| c.is_ascii_alphanumeric() || "-.:_".contains(c);
        let port = match port {
            None => default,
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => port.parse().map_err(|_| NoRoute)?,
            Some(_) => return Err(NoRoute),
        };
        if host.is_empty() || host.starts_with(['-', '.']) || !host.chars().all(named) || port == 0 {
            return Err(NoRoute);
        }
        Ok(Self::Smtp { host: host.to_owned(), port, wrapped })
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sendmail => f.write_str("sendmail"),
            Self::Smtp { host, port, wrapped } => {
                let scheme = if *wrapped { "smtps" } else { "smtp" };
                let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
                write!(f, "{scheme}://{open}{host}{close}:{port}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_and_leads_nowhere_else() {
        let long = format!("{}@x", "a".repeat(65));
        for good in
            ["alice@example.com", "a.b+c=d@x", "=cmd@x", "o'neil@a-b.example", "jürgen@bücher.example"]
        {
            assert!(good.parse::<Mailbox>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "@x",
            "a@",
            "a@b@c",
            "a b@x",
            "a\r\nBcc: b@x",
            "a@x\n",
            "a,b@x",
            "<a@x>",
            "-oQ@x",
            ".a@x",
            "a.@x",
            "a..b@x",
            "a@-x",
            "a@x-",
            "a@x..y",
            "a@x.",
            "\"a b\"@x",
            "a%b@x",
            "a!b@x",
            "|sh@x",
            "/etc/x@y",
            "a@[1.2.3.4]",
            "a;b@x",
            "a(b)@x",
            &long,
        ] {
            assert_eq!(bad.parse::<Mailbox>(), Err(NoMailbox), "{bad}");
        }
        assert_eq!("a@b.example".parse::<Mailbox>().map(|m| m.host().to_owned()), Ok("b.example".to_owned()));
    }

    #[test]
    fn the_first_address_there_is_gets_the_mail() {
        let notices = Notices { to: Some("{user}@example.com".to_owned()), ..Notices::default() };
        let all = |notices: &Notices, notify, email, user| {
            let list = notices.recipients(notify, email, user);
            list.iter().map(Mailbox::as_str).collect::<Vec<_>>().join(" ")
        };
        let to = |notify, email, user| all(&notices, notify, email, user);
        assert_eq!(to(Some("n@x"), Some("e@x"), Some("u")), "n@x");
        assert_eq!(to(Some("n@x,m@y"), Some("e@x"), Some("u")), "n@x m@y");
        assert_eq!(to(None, Some("e@x"), Some("u")), "e@x");
        assert_eq!(to(None, None, Some("u")), "u@example.com");
        assert_eq!(to(None, None, None), "", "a template with a place, and no user to put there");
        assert_eq!(to(None, None, Some("Bob Smith")), "");
        assert_eq!(to(None, None, Some("a@b")), "", "two @");
        assert_eq!(to(None, None, Some("eve@x,u")), "", "a comma in a user name adds no address");
        assert_eq!(to(Some("no address"), Some("e@x"), None), "e@x");
        let both =
            Notices { to: Some("{user}@example.com, ops@example.com".to_owned()), ..Notices::default() };
        assert_eq!(all(&both, None, None, Some("u")), "u@example.com ops@example.com");
        assert_eq!(all(&both, None, None, None), "ops@example.com");
        assert_eq!(all(&Notices::default(), None, None, Some("u")), "");
    }

    #[test]
    fn a_hello_is_a_host_name_or_an_address_literal() {
        for good in ["mail.example.com", "mx", "[192.0.2.1]", "[IPv6:2001:db8::1]"] {
            assert!(is_hello(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "a..b",
            "a b",
            "a\r\nMAIL",
            "-a.b",
            "a_b.c",
            "[x]",
            "[::1]",
            "192.0.2.1]",
            "bücher.example",
        ] {
            assert!(!is_hello(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_route_is_read_and_printed_with_its_port() {
        let read = |text: &str| text.parse::<Route>().map(|route| route.to_string());
        for (text, full) in [
            ("sendmail", "sendmail"),
            ("smtp://mail.example.com", "smtp://mail.example.com:25"),
            ("smtps://mail.example.com", "smtps://mail.example.com:465"),
            ("smtp://127.0.0.1:2525", "smtp://127.0.0.1:2525"),
            ("smtp://[::1]:587", "smtp://[::1]:587"),
            ("smtps://[::1]", "smtps://[::1]:465"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(full), "{text}");
        }
        for bad in [
            "",
            "Sendmail",
            "smtp://",
            "smtp://:25",
            "smtp://a:",
            "smtp://a:0",
            "smtp://a:65536",
            "smtp://a:+1",
            "smtp://a/",
            "smtp://u:p@a",
            "smtp://u@a:25",
            "smtp://a b",
            "smtp://[::1]x",
            "smtp://[a]",
            "smtp://-a",
            "http://a",
        ] {
            assert_eq!(read(bad), Err(NoRoute), "{bad}");
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        let local = |text: &str| text.parse::<Route>().is_ok_and(|route| route.is_local());
        for here in
            ["sendmail", "smtp://localhost", "smtp://127.0.0.1:25", "smtp://127.1.2.3", "smtp://[::1]"]
        {
            assert!(local(here), "{here}");
        }
        for there in ["smtp://localhost.example.com", "smtp://10.0.0.1", "smtps://mail"] {
            assert!(!local(there), "{there}");
        }
    }
}
