//! The remedy of a finding as shell commands, to be copied and pasted.

use crate::cli::Global;
use crate::domain::finding::Step;
use crate::store::sqlite::salvage::{known_backups, moved_aside};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

/// The place of a backup that nobody but the reader knows.
const FILE: &str = "FILE";

/// Turns steps into commands on the database that was examined.
pub struct Remedy<'r> {
    global: &'r Global,
    database: &'r Path,
    /// Looked for once, where a restore is due.
    backup: OnceCell<Option<PathBuf>>,
}

impl<'r> Remedy<'r> {
    pub fn new(global: &'r Global, database: &'r Path) -> Self {
        Self { global, database, backup: OnceCell::new() }
    }

    pub fn commands(&self, steps: &[Step]) -> Vec<String> {
        steps.iter().map(|step| self.command(step)).collect()
    }

    fn command(&self, step: &Step) -> String {
        let words = match step {
            Step::Program(words) => words.clone(),
            Step::Patctl(args) => self.patctl(args.iter().cloned()),
            Step::Restore(more) => {
                let file = self.backup().map_or_else(|| FILE.to_owned(), |file| file.display().to_string());
                let args = ["restore".to_owned(), "--yes".to_owned()].into_iter();
                self.patctl(args.chain(more.iter().cloned()).chain([file]))
            }
        };
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }

    /// patctl as it was called, as far as that names the database and the configuration.
    fn patctl(&self, args: impl Iterator<Item = String>) -> Vec<String> {
        let mut words = vec!["patctl".to_owned()];
        for (option, path) in [("--config", &self.global.config), ("--db", &self.global.db)] {
            if let Some(path) = path {
                words.extend([option.to_owned(), path.display().to_string()]);
            }
        }
        for (name, value) in &self.global.define {
            words.extend(["-D".to_owned(), format!("{name}={value}")]);
        }
        words.extend(args);
        words
    }

    fn backup(&self) -> Option<&Path> {
        let look = || {
            let newest = |file: &Path| known_backups(file).into_iter().next();
            newest(self.database).or_else(|| newest(&moved_aside(self.database).ok()??))
        };
        self.backup.get_or_init(look).as_deref()
    }
}

/// A word as every POSIX shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_not_take_it_as_it_is() {
        for (word, due) in [
            ("/var/lib/patctl/patctl.db", "/var/lib/patctl/patctl.db"),
            ("--yes", "--yes"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
            ("~root", "'~root'"),
            ("a;b", "'a;b'"),
        ] {
            assert_eq!(quoted(word), due);
        }
    }
}
