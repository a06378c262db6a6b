//! The key of the seals, from the file that the configuration names, for the database that was opened.

use super::context::Context;
use crate::config::{Settings, integrity_key};
use crate::domain::integrity::{IntegrityKey, Sealer};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::integrity;
use crate::store::integrity::{Adopted, Sealed as _};
use crate::store::sqlite::SqliteStore;
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
            let key = self.integrity_key(settings, store, &path)?;
            store.seal_with(Sealer::new(Some(key)));
            integrity::adopt_head(store)?;
        }
        Ok(())
    }

    /// What rows are looked at with, where there is a key already.
    ///
    /// # Errors
    /// A key file is configured and cannot be used.
    pub fn sealer(&self, settings: &Settings) -> Result<Sealer, Failure> {
        let Some(path) = settings.integrity_key_file() else { return Ok(Sealer::default()) };
        Ok(Sealer::new(integrity_key::load(&path, self.euid()).map_err(|why| wrong(&path, &why))?))
    }

    /// The key in the file; a new one in a new file, where no row was ever sealed with a key.
    fn integrity_key(
        &mut self,
        settings: &Settings,
        store: &mut SqliteStore,
        path: &Path,
    ) -> Result<IntegrityKey, Failure> {
        for _ in 0..TRIES {
            if let Some(key) = integrity_key::load(path, self.euid()).map_err(|why| wrong(path, &why))? {
                return Ok(key);
            }
            let waiting = integrity_key::pending(path, self.euid(), self.dice);
            let Some(key) = waiting.map_err(|why| wrong(path, &why))? else { continue };
            let (policy, actor) = (settings.policy(), (self.actor)());
            let adopted = integrity::adopt(store, &self.act(&policy, &actor), &key)?;
            if adopted == Adopted::Foreign {
                integrity_key::forget(path);
            } else if integrity_key::publish(path).map_err(|e| wrong(path, &e.to_string()))? {
                let made =
                    format!("made the key {}; keep a copy of it, apart from the backups", path.display());
                self.screen.say(&made);
            }
        }
        Err(wrong(path, "it is not there, and rows are sealed with a key"))
    }
}

/// What a key file is, and why this is none.
pub fn wrong(path: &Path, why: &str) -> Failure {
    let message = format!("the integrity key file {}: {why}", path.display());
    Failure::new(Exit::Config, "integrity", message).hint(
        "put the key back from its copy, mode 600; without it no row can be believed, and no token is good",
    )
}
