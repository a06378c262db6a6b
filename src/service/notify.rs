//! The mails about the end of tokens, and the sending of all that wait: one mail for each recipient and run.

use super::{Act, notice};
use crate::domain::audit::{Action, Entry};
use crate::domain::moment::{Moment, Span};
use crate::domain::notice::{Kind, Mailbox, Notice};
use crate::domain::pat::Pat;
use crate::mail::{Courier, Delivery, Letter};
use crate::store::contract::Result;
use crate::store::outbox::{Fate, Posted, Step, Turn};
use crate::store::{Durability, Row, Store};
use std::collections::HashMap;

/// Tokens of one transaction: few, so that a `verify` beside it never waits long.
const STEP: u32 = 500;

/// Notices of one mail, and so of one transaction. A recipient with more gets another mail.
const IN_A_MAIL: u32 = 10_000;

/// How long after its cause a refused mail is tried again. The mail system's own queues give up after
/// four or five days (RFC 5321, 4.5.4.1).
const GIVE_UP: Span = Span::days(7);

/// How long the rows of mails are kept that wait for nothing.
const KEEP: Span = Span::days(90);

/// Tokens without an address that are named; the others are counted.
const NAMED: usize = 1000;

/// Tokens whose turn it is to have a mail, and that have no address it could go to. Their turn stays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Unaddressed {
    /// How many.
    pub count: u64,
    /// The first of them, and what their mail would be about.
    pub first: Vec<(Kind, Pat)>,
}

impl Unaddressed {
    fn add(&mut self, kind: Kind, pat: &Pat) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push((kind, pat.clone()));
        }
    }
}

fn turn(step: Step, act: &Act<'_>, now: Moment) -> Turn {
    Turn { step, now, warning: act.policy.expiry_warning }
}

/// Marks every token whose turn it is, and writes its mails into the outbox in the same transaction:
/// first the tokens that have expired, then those that will soon. With mail off a token has its turn, too, and no
/// mail. A token without an address keeps its turn, and is returned.
///
/// # Errors
/// Returns the store's error; the steps before are committed.
pub fn find(store: &mut dyn Store, act: &Act<'_>) -> Result<Unaddressed> {
    let mut unaddressed = Unaddressed::default();
    let off = act.policy.notices.off;
    for step in Step::ALL {
        let turn = turn(step, act, (act.clock)());
        let addressed = |row: &Row| off || notice::has_recipient(act.policy, &row.pat);
        let mut after = 0;
        loop {
            // Read outside the lock first: mostly there is nothing to do.
            let rows = store.due(turn, after, STEP)?;
            let Some(last) = rows.last() else { break };
            let from = std::mem::replace(&mut after, last.seq);
            if rows.iter().any(addressed) {
                let mut change = store.begin(Durability::Full)?;
                for row in change.due(turn, from, STEP)?.iter().filter(|row| addressed(row)) {
                    if change.had_turn(row, turn)? {
                        notice::enqueue(change.as_mut(), act, &row.pat, step.kind())?;
                    }
                }
                change.commit()?;
            }
            rows.iter().filter(|row| !addressed(row)).for_each(|row| unaddressed.add(step.kind(), &row.pat));
        }
    }
    Ok(unaddressed)
}

/// The mails that a run now would send, each with its notices: those that wait, and those it would find. With
/// mail off: none.
///
/// # Errors
/// Returns the store's error.
pub fn preview(store: &dyn Store, act: &Act<'_>) -> Result<(Vec<Vec<Notice>>, Unaddressed)> {
    let mut unaddressed = Unaddressed::default();
    if act.policy.notices.off {
        return Ok((Vec::new(), unaddressed));
    }
    let now = (act.clock)();
    let mut notices: Vec<Notice> = store
        .open_mails(None, u32::MAX)?
        .into_iter()
        .filter(|posted| posted.seal.is_ok() && !given_up(posted, now))
        .map(|posted| posted.notice)
        .collect();
    for step in Step::ALL {
        for row in store.due(turn(step, act, now), 0, u32::MAX)? {
            let found = notice::notices(act.policy, now, &row.pat, step.kind());
            if found.is_empty() {
                unaddressed.add(step.kind(), &row.pat);
            }
            notices.extend(found);
        }
    }
    Ok((by_recipient(notices), unaddressed))
}

/// The notices of each recipient, in the order in which the recipients come first.
fn by_recipient(notices: Vec<Notice>) -> Vec<Vec<Notice>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut mails: Vec<Vec<Notice>> = Vec::new();
    for notice in notices {
        let place = *places.entry(notice.recipient.clone()).or_insert(mails.len());
        match mails.get_mut(place) {
            Some(mail) => mail.push(notice),
            None => mails.push(vec![notice]),
        }
    }
    mails
}

/// Drops what waits, because mail is off: it is not sent later either. Answers how many there were.
///
/// # Errors
/// What the database gave.
pub fn drop_all(store: &mut dyn Store) -> Result<u64> {
    if store.open_mails(None, 1)?.is_empty() {
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
    /// It is not what patctl wrote, and is not sent.
    Altered,
}

/// Receives what became of each mail, with its notices.
pub type EachMail<'a> = &'a mut dyn FnMut(&[Posted], &Tried);

/// Sends what waits, one mail for each recipient. Its rows are claimed in one transaction, and their fate is recorded
/// with the audit rows in a second one after the mail was handed over; a crash between the two leaves them
/// uncertain, and they are never sent twice. Recipients that refused a mail before come last, so that they hold up
/// no one else. Returns how many recipients are left for the next run because this one ended early.
///
/// # Errors
/// Returns the store's error; the mail in hand then stays uncertain.
pub fn send(
    store: &mut dyn Store,
    act: &Act<'_>,
    from: &Mailbox,
    courier: &mut dyn Courier,
    each: EachMail<'_>,
) -> Result<u64> {
    let recipients = store.waiting_recipients()?;
    for (place, recipient) in recipients.iter().enumerate() {
        loop {
            let claimed = claim(store, act, recipient, each)?;
            if claimed.is_empty() {
                break;
            }
            let rows: Vec<(i64, &Notice)> =
                claimed.iter().map(|posted| (posted.seq, &posted.notice)).collect();
            let delivery = courier.deliver(&Letter::new(&rows, from), (act.clock)());
            settle(store, act, &claimed, &delivery)?;
            let (ends, was_sent) = (delivery.ends_the_run(), delivery == Delivery::Sent);
            each(&claimed, &Tried::Delivered(delivery));
            if ends {
                return Ok((recipients.len() - place - 1) as u64);
            }
            if !was_sent || (claimed.len() as u64) < u64::from(IN_A_MAIL) {
                break;
            }
        }
    }
    Ok(0)
}

/// Claims the notices for one recipient that another run has not claimed, and gives up those that were refused for
/// too long.
fn claim(store: &mut dyn Store, act: &Act<'_>, recipient: &str, each: EachMail<'_>) -> Result<Vec<Posted>> {
    let now = (act.clock)();
    let mut change = store.begin(Durability::Full)?;
    let (mut claimed, mut old, mut altered) = (Vec::new(), Vec::new(), Vec::new());
    for posted in change.open_mails(Some(recipient), IN_A_MAIL)? {
        if posted.seal.is_err() {
            // It was not tried: nobody refused it.
            change.settle(posted.seq, Fate::Dropped("not what patctl wrote"))?;
            altered.push(posted);
            continue;
        }
        if !change.claim(posted.seq)? {
            continue;
        }
        if given_up(&posted, now) {
            change.settle(posted.seq, Fate::Dropped("refused for too long"))?;
            old.push(posted);
        } else {
            claimed.push(posted);
        }
    }
    change.commit()?;
    if !altered.is_empty() {
        each(&altered, &Tried::Altered);
    }
    if !old.is_empty() {
        each(&old, &Tried::GivenUp);
    }
    Ok(claimed)
}

fn given_up(posted: &Posted, now: Moment) -> bool {
    posted.refused && posted.notice.at < now.saturating_minus(GIVE_UP)
}

fn settle(store: &mut dyn Store, act: &Act<'_>, mail: &[Posted], delivery: &Delivery) -> Result<()> {
    let mut change = store.begin(Durability::Full)?;
    let (fate, left) = match delivery {
        Delivery::Sent => (Fate::Sent, Some("")),
        Delivery::Uncertain(why) => (Fate::Uncertain(why), Some(", without an answer")),
        Delivery::Rejected(why) => (Fate::Dropped(why), Some(", refused for good")),
        Delivery::Refused(why) | Delivery::Unreachable(why) | Delivery::Unasked(why) => {
            (Fate::Refused(why), None)
        }
    };
    let mut details = Vec::new();
    for posted in mail {
        // Who had it refused before has it refused still, and no one else.
        let fate = match delivery {
            Delivery::Unasked(why) if !posted.refused => Fate::Waiting(why),
            _ => fate,
        };
        change.settle(posted.seq, fate)?;
        if let Some(left) = left {
            details.push(format!("{} to {}{left}", posted.notice.kind.as_str(), posted.notice.recipient));
        }
    }
    let now = (act.clock)();
    let entries: Vec<Entry<'_>> = mail
        .iter()
        .zip(&details)
        .map(|(posted, detail)| {
            let Notice { token_id, user, .. } = &posted.notice;
            Entry { detail: Some(detail), ..act.done(now, Action::Notify, token_id, user.as_deref()) }
        })
        .collect();
    change.audit_all(&entries)?;
    change.commit()
}
