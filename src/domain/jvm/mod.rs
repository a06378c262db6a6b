//! The arguments that a JVM is started with, in the files in which they are set. They are read as a shell
//! would read them, and never run.

mod piece;
mod plain;
mod shell;

pub use piece::{OURS, Piece, Quoting, Reading, Word, is_opaque, text};

use std::path::Path;
use std::str::FromStr;

/// How a file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// A shell script, a Dockerfile, a unit of systemd.
    Shell,
    /// A batch file.
    Batch,
    /// One option a line, nothing quoted: `jvm.options`, the list of a Windows service.
    List,
    /// YAML, such as the values of a Helm chart.
    Yaml,
    /// Java properties.
    Properties,
}

impl Dialect {
    /// Every value, in the order of the manual.
    pub const ALL: [Self; 5] = [Self::Shell, Self::Batch, Self::List, Self::Yaml, Self::Properties];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Batch => "batch",
            Self::List => "list",
            Self::Yaml => "yaml",
            Self::Properties => "properties",
        }
    }

    /// Reads a text; one of Java properties has no arguments.
    #[must_use]
    pub fn read(self, chars: &[char]) -> Reading {
        match self {
            Self::Shell => shell::read(chars),
            Self::Batch => plain::batch(chars),
            Self::List => plain::list(chars),
            Self::Yaml => plain::yaml(chars),
            Self::Properties => Reading::default(),
        }
    }

    /// As a file's name ends, or else as it looks.
    #[must_use]
    pub fn guess(path: &Path, text: &str) -> Self {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("sh" | "bash" | "service" | "conf") => Self::Shell,
            Some("bat" | "cmd") => Self::Batch,
            Some("options" | "vmoptions" | "txt") => Self::List,
            Some("yaml" | "yml") => Self::Yaml,
            Some("properties") => Self::Properties,
            _ => Self::of_text(text),
        }
    }

    fn of_text(text: &str) -> Self {
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let any = |words: &[&str]| {
            lines().any(|line| words.iter().any(|w| line.to_ascii_lowercase().starts_with(w)))
        };
        if any(&["- -d", "- \"-d", "- '-d", "additionaljvmargs:"]) {
            Self::Yaml
        } else if any(&["@echo ", "set \"", "rem "]) {
            Self::Batch
        } else if lines().all(|line| line.starts_with('-')) {
            Self::List
        } else if lines().any(|line| OURS.iter().any(|ours| line.starts_with(&ours[2..]))) {
            Self::Properties
        } else {
            Self::Shell
        }
    }
}

impl FromStr for Dialect {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == text).ok_or(())
    }
}
