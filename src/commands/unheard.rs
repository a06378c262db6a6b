//! Warns when no mail is sent about a change because the token has no address.

use super::context::Context;
use crate::domain::token::TokenId;
use crate::service::Act;
use crate::service::notice::{self, About};

/// Tokens named in the warning; the others are only counted.
const NAMED: usize = 3;

/// Tokens without an address for notifications.
#[derive(Default)]
pub struct Unheard {
    first: Vec<TokenId>,
    more: u64,
}

impl Unheard {
    /// Adds a token if notifications are enabled and it has no recipient.
    pub fn note<'a>(&mut self, act: &Act<'_>, about: impl Into<About<'a>>) {
        let about = about.into();
        if !notice::are_written(act) || notice::has_recipient(act.policy, about) {
            return;
        }
        if self.first.len() < NAMED { self.first.push(about.id) } else { self.more += 1 }
    }

    /// Prints the warning, if there is anything to warn of.
    pub fn warn(&self, cx: &mut Context<'_>) {
        if self.first.is_empty() {
            return;
        }
        let ids: Vec<&str> = self.first.iter().map(TokenId::as_str).collect();
        let have = if ids.len() > 1 { "have" } else { "has" };
        let ids = ids.join(", ");
        let more = if self.more > 0 { format!(" and {} more", self.more) } else { String::new() };
        cx.screen.warn(&format!(
            "nobody is notified: {ids}{more} {have} no address for mails (set one with --notify-to, or patctl.mail.to for all \
             tokens)"
        ));
    }
}
