//! `patctl notify`: from cron. Silent when all is well; a mail that fails ends nothing, and is told.

use super::context::Context;
use super::stdout_failed;
use crate::cli::{Format, Notify};
use crate::config::Settings;
use crate::domain::notice::{Mailbox, Notice, Route};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::mail::{Courier, Credentials, CredentialsError, Delivery, PATIENCE, Sendmail, Smtp, Words};
use crate::output::text;
use crate::service::notify::{self, Tried};
use crate::store::outbox::Posted;
use crate::wire::Instant;
use crate::wire::notices::{Mail, Notified};
use std::io;
use std::path::Path;

/// Mails that failed and are told one by one.
const SHOWN: usize = 3;

pub fn run(args: &Notify, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let actor = (cx.actor)();
    let act = cx.act(&policy, &actor);
    if args.dry_run {
        let store = cx.open(&settings)?;
        let mails = notify::preview(&store, &act)?;
        preview(cx, &mails, policy.notices.off).map_err(stdout_failed)?;
        return Ok(Exit::Yes);
    }
    // Asked before anything is noted: a token has its turn once.
    let way =
        if policy.notices.off { None } else { Some(way_out(cx, &settings, policy.notices.route.as_ref())?) };
    let mut store = cx.open(&settings)?;
    notify::find(&mut store, &act)?;
    let mut run = Run::default();
    match way {
        None => run.dropped = notify::drop_all(&mut store)?,
        Some((from, mut courier)) => {
            let mut each = |posted: &Posted, tried: &Tried| run.note(posted, tried);
            run.waiting = notify::send(&mut store, &act, &from, courier.as_mut(), &mut each)?;
        }
    }
    notify::forget(&mut store, &act)?;
    run.answer(cx).map_err(stdout_failed)?;
    match run.failure() {
        Some(failure) => {
            cx.screen.fail(&failure);
            Ok(Exit::Io)
        }
        None => Ok(Exit::Yes),
    }
}

/// What a run did.
#[derive(Default)]
struct Run {
    tried: Vec<(Notice, Tried)>,
    dropped: u64,
    waiting: u64,
}

impl Run {
    fn note(&mut self, posted: &Posted, tried: &Tried) {
        self.tried.push((posted.notice.clone(), tried.clone()));
    }

    fn count(&self, wanted: &str) -> u64 {
        self.tried.iter().filter(|(_, tried)| state(tried) == wanted).count() as u64
    }

    fn answer(&self, cx: &mut Context<'_>) -> io::Result<()> {
        let mails = || self.tried.iter().map(|(notice, tried)| mail(notice, state(tried), why(tried)));
        match cx.screen.format() {
            Format::Json => cx.screen.json(&Notified {
                dry_run: false,
                sent: self.count("sent"),
                refused: self.count("refused"),
                uncertain: self.count("uncertain"),
                dropped: self.count("dropped") + self.dropped,
                waiting: self.waiting,
                mails: mails().collect(),
            }),
            Format::Jsonl => mails().try_for_each(|mail| cx.screen.json(&mail)),
            _ => {
                // Cron hears nothing.
                if cx.screen.talks_to_a_person() {
                    cx.screen.say(&format!("{} sent", count(self.count("sent"))));
                }
                Ok(())
            }
        }
    }

    /// What a person must be told of: every mail that failed, in one message.
    fn failure(&self) -> Option<Failure> {
        let failed: Vec<&(Notice, Tried)> =
            self.tried.iter().filter(|(_, tried)| state(tried) != "sent").collect();
        if failed.is_empty() {
            return None;
        }
        let mut told: Vec<String> = failed
            .iter()
            .take(SHOWN)
            .map(|(notice, tried)| {
                format!("to {} ({}): {}", notice.recipient, state(tried), why(tried).unwrap_or_default())
            })
            .collect();
        if failed.len() > SHOWN {
            told.push(format!("and {} more", failed.len() - SHOWN));
        }
        let waiting = match self.waiting {
            0 => String::new(),
            waiting => format!("; {} not tried", count(waiting)),
        };
        let message = format!("{} failed{waiting}: {}", count(failed.len() as u64), told.join("; "));
        let hint = match (self.count("refused"), self.count("uncertain")) {
            (_, 1..) => {
                "what is uncertain may have arrived and is not sent again; the rest is tried again next time"
            }
            (1.., 0) => "they are tried again next time",
            (0, 0) => "they are not tried again",
        };
        Some(Failure::new(Exit::Io, "mail", message).hint(hint))
    }
}

fn state(tried: &Tried) -> &'static str {
    match tried {
        Tried::Delivered(Delivery::Sent) => "sent",
        Tried::Delivered(Delivery::Refused(_) | Delivery::Unreachable(_)) => "refused",
        Tried::Delivered(Delivery::Uncertain(_)) => "uncertain",
        Tried::GivenUp => "dropped",
    }
}

fn why(tried: &Tried) -> Option<&str> {
    match tried {
        Tried::Delivered(delivery) => delivery.why(),
        Tried::GivenUp => Some("it was refused for seven days"),
    }
}

fn mail<'a>(notice: &'a Notice, state: &'static str, error: Option<&'a str>) -> Mail<'a> {
    let Words { subject, text, html } = Words::of(notice);
    Mail {
        kind: notice.kind.as_str(),
        token_id: &notice.token_id,
        name: &notice.name,
        user: notice.user.as_deref(),
        expires_at: notice.expires_at.map(Instant),
        recipient: &notice.recipient,
        subject,
        text,
        html,
        state,
        error,
    }
}

fn count(mails: u64) -> String {
    if mails == 1 { "1 mail".to_owned() } else { format!("{mails} mails") }
}

/// The mails themselves, and nothing is changed.
fn preview(cx: &mut Context<'_>, notices: &[Notice], off: bool) -> io::Result<()> {
    let mails = || notices.iter().map(|notice| mail(notice, "pending", None));
    match cx.screen.format() {
        Format::Json => {
            let waiting = notices.len() as u64;
            cx.screen.json(&Notified {
                dry_run: true,
                waiting,
                mails: mails().collect(),
                ..Notified::default()
            })?;
        }
        Format::Jsonl => mails().try_for_each(|mail| cx.screen.json(&mail))?,
        _ => {
            for (index, mail) in mails().enumerate() {
                if index > 0 {
                    cx.screen.line("")?;
                }
                let head = format!("To: {}\nSubject: {}\n\n{}", mail.recipient, mail.subject, mail.text);
                head.trim_end().lines().try_for_each(|line| cx.screen.line(&text::safe(line)))?;
            }
            let why = if off { " (atlassian.pats.mail.notifications.enabled = false)" } else { "" };
            cx.screen.say(&format!("{} would be sent{why}", count(notices.len() as u64)));
        }
    }
    Ok(())
}

/// The sender and the way out.
fn way_out(
    cx: &Context<'_>,
    settings: &Settings,
    route: Option<&Route>,
) -> Result<(Mailbox, Box<dyn Courier>), Failure> {
    let config = |message: &str| Failure::new(Exit::Config, "config", message);
    let route = route.ok_or_else(|| {
        config("mails have no way out: patctl.mail.transport is not set").hint(
            "set it to sendmail, smtp://host or smtps://host, or switch mails off with \
             atlassian.pats.mail.notifications.enabled = false",
        )
    })?;
    let from = settings.mail_from().ok_or_else(|| {
        config("mails have no sender: patctl.mail.from is not set to an address")
            .hint("for example patctl@example.com")
    })?;
    let credentials = settings.mail_credentials().map(|path| credentials(&path)).transpose()?;
    if let Some(smtp) = Smtp::new(route, credentials, PATIENCE) {
        return Ok((from, Box::new(smtp)));
    }
    let sendmail = Sendmail::find((cx.env)("PATH").as_deref(), PATIENCE).ok_or_else(|| {
        config("there is no program 'sendmail' on PATH, in /usr/sbin or in /usr/lib")
            .hint("install a mail system, or name a server: patctl.mail.transport = smtp://host")
    })?;
    Ok((from, Box::new(sendmail)))
}

fn credentials(path: &Path) -> Result<Credentials, Failure> {
    let name = path.display();
    Credentials::read(path).map_err(|error| match error {
        CredentialsError::Io(e) => Failure::new(Exit::Config, "config", format!("credentials {name}: {e}"))
            .hint("patctl.mail.credentials.file names the file"),
        CredentialsError::Exposed(mode) => Failure::new(
            Exit::Permission,
            "permission",
            format!("credentials {name}: others than its owner can use it (mode {mode:04o})"),
        )
        .hint("chmod 600 it, and change the password if others may have read it"),
        CredentialsError::Shape => Failure::new(
            Exit::Config,
            "config",
            format!("credentials {name}: it is not one line user:password"),
        )
        .hint("patctl.mail.credentials.file names the file"),
    })
}
