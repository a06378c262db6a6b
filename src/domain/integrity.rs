//! The integrity of rows: what decides about a token carries a seal, so that nobody changes a row behind
//! patctl's back and gets a yes.
//!
//! With a key, kept outside the database, a seal is an HMAC-SHA-256 (RFC 2104): who can only write the
//! database can make none. Without one it is a SHA-256 over the same bytes, which shows damage but stops
//! nobody who reads this. A seal covers the name of the database, every column that decides, and the
//! restrictions in their order; it cannot show that a whole row was put back to an older state of itself,
//! which is what the audit log is for.
//!
//! A revoked row carries none: nothing that stands in it gives a yes, and whoever takes the revocation out
//! of it leaves a row without a seal.

use super::dice::Dice;
use super::frame::{Frame, Value};
use super::key_file::{self, KEY, KeyBytes, KeyError};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a seal: what kind it is, and a digest.
pub const SEAL: usize = 32 + 1;

const CHECKSUM: u8 = 1;
const MAC: u8 = 2;

/// The columns that a seal covers. A column's place is part of it: new ones are added at the end, and leave
/// the seals of rows in which they are NULL as they are.
pub const COLUMNS: [&str; 17] = [
    "id",
    "name",
    "user",
    "email",
    "auth",
    "verifier",
    "created_at",
    "expires_at",
    "revoked_at",
    "disabled_at",
    "rotated_at",
    "restricted",
    "secure",
    "successor",
    "predecessor",
    "ends_predecessor",
    "version",
];

/// The values of a row, in the order of [`COLUMNS`].
pub type Values<'v> = [Value<'v>; COLUMNS.len()];

/// The key of the seals: 256 bits. It is wiped when dropped, and `Debug` says nothing.
#[derive(Clone)]
pub struct IntegrityKey(KeyBytes);

impl IntegrityKey {
    /// A new random key.
    pub fn generate(dice: &mut Dice) -> Self {
        Self(Zeroizing::new(dice.bytes()))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        key_file::parse(bytes).map(Self)
    }

    /// What a key file holds.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        key_file::to_text(&self.0)
    }
}

/// What a file with a key holds.
#[derive(Clone, Debug)]
pub struct KeyFile {
    /// The key.
    pub key: IntegrityKey,
    /// The name of the database whose rows are sealed with it; `None`: it is not pinned to one yet.
    pub installation: Option<String>,
}

impl KeyFile {
    /// Reads a key file: the key, and below it perhaps the line that pins it to a database.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        let (key, rest) = bytes.split_at(end);
        let key = IntegrityKey::parse(key)?;
        let mut installation: Option<String> = None;
        for line in rest.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let name = std::str::from_utf8(line).ok().and_then(|line| line.trim().strip_prefix(PIN));
            let name = name.filter(|name| is_installation(name)).ok_or(KeyError)?;
            // Two processes may have written the same.
            if installation.as_ref().is_some_and(|known| known != name) {
                return Err(KeyError);
            }
            installation = Some(name.to_owned());
        }
        Ok(Self { key, installation })
    }
}

const PIN: &str = "installation ";

/// The line that pins a key to a database.
#[must_use]
pub fn pin(installation: &str) -> String {
    format!("{PIN}{installation}\n")
}

fn is_installation(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Debug for IntegrityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntegrityKey(..)")
    }
}

/// Why a row is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// It has no seal.
    Unsealed,
    /// Its seal is that of another row.
    Changed,
    /// It has a checksum, which anybody can make, where a key is configured.
    Unkeyed,
    /// Its seal was made with a key, and none is configured.
    NoKey,
    /// It is revoked and has a seal, which a revocation takes away.
    Revoked,
}

impl Damage {
    /// The same of the head of the audit log.
    #[must_use]
    pub const fn of_head(self) -> &'static str {
        match self {
            Self::Unsealed | Self::Revoked => "it has no seal",
            Self::Changed => "its seal does not fit",
            Self::Unkeyed => "it has a checksum where a key is due, which anybody can make",
            Self::NoKey => "it was sealed with a key, and patctl.integrity.key.file names none",
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsealed => "the row has no seal: patctl did not write it so",
            Self::Changed => "the row is not what patctl wrote: its seal does not fit",
            Self::Unkeyed => {
                "the row has a checksum where a key is due (patctl.integrity.key.file): anybody can have made it"
            }
            Self::Revoked => "the row was revoked, and not by patctl: it has its seal still",
            Self::NoKey => "the row was sealed with a key, and patctl.integrity.key.file names none",
        })
    }
}

/// What makes seals and looks at them.
#[derive(Clone, Debug, Default)]
pub struct Sealer {
    key: Option<IntegrityKey>,
}

impl Sealer {
    /// One that seals with this key; without one, with checksums.
    #[must_use]
    pub fn new(key: Option<IntegrityKey>) -> Self {
        Self { key }
    }

    /// The seal over a message.
    #[must_use]
    pub fn seal_message(&self, message: &Frame) -> [u8; SEAL] {
        let mut seal = [0; SEAL];
        if let Some(key) = &self.key {
            seal[0] = MAC;
            seal[1..].copy_from_slice(&mac(key, message.bytes()).finalize().into_bytes());
        } else {
            seal[0] = CHECKSUM;
            seal[1..].copy_from_slice(&Sha256::digest(message.bytes()));
        }
        seal
    }

    /// Whether a seal is that of this message, which is put together only where there is a seal to compare.
    /// Compared in constant time.
    ///
    /// # Errors
    /// Why not.
    pub fn check_message(&self, seal: Option<&[u8]>, message: impl FnOnce() -> Frame) -> Result<(), Damage> {
        let (kind, digest) = seal.and_then(<[u8]>::split_first).ok_or(Damage::Unsealed)?;
        match (*kind, &self.key) {
            (MAC, Some(key)) => mac(key, message().bytes()).verify_slice(digest).map_err(|_| Damage::Changed),
            (MAC, None) => Err(Damage::NoKey),
            (CHECKSUM, Some(_)) => Err(Damage::Unkeyed),
            // No secret is in it: how long the comparison takes tells nobody anything.
            (CHECKSUM, None) if digest == Sha256::digest(message().bytes()).as_slice() => Ok(()),
            _ => Err(Damage::Changed),
        }
    }

    /// The seal of a row of the database `installation`.
    #[must_use]
    pub fn seal(&self, installation: &str, values: &Values<'_>, rules: &[impl AsRef<str>]) -> [u8; SEAL] {
        self.seal_message(&encode(installation, values, rules))
    }

    /// Whether a seal is that of this row. Compared in constant time.
    ///
    /// # Errors
    /// Why not.
    pub fn check(
        &self,
        seal: Option<&[u8]>,
        installation: &str,
        values: &Values<'_>,
        rules: &[impl AsRef<str>],
    ) -> Result<(), Damage> {
        self.check_message(seal, || encode(installation, values, rules))
    }

    /// A key for another use, which only who has both can have; `None` where there is no integrity key.
    #[must_use]
    pub fn derive(&self, other: &[u8]) -> Option<KeyBytes> {
        let key = self.key.as_ref()?;
        let mut message = Zeroizing::new(b"patctl derived key 1".to_vec());
        message.extend(other);
        Some(Zeroizing::new(mac(key, &message).finalize().into_bytes().into()))
    }

    /// Whether a seal was made with some key.
    #[must_use]
    pub fn is_keyed(seal: &[u8]) -> bool {
        seal.first() == Some(&MAC)
    }
}

fn mac(key: &IntegrityKey, message: &[u8]) -> Hmac<Sha256> {
    // RFC 2104: a key is filled up with zeros to a block of the hash.
    let mut block = Zeroizing::new([0; 64]);
    block[..KEY].copy_from_slice(key.0.as_slice());
    let mut mac = Hmac::<Sha256>::new(&(*block).into());
    mac.update(message);
    mac
}

/// What is sealed.
fn encode(installation: &str, values: &Values<'_>, rules: &[impl AsRef<str>]) -> Frame {
    let mut frame = Frame::new(b"patctl row 1");
    frame.put(0, b'd', installation.as_bytes());
    frame.put_row(values);
    for rule in rules {
        frame.put(u8::MAX, b'r', rule.as_ref().as_bytes());
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use rand::SeedableRng as _;

    fn key(seed: u64) -> IntegrityKey {
        IntegrityKey::generate(&mut Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(seed))))
    }

    fn value() -> impl Strategy<Value = Value<'static>> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            // Short ones, so that bytes of one value look like the frame of the next.
            proptest::collection::vec(prop_oneof![0u8..18, Just(b't'), Just(b'i'), any::<u8>()], 0..12)
                .prop_map(|text| Value::Text(text.into())),
        ]
    }

    fn row() -> impl Strategy<Value = (String, Values<'static>, Vec<String>)> {
        let values = proptest::collection::vec(value(), COLUMNS.len())
            .prop_map(|values| values.try_into().expect("as many as there are columns"));
        ("[a-c]{0,3}", values, proptest::collection::vec("[a-c/]{0,3}", 0..3))
    }

    proptest! {
        /// With a key and without: a seal fits the row it was made for, and none that differs.
        #[test]
        fn a_seal_fits_its_row_and_no_other(mine in row(), other in row(), column in 0..COLUMNS.len(), keyed: bool) {
            let sealer = Sealer::new(keyed.then(|| key(1)));
            let seal = sealer.seal(&mine.0, &mine.1, &mine.2);
            let check = |row: &(String, Values<'_>, Vec<String>)| sealer.check(Some(&seal), &row.0, &row.1, &row.2);
            prop_assert_eq!(check(&mine), Ok(()));
            let mut one = mine.clone();
            one.1[column] = other.1[column].clone();
            for row in [one, (other.0.clone(), mine.1.clone(), mine.2.clone()), (mine.0.clone(), mine.1.clone(), other.2.clone()), other] {
                prop_assert_eq!(check(&row).is_ok(), row == mine, "{:?}", row);
            }
        }

        #[test]
        fn no_bit_of_a_seal_is_idle(bit in 0..SEAL * 8, keyed: bool) {
            let values = [const { Value::Null }; COLUMNS.len()];
            let sealer = Sealer::new(keyed.then(|| key(1)));
            let mut seal = sealer.seal("db", &values, &["/a"]);
            seal[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(sealer.check(Some(&seal), "db", &values, &["/a"]).is_err());
        }
    }

    #[test]
    fn a_seal_of_the_wrong_kind_or_of_another_key_is_none() {
        let values = [const { Value::Null }; COLUMNS.len()];
        let none: [&str; 0] = [];
        let (keyed, plain) = (Sealer::new(Some(key(1))), Sealer::default());
        let check = |sealer: &Sealer, seal: Option<&[u8]>| sealer.check(seal, "db", &values, &none);
        let mac = keyed.seal("db", &values, &none);
        let checksum = plain.seal("db", &values, &none);
        assert!(Sealer::is_keyed(&mac) && !Sealer::is_keyed(&checksum) && !Sealer::is_keyed(&[]));
        assert_eq!(check(&keyed, Some(&mac)), Ok(()));
        assert_eq!(check(&plain, Some(&checksum)), Ok(()));
        assert_eq!(check(&keyed, Some(&checksum)), Err(Damage::Unkeyed));
        assert!(Damage::Unkeyed.to_string().starts_with("the row has a checksum where a key is due"));
        assert_eq!(check(&plain, Some(&mac)), Err(Damage::NoKey));
        assert_eq!(check(&Sealer::new(Some(key(2))), Some(&mac)), Err(Damage::Changed));
        for sealer in [keyed, plain] {
            assert_eq!(check(&sealer, None), Err(Damage::Unsealed));
            assert_eq!(check(&sealer, Some(&[])), Err(Damage::Unsealed));
            assert_eq!(check(&sealer, Some(&[7; SEAL])), Err(Damage::Changed));
            assert!(check(&sealer, Some(&mac[..8])).is_err());
        }
    }

    /// Kept for ever: seals that were made must be found again.
    #[test]
    fn the_seal_of_a_row_is_what_it_always_was() {
        let mut values = [const { Value::Null }; COLUMNS.len()];
        values[0] = "7k3m9xq2v8".into();
        values[16] = Value::Integer(1);
        let digit = |n: u8| char::from_digit(n.into(), 16).expect("a digit");
        let hex = |seal: [u8; SEAL]| -> String {
            seal.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
        };
        let key = IntegrityKey::parse(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").expect("a key");
        assert_eq!(hex(Sealer::default().seal("db", &values, &["/a"])), KNOWN_CHECKSUM);
        assert_eq!(hex(Sealer::new(Some(key)).seal("db", &values, &["/a"])), KNOWN_MAC);
    }

    const KNOWN_CHECKSUM: &str = "01d6aab615bdad7090da9e9b747ddd6c6d32159b7bfef00101ef9f05fc4e45a553";
    const KNOWN_MAC: &str = "024f782c385cb65853a9733e00941c14325c934079cfa675bc8fbce1603c29c61d";

    #[test]
    fn a_key_reads_back_and_a_placeholder_is_none() {
        let mine = key(3);
        assert_eq!(*IntegrityKey::parse(mine.to_text().as_bytes()).expect("a key").0, *mine.0);
        assert_eq!(format!("{mine:?}"), "IntegrityKey(..)");
        let placeholder = STANDARD.encode([7; KEY]);
        for bad in ["", "secret", placeholder.as_str(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="] {
            assert!(IntegrityKey::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
