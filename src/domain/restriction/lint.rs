//! What a regular expression must not hold although it parses, because it means something else than
//! its writer thinks, or can never match.

use super::fault::{Code, Fault};
use super::path;
use super::pattern::Place;
use regex_syntax::ast::{
    self, Ast, ClassBracketed, ClassSet, ClassSetItem, Error, ErrorKind, Flag, Flags, FlagsItemKind,
    GroupKind, Literal, LiteralKind, RepetitionKind, RepetitionOp,
};

/// Says why a pattern does not parse, in the words of who knows Java.
pub fn explain(text: &str, error: &Error) -> Fault {
    let at = error.span().start.offset;
    let rest = text.get(at..).unwrap_or("");
    let fault = |at, message: &str| Fault::new(at, Code::Regex, message);
    match error.kind() {
        ErrorKind::UnsupportedLookAround => {
            fault(at, "look-around is not supported; write what may match, or a second line")
        }
        ErrorKind::UnsupportedBackreference => {
            fault(at, "back-references are not supported; write the alternatives out")
        }
        ErrorKind::FlagUnrecognized if text[..at].ends_with("(?") && rest.starts_with('>') => {
            fault(at - 2, "atomic groups are not supported; write (?:…)")
        }
        ErrorKind::FlagUnrecognized => Fault::new(at, Code::Flag, "only the flags (?i) and (?s) may be used"),
        ErrorKind::UnicodeClassInvalid => Fault::new(at, Code::UnicodeClass, UNICODE),
        ErrorKind::EscapeUnrecognized if rest.starts_with("\\Q") || rest.starts_with("\\E") => {
            fault(at, "\\Q…\\E is not supported; escape each character with \\")
        }
        ErrorKind::EscapeUnrecognized if rest.starts_with("\\Z") => {
            fault(at, "\\Z is not supported, and not needed: the whole text must match")
        }
        ErrorKind::EscapeUnrecognized if rest.starts_with("\\h") => {
            fault(at, "\\h is not supported; write [ \\t]")
        }
        ErrorKind::NestLimitExceeded(_) => Fault::new(
            at,
            Code::TooBig,
            "groups and repetitions are nested too deeply; 32 levels are allowed",
        ),
        ErrorKind::RepetitionMissing => {
            fault(at, "there is nothing to repeat; for 'anything' write .*, this is no file pattern")
        }
        ErrorKind::GroupUnclosed => {
            fault(at, "the group is not closed; add ), or write \\( for the character")
        }
        ErrorKind::GroupUnopened => {
            fault(at, "this ) closes nothing; remove it, or write \\) for the character")
        }
        kind => fault(at, &format!("{kind}; a \\ before a character takes it as it is")),
    }
}

const UNICODE: &str = "Unicode classes are not supported: patterns see bytes; write [A-Za-z], or . for any";

/// Refuses what should not be in a pattern.
///
/// # Errors
/// The first fault, in the order of the text.
pub fn lint(ast: &Ast, place: Place) -> Result<(), Fault> {
    Lint { place, any_case: false }.walk(ast)
}

#[derive(Clone, Copy)]
struct Lint {
    place: Place,
    any_case: bool,
}

impl Lint {
    /// Recursion is bounded by the parser's nest limit.
    fn walk(&mut self, ast: &Ast) -> Result<(), Fault> {
        match ast {
            Ast::Concat(concat) => self.sequence(&concat.asts),
            Ast::Alternation(alternation) => alternation.asts.iter().try_for_each(|ast| self.walk(ast)),
            Ast::Group(group) => {
                let mut inner = *self;
                match &group.kind {
                    GroupKind::NonCapturing(flags) => inner.flags(flags)?,
                    GroupKind::CaptureName { name, .. } if name.name.contains(['[', ']']) => {
                        let message = "a bracket in the name of a group is easily misread; write (…)";
                        return Err(Fault::new(name.span.start.offset, Code::Regex, message));
                    }
                    GroupKind::CaptureName { .. } | GroupKind::CaptureIndex(_) => {}
                }
                inner.walk(&group.ast)
            }
            Ast::Repetition(repetition) => {
                if let Ast::Repetition(inner) = &*repetition.ast {
                    return Err(doubled(&inner.op, &repetition.op));
                }
                self.walk(&repetition.ast)
            }
            Ast::ClassUnicode(class) => Err(Fault::new(class.span.start.offset, Code::UnicodeClass, UNICODE)),
            Ast::ClassBracketed(class) => bracketed(class),
            Ast::Literal(_) | Ast::Flags(_) => self.sequence(std::slice::from_ref(ast)),
            Ast::Empty(_) | Ast::Dot(_) | Ast::Assertion(_) | Ast::ClassPerl(_) => Ok(()),
        }
    }

    /// Neighbours, the plain characters among them as runs.
    fn sequence(&mut self, asts: &[Ast]) -> Result<(), Fault> {
        let mut run: Vec<&Literal> = Vec::new();
        for ast in asts {
            match ast {
                Ast::Literal(literal) => run.push(literal),
                Ast::Flags(set) => {
                    self.run(&run)?;
                    run.clear();
                    self.flags(&set.flags)?;
                }
                other => {
                    self.run(&run)?;
                    run.clear();
                    self.walk(other)?;
                }
            }
        }
        self.run(&run)
    }

    fn flags(&mut self, flags: &Flags) -> Result<(), Fault> {
        let mut on = true;
        for item in &flags.items {
            match item.kind {
                FlagsItemKind::Negation => on = false,
                FlagsItemKind::Flag(Flag::CaseInsensitive) => self.any_case = on,
                FlagsItemKind::Flag(Flag::DotMatchesNewLine) => {}
                FlagsItemKind::Flag(_) => {
                    let message = "only the flags (?i) and (?s) may be used";
                    return Err(Fault::new(item.span.start.offset, Code::Flag, message));
                }
            }
        }
        Ok(())
    }

    /// A run of plain characters that no canonical path holds can never match.
    fn run(self, run: &[&Literal]) -> Result<(), Fault> {
        if self.place == Place::Value {
            return Ok(());
        }
        for (index, literal) in run.iter().enumerate() {
            let rest = &run[index..];
            if let Some(why) = self.impossible(literal.c, rest) {
                return Err(Fault::new(literal.span.start.offset, Code::NeverMatches, why));
            }
        }
        Ok(())
    }

    fn impossible(self, c: char, rest: &[&Literal]) -> Option<String> {
        let next = |index: usize| rest.get(index).map(|literal| literal.c);
        let why = match c {
            '?' => "the URL pattern sees only the path; use [QueryParam::name==regexp] for the query",
            '#' => "no request has a fragment; the URL pattern sees only the path",
            ' ' => "a path holds no plain space; write %20",
            ';' => "paths with ; are always refused; leave it out",
            '/' if next(1) == Some('/') => {
                "paths with // are always refused; the pattern sees the path only, an origin is written \
                 https://host/… at its beginning"
            }
            '/' if next(1) == Some('.') && next(2) == Some('.') && matches!(next(3), Some('/')) => {
                "paths with .. are always refused; leave it out"
            }
            '%' => return self.encoded(next(1)?, next(2)),
            c if !c.is_ascii() => {
                let mut bytes = [0; 4];
                let bytes = c.encode_utf8(&mut bytes).bytes();
                let encoded = bytes.fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}"));
                return Some(format!("the canonical path is ASCII; write {encoded}"));
            }
            '/' => return None,
            c if u8::try_from(c).is_ok_and(path::is_plain) => return None,
            c => {
                return Some(format!(
                    "a path never holds {} plainly; write it as %{:02X} if it is meant",
                    c.escape_default(),
                    u32::from(c)
                ));
            }
        };
        Some(why.to_owned())
    }

    /// An escape that the canonical path never holds.
    fn encoded(self, high: char, low: Option<char>) -> Option<String> {
        if !high.is_ascii_hexdigit() {
            return Some("a % in a path is followed by two hexadecimal digits".to_owned());
        }
        let low = low?;
        if !low.is_ascii_hexdigit() {
            return Some("a % in a path is followed by two hexadecimal digits".to_owned());
        }
        let value = u8::try_from(high.to_digit(16)? * 16 + low.to_digit(16)?).ok()?;
        if path::is_refused_encoded(value) {
            return Some(format!("paths with %{value:02X} are always refused; leave it out"));
        }
        if path::is_plain(value) {
            let plain = char::from(value);
            let escape = if "$()*+.".contains(plain) { "\\" } else { "" };
            return Some(format!("the canonical path has this decoded; write {escape}{plain}"));
        }
        let lower = high.is_ascii_lowercase() || low.is_ascii_lowercase();
        (lower && !self.any_case)
            .then(|| format!("the canonical path has upper case here; write %{value:02X}"))
    }
}

fn doubled(inner: &RepetitionOp, outer: &RepetitionOp) -> Fault {
    let at = outer.span.start.offset;
    if matches!(outer.kind, RepetitionKind::OneOrMore) {
        let _ = inner;
        let message =
            "possessive quantifiers are not supported, and would allow more than in Java; leave out the +";
        return Fault::new(at, Code::Possessive, message);
    }
    Fault::new(at, Code::Regex, "one quantifier follows another; group the first: (?:…)")
}

fn bracketed(class: &ClassBracketed) -> Result<(), Fault> {
    class_set(&class.kind)
}

fn class_set(set: &ClassSet) -> Result<(), Fault> {
    match set {
        ClassSet::Item(item) => class_item(item),
        ClassSet::BinaryOp(operation) => Err(Fault::new(
            operation.span.start.offset,
            Code::ClassOp,
            "&&, -- and ~~ are not supported in a class; escape the characters with \\, or write the class out",
        )),
    }
}

fn class_item(item: &ClassSetItem) -> Result<(), Fault> {
    let ascii = |literal: &Literal| {
        if literal.byte().is_some() || literal.c.is_ascii() {
            return Ok(());
        }
        let message = "only ASCII may stand in a class: patterns see bytes; write the character as (?:a|…)";
        Err(Fault::new(literal.span.start.offset, Code::NonAsciiClass, message))
    };
    match item {
        ClassSetItem::Literal(literal) => ascii(literal),
        ClassSetItem::Range(range) => {
            // Read as the end of a range here, as the beginning of a class by many a reader.
            for end in [&range.start, &range.end] {
                if end.c == '[' && end.kind == LiteralKind::Verbatim {
                    let message = "a [ at the end of a range is easily misread; write \\[";
                    return Err(Fault::new(end.span.start.offset, Code::Regex, message));
                }
            }
            ascii(&range.start).and_then(|()| ascii(&range.end))
        }
        ClassSetItem::Unicode(class) => Err(Fault::new(class.span.start.offset, Code::UnicodeClass, UNICODE)),
        ClassSetItem::Bracketed(class) => bracketed(class),
        ClassSetItem::Union(union) => union.items.iter().try_for_each(class_item),
        ClassSetItem::Empty(_) | ClassSetItem::Ascii(_) | ClassSetItem::Perl(_) => Ok(()),
    }
}

/// Where the parts of a pattern end that follow each other at its top; `None` where none do.
pub fn ends_of_parts(text: &str) -> Option<Vec<usize>> {
    match &ast::parse::Parser::new().parse(text) {
        Ok(Ast::Concat(concat)) => Some(concat.asts.iter().map(|ast| ast.span().end.offset).collect()),
        Ok(_) | Err(_) => None,
    }
}
