//! Text that stays within a line of a unit or a crontab.

use std::fmt;

/// A text without control characters and line separators: nothing in it ends the line that it is written to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OneLine(String);

impl OneLine {
    /// Takes a text; `None` if it holds what could end a line.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let ends = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        (!text.contains(ends)).then_some(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OneLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_could_end_a_line_is_taken() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_control()).chain(['\u{2028}', '\u{2029}']) {
            assert_eq!(OneLine::new(format!("/etc/x{c}ExecStartPre=+/bin/sh")), None, "{c:?}");
        }
        assert!(OneLine::new("/etc/50% é \"x\"").is_some());
    }
}
