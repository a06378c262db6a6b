//! Mails about tokens: what they are about, to whom they go, and by which way.

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
    /// To whom a mail about a token goes: the first that is an address of where its mails were asked
    /// to go, its e-mail, and the template of the installation. `None`: nobody.
    #[must_use]
    pub fn recipient(
        &self,
        notify_to: Option<&str>,
        email: Option<&str>,
        user: Option<&str>,
    ) -> Option<Mailbox> {
        let template = || {
            let to = self.to.as_deref()?;
            let has_place = to.contains("{user}");
            // A token that is anybody's has no name to put there.
            let filled = if has_place { to.replace("{user}", user?) } else { to.to_owned() };
            filled.parse().ok()
        };
        let given = |text: Option<&str>| text.and_then(|text| text.parse().ok());
        given(notify_to).or_else(|| given(email)).or_else(template)
    }
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
        let to = |notify, email, user| notices.recipient(notify, email, user).map(|m| m.0);
        assert_eq!(to(Some("n@x"), Some("e@x"), Some("u")).as_deref(), Some("n@x"));
        assert_eq!(to(None, Some("e@x"), Some("u")).as_deref(), Some("e@x"));
        assert_eq!(to(None, None, Some("u")).as_deref(), Some("u@example.com"));
        assert_eq!(to(None, None, None), None, "a template with a place, and nobody to put there");
        assert_eq!(to(None, None, Some("Bob Smith")), None);
        assert_eq!(to(None, None, Some("a@b")), None, "two @");
        assert_eq!(to(Some("no address"), Some("e@x"), None).as_deref(), Some("e@x"));
        let fixed = Notices { to: Some("ops@example.com".to_owned()), ..Notices::default() };
        assert_eq!(fixed.recipient(None, None, None).map(|m| m.0).as_deref(), Some("ops@example.com"));
        assert_eq!(Notices::default().recipient(None, None, Some("u")), None);
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
