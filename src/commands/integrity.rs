//! The key of the seals, from the file that the configuration names, for the database that was opened.

use super::context::Context;
use crate::config::private_file::Unusable;
use crate::config::{Settings, integrity_key};
use crate::domain::integrity::{KeyFile, PIN_ROWS, Sealer, pin};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::integrity;
use crate::store::integrity::{Adopted, Sealed as _};
use crate::store::log::Log as _;
use crate::store::sqlite::SqliteStore;
use crate::store::{Read as _, StoreError};
use std::path::Path;

/// How often somebody else may be faster in making the key.
const TRIES: usize = 10;

impl Context<'_> {
    /// From now on the rows of `store` are sealed, and looked at, as the configuration says.
    ///
    /// # Errors
    /// A key file is configured and cannot be used: then nothing is judged without it.
    pub fn guard(&mut self, settings: &Settings, store: &mut SqliteStore) -> Result<(), Failure> {
        if let Some(path) = settings.integrity_key_file() {
            let file = self.integrity_key(settings, store, &path)?;
            let (mine, installation, rows) = (store.installation()?, file.installation.clone(), file.rows);
            if installation.as_ref().is_some_and(|pinned| *pinned != mine) {
                return Err(another(&path));
            }
            store.seal_with(Sealer::of(file));
            if installation.is_none() {
                // Pinned to a database of another key, it would make every right token a wrong one.
                if store.head()?.is_of_another_key() {
                    return Err(wrong(&path, &"this is not the key that the database is sealed with".into()));
                }
                // Before this release the key was pinned to no database, and the head of the log not sealed.
                match integrity::adopt_head(store) {
                    Ok(()) => self.pin(&path, &pin(&mine)),
                    // A medium that cannot be written: the first command on one that can does it.
                    Err(StoreError::Permission(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if !rows {
                self.widen(settings, store, &path)?;
            }
        }
        Ok(())
    }

    /// Seals rows of before schema 8 anew, once: from then on none is taken over.
    fn widen(&mut self, settings: &Settings, store: &mut SqliteStore, path: &Path) -> Result<(), Failure> {
        let (policy, actor) = (settings.policy(), self.actor()?);
        match integrity::widen(store, &self.act(&policy, &actor)) {
            // Best effort, as that of the name.
            Ok(()) => drop(integrity_key::write_pin(path, self.euid(), PIN_ROWS)),
            Err(StoreError::Permission(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Pins a key to the database that it is used for. Where that cannot be, `doctor` names it.
    fn pin(&mut self, path: &Path, line: &str) {
        if integrity_key::write_pin(path, self.euid(), line).is_ok() {
            self.screen.say(&format!("pinned the key {} to this database", path.display()));
        }
    }

    /// The database that the integrity key is pinned to, if it is.
    ///
    /// # Errors
    /// A key file is configured and cannot be used.
    pub fn pinned(&self, settings: &Settings) -> Result<Option<String>, Failure> {
        let Some(path) = settings.integrity_key_file() else { return Ok(None) };
        let file = integrity_key::load(&path, self.euid()).map_err(|why| wrong(&path, &why))?;
        Ok(file.and_then(|file| file.installation))
    }

    /// What rows are looked at with, where there is a key already.
    ///
    /// # Errors
    /// A key file is configured and cannot be used.
    pub fn sealer(&self, settings: &Settings) -> Result<Sealer, Failure> {
        let Some(path) = settings.integrity_key_file() else { return Ok(Sealer::default()) };
        let file = integrity_key::load(&path, self.euid()).map_err(|why| wrong(&path, &why))?;
        Ok(file.map_or_else(Sealer::default, Sealer::of))
    }

    /// The key in the file; a new one in a new file, where no row was ever sealed with a key.
    fn integrity_key(
        &mut self,
        settings: &Settings,
        store: &mut SqliteStore,
        path: &Path,
    ) -> Result<KeyFile, Failure> {
        let mine = store.installation()?;
        for _ in 0..TRIES {
            if let Some(file) = integrity_key::load(path, self.euid()).map_err(|why| wrong(path, &why))? {
                return Ok(file);
            }
            let waiting = integrity_key::pending(path, self.euid(), &mine, self.dice);
            let Some(waiting) = waiting.map_err(|why| wrong(path, &why))? else { continue };
            let (policy, actor) = (settings.policy(), self.actor()?);
            let adopted = integrity::adopt(store, &self.act(&policy, &actor), &waiting.file.key)?;
            if adopted == Adopted::Foreign {
                waiting.forget();
            } else if waiting.publish().map_err(|e| wrong(path, &e.into()))? {
                let made =
                    format!("made the key {}; keep a copy of it, apart from the backups", path.display());
                self.screen.say(&made);
            }
        }
        Err(wrong(path, &"it is not there, and rows are sealed with a key".into()))
    }
}

/// The key is that of another database.
pub fn another(path: &Path) -> Failure {
    let message =
        format!("the integrity key file {} is that of another database than this one", path.display());
    Failure::new(Exit::Io, "another-installation", message).hint(
        "if somebody replaced the database, restore a backup; if it is meant, remove the line 'installation …' from \
         the key file, and the next command pins it anew",
    )
}

/// What a key file is, and why this is none.
pub fn wrong(path: &Path, unusable: &Unusable) -> Failure {
    let message = format!("the integrity key file {}: {}", path.display(), unusable.why);
    if unusable.passes {
        return Failure::exhausted(&message);
    }
    Failure::new(Exit::Config, "integrity", message).hint(
        "put the key back from its copy, mode 600; without it no row can be believed, and no token is good",
    )
}
