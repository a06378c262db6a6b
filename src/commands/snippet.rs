//! `patctl snippet`: a call that works when pasted, and that the token may make.

use super::context::Context;
use super::order::{self, Holder, Order};
use super::{check, stdout_failed, vault};
use crate::cli::{Format, Lang, Snippet};
use crate::config::Settings;
use crate::domain::actor::Authority;
use crate::domain::decision::{Denial, Reason};
use crate::domain::pat::Pat;
use crate::domain::presented::{Scheme, basic_credentials};
use crate::domain::restriction::{self, Decision, Depth, Refusal, Request, Rules, Verdict};
use crate::domain::text::is_hidden;
use crate::domain::token::TokenId;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{hand_over, text, verdict};
use crate::service::{look, verify};
use crate::snippet::{self, Auth, BASIC_MARK, TOKEN_MARK, TokenFrom};
use crate::store::Read;
use crate::store::sqlite::SqliteStore;
use crate::wire::{self, snippet as shape};
use std::path::Path;
use zeroize::Zeroizing;

pub fn run(args: &Snippet, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    let mut store = args.id.as_ref().map(|_| cx.open(&settings)).transpose()?;
    let holder = match (&args.id, &store) {
        (Some(id), Some(store)) => {
            Some(Holder::new(look::find(store, &Authority::Administrator, id)?, store)?)
        }
        _ => None,
    };
    let order = order::read(args, cx, &settings, holder.as_ref())?;
    if let (Some(holder), Some(store)) = (&holder, &store)
        && let Some(denial) = judge(&order, cx, &settings, holder, store)?
    {
        return refused(&order, cx, &settings, holder, &denial);
    }
    let text = snippet::write(order.language, &order.call, &order.token);
    match (&holder, &mut store) {
        (Some(holder), Some(store)) if args.with_token => {
            let text = with_token(&order, &text, cx, &settings, &holder.pat, store)?;
            hand_over::to_stdout(cx.screen.out().raw(), &text).map_err(stdout_failed)?;
        }
        _ if cx.screen.format().is_json() => {
            cx.screen.json(&answer(&order, Some(&text), None)).map_err(stdout_failed)?;
        }
        _ => cx.screen.line(&text).map_err(stdout_failed)?,
    }
    if !cx.screen.format().is_json() {
        cx.screen.flush().map_err(stdout_failed)?;
        talk(&order, &text, cx);
    }
    Ok(Exit::Yes)
}

/// Prints a call beside a token that was just made, on stderr; what keeps it from being written is said,
/// and is no trouble.
pub fn beside(
    lang: Lang,
    id: TokenId,
    token_file: Option<&Path>,
    cx: &mut Context<'_>,
    settings: &Settings,
    store: &SqliteStore,
) {
    let token_file = token_file.and_then(Path::to_str).map(str::to_owned);
    let args = Snippet { lang, token_file, ..Snippet::default() };
    let written = (|| {
        let Some(pat) = store.pat(id)? else { return Ok(()) };
        let holder = Holder::new(pat, store)?;
        let order = order::read(&args, cx, settings, Some(&holder))?;
        if let Some(denial) = judge(&order, cx, settings, &holder, store)? {
            return Err(explain(&holder.pat, &denial));
        }
        let text = snippet::write(order.language, &order.call, &order.token);
        cx.screen.say("");
        cx.screen.block(&text);
        talk(&order, &text, cx);
        Ok(())
    })();
    if let Err(Failure { message, hint, .. }) = written {
        let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
        cx.screen.say(&format!("no snippet: {message}{hint}"));
    }
}

/// What `verify` would say against it.
fn judge(
    order: &Order,
    cx: &Context<'_>,
    settings: &Settings,
    holder: &Holder,
    store: &SqliteStore,
) -> Result<Option<Denial>, Failure> {
    let (policy, actor) = (settings.policy(), cx.actor()?);
    let scheme = match &order.call.auth {
        Auth::Bearer => Scheme::Bearer,
        Auth::Basic { user } => Scheme::Basic { user: user.clone() },
    };
    // The authentication alone is no request that could be restricted.
    let pat = Pat { restricted: holder.pat.restricted && order.calls, ..holder.pat.clone() };
    let base = settings.base();
    let request = request(order, settings);
    let (answer, _) =
        verify::rehearse(store, &cx.act(&policy, &actor), &pat, &scheme, &request, base.as_ref())?;
    Ok(answer.err())
}

fn request(order: &Order, settings: &Settings) -> Result<Request, Refusal> {
    Request::new(&order.call.sent().given_to(settings.merges()))
}

/// Tells why a call is not printed: as `check` does, where restrictions are the reason.
fn refused(
    order: &Order,
    cx: &mut Context<'_>,
    settings: &Settings,
    holder: &Holder,
    denial: &Denial,
) -> Result<Exit, Failure> {
    let base = settings.base();
    let request = request(order, settings);
    let rules = Rules::parse(&holder.rules.join("\n"), base.as_ref()).ok();
    let by_rules =
        matches!(denial.reason, Reason::Restricted | Reason::MalformedRequest | Reason::BodyUnseen);
    let judged = rules.as_ref().filter(|_| by_rules).map(|rules| match &request {
        Ok(request) => restriction::judge(rules, request, base.as_ref(), Depth::Explain),
        Err(refusal) => Verdict { decision: Decision::Malformed(*refusal), lines: Vec::new() },
    });
    let checked = judged.as_ref().map(|verdict| check::checked(verdict, request.as_ref().ok()));
    if cx.screen.format().is_json() {
        let answer = shape::Snippet { check: checked, ..answer(order, None, Some(denial.reason)) };
        cx.screen.json(&answer).map_err(stdout_failed)?;
        return Ok(Exit::No);
    }
    if let Some(checked) = &checked {
        verdict::tell(&mut cx.screen, checked);
        cx.screen.say("");
    }
    Err(explain(&holder.pat, denial))
}

/// A no to who manages tokens, which is told more than who presents one.
fn explain(pat: &Pat, denial: &Denial) -> Failure {
    let id = pat.id;
    let detail = denial.detail.as_deref().unwrap_or_default();
    let (why, hint) = match denial.reason {
        Reason::Restricted | Reason::MalformedRequest | Reason::BodyUnseen => {
            ("its restrictions do not allow this call".to_owned(), format!("'patctl show {id}' lists them"))
        }
        Reason::RuleError => {
            (format!("a restriction cannot be used: {detail}"), format!("'patctl edit {id}' mends it"))
        }
        Reason::WrongAuthMethod => (
            "it may not be presented in this way".to_owned(),
            "leave --auth out to have the right one chosen; patctl.auth.methods and the token decide"
                .to_owned(),
        ),
        Reason::WrongUser => (
            format!("it is the token of {}", pat.user.as_deref().unwrap_or("anybody")),
            "--user names its user or its e-mail; left out, it is the user".to_owned(),
        ),
        Reason::DisabledGlobally => (
            "personal access tokens are switched off".to_owned(),
            "atlassian.pats.enabled = true switches them on".to_owned(),
        ),
        Reason::Disabled => ("it is disabled".to_owned(), format!("'patctl enable {id}' switches it on")),
        Reason::Rotated => {
            (format!("it was rotated: {detail}"), "make the snippet for its successor".to_owned())
        }
        Reason::Policy => (
            "today's limits refuse it".to_owned(),
            "'patctl list --violates-policy' has the tokens that they refuse".to_owned(),
        ),
        other => (format!("it is {}", other.as_str()), "'patctl create' makes a new one".to_owned()),
    };
    Failure::new(Exit::No, denial.reason.as_str(), format!("the token {id} would be refused: {why}"))
        .hint(hint)
}

/// The text with the token in its place; the audit row is committed before.
fn with_token(
    order: &Order,
    text: &str,
    cx: &mut Context<'_>,
    settings: &Settings,
    pat: &Pat,
    store: &mut SqliteStore,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let key = vault::needed(cx, settings)?;
    if cx.screen.out().raw().is_closed() {
        return Err(Failure::new(Exit::Io, "io", "stdout is closed: nobody would get the token"));
    }
    let (policy, actor) = (settings.policy(), cx.actor()?);
    let token = look::reveal(store, &cx.act(&policy, &actor), &key, &pat.id.into())?;
    // Larger than the whole, so that no secret is left in an outgrown buffer.
    let mut whole = Zeroizing::new(String::with_capacity(text.len() + 4096));
    let basic = match &order.call.auth {
        Auth::Basic { user } => basic_credentials(user, &token),
        Auth::Bearer => Zeroizing::default(),
    };
    for c in text.chars() {
        match c {
            TOKEN_MARK => whole.push_str(token.reveal()),
            BASIC_MARK => whole.push_str(&basic),
            c => whole.push(c),
        }
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * whole.len() + 16 * 1024));
    if cx.screen.format().is_json() {
        wire::line(&mut *bytes, &answer(order, Some(&whole), None)).map_err(stdout_failed)?;
    } else {
        bytes.extend_from_slice(whole.as_bytes());
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// The answer in the form that is promised.
fn answer<'a>(order: &'a Order, text: Option<&'a str>, reason: Option<Reason>) -> shape::Snippet<'a> {
    let call = &order.call;
    let request = shape::Request {
        method: call.method,
        url: &call.url,
        headers: &call.headers,
        body: call.body.as_deref(),
    };
    let (kind, user) = match &call.auth {
        Auth::Bearer => ("bearer", None),
        Auth::Basic { user } => ("basic", Some(user.as_str())),
    };
    let (token_from, token_name) = match &order.token {
        TokenFrom::Variable(name) => ("variable", Some(name.as_str())),
        TokenFrom::File(path) => ("file", Some(path.as_str())),
        TokenFrom::Here => ("here", None),
    };
    shape::Snippet {
        language: order.language.as_str(),
        snippet: text,
        request: order.calls.then_some(request),
        auth: shape::Auth { r#type: kind, user },
        token_from,
        token_name,
        follow: call.follow,
        remarks: &order.remarks,
        reason: reason.map(Reason::as_str),
        check: None,
    }
}

/// What a person should know who is about to paste it.
fn talk(order: &Order, text: &str, cx: &mut Context<'_>) {
    if cx.screen.has_a_person() {
        cx.screen.say("");
    }
    for remark in &order.remarks {
        note(&format!("note: {remark}"), cx);
    }
    let marks = |c: char| matches!(c, '\n' | '\t' | TOKEN_MARK | BASIC_MARK);
    if text.contains(|c| is_hidden(c) && !marks(c)) {
        cx.screen
            .warn("the body holds characters that cannot be seen; they stand in the snippet as they are");
    }
    match &order.token {
        TokenFrom::Here => {
            cx.screen.warn("the token stands in it: keep it out of repositories, logs and histories");
        }
        TokenFrom::Variable(name) if order.calls && cx.screen.has_a_person() => {
            cx.screen.say(&format!("It reads the token from ${name}; this puts it there unseen:"));
            cx.screen.say(&format!("  read -rs {name}; export {name}"));
        }
        _ => {}
    }
}

/// A sentence, in lines that the terminal has room for.
fn note(text: &str, cx: &mut Context<'_>) {
    let columns = cx.screen.err_columns().unwrap_or(usize::MAX);
    for line in text::wrap(text, columns) {
        cx.screen.say(&line);
    }
}
