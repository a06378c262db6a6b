//! `patctl check --case-file`: many requests and the verdicts they should get, for CI.

use super::check::{called, word};
use super::context::Context;
use super::{asked, stdout_failed};
use crate::domain::restriction::{self, Base, Depth, Merges, Request, RuleError, Rules, Sent};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::text;
use crate::wire::check::{Case, Difference};
use std::path::Path;

/// Bytes of a case file.
const MOST: usize = 64 << 20;

/// What is known of the guarded service.
#[derive(Clone, Copy)]
pub struct Service<'s> {
    /// `patctl.base.url`
    pub base: Option<&'s Base>,
    /// `patctl.service.merges.body`
    pub merges: Merges,
}

/// Tries every case, tells those that differ.
pub fn run(
    path: &Path,
    rules: Option<&Rules>,
    service: Service<'_>,
    cx: &mut Context<'_>,
) -> Result<Exit, Failure> {
    let bytes = asked::file(path, MOST, cx)?;
    let wrong = |number: usize, why: &str| {
        Failure::usage(format!("{}:{number}: {why}", called(path))).hint(
            "a case is a JSON object: rule, method, url, query, body, content_type, \
                   headers, body_unseen, base_url, merges_body, expect",
        )
    };
    let text = String::from_utf8(bytes).map_err(|_| wrong(1, "the file is not UTF-8"))?;
    let (mut count, mut differences) = (0_u64, 0_u64);
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let case = Case::parse(line).map_err(|why| wrong(number, &why))?;
        let (verdict, reason) = verdict(&case, rules, service).map_err(|why| wrong(number, &why))?;
        count += 1;
        if case.right().contains(&verdict) {
            continue;
        }
        differences += 1;
        let difference =
            Difference { line: number, id: case.id.as_deref(), expected: case.right(), verdict, reason };
        tell(cx, &difference)?;
    }
    if count == 0 {
        return Err(wrong(1, "there is no case in it"));
    }
    if !cx.screen.format().is_json() {
        let cases = if count == 1 { "1 case".to_owned() } else { format!("{count} cases") };
        let found = if differences == 0 { "as expected".to_owned() } else { format!("{differences} differ") };
        cx.screen.say(&format!("{cases}: {found}"));
    }
    Ok(if differences == 0 { Exit::Yes } else { Exit::No })
}

fn tell(cx: &mut Context<'_>, difference: &Difference<'_>) -> Result<(), Failure> {
    let written = if cx.screen.format().is_json() {
        cx.screen.json(difference)
    } else {
        let Difference { line, id, expected, verdict, reason } = difference;
        let id = id.map_or_else(String::new, |id| format!(" ({id})"));
        let reason = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        let told = format!(
            "line {line}{id}: {} was expected, the verdict is {verdict}{reason}",
            expected.join(" or ")
        );
        cx.screen.line(&text::safe(&told))
    };
    written.map_err(stdout_failed)
}

/// The verdict on a case; an error where the case itself cannot be read.
fn verdict(
    case: &Case,
    rules: Option<&Rules>,
    service: Service<'_>,
) -> Result<(&'static str, Option<String>), String> {
    let own_base =
        case.base_url.as_deref().map(Base::parse).transpose().map_err(|why| format!("base_url: {why}"))?;
    let base = own_base.as_ref().or(service.base);
    let merges = match case.merges_body.as_deref() {
        Some(word) => word.parse().map_err(|()| "merges_body: it is all, forms or none")?,
        None => service.merges,
    };
    let own_rules = match case.rule.as_deref().map(|text| Rules::parse(text, base)) {
        Some(Err(errors)) => return Ok(("rule-error", errors.first().map(RuleError::to_string))),
        Some(Ok(rules)) => Some(rules),
        None => None,
    };
    let rules = own_rules.as_ref().or(rules).ok_or("it has no rule, and the command line gives none")?;
    let sent = sent(case)?;
    match Request::new(&sent.given_to(merges)) {
        Err(refusal) => Ok(("malformed", Some(refusal.to_string()))),
        Ok(request) => Ok(word(&restriction::judge(rules, &request, base, Depth::Decide).decision)),
    }
}

fn sent(case: &Case) -> Result<Sent, String> {
    let body = match (&case.body, &case.body_b64) {
        (Some(_), Some(_)) => return Err("it has two bodies".to_owned()),
        (Some(text), None) => Some(text.as_bytes().to_vec()),
        (None, Some(text)) => Some(Sent::body_from_base64(text).ok_or("body_b64 is not Base64")?),
        (None, None) => None,
    };
    let headers = case.headers.as_ref().map(|headers| headers.0.clone()).unwrap_or_default();
    Ok(Sent {
        method: case.method.clone(),
        url: case.url.clone(),
        query: case.query.clone(),
        body,
        content_type: case.content_type.clone(),
        headers,
        body_unseen: case.body_unseen,
    })
}
