//! What tokens look like, byte for byte.

use super::back;
use super::{CHECK, ID, OURS, PREFIX};
use crate::domain::atlassian::raw;
use std::ops::Range;

const ALNUM: u8 = 1;
const CROCKFORD: u8 = 2;
const BASE64: u8 = 4;
const WORD: u8 = 8;

/// Which alphabets a byte is of.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        class[byte as usize] = match byte {
            b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z' => {
                ALNUM | CROCKFORD | BASE64 | WORD
            }
            b'A'..=b'Z' | b'i' | b'l' | b'o' | b'u' => ALNUM | BASE64 | WORD,
            b'+' | b'/' => BASE64,
            b'_' => WORD,
            _ => 0,
        };
        byte += 1;
    }
    class
};

#[inline]
fn all(class: u8, bytes: &[u8]) -> bool {
    bytes.iter().fold(class, |left, byte| left & CLASS[usize::from(*byte)]) != 0
}

/// Whether these are letters and digits; without a branch, so that many are compared at once.
#[inline]
fn alphanumeric<const N: usize>(bytes: Option<&[u8; N]>) -> bool {
    let one = |byte: &u8| ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10);
    bytes.is_some_and(|bytes| bytes.iter().fold(true, |all, byte| all & one(byte)))
}

/// The token of ours whose id stands behind the `_` at `anchor`.
#[inline]
pub fn ours(bytes: &[u8], anchor: usize) -> Option<Range<usize>> {
    let body = bytes.get(anchor..anchor + OURS)?;
    // The last part overlaps the one before it: both are as long as a register.
    let secret = alphanumeric(body[ID + 2..].first_chunk::<32>());
    if body[ID + 1] != b'_'
        || !secret
        || !alphanumeric(body.last_chunk::<16>())
        || !all(CROCKFORD, &body[1..=ID])
    {
        return None;
    }
    let (checked, check) = body.split_at(OURS - CHECK);
    let mut crc = back::bytes(!number(check)?, checked);
    let prefix = bytes[..anchor].iter().rev().take(PREFIX);
    for (length, byte) in (1..).zip(prefix) {
        if CLASS[usize::from(*byte)] & WORD == 0 || (length == 1 && *byte == b'_') {
            return None;
        }
        crc = back::byte(crc, *byte);
        if crc == back::BEGINNING && byte.is_ascii_alphabetic() {
            return Some(anchor - length..anchor + OURS);
        }
    }
    None
}

/// The 32 bits that six digits of base62 stand for; many stand for more.
#[inline]
fn number(digits: &[u8]) -> Option<u32> {
    let value = |byte: &u8| u64::from(VALUE[usize::from(*byte)]);
    u32::try_from(digits.iter().fold(0, |number, byte| number * 62 + value(byte))).ok()
}

/// What letters and digits stand for in base62.
const VALUE: [u8; 256] = {
    let mut values = [0; 256];
    let mut value = 0;
    while value < 62 {
        let byte = match value {
            0..=9 => b'0' + value,
            10..=35 => b'A' + value - 10,
            _ => b'a' + value - 36,
        };
        values[byte as usize] = value;
        value += 1;
    }
    values
};

/// The token of Jira or Confluence in which the `O` at `anchor` begins the colon.
#[inline]
pub fn atlassian(bytes: &[u8], anchor: usize) -> Option<Range<usize>> {
    let start = anchor.checked_sub(raw::PUBLIC)?;
    let whole = bytes.get(start..start + raw::LENGTH)?;
    let shaped = raw::begins(whole) && all(BASE64, &whole[raw::PUBLIC + 2..]);
    shaped.then_some(start..start + raw::LENGTH)
}
