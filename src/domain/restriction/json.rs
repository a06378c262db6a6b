//! JSON as strictly as it can be read (RFC 8259): what two parsers could read differently is refused.

use super::fold::{Keys, Names};
use super::request::{Place, Refusal};
use super::{MAX_BODY, MAX_DEPTH};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub enum Json {
    /// A text, or what has one text only: `true`, `false`, an integer of at most 2^53 − 1.
    Text(String),
    /// null, a fraction, an exponent, −0, a larger integer: what has several texts, or none.
    Other,
    /// Values.
    Array(Vec<Json>),
    /// Members, none of them twice.
    Object(Members),
}

/// The members of an object.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Members {
    named: BTreeMap<String, Json>,
    /// The names by their folds; made when they are first asked for.
    names: OnceLock<Names>,
}

impl Members {
    fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::of(self.named.keys().map(String::as_str)))
    }

    /// The member of this name, spelt exactly so.
    ///
    /// # Errors
    /// There is another name that some framework takes for it.
    fn get(&self, name: &str) -> Result<Option<&Json>, Gap> {
        let own = self.named.get(name);
        if self.names().most_alike(&Keys::of(name)) > usize::from(own.is_some()) {
            return Err(Gap::SecondSpelling);
        }
        Ok(own)
    }
}

/// Values of a body: what takes some 20 ms to read.
const MAX_VALUES: usize = 100_000;

/// The largest integer that every reader of JSON agrees on (RFC 8259 §6).
const EXACT: u64 = (1 << 53) - 1;

/// Reads a body.
///
/// # Errors
/// A [`Refusal`]: not UTF-8, not JSON, a name twice, NUL in a name, too deep, too long.
pub fn parse(body: &[u8]) -> Result<Json, Refusal> {
    let refuse = |why| Refusal::new(Place::Body, why);
    if body.len() > MAX_BODY {
        return Err(refuse("the body is longer than 1 MiB"));
    }
    let text = std::str::from_utf8(body).map_err(|_| refuse("the body is not UTF-8"))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Nested { depth: 0, left: &Cell::new(MAX_VALUES) }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        let what = error.to_string();
        if what.starts_with(TWICE) {
            refuse("the body names a member twice, and servers differ in which they take")
        } else if what.starts_with(DEEP) {
            refuse("the body is nested more than 32 levels deep")
        } else if what.starts_with(MANY) {
            refuse("the body has more than 100,000 values")
        } else if what.starts_with(NUL) {
            refuse("the body has NUL in a name")
        } else {
            refuse("the body is not JSON as RFC 8259 has it")
        }
    })
}

const TWICE: &str = "a name twice";
const DEEP: &str = "too deep";
const MANY: &str = "too many values";
const NUL: &str = "NUL in a name";

/// Reads a value that is inside so many others.
#[derive(Clone, Copy)]
struct Nested<'n> {
    depth: usize,
    /// How many values may still come.
    left: &'n Cell<usize>,
}

impl Nested<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth < MAX_DEPTH { Ok(Self { depth: self.depth + 1, ..self }) } else { Err(E::custom(DEEP)) }
    }
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        self.left.set(self.left.get().checked_sub(1).ok_or_else(|| D::Error::custom(MANY))?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(if value <= EXACT { Json::Text(value.to_string()) } else { Json::Other })
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(if value.unsigned_abs() <= EXACT { Json::Text(value.to_string()) } else { Json::Other })
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let inside = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(inside)? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let inside = self.deeper()?;
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            if name.contains('\0') {
                return Err(A::Error::custom(NUL));
            }
            let value = map.next_value_seed(inside)?;
            if members.named.insert(name, value).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Json::Object(members))
    }
}

/// Why there is nothing to match at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gap {
    /// The top is no object.
    Top,
    /// A member on the way is not there, or what it is in is no object.
    Absent,
    /// A second spelling is beside it.
    SecondSpelling,
    /// An empty array, or an array in an array.
    Array,
    /// What is there has no text that all readers agree on.
    NoText,
}

impl Json {
    /// The texts that `path` leads to: every element of an array counts.
    ///
    /// # Errors
    /// [`Gap`]
    pub fn texts<'j>(&'j self, path: &[String]) -> Result<Vec<&'j str>, Gap> {
        if !matches!(self, Self::Object(_)) {
            return Err(Gap::Top);
        }
        let mut texts = Vec::new();
        self.collect(path, &mut texts).map(|()| texts)
    }

    /// The texts of a parameter of this name in a service that takes parameters from the members of the
    /// top; none where it has none there.
    ///
    /// # Errors
    /// [`Gap`]
    pub fn parameter<'j>(&'j self, name: &str) -> Result<Vec<&'j str>, Gap> {
        let mut texts = Vec::new();
        match self {
            Self::Object(members) => {
                if let Some(value) = members.get(name)? {
                    value.collect(&[], &mut texts)?;
                }
            }
            // The elements of an array have their numbers for names.
            Self::Array(_) if name.bytes().all(|b| b.is_ascii_digit()) => return Err(Gap::SecondSpelling),
            Self::Array(_) | Self::Text(_) | Self::Other => {}
        }
        Ok(texts)
    }

    /// Whether a member of the top may replace the method behind the check.
    #[must_use]
    pub fn overrides_method(&self) -> bool {
        matches!(self, Self::Object(members) if members.names().overrides_method())
    }

    fn collect<'j>(&'j self, path: &[String], into: &mut Vec<&'j str>) -> Result<(), Gap> {
        if let Self::Array(values) = self {
            if values.is_empty() || values.iter().any(|value| matches!(value, Self::Array(_))) {
                return Err(Gap::Array);
            }
            return values.iter().try_for_each(|value| value.collect(path, into));
        }
        match (path.split_first(), self) {
            (Some((name, rest)), Self::Object(members)) => {
                members.get(name)?.ok_or(Gap::Absent)?.collect(rest, into)
            }
            (Some(_), _) => Err(Gap::Absent),
            (None, Self::Text(text)) => {
                into.push(text);
                Ok(())
            }
            (None, _) => Err(Gap::NoText),
        }
    }
}
