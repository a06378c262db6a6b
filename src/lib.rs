//! patctl: personal access tokens for scripts, cron jobs and self-hosted services, from one binary
//! and one SQLite file.
//!
//! # The map
//!
//! ```text
//! main.rs, door.rs  the door: real clock, real randomness, real streams, nothing else
//! lib.rs            this map, and run(args, &mut World) -> Exit; can be called twice
//! ─────────────────────────────────────────────────────────────────────────────────────
//! commands/         one file for each verb: typed arguments -> service -> output -> Exit
//! ─────────────────────────────────────────────────────────────────────────────────────
//! service/          one function for each act: one transaction, one audit row
//! output/           how answers look; the only room that writes
//! ─────────────────────────────────────────────────────────────────────────────────────
//! store/            a contract, and SQLite behind it with its migrations
//! config/           settings with their origin; Java properties, TOML
//! wire.rs           the JSON we promise
//! cli/              everything a user can type; no behaviour
//! mail/             how a notice leaves the machine
//! search/           reading through files and directories for what leaked
//! snippet/          a request as curl, JavaScript, Python …; one file for each language, pure text
//! dump/             how other programs write their tables out
//! ─────────────────────────────────────────────────────────────────────────────────────
//! exit.rs failure.rs world.rs
//!                   the exit numbers; what a person is told when a run fails; what the outside
//!                   gives to one run
//! ─────────────────────────────────────────────────────────────────────────────────────
//! domain/           what a token is and what is allowed. Pure: no clock, no I/O
//! ```
//!
//! Two rules are all a newcomer must remember, and `tests/layering.rs` holds both: a room imports
//! only from floors below it, and a library lives in one room.
//!
//! The world stands above the domain, not beside it, because what the outside gives is given in the
//! domain's types: a moment, the dice, an actor. So the calendar and the random source have one home.
//!
//! Reading order: this page, [`cli`], `commands/create.rs`, [`service::issue`], [`store::contract`],
//! [`domain::token`].

pub mod cli;
mod commands;
pub mod config;
pub mod domain;
pub mod dump;
pub mod exit;
pub mod failure;
pub mod files;
pub mod mail;
pub mod output;
pub mod search;
pub mod service;
pub mod snippet;
pub mod store;
pub mod wire;
pub mod world;

use exit::Exit;
use std::ffi::OsString;
use world::World;

/// Does what a command line asks, in the world it is given. `args` begins with the program's name.
#[must_use]
pub fn run(args: &[OsString], world: &mut World<'_>) -> Exit {
    match cli::parse(args) {
        Ok(cli) => commands::run(&cli, world),
        Err(stop) => commands::explain(&stop, world),
    }
}
