//! An examination of a database: everything that is wrong with it, not only the first thing.

use super::audit;
use super::prune::{self, PruneError};
use super::row_findings::{KEY, RESTORE, TO_ALL, is_over, of_addresses, of_misplaced, of_row, revoke};
use crate::domain::chain::{Fault, Terms};
use crate::domain::finding::{Finding, Kind, Step};
use crate::domain::integrity::Damage;
use crate::domain::moment::{Moment, Span};
use crate::domain::policy::Policy;
use crate::domain::restriction::Base;
use crate::store::contract::Result;
use crate::store::examine::{Examine, Identity};
use crate::store::log::EachPiece;
use crate::store::{SchemaFault, StoreError};

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
        doctor.mails();
        doctor.contradictions();
        doctor.misplaced();
        doctor.tombstones();
        doctor.tolerated();
        doctor.space();
    }
    doctor.structure();
    doctor.findings
}

struct Doctor<'d> {
    patient: &'d dyn Examine,
    question: &'d Question<'d>,
    findings: Vec<Finding>,
}

/// Free pages are worth a word from so many bytes on, where they are a quarter of the file.
const SPACE: u64 = 1024 * 1024;

const ACCEPT: [&str; 3] = ["doctor", "--accept-clock", "--yes"];
const FIX: [&str; 2] = ["doctor", "--fix"];

impl Doctor<'_> {
    fn add(&mut self, kind: Kind, subject: &str, why: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding::new(kind, subject, why, mend));
    }

    fn add_by(&mut self, kind: Kind, subject: &str, why: impl Into<String>, mend: &str, step: Step) {
        self.findings.push(Finding::new(kind, subject, why, mend).by([step]));
    }

    fn restore(&mut self, kind: Kind, subject: &str, why: impl Into<String>) {
        self.add_by(kind, subject, why, RESTORE, Step::restore());
    }

    /// What was asked, or the finding that it could not be answered.
    fn ask<T>(&mut self, what: &str, answer: Result<T>) -> Option<T> {
        let error = match answer {
            Ok(answer) => return Some(answer),
            Err(error) => error,
        };
        let why = format!("{what} cannot be read: {}", words(&error));
        let database = self.question.database;
        match error {
            StoreError::Busy | StoreError::Exhausted(_) => self.findings.push(Finding::busy(database, why)),
            StoreError::Permission(_) => self.add(Kind::Permission, database, why, "run as its owner"),
            _ => self.restore(Kind::Unreadable, database, why),
        }
        None
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
                let mend = "name the right one with --db; nothing here is read or changed. If patctl's belongs here: \
                            restore a backup, which moves this one aside";
                let step = Step::Restore(vec!["--replace-foreign".to_owned()]);
                self.add_by(Kind::Foreign, database, "it is the database of another program", mend, step);
            }
            Identity::Unmarked(fault) => {
                let fixed = self.question.fix && self.patient.mark().unwrap_or(false);
                let cure = fault.cure.clone().unwrap_or_default();
                let mend = format!("'patctl doctor --fix' marks it as patctl's; so does this SQL: {cure}");
                let finding =
                    Finding::new(Kind::Foreign, database, fault.to_string(), mend).by([Step::patctl(FIX)]);
                self.findings.push(finding.fixed(fixed.then_some("it is marked as patctl's now")));
                return fixed;
            }
            Identity::Newer { found, known: ours } => {
                let mend = "use the patctl that wrote it, or a newer one";
                self.add(Kind::NewerSchema, database, known(found, ours), mend);
            }
            Identity::Older { found, known: ours } => {
                let mend = "any command brings it up to date; take a backup first if you may want to go back";
                self.add_by(Kind::OlderSchema, database, known(found, ours), mend, Step::patctl(FIX));
            }
            Identity::Altered(faults) => {
                for fault in faults {
                    self.altered(&fault);
                }
                return true;
            }
        }
        false
    }

    /// What may be dropped, or made again, without losing anything: a trigger, a view, an index. A table may hold what
    /// somebody needs, and a restore moves it aside with all the rest.
    fn altered(&mut self, fault: &SchemaFault) {
        let why = format!(
            "{fault}: every command refuses it, because a trigger, a view or an altered table can change an answer"
        );
        let Some(cure) = &fault.cure else { return self.restore(Kind::Schema, self.question.database, why) };
        let finding = Finding::new(Kind::Schema, self.question.database, why, cure);
        if !["trigger ", "view ", "index "].iter().any(|kind| fault.what.starts_with(kind)) {
            self.findings.push(finding.by([Step::restore()]));
            return;
        }
        let fixed = self.question.fix && self.patient.cure(cure).is_ok();
        let mend = format!("'patctl doctor --fix' does this: {cure}");
        let finding = Finding { mend, ..finding }.by([Step::patctl(FIX)]);
        self.findings.push(finding.fixed(fixed.then(|| format!("done: {cure}"))));
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
            let steps: &[Step] = if kept { &[Step::patctl(FIX)] } else { &[] };
            self.findings.push(finding.by(steps).fixed(fixed));
        }
    }

    /// Tables and indexes of other programs.
    fn tolerated(&mut self) {
        let answer = self.patient.tolerated();
        for what in self.ask("its schema", answer).unwrap_or_default() {
            let why =
                format!("{what} is another program's; it changes no answer, and patctl leaves it alone");
            self.add(Kind::Tolerated, self.question.database, why, "nothing is to be done");
        }
    }

    fn space(&mut self) {
        let answer = self.patient.space();
        let Some(space) = self.ask("its size", answer) else { return };
        let free = space.free.saturating_mul(space.page);
        if free < SPACE || free < space.bytes() / 4 {
            return;
        }
        let mib = |bytes: u64| bytes.div_ceil(1024 * 1024);
        let why = format!("{} of {} MiB of the file are free", mib(free), mib(space.bytes()));
        let mend = "'patctl doctor --compact' rewrites the file; nobody can write meanwhile";
        self.add_by(Kind::Space, self.question.database, why, mend, Step::patctl(["doctor", "--compact"]));
    }

    fn structure(&mut self) {
        let answer = self.patient.structure();
        for fault in self.ask("its structure", answer).unwrap_or_default() {
            self.restore(Kind::Structure, self.question.database, fault);
        }
    }

    fn chain(&mut self) {
        let patient = self.patient;
        let terms = Terms { kept: None, retention: Some(self.question.retention) };
        let answer = audit::walk(&|each| patient.examine_chain(each), terms);
        let fault = self.ask("its audit log", answer).and_then(std::result::Result::err);
        // A restore asks for the key, too.
        if let Some(Fault::Head { damage: Damage::NoKey, .. }) = &fault {
            let why = "its head was sealed with a key, and there is none: nobody can say whether it is whole";
            return self.add(Kind::AuditChain, "audit log", why, KEY);
        }
        if let Some(fault) = fault {
            let mend = "compare with a backup or a log kept elsewhere; 'patctl restore FILE' keeps the file that is here";
            self.add_by(Kind::AuditChain, "audit log", fault.to_string(), mend, Step::restore());
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
        self.add_by(Kind::Clock, &now.to_string(), why, mend, Step::patctl(ACCEPT));
    }

    fn rows(&mut self) {
        let base = self.question.base;
        let mut found = Vec::new();
        let mut by_hand = Vec::new();
        let answer = self.patient.examine_rows(&mut |row| {
            if row.revoked && is_over(row.seal) {
                by_hand.push(row.id.to_owned());
            }
            of_row(row, base, &mut found);
        });
        if self.question.fix {
            by_hand.retain(|id| self.patient.confirm_revocation(id).is_ok());
            for finding in found.iter_mut().filter(|finding| by_hand.contains(&finding.subject)) {
                finding.fixed = Some("it is sealed as revoked; nothing else of it is believed".to_owned());
            }
        }
        let more = found.len().saturating_sub(TOLD);
        self.findings.extend(found.into_iter().take(TOLD));
        if more > 0 {
            let why = format!("and {more} more findings about rows");
            self.restore(Kind::Row, self.question.database, why);
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

    /// Notices that somebody else wrote, where notices are sent at all.
    fn mails(&mut self) {
        if self.question.policy.notices.off || self.question.policy.notices.route.is_none() {
            return;
        }
        let answer = self.patient.altered_mails();
        for (id, recipient) in self.ask("its outbox", answer).unwrap_or_default().into_iter().take(TOLD) {
            let why = format!("the notice about it to {recipient} is not what patctl wrote: it is not sent");
            self.add(Kind::Row, &id, why, "patctl notify   (it drops the notice, and sends the others)");
        }
    }

    fn misplaced(&mut self) {
        let answer = self.patient.misplaced();
        let misplaced = self.ask("its audit log", answer).unwrap_or_default();
        self.findings.extend(misplaced.iter().map(of_misplaced));
    }

    fn tombstones(&mut self) {
        let answer = self.patient.tombstones();
        for what in self.ask("its tombstones", answer).unwrap_or_default() {
            let why =
                format!("{what}: not what patctl wrote, so that tokens that were ended here may come back");
            self.restore(Kind::Row, "tombstone", why);
        }
    }

    fn contradictions(&mut self) {
        let answer = self.patient.contradictions();
        for (id, what) in self.ask("its audit log", answer).unwrap_or_default() {
            let why = format!("the audit log says it was {what}, and its row says it was not");
            let (mend, step) = match what {
                // A revocation would not make the log say that it is there.
                "pruned" => (RESTORE.to_owned(), Step::restore()),
                _ => (format!("patctl revoke {id}"), revoke(&id)),
            };
            self.add_by(Kind::Contradiction, &id, why, &mend, step);
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
        | StoreError::Ends(what)
        | StoreError::Exhausted(what)
        | StoreError::Undecided(what)
        | StoreError::Io(what) => what.clone(),
    }
}
