//! An examination of a database: everything that is wrong with it, not only the first thing.

use super::audit;
use super::prune::{self, PruneError};
use crate::domain::chain::Terms;
use crate::domain::finding::{Finding, Kind};
use crate::domain::integrity::Damage;
use crate::domain::moment::{Moment, Span};
use crate::domain::notice::Notices;
use crate::domain::policy::Policy;
use crate::domain::restriction::{Base, Rules};
use crate::domain::verifier::Verifier;
use crate::store::StoreError;
use crate::store::contract::Result;
use crate::store::examine::{Examine, Examined, Identity, Misplaced, Reachable};
use crate::store::log::EachPiece;

/// Rows of one kind that are told one by one: whoever has more needs a backup, not a list.
const TOLD: usize = 100;

/// What the examination is made by.
pub struct Question<'q> {
    /// Which database, for people.
    pub database: &'q str,
    /// The limits.
    pub policy: &'q Policy,
    /// Where the guarded service lives.
    pub base: Option<&'q Base>,
    /// How long rows of the audit log are kept; zero: for ever.
    pub retention: Span,
    /// The clock.
    pub now: Moment,
    /// Whether to mend what is safe to mend.
    pub fix: bool,
}

/// Everything that is wrong with a database. What cannot be looked at is a finding, too, and the next thing is
/// looked at.
#[must_use]
pub fn examine(patient: &dyn Examine, question: &Question<'_>) -> Vec<Finding> {
    let mut doctor = Doctor { patient, question, findings: Vec::new() };
    if doctor.identity() {
        doctor.settings();
        doctor.chain();
        doctor.clock();
        doctor.rows();
        doctor.limits();
        doctor.addresses();
        doctor.contradictions();
        doctor.misplaced();
        doctor.tombstones();
    }
    doctor.structure();
    doctor.findings
}

struct Doctor<'d> {
    patient: &'d dyn Examine,
    question: &'d Question<'d>,
    findings: Vec<Finding>,
}

const RESTORE: &str = "restore a backup: 'patctl restore FILE'";

impl Doctor<'_> {
    fn add(&mut self, kind: Kind, subject: &str, why: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding::new(kind, subject, why, mend));
    }

    /// What was asked, or the finding that it could not be answered.
    fn ask<T>(&mut self, what: &str, answer: Result<T>) -> Option<T> {
        let (database, error) = (self.question.database, answer);
        match error {
            Ok(answer) => Some(answer),
            Err(error) => {
                let mend = match error {
                    StoreError::Busy => "try again",
                    StoreError::Permission(_) => "run as its owner",
                    _ => RESTORE,
                };
                self.add(
                    Kind::Unreadable,
                    database,
                    format!("{what} cannot be read: {}", words(&error)),
                    mend,
                );
                None
            }
        }
    }

    /// Whether there is anything of ours to look at.
    fn identity(&mut self) -> bool {
        let database = self.question.database;
        let identity = self.patient.identity();
        let Some(identity) = self.ask("its schema", identity) else { return false };
        let known =
            |found: i64, known: i64| format!("it has schema {found}, this patctl knows up to {known}");
        match identity {
            Identity::Ours => return true,
            Identity::Foreign => {
                let mend = "name the right one with --db; nothing here is read or changed";
                self.add(Kind::Foreign, database, "it is the database of another program", mend);
            }
            Identity::Unmarked(fault) => {
                let fixed = self.question.fix && self.patient.mark().unwrap_or(false);
                let cure = fault.cure.clone().unwrap_or_default();
                let mend = format!("'patctl doctor --fix' marks it as patctl's; so does this SQL: {cure}");
                let finding = Finding::new(Kind::Foreign, database, fault.to_string(), mend);
                self.findings.push(finding.fixed(fixed.then_some("it is marked as patctl's now")));
                return fixed;
            }
            Identity::Newer { found, known: ours } => {
                let mend = "use the patctl that wrote it, or a newer one";
                self.add(Kind::NewerSchema, database, known(found, ours), mend);
            }
            Identity::Older { found, known: ours } => {
                let mend = "any command brings it up to date; take a backup first if you may want to go back";
                self.add(Kind::OlderSchema, database, known(found, ours), mend);
            }
            Identity::Altered(faults) => {
                for fault in faults {
                    let why = format!(
                        "{fault}: every command refuses it, because a trigger, a view or an altered table can change an answer"
                    );
                    self.add(Kind::Schema, database, why, fault.cure.unwrap_or_else(|| RESTORE.to_owned()));
                }
                return true;
            }
        }
        false
    }

    fn settings(&mut self) {
        let answer = self.patient.odd_settings();
        for odd in self.ask("its settings", answer).unwrap_or_default() {
            let why = format!("{} is {}, where patctl sets {}", odd.name, odd.found, odd.due);
            let kept = odd.name == "journal_mode";
            let mend =
                if kept { "any command sets it again; 'patctl doctor --fix' does now" } else { "report it" };
            let mended = kept && self.question.fix && self.patient.mend_settings().is_ok();
            let fixed = mended.then(|| format!("{} is {} now", odd.name, odd.due));
            let finding = Finding::new(Kind::Setting, self.question.database, why, mend);
            self.findings.push(finding.fixed(fixed));
        }
    }

    fn structure(&mut self) {
        let answer = self.patient.structure();
        for fault in self.ask("its structure", answer).unwrap_or_default() {
            self.add(Kind::Structure, self.question.database, fault, RESTORE);
        }
    }

    fn chain(&mut self) {
        let patient = self.patient;
        let terms = Terms { kept: None, retention: Some(self.question.retention) };
        let answer = audit::walk(&|each| patient.examine_chain(each), terms);
        if let Some(Err(fault)) = self.ask("its audit log", answer) {
            let mend =
                "compare with a backup or a log kept elsewhere; 'patctl restore' keeps the file that is here";
            self.add(Kind::AuditChain, "audit log", fault.to_string(), mend);
        }
    }

    fn clock(&mut self) {
        let patient = self.patient;
        let mark = |each: EachPiece<'_>| patient.examine_chain(each);
        let judged = prune::judge_clock(&|each| patient.moments(each), self.question.now)
            .and_then(|()| prune::judge_mark(&mark, self.question.now));
        let (now, words) = match judged {
            Ok(()) => return,
            Err(PruneError::Clock { now, last }) => {
                (now, format!("the clock says {now}, the last audit row is of {last}"))
            }
            Err(PruneError::Store(error)) => {
                self.ask::<()>("the times of its audit log", Err(error));
                return;
            }
        };
        let why = format!("{words}: what is called expired may be alive, and the other way about");
        let mend = "set the clock of this machine; if it is right: patctl doctor --accept-clock --yes";
        self.add(Kind::Clock, &now.to_string(), why, mend);
    }

    fn rows(&mut self) {
        let base = self.question.base;
        let mut found = Vec::new();
        let answer = self.patient.examine_rows(&mut |row| of_row(row, base, &mut found));
        let more = found.len().saturating_sub(TOLD);
        self.findings.extend(found.into_iter().take(TOLD));
        if more > 0 {
            self.add(
                Kind::Row,
                self.question.database,
                format!("and {more} more findings about rows"),
                RESTORE,
            );
        }
        self.ask("a row", answer);
    }

    fn limits(&mut self) {
        let limit = self.question.policy.max_per_user;
        let answer = self.patient.crowded(limit);
        for (user, count) in self.ask("its tokens", answer).unwrap_or_default() {
            let why =
                format!("holds {count} tokens, {limit} are allowed (atlassian.pats.max.tokens.per.user)");
            let user = user.as_deref().unwrap_or("(any)");
            let mend = "revoke some ('patctl list --user'), prune what expired, or raise the limit";
            self.add(Kind::TooMany, user, why, mend);
        }
    }

    /// Tokens whose end will be announced to no one, where mails are sent at all.
    fn addresses(&mut self) {
        let notices = &self.question.policy.notices;
        if notices.off || notices.route.is_none() {
            return;
        }
        let mut found = Vec::new();
        let answer = self.patient.reachable(self.question.now, &mut |token| {
            found.extend(of_addresses(token, notices));
        });
        let more = found.len().saturating_sub(TOLD);
        self.findings.extend(found.into_iter().take(TOLD));
        if more > 0 {
            let why = format!("and {more} more tokens that no mail reaches");
            self.add(Kind::Unaddressed, self.question.database, why, TO_ALL);
        }
        self.ask("its addresses", answer);
    }

    fn misplaced(&mut self) {
        let answer = self.patient.misplaced();
        for Misplaced { id, row, log } in self.ask("its audit log", answer).unwrap_or_default() {
            let (why, mend) = match row {
                Some(row) if row < log => (
                    format!(
                        "its row is of version {row}, the audit log says {log}: an older row was put back"
                    ),
                    format!("patctl revoke {id}"),
                ),
                Some(row) => (
                    format!(
                        "its row is of version {row}, the audit log says {log}: it was changed past the log"
                    ),
                    format!("patctl revoke {id}"),
                ),
                None => (
                    "its row is gone, and the audit log does not say that it was pruned".to_owned(),
                    RESTORE.to_owned(),
                ),
            };
            self.add(Kind::Contradiction, &id, why, mend);
        }
    }

    fn tombstones(&mut self) {
        let answer = self.patient.tombstones();
        for what in self.ask("its tombstones", answer).unwrap_or_default() {
            let why =
                format!("{what}: not what patctl wrote, so that tokens that were ended here may come back");
            self.add(Kind::Row, "tombstone", why, RESTORE);
        }
    }

    fn contradictions(&mut self) {
        let answer = self.patient.contradictions();
        for (id, what) in self.ask("its audit log", answer).unwrap_or_default() {
            let why = format!("the audit log says it was {what}, and its row says it was not");
            self.add(Kind::Contradiction, &id, why, format!("patctl revoke {id}"));
        }
    }
}

const TO_ALL: &str = "add an address without {user} to patctl.mail.to";

fn of_addresses(token: &Reachable<'_>, notices: &Notices) -> Option<Finding> {
    let recipients = notices.recipients(token.notify_to, token.email, token.user);
    let edit = format!("patctl edit {} --notify-to ADDRESS", token.id);
    if recipients.is_empty() {
        if !token.ends {
            return None;
        }
        let user = token.user.map_or_else(|| "any user".to_owned(), |user| format!("user {user}"));
        let why = format!("no one is told that it ends: {user} has no address to notify");
        let mend = if token.secure { TO_ALL.to_owned() } else { format!("{edit}; or {TO_ALL}") };
        return Some(Finding::new(Kind::Unaddressed, token.id, why, mend));
    }
    let refused =
        token.refused?.split(',').find(|refused| recipients.iter().any(|to| to.as_str() == *refused))?;
    let why = format!("the mail server refuses {refused} for good");
    let mend = if token.secure {
        format!("make {refused} receive mail again, or revoke the token and create another")
    } else {
        edit
    };
    Some(Finding::new(Kind::Undelivered, token.id, why, mend))
}

fn of_row(row: &Examined<'_>, base: Option<&Base>, found: &mut Vec<Finding>) {
    if let Some(why) = &row.unreadable {
        found.push(Finding::new(Kind::Row, row.id, why, RESTORE));
    }
    // What patctl revoked although it was damaged is over, and that much is known.
    if let Err(damage) = row.seal
        && damage != Damage::Ended
    {
        found.push(Finding::new(
            Kind::Row,
            row.id,
            format!("{damage}; no use of it is allowed"),
            if row.revoked { PRUNE.to_owned() } else { mend(damage, row.id) },
        ));
    }
    // What is revoked gives no yes whatever stands beside it.
    if row.revoked {
        return;
    }
    // One that came without a verifier waits for its rotation.
    if row.verifier != Verifier::NONE && Verifier::parse(row.verifier).is_err() {
        let why = "what proves its secret cannot be read; no use of it is allowed";
        found.push(Finding::new(
            Kind::Verifier,
            row.id,
            why,
            format!("patctl revoke {}, and make a new one", row.id),
        ));
    }
    if !row.rules.is_empty()
        && let Err(errors) = Rules::parse(&row.rules.join("\n"), base)
    {
        let first = errors.first().map_or_else(String::new, ToString::to_string);
        let why = format!("a restriction cannot be read, so that no use of it is allowed: {first}");
        let mend = format!("patctl edit {} --restrict …", row.id);
        found.push(Finding::new(Kind::Restriction, row.id, why, mend));
    }
}

const PRUNE: &str = "find out who did it; 'patctl prune' deletes it in time";

fn mend(damage: Damage, id: &str) -> String {
    match damage {
        Damage::NoKey => {
            "set patctl.integrity.key.file to the key it was sealed with; after a restore without the \
                          key, restore again with the key"
                .to_owned()
        }
        Damage::Ended => PRUNE.to_owned(),
        Damage::Unsealed | Damage::Changed | Damage::Unkeyed | Damage::Narrow => {
            format!("patctl revoke {id}, and make a new one; or restore a backup of before")
        }
    }
}

/// What a store said.
fn words(error: &StoreError) -> String {
    match error {
        StoreError::Missing(path) => format!("{} is not there", path.display()),
        StoreError::Unsafe { path, why } => format!("{}: {why}", path.display()),
        StoreError::NewerSchema { found, known } => format!("schema {found}, known up to {known}"),
        StoreError::Altered { id, why } => format!("{id}: {why}"),
        StoreError::Schema(fault) => fault.to_string(),
        StoreError::Busy => "another process holds the database".to_owned(),
        StoreError::Permission(what)
        | StoreError::Damaged(what)
        | StoreError::BadRow(what)
        | StoreError::Exhausted(what)
        | StoreError::Undecided(what)
        | StoreError::Io(what) => what.clone(),
    }
}
