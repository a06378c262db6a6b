//! What every command works with: the world, the settings, the database.

use crate::cli::Global;
use crate::config::{self, Settings, Sources, cache_key};
use crate::domain::actor::{Actor, Authority, RequestMeta};
use crate::domain::cache::CacheKey;
use crate::domain::dice::Dice;
use crate::domain::moment::Moment;
use crate::domain::place;
use crate::domain::policy::Policy;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Manner, Screen};
use crate::service::Act;
use crate::service::clock::Reading;
use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;
use crate::world::{Ask, Input, World};
use std::any::Any;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Warnings about settings that are shown one by one.
const SHOWN: usize = 10;

/// The world as one command has it.
pub struct Context<'c> {
    pub global: &'c Global,
    pub clock: &'c dyn Fn() -> Moment,
    pub env: &'c dyn Fn(&str) -> Option<OsString>,
    pub dice: &'c mut Dice,
    pub stdin: &'c mut dyn Input,
    pub ask: &'c mut dyn Ask,
    pub screen: Screen<'c>,
    pub program: &'c dyn Fn() -> Option<PathBuf>,
    pub localtime: &'c Path,
    pub zoneinfo: &'c Path,
    pub leave: &'c dyn Fn(Box<dyn Any>),
    actor: &'c dyn Fn() -> io::Result<Actor>,
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
            trusts: true,
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
        if let Some(path) = self.global.db.clone() {
            return Ok(path);
        }
        let named = self.variable("PATCTL_DB").map(|path| absolute("PATCTL_DB", path)).transpose()?;
        named.or_else(|| settings.db()).map_or_else(|| self.default_database(), Ok)
    }

    fn variable(&self, name: &str) -> Option<PathBuf> {
        (self.env)(name).filter(|v| !v.is_empty()).map(PathBuf::from)
    }

    /// Where the database is if nothing says where.
    fn default_database(&self) -> Result<PathBuf, Failure> {
        let xdg = self.variable("XDG_DATA_HOME").filter(|path| path.is_absolute());
        if xdg.is_none() && self.euid == 0 {
            return Ok(PathBuf::from("/var/lib/patctl/patctl.db"));
        }
        let (name, base) = match xdg {
            Some(base) => ("XDG_DATA_HOME", Some(base)),
            None => ("HOME", self.variable("HOME").filter(|path| path.is_absolute())),
        };
        let name_one = "name one with --db FILE, $PATCTL_DB or the property patctl.db";
        let base = base.ok_or_else(|| {
            Failure::new(Exit::Config, "config", "there is no home directory to keep the database in")
                .hint(name_one)
        })?;
        // What is not there yet will be made by the caller.
        let owner = std::fs::metadata(&base).map(|found| found.uid());
        let why = match owner {
            Ok(uid) if uid != self.euid && (uid != 0 || name == "HOME") && base != Path::new("/") => {
                format!("it belongs to uid {uid}")
            }
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => e.to_string(),
            _ => {
                let base = if name == "HOME" { base.join(".local/share") } else { base };
                return Ok(base.join("patctl/patctl.db"));
            }
        };
        let message = format!(
            "{name} is {}, the home of somebody else ({why}); you are uid {}, and no database is kept there",
            base.display(),
            self.euid
        );
        Err(Failure::new(Exit::Config, "config", message)
            .hint(format!("set {name} to a directory of yours, or {name_one}")))
    }

    /// Whether nothing says where the database is.
    fn is_default(&self, settings: &Settings) -> bool {
        self.global.db.is_none() && self.variable("PATCTL_DB").is_none() && settings.db().is_none()
    }

    /// Makes sure of the directory that a new database will be in: the one of the default place is made, any other
    /// must be there, because a name that was misspelled is none that anybody would look for.
    pub fn directory_for(&self, settings: &Settings, path: &Path) -> Result<(), Failure> {
        if self.is_default(settings) {
            return Ok(SqliteStore::make_directory(path)?);
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        match parent.map(std::fs::metadata) {
            Some(Err(e)) if e.kind() == io::ErrorKind::NotFound => {
                let parent = parent.unwrap_or(path).display();
                let message = format!("there is no directory {parent} to make the database in");
                Err(Failure::new(Exit::Io, "database", message)
                    .hint(format!("make it first ('mkdir -m 700 {parent}'), or name another place")))
            }
            _ => Ok(()),
        }
    }

    /// Says that a database was made. Where the environment or the configuration names its place this is heard with
    /// `--quiet`, too: a name that is wrong there is noticed by nothing else.
    pub fn tell_of_new(&mut self, settings: &Settings, store: &SqliteStore) {
        let made = format!("made the database {}", store.path().display());
        let typed = self.global.db.is_some() || self.is_default(settings);
        if typed { self.screen.say(&made) } else { self.screen.insist(&made) }
    }

    /// The database, which must be there.
    pub fn open(&mut self, settings: &Settings) -> Result<SqliteStore, Failure> {
        let mut store = SqliteStore::open(&self.database(settings)?)?;
        self.warn_of(&store);
        self.guard(settings, &mut store)?;
        Ok(store)
    }

    /// The database to look at, which must be there.
    pub fn look(&mut self, settings: &Settings) -> Result<SqliteStore, Failure> {
        let mut store = SqliteStore::open_to_look(&self.database(settings)?)?;
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
        for warning in store.warnings() {
            self.screen.warn(&format!("the database {} {warning}", store.path().display()));
        }
    }

    /// The key of the auth cache for a database. Where none can be had there is no cache.
    pub fn cache_key(&mut self, database: &Path) -> Option<CacheKey> {
        let runtime = (self.env)("XDG_RUNTIME_DIR");
        cache_key::load(runtime.as_deref(), database, self.euid, self.dice)
    }

    /// The clock beside the log, for who shows the status of tokens. That the two disagree is said.
    pub fn reading(&mut self, store: &SqliteStore) -> Reading {
        let clock = (self.clock)();
        match Reading::of(store, clock) {
            Ok(reading) => {
                if reading.is_apart() {
                    let why = apart(reading);
                    self.screen
                        .warn(&format!("{why}; expiry is shown as of then: 'patctl doctor' tells more"));
                }
                reading
            }
            // What is left of a damaged database is shown all the same.
            Err(error) => {
                let error = Failure::from(error).message;
                self.screen.warn(&format!("{error}; expiry is shown by the clock alone"));
                Reading { clock, mark: clock }
            }
        }
    }

    /// The time by which an expiry is judged, for what cannot be taken back or is read by a program.
    pub fn judged_at(&self, store: &SqliteStore) -> Result<Moment, Failure> {
        let reading = Reading::of(store, (self.clock)())?;
        if reading.is_apart() {
            return Err(doubtful(reading));
        }
        Ok(reading.later())
    }

    /// Who runs this process. Nothing is done in the name of somebody who cannot be told: the audit log would say less
    /// of them than it does of everybody else.
    pub fn actor(&self) -> Result<Actor, Failure> {
        (self.actor)().map_err(|e| {
            Failure::new(Exit::Io, "io", format!("it cannot be told who runs this: {e}"))
                .hint("nothing was done")
                .because_of(&e)
        })
    }

    /// Who acts now, under these limits.
    pub fn act<'a>(&self, policy: &'a Policy, actor: &'a Actor) -> Act<'a>
    where
        'c: 'a,
    {
        Act {
            policy,
            actor,
            authority: &Authority::Administrator,
            meta: &RequestMeta::NONE,
            clock: self.clock,
        }
    }

    /// Whether a person can be asked: one types at stdin and reads stderr.
    pub fn can_ask(&self) -> bool {
        self.stdin.is_terminal() && self.screen.has_a_person()
    }
}

/// Nothing is done by a clock that is far behind the log.
pub fn doubtful(reading: Reading) -> Failure {
    Failure::new(Exit::Io, "clock", apart(reading))
        .hint("set the clock of this machine; if it is right: patctl doctor --accept-clock --yes")
}

fn apart(Reading { clock, mark }: Reading) -> String {
    format!("the clock says {clock}, the audit log has a row of {mark}")
}

/// A path from the environment, which every process below may have been given: the same wherever it is used.
fn absolute(name: &str, path: PathBuf) -> Result<PathBuf, Failure> {
    match place::absolute(path.as_os_str()) {
        Ok(()) => Ok(path),
        Err(why) => {
            let message = format!("${name} = '{}': {why}", path.display().to_string().escape_debug());
            Err(Failure::new(Exit::Config, "config", message).hint(why.remedy()))
        }
    }
}
