//! Configuration in TOML: dotted keys or tables, so that `atlassian.pats.enabled = true` works as it
//! stands.

use super::properties::Position;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// One value, with the path to it as a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The key, its parts joined by dots.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// `boolean`, `integer`, `string`, or what else it is.
    pub kind: &'static str,
    /// Where the last part of the key begins.
    pub key_at: Position,
    /// Where the value begins.
    pub value_at: Position,
}

/// The text is no TOML.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// Where.
    pub at: Position,
    /// Why.
    pub message: String,
}

/// Reads a whole file; entries come in the order of the file.
///
/// # Errors
/// The first [`SyntaxError`].
pub fn parse(text: &str) -> Result<Vec<Entry>, SyntaxError> {
    let table = DeTable::parse(text).map_err(|error| SyntaxError {
        at: Places::new(text).position(error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let mut found = Vec::new();
    walk(text, "", table.get_ref(), &mut found);
    found.sort_by_key(|found| found.key_start);
    let mut places = Places::new(text);
    let entry = |found: Found| Entry {
        key: found.key,
        value: found.value,
        kind: found.kind,
        key_at: places.position(found.key_start),
        value_at: places.position(found.value_start),
    };
    Ok(found.into_iter().map(entry).collect())
}

/// An entry that knows its offsets in the text only.
struct Found {
    key: String,
    value: String,
    kind: &'static str,
    key_start: usize,
    value_start: usize,
}

fn walk(text: &str, path: &str, table: &DeTable<'_>, found: &mut Vec<Found>) {
    for (name, value) in table {
        let key =
            if path.is_empty() { name.get_ref().to_string() } else { format!("{path}.{}", name.get_ref()) };
        if let DeValue::Table(inner) = value.get_ref() {
            walk(text, &key, inner, found);
        } else {
            found.push(one(text, key, name, value));
        }
    }
}

/// Lines and columns of places that are asked for from front to back: each character is looked at
/// about once, however many places there are.
struct Places<'t> {
    text: &'t str,
    offset: usize,
    at: Position,
}

impl<'t> Places<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, offset: 0, at: Position { line: 1, column: 1 } }
    }

    /// In characters. A place before the last one starts over.
    fn position(&mut self, offset: usize) -> Position {
        if offset < self.offset {
            *self = Self::new(self.text);
        }
        for c in self.text.get(self.offset..offset).unwrap_or_default().chars() {
            self.at = match c {
                '\n' => Position { line: self.at.line + 1, column: 1 },
                _ => Position { column: self.at.column + 1, ..self.at },
            };
        }
        self.offset = offset;
        self.at
    }
}

fn one(text: &str, key: String, name: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>) -> Found {
    let (kind, said) = match value.get_ref() {
        DeValue::Boolean(b) => ("boolean", b.to_string()),
        DeValue::Integer(n) if n.radix() == 10 => ("integer", n.as_str().to_owned()),
        DeValue::Integer(_) => ("a number that is not decimal", text[value.span()].to_owned()),
        DeValue::String(s) => ("string", s.to_string()),
        DeValue::Float(_) => ("a fraction", text[value.span()].to_owned()),
        DeValue::Datetime(_) => ("a date", text[value.span()].to_owned()),
        DeValue::Array(_) => ("a list", "[…]".to_owned()),
        DeValue::Table(_) => ("a table", "{…}".to_owned()),
    };
    Found { key, value: said, kind, key_start: name.span().start, value_start: value.span().start }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_keys_and_tables_give_the_same_keys_with_their_places() {
        let text = "atlassian.pats.enabled = true\n[patctl]\naudit.sync = \"full\"\n[patctl.argon2]\niterations = 3\n";
        let entries = parse(text).expect("TOML");
        let keys: Vec<_> = entries.iter().map(|e| (e.key.as_str(), e.value.as_str(), e.kind)).collect();
        assert_eq!(
            keys,
            [
                ("atlassian.pats.enabled", "true", "boolean"),
                ("patctl.audit.sync", "full", "string"),
                ("patctl.argon2.iterations", "3", "integer"),
            ]
        );
        assert_eq!(entries[0].value_at, Position { line: 1, column: 26 });
        assert_eq!(entries[2].key_at, Position { line: 5, column: 1 });
    }

    #[test]
    fn what_is_no_toml_says_where() {
        let error = parse("a = 1\nb = \n").expect_err("no value");
        assert_eq!(error.at.line, 2);
        assert!(parse("a = 1\na = 2\n").is_err(), "a key set twice");
    }
}
