//! The policy of a Jira or Confluence that runs: properties among the arguments of its JVM, in whichever
//! file they stand. Nothing is run or expanded, and nothing is lost in silence: what cannot be
//! understood is refused with its place.

use super::keys::{self, Key, Kind};
use super::properties::{self, Position};
use super::{Origin, Problem};
use crate::domain::jvm::{Dialect, OURS, Reading, Word, is_opaque, text};
use std::path::Path;
use std::rc::Rc;

/// A property and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its name.
    pub property: &'static str,
    /// Its value, checked.
    pub value: String,
    /// Where it stands.
    pub origin: Origin,
}

/// What some files say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Imported {
    /// The properties, the last of each, in the order of the files.
    pub lines: Vec<Line>,
    /// What was refused, and what is odd.
    pub problems: Vec<Problem>,
}

impl Imported {
    /// Adds what a file says.
    pub fn add(&mut self, path: &Path, content: &str, dialect: Dialect) {
        let path: Rc<Path> = Rc::from(path);
        let content = content.strip_prefix('\u{feff}').unwrap_or(content);
        if dialect == Dialect::Properties {
            return self.add_properties(&path, content);
        }
        let chars: Vec<char> = content.replace("\r\n", "\n").chars().collect();
        let reading = dialect.read(&chars);
        let places = Places::new(path, &chars);
        let before = self.problems.len();
        let mut seen = Vec::new();
        for (index, word) in reading.arguments.iter().enumerate() {
            let next = reading.arguments.get(index + 1);
            if let Some(argument) = Argument::of(word, dialect, next) {
                seen.push(argument.at);
                self.accept(&argument, &places);
            }
        }
        self.account(&chars, &reading, &seen, &places);
        self.problems[before..].sort_by_key(|problem| match &problem.origin {
            Origin::File(_, at) => (at.line, at.column),
            _ => (0, 0),
        });
    }

    fn add_properties(&mut self, path: &Rc<Path>, content: &str) {
        let entries = match properties::parse(content) {
            Ok(entries) => entries,
            Err(error) => {
                return self.problems.push(problem(
                    Origin::File(path.clone(), error.at),
                    error.to_string(),
                    None,
                ));
            }
        };
        for entry in entries.iter().filter(|entry| is_concerned(&entry.key)) {
            let origin = Origin::File(path.clone(), entry.key_at);
            self.problems.extend(super::misplaced(path, &entry.key, origin.clone()));
            let value = unquoted(entry.value.trim_end_matches([' ', '\t', '\u{c}']));
            self.take(&entry.key, value, origin, None);
        }
    }

    fn accept(&mut self, argument: &Argument<'_>, places: &Places) {
        let origin = places.origin(argument.at);
        let key = &argument.key;
        if argument.is_opaque {
            let message = format!("{key}: what it is set to, only the shell knows that runs this file");
            let hint = "write the value itself there, or add the line by hand".to_owned();
            return self.problems.push(problem(origin, message, Some(hint)));
        }
        if key.starts_with("extender.") {
            let message =
                format!("Extender reads {key} from jira-config.properties, not from the JVM's arguments");
            self.problems.push(Problem { is_warning: true, ..problem(origin.clone(), message, None) });
        }
        self.take(key, unquoted(&argument.value), origin, Some(argument));
    }

    /// Keeps a value that is one.
    fn take(&mut self, name: &str, value: &str, origin: Origin, argument: Option<&Argument<'_>>) {
        let Some(key) = keys::find(name) else {
            let hint = keys::did_you_mean(name).map(|meant| format!("did you mean '{meant}'?"));
            let message = format!("unknown property '{}' is left out", name.escape_debug());
            return self.problems.push(Problem { is_warning: true, ..problem(origin, message, hint) });
        };
        if let Err(why) = key.kind.check(value) {
            let message = format!("{} = '{}': {why}", key.name, value.escape_debug());
            let hint = argument.and_then(|argument| argument.hint(key));
            return self.problems.push(problem(origin, message, hint));
        }
        if let Some(before) = self.lines.iter().position(|line| line.property == key.name) {
            let before = self.lines.remove(before).origin;
            let message = format!("{} was set at {before} already; this one counts", key.name);
            self.problems.push(Problem { is_warning: true, ..problem(origin.clone(), message, None) });
        }
        self.lines.push(Line { property: key.name, value: value.to_owned(), origin });
    }

    /// Whatever looks like a property of ours and was not understood is refused.
    fn account(&mut self, chars: &[char], reading: &Reading, seen: &[usize], places: &Places) {
        let ours: Vec<Vec<char>> = OURS.iter().map(|ours| ours.chars().collect()).collect();
        for at in 0..chars.len() {
            let is_ours = chars[at] == '-' && ours.iter().any(|ours| chars[at..].starts_with(ours));
            if !is_ours || seen.contains(&at) || reading.comments.iter().any(|comment| comment.contains(&at))
            {
                continue;
            }
            let name: String =
                chars[at + 2..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '.').collect();
            let why = match reading.unclosed {
                Some(open) => format!("a quote that begins at {} does not end", places.origin(open)),
                None => "it is no argument of its own here".to_owned(),
            };
            let hint = "add the line by hand, if it counts".to_owned();
            self.problems.push(problem(
                places.origin(at),
                format!("{name}: not understood: {why}"),
                Some(hint),
            ));
        }
    }
}

fn problem(origin: Origin, message: String, hint: Option<String>) -> Problem {
    Problem { origin, message, hint, is_warning: false }
}

fn is_concerned(key: &str) -> bool {
    OURS.iter().any(|ours| key.starts_with(&ours[2..]))
}

/// Without one layer of quotes around the whole.
fn unquoted(value: &str) -> &str {
    ['\'', '"']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote).and_then(|value| value.strip_suffix(*quote)))
        .unwrap_or(value)
}

/// `-Dkey=value`, one that concerns us.
struct Argument<'w> {
    at: usize,
    key: String,
    value: String,
    is_opaque: bool,
    dialect: Dialect,
    /// What follows it.
    next: Option<&'w Word>,
}

impl<'w> Argument<'w> {
    fn of(word: &Word, dialect: Dialect, next: Option<&'w Word>) -> Option<Self> {
        let whole = text(word);
        let (key, value) = whole.strip_prefix("-D")?.split_once('=').unwrap_or((&whole[2..], ""));
        let at = word.first()?.at;
        is_concerned(key).then(|| Self {
            at,
            key: key.to_owned(),
            value: value.to_owned(),
            is_opaque: is_opaque(word),
            dialect,
            next,
        })
    }

    /// How a value would have to be written that was cut where it has a blank.
    fn hint(&self, key: &Key) -> Option<String> {
        let cut =
            matches!(key.kind, Kind::Cron) && self.next.is_some_and(|next| !text(next).starts_with('-'));
        let name = key.name;
        cut.then(|| match self.dialect {
            Dialect::Batch => format!("it is cut at its first blank; write \"-D{name}=0 0 0 * * ?\", quotes and all"),
            _ => format!(
                "a shell cuts it at its first blank and makes names of files of '*' and '?'; write -D{name}='0 0 0 \
                 * * ?', the single quotes within the double ones"
            ),
        })
    }
}

/// Lines and columns of a file.
struct Places {
    path: Rc<Path>,
    starts: Vec<usize>,
}

impl Places {
    fn new(path: Rc<Path>, chars: &[char]) -> Self {
        let ends = chars.iter().enumerate().filter(|(_, c)| **c == '\n').map(|(at, _)| at + 1);
        Self { path, starts: std::iter::once(0).chain(ends).collect() }
    }

    fn origin(&self, at: usize) -> Origin {
        let line = self.starts.partition_point(|start| *start <= at);
        let column = at - self.starts[line - 1] + 1;
        Origin::File(self.path.clone(), Position { line, column })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_makes_a_reader_panic_and_nothing_is_lost_in_silence(
            pieces in proptest::collection::vec(prop_oneof![
                Just("-Datlassian.pats.enabled=true"), Just("-Dextender.x="), Just("JAVA_OPTS="), Just("set "),
                Just("${A:="), Just("}"), Just("$("), Just(")"), Just("`"), Just("'"), Just("\""), Just("\\"), Just("\n"),
                Just(" "), Just("# "), Just("- "), Just("a: "), Just("{{"), Just("^"), Just("%"), Just(";"), Just("é$"),
            ], 0..40),
        ) {
            let text = pieces.concat();
            for dialect in Dialect::ALL {
                let mut imported = Imported::default();
                imported.add(Path::new("x"), &text, dialect);
                let chars: Vec<char> = text.chars().collect();
                let reading = dialect.read(&chars);
                let there = (0..chars.len())
                    .filter(|at| OURS.iter().any(|ours| chars[*at..].iter().collect::<String>().starts_with(ours)))
                    .filter(|at| !reading.comments.iter().any(|comment| comment.contains(at)))
                    .count();
                // Each is a property, or refused, or was set again.
                let told = imported.lines.len() + imported.problems.len();
                prop_assert!(dialect == Dialect::Properties || told >= there, "{dialect:?} {text:?}: {imported:?}");
            }
        }
    }

    #[test]
    fn braces_within_braces_have_an_end() {
        let text = format!("JAVA_OPTS=\"-Datlassian.pats.enabled=true {}\"", "${A:=".repeat(100_000));
        let mut imported = Imported::default();
        imported.add(Path::new("x"), &text, Dialect::Shell);
        assert_eq!((imported.lines.len(), imported.problems.len()), (0, 1));
        let closed = format!(
            "X={}{}\nJAVA_OPTS=-Datlassian.pats.enabled=true",
            "${A:=".repeat(2000),
            "}".repeat(2000)
        );
        let mut imported = Imported::default();
        imported.add(Path::new("x"), &closed, Dialect::Shell);
        assert_eq!((imported.lines.len(), imported.problems.len()), (0, 1));
    }
}
