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
        at: position(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let mut found = Vec::new();
    walk(text, "", table.get_ref(), &mut found);
    found.sort_by_key(|(offset, _)| *offset);
    Ok(found.into_iter().map(|(_, entry)| entry).collect())
}

fn walk(text: &str, path: &str, table: &DeTable<'_>, found: &mut Vec<(usize, Entry)>) {
    for (name, value) in table {
        let key =
            if path.is_empty() { name.get_ref().to_string() } else { format!("{path}.{}", name.get_ref()) };
        if let DeValue::Table(inner) = value.get_ref() {
            walk(text, &key, inner, found);
        } else {
            found.push((value.span().start, entry(text, key, name, value)));
        }
    }
}

fn entry(text: &str, key: String, name: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>) -> Entry {
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
    Entry {
        key,
        value: said,
        kind,
        key_at: position(text, name.span().start),
        value_at: position(text, value.span().start),
    }
}

/// Line and column, in characters, of a place in `text`.
fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Position { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
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
