//! A mail server, spoken to step by step.
//!
//! What is protected, and how: `smtps://` is TLS from the first byte. With `smtp://` TLS begins by
//! STARTTLS wherever the server offers it. In both a certificate that does not verify against the
//! system's authorities ends the attempt; it is never a reason to go on without. A server that offers
//! no TLS gets the mail in the clear (no notice holds a secret), but never credentials. On this very
//! machine (`localhost`, 127.0.0.0/8, `::1`) `smtp://` is plain: there is no wire, and the
//! certificates that relays there make for themselves verify nowhere.

use super::{Courier, Credentials, Delivery, Letter};
use crate::domain::moment::Moment;
use crate::domain::notice::{Mailbox, Route, is_hello};
use crate::files::is_exhaustion;
use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials as Login, Mechanism};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

/// A mail server; the connection is kept from one mail to the next.
pub struct Smtp {
    host: String,
    port: u16,
    wrapped: bool,
    local: bool,
    credentials: Option<Credentials>,
    patience: Duration,
    hello: ClientId,
    open: Option<SmtpConnection>,
    /// Recipients in a row that were refused for now on a new connection.
    refusals: u32,
}

/// After so many of them the server is left alone until the next run.
const MOST_REFUSALS: u32 = 3;

/// Why a conversation ended before the mail was taken.
enum Stop {
    /// The server refuses this recipient or this mail for now.
    Refused(String),
    /// The server refuses this recipient for now, perhaps because this connection has carried enough mails.
    Busy(String),
    /// The server refuses this recipient or this mail for good.
    Rejected(String),
    /// The connection broke before the mail was handed over.
    Broken(String),
    /// There is no connection, because this machine has too little left for one.
    Lacking(String),
    /// The connection broke when the mail, or part of it, was handed over.
    Uncertain(String),
}

impl Smtp {
    /// The server of a route; `None` where it leads to none. No step takes longer than `patience`.
    #[must_use]
    pub fn new(route: &Route, credentials: Option<Credentials>, patience: Duration) -> Option<Self> {
        let local = route.is_local();
        let Route::Smtp { host, port, wrapped } = route.clone() else { return None };
        let hello = ClientId::default();
        Some(Self { host, port, wrapped, local, credentials, patience, hello, open: None, refusals: 0 })
    }

    /// Introduces itself as `name`. Without one it uses the host's name if that has a dot, else the domain of the sender:
    /// strict servers refuse a name such as `3f2a1b9c0d4e`, which a container has.
    #[must_use]
    pub fn introduced(mut self, name: Option<&str>, from: &Mailbox) -> Self {
        let of_host = self.hello.to_string();
        let has_dot = of_host.contains('.') && is_hello(&of_host);
        if let Some(name) = name.or_else(|| Some(from.host()).filter(|host| !has_dot && is_hello(host))) {
            self.hello = client_id(name);
        }
        self
    }

    fn connect(&self) -> Result<SmtpConnection, Stop> {
        let place = format!("{}:{}", self.host, self.port);
        let failed = |e: Error| {
            let stop = if lacks(&e) { Stop::Lacking } else { Stop::Broken };
            stop(format!("{place}: {}", told(&e)))
        };
        let tls = || TlsParameters::new(self.host.clone());
        let hello = &self.hello;
        let wrapped = if self.wrapped { Some(tls().map_err(failed)?) } else { None };
        let at = super::host::addresses(&self.host, self.port).map_err(|e| {
            let stop = if is_exhaustion(&e) { Stop::Lacking } else { Stop::Broken };
            stop(format!("{place}: {e}"))
        })?;
        let mut connection =
            SmtpConnection::connect(at.as_slice(), Some(self.patience), hello, wrapped.as_ref(), None)
                .map_err(failed)?;
        if !self.local && connection.can_starttls() {
            connection.starttls(&tls().map_err(failed)?, hello).map_err(failed)?;
        }
        if let Some(Credentials { user, password }) = &self.credentials {
            if !self.local && !connection.is_encrypted() {
                let why = format!("{place} offers no TLS, and credentials are never sent in the clear");
                return Err(Stop::Broken(why));
            }
            // Not what the server says: it might repeat what it was sent.
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &Login::new(user.clone(), password.to_string()))
                .map_err(|e| match e.status() {
                    Some(code) => Stop::Broken(format!("{place} does not accept the credentials ({code})")),
                    None => failed(e),
                })?;
        }
        Ok(connection)
    }

    /// Sends one mail. A connection that carried an earlier mail may have been closed since, or the server may take no
    /// more mails on it; then the mail is tried once more on a new connection.
    fn converse(&mut self, message: &Message) -> Result<(), Stop> {
        let kept = self.open.take();
        let was_kept = kept.is_some();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let result = speak(&mut connection, message);
        match &result {
            Ok(()) => self.open = Some(connection),
            Err(Stop::Busy(_)) if was_kept => {
                // Politeness only: the mail has its answer.
                let _ = connection.quit();
                return self.converse(message);
            }
            Err(Stop::Refused(_) | Stop::Rejected(_) | Stop::Busy(_)) => {
                if connection.command(Rset).is_ok() {
                    self.open = Some(connection);
                }
            }
            Err(Stop::Broken(_)) if was_kept => return self.converse(message),
            Err(Stop::Broken(_) | Stop::Lacking(_) | Stop::Uncertain(_)) => {}
        }
        result
    }
}

fn client_id(name: &str) -> ClientId {
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match address.map(|text| text.strip_prefix("IPv6:").unwrap_or(text).parse()) {
        Some(Ok(IpAddr::V4(address))) => ClientId::Ipv4(address),
        Some(Ok(IpAddr::V6(address))) => ClientId::Ipv6(address),
        _ => ClientId::Domain(name.to_owned()),
    }
}

fn speak(connection: &mut SmtpConnection, message: &Message) -> Result<(), Stop> {
    let bytes = message.formatted();
    let envelope = message.envelope();
    let mut options = Vec::new();
    if envelope.from().into_iter().chain(envelope.to()).any(|address| !address.to_string().is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Stop::Refused("the mail server takes no address with such letters".to_owned()));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !bytes.is_ascii() {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    // What is wrong with the sender or the server is wrong with every mail.
    let before = |e: Error| Stop::Broken(told(&e));
    connection.command(Mail::new(envelope.from().cloned(), options)).map_err(before)?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).map_err(|e| of_recipient(&e))?;
    }
    // To the number: an answer that somebody slipped in before TLS began would shift all that follow.
    if !connection.command(Data).map_err(|e| of_recipient(&e))?.has_code(354) {
        return Err(Stop::Broken("the mail server answers something else than it was asked".to_owned()));
    }
    // From here on only an answer can tell.
    match connection.message(&bytes) {
        Ok(answer) if answer.has_code(250) => Ok(()),
        Ok(answer) => Err(Stop::Uncertain(format!("the mail server answers {}", answer.code()))),
        Err(e) => Err(match class(&e) {
            Some(5) => Stop::Rejected(told(&e)),
            Some(_) => Stop::Refused(told(&e)),
            None => Stop::Uncertain(told(&e)),
        }),
    }
}

/// The first digit of the server's answer; `None` if there was none.
fn class(error: &Error) -> Option<u32> {
    error.status().and_then(|code| code.to_string().chars().next()?.to_digit(10))
}

/// What an answer to RCPT or DATA says of this recipient.
fn of_recipient(error: &Error) -> Stop {
    let (code, why) = (error.status().map(|code| code.to_string()).unwrap_or_default(), told(error));
    // About the client and not about the recipient: its name, its order of commands, its credentials. Many servers
    // say so only at RCPT. The next recipient would be refused, too, and each will be taken once this is corrected.
    let of_client = ["500", "501", "502", "503", "504", "521", "530", "534", "535", "538"];
    match class(error) {
        // 421: the server closes the connection, whatever it was asked.
        Some(4) if code != "421" => Stop::Busy(why),
        Some(5) if of_client.contains(&code.as_str()) => Stop::Broken(why),
        Some(5) => Stop::Rejected(why),
        _ => Stop::Broken(why),
    }
}

/// Whether this machine had too little left. A server that is waited for in vain is told by a number of those, too.
fn lacks(error: &Error) -> bool {
    let causes = std::iter::successors(error.source(), |error| StdError::source(*error));
    causes
        .filter_map(<dyn StdError>::downcast_ref::<io::Error>)
        .any(|error| error.kind() != io::ErrorKind::WouldBlock && is_exhaustion(error))
}

/// An error in one line.
fn told(error: &Error) -> String {
    let text = error.to_string();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

impl Courier for Smtp {
    fn deliver(&mut self, letter: &Letter, now: Moment) -> Delivery {
        let message = match letter.message(now) {
            Ok(message) => message,
            Err(why) => return Delivery::Rejected(why),
        };
        let result = self.converse(&message);
        self.refusals = if matches!(result, Err(Stop::Busy(_))) { self.refusals + 1 } else { 0 };
        match result {
            Ok(()) => Delivery::Sent,
            Err(Stop::Busy(why)) if self.refusals >= MOST_REFUSALS => Delivery::Unreachable(why),
            Err(Stop::Refused(why) | Stop::Busy(why)) => Delivery::Refused(why),
            Err(Stop::Rejected(why)) => Delivery::Rejected(why),
            Err(Stop::Broken(why)) => Delivery::Unreachable(why),
            Err(Stop::Lacking(why)) => Delivery::Unasked(why),
            Err(Stop::Uncertain(why)) => Delivery::Uncertain(why),
        }
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        if let Some(mut connection) = self.open.take() {
            // Politeness only: every mail has its answer.
            let _ = connection.quit();
        }
    }
}
