//! Tokens that come from elsewhere: added as they were there, and told again as they are now.

use super::contract::Result;
use crate::domain::atlassian::row::Exported;
use crate::domain::moment::Moment;
use crate::domain::pat::{AuthMethods, Notified};
use crate::domain::token::TokenId;
use crate::domain::tombstone::Tombstone;
use crate::domain::verifier::Verifier;
use std::ops::ControlFlow;

/// A token that comes from elsewhere, with what only such a one has.
#[derive(Debug)]
pub struct Brought<'a> {
    /// The public name.
    pub id: TokenId,
    /// What its holder calls it.
    pub name: &'a str,
    /// Whose it is.
    pub user: &'a str,
    /// How it may be presented.
    pub auth: AuthMethods,
    /// What proves its secret.
    pub verifier: &'a Verifier,
    /// When it was made.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// When it was last used there.
    pub last_used_at: Option<Moment>,
    /// Which mails were sent there.
    pub notified: Notified,
    /// The number of its row there.
    pub row: Option<i64>,
    /// The key of its user there.
    pub user_key: &'a str,
    /// How "never" was written there, where that was not the usual text.
    pub never: Option<&'a str>,
}

/// What tells whether a token that is here is the one that would be added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The number of its row there.
    pub row: Option<i64>,
    /// The key of its user there; `None`: it was issued here.
    pub user_key: Option<String>,
    /// When it was issued.
    pub created_at: Moment,
    /// What proves its secret, if that can be read.
    pub verifier: Option<Verifier>,
}

/// Receives one token after the other and may stop.
pub type EachExported<'a> = &'a mut dyn FnMut(&Exported) -> ControlFlow<()>;

/// What can be read of tokens that come from elsewhere.
pub trait Origins {
    /// Where the token with this id comes from; `None`: there is none.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError), as for every call here.
    fn origin(&self, id: TokenId) -> Result<Option<Origin>>;

    /// How the token with this id was ended here, if it was and is deleted.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn tombstone(&self, id: TokenId) -> Result<Option<Tombstone>>;
}

/// What a store tells of them.
pub trait Export {
    /// Those that are not revoked, in the order in which they came.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn exported(&self, each: EachExported<'_>) -> Result<()>;
}

/// What can be done with them.
pub trait Intake: Origins {
    /// Makes ready for so many.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError), as for every call here.
    fn announce(&mut self, count: u64) -> Result<()>;

    /// Refuses where it is not certain which tokens were ended here: somebody removed what says so.
    ///
    /// # Errors
    /// [`StoreError::Ends`](super::StoreError::Ends): what is wrong, and what to do.
    fn check_ends(&self) -> Result<()>;

    /// Lets a token that was ended here and is deleted be added again; whether it was one. The caller writes down
    /// that it did.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn bring_back(&mut self, id: TokenId) -> Result<bool>;

    /// Adds a token as it was elsewhere; false when the id is taken, or of one that was ended here.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError)
    fn bring(&mut self, brought: &Brought<'_>) -> Result<bool>;
}
