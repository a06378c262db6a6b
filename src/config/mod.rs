//! The settings: where they come from, what they are, and what is wrong with them.
//!
//! A file whose name ends in `.toml` is TOML, any other is a Java properties file. Later wins: built-in default, file, `-D`. One file is read, the first that exists; a file that
//! exists and cannot be read is an error, never a reason to read the next.

pub mod cache_key;
mod file;
pub mod import;
pub mod integrity_key;
pub mod keys;
pub mod private_file;
pub mod properties;
mod settings;
pub mod toml_file;

pub use settings::Settings;

use crate::domain::token;
use keys::Key;
use properties::Position;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Where to look for settings.
pub struct Sources<'a> {
    /// `--config`.
    pub file: Option<&'a Path>,
    /// `-D`, in their order.
    pub defines: &'a [(String, String)],
    /// Reads one environment variable.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// The system-wide file.
    pub system: &'a Path,
    /// Who must own the file and its directories, root apart.
    pub euid: u32,
    /// Whether what the file says is acted on. One that is only checked may be anybody's.
    pub trusts: bool,
}

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of a file.
    File(Rc<Path>, Position),
    /// `-D` on the command line.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, at) => write!(f, "{}:{}:{}", path.display(), at.line, at.column),
            Self::CommandLine => f.write_str("-D"),
        }
    }
}

/// A value that was set, before its type is checked.
#[derive(Clone, Debug)]
struct Given {
    key: String,
    value: String,
    /// What TOML says it is; a properties file does not say.
    kind: Option<&'static str>,
    key_origin: Origin,
    value_origin: Origin,
}

/// Something wrong with the settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// What and why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Whether patctl goes on without it.
    pub is_warning: bool,
}

impl Problem {
    /// What and why, without a secret that somebody took for a value.
    #[must_use]
    pub fn masked(&self) -> String {
        token::mask(&self.message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.masked())
    }
}

/// The settings cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// The file is there and cannot be read safely.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
        /// What to do, where that can be said.
        remedy: Option<String>,
    },
    /// The system has too little left to read the file.
    Exhausted {
        /// Which.
        path: PathBuf,
        /// What it said.
        why: String,
    },
    /// These are wrong; at least one.
    Problems(Vec<Problem>),
}

/// Reads the settings; the problems are warnings.
///
/// # Errors
/// [`ConfigError`] when the file cannot be read, cannot be parsed, or a value is bad.
pub fn load(sources: &Sources<'_>) -> Result<(Settings, Vec<Problem>), ConfigError> {
    let (settings, problems) = examine(sources)?;
    if problems.iter().any(|p| !p.is_warning) {
        return Err(ConfigError::Problems(problems));
    }
    Ok((settings, problems))
}

/// The file that [`load`] would read, if any is there.
///
/// # Errors
/// [`ConfigError::File`] when that cannot be told.
pub fn find(sources: &Sources<'_>) -> Result<Option<PathBuf>, ConfigError> {
    file::find(sources)
}

/// Reads the settings with everything that is wrong with them, for `config check`.
///
/// # Errors
/// [`ConfigError::File`] when there is nothing to examine.
pub fn examine(sources: &Sources<'_>) -> Result<(Settings, Vec<Problem>), ConfigError> {
    let mut problems = Vec::new();
    let mut given = match file::find(sources)? {
        Some(path) => file::read(&path, sources, &mut problems)?,
        None => Vec::new(),
    };
    given.extend(sources.defines.iter().map(|(key, value)| Given {
        key: key.clone(),
        value: value.clone(),
        kind: None,
        key_origin: Origin::CommandLine,
        value_origin: Origin::CommandLine,
    }));
    let mut settings = Settings::default();
    for one in given {
        match keys::find(&one.key) {
            Some(key) => accept(&mut settings, key, one, &mut problems),
            None if one.kind.is_some() && keys::is_namespace(&one.key) => problems.push(misshapen(&one)),
            None if keys::is_ours(&one.key) && one.key_origin != Origin::CommandLine => {
                problems.push(unknown(&one, problems.len() < GUESSES));
            }
            None if one.key_origin == Origin::CommandLine => problems.push(stranger(&one)),
            None => problems.extend(near_miss(&one, problems.len() < GUESSES)),
        }
    }
    Ok((settings, problems))
}

/// The properties of the file that would be read which count here and do not where the file is from: Jira
/// takes `atlassian.pats.*` from the arguments of its JVM alone. For `config check`: a use is no time to
/// say it.
///
/// # Errors
/// As for [`examine`].
pub fn misplacements(sources: &Sources<'_>) -> Result<Vec<Problem>, ConfigError> {
    let Some(path) = file::find(sources)? else { return Ok(Vec::new()) };
    let given = file::read(&path, sources, &mut Vec::new())?;
    Ok(given.into_iter().filter_map(|one| misplaced(&path, &one.key, one.key_origin)).collect())
}

fn misplaced(path: &Path, key: &str, origin: Origin) -> Option<Problem> {
    let is_jiras = path.file_name().is_some_and(|name| name.eq_ignore_ascii_case("jira-config.properties"));
    (is_jiras && key.starts_with("atlassian.pats.")).then(|| Problem {
        origin,
        message: format!("Jira does not read {key} from this file, patctl does"),
        hint: Some(format!("for Jira it is an argument of the JVM: -D{key}=… in setenv.sh")),
        is_warning: true,
    })
}

fn accept(settings: &mut Settings, key: &'static Key, one: Given, problems: &mut Vec<Problem>) {
    let typed = match one.kind {
        Some(kind) if kind != key.kind.toml() => Err(format!("must be {}, not {kind}", key.kind.describe())),
        _ => key.kind.check(&one.value),
    };
    match typed {
        Ok(()) => settings.set(key, one.value, one.value_origin),
        Err(why) => problems.push(Problem {
            origin: one.value_origin,
            message: format!("{} = '{}': {why}", key.name, one.value.escape_debug()),
            hint: key.default.map(|d| format!("the default of {} is {d}", key.name)),
            is_warning: false,
        }),
    }
}

/// Unknown properties for which a known one is guessed; whoever has more has another problem.
const GUESSES: usize = 20;

/// In TOML, a value where a table of properties belongs: `[[patctl]]`, `patctl = 1`.
fn misshapen(one: &Given) -> Problem {
    let kind = one.kind.unwrap_or_default();
    let message = format!("'{}' is {kind}; properties lie below it, as in [{0}]", one.key.escape_debug());
    Problem { is_warning: false, hint: None, message, ..unknown(one, false) }
}

/// A property on the command line that does not exist: whoever typed it meant something.
fn stranger(one: &Given) -> Problem {
    Problem {
        is_warning: false,
        message: format!("there is no property '{}'", one.key.escape_debug()),
        ..unknown(one, true)
    }
}

/// Another product's key is none of our business, unless it is nearly one of ours.
fn near_miss(one: &Given, guess: bool) -> Option<Problem> {
    let meant = keys::near_miss(&one.key).filter(|_| guess)?;
    Some(Problem { hint: Some(format!("did you mean '{meant}'?")), ..unknown(one, false) })
}

fn unknown(one: &Given, guess: bool) -> Problem {
    Problem {
        origin: one.key_origin.clone(),
        message: format!("unknown property '{}' is ignored", one.key.escape_debug()),
        hint: guess
            .then(|| keys::did_you_mean(&one.key))
            .flatten()
            .map(|name| format!("did you mean '{name}'?")),
        is_warning: true,
    }
}
