//! The arguments of `patctl config`.

use super::{TEMPLATE, values};
use crate::domain::jvm::Dialect;
use clap::{Subcommand, ValueHint};
use std::path::PathBuf;

/// `patctl config …`
#[derive(Subcommand, Debug)]
pub enum Config {
    /// Show every setting, its value, and where that came from
    #[command(help_template = TEMPLATE, before_help = "Examples:\n  \
        patctl config show\n  \
        patctl config show --changed\n  \
        patctl config show atlassian.pats.max.tokens.per.user -o json")]
    Show {
        /// Only these properties
        #[arg(value_name = "PROPERTY")]
        keys: Vec<String>,
        /// Only what differs from its default
        #[arg(long)]
        changed: bool,
    },
    /// Say what is wrong with the settings; status 78 if anything is
    #[command(help_template = TEMPLATE,
        before_help = "Examples:\n  patctl config check\n  patctl config check jira-config.properties")]
    Check {
        /// The file to check [default: the one patctl reads]
        #[arg(value_hint = ValueHint::FilePath, value_parser = values::file())]
        file: Option<PathBuf>,
    },
    /// Take over the properties that a JVM is started with; prints a properties file
    #[command(help_template = TEMPLATE, before_help = "Examples:\n  \
        patctl config import setenv.sh > patctl.properties\n  \
        patctl config import setenv.sh jira-config.properties > patctl.properties\n  \
        patctl config import values.yaml -o json\n  \
        tr '\\0' '\\n' < /proc/4711/cmdline | patctl config import --format list -",
        after_help = "Read are -Datlassian.pats.* and -Dextender.* in shell scripts, batch files, lists of one option \
            a line (jvm.options, the list of a Windows service) and YAML; and properties files as they are. One \
            layer of quotes is removed. Nothing is run or expanded: a value that holds $(…), ${…} or %…% is refused.\n\n\
            A cron expression that a shell would cut and glob is refused, too. Each line is printed below its place; \
            what was refused is a comment there, and makes the status 78. The last of several counts.")]
    Import {
        /// The files; - is stdin
        #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath, value_parser = values::file())]
        files: Vec<PathBuf>,
        /// How they are written [default: as the name ends, else as it looks]
        #[arg(long, value_name = "FORMAT", value_parser = values::dialect())]
        format: Option<Dialect>,
    },
    /// Explain every property: what it means, its type, its bounds, its default
    #[command(help_template = TEMPLATE,
        before_help = "Examples:\n  patctl config keys\n  patctl config keys patctl.audit.sync")]
    Keys {
        /// Only these properties
        #[arg(value_name = "PROPERTY")]
        keys: Vec<String>,
    },
}
