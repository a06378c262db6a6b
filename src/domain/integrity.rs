//! The integrity of rows: what decides about a token carries a seal, so that nobody changes a row behind
//! patctl's back and gets a yes.
//!
//! With a key, kept outside the database, a seal is an HMAC-SHA-256 (RFC 2104): who can only write the
//! database can make none. Without one it is a SHA-256 over the same bytes, which shows damage but stops
//! nobody who reads this. A seal covers the name of the database, every column that decides, and the
//! restrictions in their order; it cannot show that a whole row was put back to an older state of itself,
//! which is what the audit log is for.
//!
//! It covers all that leaves the database, too: remarks, addresses, and what an export tells of where a token came
//! from; and a revoked row as any other. Not covered are records of uses and mails, which decide nothing.

use super::dice::Dice;
use super::frame::{Frame, Value};
use super::key_file::{self, KEY, KeyBytes, KeyError};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a seal: what kind it is, and a digest.
pub const SEAL: usize = 32 + 1;

// Of messages, and, until schema 8, of rows: over the first columns alone.
const CHECKSUM: u8 = 1;
const MAC: u8 = 2;
// Of rows: over all columns.
const ROW_CHECKSUM: u8 = 3;
const ROW_MAC: u8 = 4;
// Of rows that were revoked while they were not what patctl wrote: over the id and the end alone.
const END_CHECKSUM: u8 = 5;
const END_MAC: u8 = 6;

/// The version of the seals that this patctl makes for rows; older ones say nothing of it.
pub const ROWS: i64 = 2;

/// The columns that a seal covers. A column's place is part of it: new ones are added at the end, and leave
/// the seals of rows in which they are NULL as they are.
pub const COLUMNS: [&str; 24] = [
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
    "revoke_reason",
    "note",
    "notify_to",
    "origin_row",
    "origin_user",
    "origin_end",
    "issued_by",
];

/// How many of them a seal covered until schema 8.
const NARROW: usize = 17;
/// Where the id of a row is.
pub const ID: usize = 0;
/// Where its revocation is.
pub const REVOKED_AT: usize = 8;

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
    /// Whether rows that were sealed before schema 8 are no longer taken over: all of its database are sealed anew.
    pub rows: bool,
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
        let (mut installation, mut rows) = (None::<String>, false);
        for line in rest.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            if line.trim_ascii() == PIN_ROWS.trim_ascii_end().as_bytes() {
                rows = true;
                continue;
            }
            let name = std::str::from_utf8(line).ok().and_then(|line| line.trim().strip_prefix(PIN));
            let name = name.filter(|name| is_installation(name)).ok_or(KeyError)?;
            // Two processes may have written the same.
            if installation.as_ref().is_some_and(|known| known != name) {
                return Err(KeyError);
            }
            installation = Some(name.to_owned());
        }
        Ok(Self { key, installation, rows })
    }
}

const PIN: &str = "installation ";

/// The line that says that no row is taken over that has a seal of before schema 8: whoever can write the database
/// could have put back an old row with its seal, and changed what that does not cover.
pub const PIN_ROWS: &str = "rows 2\n";

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
    /// Its seal is of before schema 8 and covers less. The upgrade made all of them anew that were right.
    Narrow,
    /// It was not what patctl wrote when patctl revoked it: it is known to be over, and nothing else of it.
    Ended,
}

impl Damage {
    /// The same of the head of the audit log.
    #[must_use]
    pub const fn of_head(self) -> &'static str {
        match self {
            Self::Unsealed => "it has no seal",
            Self::Changed | Self::Narrow | Self::Ended => "its seal does not fit",
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
            Self::Narrow => "the row has a seal of an older patctl, which covers less: it was put back",
            Self::Ended => "the row was not what patctl wrote when it was revoked",
            Self::NoKey => "the row was sealed with a key, and patctl.integrity.key.file names none",
        })
    }
}

/// What makes seals and looks at them.
#[derive(Clone, Debug, Default)]
pub struct Sealer {
    key: Option<IntegrityKey>,
    /// Whether the key file says that all rows are sealed anew since schema 8.
    pinned: bool,
}

impl Sealer {
    /// One that seals with this key; without one, with checksums.
    #[must_use]
    pub fn new(key: Option<IntegrityKey>) -> Self {
        Self { key, pinned: false }
    }

    /// One that seals with the key of a file.
    #[must_use]
    pub fn of(file: KeyFile) -> Self {
        Self { key: Some(file.key), pinned: file.rows }
    }

    /// Whether it seals with a key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether rows of before schema 8 are not to be taken over.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.pinned
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
        self.check_digest(*kind, digest, message)
    }

    fn check_digest(&self, kind: u8, digest: &[u8], message: impl FnOnce() -> Frame) -> Result<(), Damage> {
        match (kind, &self.key) {
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
        self.seal_row(ROW_CHECKSUM, &encode(installation, values, rules))
    }

    /// The seal of a row that is revoked, and of which nothing else is known.
    #[must_use]
    pub fn seal_end(&self, installation: &str, values: &Values<'_>) -> [u8; SEAL] {
        self.seal_row(END_CHECKSUM, &encode_end(installation, values))
    }

    /// The kind with a key follows the one without.
    fn seal_row(&self, checksum: u8, message: &Frame) -> [u8; SEAL] {
        let mut seal = self.seal_message(message);
        seal[0] = checksum + u8::from(self.key.is_some());
        seal
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
        let (kind, digest) = seal.and_then(<[u8]>::split_first).ok_or(Damage::Unsealed)?;
        let row = || encode(installation, values, rules);
        match *kind {
            ROW_CHECKSUM => self.check_digest(CHECKSUM, digest, row),
            ROW_MAC => self.check_digest(MAC, digest, row),
            END_CHECKSUM | END_MAC if values[REVOKED_AT] != Value::Null => {
                let kind = if *kind == END_MAC { MAC } else { CHECKSUM };
                self.check_digest(kind, digest, || encode_end(installation, values))?;
                Err(Damage::Ended)
            }
            MAC if self.key.is_none() => Err(Damage::NoKey),
            CHECKSUM if self.key.is_some() => Err(Damage::Unkeyed),
            MAC | CHECKSUM => Err(Damage::Narrow),
            _ => Err(Damage::Changed),
        }
    }

    /// Whether a row is as it was left before schema 8: revoked rows had no seal, and the others one over the first
    /// columns. Asked where such a database is brought up to date or restored, and nowhere else.
    ///
    /// # Errors
    /// Why not.
    pub fn check_narrow(
        &self,
        seal: Option<&[u8]>,
        installation: &str,
        values: &Values<'_>,
        rules: &[impl AsRef<str>],
    ) -> Result<(), Damage> {
        match (seal, values[REVOKED_AT] != Value::Null) {
            (None, true) => Ok(()),
            (Some(_), true) => Err(Damage::Changed),
            (seal, false) => self.check_message(seal, || encode_narrow(installation, values, rules)),
        }
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
        matches!(seal.first(), Some(&(MAC | ROW_MAC | END_MAC)))
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
    encode_as(b"patctl row 2", installation, values, rules)
}

/// What was sealed until schema 8.
fn encode_narrow(installation: &str, values: &Values<'_>, rules: &[impl AsRef<str>]) -> Frame {
    encode_as(b"patctl row 1", installation, &values[..NARROW], rules)
}

fn encode_as(kind: &[u8], installation: &str, values: &[Value<'_>], rules: &[impl AsRef<str>]) -> Frame {
    let mut frame = Frame::new(kind);
    frame.put(0, b'd', installation.as_bytes());
    frame.put_row(values);
    for rule in rules {
        frame.put(u8::MAX, b'r', rule.as_ref().as_bytes());
    }
    frame
}

/// What is sealed of a row of which only the end is known.
fn encode_end(installation: &str, values: &Values<'_>) -> Frame {
    let mut frame = Frame::new(b"patctl end 1");
    frame.put(0, b'd', installation.as_bytes());
    frame.put_row(&[values[ID].clone(), values[REVOKED_AT].clone()]);
    frame
}

#[cfg(test)]
mod tests;
