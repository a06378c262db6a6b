//! The input and the result of a verification.

use crate::domain::actor::{Actor, RequestMeta};
use crate::domain::audit::Asked;
use crate::domain::cache::CacheKey;
use crate::domain::decision::{Denial, Grant};
use crate::domain::moment::Moment;
use crate::domain::pat::Pat;
use crate::domain::policy::Policy;
use crate::domain::presented::Presented;
use crate::domain::restriction::{Base, Refusal, Request};
use crate::domain::token::TokenId;
use crate::store::Durability;
use std::sync::Arc;

/// Why a token is presented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To be used: a yes counts as a use.
    Use,
    /// To be looked at.
    Look,
}

/// A token, and what it is presented for.
#[derive(Debug)]
pub struct VerifyItem {
    /// The token, of the right shape and checksum.
    pub credential: Presented,
    /// To be used, or to be looked at.
    pub purpose: Purpose,
    /// The request it should allow.
    pub request: Result<Request, Refusal>,
    /// The URL as the audit log keeps it.
    pub url: Option<String>,
    /// Who asks.
    pub actor: Arc<Actor>,
    /// Where the request came from.
    pub meta: RequestMeta,
}

impl VerifyItem {
    /// The id that is presented; no token need have it.
    #[must_use]
    pub fn id(&self) -> TokenId {
        self.credential.token.id()
    }

    /// Returns the part of the request that the audit log keeps.
    #[must_use]
    pub fn asked(&self) -> Asked<'_> {
        Asked {
            method: self.request.as_ref().ok().and_then(|request| request.method),
            url: self.url.as_deref().filter(|_| self.request.is_ok()),
        }
    }
}

/// Settings and services shared by all items of one front end.
#[derive(Clone, Copy)]
pub struct VerifyContext<'c> {
    /// The limits.
    pub policy: &'c Policy,
    /// Where the guarded service lives.
    pub base: Option<&'c Base>,
    /// The key of the auth cache, where there is one.
    pub cache: Option<&'c CacheKey>,
    /// How durable the audit rows must be.
    pub durability: Durability,
    /// Returns the current time. Called once per decision.
    pub clock: &'c dyn Fn() -> Moment,
}

/// One attempt to verify an item. Attempts are repeated when the row or the time changed before the commit.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The item.
    pub item: Arc<VerifyItem>,
    /// The greatest time of the audit log, as far as it is known.
    pub mark: Moment,
    /// The number of earlier attempts.
    pub tried: u8,
}

impl From<Arc<VerifyItem>> for Attempt {
    fn from(item: Arc<VerifyItem>) -> Self {
        Self { item, mark: Moment::clamped(i128::MIN), tried: 0 }
    }
}

/// The answer. It exists only once its audit row is committed.
#[derive(Debug)]
#[must_use]
pub struct Verdict {
    /// The id that was presented; no token need have it.
    pub id: TokenId,
    /// The token, once its secret was proved. A wrong secret learns nothing of it.
    pub pat: Option<Pat>,
    /// Its restrictions, line by line, once its secret was proved.
    pub rules: Vec<String>,
    /// Yes, or why not.
    pub answer: Result<Grant, Denial>,
}
