//! Tokens, what is kept of them, and what leaked.

use patctl::domain::atlassian::hash::Pkcs5s2;
use patctl::domain::atlassian::raw;
use patctl::domain::leak::{self, Kind};
use patctl::domain::presented::{Presented, Scheme, basic_credentials};
use patctl::domain::token::{self, PlainToken};
use patctl::domain::verifier::{CEILING, Verifier, Work, computations};

const TOKEN: &str = "patctl_7k3m9xq2v8_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123453X9qJF";

/// What is presented: a token that is read is read again from what it says, is found where it leaked, and is
/// never shown.
pub fn token(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = (token::mask(text), token::mask_strictly(text), raw::mask(text));
    }
    let Ok(presented) = Presented::parse(bytes) else { return };
    let text = presented.token.reveal();
    let again: PlainToken = text.parse().expect("a token that was read");
    assert_eq!((again.id(), again.secret()), (presented.token.id(), presented.token.secret()));
    let mut found = false;
    leak::find(text.as_bytes(), 0..text.len(), &mut |leak| found |= leak.text == text);
    assert!(found, "a token is not found as a leak");
    assert!(!token::mask(text).contains(&text[text.len() - 20..]), "a secret is shown");
    if let Scheme::Basic { user } = &presented.scheme {
        let written = format!("Basic {}", basic_credentials(user, &again).as_str());
        let read = Presented::parse(written.as_bytes()).expect("what was just written");
        assert_eq!((&read.scheme, read.token.reveal()), (&presented.scheme, text));
    }
}

/// Stored verifiers: one that is accepted stays within the ceiling and is kept as it was written; nothing is
/// computed to find out.
pub fn verifier(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(hash) = Pkcs5s2::parse(text) {
        assert_eq!(hash.to_theirs(), text);
        assert_eq!(Pkcs5s2::stored(&hash.to_stored()), Ok(hash));
    }
    let before = computations();
    let verifier = Verifier::parse(text);
    assert_eq!(computations(), before, "reading costs a computation");
    let Ok(verifier) = verifier else { return };
    assert_eq!(verifier.as_phc(), text);
    assert_eq!(Verifier::parse(text).as_ref(), Ok(&verifier));
    let Work::Argon2id(cost) = verifier.work() else { return };
    let within = cost.memory_kib <= CEILING.memory_kib
        && cost.iterations <= CEILING.iterations
        && cost.parallelism <= CEILING.parallelism;
    assert!(within, "{cost:?} is over the ceiling");
    if cost.memory_kib <= 64 && cost.iterations <= 2 {
        let _ = verifier.matches(&TOKEN.parse().expect("a token"));
    }
}

/// Leaks: the scanner finds what a plain search with the parsers finds, in one piece and in two.
pub fn leaks(bytes: &[u8]) {
    let find = |anchors| {
        let mut found = Vec::new();
        leak::find(bytes, anchors, &mut |leak| found.push((leak.kind, leak.start, leak.text.to_owned())));
        found
    };
    let whole = find(0..bytes.len());
    assert_eq!(whole, plainly(bytes));
    let middle = bytes.len() / 2;
    assert_eq!(whole, [find(0..middle), find(middle..bytes.len())].concat());
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(leak::mask(text) == text, whole.is_empty());
    }
}

/// The scanner once more, without any of its shortcuts.
fn plainly(bytes: &[u8]) -> Vec<(Kind, usize, String)> {
    let part = |from: usize, to: usize| std::str::from_utf8(bytes.get(from..to)?).ok();
    let ours = |at: usize| {
        (1..=at.min(32)).find_map(|length| {
            let text = part(at - length, at + 50)?;
            let is_ours = raw::read(text).is_none() && text.parse::<PlainToken>().is_ok();
            is_ours.then(|| (Kind::Patctl, at - length, text.to_owned()))
        })
    };
    let theirs = |at: usize| {
        let start = at.checked_sub(raw::PUBLIC)?;
        let text = part(start, start + raw::LENGTH)?;
        raw::read(text).map(|_| (Kind::Atlassian, start, text.to_owned()))
    };
    let at = |(at, byte): (usize, &u8)| match byte {
        b'_' => ours(at),
        b'O' => theirs(at),
        _ => None,
    };
    bytes.iter().enumerate().filter_map(at).collect()
}
