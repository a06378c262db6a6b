//! `patctl scan --emit`: what other scanners should look for.

use super::context::Context;
use super::stdout_failed;
use crate::domain::atlassian::raw;
use crate::domain::leak;
use crate::exit::Exit;
use crate::failure::Failure;

/// Prints a whole configuration for gitleaks: its own rules, and those for what this installation, Jira and
/// Confluence issue. Without `[extend]` a configuration replaces all of gitleaks' own rules.
pub fn gitleaks(cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let prefix = cx.settings()?.policy().prefix;
    let text = format!(
        "# Written by 'patctl scan --emit gitleaks'. This is a whole configuration for 'gitleaks --config FILE': write\n\
         # it to a file of its own. To use its rules from another configuration, name it there as [extend] path.\n\
         title = \"gitleaks with patctl's rules\"\n\n\
         [extend]\n\
         # Without this, only the rules below would be left.\n\
         useDefault = true\n\n\
         [[rules]]\n\
         id = \"patctl-token\"\n\
         description = \"A personal access token of patctl\"\n\
         regex = '''{}'''\n\
         keywords = [\"{}_\"]\n\n\
         [[rules]]\n\
         id = \"atlassian-data-center-token\"\n\
         description = \"A personal access token of Jira or Confluence Data Center\"\n\
         # The shape is exact and has no fixed text in it, so that there is no keyword.\n\
         regex = '''{}'''\n\
         # End of what 'patctl scan --emit gitleaks' wrote.",
        leak::pattern(&prefix),
        prefix.to_string().to_ascii_lowercase(),
        raw::PATTERN,
    );
    cx.screen.line(&text).map_err(stdout_failed)?;
    Ok(Exit::Yes)
}
