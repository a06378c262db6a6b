//! Values put together for a hash or a MAC: every part says its place, its type and its length before it begins, so
//! that two different rows never give the same bytes.

use std::borrow::Cow;

/// A value as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value<'v> {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text; where the file was tampered with, perhaps not UTF-8.
    Text(Cow<'v, [u8]>),
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text.as_bytes().into())
    }
}

impl<'v> From<Option<&'v str>> for Value<'v> {
    fn from(text: Option<&'v str>) -> Self {
        text.map_or(Self::Null, Into::into)
    }
}

/// The bytes so far.
pub struct Frame(Vec<u8>);

impl Frame {
    /// Begins with what says which kind of message this is.
    #[must_use]
    pub fn new(kind: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend(kind);
        Self(bytes)
    }

    /// Adds a part.
    pub fn put(&mut self, place: u8, kind: u8, content: &[u8]) {
        self.0.extend([place, kind]);
        self.0.extend((content.len() as u64).to_be_bytes());
        self.0.extend(content);
    }

    /// Adds the values of a row, the first at place 1. What is NULL adds nothing: a column that comes later
    /// leaves the messages of rows without it as they were.
    pub fn put_row(&mut self, values: &[Value<'_>]) {
        for (place, value) in (1..).zip(values) {
            match value {
                Value::Null => {}
                Value::Integer(number) => self.put(place, b'i', &number.to_be_bytes()),
                Value::Text(text) => self.put(place, b't', text),
            }
        }
    }

    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}
