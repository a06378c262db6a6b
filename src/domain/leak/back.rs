//! A CRC-32 (IEEE 802.3) run backwards. The check of a token is that of everything before it; where that
//! begins is not known, but the state there is: the one in which every computation begins.

/// The state in which a computation begins.
pub const BEGINNING: u32 = u32::MAX;

/// The state before it took in this byte.
#[inline]
pub fn byte(crc: u32, byte: u8) -> u32 {
    shift(crc) ^ u32::from(byte)
}

/// Both halves, as numbers.
#[inline]
fn words(eight: [u8; 8]) -> [u32; 2] {
    let whole = u64::from_le_bytes(eight);
    [(whole & 0xffff_ffff) as u32, (whole >> 32) as u32]
}

/// The state before it took in these bytes.
///
/// What a byte adds to a state is in the lowest bits, and three bytes before it have moved it to the
/// highest: so four bytes add what they are as a number, and look-ups are only for what was there before.
#[inline]
pub fn bytes(mut crc: u32, bytes: &[u8]) -> u32 {
    let (head, eights) = bytes.as_rchunks::<8>();
    for eight in eights.iter().rev() {
        let [first, last] = words(*eight);
        // Only one of the two look-ups waits for the eight bytes behind these.
        crc = look(&EIGHT, crc) ^ look(&FOUR, last) ^ first;
    }
    let (head, fours) = head.as_rchunks::<4>();
    for four in fours {
        crc = look(&FOUR, crc) ^ u32::from_le_bytes(*four);
    }
    head.iter().rev().fold(crc, |crc, b| byte(crc, *b))
}

#[inline]
const fn shift(crc: u32) -> u32 {
    (crc << 8) ^ BACK[(crc >> 24) as usize]
}

/// For the highest byte of a state, which only one entry of the usual table leads to: that entry,
/// shifted back, and its place.
const BACK: [u32; 256] = {
    let mut back = [0; 256];
    let mut place: u32 = 0;
    while place < 256 {
        let (mut entry, mut bit) = (place, 0);
        while bit < 8 {
            entry = if entry & 1 == 1 { 0xedb8_8320 ^ (entry >> 1) } else { entry >> 1 };
            bit += 1;
        }
        back[(entry >> 24) as usize] = (entry << 8) ^ place;
        place += 1;
    }
    back
};

/// What each byte of a state contributes to that of some bytes before: all of it is linear.
type Steps = [[u32; 256]; 4];

const fn steps(count: u32) -> Steps {
    let mut steps = [[0; 256]; 4];
    let mut place = 0;
    while place < 4 {
        let mut value: u32 = 0;
        while value < 256 {
            let (mut crc, mut step) = (value << (8 * place), 0);
            while step < count {
                crc = shift(crc);
                step += 1;
            }
            steps[place][value as usize] = crc;
            value += 1;
        }
        place += 1;
    }
    steps
}

static FOUR: Steps = steps(4);
static EIGHT: Steps = steps(8);

/// Written out: `map` on an array is a call where the compiler does not see through it.
#[inline]
fn look(steps: &Steps, crc: u32) -> u32 {
    let [a, b, c, d] = crc.to_le_bytes();
    steps[0][usize::from(a)] ^ steps[1][usize::from(b)] ^ steps[2][usize::from(c)] ^ steps[3][usize::from(d)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn running_it_backwards_undoes_it(text in proptest::collection::vec(any::<u8>(), 0..80)) {
            let end = !crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&text);
            prop_assert_eq!(text.iter().rev().fold(end, |crc, b| byte(crc, *b)), BEGINNING);
            prop_assert_eq!(bytes(end, &text), BEGINNING);
        }
    }
}
