//! One file for each verb: typed arguments in, a service called, the answer shown, a status out.

mod asked;
mod audit;
mod backup;
mod batch;
mod bulk_revoke;
mod carry;
mod cases;
mod check;
mod complete;
mod config;
mod config_import;
mod context;
mod create;
mod deliver;
mod doctor;
mod edit;
mod expiring;
mod explain;
mod explain_change;
mod explain_import;
mod export;
mod follow;
mod import;
mod integrity;
mod invocation;
mod lines;
mod list;
mod manual;
mod notify;
mod order;
mod power;
mod present;
mod prune;
mod remedy;
mod restore;
mod restore_answer;
mod revoke;
mod rotate;
mod scan;
mod scan_rules;
mod schedule;
mod show;
mod snippet;
mod stats;
mod unheard;
mod vault;
mod verify;
mod whoami;
mod zone;

use crate::cli::{Cli, Command, Stop};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Manner, Screen, stdout_failed};
use crate::world::World;
use context::Context;
use std::io;

/// Runs a command and tells of its failure.
pub fn run(cli: &Cli, world: &mut World<'_>) -> Exit {
    let cx = &mut Context::new(&cli.global, world);
    let result = dispatch(&cli.command, cx).and_then(|exit| {
        cx.screen.flush().map_err(stdout_failed)?;
        // Whoever read stdout has seen enough ('| head -1'), and the status stands; but an answer
        // about a token that nobody got is none.
        let unheard =
            cx.screen.out().is_gone() && matches!(cli.command, Command::Verify(_) | Command::Whoami(_));
        if unheard { Err(stdout_failed(io::ErrorKind::BrokenPipe.into())) } else { Ok(exit) }
    });
    result.unwrap_or_else(|failure| {
        if let Command::Expiring(args) = &cli.command {
            return expiring::unknown(args, cx, &failure);
        }
        cx.screen.fail(&failure);
        failure.exit
    })
}

/// Tells what is wrong with a command line, or prints the help it asked for.
pub fn explain(stop: &Stop, world: &mut World<'_>) -> Exit {
    let format = if stop.json { crate::cli::Format::Json } else { crate::cli::Format::Table };
    let manner = Manner { format, quiet: false, color: crate::cli::Color::Auto };
    let mut screen = Screen::new(world.stdout, world.stderr, manner, world.env);
    match stop.monitor {
        Some(monitor) if stop.exit != Exit::Yes => {
            expiring::tell(monitor, &mut screen, &crate::output::mistake(stop))
        }
        _ => screen.explain(stop),
    }
}

fn dispatch(command: &Command, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Create(args) => create::run(args, cx),
        Command::List(args) => list::run(args, cx),
        Command::Show(args) => show::run(args, cx),
        Command::Stats(args) => stats::run(args, cx),
        Command::Edit(args) => edit::run(args, cx),
        Command::Rotate(args) => rotate::run(args, cx),
        Command::Disable(args) => power::disable(args, cx),
        Command::Enable(args) => power::enable(args, cx),
        Command::Revoke(args) => revoke::run(args, cx),
        Command::BulkRevoke(args) => bulk_revoke::run(args, cx),
        Command::Verify(args) => verify::run(args, cx),
        Command::Whoami(args) => whoami::run(args, cx),
        Command::Check(args) => check::run(args, cx),
        Command::Scan(args) => scan::run(args, cx),
        Command::Snippet(args) => snippet::run(args, cx),
        Command::Prune(args) => prune::run(args, cx),
        Command::Audit(args) => audit::run(args, cx),
        Command::Notify(args) => notify::run(args, cx),
        Command::Expiring(args) => expiring::run(args, cx),
        Command::Schedule(args) => schedule::run(args, cx),
        Command::Doctor(args) => doctor::run(args, cx),
        Command::Backup(args) => backup::run(args, cx),
        Command::Restore(args) => restore::run(args, cx),
        Command::Config(args) => config::run(args, cx),
        Command::Import(args) => import::run(args, cx),
        Command::Export(args) => export::run(args, cx),
        Command::Completions { shell } => manual::completions(*shell, cx),
        Command::Man { page } => manual::man(page.as_deref(), cx),
        Command::Help { topic } => manual::help(topic.as_deref(), cx),
        Command::Complete { words } => complete::run(words, cx),
    }
}

/// A failed question to the person at the terminal.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err calls")]
fn terminal_failed(error: io::Error) -> Failure {
    Failure::new(Exit::Io, "io", format!("the terminal: {error}"))
        .hint("--yes asks nothing")
        .because_of(&error)
}

/// `1 token`, `2 tokens`.
fn tokens(count: u64) -> String {
    if count == 1 { "1 token".to_owned() } else { format!("{count} tokens") }
}
