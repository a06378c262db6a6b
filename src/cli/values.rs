//! Parsers for single values.

use crate::domain::atlassian::Format as DumpFormat;
use crate::domain::audit::{Action, Outcome};
use crate::domain::filter::{Sort, When};
use crate::domain::jvm::Dialect;
use crate::domain::lifetime;
use crate::domain::moment::Span;
use crate::domain::pat::{AuthMethods, Status};
use crate::domain::place;
use crate::domain::text;
use crate::domain::token::TokenId;
use clap::builder::{PathBufValueParser, PossibleValuesParser, TypedValueParser};
use std::path::PathBuf;

/// `KEY=VALUE`.
pub fn define(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write KEY=VALUE"),
    }
}

/// The name of a file.
pub fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match place::file(path.as_os_str()) {
        Ok(()) => Ok(path),
        Err(why) => Err(format!("{why}; {}", why.remedy())),
    })
}

/// The name of a new file, where - would be taken for stdout.
pub fn new_file() -> impl TypedValueParser<Value = PathBuf> {
    file().try_map(|path| {
        if path.as_os_str() == "-" {
            return Err("the token goes to stdout without this option; a file of that name is ./-");
        }
        Ok(path)
    })
}

/// The name of a file that is read more than once, which stdin cannot be.
pub fn no_stream() -> impl TypedValueParser<Value = PathBuf> {
    file().try_map(|path| {
        if path.as_os_str() == "-" {
            return Err("it must be a file: it is read more than once; a file of that name is ./-");
        }
        Ok(path)
    })
}

/// The name of a new directory.
pub fn directory() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match place::directory(path.as_os_str()) {
        Ok(()) if path.as_os_str() == "-" => {
            Err("a directory is not written to stdout: without DIR they are printed; one of that name is ./-"
                .to_owned())
        }
        Ok(()) => Ok(path),
        Err(why) => Err(format!("{why}; {}", why.remedy())),
    })
}

/// The whole id of a token.
pub fn token_id(text: &str) -> Result<TokenId, &'static str> {
    text.trim().parse().map_err(|_| "not an id: ten characters, as 'list' shows them")
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

/// One of the words for what was done.
pub fn action() -> impl TypedValueParser<Value = Action> {
    PossibleValuesParser::new(Action::ALL.map(Action::as_str))
        .try_map(|word| word.parse().map_err(|()| "not an action"))
}

/// One of the words for how it ended.
pub fn outcome() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(Outcome::WORDS)
}

/// One of the words for orders.
pub fn sort() -> impl TypedValueParser<Value = Sort> {
    PossibleValuesParser::new(Sort::ALL.map(Sort::as_str))
        .try_map(|word| word.parse().map_err(|()| "not a key"))
}

/// One of the words for how a file is written.
pub fn dialect() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::as_str))
        .try_map(|word| word.parse().map_err(|()| "not a format"))
}

/// One of the words for how a table is written.
pub fn dump_format() -> impl TypedValueParser<Value = DumpFormat> {
    PossibleValuesParser::new(DumpFormat::ALL.map(DumpFormat::as_str))
        .try_map(|word| word.parse().map_err(|()| "not a format"))
}

/// What names begin with.
pub fn prefix_of_names(text: &str) -> Result<String, text::TextError> {
    text::plain(text, 100).map(|()| text.to_owned())
}

/// A duration that is not negative.
pub fn duration(text: &str) -> Result<Span, String> {
    let span = lifetime::duration(text).map_err(|e| e.to_string())?;
    if span < Span::ZERO { Err("a duration cannot be negative".to_owned()) } else { Ok(span) }
}

/// An instant in the past: a distance counts back from now and has no sign.
pub fn past(text: &str) -> Result<When, String> {
    match text.parse::<When>().map_err(|e| e.to_string())? {
        When::Away(span) if span < Span::ZERO => {
            Err(format!("a distance here counts back from now, without a sign: write {}", &text[1..]))
        }
        when => Ok(when),
    }
}

/// A name, in the form in which it is kept.
#[expect(clippy::unnecessary_wraps, reason = "the command line wants a parser that may fail")]
pub fn name(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text::label(text))
}
