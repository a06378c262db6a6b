//! Restrictions: what a token may do, line by line.
//!
//! The language is Extender's (`[method]URL-regex[QueryParam::name==regex][JsonData::name==regex]`),
//! its meaning is written down in `man/patctl-restrictions.7`. [`rule`] reads a text, [`request`]
//! brings a request into its one form or refuses it, [`mod@judge`] decides. Where a choice is free, the
//! side that denies is taken.

pub mod body;
mod elsewhere;
pub mod example;
pub mod fault;
pub mod fold;
pub mod head;
pub mod json;
pub mod judge;
mod lint;
mod lookalike;
pub mod media;
pub mod method;
mod multipart;
pub mod origin;
pub mod path;
pub mod pattern;
pub mod query;
pub mod request;
pub mod rule;
mod scan;
pub mod sent;

pub use body::Merges;
pub use fault::{Code, RuleError};
pub use judge::{Decision, Depth, Verdict, judge};
pub use origin::Base;
pub use request::{Refusal, Request};
pub use rule::Rule;
pub use sent::{Given, Sent};

use super::leak;
use super::text::is_invisible;
use fault::Fault;

/// Bytes of a line.
pub const MAX_LINE: usize = 1024;
/// Rules of a token.
pub const MAX_RULES: usize = 100;
/// Bytes of a rule text.
pub const MAX_TEXT: usize = 16 * 1024;
/// Clauses of a line.
pub const MAX_CLAUSES: usize = 16;
/// Bytes of a name in a clause.
pub const MAX_KEY: usize = 128;
/// Bytes of a URL with its query.
pub const MAX_URL: usize = 8192;
/// Query parameters.
pub const MAX_PARAMETERS: usize = 1000;
/// Bytes of a body.
pub const MAX_BODY: usize = 1 << 20;
/// Levels of JSON.
pub const MAX_DEPTH: usize = 32;
/// Bytes of a text that a pattern is tried on.
pub const MAX_SUBJECT: usize = 8192;

/// The rules of a token: at least one.
#[derive(Clone, Debug)]
pub struct Rules {
    lines: Vec<Rule>,
}

impl Rules {
    /// Reads a rule text: one rule a line, `#` begins a comment. `base` is what placeholders stand for.
    ///
    /// # Errors
    /// Every line's first fault, in order; never none.
    pub fn parse(text: &str, base: Option<&Base>) -> Result<Self, Vec<RuleError>> {
        if text.len() > MAX_TEXT {
            let fault =
                Fault::new(0, Code::TooLong, "the rule text is longer than 16 KiB; split it over tokens");
            return Err(vec![RuleError::new(1, text.lines().next().unwrap_or(""), fault)]);
        }
        let (mut lines, mut errors) = (Vec::new(), Vec::new());
        for (number, raw) in (1..).zip(text.split('\n')) {
            match parse_line(number, raw, base) {
                Ok(None) => {}
                Ok(Some(_)) if lines.len() == MAX_RULES => {
                    let fault = Fault::new(0, Code::TooMany, "a token has at most 100 rules");
                    errors.push(RuleError::new(number, raw, fault));
                    break;
                }
                Ok(Some(rule)) => lines.push(rule),
                Err(fault) => errors.push(RuleError::new(number, raw, fault)),
            }
        }
        if lines.is_empty() && errors.is_empty() {
            let message = "there is no rule, only blank lines and comments; '.*' allows everything";
            errors.push(RuleError::new(
                1,
                text.lines().next().unwrap_or(""),
                Fault::new(0, Code::NoRules, message),
            ));
        }
        if errors.is_empty() { Ok(Self { lines }) } else { Err(errors) }
    }

    /// Refuses whole tokens: for rules that are about to be kept, in the clear.
    ///
    /// # Errors
    /// Every line with a token in it.
    pub fn hold_no_token(&self) -> Result<(), Vec<RuleError>> {
        let holds = |rule: &&Rule| leak::mask(&rule.text) != rule.text;
        let error = |rule: &Rule| {
            let message =
                "the line holds a token, which would be kept in the clear; if it is live, revoke it";
            RuleError::new(rule.line, &rule.text, Fault::new(0, Code::Secret, message))
        };
        let errors: Vec<RuleError> = self.lines.iter().filter(holds).map(error).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Compiles every pattern: for rules that are about to be kept.
    ///
    /// # Errors
    /// Every line with a pattern that is too big, or with a token in it.
    pub fn compile(&self) -> Result<(), Vec<RuleError>> {
        self.hold_no_token()?;
        let patterns = |rule: &Rule| {
            let clauses = rule.clauses.iter().map(|clause| clause.pattern.clone());
            rule.url.iter().filter_map(|url| url.pattern.clone()).chain(clauses).collect::<Vec<_>>()
        };
        let broken = |rule: &&Rule| patterns(rule).iter().any(|pattern| !pattern.compiles());
        let errors: Vec<RuleError> = self
            .lines
            .iter()
            .filter(broken)
            .map(|rule| {
                let fault = Fault::new(
                    0,
                    Code::TooBig,
                    "a pattern of this line is too big; ask for fewer repetitions",
                );
                RuleError::new(rule.line, &rule.text, fault)
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The rules in their order.
    #[must_use]
    pub fn lines(&self) -> &[Rule] {
        &self.lines
    }
}

/// A raw line; `None`: blank or a comment.
fn parse_line(number: usize, raw: &str, base: Option<&Base>) -> Result<Option<Rule>, Fault> {
    let raw = raw.strip_suffix('\r').unwrap_or(raw);
    let line = raw.trim_start_matches([' ', '\t']);
    let before = raw.len() - line.len();
    let line = line.trim_end_matches([' ', '\t']);
    let comment = line.starts_with('#');
    // Rules get pasted from web pages.
    let unseen = |c: char| is_invisible(c) || (c.is_whitespace() && !c.is_ascii());
    if let Some((at, c)) = line.char_indices().find(|(_, c)| unseen(*c) && !(comment && *c == '\t')) {
        let message =
            format!("the character U+{:04X} cannot be seen; remove it and type it anew", u32::from(c));
        return Err(Fault::new(before + at, Code::Invisible, message));
    }
    if line.is_empty() || comment {
        return Ok(None);
    }
    if line.len() > MAX_LINE {
        return Err(Fault::new(before + MAX_LINE, Code::TooLong, "the line is longer than 1024 bytes"));
    }
    rule::parse(number, line, base).map(Some).map_err(|fault| fault.moved(before))
}

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod places;
#[cfg(test)]
mod verdicts;
