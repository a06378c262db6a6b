//! Deeds that a mail should tell of, where the token has no address.

use super::context::Context;
use crate::domain::token::TokenId;
use crate::service::Act;
use crate::service::notice::{self, About};

/// Tokens that are named; of the others only how many there are.
const NAMED: usize = 3;

/// Tokens of which nobody hears.
#[derive(Default)]
pub struct Unheard {
    first: Vec<TokenId>,
    more: u64,
}

impl Unheard {
    /// Takes note of a token, if mails are sent and none about it reaches anybody.
    pub fn note<'a>(&mut self, act: &Act<'_>, about: impl Into<About<'a>>) {
        let about = about.into();
        if !notice::are_written(act) || notice::has_recipient(act.policy, about) {
            return;
        }
        if self.first.len() < NAMED { self.first.push(about.id) } else { self.more += 1 }
    }

    /// Says so, once.
    pub fn warn(&self, cx: &mut Context<'_>) {
        if self.first.is_empty() {
            return;
        }
        let ids: Vec<&str> = self.first.iter().map(TokenId::as_str).collect();
        let have = if ids.len() > 1 { "have" } else { "has" };
        let ids = ids.join(", ");
        let more = if self.more > 0 { format!(" and {} more", self.more) } else { String::new() };
        cx.screen.warn(&format!(
            "no mail tells anybody of this: {ids}{more} {have} no address (--notify-to gives a token one, patctl.mail.to all of \
             them)"
        ));
    }
}
