//! What `.gitignore` leaves out, of a tree and of the repository that it is in.

use crate::files::{self, Listing};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::rc::Rc;

/// The name of such a file.
const NAME: &str = ".gitignore";

/// The rules of a directory, and of those above it.
pub struct Rules {
    matcher: Gitignore,
    above: Option<Rc<Self>>,
}

impl Rules {
    /// Those above a directory.
    pub fn above(directory: &Path) -> Option<Rc<Self>> {
        let mut above: Vec<&Path> = directory.ancestors().skip(1).collect();
        above.reverse();
        above
            .into_iter()
            .fold(None, |rules, directory| with(rules, directory, files::plain(&directory.join(NAME)).ok()))
    }

    /// Those of a directory that is open. A link to a list is no list, as for git.
    pub fn within(above: Option<&Rc<Self>>, path: &Path, directory: &Listing) -> Option<Rc<Self>> {
        let list = directory.file(OsStr::new(NAME)).ok().map(|(file, _)| file);
        with(above.cloned(), path, list)
    }

    /// Whether a path is left out; the nearest list that names it decides.
    pub fn leave_out(&self, path: &Path, is_directory: bool) -> bool {
        match self.matcher.matched(path, is_directory) {
            Match::Ignore(_) => true,
            Match::Whitelist(_) => false,
            Match::None => self.above.as_ref().is_some_and(|above| above.leave_out(path, is_directory)),
        }
    }
}

/// What cannot be read, and a line that is no pattern, leave nothing out: more is searched then.
fn with(above: Option<Rc<Rules>>, directory: &Path, list: Option<File>) -> Option<Rc<Rules>> {
    let Some(list) = list else { return above };
    let mut builder = GitignoreBuilder::new(directory);
    for (number, line) in BufReader::new(list).lines().enumerate() {
        let Ok(line) = line else { break };
        let line = if number == 0 { line.trim_start_matches('\u{feff}') } else { &line };
        let _ = builder.add_line(None, line);
    }
    match builder.build() {
        Ok(matcher) if !matcher.is_empty() => Some(Rc::new(Rules { matcher, above })),
        _ => above,
    }
}
