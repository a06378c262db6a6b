//! What every command works with: the world, the settings, the database.

use crate::cli::Global;
use crate::config::{self, Settings, Sources, cache_key};
use crate::domain::audit::Actor;
use crate::domain::cache::CacheKey;
use crate::domain::dice::Dice;
use crate::domain::moment::Moment;
use crate::domain::policy::Policy;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Manner, Screen};
use crate::service::Act;
use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;
use crate::world::{Ask, Input, World};
use std::any::Any;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Warnings about settings that are shown one by one.
const SHOWN: usize = 10;

/// The world as one command has it.
pub struct Context<'c> {
    pub global: &'c Global,
    pub clock: &'c dyn Fn() -> Moment,
    pub env: &'c dyn Fn(&str) -> Option<OsString>,
    pub actor: &'c dyn Fn() -> Actor,
    pub dice: &'c mut Dice,
    pub stdin: &'c mut dyn Input,
    pub ask: &'c mut dyn Ask,
    pub screen: Screen<'c>,
    pub program: &'c dyn Fn() -> Option<PathBuf>,
    pub localtime: &'c Path,
    pub zoneinfo: &'c Path,
    pub leave: &'c dyn Fn(Box<dyn Any>),
    euid: u32,
    system_config: &'c Path,
}

impl<'c> Context<'c> {
    pub fn new(global: &'c Global, world: &'c mut World<'_>) -> Self {
        let manner = Manner { format: global.output, quiet: global.quiet, color: global.color };
        Self {
            global,
            clock: world.clock,
            env: world.env,
            actor: world.actor,
            dice: world.dice,
            stdin: world.stdin,
            ask: world.ask,
            screen: Screen::new(world.stdout, world.stderr, manner, world.env),
            program: world.program,
            localtime: &world.localtime,
            zoneinfo: &world.zoneinfo,
            leave: world.leave,
            euid: world.euid,
            system_config: &world.system_config,
        }
    }

    /// The effective user id, for the ownership of files.
    pub fn euid(&self) -> u32 {
        self.euid
    }

    /// Where settings are looked for.
    pub fn sources(&self) -> Sources<'c> {
        Sources {
            file: self.global.config.as_deref(),
            defines: &self.global.define,
            env: self.env,
            system: self.system_config,
            euid: self.euid,
        }
    }

    /// The settings; what is odd about them is said.
    pub fn settings(&mut self) -> Result<Settings, Failure> {
        let (settings, warnings) = config::load(&self.sources())?;
        for warning in warnings.iter().take(SHOWN) {
            let hint = warning.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
            self.screen.warn(&format!("{warning}{hint}"));
        }
        if warnings.len() > SHOWN {
            self.screen.warn(&format!("and {} more: 'patctl config check'", warnings.len() - SHOWN));
        }
        Ok(settings)
    }

    /// Where the database is: `--db`, `$PATCTL_DB`, `patctl.db`, the data directory.
    pub fn database(&self, settings: &Settings) -> Result<PathBuf, Failure> {
        let variable = |name: &str| (self.env)(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let data = || {
            let xdg = variable("XDG_DATA_HOME").filter(|path| path.is_absolute());
            if xdg.is_none() && self.euid == 0 {
                return Some(PathBuf::from("/var/lib/patctl/patctl.db"));
            }
            let home = variable("HOME").filter(|path| path.is_absolute());
            Some(xdg.or_else(|| home.map(|h| h.join(".local/share")))?.join("patctl/patctl.db"))
        };
        self.global
            .db
            .clone()
            .or_else(|| variable("PATCTL_DB"))
            .or_else(|| settings.db())
            .or_else(data)
            .ok_or_else(|| {
                Failure::new(Exit::Config, "config", "there is no home directory to keep the database in")
                    .hint("name one with --db FILE, $PATCTL_DB or the property patctl.db")
            })
    }

    /// The database, which must be there.
    pub fn open(&mut self, settings: &Settings) -> Result<SqliteStore, Failure> {
        let mut store = SqliteStore::open(&self.database(settings)?)?;
        self.warn_of(&store);
        self.guard(settings, &mut store)?;
        Ok(store)
    }

    /// The database if it is there.
    pub fn open_if_there(
        &mut self,
        settings: &Settings,
        path: &Path,
    ) -> Result<Option<SqliteStore>, Failure> {
        match SqliteStore::open(path) {
            Ok(mut store) => {
                self.warn_of(&store);
                self.guard(settings, &mut store)?;
                Ok(Some(store))
            }
            Err(StoreError::Missing(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn warn_of(&mut self, store: &SqliteStore) {
        if let Some(warning) = store.warning() {
            self.screen.warn(&format!("the database {} {warning}", store.path().display()));
        }
    }

    /// The key of the auth cache for a database. Where none can be had there is no cache.
    pub fn cache_key(&mut self, database: &Path) -> Option<CacheKey> {
        let runtime = (self.env)("XDG_RUNTIME_DIR");
        cache_key::load(&cache_key::path(runtime.as_deref(), database, self.euid), self.euid, self.dice)
    }

    /// Who acts now, under these limits.
    pub fn act<'a>(&self, policy: &'a Policy, actor: &'a Actor) -> Act<'a>
    where
        'c: 'a,
    {
        Act { policy, actor, clock: self.clock }
    }

    /// Whether a person can be asked: one types at stdin and reads stderr.
    pub fn can_ask(&self) -> bool {
        self.stdin.is_terminal() && self.screen.has_a_person()
    }
}
