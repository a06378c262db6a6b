//! Characters that look like, or in compatibility form (NFKC) become, one of `/ \ . ; % ? # :`.
//!
//! A path that holds one is refused: what a person or a program behind patctl reads there is not what
//! the rule saw. The table is generated; the test below makes it anew.

/// Those whose NFKC form holds one of the eight, and twelve more that look like a slash.
#[rustfmt::skip]
pub const LOOKALIKES: [char; 68] = [
    '\u{37e}', '\u{1735}', '\u{2024}', '\u{2025}', '\u{2026}', '\u{2041}', '\u{2044}', '\u{2047}',
    '\u{2048}', '\u{2049}', '\u{2100}', '\u{2101}', '\u{2105}', '\u{2106}', '\u{2215}', '\u{2216}',
    '\u{2488}', '\u{2489}', '\u{248a}', '\u{248b}', '\u{248c}', '\u{248d}', '\u{248e}', '\u{248f}',
    '\u{2490}', '\u{2491}', '\u{2492}', '\u{2493}', '\u{2494}', '\u{2495}', '\u{2496}', '\u{2497}',
    '\u{2498}', '\u{2499}', '\u{249a}', '\u{249b}', '\u{2571}', '\u{2572}', '\u{27cb}', '\u{27cd}',
    '\u{29f5}', '\u{29f8}', '\u{29f9}', '\u{2a74}', '\u{33c2}', '\u{33c7}', '\u{33d8}', '\u{fe13}',
    '\u{fe14}', '\u{fe16}', '\u{fe19}', '\u{fe30}', '\u{fe52}', '\u{fe54}', '\u{fe55}', '\u{fe56}',
    '\u{fe5f}', '\u{fe68}', '\u{fe6a}', '\u{ff03}', '\u{ff05}', '\u{ff0e}', '\u{ff0f}', '\u{ff1a}',
    '\u{ff1b}', '\u{ff1f}', '\u{ff3c}', '\u{1f100}',
];

/// Those that no normal form turns into a slash, and that look like one all the same.
#[cfg(test)]
const SLASHES: [char; 12] = [
    '\u{1735}', '\u{2041}', '\u{2044}', '\u{2215}', '\u{2216}', '\u{2571}', '\u{2572}', '\u{27cb}',
    '\u{27cd}', '\u{29f5}', '\u{29f8}', '\u{29f9}',
];

/// Whether it is one of [`LOOKALIKES`].
pub fn is_lookalike(c: char) -> bool {
    LOOKALIKES.binary_search(&c).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

    #[test]
    fn the_table_is_what_the_normal_form_says() {
        let becomes = |c: &char| !c.is_ascii() && c.nfkc().any(|n| r"/\.;%?#:".contains(n));
        let mut table: Vec<char> = ('\0'..=char::MAX).filter(becomes).collect();
        table.extend(SLASHES);
        table.sort_unstable();
        assert_eq!(table, LOOKALIKES);
    }
}
