//! Why a token was not changed, told to who typed the command.

use super::explain::refused;
use crate::domain::policy::Refusal;
use crate::domain::token::TokenId;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::service::edit::{EditError, Pick};
use crate::service::rotate::RotateError;
use crate::service::unfit::Unfit;

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Look(error) => error.into(),
            EditError::Unfit(id, why) => unfit(id, why),
            EditError::Refused(refusal) => refused(refusal, "the user"),
            EditError::AnyUser(id) => {
                no("refused", format!("{id} is for any user, who is named with each use"))
                    .hint("an address is for a token that has a user; 'patctl create --user' makes one")
            }
            EditError::NoSuchLine(id, Pick::Number(number)) => {
                no("not-found", format!("{id} has no restriction number {number}"))
                    .hint(format!("'patctl show {id}' lists them, from 1"))
            }
            EditError::NoSuchLine(id, Pick::Text(text)) => {
                no("not-found", format!("{id} has no restriction {text}"))
                    .hint(format!("'patctl show {id}' lists them; the text must be the same"))
            }
            EditError::NoLineLeft(id) => {
                no("refused", format!("{id} would have no restriction left, and allow nothing"))
                    .hint("--unrestrict lets it do everything; 'patctl disable' lets it do nothing")
            }
            EditError::Rules(errors) => {
                let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                Self::new(Exit::Usage, "rule", lines.join("\n"))
            }
            EditError::Store(error) => error.into(),
        }
    }
}

impl From<RotateError> for Failure {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::Look(error) => error.into(),
            RotateError::Unfit(id, why) => unfit(id, why),
            RotateError::Issue(error) => error.into(),
            RotateError::Refused(old, refusal) => {
                let failure = refused(refusal, old.user.as_deref().unwrap_or("anybody"));
                match refusal {
                    Refusal::AnyUserForbidden => {
                        failure.hint("switch it on, or make one for a user with 'patctl create --user'")
                    }
                    _ => failure,
                }
            }
        }
    }
}

/// Why this token is not changed, and what can be done.
pub fn unfit(id: TokenId, why: Unfit) -> Failure {
    let named = |id: Option<TokenId>| id.map_or_else(|| "another token".to_owned(), |id| id.to_string());
    match why {
        Unfit::Revoked => {
            no("revoked", format!("{id} was revoked, for good")).hint("'patctl create' makes another")
        }
        Unfit::Disabled => no("disabled", format!("{id} is switched off"))
            .hint(format!("'patctl enable {id}' switches it on")),
        Unfit::Expired { at } => {
            no("expired", format!("{id} expired at {at}; it is not brought back to life"))
                .hint("'patctl create' makes another")
        }
        Unfit::Rotated { successor } => {
            no("rotated", format!("{} has taken the place of {id}", named(successor)))
                .hint("use the successor, or make another with 'patctl create'")
        }
        Unfit::Leaving { successor, until } => no(
            "rotated",
            format!("{id} has a successor already: {}, which takes its place at {until}", named(successor)),
        )
        .hint(format!("use that one, or take it back: 'patctl rotate --undo {id}'")),
        Unfit::Arriving { predecessor, until } => no(
            "rotated",
            format!(
                "{predecessor}, whose place {id} takes, works until {until}; no more than two can overlap"
            ),
        )
        .hint(format!("wait, rotate with --now, or revoke {predecessor}")),
        Unfit::Doubtful(reading) => super::context::doubtful(reading),
        Unfit::Outlived => {
            no("policy", format!("today's limits end {id} (patctl.policy.apply.to.existing = true)"))
                .hint("'patctl create' makes another; 'patctl edit --expires' may give it an end within them")
        }
        Unfit::Secure => no(
            "secure",
            format!("{id} was made in secure mode (extender.token.secure.mode): it is never edited"),
        )
        .hint("make another with 'patctl create', then revoke this one"),
        Unfit::NotRotated => no("not-rotated", format!("{id} has no rotation that could be undone"))
            .hint("'patctl show' tells of successors and predecessors"),
        Unfit::SuccessorRotated { successor } => {
            no("rotated", format!("{successor}, the successor of {id}, was rotated in turn"))
                .hint(format!("undo that first: 'patctl rotate --undo {successor}'"))
        }
    }
}

fn no(kind: &'static str, message: String) -> Failure {
    Failure::new(Exit::No, kind, message)
}
