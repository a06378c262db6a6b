//! What was found, put together from the parts that several threads looked at, in an order that does
//! not depend on them.

use super::read::Hit;
use super::{Found, Place, Token, Trouble};
use crate::domain::leak::Kind;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Collects; shared by all threads.
#[derive(Default)]
pub struct Ledger(Mutex<Book>);

#[derive(Default)]
struct Book {
    tokens: HashMap<Text, usize>,
    kinds: Vec<Kind>,
    hits: Vec<Entry>,
    /// Of files that are looked at in several parts: where each begins, and how many lines end in it.
    parts: HashMap<Arc<Path>, Vec<(u64, u64)>>,
    files: u64,
    bytes: u64,
}

/// A token as a key: the wrapper that wipes it knows no hash.
#[derive(PartialEq, Eq)]
struct Text(Zeroizing<String>);

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_bytes().hash(state);
    }
}

struct Entry {
    file: Option<Arc<Path>>,
    /// Where its part begins.
    part: u64,
    line: u64,
    offset: u64,
    token: usize,
}

impl Ledger {
    /// Notes what a part of a file holds that begins at `from`.
    pub fn enter(&self, file: Option<&Arc<Path>>, from: u64, hits: Vec<Hit>, lines: u64, bytes: u64) {
        let book = &mut *self.book();
        book.bytes += bytes;
        for hit in hits {
            let next = book.tokens.len();
            let token = *book.tokens.entry(Text(hit.text)).or_insert(next);
            if token == next {
                book.kinds.push(hit.kind);
            }
            let file = file.cloned();
            book.hits.push(Entry { file, part: from, line: hit.line, offset: hit.offset, token });
        }
        if let Some(parts) = file.and_then(|file| book.parts.get_mut(file)) {
            parts.push((from, lines));
        }
    }

    /// Announces that a file will be entered in several parts.
    pub fn split(&self, file: &Arc<Path>) {
        self.book().parts.entry(file.clone()).or_default();
    }

    /// One more file.
    pub fn count(&self) {
        self.book().files += 1;
    }

    /// The whole.
    pub fn close(self, mut trouble: Vec<Trouble>) -> Found {
        let mut book = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        for parts in book.parts.values_mut() {
            // The lines in each part become those before it.
            parts.sort_unstable();
            // Of a file that was named twice.
            parts.dedup_by_key(|(from, _)| *from);
            let mut before = 0;
            for (_, lines) in parts {
                before += std::mem::replace(lines, before);
            }
        }
        let parts = &book.parts;
        let before = |entry: &Entry| {
            let parts = entry.file.as_ref().and_then(|file| parts.get(file))?;
            let index = parts.binary_search_by_key(&entry.part, |(from, _)| *from).ok()?;
            Some(parts[index].1)
        };
        let place = |entry: Entry| Place {
            line: 1 + entry.line + before(&entry).unwrap_or_default(),
            offset: entry.offset,
            token: entry.token,
            file: entry.file,
        };
        let mut places: Vec<Place> = std::mem::take(&mut book.hits).into_iter().map(place).collect();
        places.sort_unstable_by(|a, b| a.name().cmp(&b.name()).then(a.offset.cmp(&b.offset)));
        places.dedup_by(|a, b| a.offset == b.offset && a.file == b.file);
        trouble.sort_unstable();
        trouble.dedup();
        let tokens = in_order(&mut places, book.tokens, &book.kinds);
        Found { tokens, places, trouble, files: book.files, bytes: book.bytes }
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tokens in the order of their first places, which are numbered anew.
fn in_order(places: &mut [Place], tokens: HashMap<Text, usize>, kinds: &[Kind]) -> Vec<Token> {
    let mut texts: Vec<Option<Zeroizing<String>>> = (0..tokens.len()).map(|_| None).collect();
    for (Text(text), index) in tokens {
        texts[index] = Some(text);
    }
    let mut numbers = vec![usize::MAX; texts.len()];
    let mut ordered = Vec::with_capacity(texts.len());
    for place in places {
        if let Some(text) = texts[place.token].take() {
            numbers[place.token] = ordered.len();
            ordered.push(Token { kind: kinds[place.token], text });
        }
        place.token = numbers[place.token];
    }
    ordered
}
