//! What is wrong with one row of a token: what stands in it, and where mails about it go.

use crate::domain::finding::{Finding, Kind, Step};
use crate::domain::integrity::Damage;
use crate::domain::notice::Notices;
use crate::domain::restriction::{Base, Rules};
use crate::domain::verifier::Verifier;
use crate::store::examine::{Examined, Misplaced, Reachable};

/// What is said where a backup is needed.
pub const RESTORE: &str = "restore a backup: 'patctl restore FILE'";

/// What is said where the key of the seals is missing.
pub const KEY: &str = "set patctl.integrity.key.file to the key it was sealed with, or put that file back from its copy; \
                       after a restore without the key, restore again with the key";

/// Ends a token for good.
pub fn revoke(id: &str) -> Step {
    Step::patctl(["revoke", id, "--yes"])
}

/// What is wrong between a row and the log.
pub fn of_misplaced(misplaced: &Misplaced) -> Finding {
    let Misplaced { id, row, log } = misplaced;
    let (why, mend, step) = match row {
        Some(row) if row < log => (
            format!("its row is of version {row}, the audit log says {log}: an older row was put back"),
            format!("patctl revoke {id}"),
            revoke(id),
        ),
        Some(row) => (
            format!("its row is of version {row}, the audit log says {log}: it was changed past the log"),
            format!("patctl revoke {id}"),
            revoke(id),
        ),
        None => (
            "its row is gone, and the audit log does not say that it was pruned".to_owned(),
            RESTORE.to_owned(),
            Step::restore(),
        ),
    };
    Finding::new(Kind::Contradiction, id, why, mend).by([step])
}

/// The remedy for all tokens that no mail reaches.
pub const TO_ALL: &str = "add an address without {user} to patctl.mail.to";

/// Whether mails about a token reach nobody.
pub fn of_addresses(token: &Reachable<'_>, notices: &Notices) -> Option<Finding> {
    let recipients = notices.recipients(token.notify_to, token.email, token.user);
    let edit = format!("patctl edit {} --notify-to ADDRESS", token.id);
    if recipients.is_empty() {
        if !token.ends {
            return None;
        }
        let user = token.user.map_or_else(|| "any user".to_owned(), |user| format!("user {user}"));
        let why = format!("no one is told that it ends: {user} has no address to notify");
        let mend = if token.secure { TO_ALL.to_owned() } else { format!("{edit}; or {TO_ALL}") };
        return Some(Finding::new(Kind::Unaddressed, token.id, why, mend));
    }
    let refused =
        token.refused?.split(',').find(|refused| recipients.iter().any(|to| to.as_str() == *refused))?;
    let why = format!("the mail server refuses {refused} for good");
    let mend = if token.secure {
        format!("make {refused} receive mail again, or revoke the token and create another")
    } else {
        edit
    };
    Some(Finding::new(Kind::Undelivered, token.id, why, mend))
}

/// What is wrong with a row.
pub fn of_row(row: &Examined<'_>, base: Option<&Base>, found: &mut Vec<Finding>) {
    if let Some(why) = &row.unreadable {
        found.push(Finding::new(Kind::Row, row.id, why, RESTORE).by([Step::restore()]));
    }
    // What patctl revoked although it was damaged is over, and that much is known.
    if let Err(damage) = row.seal
        && damage != Damage::Ended
    {
        let over = row.revoked && is_over(row.seal);
        let (mend, steps) = if over { by_hand() } else { mend(damage, row.id) };
        let why = format!("{damage}; no use of it is allowed");
        found.push(Finding::new(Kind::Row, row.id, why, mend).by(steps));
    }
    // What is revoked gives no yes whatever stands beside it.
    if row.revoked {
        return;
    }
    // One that came without a verifier waits for its rotation.
    if row.verifier != Verifier::NONE && Verifier::parse(row.verifier).is_err() {
        let why = "what proves its secret cannot be read; no use of it is allowed";
        let mend = format!("patctl revoke {}, and make a new one", row.id);
        found.push(Finding::new(Kind::Verifier, row.id, why, mend).by([revoke(row.id)]));
    }
    if !row.rules.is_empty()
        && let Err(errors) = Rules::parse(&row.rules.join("\n"), base)
    {
        let first = errors.first().map_or_else(String::new, ToString::to_string);
        let why = format!("a restriction cannot be read, so that no use of it is allowed: {first}");
        let mend = format!(
            "say what it may do: patctl edit {} --restrict RULE; or restore a backup, or end it as below",
            row.id
        );
        found.push(Finding::new(Kind::Restriction, row.id, why, mend).by([revoke(row.id)]));
    }
}

/// Whether a row that is revoked may be taken as such: with its key missing nothing can be sealed.
pub fn is_over(seal: Result<(), Damage>) -> bool {
    !matches!(seal, Ok(()) | Err(Damage::Ended | Damage::NoKey))
}

fn by_hand() -> (String, Vec<Step>) {
    let mend = "find out who did it; 'patctl doctor --fix' takes it for a revocation, and 'patctl prune' deletes it \
                in time";
    (mend.to_owned(), vec![Step::patctl(["doctor", "--fix"])])
}

fn mend(damage: Damage, id: &str) -> (String, Vec<Step>) {
    match damage {
        // What the key was, no command can find out.
        Damage::NoKey => (KEY.to_owned(), Vec::new()),
        Damage::Unsealed | Damage::Changed | Damage::Unkeyed | Damage::Narrow | Damage::Ended => {
            let mend = format!("patctl revoke {id}, and make a new one; or restore a backup of before");
            (mend, vec![revoke(id)])
        }
    }
}
