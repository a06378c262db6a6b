//! `patctl audit`: who did what, and whether the log of it is whole.

use super::context::Context;
use super::{follow, stdout_failed};
use crate::cli::{Audit, AuditChain, AuditRows, Format};
use crate::domain::audit::Selection;
use crate::domain::chain::{Fault, KeptHead, Sealed, Terms};
use crate::domain::moment::Span;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::log::Events;
use crate::service::audit::{self, Question};
use crate::store::log::Log;
use crate::wire::{Audited, Head};

/// How many rows are shown before what follows.
const BEFORE: u64 = 10;

pub fn run(args: &Audit, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    if args.is_confused() {
        return Err(Failure::usage("the log is whole or not: options that choose rows have no place here")
            .hint("give them to 'patctl audit' itself"));
    }
    match &args.chain {
        None => show(&args.rows, cx),
        Some(AuditChain::Verify { head }) => verify(head.as_ref(), cx),
        Some(AuditChain::Head) => head(cx),
    }
}

fn show(args: &AuditRows, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    if args.follow && cx.screen.format() == Format::Json {
        return Err(Failure::usage("an array that never ends is no JSON").hint("use --output jsonl"));
    }
    let settings = cx.settings()?;
    let store = cx.look(&settings)?;
    let selection = args.selection((cx.clock)());
    let few = (args.follow && args.since.is_none() && args.after.is_none()).then_some(BEFORE);
    let limit = args.limit.or(few);
    let question = Question { selection: &selection, newest_first: args.reverse, after: args.after, limit };
    let mut events = Events::new(&mut cx.screen);
    let last = audit::rows(&store, &question, &mut |record| events.push(record))?;
    if let Some(after) = args.after.filter(|after| *after > last) {
        return Err(Failure::new(Exit::No, "no-such-row", format!("the log ends before row {after}"))
            .hint("that row was read from another database, or rows were cut off: 'patctl audit verify'"));
    }
    if args.follow {
        let (heard, begun) = (events.pause().map_err(stdout_failed)?, events.has_begun());
        drop(events);
        if heard {
            follow::follow(cx, &settings, &selection, follow::Following { store, last, begun })?;
        }
        return Ok(Exit::Yes);
    }
    let count = events.finish().map_err(stdout_failed)?;
    if count == 0 && cx.screen.format() == Format::Table {
        let all = selection == Selection::default() && args.after.is_none();
        cx.screen.say(if all { "the audit log is empty" } else { "no row matches" });
    }
    Ok(Exit::Yes)
}

fn verify(kept: Option<&KeptHead>, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    let store = cx.look(&settings)?;
    let terms = Terms { kept, retention: Some(settings.audit_retention().unwrap_or(Span::ZERO)) };
    let found = audit::verify(&store, terms)?;
    if cx.screen.format().is_json() {
        cx.screen.json(&Audited::from(&found)).map_err(stdout_failed)?;
        return Ok(if found.is_ok() { Exit::Yes } else { Exit::No });
    }
    let whole = found.map_err(|fault| broken(&fault))?;
    let rows = if whole.rows == 1 { "1 row".to_owned() } else { format!("{} rows", whole.rows) };
    let deleted = match whole.deleted {
        0 => String::new(),
        to => format!(", behind the {to} that retention deleted"),
    };
    cx.screen.answer(&format!("intact: {rows}{deleted}")).map_err(stdout_failed)?;
    Ok(Exit::Yes)
}

fn broken(fault: &Fault) -> Failure {
    let failure = Failure::new(Exit::No, fault.as_str(), format!("the audit log is not whole: {fault}"));
    failure.hint(match fault {
        Fault::TooOld { .. } => "keep a head at least as often as 'patctl prune' deletes audit rows",
        Fault::Early { .. } => {
            "if retention was shorter then, give a head that was kept since (--head), or seal the log with \
             patctl.integrity.key.file"
        }
        Fault::Cut { .. } | Fault::Rewritten { .. } => {
            "compare it with a backup, if the head is of this very database"
        }
        _ => "compare it with a backup: somebody wrote to the database past patctl",
    })
}

fn head(cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Jsonl])?;
    let settings = cx.settings()?;
    let store = cx.look(&settings)?;
    // A head that outlived the row it names would raise an alarm at every later look.
    let Sealed { head, seal, .. } = store.head()?;
    store.settle();
    if !head.last.is_whole() {
        return Err(broken(&Fault::Unhashed { seq: head.last.seq }));
    }
    seal.map_err(|damage| broken(&Fault::Head { seq: head.last.seq, damage }))?;
    if cx.screen.format().is_json() {
        cx.screen.json(&Head::from(head.kept())).map_err(stdout_failed)?;
    } else {
        cx.screen.line(&head.kept().to_string()).map_err(stdout_failed)?;
        if cx.screen.has_a_person() {
            let after = head.last.seq;
            cx.screen
                .say(&format!("  hint: 'patctl audit --after {after}' shows the rows that come after it"));
        }
    }
    Ok(Exit::Yes)
}
