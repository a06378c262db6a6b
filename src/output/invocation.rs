//! A command as other programs want it written.

use super::one_line::OneLine;

/// A program with its arguments, each within a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invocation(Vec<OneLine>);

impl Invocation {
    /// A command; `None` if it holds what can stand in no line.
    #[must_use]
    pub fn new(words: Vec<String>) -> Option<Self> {
        words.into_iter().map(OneLine::new).collect::<Option<_>>().map(Self)
    }

    /// For the last field of a crontab: quoted for `sh`, with the percent signs that cron would read as ends
    /// of lines escaped.
    #[must_use]
    pub fn for_cron(&self) -> String {
        let quoted: Vec<String> = self.0.iter().map(|word| for_sh(word.as_str())).collect();
        quoted.join(" ").replace('%', "\\%")
    }

    /// For `ExecStart=`.
    #[must_use]
    pub fn for_systemd(&self) -> String {
        let word = |(index, word): (usize, &OneLine)| {
            let word = word.as_str();
            // Variables are put into arguments, not into the program's name.
            let word = if index == 0 { word.to_owned() } else { word.replace('$', "$$") };
            for_systemd(&word)
        };
        self.0.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_@+=:,./-".contains(c)
}

fn for_sh(word: &str) -> String {
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A word of a unit: quoted, with the percent signs that systemd would replace doubled.
#[must_use]
pub fn for_systemd(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    if !word.is_empty() && word.chars().all(|c| is_plain(c) || "%$".contains(c)) {
        return escaped;
    }
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(words: &[&str]) -> Option<Invocation> {
        Invocation::new(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn each_reader_gets_its_own_quotes() {
        let odd = invocation(&["/opt/my app/patctl", "--db", "/a'b 50%$x\"\\", "prune"]).expect("fine");
        assert_eq!(odd.for_cron(), "'/opt/my app/patctl' --db '/a'\\''b 50\\%$x\"\\' prune");
        assert_eq!(odd.for_systemd(), "\"/opt/my app/patctl\" --db \"/a'b 50%%$$x\\\"\\\\\" prune");
        let plain =
            invocation(&["/usr/bin/patctl", "-D", "patctl.base.url=https://h/", "prune"]).expect("fine");
        assert_eq!(plain.for_cron(), "/usr/bin/patctl -D patctl.base.url=https://h/ prune");
        assert_eq!(plain.for_systemd(), plain.for_cron());
    }

    #[test]
    fn what_would_end_the_line_is_no_invocation() {
        for bad in ["a\nb", "a\rb", "\0"] {
            assert_eq!(invocation(&["patctl", bad]), None);
        }
    }
}
