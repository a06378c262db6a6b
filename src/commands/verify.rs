//! `patctl verify`: is this token good? The exit status answers.

use super::context::Context;
use super::explain::MORE_MEMORY;
use super::present::{self, Refused};
use super::{asked, batch, stdout_failed};
use crate::cli::{Field, Format, Verify};
use crate::config::Settings;
use crate::domain::actor::RequestMeta;
use crate::domain::cache::CacheKey;
use crate::domain::decision::{BODY_UNSEEN_HINT, Denial, Reason};
use crate::domain::moment::{Moment, Span};
use crate::domain::policy::Policy;
use crate::domain::presented::Presented;
use crate::domain::restriction::{Request, Sent};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::verify::{self as service, Purpose, Verdict, VerifyContext, VerifyItem};
use crate::store::Durability;
use crate::store::integrity::Sealed as _;
use crate::store::sqlite::SqliteStore;
use crate::wire;
use std::sync::Arc;

pub fn run(args: &Verify, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    if args.field.is_some() && cx.screen.format().is_json() {
        return Err(
            Failure::usage("--field and JSON are two answers").hint("choose one; the JSON has every field")
        );
    }
    if args.batch {
        return batch::run(cx);
    }
    let settings = cx.settings()?;
    let sent = asked::guarded(&args.request, asked::TokenAt::of(&args.source), cx)?;
    let presented = present::presented(&args.source, cx)?;
    let refused = presented.as_ref().err().and_then(Refused::why);
    let verdict = presented
        .ok()
        .map(|presented| judge(cx, &settings, presented, &sent, (Purpose::Use, args.origin.meta())))
        .transpose()?;
    if cx.screen.format().is_json() {
        return answer_json(cx, &settings, verdict.as_ref(), refused.as_deref());
    }
    let Some(verdict) = verdict.filter(|verdict| verdict.answer.is_ok()) else {
        // One text for every no: who presents a token learns nothing about it.
        cx.screen.say("patctl: denied");
        if cx.screen.has_a_person() {
            let why = refused.map(|why| format!("{why}; {}", Refused::HINT));
            let hint = why.as_deref().unwrap_or("'patctl whoami' says why");
            cx.screen.say(&format!("  hint: {hint}"));
        }
        return Ok(Exit::No);
    };
    if let Some(field) = args.field {
        cx.screen.value(&value_of(field, &verdict)).map_err(stdout_failed)?;
    } else if cx.can_ask() {
        // Who typed the token in reads no status.
        cx.screen.say(&format!("patctl: yes, for {}", value_of(Field::EffectiveUser, &verdict)));
    }
    Ok(Exit::Yes)
}

/// Has a token judged, and the judgement written down.
pub fn judge(
    cx: &mut Context<'_>,
    settings: &Settings,
    credential: Presented,
    sent: &Sent,
    (purpose, meta): (Purpose, RequestMeta),
) -> Result<Verdict, Failure> {
    let policy = settings.policy();
    let mut store = cx.open(settings)?;
    let cache = cache_key(cx, &policy, &store);
    let durability = if settings.audit_sync_full() { Durability::Full } else { Durability::Relaxed };
    let base = settings.base();
    let context = VerifyContext {
        policy: &policy,
        base: base.as_ref(),
        cache: cache.as_ref(),
        durability,
        clock: cx.clock,
    };
    let item = VerifyItem {
        credential,
        purpose,
        request: Request::new(&sent.given_to(settings.merges())),
        url: sent.told_url(settings.audit_url_full()),
        actor: Arc::new(cx.actor()?),
        meta,
    };
    let verdict = service::verify(&mut store, &context, cx.dice, item)?;
    // Everything is written; a database that is closed has nothing else to lose than time.
    (cx.leave)(Box::new(store));
    match &verdict.answer {
        Err(denial) if denial.reason.is_trouble() => Err(undecided(denial)),
        _ => Ok(verdict),
    }
}

/// What is told where nothing was decided: neither a yes nor a no.
fn undecided(denial: &Denial) -> Failure {
    let why = denial.detail.as_deref().unwrap_or("it cannot be told whether the token is good");
    let failure = Failure::new(Exit::Io, denial.reason.as_str(), why);
    match denial.reason {
        Reason::Unavailable => failure.hint(MORE_MEMORY),
        Reason::Clock => failure.hint(
            "set the clock of this machine; if it is right, 'patctl doctor' says what else it may be, and \
             'patctl doctor --accept-clock' accepts it",
        ),
        _ => failure,
    }
}

/// The key of the auth cache, if there is to be one.
pub fn cache_key(cx: &mut Context<'_>, policy: &Policy, store: &SqliteStore) -> Option<CacheKey> {
    if policy.cache.on() { cx.cache_key(store.path()).map(|key| key.bound_to(store.sealer())) } else { None }
}

/// The verdict as JSON, for the administrator; of what is no token, why it is `refused`.
pub fn answer_json(
    cx: &mut Context<'_>,
    settings: &Settings,
    verdict: Option<&Verdict>,
    refused: Option<&str>,
) -> Result<Exit, Failure> {
    let allowed = verdict.is_some_and(|verdict| verdict.answer.is_ok());
    let mut answer = answer(settings, verdict, (cx.clock)(), settings.policy().expiry_warning);
    answer.hint = refused.or(answer.hint);
    cx.screen.json(&answer).map_err(stdout_failed)?;
    Ok(if allowed { Exit::Yes } else { Exit::No })
}

/// The verdict as the JSON has it.
pub fn answer<'v>(
    settings: &Settings,
    verdict: Option<&'v Verdict>,
    now: Moment,
    warning: Span,
) -> wire::Verdict<'v> {
    let grant = verdict.and_then(|verdict| verdict.answer.as_ref().ok());
    let reason = verdict
        .map_or(Some(Reason::Malformed), |verdict| verdict.answer.as_ref().err().map(|denial| denial.reason));
    let pat = verdict.and_then(|verdict| verdict.pat.as_ref());
    wire::Verdict {
        allowed: grant.is_some(),
        reason: reason.map(Reason::as_str),
        hint: reason.filter(|reason| *reason == Reason::BodyUnseen).map(|_| BODY_UNSEEN_HINT),
        id: verdict.map(|verdict| verdict.id.as_str()),
        effective_user: grant.map(|grant| grant.effective_user.as_str()),
        invalidate_session: settings.invalidate_session(),
        rule: grant.and_then(|grant| grant.rule),
        restrictions: verdict.map_or(&[], |verdict| &verdict.rules),
        token: pat.map(|pat| wire::Token::new(pat, now, warning)),
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
