//! Reading through files and directories for tokens that leaked: which files, on how many cores, and
//! where in them. What a token looks like is the domain's business, and whether it is one of ours is
//! asked elsewhere.
//!
//! Nothing is held in memory but what was found and one buffer for each core.

mod crew;
mod ignored;
mod ledger;
mod read;
mod walk;

use crate::domain::leak::Kind;
use crate::files;
use ledger::Ledger;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What to search.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'p> {
    /// Files and directories; `-` is a stream that is handed over.
    pub roots: &'p [PathBuf],
    /// Whether `.gitignore` is honoured.
    pub ignore: bool,
    /// Whether other file systems below a directory are left out.
    pub one_file_system: bool,
}

/// A token, however often it occurs.
pub struct Token {
    /// Whose format it is.
    pub kind: Kind,
    /// All of it.
    pub text: Zeroizing<String>,
}

/// Where a token stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file; `None`: the stream.
    pub file: Option<Arc<Path>>,
    /// The line, from 1.
    pub line: u64,
    /// The first byte, from 0.
    pub offset: u64,
    /// Which of [`Found::tokens`].
    pub token: usize,
}

impl Place {
    fn name(&self) -> Option<&OsStr> {
        self.file.as_deref().map(Path::as_os_str)
    }
}

/// What could not be read. What was found in the rest counts all the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Trouble {
    /// Which file or directory; `None`: the stream.
    pub path: Option<PathBuf>,
    /// Why.
    pub why: String,
    /// Whether the system only had too little left to read it, which passes.
    pub passes: bool,
}

impl Trouble {
    fn of(path: Option<&Path>, error: &io::Error) -> Self {
        Self { path: path.map(Path::to_owned), why: error.to_string(), passes: files::is_exhaustion(error) }
    }
}

/// What a search found.
#[derive(Default)]
pub struct Found {
    /// Each token once, in the order of their first places.
    pub tokens: Vec<Token>,
    /// Every place: the stream first, then files by name, then by offset.
    pub places: Vec<Place>,
    /// What could not be read, by name.
    pub trouble: Vec<Trouble>,
    /// How many files were read.
    pub files: u64,
    /// How many bytes were.
    pub bytes: u64,
}

/// How far a search is.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// So many bytes more are to be read.
    Ahead(u64),
    /// So many were.
    Done(u64),
}

/// Where steps are told.
pub type Tell<'t> = &'t (dyn Fn(Step) + Sync);

/// Searches everything. What cannot be read is part of the answer.
pub fn search(plan: &Plan<'_>, stream: &mut dyn Read, tell: Tell<'_>) -> Found {
    let ledger = Ledger::default();
    let mut trouble = Vec::new();
    let is_stream = |root: &&PathBuf| root.as_path() == Path::new("-");
    if plan.roots.iter().any(|root| is_stream(&root))
        && let Err(error) = through(stream, &ledger, tell)
    {
        trouble.push(Trouble::of(None, &error));
    }
    let roots = plan.roots.iter().filter(|root| !is_stream(root));
    trouble.extend(crew::search(roots, plan, &ledger, tell));
    ledger.close(trouble)
}

/// Searches a stream to its end.
fn through(stream: &mut dyn Read, ledger: &Ledger, tell: Tell<'_>) -> io::Result<()> {
    let part = read::part(stream, &mut read::buffer(), 0, u64::MAX, tell);
    ledger.enter(None, 0, part.hits, part.lines, part.bytes);
    part.trouble.map_or(Ok(()), Err)
}
