//! `patctl notify`: run from cron. Silent on success; a mail that fails is reported and does not stop the others.

use super::context::Context;
use super::stdout_failed;
use crate::cli::{Format, Notify};
use crate::config::Settings;
use crate::domain::notice::{Kind, Mailbox, Notice, Route};
use crate::domain::pat::Pat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::mail::{Courier, Credentials, CredentialsError, Delivery, PATIENCE, Sendmail, Smtp, Words};
use crate::output::text;
use crate::service::notify::{self, Tried, Unaddressed};
use crate::store::outbox::Posted;
use crate::wire::Instant;
use crate::wire::notices::{Mail, Notified, Told};
use std::io;
use std::path::Path;

/// Mails that failed and are told one by one.
const SHOWN: usize = 3;

/// Tokens without an address that a message names.
const NAMED: usize = 10;

pub fn run(args: &Notify, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let actor = cx.actor()?;
    let act = cx.act(&policy, &actor);
    if args.dry_run {
        let store = cx.look(&settings)?;
        cx.judged_at(&store)?;
        let (mails, unaddressed) = notify::preview(&store, &act)?;
        preview(cx, &mails, &unaddressed, policy.notices.off).map_err(stdout_failed)?;
        return Ok(complain(cx, &unaddressed, None));
    }
    // Asked before anything is noted: a token has its turn once.
    let way =
        if policy.notices.off { None } else { Some(way_out(cx, &settings, policy.notices.route.as_ref())?) };
    let mut store = cx.open(&settings)?;
    // A mail that says a wrong thing cannot be taken back.
    cx.judged_at(&store)?;
    let mut run = Run { unaddressed: notify::find(&mut store, &act)?, ..Run::default() };
    match way {
        None => run.dropped = notify::drop_all(&mut store)?,
        Some((from, mut courier)) => {
            let mut each = |posted: &[Posted], tried: &Tried| run.note(posted, tried);
            run.waiting = notify::send(&mut store, &act, &from, courier.as_mut(), &mut each)?;
        }
    }
    notify::forget(&mut store, &act)?;
    run.answer(cx).map_err(stdout_failed)?;
    let failure = run.failure();
    Ok(complain(cx, &run.unaddressed, failure))
}

/// Reports mails that failed and tokens without an address, and answers the status.
fn complain(cx: &mut Context<'_>, unaddressed: &Unaddressed, failure: Option<Failure>) -> Exit {
    let mut exit = Exit::Yes;
    if unaddressed.count > 0 {
        cx.screen.fail(&no_address(unaddressed));
        exit = Exit::No;
    }
    if let Some(failure) = failure {
        cx.screen.fail(&failure);
        exit = failure.exit;
    }
    exit
}

/// `2 tokens have no address to notify: 7k3m9xq2v8 (alice), 01abcdefgh (bob)`.
fn no_address(unaddressed: &Unaddressed) -> Failure {
    let one = |(_, pat): &(Kind, Pat)| format!("{} ({})", pat.id, pat.user.as_deref().unwrap_or("any user"));
    let mut first: Vec<String> = unaddressed.first.iter().take(NAMED).map(one).collect();
    let count = unaddressed.count;
    if count > NAMED as u64 {
        first.push(format!("and {} more", count - NAMED as u64));
    }
    let have = if count == 1 { "1 token has".to_owned() } else { format!("{count} tokens have") };
    Failure::new(Exit::No, "unaddressed", format!("{have} no address to notify: {}", first.join(", "))).hint(
        "set one with 'patctl edit ID --notify-to ADDRESS', or add an address without {user} to patctl.mail.to; \
         the mail is sent then",
    )
}

/// What a run did.
#[derive(Default)]
struct Run {
    tried: Vec<(Vec<Notice>, Tried)>,
    unaddressed: Unaddressed,
    dropped: u64,
    waiting: u64,
}

impl Run {
    fn note(&mut self, posted: &[Posted], tried: &Tried) {
        self.tried.push((posted.iter().map(|posted| posted.notice.clone()).collect(), tried.clone()));
    }

    fn count(&self, wanted: &str) -> u64 {
        self.tried.iter().filter(|(_, tried)| state(tried) == wanted).count() as u64
    }

    fn answer(&self, cx: &mut Context<'_>) -> io::Result<()> {
        let mails = || self.tried.iter().filter_map(|(mail, tried)| of(mail, state(tried), why(tried)));
        match cx.screen.format() {
            Format::Json => cx.screen.json(&Notified {
                dry_run: false,
                sent: self.count("sent"),
                refused: self.count("refused"),
                rejected: self.count("rejected"),
                uncertain: self.count("uncertain"),
                dropped: self.count("dropped") + self.dropped,
                waiting: self.waiting,
                unaddressed_count: self.unaddressed.count,
                unaddressed: unaddressed(&self.unaddressed),
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

    /// Every mail that failed, in one message.
    fn failure(&self) -> Option<Failure> {
        let failed: Vec<&(Vec<Notice>, Tried)> =
            self.tried.iter().filter(|(_, tried)| state(tried) != "sent").collect();
        if failed.is_empty() {
            return None;
        }
        let mut told: Vec<String> = failed
            .iter()
            .take(SHOWN)
            .map(|(mail, tried)| {
                let to = mail.first().map_or("", |notice| notice.recipient.as_str());
                let word = if state(tried) == "rejected" { "refused for good" } else { state(tried) };
                format!("to {to} ({word}): {}", why(tried).unwrap_or_default())
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
        let lacks = |(_, tried): &(_, Tried)| matches!(tried, Tried::Delivered(Delivery::Unasked(_)));
        // The run ended with it.
        if self.tried.last().is_some_and(lacks) {
            return Some(Failure::exhausted(&message));
        }
        Some(Failure::new(Exit::Io, "mail", message).hint(self.hint()))
    }

    /// What happens to the mails that failed, and what to do.
    fn hint(&self) -> String {
        let mut parts = Vec::new();
        if self.count("uncertain") > 0 {
            parts.push("what is uncertain may have arrived and is not sent again");
        }
        if self.count("rejected") > 0 {
            parts.push(
                "what was refused for good is not sent again; give its tokens another address with \
                 'patctl edit ID --notify-to ADDRESS'",
            );
        }
        if self.count("refused") > 0 || self.waiting > 0 {
            parts.push("what was refused for now, or not tried, is tried again next time");
        }
        if self.count("dropped") > 0 {
            parts.push("what was dropped is not tried again");
        }
        parts.join("; ")
    }
}

fn state(tried: &Tried) -> &'static str {
    match tried {
        Tried::Delivered(Delivery::Sent) => "sent",
        Tried::Delivered(Delivery::Refused(_) | Delivery::Unreachable(_) | Delivery::Unasked(_)) => "refused",
        Tried::Delivered(Delivery::Rejected(_)) => "rejected",
        Tried::Delivered(Delivery::Uncertain(_)) => "uncertain",
        Tried::GivenUp | Tried::Altered => "dropped",
    }
}

fn why(tried: &Tried) -> Option<&str> {
    match tried {
        Tried::Delivered(delivery) => delivery.why(),
        Tried::GivenUp => Some("it was refused for seven days"),
        Tried::Altered => Some("it is not what patctl wrote"),
    }
}

/// A mail for JSON and for a preview; `None` for one without notices, which there is none of.
fn of<'a>(notices: &'a [Notice], state: &'static str, error: Option<&'a str>) -> Option<Mail<'a>> {
    let first = notices.first()?;
    let Words { subject, text, html } = Words::of(&notices.iter().collect::<Vec<_>>());
    let about = |notice: &'a Notice| Told {
        kind: notice.kind.as_str(),
        token_id: &notice.token_id,
        name: &notice.name,
        user: notice.user.as_deref(),
        expires_at: notice.expires_at.map(Instant),
    };
    Some(Mail {
        kind: first.kind.as_str(),
        token_id: &first.token_id,
        name: &first.name,
        user: first.user.as_deref(),
        expires_at: first.expires_at.map(Instant),
        tokens: notices.iter().map(about).collect(),
        recipient: &first.recipient,
        subject,
        text,
        html,
        state,
        error,
    })
}

fn unaddressed(found: &Unaddressed) -> Vec<Told<'_>> {
    let told = |(kind, pat): &'_ (Kind, Pat)| (kind.as_str(), pat.life.stops_at().map(Instant));
    let each = found.first.iter().map(|one| {
        let ((kind, expires_at), pat) = (told(one), &one.1);
        Told { kind, token_id: pat.id.as_str(), name: &pat.name, user: pat.user.as_deref(), expires_at }
    });
    each.collect()
}

fn count(mails: u64) -> String {
    if mails == 1 { "1 mail".to_owned() } else { format!("{mails} mails") }
}

/// Prints the mails and changes nothing.
fn preview(
    cx: &mut Context<'_>,
    notices: &[Vec<Notice>],
    without: &Unaddressed,
    off: bool,
) -> io::Result<()> {
    let mails = || notices.iter().filter_map(|mail| of(mail, "pending", None));
    match cx.screen.format() {
        Format::Json => {
            let waiting = notices.len() as u64;
            cx.screen.json(&Notified {
                dry_run: true,
                waiting,
                unaddressed_count: without.count,
                unaddressed: unaddressed(without),
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
    cx.screen.flush()
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
        let smtp = smtp.introduced(settings.mail_helo(), &from);
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
            .hint("patctl.mail.credentials.file names the file")
            .because_of(&e),
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
