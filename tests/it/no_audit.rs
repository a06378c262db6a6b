//! A real store in which one thing fails: the writing of an audit row.

use patctl::domain::actor::{Actor, Authority, ClientAddress, RequestMeta};
use patctl::domain::audit::{Entry, Record, Selection};
use patctl::domain::cache::{CacheLimits, Proved};
use patctl::domain::chain::Sealed as SealedHead;
use patctl::domain::dice::Dice;
use patctl::domain::id::IdPrefix;
use patctl::domain::integrity::{IntegrityKey, Sealer};
use patctl::domain::moment::Moment;
use patctl::domain::notice::Notice;
use patctl::domain::pat::Pat;
use patctl::domain::policy::Policy;
use patctl::domain::presented::Presented;
use patctl::domain::token::TokenId;
use patctl::domain::tombstone::Tombstone;
use patctl::domain::verifier::{Verifier, Work};
use patctl::service::{Act, scan, verify};
use patctl::store::carry::Carry;
use patctl::store::census::{Census, Counts};
use patctl::store::contract::EachPat;
use patctl::store::intake::{Brought, EachExported, Export, Intake, Origin, Origins};
use patctl::store::integrity::{Adopted, Reseal, Sealed};
use patctl::store::log::{Cut, EachPiece, Log, Outdated, Page, Trim};
use patctl::store::outbox::{Fate, Outbox, OutboxChange, Posted, Turn};
use patctl::store::sqlite::SqliteStore;
use patctl::store::survey::{Choice, Survey, Surveyor};
use patctl::store::{
    Amend, Amended, Basis, Durability, Evidence, NewPat, Query, Read, Row, Store, StoreError, Stored,
    Succession, Transaction,
};
use std::ops::Deref;
use std::path::Path;

/// A store, or a transaction of it, that writes everything but the audit row.
struct RefusesAudit<T>(T);

/// Whether a token is good, in the words of a `verify` whose audit row cannot be written.
pub fn judged_without_audit(db: &Path, token: &str) -> Result<bool, StoreError> {
    let mut store = RefusesAudit(Box::new(SqliteStore::open(db)?));
    let policy = Policy::default();
    let actor = Actor::Local { uid: 0, name: "a".to_owned(), login_uid: None };
    let now = crate::harness::moment("2026-11-21");
    let mut dice = Dice::system();
    let item = crate::harness::plain_use(token, actor);
    let context = verify::VerifyContext {
        policy: &policy,
        base: None,
        cache: None,
        durability: Durability::Full,
        clock: &|| now,
    };
    verify::verify(&mut store, &context, &mut dice, item).map(|verdict| verdict.answer.is_ok())
}

/// Takes back a token that was found, where the audit row cannot be written.
pub fn taken_back_without_audit(db: &Path, token: &str) -> Result<Vec<Pat>, StoreError> {
    let mut store = RefusesAudit(Box::new(SqliteStore::open(db)?));
    let policy = Policy::default();
    let actor = Actor::Local { uid: 0, name: "a".to_owned(), login_uid: None };
    let now = crate::harness::moment("2026-11-21");
    let act = Act {
        policy: &policy,
        actor: &actor,
        authority: &Authority::Administrator,
        meta: &RequestMeta::NONE,
        clock: &|| now,
    };
    let presented = Presented::parse(token.as_bytes()).ok();
    let mut standings = scan::judge(&store, &[presented], &|| ())?;
    assert!(standings[0].is_live(now), "it is known, and live");
    let done = scan::take_back(&mut store, &act, &mut standings, &"found".parse().expect("a note"));
    done.map(|(revoked, _)| revoked)
}

impl<T: Deref<Target = R>, R: Read + ?Sized> Read for RefusesAudit<T> {
    fn token(&self, id: TokenId) -> Result<Option<Stored>, StoreError> {
        self.0.token(id)
    }
    fn pat(&self, id: TokenId) -> Result<Option<Pat>, StoreError> {
        self.0.pat(id)
    }
    fn evidence(&self, id: TokenId) -> Result<Option<Evidence>, StoreError> {
        self.0.evidence(id)
    }
    fn restrictions(&self, id: TokenId) -> Result<Vec<String>, StoreError> {
        self.0.restrictions(id)
    }
    fn sealed(&self, id: TokenId) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.sealed(id)
    }
    fn installation(&self) -> Result<String, StoreError> {
        self.0.installation()
    }
    fn with_prefix(&self, prefix: &IdPrefix, limit: u32) -> Result<Vec<Pat>, StoreError> {
        self.0.with_prefix(prefix, limit)
    }
    fn list(&self, query: &Query<'_>, each: EachPat<'_>) -> Result<(), StoreError> {
        self.0.list(query, each)
    }
    fn list_checked(&self, query: &Query<'_>, each: EachPat<'_>) -> Result<(), StoreError> {
        self.0.list_checked(query, each)
    }
    fn held(&self, user: Option<&str>) -> Result<u64, StoreError> {
        self.0.held(user)
    }
    fn work_near(&self, id: TokenId) -> Result<Option<Work>, StoreError> {
        self.0.work_near(id)
    }

    fn mark(&self) -> Result<Moment, StoreError> {
        self.0.mark()
    }
}

impl<T: Deref<Target = R>, R: Outbox + ?Sized> Outbox for RefusesAudit<T> {
    fn due(&self, turn: Turn, after: i64, limit: u32) -> Result<Vec<Row>, StoreError> {
        self.0.due(turn, after, limit)
    }
    fn open_mails(&self, recipient: Option<&str>, limit: u32) -> Result<Vec<Posted>, StoreError> {
        self.0.open_mails(recipient, limit)
    }
    fn waiting_recipients(&self) -> Result<Vec<String>, StoreError> {
        self.0.waiting_recipients()
    }
}

impl Carry for RefusesAudit<Box<dyn Transaction + '_>> {
    fn carry(&mut self, pat: &Pat, rules: &[String]) -> Result<bool, StoreError> {
        self.0.carry(pat, rules)
    }
}

impl Sealed for RefusesAudit<Box<SqliteStore>> {
    fn sealer(&self) -> &Sealer {
        self.0.sealer()
    }
    fn seal_with(&mut self, sealer: Sealer) {
        self.0.seal_with(sealer);
    }
}

impl Reseal for RefusesAudit<Box<dyn Transaction + '_>> {
    fn adopt(&mut self, key: &IntegrityKey) -> Result<Adopted, StoreError> {
        self.0.adopt(key)
    }
    fn widen(&mut self) -> Result<Option<u64>, StoreError> {
        self.0.widen()
    }
    fn adopt_head(&mut self) -> Result<bool, StoreError> {
        self.0.adopt_head()
    }
}

impl<T: Deref<Target = R>, R: Origins + ?Sized> Origins for RefusesAudit<T> {
    fn origin(&self, id: TokenId) -> Result<Option<Origin>, StoreError> {
        self.0.origin(id)
    }
    fn tombstone(&self, id: TokenId) -> Result<Option<Tombstone>, StoreError> {
        self.0.tombstone(id)
    }
}

impl Export for RefusesAudit<Box<SqliteStore>> {
    fn exported(&self, each: EachExported<'_>) -> Result<(), StoreError> {
        self.0.exported(each)
    }
}

impl Intake for RefusesAudit<Box<dyn Transaction + '_>> {
    fn check_ends(&self) -> Result<(), StoreError> {
        self.0.check_ends()
    }
    fn announce(&mut self, count: u64) -> Result<(), StoreError> {
        self.0.announce(count)
    }
    fn bring_back(&mut self, id: TokenId) -> Result<bool, StoreError> {
        self.0.bring_back(id)
    }
    fn bring(&mut self, brought: &Brought<'_>) -> Result<bool, StoreError> {
        self.0.bring(brought)
    }
}

impl Census for RefusesAudit<Box<SqliteStore>> {
    fn census(&self, choice: &Choice<'_>) -> Result<Counts, StoreError> {
        self.0.census(choice)
    }
}

impl Survey for RefusesAudit<Box<SqliteStore>> {
    fn survey(&self, choice: &Choice<'_>, into: &mut dyn Surveyor) -> Result<Option<Moment>, StoreError> {
        self.0.survey(choice, into)
    }
}

impl OutboxChange for RefusesAudit<Box<dyn Transaction + '_>> {
    fn post(&mut self, notice: &Notice) -> Result<(), StoreError> {
        self.0.post(notice)
    }
    fn had_turn(&mut self, row: &Row, turn: Turn) -> Result<bool, StoreError> {
        self.0.had_turn(row, turn)
    }
    fn claim(&mut self, seq: i64) -> Result<bool, StoreError> {
        self.0.claim(seq)
    }
    fn settle(&mut self, seq: i64, fate: Fate<'_>) -> Result<(), StoreError> {
        self.0.settle(seq, fate)
    }
    fn drop_mails(&mut self, why: &str) -> Result<u64, StoreError> {
        self.0.drop_mails(why)
    }
    fn forget_mails(&mut self, before: Moment) -> Result<u64, StoreError> {
        self.0.forget_mails(before)
    }
}

impl Store for RefusesAudit<Box<SqliteStore>> {
    fn history(&self, id: TokenId, limit: u32) -> Result<Vec<Record>, StoreError> {
        self.0.history(id, limit)
    }
    fn prunable(&self, before: Moment, after: i64, limit: u32) -> Result<Vec<Row>, StoreError> {
        self.0.prunable(before, after, limit)
    }
    fn last_prunable(&self, before: Moment, after: i64, limit: u32) -> Result<Option<i64>, StoreError> {
        self.0.last_prunable(before, after, limit)
    }
    fn users(&self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        self.0.users(prefix, limit)
    }
    fn spellings(&self, user: &str) -> Result<Vec<(String, u64)>, StoreError> {
        self.0.spellings(user)
    }
    fn begin(&mut self, durability: Durability) -> Result<Box<dyn Transaction + '_>, StoreError> {
        Ok(Box::new(RefusesAudit(self.0.begin(durability)?)))
    }
}

impl Log for RefusesAudit<Box<SqliteStore>> {
    fn records(&self, page: &Page<'_>) -> Result<Vec<Record>, StoreError> {
        self.0.records(page)
    }
    fn first_of(&self, selection: &Selection, most: u64) -> Result<Option<i64>, StoreError> {
        self.0.first_of(selection, most)
    }
    fn chain(&self, each: EachPiece<'_>) -> Result<(), StoreError> {
        self.0.chain(each)
    }
    fn head(&self) -> Result<SealedHead, StoreError> {
        self.0.head()
    }
    fn settle(&self) {
        self.0.settle();
    }
    fn since_change(&self, each: &mut dyn FnMut(Moment)) -> Result<(), StoreError> {
        self.0.since_change(each)
    }
    fn outdated(&self, before: Moment, now: Moment) -> Result<Option<Outdated>, StoreError> {
        self.0.outdated(before, now)
    }
}

impl Trim for RefusesAudit<Box<dyn Transaction + '_>> {
    fn latest(&self) -> Moment {
        self.0.latest()
    }
    fn accept_clock(&mut self) {
        self.0.accept_clock();
    }
    fn trim(&mut self, upto: i64, most: u32, now: Moment) -> Result<Option<Cut>, StoreError> {
        self.0.trim(upto, most, now)
    }
}

impl Transaction for RefusesAudit<Box<dyn Transaction + '_>> {
    fn insert(&mut self, pat: &NewPat<'_>) -> Result<bool, StoreError> {
        self.0.insert(pat)
    }
    fn revoke(&mut self, id: TokenId, at: Moment, reason: Option<&str>) -> Result<bool, StoreError> {
        self.0.revoke(id, at, reason)
    }
    fn is_as_read(&self, id: TokenId, basis: &Basis) -> Result<bool, StoreError> {
        self.0.is_as_read(id, basis)
    }
    fn touch(&mut self, id: TokenId, at: Moment, client: Option<ClientAddress>) -> Result<(), StoreError> {
        self.0.touch(id, at, client)
    }
    fn renew(&mut self, id: TokenId, old: &Verifier, new: &Verifier) -> Result<(), StoreError> {
        self.0.renew(id, old, new)
    }
    fn remember(&mut self, id: TokenId, proved: &Proved, limits: CacheLimits) -> Result<(), StoreError> {
        self.0.remember(id, proved, limits)
    }
    fn prune(&mut self, before: Moment, after: i64, upto: i64, at: Moment) -> Result<Vec<Pat>, StoreError> {
        self.0.prune(before, after, upto, at)
    }
    fn audit(&mut self, _: &Entry<'_>) -> Result<(), StoreError> {
        Err(StoreError::Io("no room".to_owned()))
    }
    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.0.commit()
    }
}

impl Amend for RefusesAudit<Box<dyn Transaction + '_>> {
    fn disable(&mut self, id: TokenId, at: Moment) -> Result<bool, StoreError> {
        self.0.disable(id, at)
    }
    fn enable(&mut self, id: TokenId) -> Result<bool, StoreError> {
        self.0.enable(id)
    }
    fn amend(&mut self, id: TokenId, to: &Amended<'_>) -> Result<bool, StoreError> {
        self.0.amend(id, to)
    }
    fn succeed(&mut self, succession: &Succession) -> Result<bool, StoreError> {
        self.0.succeed(succession)
    }
    fn reinstate(&mut self, old: TokenId, new: TokenId, at: Moment) -> Result<bool, StoreError> {
        self.0.reinstate(old, new, at)
    }
    fn switch(&mut self, new: TokenId, at: Moment) -> Result<Option<TokenId>, StoreError> {
        self.0.switch(new, at)
    }
    fn reused(&mut self, id: TokenId, at: Moment) -> Result<(), StoreError> {
        self.0.reused(id, at)
    }
}
