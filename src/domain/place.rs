//! Names of files as people and their tools write them: what a shell, a unit or a file of variables leaves in a name by
//! mistake is refused, because it would be a file of that very name, where nobody looks for it.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;

/// Why a name of a file is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaceError {
    /// Nothing, or nothing but white space.
    Blank,
    /// A control character.
    Control(u8),
    /// White space at its beginning or end.
    Space,
    /// A quotation mark at its beginning or end, which belongs to the shell.
    Quote(char),
    /// A `~` or `$` at its beginning, which only a shell would replace.
    Unexpanded(char),
    /// A slash at its end: that is a directory.
    Directory,
    /// A name that SQLite takes for something else.
    Special,
    /// It does not begin with a slash.
    Relative,
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("this names no file"),
            Self::Control(b'\r') => f.write_str("it holds a carriage return, the line end of a Windows file"),
            Self::Control(byte) => write!(f, "it holds the control character U+{byte:04X}"),
            Self::Space => f.write_str("it begins or ends with white space"),
            Self::Quote(mark) => write!(f, "it begins or ends with {mark}, which only a shell takes away"),
            Self::Unexpanded(sign) => write!(f, "it begins with {sign}, which only a shell replaces"),
            Self::Directory => f.write_str("it ends in '/': that is a directory, not a file"),
            Self::Special => f.write_str("it is no file, but a special name of SQLite"),
            Self::Relative => {
                f.write_str("it must be an absolute path: it would depend on the working directory")
            }
        }
    }
}

impl PlaceError {
    /// What to do.
    #[must_use]
    pub fn remedy(self) -> String {
        match self {
            Self::Relative | Self::Unexpanded(_) => "write the whole path, from '/' on",
            Self::Special => "name a file; one that is called so is named with './' before it",
            _ => "write the path without it; a file that is called so is named with its directory, as in ./NAME",
        }
        .to_owned()
    }
}

/// Whether this may name a file.
///
/// # Errors
/// [`PlaceError`]
pub fn file(name: &OsStr) -> Result<(), PlaceError> {
    let bytes = name.as_bytes();
    directory(name)?;
    match bytes {
        [.., b'/'] => Err(PlaceError::Directory),
        b":memory:" => Err(PlaceError::Special),
        _ if bytes.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"file:")) => {
            Err(PlaceError::Special)
        }
        _ => Ok(()),
    }
}

/// Whether this may name a directory: the same, and a slash at its end is fine.
///
/// # Errors
/// [`PlaceError`]
pub fn directory(name: &OsStr) -> Result<(), PlaceError> {
    let bytes = name.as_bytes();
    if let Some(control) = bytes.iter().find(|byte| byte.is_ascii_control()) {
        return Err(PlaceError::Control(*control));
    }
    // Unicode has more blanks and controls than ASCII; a name that is not UTF-8 was typed by nobody.
    let text = name.to_string_lossy();
    if text.trim().is_empty() {
        return Err(PlaceError::Blank);
    }
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        return Err(PlaceError::Control(u8::try_from(u32::from(control)).unwrap_or_default()));
    }
    if text.trim().len() != text.len() {
        return Err(PlaceError::Space);
    }
    let ends = [text.chars().next(), text.chars().next_back()];
    if let Some(mark) = ends.into_iter().flatten().find(|c| matches!(c, '"' | '\'' | '`')) {
        return Err(PlaceError::Quote(mark));
    }
    match ends[0] {
        Some(sign @ ('~' | '$')) => Err(PlaceError::Unexpanded(sign)),
        _ => Ok(()),
    }
}

/// Whether this may name a file wherever it is read: it must be absolute, too.
///
/// # Errors
/// [`PlaceError`]
pub fn absolute(name: &OsStr) -> Result<(), PlaceError> {
    file(name)?;
    if name.as_bytes().starts_with(b"/") { Ok(()) } else { Err(PlaceError::Relative) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_leaves_in_a_name_is_refused() {
        for (name, why) in [
            ("", PlaceError::Blank),
            (" \u{a0}", PlaceError::Blank),
            ("/p.db\r", PlaceError::Control(b'\r')),
            ("/a\nb/p.db", PlaceError::Control(b'\n')),
            ("/p.db\u{85}x", PlaceError::Control(0x85)),
            (" /p.db", PlaceError::Space),
            ("/p.db ", PlaceError::Space),
            ("\"/p.db\"", PlaceError::Quote('"')),
            ("'p.db", PlaceError::Quote('\'')),
            ("/p.db\"", PlaceError::Quote('"')),
            ("~/p.db", PlaceError::Unexpanded('~')),
            ("~", PlaceError::Unexpanded('~')),
            ("$HOME/p.db", PlaceError::Unexpanded('$')),
            ("/p.db/", PlaceError::Directory),
            (":memory:", PlaceError::Special),
            ("file:/p.db", PlaceError::Special),
            ("FILE:p.db?mode=ro", PlaceError::Special),
        ] {
            assert_eq!(file(OsStr::new(name)), Err(why), "{name:?}");
            assert!(!why.to_string().is_empty() && !why.remedy().is_empty());
        }
        for name in ["p.db", "./~", "/a b/p$1.db", "/it's.db", "-", "./file:x", "p~"] {
            assert_eq!(file(OsStr::new(name)), Ok(()), "{name:?}");
        }
        assert_eq!(directory(OsStr::new("/a/")), Ok(()));
        assert_eq!(absolute(OsStr::new("p.db")), Err(PlaceError::Relative));
        assert_eq!(absolute(OsStr::new("/p.db")), Ok(()));
        assert_eq!(file(OsStr::from_bytes(b"/\xff.db")), Ok(()), "not UTF-8");
    }
}
