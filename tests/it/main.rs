//! One binary for all tests that run patctl: in process where that is enough, as a real process
//! where the process is the point.

mod harness;
mod log;
mod process;

mod audit;
mod bulk_revoke;
mod chain;
mod check;
mod completion;
mod concurrency;
mod config;
mod create;
mod curl;
mod edit;
mod expiring;
mod files;
mod filter;
mod judge;
mod list;
mod mail_server;
mod manual;
mod nginx;
mod no_audit;
mod notify;
mod notify_trouble;
mod pasted;
mod power;
mod prune;
mod prune_processes;
mod quartz;
mod readme;
mod restriction;
mod retention;
mod revoke;
mod rotate;
mod rotate_processes;
mod rotate_rules;
mod schedule;
mod schedule_runs;
mod secrets;
mod streams;
mod transport;
mod vault;
mod verify;
mod whoami;
