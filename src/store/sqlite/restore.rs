//! A backup on its way to be the database again: copied beside it, brought up to date, made to know what the
//! database that is there knows, and then written over it page by page in one transaction.

use super::draft::{Copy, Draft};
use super::examine::Patient;
use super::{
    PATIENTLY, Result, aside, checkpoint, failed, fold_wholly, head, log, merge, open, reads, rows, schema,
    space,
};
use crate::domain::audit::Entry;
use crate::domain::chain::KeptHead;
use crate::domain::integrity::Sealer;
use crate::domain::moment::Moment;
use crate::store::backup::{EachStep, Meeting, Merged, Restoration};
use rusqlite::Connection;
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// A backup that is to be restored.
pub struct Candidate {
    patient: Patient,
    draft: Draft,
    /// Whether the database that is there is open beside it.
    attached: Cell<bool>,
}

impl Candidate {
    /// Copies a backup to a draft beside the database it is for, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when it is not safe to open, not ours, or newer.
    pub fn read(backup: &Path, database: &Path, sealer: Sealer, each: EachStep<'_>) -> Result<Self> {
        open::fit_directory(database)?;
        let draft = Draft::beside(database)?;
        let from = open::backup(backup)?;
        let mut db = draft.connect()?;
        Copy::new(&from, "main", &mut db)?.finish(each)?;
        draft.is_what_was_made()?;
        // Nobody else has it: no log beside it, and nothing on the disk before it is whole.
        let set = |db: &Connection, name: &str, value: &str| {
            db.pragma_update_and_check(None, name, value, |_| Ok(())).map_err(failed)
        };
        set(&db, "journal_mode", "memory")?;
        db.pragma_update(None, "temp_store", 2).map_err(failed)?;
        schema::mark_dump(&db)?;
        schema::upgrade(&mut db)?;
        db.pragma_update(None, "synchronous", 0).map_err(failed)?;
        // A backup made by patctl 0.1.0 has free pages with deleted rows in them, which must not come back.
        space::vacuum(&db)?;
        space::wipe_deleted(&db)?;
        let patient = Patient::of(db, sealer);
        // Whoever restores a backup of before schema 8 means it.
        patient.believe_narrow();
        Ok(Self { patient, draft, attached: Cell::new(false) })
    }

    /// What it is looked at with.
    #[must_use]
    pub fn patient(&self) -> &Patient {
        &self.patient
    }

    fn db(&self) -> &Connection {
        self.patient.db()
    }

    /// Opens the database that is there, and its log, beside the draft.
    fn attach(&self, present: &Path) -> Result<()> {
        open::with_rights(present, |path| {
            let path = path.to_str().ok_or_else(|| open::odd_name(path))?;
            self.db().execute("ATTACH ?1 AS present", [path]).map_err(failed)?;
            let sql = "SELECT count(*) FROM present.sqlite_schema";
            self.db().query_row(sql, [], |_| Ok(())).map_err(failed)
        })
    }

    /// The name of the database that it is a backup of.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn installation(&self) -> Result<String> {
        reads::installation(self.db())
    }

    /// The head of its audit log.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn head(&self) -> Result<KeptHead> {
        Ok(head::read(self.db(), self.patient.seals())?.head.kept())
    }

    /// When the last row of its audit log was written.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn taken_at(&self) -> Result<Option<Moment>> {
        let sql = "SELECT at FROM audit ORDER BY seq DESC LIMIT 1";
        Ok(reads::collect(self.db(), sql, [], |row| rows::parsed(row, 0, "at"))?.pop())
    }

    /// Writes it over the database, in one transaction of that: whoever reads meanwhile sees what was there
    /// before, and whoever writes waits. `prepare` works on the draft while nobody else can write, and ends
    /// its transaction.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError), or what `prepare` gave; then nothing has happened.
    pub fn replace<T>(
        &self,
        database: &Path,
        prepare: impl FnOnce(&Self) -> Result<T>,
        each: EachStep<'_>,
    ) -> Result<T> {
        let mut db = open::present(database)?;
        open::synchronous(&db, 2)?;
        let copy = Copy::new(self.db(), "main", &mut db)?;
        copy.lock()?;
        let prepared = prepare(self)?;
        copy.finish(each)?;
        checkpoint(&db, PATIENTLY);
        Ok(prepared)
    }

    /// Gives it the name of the database, where there is none; false where there is one by now.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn publish(self) -> Result<bool> {
        let Self { patient, draft, .. } = self;
        let db = patient.into_db();
        open::log_ahead(&db)?;
        fold_wholly(&db)?;
        db.close().map_err(|(_, e)| failed(e))?;
        draft.sync()?;
        draft.publish()
    }

    /// Gives it the name of a damaged database, which is moved aside with its log under a name with this ending, and
    /// its owner and mode; answers where the damaged one is.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn publish_over_damaged(self, ending: &str) -> Result<Option<PathBuf>> {
        let target = self.draft.target().to_owned();
        if target.exists() {
            self.draft.resemble()?;
        }
        let aside = open::with_rights(&target, |target| aside::move_aside(target, ending))?;
        Ok(self.publish()?.then_some(aside))
    }

    /// Copies the database that is there, as [`Restoration::merge`] sees it, to a new file beside it; its name
    /// ends in the moment.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError)
    pub fn keep_present(&self, ending: &str) -> Result<PathBuf> {
        for number in 1.. {
            let mut name = self.draft.target().as_os_str().to_owned();
            name.push(if number == 1 { format!(".{ending}") } else { format!(".{ending}-{number}") });
            let kept = Draft::beside(Path::new(&name))?;
            let mut db = kept.connect()?;
            Copy::new(self.db(), merge::PRESENT, &mut db)?.finish(&mut |_, _| {})?;
            db.close().map_err(|(_, e)| failed(e))?;
            kept.sync()?;
            if kept.publish()? {
                return Ok(name.into());
            }
        }
        Err(crate::store::StoreError::Busy)
    }
}

impl Restoration for Candidate {
    fn merge(&self, meeting: &Meeting<'_>) -> Result<Merged> {
        if let Some(present) = meeting.present {
            self.attach(present)?;
            self.attached.set(true);
        }
        self.db().execute_batch("BEGIN").map_err(failed)?;
        merge::merge(self.db(), self.patient.seals(), meeting)
    }

    fn note(&self, entry: &Entry<'_>) -> Result<()> {
        let seals = self.patient.seals();
        let mut sealed = head::read(self.db(), seals)?;
        log::append(self.db(), &mut sealed.head, std::slice::from_ref(entry))?;
        head::write(self.db(), seals, &sealed)
    }

    fn end(&self, keep: bool) -> Result<()> {
        self.db().execute_batch(if keep { "COMMIT" } else { "ROLLBACK" }).map_err(failed)?;
        self.db()
            .execute_batch("DROP TABLE IF EXISTS temp.fate; DROP TABLE IF EXISTS temp.told")
            .map_err(failed)?;
        if self.attached.replace(false) {
            self.db().execute_batch("DETACH present").map_err(failed)?;
        }
        Ok(())
    }
}
