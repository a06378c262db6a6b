//! `patctl verify --batch`: many tokens, one process.

use super::context::Context;
use super::lines::{Lines, MAX_LINE, Numbered};
use super::{stdout_failed, verify};
use crate::cli::Format;
use crate::config::Settings;
use crate::domain::actor::{Actor, RequestMeta};
use crate::domain::cache::CacheKey;
use crate::domain::presented::Presented;
use crate::domain::restriction::{Merges, Request, Sent};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::verify::{Purpose, Verdict, VerifyContext, VerifyItem, verify_all};
use crate::store::Durability;
use crate::store::sqlite::{Replaced, SqliteStore};
use crate::wire::batch::{Presented as Line, Unread};
use std::str::FromStr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How often a group is judged again because the database was replaced meanwhile.
const REPLACEMENTS: usize = 3;

/// A line that was read; `None`: what it presents has not the shape of a token.
type Asked = Option<Arc<VerifyItem>>;

/// Answers every line of stdin, as long as there are lines.
pub fn run(cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let mut gate = Gate::open(cx, &settings)?;
    let reader = Reader {
        actor: Arc::new(cx.actor()?),
        merges: settings.merges(),
        full_url: settings.audit_url_full(),
    };
    let base = settings.base();
    let durability = if settings.audit_sync_full() { Durability::Full } else { Durability::Relaxed };
    let mut input = Lines::default();
    let mut exit = Exit::Yes;
    loop {
        let group = input.next(cx.stdin)?;
        if group.is_empty() {
            return Ok(exit);
        }
        let asked: Vec<Result<Asked, Unread>> = group.iter().map(|line| reader.read_line(line)).collect();
        let items: Vec<Arc<VerifyItem>> = asked.iter().flatten().flatten().cloned().collect();
        let mut judged = None;
        for _ in 0..=REPLACEMENTS {
            gate = gate.follow(cx, &settings)?;
            let context = VerifyContext {
                policy: &policy,
                base: base.as_ref(),
                cache: gate.key.as_ref(),
                durability,
                clock: cx.clock,
            };
            let verdicts = verify_all(&mut gate.store, &context, cx.dice, &items)?;
            // Nothing is answered before all of it is committed, to the file that is there.
            if gate.is_current()? {
                judged = Some(verdicts);
                break;
            }
        }
        let verdicts = judged.ok_or_else(replaced)?;
        exit = worse(exit, answer(cx, &settings, &asked, verdicts)?);
    }
}

/// The database, the key of its auth cache, and what its schema was when it was checked.
struct Gate {
    store: SqliteStore,
    key: Option<CacheKey>,
    marks: (i64, i64),
}

impl Gate {
    fn open(cx: &mut Context<'_>, settings: &Settings) -> Result<Self, Failure> {
        let store = cx.open(settings)?;
        let key = verify::cache_key(cx, &settings.policy(), &store);
        let marks = store.schema_marks()?;
        Ok(Self { store, key, marks })
    }

    /// Whether this is the database that is at the path, with the schema that was checked.
    fn is_current(&self) -> Result<bool, Failure> {
        Ok(self.store.replaced()?.is_none() && self.store.schema_marks()? == self.marks)
    }

    /// Opens the database anew where it is another one, or a changed one.
    fn follow(self, cx: &mut Context<'_>, settings: &Settings) -> Result<Self, Failure> {
        if self.is_current()? {
            return Ok(self);
        }
        if self.store.replaced()? == Some(Replaced::File) {
            self.store.wait_for_its_log_to_go()?;
        }
        // Within a process all connections to one file share what they know of its log, be it the old one.
        drop(self);
        Self::open(cx, settings)
    }
}

fn replaced() -> Failure {
    Failure::new(Exit::Io, "database", "the database is replaced again and again: nothing was judged")
        .hint("start it again when the file stays where it is")
}

fn answer(
    cx: &mut Context<'_>,
    settings: &Settings,
    asked: &[Result<Asked, Unread>],
    verdicts: Vec<Verdict>,
) -> Result<Exit, Failure> {
    let (now, warning) = ((cx.clock)(), settings.policy().expiry_warning);
    let mut verdicts = verdicts.into_iter();
    let mut exit = Exit::Yes;
    for asked in asked {
        let written = match asked {
            Ok(asked) => {
                let verdict = asked.as_ref().and_then(|_| verdicts.next());
                exit = worse(exit, status(verdict.as_ref()));
                cx.screen.json(&verify::answer(settings, verdict.as_ref(), now, warning))
            }
            Err(unread) => {
                exit = worse(exit, Exit::Usage);
                cx.screen.json(unread)
            }
        };
        written.map_err(stdout_failed)?;
    }
    cx.screen.flush().map_err(stdout_failed)?;
    Ok(exit)
}

fn status(verdict: Option<&Verdict>) -> Exit {
    match verdict.map(|verdict| &verdict.answer) {
        Some(Ok(_)) => Exit::Yes,
        Some(Err(denial)) if denial.reason.is_trouble() => Exit::Io,
        Some(Err(_)) | None => Exit::No,
    }
}

/// The status that says more: trouble over a line that could not be read, that over a no, a no over a yes.
fn worse(a: Exit, b: Exit) -> Exit {
    if a.code() >= b.code() { a } else { b }
}

/// A field of a line that is of a type of its own.
fn told<T: FromStr<Err = &'static str>>(name: &str, text: Option<&str>) -> Result<Option<T>, String> {
    text.map(|text| text.parse().map_err(|how| format!("{name}: {how}"))).transpose()
}

/// What makes an item of a line.
struct Reader {
    actor: Arc<Actor>,
    merges: Merges,
    full_url: bool,
}

impl Reader {
    fn read_line(&self, (line, bytes): &Numbered) -> Result<Asked, Unread> {
        let unread = |error: String| Unread { allowed: false, reason: "unreadable", line: *line, error };
        let Ok(bytes) = bytes else { return Err(unread(format!("it is longer than {MAX_LINE} bytes"))) };
        let Line {
            token,
            method,
            url,
            query,
            body,
            body_b64,
            content_type,
            headers,
            body_unseen,
            client,
            request_id,
        } = Line::parse(bytes).map_err(unread)?;
        let token = Zeroizing::new(token);
        let meta = RequestMeta {
            client: told("client", client.as_deref()).map_err(unread)?,
            request_id: told("request_id", request_id.as_deref()).map_err(unread)?,
            node: None,
        };
        let (body, body_b64) = (body.map(String::into_bytes), body_b64.map(Zeroizing::new));
        let headers = headers.unwrap_or_default().0;
        // Wiped when dropped: a header may hold a token.
        let mut sent = Zeroizing::new(Sent { method, url, query, body, content_type, headers, body_unseen });
        if let Some(text) = body_b64 {
            if sent.body.is_some() {
                return Err(unread("it has two bodies".to_owned()));
            }
            let body =
                Sent::body_from_base64(&text).ok_or_else(|| unread("body_b64 is not Base64".to_owned()))?;
            sent.body = Some(body);
        }
        let item = |credential| VerifyItem {
            meta,
            credential,
            purpose: Purpose::Use,
            request: Request::new(&sent.given_to(self.merges)),
            url: sent.told_url(self.full_url),
            actor: Arc::clone(&self.actor),
        };
        Ok(Presented::parse(token.as_bytes()).ok().map(item).map(Arc::new))
    }
}
