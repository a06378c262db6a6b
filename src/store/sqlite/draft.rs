//! Files in the making, and copying a database page by page.

use super::{Result, failed, open};
use crate::store::StoreError;
use crate::store::backup::EachStep;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, MAIN_DB};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pages of one step, so that a bar moves.
const STEP: i32 = 1024;
/// How often a locked source is tried again, and how long between.
const TRIES: u32 = 2000;
const PAUSE: Duration = Duration::from_millis(5);

/// A new file beside the place it is for, ours alone; dropped, it is removed.
pub struct Draft {
    path: PathBuf,
    target: PathBuf,
}

impl Draft {
    /// An empty one for `target`.
    pub fn beside(target: &Path) -> Result<Self> {
        let target = open::resolve(target)?;
        Ok(Self { path: open::draft(&target)?, target })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// A connection that writes it as fast as can be: whatever happens meanwhile, it is thrown away.
    pub fn connect(&self) -> Result<Connection> {
        let db = open::writable(&self.path)?;
        db.pragma_update(None, "synchronous", 0).map_err(failed)?;
        Ok(db)
    }

    /// Its bytes are on the disk.
    pub fn sync(&self) -> Result<()> {
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(|e| open::io_error(&self.path, &e))
    }

    /// Gives it its name; false where something of that name is there, which is left alone.
    pub fn publish(self) -> Result<bool> {
        open::publish(&self.path, &self.target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            // Best effort: `doctor` names what stays behind.
            let _ = fs::remove_file(open::companion(&self.path, suffix));
        }
    }
}

/// A copy on its way; dropped before its end, nothing has happened to where it goes.
pub struct Copy<'f, 't>(Backup<'f, 't>);

impl<'f, 't> Copy<'f, 't> {
    /// Of a database that `from` knows by this name.
    pub fn new(from: &'f Connection, name: &str, to: &'t mut Connection) -> Result<Self> {
        Backup::new_with_names(from, name, to, MAIN_DB).map(Self).map_err(failed)
    }

    /// Copies the first page: from then on nobody else writes where it goes.
    pub fn lock(&self) -> Result<()> {
        self.step(1).map(|_| ())
    }

    /// Copies what is left.
    pub fn finish(self, each: EachStep<'_>) -> Result<()> {
        while !self.step(STEP)? {
            let progress = self.0.progress();
            let total = u64::from(progress.pagecount.unsigned_abs());
            each(total.saturating_sub(progress.remaining.unsigned_abs().into()), total);
        }
        Ok(())
    }

    /// Whether that was all.
    fn step(&self, pages: i32) -> Result<bool> {
        for _ in 0..TRIES {
            match self.0.step(pages).map_err(failed)? {
                StepResult::Done => return Ok(true),
                StepResult::More => return Ok(false),
                _ => std::thread::sleep(PAUSE),
            }
        }
        Err(StoreError::Busy)
    }
}
