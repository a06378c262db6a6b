//! `patctl config import`: the policy of a Jira that runs, as a properties file.

use super::asked;
use super::config::as_json;
use super::context::Context;
use super::stdout_failed;
use crate::cli::Format;
use crate::config::import::{Imported, Line};
use crate::config::properties;
use crate::domain::jvm::Dialect;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::wire;
use std::io;
use std::path::{Path, PathBuf};

/// The most bytes of a file that are read.
const MAX_BYTES: usize = 1 << 20;

pub fn run(files: &[PathBuf], format: Option<Dialect>, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json])?;
    let mut imported = Imported::default();
    for path in files {
        let bytes = asked::file(path, MAX_BYTES, cx)?;
        // As Java reads properties files that are not UTF-8.
        let content = String::from_utf8(bytes)
            .unwrap_or_else(|latin1| latin1.as_bytes().iter().copied().map(char::from).collect());
        let name = if path == Path::new("-") { Path::new("(stdin)") } else { path };
        imported.add(name, &content, format.unwrap_or_else(|| Dialect::guess(name, &content)));
    }
    let refused = imported.problems.iter().any(|problem| !problem.is_warning);
    if cx.screen.format() == Format::Json {
        cx.screen.json(&shaped(&imported, !refused)).map_err(stdout_failed)?;
    } else {
        print(&imported, cx).map_err(stdout_failed)?;
        tell(&imported, cx);
    }
    Ok(if refused { Exit::Config } else { Exit::Yes })
}

fn shaped(imported: &Imported, ok: bool) -> wire::Imported<'_> {
    fn carried(line: &Line) -> wire::Carried<'_> {
        wire::Carried { property: line.property, value: &line.value, origin: line.origin.to_string() }
    }
    let properties = imported.lines.iter().map(carried).collect();
    wire::Imported { ok, properties, problems: imported.problems.iter().map(as_json).collect() }
}

/// A properties file; what was refused stands in it as a remark, where whoever keeps the file sees it.
fn print(imported: &Imported, cx: &mut Context<'_>) -> io::Result<()> {
    for line in &imported.lines {
        cx.screen.line(&format!("# {}", one_line(&line.origin.to_string())))?;
        cx.screen.line(&format!("{} = {}", line.property, properties::escaped(&line.value)))?;
    }
    for problem in imported.problems.iter().filter(|problem| !problem.is_warning) {
        cx.screen.line(&format!("# refused: {}", one_line(&problem.to_string())))?;
    }
    cx.screen.flush()
}

/// What cannot end the remark that it stands in.
fn one_line(text: &str) -> String {
    crate::output::text::safe(text).into_owned()
}

fn tell(imported: &Imported, cx: &mut Context<'_>) {
    for problem in &imported.problems {
        let failure = Failure::new(Exit::Config, "config", problem.to_string());
        if problem.is_warning {
            let hint = problem.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
            cx.screen.warn(&format!("{problem}{hint}"));
        } else {
            cx.screen.fail(&Failure { hint: problem.hint.clone(), ..failure });
        }
    }
    if imported.lines.is_empty() && imported.problems.is_empty() {
        cx.screen.say("nothing there sets a property of personal access tokens: the defaults hold");
    }
}
