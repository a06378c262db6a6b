//! Which files: those that were named, and what lies below directories that were.

use super::{Plan, Trouble};
use ignore::{DirEntry, WalkBuilder};
use std::fs::{self, Metadata};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Where git keeps what it knows.
const GIT: &str = ".git";

/// A file to be read.
pub struct File {
    /// Its name, beginning as it was named on the command line.
    pub path: PathBuf,
    /// How long it is; `None`: not known before it is read.
    pub length: Option<u64>,
}

/// Gives every file below `root` to `each`, and what is wrong to `trouble`.
pub fn walk(root: &Path, plan: &Plan<'_>, each: &mut dyn FnMut(File), trouble: &mut Vec<Trouble>) {
    let mut wrong = |path: &Path, why: &str| {
        trouble.push(Trouble { path: Some(path.to_owned()), why: why.to_owned() });
    };
    // Followed: whoever names a link means what is behind it.
    let named = match fs::metadata(root) {
        Ok(named) => named,
        Err(error) => return wrong(root, &error.to_string()),
    };
    if named.is_dir() {
        return below(root, plan, each, &mut wrong);
    }
    // A pipe has an end, and may be what a shell makes of '<(command)'. A device has none.
    if named.is_file() || named.file_type().is_fifo() {
        return each(File { path: root.to_owned(), length: length(&named) });
    }
    wrong(root, "is neither a file nor a directory");
}

fn length(metadata: &Metadata) -> Option<u64> {
    // Some files of the kernel say that they are empty, and are not.
    Some(metadata.len()).filter(|length| metadata.is_file() && *length > 0)
}

fn below(root: &Path, plan: &Plan<'_>, each: &mut dyn FnMut(File), wrong: &mut dyn FnMut(&Path, &str)) {
    let mut builder = WalkBuilder::new(root);
    builder
        // Nothing is left out for being hidden, and no file but .gitignore says what is.
        .standard_filters(false)
        .git_ignore(plan.ignore)
        // An exported tree has no .git and is the same tree.
        .require_git(false)
        // Outside of a repository, what lies above has no say: it may be of another one, such as a
        // repository of a home directory that ignores everything.
        .parents(plan.ignore && is_in_repository(root))
        .follow_links(false)
        .same_file_system(plan.one_file_system)
        .filter_entry(|entry| !is_git(entry));
    for entry in builder.build() {
        match entry {
            Ok(entry) => visit(&entry, each, wrong),
            Err(error) => {
                let (path, why) = told(&error, root);
                wrong(&path, &why);
            }
        }
    }
}

fn is_git(entry: &DirEntry) -> bool {
    entry.depth() > 0 && entry.file_name() == GIT && entry.file_type().is_some_and(|kind| kind.is_dir())
}

fn is_in_repository(root: &Path) -> bool {
    fs::canonicalize(root).is_ok_and(|root| root.ancestors().any(|above| above.join(GIT).exists()))
}

fn visit(entry: &DirEntry, each: &mut dyn FnMut(File), wrong: &mut dyn FnMut(&Path, &str)) {
    // Links are not followed, and what has no end is not read.
    if !entry.file_type().is_some_and(|kind| kind.is_file()) {
        return;
    }
    let path = entry.path();
    match entry.metadata() {
        Ok(metadata) => each(File { path: tidy(path), length: length(&metadata) }),
        Err(error) => wrong(path, &told(&error, path).1),
    }
}

/// `./a` is `a`.
fn tidy(path: &Path) -> PathBuf {
    path.strip_prefix("./").unwrap_or(path).to_owned()
}

/// Which path an error is about, and what it says.
fn told(error: &ignore::Error, root: &Path) -> (PathBuf, String) {
    match error {
        ignore::Error::WithPath { path, err } => (path.clone(), told(err, root).1),
        ignore::Error::WithDepth { err, .. } => told(err, root),
        other => match other.io_error() {
            Some(error) => (root.to_owned(), error.to_string()),
            None => (root.to_owned(), other.to_string()),
        },
    }
}
