//! One file for each verb: typed arguments in, a service called, the answer shown, a status out.

mod config;
mod create;
mod list;
mod prune;
mod revoke;
mod show;
mod verify;

use crate::cli::{Cli, Command, Global};
use crate::config::{self as settings, Settings, Sources};
use crate::domain::audit::Actor;
use crate::domain::moment::Moment;
use crate::domain::policy::Policy;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Screen;
use crate::service::Act;
use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;
use crate::world::World;
use std::io;
use std::path::{Path, PathBuf};

/// What every command works with.
struct Context<'c> {
    global: &'c Global,
    clock: &'c dyn Fn() -> Moment,
    env: &'c dyn Fn(&str) -> Option<std::ffi::OsString>,
    euid: u32,
    system_config: &'c Path,
    screen: Screen<'c>,
}

/// Runs a command and tells of its failure.
pub fn run(cli: &Cli, world: &mut World<'_>) -> Exit {
    let global = &cli.global;
    let screen =
        Screen::new(world.stdout, world.stderr, global.output, global.quiet, global.color, world.env);
    let mut context = Context {
        global,
        clock: world.clock,
        env: world.env,
        euid: world.euid,
        system_config: &world.system_config,
        screen,
    };
    let cx = &mut context;
    let result = match &cli.command {
        Command::Create(args) => create::run(args, cx, world.dice, world.actor),
        Command::List(args) => list::run(args, cx),
        Command::Show(args) => show::run(args, cx),
        Command::Revoke(args) => revoke::run(args, cx, &mut Asking::new(world.stdin, world.ask), world.actor),
        Command::Verify(args) => {
            verify::run(args, cx, &mut Asking::new(world.stdin, world.ask), world.dice, world.actor)
        }
        Command::Prune(args) => prune::run(args, cx, world.actor),
        Command::Config(args) => config::run(args, cx),
    };
    let result = result.and_then(|exit| {
        context.screen.flush().map_err(stdout_failed)?;
        Ok(exit)
    });
    result.unwrap_or_else(|failure| {
        if failure.kind == GONE {
            // Whoever read stdout has seen enough ('| head -1'): silence, and no complaint, unless
            // the answer was still to be given.
            return if matches!(cli.command, Command::Verify(_)) { Exit::Io } else { Exit::Yes };
        }
        context.screen.fail(&failure);
        failure.exit
    })
}

/// Stdin, and the person who may sit there.
struct Asking<'a> {
    stdin: &'a mut dyn crate::world::Input,
    ask: &'a mut dyn crate::world::Ask,
}

impl<'a> Asking<'a> {
    fn new(stdin: &'a mut dyn crate::world::Input, ask: &'a mut dyn crate::world::Ask) -> Self {
        Self { stdin, ask }
    }
}

/// The kind of a failure that means: nobody reads stdout any more.
const GONE: &str = "gone";

/// A failed write to stdout.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err calls")]
fn stdout_failed(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::new(Exit::Yes, GONE, ""),
        _ => Failure::new(Exit::Io, "io", format!("stdout: {error}")),
    }
}

impl<'c> Context<'c> {
    fn sources(&self) -> Sources<'c> {
        Sources {
            file: self.global.config.as_deref(),
            defines: &self.global.define,
            env: self.env,
            system: self.system_config,
            euid: self.euid,
        }
    }

    /// The settings; what is odd about them is said.
    fn settings(&mut self) -> Result<Settings, Failure> {
        let (settings, warnings) = settings::load(&self.sources())?;
        for warning in warnings {
            let hint = warning.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
            self.screen.warn(&format!("{warning}{hint}"));
        }
        Ok(settings)
    }

    /// Where the database is: `--db`, `$PATCTL_DB`, `patctl.db`, the data directory.
    fn database(&self, settings: &Settings) -> Result<PathBuf, Failure> {
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
    fn open(&mut self, settings: &Settings) -> Result<SqliteStore, Failure> {
        let store = SqliteStore::open(&self.database(settings)?)?;
        self.warn_of(&store);
        Ok(store)
    }

    /// The database if it is there.
    fn open_if_there(&mut self, path: &Path) -> Result<Option<SqliteStore>, Failure> {
        match SqliteStore::open(path) {
            Ok(store) => {
                self.warn_of(&store);
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

    fn act<'a>(&self, policy: &'a Policy, actor: &'a Actor) -> Act<'a>
    where
        'c: 'a,
    {
        Act { policy, actor, clock: self.clock }
    }
}

/// `1 token`, `2 tokens`.
fn tokens(count: u64) -> String {
    if count == 1 { "1 token".to_owned() } else { format!("{count} tokens") }
}
