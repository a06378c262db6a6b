//! Parsers for single values.

use crate::domain::filter::Status;
use crate::domain::pat::AuthMethods;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// `KEY=VALUE`.
pub fn define(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write KEY=VALUE"),
    }
}

/// One of the words for authentication methods.
pub fn auth() -> impl TypedValueParser<Value = AuthMethods> {
    PossibleValuesParser::new(AuthMethods::ALL.map(AuthMethods::as_str))
        .try_map(|word| word.parse().map_err(|()| "not a method"))
}

/// One of the words for states.
pub fn status() -> impl TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::ALL.map(Status::as_str))
        .try_map(|word| word.parse().map_err(|()| "not a state"))
}
