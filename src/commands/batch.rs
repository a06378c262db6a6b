//! `patctl verify --batch`: many tokens, one process.

use super::context::Context;
use super::{stdout_failed, verify};
use crate::cli::Format;
use crate::config::Settings;
use crate::domain::presented::Presented;
use crate::domain::restriction::{MAX_BODY, MAX_URL, Request, Sent};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::verify::{Case, Errand, Purpose, Verdict, verify_all};
use crate::store::Durability;
use crate::wire::batch::{Presented as Line, Unread};
use std::io;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a line: a body of the largest size in Base64, a URL, headers and a token fit.
const MAX_LINE: usize = 2 * MAX_BODY + 8 * MAX_URL;
/// Lines that are judged in one transaction.
const GROUP: usize = 1000;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// A line that was read.
struct Asked {
    /// `None`: what it presents has not the shape of a token.
    presented: Option<Presented>,
    /// Wiped when dropped: a header may hold a token.
    sent: Zeroizing<Sent>,
}

/// Answers every line of stdin, as long as there are lines.
pub fn run(cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let mut store = cx.open(&settings)?;
    let key = verify::cache_key(cx, &policy, &store);
    let actor = (cx.actor)();
    let act = cx.act(&policy, &actor);
    let (base, merges, full_url) = (settings.base(), settings.merges(), settings.audit_url_full());
    let durability = if settings.audit_sync_full() { Durability::Full } else { Durability::Relaxed };
    let mut input = Lines::default();
    let mut exit = Exit::Yes;
    loop {
        let group = input.next(cx.stdin)?;
        if group.is_empty() {
            return Ok(exit);
        }
        let asked: Vec<Result<Asked, Unread>> =
            group.iter().map(|(line, bytes)| read(*line, bytes)).collect();
        let read = || asked.iter().filter_map(|asked| asked.as_ref().ok());
        let requests: Vec<_> = read().map(|asked| Request::new(&asked.sent.given_to(merges))).collect();
        let urls: Vec<_> = read().map(|asked| asked.sent.told_url(full_url)).collect();
        let cases: Vec<Case<'_>> = read()
            .zip(&requests)
            .zip(&urls)
            .filter_map(|((asked, request), url)| {
                let told = verify::asked(request, url.as_deref());
                let errand = Errand {
                    purpose: Purpose::Use,
                    request,
                    base: base.as_ref(),
                    asked: told,
                    durability,
                    cache: key.as_ref(),
                };
                Some(Case { presented: asked.presented.as_ref()?, errand })
            })
            .collect();
        // Nothing is answered before all of it is committed.
        let verdicts =
            if cases.is_empty() { Vec::new() } else { verify_all(&mut store, &act, cx.dice, &cases)? };
        exit = worse(exit, answer(cx, &settings, &asked, verdicts)?);
    }
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
                let verdict = asked.presented.as_ref().and_then(|_| verdicts.next());
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

fn read(line: u64, bytes: &[u8]) -> Result<Asked, Unread> {
    let unread = |error: String| Unread { allowed: false, reason: "unreadable", line, error };
    let Line { token, method, url, query, body, body_b64, content_type, headers, body_unseen } =
        Line::parse(bytes).map_err(unread)?;
    let token = Zeroizing::new(token);
    let (body, body_b64) = (body.map(String::into_bytes), body_b64.map(Zeroizing::new));
    let headers = headers.unwrap_or_default().0;
    let mut sent = Zeroizing::new(Sent { method, url, query, body, content_type, headers, body_unseen });
    if let Some(text) = body_b64 {
        if sent.body.is_some() {
            return Err(unread("it has two bodies".to_owned()));
        }
        let body =
            Sent::body_from_base64(&text).ok_or_else(|| unread("body_b64 is not Base64".to_owned()))?;
        sent.body = Some(body);
    }
    Ok(Asked { presented: Presented::parse(token.as_bytes()).ok(), sent })
}

/// A numbered line of the input, wiped when dropped: it holds a token.
type Numbered = (u64, Zeroizing<Vec<u8>>);

/// Lines as they come: those that are there already form a group, nobody waits for more.
#[derive(Default)]
struct Lines {
    buffer: Zeroizing<Vec<u8>>,
    line: u64,
    ended: bool,
}

impl Lines {
    /// The next lines, at least one; none at the end. Blank ones are passed over.
    fn next(&mut self, from: &mut dyn crate::world::Input) -> Result<Vec<Numbered>, Failure> {
        loop {
            let group = self.whole();
            if !group.is_empty() {
                return Ok(group);
            }
            if self.ended {
                return Ok(Vec::new());
            }
            if self.buffer.len() > MAX_LINE {
                return Err(Failure::usage(format!(
                    "line {} is longer than {MAX_LINE} bytes",
                    self.line + 1
                ))
                .hint("a line holds one request; its body may have at most 1 MiB"));
            }
            self.fill(from)?;
        }
    }

    fn fill(&mut self, from: &mut dyn crate::world::Input) -> Result<(), Failure> {
        let mut chunk = Zeroizing::new(vec![0; CHUNK]);
        let count = loop {
            match from.read(chunk.as_mut()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let count = count.map_err(|e| {
            Failure::new(Exit::Io, "io", format!("stdin cannot be read: {e}"))
                .hint("the lines before were answered")
        })?;
        self.ended = count == 0;
        // A larger buffer is made before the smaller one is wiped, so that no token stays behind in it.
        if self.buffer.capacity() < self.buffer.len() + count + 1 {
            let mut larger = Vec::with_capacity((self.buffer.len() + count + 1) * 2);
            larger.extend_from_slice(&self.buffer);
            self.buffer.zeroize();
            self.buffer = Zeroizing::new(larger);
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        if self.ended && !self.buffer.is_empty() && self.buffer.last() != Some(&b'\n') {
            self.buffer.push(b'\n');
        }
        Ok(())
    }

    /// Takes the whole lines out of the buffer.
    fn whole(&mut self) -> Vec<Numbered> {
        let (mut group, mut at) = (Vec::new(), 0);
        while group.len() < GROUP
            && let Some(end) = self.buffer[at..].iter().position(|byte| *byte == b'\n')
        {
            self.line += 1;
            let line = self.buffer[at..at + end].trim_ascii();
            if !line.is_empty() {
                group.push((self.line, Zeroizing::new(line.to_vec())));
            }
            at += end + 1;
        }
        let rest = self.buffer.len() - at;
        self.buffer.copy_within(at.., 0);
        self.buffer[rest..].zeroize();
        self.buffer.truncate(rest);
        group
    }
}
