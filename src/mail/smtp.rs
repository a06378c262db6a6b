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
use crate::domain::notice::Route;
use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials as Login, Mechanism};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use std::time::Duration;

/// A mail server; the connection is kept from one mail to the next.
pub struct Smtp {
    host: String,
    port: u16,
    wrapped: bool,
    local: bool,
    credentials: Option<Credentials>,
    patience: Duration,
    open: Option<SmtpConnection>,
}

/// Why a conversation ended before the mail was taken.
enum Stop {
    /// The server said no.
    Refused(String),
    /// The connection broke before the mail was handed over.
    Broken(String),
    /// The connection broke when the mail, or part of it, was handed over.
    Uncertain(String),
}

impl Smtp {
    /// The server of a route; `None` where it leads to none. No step takes longer than `patience`.
    #[must_use]
    pub fn new(route: &Route, credentials: Option<Credentials>, patience: Duration) -> Option<Self> {
        let local = route.is_local();
        let Route::Smtp { host, port, wrapped } = route.clone() else { return None };
        Some(Self { host, port, wrapped, local, credentials, patience, open: None })
    }

    fn connect(&self) -> Result<SmtpConnection, String> {
        let place = format!("{}:{}", self.host, self.port);
        let failed = |e: Error| format!("{place}: {}", told(&e));
        let tls = || TlsParameters::new(self.host.clone());
        let hello = ClientId::default();
        let wrapped = if self.wrapped { Some(tls().map_err(failed)?) } else { None };
        let at = super::host::addresses(&self.host, self.port).map_err(|e| format!("{place}: {e}"))?;
        let mut connection =
            SmtpConnection::connect(at.as_slice(), Some(self.patience), &hello, wrapped.as_ref(), None)
                .map_err(failed)?;
        if !self.local && connection.can_starttls() {
            connection.starttls(&tls().map_err(failed)?, &hello).map_err(failed)?;
        }
        if let Some(Credentials { user, password }) = &self.credentials {
            if !self.local && !connection.is_encrypted() {
                return Err(format!("{place} offers no TLS, and credentials are never sent in the clear"));
            }
            // Not what the server says: it might repeat what it was sent.
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &Login::new(user.clone(), password.to_string()))
                .map_err(|e| match e.status() {
                    Some(code) => format!("{place} does not accept the credentials ({code})"),
                    None => failed(e),
                })?;
        }
        Ok(connection)
    }

    /// One mail; a connection from an earlier mail may have been closed meanwhile, and is made anew once.
    fn converse(&mut self, message: &Message) -> Result<(), Stop> {
        let kept = self.open.take();
        let was_kept = kept.is_some();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.connect().map_err(Stop::Broken)?,
        };
        let result = speak(&mut connection, message);
        match &result {
            Ok(()) => self.open = Some(connection),
            Err(Stop::Refused(_)) => {
                if connection.command(Rset).is_ok() {
                    self.open = Some(connection);
                }
            }
            Err(Stop::Broken(_)) if was_kept => return self.converse(message),
            Err(Stop::Broken(_) | Stop::Uncertain(_)) => {}
        }
        result
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
    let before = |e: Error| match e.status() {
        // 421: the server is going away, whatever it was asked.
        Some(code) if code.to_string() != "421" => Stop::Refused(told(&e)),
        _ => Stop::Broken(told(&e)),
    };
    connection.command(Mail::new(envelope.from().cloned(), options)).map_err(before)?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).map_err(before)?;
    }
    // To the number: an answer that somebody slipped in before TLS began would shift all that follow.
    if !connection.command(Data).map_err(before)?.has_code(354) {
        return Err(Stop::Broken("the mail server answers something else than it was asked".to_owned()));
    }
    // From here on only an answer can tell.
    match connection.message(&bytes) {
        Ok(answer) if answer.has_code(250) => Ok(()),
        Ok(answer) => Err(Stop::Uncertain(format!("the mail server answers {}", answer.code()))),
        Err(e) if e.status().is_some() => Err(Stop::Refused(told(&e))),
        Err(e) => Err(Stop::Uncertain(told(&e))),
    }
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
            Err(why) => return Delivery::Refused(why),
        };
        match self.converse(&message) {
            Ok(()) => Delivery::Sent,
            Err(Stop::Refused(why)) => Delivery::Refused(why),
            Err(Stop::Broken(why)) => Delivery::Unreachable(why),
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
