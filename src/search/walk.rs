//! Which files: those that were named, and what lies below directories that were. Each is opened here, once, from the
//! directory that it was found in: what is read is what was found.

use super::ignored::Rules;
use super::{Plan, Trouble};
use crate::files::{self, Kind, Listing, Named};
use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Where git keeps what it knows.
const GIT: &str = ".git";
/// Directories, one in the other, that are kept open: of deeper trees the upper ones are opened again.
pub const DEEP: usize = 8;

/// A file to be read.
pub struct File {
    /// Its name, beginning as it was named on the command line.
    pub path: PathBuf,
    /// How long it is; `None`: not known before it is read.
    pub length: Option<u64>,
    /// What is read.
    pub source: Source,
}

/// What is read.
pub enum Source {
    /// A regular file, at any place.
    File(fs::File),
    /// A pipe, from its beginning to its end.
    Pipe(Named),
}

/// Gives every file below `root` to `each`, and what is wrong to `trouble`.
pub fn walk(root: &Path, plan: &Plan<'_>, each: &mut dyn FnMut(File), trouble: &mut Vec<Trouble>) {
    let mut wrong = |path: &Path, error: &io::Error| trouble.push(Trouble::of(Some(path), error));
    // Followed: whoever names a link means what is behind it. For root all of it is read as by its owner.
    let done = files::as_its_owner(root, || match fs::metadata(root) {
        Ok(named) if named.is_dir() => Walk::new(root, plan, each, &mut wrong).map(|mut walk| walk.all()),
        // A pipe has an end, and may be what a shell makes of '<(command)'. A device has none.
        Ok(named) if named.is_file() || named.file_type().is_fifo() => {
            files::named(root).and_then(|named| of_name(root, named)).map(&mut *each)
        }
        Ok(_) => Err(no_file()),
        Err(error) => Err(error),
    });
    if let Err(error) = done {
        wrong(root, &error);
    }
}

/// What was opened counts, not what the name was a moment before.
fn of_name(path: &Path, named: Named) -> io::Result<File> {
    if !named.kind().is_file() && !named.kind().is_fifo() {
        return Err(no_file());
    }
    let length = length(named.kind(), named.length());
    let source = named.regular().map_or_else(Source::Pipe, Source::File);
    Ok(File { path: path.to_owned(), length, source })
}

fn no_file() -> io::Error {
    io::Error::other("is neither a file nor a directory")
}

fn length(kind: FileType, length: u64) -> Option<u64> {
    // Some files of the kernel say that they are empty, and are not.
    Some(length).filter(|length| kind.is_file() && *length > 0)
}

/// A directory on the way.
struct Level {
    name: OsString,
    path: PathBuf,
    /// The path without links, which `.gitignore` is about.
    real: PathBuf,
    rules: Option<Rc<Rules>>,
    /// `None`: it is closed for now.
    listing: Option<Listing>,
    /// By what it is known when it is opened again.
    is: (u64, u64),
    /// Directories in it that are still ahead.
    ahead: Vec<OsString>,
}

struct Walk<'w> {
    plan: &'w Plan<'w>,
    /// From the root down.
    levels: Vec<Level>,
    each: &'w mut dyn FnMut(File),
    wrong: &'w mut dyn FnMut(&Path, &io::Error),
}

impl<'w> Walk<'w> {
    fn new(
        root: &Path,
        plan: &'w Plan<'w>,
        each: &'w mut dyn FnMut(File),
        wrong: &'w mut dyn FnMut(&Path, &io::Error),
    ) -> io::Result<Self> {
        let listing = Listing::open(root)?;
        let real = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        // Outside of a repository, what lies above has no say: it may be of another one, such as a repository of a
        // home directory that ignores everything.
        let in_repository = || real.ancestors().any(|above| above.join(GIT).exists());
        let rules = if plan.ignore && in_repository() { Rules::above(&real) } else { None };
        let is = identity(&listing.metadata()?);
        let mut root = Level {
            name: OsString::new(),
            path: root.to_owned(),
            real,
            rules,
            listing: None,
            is,
            ahead: vec![],
        };
        let mut walk = Self { plan, levels: Vec::new(), each, wrong };
        walk.list(&mut root, &listing);
        walk.levels.push(Level { listing: Some(listing), ..root });
        Ok(walk)
    }

    fn all(&mut self) {
        while let Some(level) = self.levels.last_mut() {
            let Some(name) = level.ahead.pop() else {
                self.levels.pop();
                continue;
            };
            let path = level.path.join(&name);
            match self.enter(&name) {
                Ok((listing, found)) => self.below(name, path, listing, &found),
                Err(error) => (self.wrong)(&tidy(&path), &error),
            }
        }
    }

    /// Opens a directory in the last one.
    fn enter(&mut self, name: &OsStr) -> io::Result<(Listing, Metadata)> {
        let last = self.levels.len() - 1;
        if self.levels[last].listing.is_none() {
            let listing = self.again()?;
            self.levels[last].listing = Some(listing);
        }
        let listing = self.levels[last].listing.as_ref().ok_or(io::ErrorKind::NotFound)?.enter(name)?;
        let found = listing.metadata()?;
        Ok((listing, found))
    }

    /// The last directory, from the root on, which is never closed.
    fn again(&self) -> io::Result<Listing> {
        let root = self.levels[0].listing.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mut here: Option<Listing> = None;
        for level in &self.levels[1..] {
            let next = here.as_ref().unwrap_or(root).enter(&level.name)?;
            if identity(&next.metadata()?) != level.is {
                return Err(io::Error::other("a directory on the way to it was exchanged"));
            }
            here = Some(next);
        }
        here.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn below(&mut self, name: OsString, path: PathBuf, listing: Listing, found: &Metadata) {
        let is = identity(found);
        if self.plan.one_file_system && is.0 != self.levels[0].is.0 {
            return;
        }
        let above = &self.levels[self.levels.len() - 1];
        let (real, rules) = (above.real.join(&name), above.rules.clone());
        let mut level = Level { name, path, real, rules, listing: None, is, ahead: Vec::new() };
        self.list(&mut level, &listing);
        if level.ahead.is_empty() {
            return;
        }
        level.listing = Some(listing);
        self.levels.push(level);
        // Of the root something is always needed.
        if let Some(far) = self.levels.len().checked_sub(DEEP).filter(|far| *far > 0) {
            self.levels[far].listing = None;
        }
    }

    /// Hands on the files of a directory, and notes the directories.
    fn list(&mut self, level: &mut Level, listing: &Listing) {
        if self.plan.ignore {
            level.rules = Rules::within(level.rules.as_ref(), &level.real, listing);
        }
        let Level { path, real, rules, ahead, .. } = level;
        let left_out = |name: &OsStr, is_directory: bool| {
            rules.as_ref().is_some_and(|rules| rules.leave_out(&real.join(name), is_directory))
        };
        let read = listing.each(&mut |name, kind| match kind {
            Kind::File if !left_out(name, false) => {
                let path = tidy(&path.join(name));
                match listing.file(name) {
                    Ok((file, found)) => {
                        (self.each)(File {
                            path,
                            length: length(found.file_type(), found.len()),
                            source: Source::File(file),
                        });
                    }
                    Err(error) => (self.wrong)(&path, &error),
                }
            }
            Kind::Directory if name != GIT && !left_out(name, true) => ahead.push(name.to_owned()),
            // Links are not followed, and what has no end is not read.
            _ => {}
        });
        if let Err(error) = read {
            (self.wrong)(&tidy(path), &error);
        }
    }
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// `./a` is `a`.
fn tidy(path: &Path) -> PathBuf {
    path.strip_prefix("./").unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ignore::WalkBuilder;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use std::collections::BTreeSet;

    const NAMES: [&str; 6] = ["a", "b", "target", ".env", ".git", "x.log"];
    const PATTERNS: [&str; 14] = [
        "a", "/a", "a/", "!a", "*.log", "!*.log", "target/", "/b/a", "b/*", "!b/a", "**/a", ".*", "# a", "[",
    ];

    fn found(root: &Path, ignore: bool) -> BTreeSet<PathBuf> {
        let (mut found, mut trouble) = (BTreeSet::new(), Vec::new());
        let plan = Plan { roots: &[], ignore, one_file_system: true };
        walk(root, &plan, &mut |file| assert!(found.insert(file.path)), &mut trouble);
        assert_eq!(trouble, []);
        found
    }

    /// What the walker of ripgrep finds, which goes by names.
    fn expected(root: &Path, ignore: bool) -> BTreeSet<PathBuf> {
        let in_repository = fs::canonicalize(root).expect("it").ancestors().any(|a| a.join(GIT).exists());
        let mut builder = WalkBuilder::new(root);
        builder
            .standard_filters(false)
            .git_ignore(ignore)
            .require_git(false)
            .parents(ignore && in_repository);
        builder.filter_entry(|entry| {
            entry.depth() == 0
                || entry.file_name() != GIT
                || !entry.file_type().is_some_and(|kind| kind.is_dir())
        });
        let entries = builder.build().map(|entry| entry.expect("an entry"));
        entries
            .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
            .map(ignore::DirEntry::into_path)
            .collect()
    }

    fn path() -> impl Strategy<Value = PathBuf> {
        vec(select(&NAMES[..]), 1..5).prop_map(|names| names.iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
        #[test]
        fn what_git_leaves_out_is_what_another_walker_leaves_out(
            files in vec(path(), 0..20),
            lists in vec((path(), vec(select(&PATTERNS[..]), 1..5)), 0..4),
            top in vec(select(&PATTERNS[..]), 0..3), repository: bool, ignore: bool,
        ) {
            let dir = tempfile::tempdir().expect("a directory");
            let root = dir.path().join("root");
            fs::create_dir_all(root.join("a")).expect("a directory");
            if repository {
                fs::create_dir_all(root.join(GIT)).expect("a directory");
            }
            // A name that is a file already is no directory, and the other way round.
            let _ = fs::write(root.join(".gitignore"), top.join("\n"));
            for (below, lines) in &lists {
                let _ = fs::create_dir_all(root.join(below));
                let _ = fs::write(root.join(below).join(".gitignore"), lines.join("\n"));
            }
            for file in &files {
                let _ = fs::create_dir_all(root.join(file).parent().expect("a directory"));
                let _ = fs::write(root.join(file), "");
            }
            for root in [root.clone(), root.join("a"), root.join("a/../b")].iter().filter(|root| root.is_dir()) {
                prop_assert_eq!(found(root, ignore), expected(root, ignore), "{}", root.display());
            }
        }
    }

    #[test]
    fn a_device_that_was_put_in_the_place_of_a_file_is_not_read() {
        let opened = |path: &Path| of_name(path, files::named(path).expect("it"));
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("file"), "text").expect("a file");
        assert_eq!(opened(&dir.path().join("file")).ok().and_then(|file| file.length), Some(4));
        for endless in ["/dev/zero", "/"] {
            assert!(opened(Path::new(endless)).is_err(), "{endless}");
        }
    }

    #[test]
    fn of_a_deep_tree_everything_is_found_and_few_directories_are_open() {
        let dir = tempfile::tempdir().expect("a directory");
        let (mut here, mut expected) = (dir.path().to_owned(), BTreeSet::new());
        for depth in 0..4 * DEEP {
            for side in ["left", "right"] {
                fs::create_dir_all(here.join(side)).expect("a directory");
                fs::write(here.join(side).join("file"), "").expect("a file");
                expected.insert(here.join(side).join("file"));
            }
            here = here.join(if depth % 2 == 0 { "left" } else { "right" });
        }
        assert_eq!(found(dir.path(), true), expected);
        let most = std::cell::Cell::new(0);
        let plan = Plan { roots: &[], ignore: true, one_file_system: false };
        let open = || {
            let below = |entry: fs::DirEntry| {
                fs::read_link(entry.path()).is_ok_and(|file| file.starts_with(dir.path()))
            };
            fs::read_dir("/proc/self/fd").expect("descriptors").flatten().map(below).filter(|is| *is).count()
        };
        walk(dir.path(), &plan, &mut |_| most.set(most.get().max(open())), &mut Vec::new());
        assert!(most.get() > DEEP / 2 && most.get() <= DEEP + 4, "{}", most.get());
    }
}
