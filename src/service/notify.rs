//! The mails about the end of tokens, and the sending of all that wait.

use super::{Act, notice};
use crate::domain::audit::{Action, Entry};
use crate::domain::moment::{Moment, Span};
use crate::domain::notice::{Mailbox, Notice};
use crate::mail::{Courier, Delivery, Letter};
use crate::store::contract::Result;
use crate::store::outbox::{Fate, Posted, Step, Turn};
use crate::store::{Durability, Store};

/// Tokens of one transaction: few, so that a `verify` beside it never waits long.
const STEP: u32 = 500;

/// How long after its cause a refused mail is tried again. The mail system's own queues give up after
/// four or five days (RFC 5321, 4.5.4.1).
const GIVE_UP: Span = Span::days(7);

/// How long the rows of mails are kept that wait for nothing.
const KEEP: Span = Span::days(90);

fn turn(step: Step, act: &Act<'_>, now: Moment) -> Turn {
    Turn { step, now, warning: act.policy.expiry_warning }
}

/// Notes every token whose turn it is, and writes its mail into the outbox in the same transaction:
/// first those that have expired, then those that will soon. A token has each turn once, whether or not
/// mail is on and whether or not anybody gets it. Answers how many had theirs.
///
/// # Errors
/// What the database gave; the steps before are committed.
pub fn find(store: &mut dyn Store, act: &Act<'_>) -> Result<u64> {
    let mut found = 0;
    for step in Step::ALL {
        let turn = turn(step, act, (act.clock)());
        // Looked for outside the lock first: mostly there is nothing.
        while !store.due(turn, 1)?.is_empty() {
            let mut change = store.begin(Durability::Full)?;
            let rows = change.due(turn, STEP)?;
            for row in &rows {
                if change.had_turn(row, turn)? {
                    notice::enqueue(change.as_mut(), act, &row.pat, step.kind())?;
                }
            }
            change.commit()?;
            found += rows.len() as u64;
        }
    }
    Ok(found)
}

/// The mails that a run now would send: those that wait, then those it would find. With mail off: none.
///
/// # Errors
/// What the database gave.
pub fn preview(store: &dyn Store, act: &Act<'_>) -> Result<Vec<Notice>> {
    if act.policy.notices.off {
        return Ok(Vec::new());
    }
    let now = (act.clock)();
    let mut mails: Vec<Notice> = store
        .open_mails(0, u32::MAX)?
        .into_iter()
        .filter(|posted| !given_up(posted, now))
        .map(|posted| posted.notice)
        .collect();
    for step in Step::ALL {
        let rows = store.due(turn(step, act, now), u32::MAX)?;
        mails.extend(rows.iter().filter_map(|row| notice::notice(act.policy, now, &row.pat, step.kind())));
    }
    Ok(mails)
}

/// Drops what waits, because mail is off: it is not sent later either. Answers how many there were.
///
/// # Errors
/// What the database gave.
pub fn drop_all(store: &mut dyn Store) -> Result<u64> {
    if store.open_mails(0, 1)?.is_empty() {
        return Ok(0);
    }
    let mut change = store.begin(Durability::Full)?;
    let count = change.drop_mails("mail is off")?;
    change.commit()?;
    Ok(count)
}

/// Deletes the rows of mails that were settled long ago.
///
/// # Errors
/// What the database gave.
pub fn forget(store: &mut dyn Store, act: &Act<'_>) -> Result<u64> {
    let mut change = store.begin(Durability::Full)?;
    let count = change.forget_mails((act.clock)().saturating_minus(KEEP))?;
    change.commit()?;
    Ok(count)
}

/// What became of a mail in one run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tried {
    /// It was handed to the courier.
    Delivered(Delivery),
    /// It was refused for too long, and is not tried again.
    GivenUp,
}

/// Sends what waits; `each` is told what became of each. A mail is taken in hand by a committed
/// transaction before it is sent, and settled by another one with the audit row: whoever dies between the
/// two leaves it uncertain, and nobody sends it twice. Answers how many are left for the next run because
/// this one ended early.
///
/// # Errors
/// What the database gave; a mail in hand then stays uncertain.
pub fn send(
    store: &mut dyn Store,
    act: &Act<'_>,
    from: &Mailbox,
    courier: &mut dyn Courier,
    each: &mut dyn FnMut(&Posted, &Tried),
) -> Result<u64> {
    let mut after = 0;
    while let Some(posted) = store.open_mails(after, 1)?.pop() {
        after = posted.seq;
        let mut change = store.begin(Durability::Full)?;
        if !change.claim(posted.seq)? {
            continue;
        }
        let now = (act.clock)();
        if given_up(&posted, now) {
            change.settle(posted.seq, Fate::Dropped("refused for too long"))?;
            change.commit()?;
            each(&posted, &Tried::GivenUp);
            continue;
        }
        change.commit()?;
        let delivery = courier.deliver(&Letter::new(posted.seq, &posted.notice, from), now);
        settle(store, act, &posted, &delivery)?;
        let ends = delivery.ends_the_run();
        each(&posted, &Tried::Delivered(delivery));
        if ends {
            return Ok(store.open_mails(after, u32::MAX)?.len() as u64);
        }
    }
    Ok(0)
}

fn given_up(posted: &Posted, now: Moment) -> bool {
    posted.refused && posted.notice.at < now.saturating_minus(GIVE_UP)
}

fn settle(store: &mut dyn Store, act: &Act<'_>, posted: &Posted, delivery: &Delivery) -> Result<()> {
    let Notice { kind, recipient, token_id, user, .. } = &posted.notice;
    let mut change = store.begin(Durability::Full)?;
    let (fate, left) = match delivery {
        Delivery::Sent => (Fate::Sent, Some("")),
        Delivery::Uncertain(why) => (Fate::Uncertain(why), Some(", without an answer")),
        Delivery::Refused(why) | Delivery::Unreachable(why) => (Fate::Refused(why), None),
    };
    change.settle(posted.seq, fate)?;
    if let Some(left) = left {
        let detail = format!("{} to {recipient}{left}", kind.as_str());
        let entry = act.done((act.clock)(), Action::Notify, token_id, user.as_deref());
        change.audit(&Entry { detail: Some(&detail), ..entry })?;
    }
    change.commit()
}
