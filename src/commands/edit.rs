//! `patctl edit`: a token changed, field by field.

use super::context::Context;
use super::revoke::one_line;
use super::{asked, stdout_failed};
use crate::cli::{Edit, Format, RuleArgs};
use crate::config::Settings;
use crate::domain::moment::Span;
use crate::domain::notice::{Recipients, RecipientsError};
use crate::domain::text::Optional;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::edit::{self, EditError, Edited, Pick, RuleWish, Wish};
use crate::wire::{self, Token};
use std::io;

pub fn run(args: &Edit, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    if is_empty(args) {
        return Err(Failure::usage("there is nothing to change")
            .hint("say what: --name, --expires, --restrict, --note …; 'patctl edit --help' has all"));
    }
    let settings = cx.settings()?;
    let policy = settings.policy();
    let wish = wish(args, cx, &settings)?;
    let base = settings.base();
    let mut store = cx.open(&settings)?;
    let actor = cx.actor()?;
    let act = cx.act(&policy, &actor);
    let result = if args.dry_run {
        edit::preview(&store, &act, &args.id, &wish, base.as_ref())
    } else {
        edit::edit(&mut store, &act, &args.id, &wish, base.as_ref())
    };
    let edited = result.map_err(|error| match error {
        EditError::Rules(errors) => asked::refused(None, &errors, cx),
        other => other.into(),
    })?;
    answer(cx, &edited, args.dry_run, policy.expiry_warning).map_err(stdout_failed)?;
    Ok(Exit::Yes)
}

fn is_empty(args: &Edit) -> bool {
    let Edit { id: _, dry_run: _, name, expires, rules, add_restrict, remove_restrict, .. } = args;
    let Edit { unrestrict, auth, note, email, notify_to, .. } = args;
    let no_rules = rules.restrict.is_empty() && rules.restrict_file.is_none() && !unrestrict;
    let no_texts = name.is_none() && note.is_none() && email.is_none() && notify_to.is_empty();
    let no_lines = add_restrict.is_empty() && remove_restrict.is_empty();
    no_rules && no_lines && no_texts && expires.is_none() && auth.is_none()
}

fn wish(args: &Edit, cx: &mut Context<'_>, settings: &Settings) -> Result<Wish, Failure> {
    Ok(Wish {
        name: args.name.clone(),
        lifetime: args.expires,
        rules: rule_wish(args, cx, settings)?,
        auth: args.auth,
        note: args.note.clone(),
        email: args.email.clone(),
        notify_to: notify_to(&args.notify_to)?,
    })
}

/// The addresses of all `--notify-to` together; an empty text removes them.
fn notify_to(given: &[Optional<Recipients>]) -> Result<Option<Optional<Recipients>>, Failure> {
    if given.is_empty() {
        return Ok(None);
    }
    let lists: Vec<Recipients> = given.iter().filter_map(|list| list.0.clone()).collect();
    Recipients::join(&lists).map(|all| Some(Optional(all))).map_err(|why| recipients(&why))
}

/// Why addresses are refused.
pub fn recipients(why: &RecipientsError) -> Failure {
    Failure::usage(format!("--notify-to: {why}")).hint("an address of a mailing list reaches more people")
}

fn rule_wish(args: &Edit, cx: &mut Context<'_>, settings: &Settings) -> Result<Option<RuleWish>, Failure> {
    if args.unrestrict {
        return Ok(Some(RuleWish::Lift));
    }
    if let Some(lines) = asked::lines(&args.rules, cx, settings)? {
        return Ok(Some(RuleWish::Replace(lines)));
    }
    if args.add_restrict.is_empty() && args.remove_restrict.is_empty() {
        return Ok(None);
    }
    let added = RuleArgs { restrict: args.add_restrict.clone(), restrict_file: None };
    let add = asked::lines(&added, cx, settings)?.unwrap_or_default();
    Ok(Some(RuleWish::Adjust { remove: args.remove_restrict.iter().map(|text| pick(text)).collect(), add }))
}

/// A number is the number of a line; no rule is one, because what a path matches begins with a slash.
fn pick(text: &str) -> Pick {
    text.parse().map_or_else(|_| Pick::Text(text.trim().to_owned()), Pick::Number)
}

fn answer(cx: &mut Context<'_>, edited: &Edited, dry_run: bool, warning: Span) -> io::Result<()> {
    let (changes, after) = (edited.changes(), &edited.after);
    if cx.screen.format().is_json() {
        let token = Token::new(&after.pat, (cx.clock)(), warning);
        let restrictions = after.rules.as_deref().unwrap_or_default();
        return cx.screen.json(&wire::change::Edited { dry_run, changes, token, restrictions });
    }
    if changes.is_empty() {
        return cx.screen.answer(&format!("nothing changed  {}", one_line(&after.pat)));
    }
    let verb = if dry_run { "would edit" } else { "edited" };
    cx.screen.answer(&format!("{verb}  {}", one_line(&after.pat)))?;
    for (field, was, is) in changes.told() {
        cx.screen.answer(&format!("  {field}: {was} -> {is}"))?;
    }
    Ok(())
}
