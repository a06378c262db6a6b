//! A regular expression in a rule: parsed and linted when the rule is read, compiled only when a
//! request reaches it and could match.
//!
//! Bytes, not Unicode: `\d` is ten digits, `(?i)k` two letters, as their writers mean it. The whole
//! subject must match, and both branches of `a|b` are bound to both ends.

use super::MAX_SUBJECT;
use super::fault::{Code, Fault};
use super::lint;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};
use std::fmt;
use std::sync::OnceLock;

/// How deep groups, classes and repetitions may be nested.
const NESTING: u32 = 32;
/// What an automaton may take, in bytes.
const COMPILED: usize = 256 * 1024;
/// Positions that a pattern may have once its counted repetitions are written out, each as many times as
/// it has ranges of bytes.
const MAX_SIZE: u64 = 3_000;
/// States × bytes that one part may take: up to eighty nanoseconds each where the lazy automaton gives up
/// (measured), so that it ends within 10 ms whatever the pattern and whoever chose the subject.
const BUDGET: u64 = 1 << 17;

/// What a pattern is applied to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The canonical path, in which many bytes never occur.
    Path,
    /// A value, which may be any text.
    Value,
}

/// A regular expression that parses and passes the lint.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    hir: Hir,
    /// States that can be active at once.
    width: u64,
    compiled: OnceLock<Regex>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

/// Whether a subject matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// All of it.
    Yes,
    /// Not all of it.
    No,
    /// It is longer than what a pattern so ambiguous is tried on.
    TooLong,
    /// The pattern does not compile: it was not accepted by this version.
    Broken,
}

impl Pattern {
    /// Parses and lints.
    ///
    /// # Errors
    /// The first fault, its place in bytes of `text`.
    pub fn parse(text: &str, place: Place) -> Result<Self, Fault> {
        let ast = ParserBuilder::new()
            .nest_limit(NESTING)
            .build()
            .parse(text)
            .map_err(|error| lint::explain(text, &error))?;
        lint::lint(&ast, place)?;
        let hir =
            TranslatorBuilder::new().unicode(false).utf8(false).build().translate(text, &ast).map_err(
                |error| Fault::new(error.span().start.offset, Code::Regex, error.kind().to_string()),
            )?;
        if size(&hir) > MAX_SIZE {
            let message = "the repetitions of this pattern make it too big; ask for less, or write * or +";
            return Err(Fault::new(0, Code::TooBig, message));
        }
        let width = width(&hir, 1);
        Ok(Self { text: text.to_owned(), hir, width, compiled: OnceLock::new() })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether each of `subjects` matches; they share the bound on what a part may take.
    pub fn fits<'s>(&self, subjects: impl IntoIterator<Item = &'s [u8]>) -> (Fit, Option<&'s [u8]>) {
        let mut left = BUDGET;
        for subject in subjects {
            match self.fit(subject, &mut left) {
                Fit::Yes => {}
                other => return (other, Some(subject)),
            }
        }
        (Fit::Yes, None)
    }

    fn fit(&self, subject: &[u8], left: &mut u64) -> Fit {
        if subject.len() > MAX_SUBJECT {
            return Fit::TooLong;
        }
        let lengths = self.hir.properties();
        let too_short = lengths.minimum_len().is_none_or(|min| subject.len() < min);
        let too_long = lengths.maximum_len().is_some_and(|max| subject.len() > max);
        if too_short || too_long {
            return Fit::No;
        }
        let steps = self.width.saturating_mul(subject.len() as u64 + 1);
        match left.checked_sub(steps) {
            Some(rest) => *left = rest,
            None => return Fit::TooLong,
        }
        // Compiling is the dear part of a short run: not for what cannot match anyway.
        if !plausible(&self.hir, subject) {
            return Fit::No;
        }
        match self.regex() {
            Some(regex) if regex.is_match(subject) => Fit::Yes,
            Some(_) => Fit::No,
            None => Fit::Broken,
        }
    }

    /// A short text that it matches; `None`: none was found.
    #[must_use]
    pub fn example(&self) -> Option<String> {
        let mut bytes = Vec::new();
        shortest(&self.hir, &mut bytes)?;
        let text = String::from_utf8(bytes).ok()?;
        (self.fits([text.as_bytes()]).0 == Fit::Yes).then_some(text)
    }

    /// Whether it compiles within the bounds.
    #[must_use]
    pub fn compiles(&self) -> bool {
        self.regex().is_some()
    }

    fn regex(&self) -> Option<&Regex> {
        if self.compiled.get().is_none() {
            let _ = self.compiled.set(compile(&format!(r"\A(?:{})\z", self.text))?);
        }
        self.compiled.get()
    }

    /// Where a subject that does not match stops doing so: how much of the pattern fits from the
    /// beginning, and how much of the subject that takes.
    #[must_use]
    pub fn nearest(&self, subject: &[u8]) -> Option<(usize, usize)> {
        if subject.len() > MAX_SUBJECT || self.width.saturating_mul(subject.len() as u64) > BUDGET {
            return None;
        }
        let ends = lint::ends_of_parts(&self.text)?;
        let taken = |end: usize| {
            let regex = compile(&format!(r"\A(?:{})", &self.text[..end]))?;
            regex.find(subject).map(|found| found.end())
        };
        // What fits with more of the pattern fits with less of it: halve.
        let (mut fits, mut fails) = (0, ends.len());
        let mut best = (0, 0);
        while fits < fails {
            let middle = usize::midpoint(fits, fails);
            if let Some(end) = taken(ends[middle]) {
                best = (ends[middle], end);
                fits = middle + 1;
            } else {
                fails = middle;
            }
        }
        Some(best)
    }
}

fn compile(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).unicode(false).size_limit(COMPILED).nest_limit(NESTING + 4).build().ok()
}

/// The fewest repetitions, the first alternative, and of a class the most usual character.
fn shortest(hir: &Hir, into: &mut Vec<u8>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => into.extend_from_slice(&literal.0),
        HirKind::Class(class) => into.push(usual(class)?),
        HirKind::Capture(capture) => shortest(&capture.sub, into)?,
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min {
                shortest(&repetition.sub, into)?;
            }
        }
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| shortest(part, into))?,
        HirKind::Alternation(parts) => shortest(parts.first()?, into)?,
    }
    Some(())
}

/// The most usual byte of a class: a letter, a digit, else what can be seen.
fn usual(class: &Class) -> Option<u8> {
    let holds = |byte: &u8| match class {
        Class::Bytes(class) => class.ranges().iter().any(|r| (r.start()..=r.end()).contains(byte)),
        Class::Unicode(class) => {
            class.ranges().iter().any(|r| (r.start()..=r.end()).contains(&char::from(*byte)))
        }
    };
    (b'a'..=b'z').chain(b'A'..=b'Z').chain(b'0'..=b'9').chain(b' '..=b'~').find(holds)
}

/// Positions, with counted repetitions written out.
fn size(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Class(Class::Bytes(class)) => class.ranges().len().max(1) as u64,
        HirKind::Class(Class::Unicode(class)) => class.ranges().len().max(1) as u64,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Capture(capture) => size(&capture.sub).saturating_add(2),
        HirKind::Repetition(repetition) => {
            let copies = u64::from(repetition.max.unwrap_or(repetition.min).max(1));
            size(&repetition.sub).saturating_add(1).saturating_mul(copies)
        }
        HirKind::Concat(parts) => parts.iter().map(size).fold(0, u64::saturating_add),
        HirKind::Alternation(parts) => {
            parts.iter().map(|p| size(p).saturating_add(1)).fold(0, u64::saturating_add)
        }
    }
}

/// States that can be active at once, when what comes before can end at `spread` places.
fn width(hir: &Hir, spread: u64) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => 1,
        // A chain of single bytes is one automaton of few states, which stays cached.
        HirKind::Literal(literal) => spread.min(1 + literal.0.len() as u64 / 8),
        HirKind::Capture(capture) => width(&capture.sub, spread),
        HirKind::Repetition(repetition) => {
            let all = size(hir);
            let one = width(&repetition.sub, 1).saturating_add(1);
            if slack(&repetition.sub) == Some(0) { all.min(one.saturating_mul(spread)) } else { all }
        }
        HirKind::Concat(parts) => {
            let (mut sum, mut spread) = (0_u64, spread);
            for part in parts {
                sum = sum.saturating_add(width(part, spread));
                spread = slack(part).map_or(u64::MAX, |slack| spread.saturating_add(slack));
            }
            sum
        }
        HirKind::Alternation(parts) => {
            parts.iter().map(|part| width(part, spread).saturating_add(1)).fold(0, u64::saturating_add)
        }
    }
}

/// By how much the lengths differ that it can match; `None`: without bound.
fn slack(hir: &Hir) -> Option<u64> {
    let properties = hir.properties();
    let (min, max) = (properties.minimum_len().unwrap_or(0), properties.maximum_len()?);
    Some(max.saturating_sub(min) as u64)
}

/// False where a text that every match holds is not in the subject.
fn plausible(hir: &Hir, subject: &[u8]) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => {
            literal.0.is_empty() || subject.windows(literal.0.len()).any(|window| *window == *literal.0)
        }
        HirKind::Capture(capture) => plausible(&capture.sub, subject),
        HirKind::Repetition(repetition) => repetition.min == 0 || plausible(&repetition.sub, subject),
        HirKind::Concat(parts) => parts.iter().all(|part| plausible(part, subject)),
        HirKind::Alternation(parts) => parts.iter().any(|part| plausible(part, subject)),
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text, Place::Value).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
    }

    fn fit(text: &str, subject: &[u8]) -> Fit {
        pattern(text).fits([subject]).0
    }

    #[test]
    fn a_pattern_may_have_as_many_positions_as_the_bound_says_and_none_more() {
        assert_eq!(size(&pattern("a{1500}").hir), MAX_SIZE);
        assert!(pattern("a{1500}").compiles());
        let fault = Pattern::parse("a{1501}", Place::Value).expect_err("one too many");
        assert_eq!(fault.code, Code::TooBig);
    }

    /// What the bound on time goes by: the states that a byte may have to be tried in.
    #[test]
    fn ambiguity_makes_a_pattern_wide() {
        for (text, width) in [
            ("abc", 1),
            ("[a-z]", 1),
            ("a.*", 3),
            // Where the text begins is not known any longer, and it is of eight bytes.
            (".*abcdefgh", 4),
            (".*abcdefg", 3),
            ("(?:a.*|b.*|c.*|d.*)", 16),
            ("x(?:a.*|b.*|c.*|e)z", 16),
        ] {
            assert_eq!(pattern(text).width, width, "{text}");
        }
    }

    #[test]
    fn a_subject_is_tried_up_to_the_bound_on_time_and_not_beyond() {
        let (most, more) = ([b'a'; 8191], [b'a'; 8192]);
        let wide = "a.*|b.*|c.*|d.*";
        assert_eq!(pattern(wide).width * (most.len() as u64 + 1), BUDGET);
        assert_eq!((fit(wide, &most), fit(wide, &more)), (Fit::Yes, Fit::TooLong));
        let halves = most.split_at(4000);
        assert_eq!(pattern(wide).fits([halves.0, b"b"]), (Fit::Yes, None));
        // Each subject costs a step more than it has bytes, so that empty ones are not free.
        assert_eq!(pattern(wide).fits([halves.0, halves.1]).0, Fit::TooLong);
        assert_eq!(
            (fit("a*", &[b'a'; MAX_SUBJECT]), fit("a*", &[b'a'; MAX_SUBJECT + 1])),
            (Fit::Yes, Fit::TooLong)
        );
    }

    #[test]
    fn what_is_too_short_or_too_long_to_match_is_a_no_whatever_it_would_cost() {
        let wide = "(?:[ab]{0,9}){0,40}c";
        assert!(pattern(wide).width > BUDGET / 4000);
        assert_eq!(
            (fit(wide, &[b'a'; 4000]), fit(wide, b""), fit(wide, b"abc")),
            (Fit::No, Fit::No, Fit::Yes)
        );
    }

    #[test]
    fn a_miss_shows_how_much_of_the_pattern_fits() {
        let nearest = |text: &str, subject: &[u8]| pattern(text).nearest(subject);
        for (text, subject, expected) in [
            ("/a/b\\d", "/a/bx", Some((4, 4))),
            ("/a/[0-9]+/c", "/a/123/d", Some((10, 7))),
            ("/a/b", "x", Some((0, 0))),
            ("/a/b", "/x", Some((1, 1))),
            ("/a", "/abc", Some((2, 2))),
            // No parts that follow each other.
            ("a|b", "c", None),
            ("a", "b", None),
        ] {
            assert_eq!(nearest(text, subject.as_bytes()), expected, "{text} {subject}");
        }
        let long = [b'x'; MAX_SUBJECT + 1];
        let (most, edge) = (&long[..MAX_SUBJECT], "x(?:a.*|b.*|c.*|e)z");
        assert_eq!(
            (nearest("xy", most), nearest("xy", &long)),
            (Some((1, 1)), None),
            "as long as a subject may be"
        );
        assert_eq!(pattern(edge).width * most.len() as u64, BUDGET);
        assert_eq!(
            (nearest(edge, most), nearest(&format!("{edge}z*"), most)),
            (Some((1, 1)), None),
            "as wide"
        );
    }

    #[test]
    fn debug_shows_the_text() {
        assert_eq!(format!("{:?}", pattern("a+")), "Pattern(\"a+\")");
    }
}
