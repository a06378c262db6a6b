//! The public number of a token (`TOKEN_ID`), and the id that it has here.
//!
//! An id here is ten characters. That of an imported token is `dc` (Data Center) and the number in
//! eight characters of Crockford base32, which hold any number of twelve digits. So the id says where
//! the token came from, the number can be read off it, and it sorts as the number does; no token that
//! is issued here gets such an id.

use crate::domain::token::TokenId;
use std::fmt;
use std::str::FromStr;

/// Twelve decimal digits: `TOKEN_ID`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Number(u64);

/// The text is not twelve decimal digits, or the id is none of an imported token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotANumber;

const DIGITS: usize = 12;
/// One more than twelve digits can say.
const END: u64 = 1_000_000_000_000;

impl Number {
    /// The number as an integer, below 10¹².
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number that this integer is.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        (number < END).then_some(Self(number))
    }

    /// The number in these bytes.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let digit = |n: u64, b: &u8| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0'));
        (bytes.len() == DIGITS).then(|| bytes.iter().try_fold(0, digit).map(Self)).flatten()
    }

    /// The id that a token of this number has here.
    #[must_use]
    pub fn id(self) -> TokenId {
        TokenId::imported(self.0)
    }

    /// The number of an imported token, by its id; `None` for a token that was issued here.
    #[must_use]
    pub fn of(id: TokenId) -> Option<Self> {
        id.imported_number().and_then(Self::new)
    }
}

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        Self::read(text.as_bytes()).ok_or(NotANumber)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dice::Dice;
    use proptest::prelude::*;
    use rand::SeedableRng as _;

    #[test]
    fn the_ids_of_known_numbers_stay_what_they_are() {
        for (number, id) in
            [("000000000000", "dc00000000"), ("742309342887", "dcnkahbbn7"), ("999999999999", "dcx3aaa3zz")]
        {
            assert_eq!(number.parse().map(|n: Number| n.id().to_string()), Ok(id.to_owned()));
        }
    }

    #[test]
    fn what_is_not_twelve_digits_is_no_number() {
        for text in ["", "12345678901", "1234567890123", "12345678901a", "+12345678901", "１２３４"] {
            assert_eq!(text.parse::<Number>(), Err(NotANumber), "{text}");
        }
    }

    #[test]
    fn an_id_that_no_number_has_is_none_of_an_imported_token() {
        for id in ["7k3m9xq2v8", "dczzzzzzzz", "dcx3aaa400", "dd00000000", "db00000000"] {
            assert_eq!(Number::of(id.parse().expect("an id")), None, "{id}");
        }
    }

    #[test]
    fn no_id_that_is_thrown_is_that_of_an_imported_token() {
        let mut dice = Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(7)));
        assert!((0..20_000).all(|_| !TokenId::generate(&mut dice).is_imported()));
    }

    proptest! {
        #[test]
        fn a_number_and_its_id_say_the_same_and_sort_the_same(a in 0..END, b in 0..END) {
            let (a, b) = (Number(a), Number(b));
            prop_assert_eq!(Number::of(a.id()), Some(a));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.id().as_str().parse(), Ok(a.id()));
            prop_assert_eq!(a.cmp(&b), a.id().cmp(&b.id()));
        }
    }
}
