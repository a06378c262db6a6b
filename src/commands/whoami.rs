//! `patctl whoami`: whose token is this, in which state, and why would it fail?

use super::context::Context;
use super::present::{self, Refused};
use super::{asked, stdout_failed, verify};
use crate::cli::{Format, Whoami};
use crate::domain::decision::{BODY_UNSEEN_HINT, Denial, Reason};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{facts, text};
use crate::service::verify::{Purpose, Verdict};

pub fn run(args: &Whoami, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    let sent = asked::guarded(&args.request, asked::TokenAt::of(&args.source), cx)?;
    let presented = present::presented(&args.source, cx)?;
    let refused = presented.as_ref().err().and_then(Refused::why);
    let verdict = presented
        .ok()
        .map(|presented| verify::judge(cx, &settings, presented, &sent, (Purpose::Look, args.origin.meta())))
        .transpose()?;
    if cx.screen.format().is_json() {
        return verify::answer_json(cx, &settings, verdict.as_ref(), refused.as_deref());
    }
    let (pat, rules, answer) = match verdict {
        Some(Verdict { pat: Some(pat), rules, answer, .. }) => (pat, rules, answer),
        Some(Verdict { id, answer: Err(Denial { reason: Reason::Damaged, .. }), .. }) => {
            cx.screen.say(&format!(
                "patctl: the row of {id} is damaged or sealed with another key; see 'patctl doctor'"
            ));
            return Ok(Exit::No);
        }
        _ => {
            if let Some(why) = refused {
                cx.screen.say(&format!("patctl: {why}\n  hint: {}", Refused::HINT));
            } else {
                cx.screen.say("patctl: this is no token of this database");
            }
            return Ok(Exit::No);
        }
    };
    let warning = settings.policy().expiry_warning;
    let mut facts = facts::of_token(&pat, (cx.clock)(), warning, cx.screen.style);
    let verdict = match &answer {
        Ok(grant) => format!("would say yes, for {}", text::safe(&grant.effective_user)),
        Err(denial) => format!("would say no: {}", denial.reason.as_str()),
    };
    if answer.as_ref().is_err_and(|denial| denial.reason == Reason::BodyUnseen) {
        cx.screen.say(&format!("  hint: {BODY_UNSEEN_HINT}"));
    }
    facts.extend(facts::of_rules(&rules));
    facts.push(("verify", verdict));
    facts::print(cx.screen.out(), &facts).map_err(stdout_failed)?;
    Ok(if answer.is_ok() { Exit::Yes } else { Exit::No })
}
