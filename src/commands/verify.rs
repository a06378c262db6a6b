//! `patctl verify`: is this token good? The exit status answers.

use super::{Asking, Context, stdout_failed};
use crate::cli::{Field, Format, Verify};
use crate::domain::audit::Actor;
use crate::domain::decision::Reason;
use crate::domain::dice::Dice;
use crate::domain::moment::{Moment, Span};
use crate::domain::presented::{MAX_BYTES, Presented};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::verify::{self as service, Verdict};
use crate::store::Durability;
use crate::wire;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use zeroize::Zeroizing;

pub fn run(
    args: &Verify,
    cx: &mut Context<'_>,
    asking: &mut Asking<'_>,
    dice: &mut Dice,
    actor: &dyn Fn() -> Actor,
) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json])?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let bytes = token_bytes(args, cx, asking)?;
    let Ok(presented) = Presented::parse(&bytes) else {
        return answer(args, cx, None, settings.invalidate_session(), policy.expiry_warning);
    };
    let mut store = cx.open(&settings)?;
    let actor = actor();
    let act = cx.act(&policy, &actor);
    let durability = if settings.audit_sync_full() { Durability::Full } else { Durability::Relaxed };
    let verdict = service::verify(&mut store, &act, dice, &presented, durability)?;
    answer(args, cx, Some(&verdict), settings.invalidate_session(), policy.expiry_warning)
}

/// What was presented: at most one byte more than can be a token.
fn token_bytes(
    args: &Verify,
    cx: &Context<'_>,
    asking: &mut Asking<'_>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let io = |what: &str, e: &io::Error| Failure::new(Exit::Io, "io", format!("{what}: {e}"));
    if let Some(name) = &args.token_env {
        let value = (cx.env)(name).ok_or_else(|| {
            Failure::usage(format!("the environment variable '{name}' is not set"))
                .hint("export it, or pipe the token in")
        })?;
        return Ok(Zeroizing::new(value.into_vec()));
    }
    if let Some(path) = &args.token_file {
        let file = File::open(path).map_err(|e| io(&path.display().to_string(), &e))?;
        return read(file).map_err(|e| io(&path.display().to_string(), &e));
    }
    if asking.stdin.is_terminal() {
        let typed = asking.ask.secret("Token").map_err(|e| io("the terminal", &e))?;
        return Ok(Zeroizing::new(typed.as_bytes().to_vec()));
    }
    read(&mut *asking.stdin).map_err(|e| io("stdin", &e))
}

fn read(from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let most = MAX_BYTES + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(most));
    from.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn answer(
    args: &Verify,
    cx: &mut Context<'_>,
    verdict: Option<&Verdict>,
    invalidate_session: bool,
    warning: Span,
) -> Result<Exit, Failure> {
    let grant = verdict.and_then(|verdict| verdict.answer.as_ref().ok());
    if cx.screen.format().is_json() {
        let now = (cx.clock)();
        cx.screen.json(&as_json(verdict, invalidate_session, now, warning)).map_err(stdout_failed)?;
    } else if let (Some(field), Some(verdict)) = (args.field, verdict.filter(|_| grant.is_some())) {
        cx.screen.line(&value_of(field, verdict)).map_err(stdout_failed)?;
    }
    cx.screen.flush().map_err(stdout_failed)?;
    if grant.is_some() {
        Ok(Exit::Yes)
    } else {
        // One text for every no: who presents a token learns nothing about it.
        cx.screen.say("patctl: denied");
        Ok(Exit::No)
    }
}

fn value_of(field: Field, verdict: &Verdict) -> String {
    let pat = verdict.pat.as_ref();
    let moment = |at: Option<Moment>| at.map_or_else(String::new, |at| at.to_string());
    match field {
        Field::Id => verdict.id.to_string(),
        Field::Name => pat.map_or_else(String::new, |p| p.name.clone()),
        Field::User => pat.and_then(|p| p.user.clone()).unwrap_or_default(),
        Field::EffectiveUser => {
            verdict.answer.as_ref().map_or_else(|_| String::new(), |grant| grant.effective_user.clone())
        }
        Field::CreatedAt => moment(pat.map(|p| p.life.created_at)),
        Field::ExpiresAt => moment(pat.and_then(|p| p.life.expires_at)),
    }
}

fn as_json(
    verdict: Option<&Verdict>,
    invalidate_session: bool,
    now: Moment,
    warning: Span,
) -> wire::Verdict<'_> {
    let grant = verdict.and_then(|verdict| verdict.answer.as_ref().ok());
    let reason = verdict.map_or(Some(Reason::Malformed), |verdict| verdict.answer.as_ref().err().copied());
    wire::Verdict {
        allowed: grant.is_some(),
        reason: reason.map(Reason::as_str),
        id: verdict.map(|verdict| verdict.id.as_str()),
        effective_user: grant.map(|grant| grant.effective_user.as_str()),
        invalidate_session,
        token: verdict
            .and_then(|verdict| verdict.pat.as_ref())
            .map(|pat| wire::Token::new(pat, now, warning)),
    }
}
