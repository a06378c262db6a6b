//! What went wrong below, told to who typed the command: what, why, and what to do next. The rooms
//! below know no flags; here they are named.

use crate::config::{ConfigError, Problem};
use crate::domain::policy::Refusal;
use crate::domain::text::User;
use crate::domain::verifier::NoMemory;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::issue::IssueError;
use crate::service::look::{LookError, RevealError};
use crate::service::prune::PruneError;
use crate::service::verify::IdentifyError;
use crate::store::StoreError;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(path) => {
                Self::new(Exit::Io, "database", format!("there is no database at {}", path.display()))
                    .hint("'patctl create' makes it; another place is named with --db or $PATCTL_DB")
            }
            StoreError::Unsafe { path, why } => {
                Self::new(Exit::Permission, "permission", format!("database {}: {why}", path.display()))
                    .hint("make it a regular file that only its owner (or a trusted group) can write")
            }
            StoreError::Permission(why) => {
                Self::new(Exit::Permission, "permission", format!("the database cannot be used: {why}"))
                    .hint("run as its owner, who must be able to write it and its directory")
            }
            StoreError::NewerSchema { found, known } => Self::new(
                Exit::Io,
                "database",
                format!("the database has schema {found}, this patctl knows up to {known}"),
            )
            .hint("use the patctl that wrote it, or a newer one"),
            StoreError::Schema(fault) => {
                Self::new(Exit::Io, "database", format!("the database is not what patctl wrote: {fault}"))
                    .hint(match &fault.cure {
                        Some(cure) => {
                            format!("this SQL statement repairs it: {cure} 'patctl doctor' says more")
                        }
                        None => "'patctl doctor' says what to do".to_owned(),
                    })
            }
            StoreError::Damaged(what) | StoreError::BadRow(what) => {
                Self::new(Exit::Io, "database", format!("the database is not what patctl wrote: {what}"))
                    .hint("restore it from a backup, or remove it if it never held a token; none was judged")
            }
            StoreError::Altered { id, why } => {
                Self::new(Exit::Io, "damaged", format!("nothing was done with {id}: {why}"))
                    .hint("'patctl doctor' names all such rows; revoke the token and make a new one")
            }
            StoreError::Ends(what) => {
                let message = format!(
                    "nothing was imported, because tokens that were ended here could come in again: {what}"
                );
                Self::new(Exit::Io, "database", message).hint("'patctl doctor' says what to do")
            }
            StoreError::Busy => {
                Self::new(Exit::Busy, "busy", "another process holds the database").hint("try again")
            }
            StoreError::Exhausted(what) => Self::exhausted(&what),
            StoreError::Undecided(what) => Self::new(
                Exit::Io,
                "undecided",
                format!("the database failed while committing: {what}"),
            )
            .hint(
                "the change may or may not have happened; look with 'patctl list --all' before you try again",
            ),
            StoreError::Io(what) => Self::new(Exit::Io, "database", format!("the database failed: {what}"))
                .hint(
                    "what was not acknowledged was not done; mend the cause (a full disk?), then try again",
                ),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::File { path, why, remedy } => {
                Self::new(Exit::Config, "config", format!("configuration {}: {why}", path.display())).hint(
                    remedy.unwrap_or_else(|| {
                        "mend it or move it away; no other file is read in its place".to_owned()
                    }),
                )
            }
            ConfigError::Exhausted { path, why } => {
                Self::exhausted(&format!("configuration {}: {why}", path.display()))
            }
            ConfigError::Problems(problems) => {
                let fatal: Vec<&Problem> = problems.iter().filter(|p| !p.is_warning).collect();
                let lines: Vec<String> = fatal.iter().map(ToString::to_string).collect();
                let failure = Self::new(Exit::Config, "config", lines.join("\n"));
                match fatal.iter().find_map(|p| p.hint.as_ref()) {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            }
        }
    }
}

impl From<LookError> for Failure {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Unknown(id) => {
                Self::new(Exit::No, "not-found", format!("no token has the id {}", id.typed())).hint(
                    "'patctl list --all' shows those there are, 'patctl list --name NAME' those of a name",
                )
            }
            LookError::Ambiguous(id, candidates) => {
                let ids: Vec<&str> = candidates.iter().map(|pat| pat.id.as_str()).collect();
                let message = format!("{} is the beginning of several ids: {}", id.typed(), ids.join(", "));
                Self::new(Exit::No, "ambiguous", message).hint("type more of the one you mean")
            }
            LookError::Store(error) => error.into(),
        }
    }
}

impl From<RevealError> for Failure {
    fn from(error: RevealError) -> Self {
        let no = |message: &str| Self::new(Exit::No, "not-revealed", message);
        match error {
            RevealError::Look(error) => error.into(),
            RevealError::Secure => {
                no("the token was made in secure mode: it was shown once, and is never again")
                    .hint("'patctl rotate' makes a new one in its place")
            }
            RevealError::NotSealed => no("the token is not in the vault: only its hash is kept")
                .hint("tokens made while patctl.token.vault.key.file is set are, until they are revoked"),
            RevealError::WrongKey => Self::new(
                Exit::Config,
                "vault",
                "what the vault holds for this token does not open with this key",
            )
            .hint("name the key file it was sealed with; a copy of another database's row never opens"),
        }
    }
}

impl From<PruneError> for Failure {
    fn from(error: PruneError) -> Self {
        match error {
            PruneError::Clock { now, last } => Self::new(
                Exit::No,
                "clock",
                format!("nothing was pruned: the clock says {now}, the last audit row is of {last}"),
            )
            .hint("set the clock; if it is right, 'patctl prune --force' goes ahead"),
            PruneError::Store(error) => error.into(),
        }
    }
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Refused { refusal, user } => {
                refused(refusal, user.as_ref().map_or("anybody", User::as_str))
            }
            IssueError::Undelivered(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Self::new(Exit::Io, "undelivered", format!("the token could not be handed over: {error}"))
                    .hint("no token was made; a token file is never overwritten, name a new one")
            }
            IssueError::Undelivered(error) => {
                Self::new(Exit::Io, "undelivered", format!("the token could not be handed over: {error}"))
                    .hint(
                        "no token was made; let something read stdout, or name a new file with --token-file",
                    )
                    .because_of(&error)
            }
            IssueError::Memory(refused) => no_memory(refused),
            IssueError::Cost => Self::new(
                Exit::Config,
                "config",
                "patctl.argon2.memory.kib is too small for patctl.argon2.parallelism",
            )
            .hint("Argon2 needs at least 8 KiB for each lane"),
            IssueError::Store(error) => error.into(),
        }
    }
}

/// The system refused the memory of a computation: nothing is known, and nothing was made.
pub fn no_memory(refused: NoMemory) -> Failure {
    Failure::new(Exit::Io, "unavailable", refused.to_string()).hint(MORE_MEMORY)
}

/// What to do where Argon2 cannot have its memory.
pub const MORE_MEMORY: &str =
    "raise the limit (ulimit -v, LimitAS=, MemoryMax=), or lower patctl.argon2.memory.kib for new tokens";

impl From<IdentifyError> for Failure {
    fn from(error: IdentifyError) -> Self {
        match error {
            IdentifyError::Memory(refused) => no_memory(refused),
            IdentifyError::Damaged(id) => Self::new(
                Exit::Io,
                "damaged",
                format!("what the database keeps of {id} is damaged: its secret cannot be checked"),
            )
            .hint("no use of it is allowed; 'patctl doctor' names all such rows"),
            IdentifyError::Store(error) => error.into(),
        }
    }
}

pub fn refused(refusal: Refusal, user: &str) -> Failure {
    let (message, hint) = match refusal {
        Refusal::Disabled => (
            "personal access tokens are switched off (atlassian.pats.enabled = false)".to_owned(),
            "switch them on; 'patctl config show --changed' says where that is set".to_owned(),
        ),
        Refusal::AnyUserForbidden => (
            "a token that speaks for any user is not allowed (patctl.any.user.enabled = false)".to_owned(),
            "name one with --user, or switch it on: such a token impersonates anybody".to_owned(),
        ),
        Refusal::OtherUser => {
            ("a token is issued for oneself only".to_owned(), "ask an administrator to issue it".to_owned())
        }
        Refusal::NameBlank => (
            "the name is blank".to_owned(),
            "say what the token is for, or leave the name out to have one made".to_owned(),
        ),
        Refusal::NameTooLong { length, max } => (
            format!("the name has {length} characters, {max} are allowed (atlassian.pats.token.name.length)"),
            "shorten it, or put the rest into --note".to_owned(),
        ),
        Refusal::NameHidden(c) => (
            format!("the name holds the invisible or control character U+{:04X}", u32::from(c)),
            "write the name without it".to_owned(),
        ),
        Refusal::NameSecret => (
            "the name holds what looks like a token, which would be kept in the clear".to_owned(),
            "name what the token is for; if that was a live token, revoke it".to_owned(),
        ),
        Refusal::ExpiryTooLong { max_days } => (
            format!("a token may live for {max_days} days at most (atlassian.pats.max.tokens.expiry.days)"),
            format!("ask for less: --expires {max_days}"),
        ),
        Refusal::LifeTooLong { max_days, latest } => (
            format!(
                "a token may live for {max_days} days at most (atlassian.pats.max.tokens.expiry.days), this \
                 one until {latest}"
            ),
            format!("ask for less: --expires {latest}; 'patctl rotate' gives it a successor with a new life"),
        ),
        Refusal::ExpiryNotInFuture => (
            "the expiry is not in the future".to_owned(),
            "give a number of days (--expires 90) or a later date".to_owned(),
        ),
        Refusal::TooMany { count, more, expired, max } => too_many(user, count, more, expired, max),
        Refusal::EternalForbidden { max_days } => (
            "a token must have an expiry (atlassian.pats.eternal.tokens.enabled = false)".to_owned(),
            format!("give one of at most {max_days} days: --expires {max_days}"),
        ),
    };
    Failure::new(Exit::No, "refused", message).hint(hint)
}

/// One user has too many tokens, or would have.
fn too_many(user: &str, count: u64, more: u64, expired: u64, max: u32) -> (String, String) {
    const LIMIT: &str = "atlassian.pats.max.tokens.per.user";
    let shown = user.escape_debug();
    let message = if more == 1 {
        format!("{shown} has {}, {max} are allowed ({LIMIT})", super::tokens(count))
    } else {
        format!(
            "{more} more would make {} tokens for {shown}; at most {max} are allowed ({LIMIT})",
            count + more
        )
    };
    let raise = format!("-D {LIMIT}={}", count + more);
    let quoted = format!("'{}'", user.replace('\'', "'\\''"));
    let hint = match (expired, count) {
        (1.., _) => format!(
            "{expired} of the {count} expired: patctl bulk-revoke --user {quoted} --status expired --yes gives their \
             places back now, and 'patctl prune' later; or raise the limit: {raise}"
        ),
        (0, 0) => format!("raise the limit: {raise}"),
        (0, _) => format!(
            "revoke some (patctl list --user {quoted}; patctl revoke ID), or raise the limit: {raise}"
        ),
    };
    (message, hint)
}
