//! Finding the configuration file, and reading it without trusting it.

use super::properties::{self, Position};
use super::{ConfigError, Given, Origin, Problem, Sources, keys, toml_file};
use crate::domain::place;
use crate::files::{self, Doubt, ReadError, Weak};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The most bytes of a configuration that are read.
const MAX_BYTES: usize = 1 << 20;

/// The file to read: `--config`, `$PATCTL_CONFIG`, the user's, the system's. A named one must be
/// there; of the others the first that exists.
pub fn find(sources: &Sources<'_>) -> Result<Option<PathBuf>, ConfigError> {
    if let Some(path) = sources.file {
        return Ok(Some(path.to_owned()));
    }
    if let Some(path) = (sources.env)("PATCTL_CONFIG").filter(|p| !p.is_empty()) {
        let path = PathBuf::from(path);
        return match place::absolute(path.as_os_str()) {
            Ok(()) => Ok(Some(path)),
            Err(e) => {
                Err(ConfigError::File { path, why: format!("$PATCTL_CONFIG: {e}"), remedy: Some(e.remedy()) })
            }
        };
    }
    for path in user_file(sources).into_iter().chain([sources.system.to_owned()]) {
        match fs::symlink_metadata(&path) {
            Ok(_) => return Ok(Some(path)),
            Err(e)
                if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {}
            Err(e) => return Err(not_read(&path, sources, ReadError::Io(e))),
        }
    }
    Ok(None)
}

/// Why a file was not read, and where its name came from if that may be the reason.
fn not_read(path: &Path, sources: &Sources<'_>, error: ReadError) -> ConfigError {
    if let ReadError::Io(e) = &error
        && files::is_exhaustion(e)
    {
        return ConfigError::Exhausted { path: path.to_owned(), why: e.to_string() };
    }
    let foreign = match &error {
        ReadError::Io(e) => e.kind() == std::io::ErrorKind::PermissionDenied,
        ReadError::Weak(weak) => matches!(weak.doubt, Doubt::Owner(_)),
        _ => false,
    };
    let remedy = match &error {
        ReadError::Weak(weak) => weak.remedy(),
        _ => None,
    };
    let why = match error {
        ReadError::Weak(Weak { path: weak, doubt: Doubt::Writable(mode) })
            if weak == path && mode & 0o002 != 0 =>
        {
            "can be written by everybody".to_owned()
        }
        ReadError::TooLong => "is larger than 1 MiB; this is no configuration".to_owned(),
        ReadError::NotRegular => "is not a regular file".to_owned(),
        other => other.to_string(),
    };
    let guessed = sources.file.is_none() && user_file(sources).is_some_and(|file| file == path);
    if !foreign || !guessed {
        return ConfigError::File { path: path.to_owned(), why, remedy };
    }
    let set = |name: &&str| (sources.env)(name).is_some_and(|value| Path::new(&value).is_absolute());
    let name = ["XDG_CONFIG_HOME", "HOME"].into_iter().find(set).unwrap_or("HOME");
    let home = (sources.env)(name).unwrap_or_default();
    let why = format!("{why}; {name} is {}, and you are uid {}", home.display(), sources.euid);
    let remedy = format!(
        "set {name} to a directory of yours, or name a configuration with --config ('--config /dev/null' is an empty \
         one)"
    );
    ConfigError::File { path: path.to_owned(), why, remedy: Some(remedy) }
}

fn user_file(sources: &Sources<'_>) -> Option<PathBuf> {
    let absolute = |name: &str| (sources.env)(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|h| h.join(".config")))?;
    Some(home.join("patctl/patctl.properties"))
}

/// The properties of a file, in order, values trimmed and unquoted.
pub fn read(
    path: &Path,
    sources: &Sources<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Given>, ConfigError> {
    let bytes = if sources.trusts { files::own } else { files::anybodys };
    let bytes = bytes(path, sources.euid, MAX_BYTES).map_err(|error| not_read(path, sources, error))?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(latin1) => latin1.as_bytes().iter().copied().map(char::from).collect(),
    };
    let path: Rc<Path> = Rc::from(path);
    let text = if let Some(rest) = text.strip_prefix('\u{feff}') {
        problems.push(warning(&path, Position { line: 1, column: 1 }, "a byte order mark is ignored"));
        rest
    } else {
        &text
    };
    let syntax = |at: Position, message: String| {
        let origin = Origin::File(path.clone(), at);
        ConfigError::Problems(vec![Problem { origin, message, hint: None, is_warning: false }])
    };
    if path.extension().is_some_and(|e| e == "toml") {
        let entries = toml_file::parse(text).map_err(|e| syntax(e.at, e.message))?;
        return Ok(entries.into_iter().map(|entry| from_toml(&path, entry)).collect());
    }
    let entries = properties::parse(text).map_err(|e| syntax(e.at, e.to_string()))?;
    Ok(tidy(&path, entries, problems))
}

fn from_toml(path: &Rc<Path>, entry: toml_file::Entry) -> Given {
    Given {
        key: entry.key,
        value: entry.value,
        kind: Some(entry.kind),
        key_origin: Origin::File(path.clone(), entry.key_at),
        value_origin: Origin::File(path.clone(), entry.value_at),
    }
}

/// What Java keeps and a person does not mean: trailing blanks and one layer of single quotes. Only
/// our own keys are worth a warning; the file may be another product's.
fn tidy(path: &Rc<Path>, entries: Vec<properties::Entry>, problems: &mut Vec<Problem>) -> Vec<Given> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut given = Vec::with_capacity(entries.len());
    for entry in entries {
        let ours = keys::is_ours(&entry.key);
        if ours && entry.value.ends_with([' ', '\t', '\u{c}']) {
            problems.push(warning(
                path,
                entry.value_at,
                &format!("{}: trailing blanks are ignored", entry.key),
            ));
        }
        if let Some(line) = seen.insert(entry.key.clone(), entry.key_at.line).filter(|_| ours) {
            let message = format!("{} was set on line {line} already; this one counts", entry.key);
            problems.push(warning(path, entry.key_at, &message));
        }
        let value = entry.value.trim_end_matches([' ', '\t', '\u{c}']);
        let value = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')).unwrap_or(value);
        given.push(Given {
            value: value.to_owned(),
            key: entry.key,
            kind: None,
            key_origin: Origin::File(path.clone(), entry.key_at),
            value_origin: Origin::File(path.clone(), entry.value_at),
        });
    }
    given
}

fn warning(path: &Rc<Path>, at: Position, message: &str) -> Problem {
    Problem {
        origin: Origin::File(path.clone(), at),
        message: message.to_owned(),
        hint: None,
        is_warning: true,
    }
}
