//! What a token is and what is allowed. Pure: no clock, no I/O, no database, no terminal.

pub mod atlassian;
pub mod audit;
pub mod cache;
pub mod chain;
pub mod decision;
pub mod dice;
pub mod filter;
pub mod finding;
pub mod frame;
pub mod id;
pub mod integrity;
pub mod jvm;
pub mod key_file;
pub mod leak;
pub mod lifetime;
pub mod moment;
pub mod notice;
pub mod pat;
pub mod policy;
pub mod presented;
pub mod restriction;
pub mod schedule;
pub mod text;
pub mod token;
pub mod vault;
pub mod verifier;
