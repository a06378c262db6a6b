//! `patctl check`: would this request pass these restrictions? Explains.

use super::asked::{self, TokenAt};
use super::context::Context;
use super::{cases, stdout_failed};
use crate::cli::{Check, Format, curl, http, shell};
use crate::config::Settings;
use crate::domain::actor::Authority;
use crate::domain::decision::BODY_UNSEEN_HINT;
use crate::domain::restriction::judge::{Line, Outcome, Part};
use crate::domain::restriction::{
    self, Base, Decision, Depth, MAX_BODY, Refusal, Request, RuleError, Rules, Sent, Verdict,
};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::verdict as show;
use crate::service::look;
use crate::store::Read as _;
use crate::wire::check as wire;
use std::path::{Path, PathBuf};

pub fn run(args: &Check, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    let base = settings.base();
    let rules = rules(args, cx, &settings, base.as_ref())?;
    if let Some(path) = &args.case_file {
        if !args.request.is_empty() {
            return Err(
                Failure::usage("a case file has its own requests").hint("leave the request flags out")
            );
        }
        let service = cases::Service { base: base.as_ref(), merges: settings.merges() };
        return cases::run(path, rules.as_ref(), service, cx);
    }
    let Some(rules) = rules else {
        return Err(Failure::usage("no rules were given")
            .hint("--restrict RULE, --restrict-file FILE, or --id ID for those of a token"));
    };
    let sent = request(args, cx)?;
    exposed(&sent)?;
    let request = Request::new(&sent.given_to(settings.merges()));
    let verdict = match &request {
        Ok(request) => restriction::judge(&rules, request, base.as_ref(), Depth::Explain),
        Err(refusal) => Verdict { decision: Decision::Malformed(*refusal), lines: Vec::new() },
    };
    if let Decision::RuleError(error) = &verdict.decision {
        return Err(asked::refused(None, std::slice::from_ref(&**error), cx));
    }
    let checked = checked(&verdict, request.as_ref().ok());
    let written = if cx.screen.format().is_json() {
        cx.screen.json(&checked)
    } else if cx.global.quiet {
        Ok(())
    } else {
        show::print(&mut cx.screen, &checked)
    };
    written.map_err(stdout_failed)?;
    Ok(if matches!(verdict.decision, Decision::Allow { .. }) { Exit::Yes } else { Exit::No })
}

fn rules(
    args: &Check,
    cx: &mut Context<'_>,
    settings: &Settings,
    base: Option<&Base>,
) -> Result<Option<Rules>, Failure> {
    let Some(id) = &args.id else {
        let sources = asked::rules(&args.rules, cx)?;
        return sources.map(|sources| asked::parse(&sources, base, cx)).transpose();
    };
    let store = cx.look(settings)?;
    let pat = look::find(&store, &Authority::Administrator, id)?;
    if !pat.restricted {
        return Err(Failure::new(
            Exit::Usage,
            "unrestricted",
            format!("the token {} has no restrictions", pat.id),
        )
        .hint("it may do everything; 'patctl create --restrict' makes one that may not"));
    }
    let lines = store.restrictions(pat.id)?;
    if lines.is_empty() {
        return Err(Failure::new(
            Exit::No,
            "restricted",
            "the token is restricted, and has no line: it allows nothing",
        ));
    }
    Rules::parse(&lines.join("\n"), base)
        .map(Some)
        .map_err(|errors: Vec<RuleError>| asked::refused(None, &errors, cx))
}

/// Refuses to explain a request with a token in it: the explanation repeats it.
fn exposed(sent: &Sent) -> Result<(), Failure> {
    sent.exposed().map_or(Ok(()), |place| {
        Err(Failure::usage(format!("{place} holds a token"))
            .hint("put another text in its place; if it was a live token, revoke it"))
    })
}

/// The request, from flags, a curl command or a message.
fn request(args: &Check, cx: &mut Context<'_>) -> Result<Sent, Failure> {
    let described = args.curl_file.is_some() || args.http_file.is_some() || !args.curl.is_empty();
    if described && !args.request.is_empty() {
        return Err(
            Failure::usage("the request was given twice").hint("either as flags, or as a command or message")
        );
    }
    if let Some(path) = &args.http_file {
        let message = asked::file(path, MAX_BODY + 64 * 1024, cx)?;
        return http::parse(&message).map_err(|why| Failure::usage(format!("{}: {why}", path.display())));
    }
    if let Some(path) = &args.curl_file {
        let text = String::from_utf8(asked::file(path, MAX_BODY, cx)?)
            .map_err(|_| Failure::usage(format!("{} is not UTF-8", path.display())))?;
        let words = shell::words(&text).map_err(|why| not_understood(&why))?;
        return from_curl(&words, cx);
    }
    if !args.curl.is_empty() {
        return from_curl(&args.curl, cx);
    }
    if args.request.is_empty() {
        return Err(Failure::usage("no request was given")
            .hint("--method and --url, a curl command behind --, --curl-file, --http-file or --case-file"));
    }
    asked::guarded(&args.request, TokenAt::Elsewhere, cx)
}

fn from_curl(words: &[String], cx: &mut Context<'_>) -> Result<Sent, Failure> {
    let mut failed = None;
    let sent = curl::parse(words, &mut |name| {
        asked::file(&PathBuf::from(name), MAX_BODY, cx).map_err(|failure| {
            let message = failure.message.clone();
            failed = Some(failure);
            message
        })
    });
    sent.map_err(|why| failed.unwrap_or_else(|| not_understood(&why)))
}

fn not_understood(why: &str) -> Failure {
    Failure::usage(format!("the curl command: {why}"))
        .hint("or describe the request with --method, --url, --data-file and --header")
}

/// The answer in the form that is promised.
pub fn checked<'a>(verdict: &'a Verdict<'a>, request: Option<&'a Request>) -> wire::Checked<'a> {
    let (word, reason) = word(&verdict.decision);
    let line = match verdict.decision {
        Decision::Allow { line } => Some(line),
        _ => None,
    };
    wire::Checked {
        verdict: word,
        line,
        reason,
        request: request.map(seen),
        lines: verdict.lines.iter().map(one_line).collect(),
    }
}

/// The verdict as a word, and why.
pub fn word(decision: &Decision) -> (&'static str, Option<String>) {
    match decision {
        Decision::Allow { .. } => ("allow", None),
        Decision::Deny => ("deny", Some("no line allows it".to_owned())),
        Decision::OtherOrigin => (
            "deny",
            Some("it has another origin than patctl.base.url, or another Host than its URL".to_owned()),
        ),
        Decision::BodyUnseen => ("deny", Some(format!("body-unseen: no line allows it; {BODY_UNSEEN_HINT}"))),
        Decision::Malformed(refusal) => ("malformed", Some(refusal.to_string())),
        Decision::RuleError(error) => ("rule-error", Some(error.to_string())),
    }
}

fn seen(request: &Request) -> wire::Seen<'_> {
    let target = request.target.as_ref();
    wire::Seen {
        method: request.method,
        origin: target.and_then(|target| target.origin.as_ref()).map(ToString::to_string),
        path: target.map(|target| target.path.as_str()),
        query: request.query.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        content_type: request.media.as_ref().map(restriction::media::Media::as_str),
    }
}

fn one_line<'a>(line: &'a Line<'a>) -> wire::Line<'a> {
    wire::Line {
        line: line.rule.line,
        rule: &line.rule.text,
        allows: line.holds(),
        parts: line.parts.iter().map(one_part).collect(),
    }
}

fn one_part<'a>(part: &'a Part<'a>) -> wire::Part<'a> {
    let (outcome, reason) = match &part.outcome {
        Outcome::Hit => ("hit", None),
        Outcome::Miss(why) | Outcome::Unseen(why) | Outcome::Unread(why) => ("miss", Some((*why).to_owned())),
        Outcome::Malformed(Refusal { why, .. }) => ("malformed", Some((*why).to_owned())),
        Outcome::NotJudged => ("not-judged", None),
        Outcome::Broken => ("broken", None),
    };
    let seen = part.seen.as_deref();
    let nearest = part.pattern.zip(seen).filter(|_| outcome == "miss").and_then(|(pattern, seen)| {
        let (fits, taken) = pattern.nearest(seen.as_bytes())?;
        let (fits, wanted) = pattern.as_str().split_at_checked(fits)?;
        // Patterns see bytes; a cut in the middle of a character shows it from its beginning.
        let taken = (0..=taken).rev().find(|at| seen.is_char_boundary(*at))?;
        Some(wire::Nearest { fits, wanted, found: &seen[taken..] })
    });
    wire::Part { part: part.kind.as_str(), text: &part.text, outcome, seen, reason, nearest }
}

/// Where a case file or any other input is: for messages.
pub fn called(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}
