//! `patctl config`: what the settings are, and what is wrong with them.

use super::{Context, stdout_failed};
use crate::cli::{Config, Format};
use crate::config::{self, ConfigError, Problem, Sources};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::wire;

pub fn run(args: &Config, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let Config::Check { file } = args;
    cx.screen.only(&[Format::Table, Format::Json])?;
    let sources = Sources { file: file.as_deref().or(cx.global.config.as_deref()), ..cx.sources() };
    let problems = match config::examine(&sources) {
        Ok((_, problems)) | Err(ConfigError::Problems(problems)) => problems,
        Err(error) => return Err(error.into()),
    };
    if cx.screen.format().is_json() {
        let checked =
            wire::Checked { ok: problems.is_empty(), problems: problems.iter().map(as_json).collect() };
        cx.screen.json(&checked).map_err(stdout_failed)?;
    } else if problems.is_empty() {
        cx.screen.say("the settings are in order");
    } else {
        for problem in &problems {
            let failure = Failure::new(Exit::Config, "config", problem.to_string());
            cx.screen.fail(&Failure { hint: problem.hint.clone(), ..failure });
        }
    }
    Ok(if problems.is_empty() { Exit::Yes } else { Exit::Config })
}

fn as_json(problem: &Problem) -> wire::Problem {
    wire::Problem {
        origin: problem.origin.to_string(),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
    }
}
