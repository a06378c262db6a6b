//! The chain of the audit log: the hash of each row covers the row and the hash of the row before it,
//! so that nobody changes, removes or moves a row unnoticed who does not rewrite all that follows.
//! Whoever rewrites that, too, is found out by a head that was kept elsewhere.

mod fault;
pub mod head;
mod walk;

pub use fault::Fault;
pub use head::{Head, KeptHead, Sealed};
pub use walk::{Intact, Suspect, Terms, Walk};

use super::actor::{Actor, RequestId};
use super::audit::{Entry, Outcome};
use super::frame::{Frame, Value};
use super::moment::MomentText;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The columns that a hash covers. A column's place is part of the hash: new ones are added at the
/// end, and leave the hashes of rows in which they are NULL as they are.
pub const COLUMNS: [&str; 20] = [
    "seq",
    "at",
    "actor",
    "actor_uid",
    "login_uid",
    "action",
    "token_id",
    "user",
    "effective_user",
    "outcome",
    "reason",
    "method",
    "url",
    "detail",
    "changes",
    "version",
    "actor_kind",
    "client",
    "request_id",
    "node",
];

/// The values of a row, in the order of [`COLUMNS`].
pub type Values<'v> = [Value<'v>; COLUMNS.len()];

/// The values that an entry has as row `seq`; `at` is its moment as text.
#[must_use]
pub fn values<'v>(entry: &'v Entry<'_>, seq: i64, at: &'v MomentText) -> Values<'v> {
    let reason = match entry.outcome {
        Outcome::Denied(reason) | Outcome::Error(reason) => Some(reason.as_str()),
        Outcome::Done | Outcome::Allowed => entry.reason,
    };
    [
        Value::Integer(seq),
        at.as_str().into(),
        entry.actor.name().into(),
        entry.actor.uid().map_or(Value::Null, |uid| Value::Integer(uid.into())),
        entry.actor.login_uid().map_or(Value::Null, |uid| Value::Integer(uid.into())),
        entry.action.as_str().into(),
        entry.token_id.into(),
        entry.user.into(),
        entry.effective_user.into(),
        entry.outcome.as_str().into(),
        reason.into(),
        entry.asked.method.into(),
        entry.asked.url.into(),
        entry.detail.into(),
        entry.changes.into(),
        entry.version.map_or(Value::Null, Value::Integer),
        // A row of a local user is what it was before there were others.
        Some(entry.actor.kind()).filter(|kind| *kind != Actor::KINDS[0]).into(),
        entry.meta.client.map_or(Value::Null, |client| Value::Text(client.to_string().into_bytes().into())),
        entry.meta.request_id.as_ref().map(RequestId::as_str).into(),
        entry.meta.node.as_deref().into(),
    ]
}

/// What is hashed.
fn encode(previous: &str, values: &Values<'_>) -> Frame {
    let mut frame = Frame::new(b"");
    frame.put(0, b'h', previous.as_bytes());
    frame.put_row(values);
    frame
}

/// The hash of a row behind one whose hash is `previous`: 64 hexadecimal digits.
#[must_use]
pub fn hash(previous: &str, values: &Values<'_>) -> String {
    let digit = |n: u8| char::from(if n < 10 { b'0' + n } else { b'a' + n - 10 });
    let digest = Sha256::digest(encode(previous, values).bytes());
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A row's number and its hash. The last row's is the head: it stands for all rows before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The number of the row.
    pub seq: i64,
    /// Its hash, as it is stored.
    pub hash: String,
}

impl Link {
    /// What the first row of all follows.
    #[must_use]
    pub fn start() -> Self {
        Self { seq: 0, hash: "0".repeat(64) }
    }

    /// Whether the hash is one: 64 hexadecimal digits.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.hash.len() == 64 && self.hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }
}

/// `SEQ:HASH`
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

/// A text is no `SEQ:HASH` or `SEQ:HASH@FIRST`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotALink;

impl fmt::Display for NotALink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "write SEQ:HASH@FIRST, two numbers and 64 hexadecimal digits between them, as 'patctl audit head' prints it",
        )
    }
}

impl std::error::Error for NotALink {}

impl FromStr for Link {
    type Err = NotALink;

    fn from_str(text: &str) -> Result<Self, NotALink> {
        let (seq, hash) = text.trim().split_once(':').ok_or(NotALink)?;
        let seq = seq.parse().ok().filter(|seq| *seq >= 0).ok_or(NotALink)?;
        Some(Self { seq, hash: hash.to_ascii_lowercase() }).filter(Self::is_whole).ok_or(NotALink)
    }
}

/// What the row says that is written with every deletion by retention.
#[must_use]
pub fn deleted(count: u64, last: &Link) -> String {
    format!("{count} rows up to {last}")
}

/// Up to where rows were deleted, by the words of [`deleted`].
fn deleted_to(detail: &Value<'_>) -> Option<Link> {
    let Value::Text(text) = detail else { return None };
    std::str::from_utf8(text).ok()?.rsplit(' ').next()?.parse().ok()
}

/// A row as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row<'r> {
    /// Its number: the first of the values.
    pub seq: i64,
    /// What the hash covers.
    pub values: Values<'r>,
    /// The hash that stands in it.
    pub hash: Option<Cow<'r, str>>,
}

impl Row<'_> {
    /// A copy that outlives the reading.
    #[must_use]
    pub fn to_owned(&self) -> Row<'static> {
        let values = self.values.clone().map(|value| match value {
            Value::Null => Value::Null,
            Value::Integer(number) => Value::Integer(number),
            Value::Text(text) => Value::Text(text.into_owned().into()),
        });
        Row { seq: self.seq, values, hash: self.hash.as_ref().map(|hash| hash.to_string().into()) }
    }

    /// The hash that its values would have as row `seq` behind `previous`.
    fn hash_as(&self, previous: &str, seq: i64) -> String {
        let mut values = self.values.clone();
        values[0] = Value::Integer(seq);
        hash(previous, &values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What [`encode`] was given, read back from the bytes alone.
    fn decode(bytes: &[u8]) -> (String, Values<'static>) {
        let mut values = [const { Value::Null }; COLUMNS.len()];
        let mut previous = None;
        let mut rest = bytes;
        while let [place, kind, tail @ ..] = rest {
            let (length, tail) = tail.split_first_chunk::<8>().expect("a length");
            let length = usize::try_from(u64::from_be_bytes(*length)).expect("a length");
            let (content, tail) = tail.split_at(length);
            match kind {
                b'h' => previous = Some(String::from_utf8(content.to_vec()).expect("a hash")),
                b'i' => {
                    let number = i64::from_be_bytes(content.try_into().expect("eight bytes"));
                    values[usize::from(*place) - 1] = Value::Integer(number);
                }
                _ => values[usize::from(*place) - 1] = Value::Text(content.to_vec().into()),
            }
            rest = tail;
        }
        (previous.expect("the hash before"), values)
    }

    fn value() -> impl Strategy<Value = Value<'static>> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            // Short ones, so that bytes of one value look like the frame of the next.
            proptest::collection::vec(prop_oneof![0u8..16, Just(b't'), Just(b'i'), any::<u8>()], 0..12)
                .prop_map(|text| Value::Text(text.into())),
        ]
    }

    fn row() -> impl Strategy<Value = Values<'static>> {
        proptest::collection::vec(value(), COLUMNS.len())
            .prop_map(|values| values.try_into().expect("as many as there are columns"))
    }

    proptest! {
        /// What can be read back is injective: two rows never give the same bytes.
        #[test]
        fn what_is_hashed_says_exactly_which_row_it_was(previous in ".{0,70}", values in row()) {
            prop_assert_eq!(decode(encode(&previous, &values).bytes()), (previous, values));
        }

        #[test]
        fn rows_that_differ_in_one_value_have_different_hashes(
            values in row(), column in 0..COLUMNS.len(), other in value()
        ) {
            let mut changed = values.clone();
            changed[column] = other;
            prop_assert_eq!(changed == values, hash("", &changed) == hash("", &values));
        }

        #[test]
        fn a_head_reads_back(seq in 0..i64::MAX, hash in "[0-9a-f]{64}") {
            let link = Link { seq, hash };
            prop_assert_eq!(format!(" {link}\n").parse(), Ok(link.clone()));
            prop_assert_eq!(deleted_to(&Value::from(deleted(7, &link).as_str())), Some(link));
        }
    }

    /// Kept for ever: hashes that were written must be found again.
    #[test]
    fn the_hash_of_a_row_is_what_it_always_was() {
        let mut values = [const { Value::Null }; COLUMNS.len()];
        values[0] = Value::Integer(1);
        values[1] = "2026-11-21T12:00:00.000000Z".into();
        values[2] = "operator".into();
        let known = "b08d820ab0b50b12c4d39d5c4c2a02c8c007896256ad6de66dbb900b152f822e";
        assert_eq!(hash(&Link::start().hash, &values), known);
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let whole = "0".repeat(64);
        for text in [
            "",
            "1",
            ":",
            "1:",
            "1:ab",
            &format!("-1:{whole}"),
            &format!("x:{whole}"),
            &format!("1:{whole}0"),
        ] {
            assert_eq!(text.parse::<Link>(), Err(NotALink), "{text}");
        }
        assert!(format!("1:{}", whole.replace('0', "A")).parse::<Link>().is_ok(), "upper case is read");
    }
}
