//! `patctl scan --emit`: what other scanners should look for.

use super::context::Context;
use super::stdout_failed;
use crate::domain::atlassian::raw;
use crate::domain::leak;
use crate::exit::Exit;
use crate::failure::Failure;

/// Rules for a `.gitleaks.toml`: for what this installation issues, and for what Jira and Confluence do.
pub fn gitleaks(cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let prefix = cx.settings()?.policy().prefix;
    let text = format!(
        "[[rules]]\n\
         id = \"patctl-token\"\n\
         description = \"A personal access token of patctl\"\n\
         regex = '''{}'''\n\
         keywords = [\"{}_\"]\n\n\
         [[rules]]\n\
         id = \"atlassian-data-center-token\"\n\
         description = \"A personal access token of Jira or Confluence Data Center\"\n\
         # The shape is exact and has no fixed text in it, so that there is no keyword.\n\
         regex = '''{}'''",
        leak::pattern(&prefix),
        prefix.to_string().to_ascii_lowercase(),
        raw::PATTERN,
    );
    cx.screen.line(&text).map_err(stdout_failed)?;
    Ok(Exit::Yes)
}
