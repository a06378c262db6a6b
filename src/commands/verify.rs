//! `patctl verify`: is this token good? The exit status answers.

use super::context::Context;
use super::{asked, present, stdout_failed};
use crate::cli::{Field, Format, Verify};
use crate::config::Settings;
use crate::domain::audit::Asked;
use crate::domain::decision::Reason;
use crate::domain::moment::Moment;
use crate::domain::presented::Presented;
use crate::domain::restriction::{Request, Sent};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::verify::{self as service, Errand, Purpose, Verdict};
use crate::store::Durability;
use crate::wire;

pub fn run(args: &Verify, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    if args.field.is_some() && cx.screen.format().is_json() {
        return Err(
            Failure::usage("--field and JSON are two answers").hint("choose one; the JSON has every field")
        );
    }
    let settings = cx.settings()?;
    let sent = asked::request(&args.request, asked::TokenAt::of(&args.source), cx)?;
    let presented = present::presented(&args.source, cx)?.ok();
    let verdict =
        presented.map(|presented| judge(cx, &settings, &presented, &sent, Purpose::Use)).transpose()?;
    if cx.screen.format().is_json() {
        return answer_json(cx, &settings, verdict.as_ref());
    }
    let Some(verdict) = verdict.filter(|verdict| verdict.answer.is_ok()) else {
        // One text for every no: who presents a token learns nothing about it.
        cx.screen.say("patctl: denied");
        return Ok(Exit::No);
    };
    if let Some(field) = args.field {
        cx.screen.value(&value_of(field, &verdict)).map_err(stdout_failed)?;
    }
    Ok(Exit::Yes)
}

/// Has a token judged, and the judgement written down.
pub fn judge(
    cx: &mut Context<'_>,
    settings: &Settings,
    presented: &Presented,
    sent: &Sent,
    purpose: Purpose,
) -> Result<Verdict, Failure> {
    let policy = settings.policy();
    let mut store = cx.open(settings)?;
    let cache = if policy.cache.on() { cx.cache_key(store.path()) } else { None };
    let actor = (cx.actor)();
    let act = cx.act(&policy, &actor);
    let durability = if settings.audit_sync_full() { Durability::Full } else { Durability::Relaxed };
    let request = Request::new(&sent.given());
    let (base, url) = (settings.base(), sent.told_url(settings.audit_url_full()));
    let asked = Asked {
        method: request.as_ref().ok().and_then(|request| request.method),
        url: url.as_deref().filter(|_| request.is_ok()),
    };
    let errand =
        Errand { purpose, request: &request, base: base.as_ref(), asked, durability, cache: cache.as_ref() };
    Ok(service::verify(&mut store, &act, cx.dice, presented, &errand)?)
}

/// The verdict as JSON, for the administrator.
pub fn answer_json(
    cx: &mut Context<'_>,
    settings: &Settings,
    verdict: Option<&Verdict>,
) -> Result<Exit, Failure> {
    let (now, warning) = ((cx.clock)(), settings.policy().expiry_warning);
    let grant = verdict.and_then(|verdict| verdict.answer.as_ref().ok());
    let reason = verdict
        .map_or(Some(Reason::Malformed), |verdict| verdict.answer.as_ref().err().map(|denial| denial.reason));
    let pat = verdict.and_then(|verdict| verdict.pat.as_ref());
    let answer = wire::Verdict {
        allowed: grant.is_some(),
        reason: reason.map(Reason::as_str),
        id: verdict.map(|verdict| verdict.id.as_str()),
        effective_user: grant.map(|grant| grant.effective_user.as_str()),
        invalidate_session: settings.invalidate_session(),
        rule: grant.and_then(|grant| grant.rule),
        restrictions: verdict.map_or(&[], |verdict| &verdict.rules),
        token: pat.map(|pat| wire::Token::new(pat, now, warning)),
    };
    cx.screen.json(&answer).map_err(stdout_failed)?;
    Ok(if grant.is_some() { Exit::Yes } else { Exit::No })
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
